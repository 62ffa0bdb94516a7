"""Whole ciphered APDUs as the client takes them: envelope, title, strength and counter judged, text deciphered and verified.

Beside it, in the same run, what `cryptography` alone takes for the same text and tag: with the tag of 96 bits that DLMS uses, and
with a whole one, which its fastest interface wants.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

from meters.cosem.data import octet_string
from sessions.dlms.apdu.ciphered import GLO_TAGS
from sessions.dlms.apdu.descriptors import InvokeIdAndPriority
from sessions.dlms.apdu.get import GetResponseNormal
from sessions.dlms.association import AssociationParameters
from sessions.dlms.ciphering import Ciphering
from sessions.dlms.conformance import Conformance
from sessions.dlms.counters import LAST_COUNTER, InvocationCounters
from sessions.dlms.cursor import Writer
from sessions.dlms.protection import Protection
from sessions.dlms.security import TAG_OCTETS, SecurityControl, protect
from tests.bench.measure import Figure, against

CLIENT, SERVER = b"MWBCLNT1", b"MWBMETR1"
COUNT = 2000


def keys(suite: int) -> dict[str, bytes]:
    size = 32 if suite == 2 else 16
    return {"guek": bytes(range(size)), "gak": bytes(range(100, 100 + size))}


def association(suite: int) -> Ciphering:
    """The client's side, once it is associated."""
    parameters = AssociationParameters(
        protection=Protection.AUTHENTICATED_ENCRYPTED,
        security_suite=suite,
        client_system_title=CLIENT,
        server_system_title=SERVER,
        **keys(suite),
    )
    one = Ciphering(parameters, InvocationCounters(range(LAST_COUNTER + 1)))
    one.start()
    one.agree(Conformance.GET)
    return one


def answers(size: int, suite: int) -> list[bytes]:
    """Ciphered GET responses of `size` octets of plaintext, with counters that rise."""
    plain = GetResponseNormal(InvokeIdAndPriority(1), octet_string(bytes(size - 8))).encode()
    assert len(plain) == size, len(plain)
    control = SecurityControl(suite, True, True)
    made = []
    for counter in range(COUNT):
        payload = protect(
            plain,
            control=control,
            key=keys(suite)["guek"],
            gak=keys(suite)["gak"],
            system_title=SERVER,
            invocation_counter=counter,
        )
        made.append(Writer().u8(GLO_TAGS[plain[0]]).octet_string(payload).octets())
    return made


def opened(wires: list[bytes], suite: int) -> Callable[[], object]:
    def run() -> list[object]:
        one = association(suite)
        return [one.unprotect(wire) for wire in wires]

    return run


def bare(wires: list[bytes], suite: int) -> Callable[[], object]:
    """AES-GCM with a tag of 96 bits."""
    key, additional = keys(suite)["guek"], bytes((0x30 | suite,)) + keys(suite)["gak"]
    parts = [
        (SERVER + counter.to_bytes(4, "big"), wire[-TAG_OCTETS:], wire[9:-TAG_OCTETS])
        for counter, wire in enumerate(wires)
    ]

    def run() -> None:
        for vector, tag, text in parts:
            decryptor = Cipher(AES(key), GCM(vector, tag, min_tag_length=TAG_OCTETS)).decryptor()
            decryptor.authenticate_additional_data(additional)
            decryptor.update(text) + decryptor.finalize()

    return run


def one_shot(wires: list[bytes], suite: int) -> Callable[[], object]:
    """AES-GCM in one call, with a whole tag, and the key schedule made once."""
    key, additional = keys(suite)["guek"], bytes((0x30 | suite,)) + keys(suite)["gak"]
    cipher = AESGCM(key)
    parts = []
    for counter, wire in enumerate(wires):
        vector = SERVER + counter.to_bytes(4, "big")
        text = cipher.encrypt(vector, wire[9:-TAG_OCTETS], None)[:-16]
        parts.append((vector, cipher.encrypt(vector, text, additional)))

    def run() -> None:
        for vector, sealed in parts:
            cipher.decrypt(vector, sealed, additional)

    return run


def figures() -> dict[str, Figure]:
    found: dict[str, Figure] = {}
    for suite in (0, 2):
        wires = answers(1024, suite)
        for name, rival in (("bare AES-GCM", bare), ("one-shot AES-GCM with a whole tag", one_shot)):
            found[f"glo-get-response of 1 KiB, suite {suite}, beside {name}"] = against(
                "APDUs/s", COUNT, opened(wires, suite), rival(wires, suite), name="cryptography"
            )
    return found
