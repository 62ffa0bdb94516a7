"""Where the mutations begin: our own vectors, and the published captures where they are at hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from meters.cosem.data import array
from sessions.dlms.axdr import encode_data
from sessions.dlms.certificates import CertificateEntity, make_certificate_request
from sessions.dlms.elliptic import load_private
from sessions.dlms.errors import DlmsError
from sessions.dlms.general_protection import KeyChoice
from sessions.dlms.inspector import Dissector
from sessions.dlms.security import SecurityControl
from sessions.dlms.security_setup import ByEntity, KeyId, write_identification, write_key_data
from sessions.dlms.transactions import Shape
from sessions.simulator.key_store import lab_keys
from tests.sessions.dlms.parties import party

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests" / "vectors" / "dlms.json"
CAPTURES = ROOT.parent / "shared" / "captures"
MAX_OCTETS = 2048


def _hex_in(node: object) -> Iterator[bytes]:
    """Every string of a JSON tree that is octets in hexadecimal."""
    if isinstance(node, dict):
        for each in node.values():
            yield from _hex_in(each)
    elif isinstance(node, list):
        for each in node:
            yield from _hex_in(each)
    elif isinstance(node, str) and len(node) >= 4:
        try:
            yield bytes.fromhex(node)
        except ValueError:
            return


def _texts(path: Path) -> Iterator[bytes]:
    for item in json.loads(path.read_text("utf-8")):
        if isinstance(item, dict) and isinstance(item.get("ascii"), str):
            yield item["ascii"].encode("latin-1", "replace")


def _apdus(octets: bytes) -> Iterator[bytes]:
    """What stands inside a frame: the APDU, and the plaintext where the keys are known."""
    try:
        dissection = Dissector().feed(octets)
    except DlmsError:
        return
    yield from (source for source in dissection.sources.values() if source != octets)


def _of_key_pairs() -> Iterator[bytes]:
    """What our vectors do not hold: APDUs under general protection, certificates, requests and keys."""
    for suite in (1, 2):
        side = party("client", suite)
        control = SecurityControl(suite, authenticated=True, encrypted=True)
        for choice in KeyChoice:
            yield side.begin(
                bytes.fromhex("C001C100080000010000FF0200"), Shape(control=control, ciphering=choice, signed=True)
            )
        keys = lab_keys("fuzz", suite, client_title=b"MWBMWB-1", server_title=b"MWB\0\0\0\0\1")
        for use, certificate in keys.server_certificates.items():
            yield certificate.der
            yield certificate.pem.encode()
            yield make_certificate_request(keys.server[use], b"MWB\0\0\0\0\1", use)
            form = (PrivateFormat.PKCS8, NoEncryption())
            yield load_private(keys.server[use]).private_bytes(Encoding.DER, *form)
            yield load_private(keys.server[use]).private_bytes(Encoding.PEM, *form)
            yield encode_data(write_identification(ByEntity(entity=CertificateEntity.SERVER, type=use)))
        yield encode_data(write_key_data({KeyId.GUEK: keys.server[use]}, keys.server[use]))
        yield encode_data(array(*(entry.encode() for entry in keys.store(suite).entries())))


@lru_cache(maxsize=1)
def seeds() -> tuple[bytes, ...]:
    """Frames, APDUs, data and texts, each once, none longer than `MAX_OCTETS`."""
    found = dict.fromkeys(_hex_in(json.loads(VECTORS.read_text("utf-8"))))
    for path in sorted(CAPTURES.glob("*.json")) if CAPTURES.is_dir() else ():
        found |= dict.fromkeys(_hex_in(json.loads(path.read_text("utf-8"))))
        found |= dict.fromkeys(_texts(path))
    found |= dict.fromkeys(_of_key_pairs())
    for octets in list(found):
        found |= dict.fromkeys(_apdus(octets))
    return tuple(octets for octets in found if 0 < len(octets) <= MAX_OCTETS)
