"""Digital signatures: ECDSA over P-256 with SHA-256 and over P-384 with SHA-384 (Green Book 9.2.3.4.6; FIPS 186-4).

A signature is r | s, each in the fixed width of the curve: short numbers keep their leading zeros. Nonces are derived from key
and message (RFC 6979), so that no randomness is hidden here. X.509 writes its signatures in DER: `certificates` sees to those.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from sessions.dlms.elliptic import Curve, curve_of_private, load_private, load_public
from sessions.dlms.errors import SecurityError


def sign(message: bytes, private_key: bytes) -> bytes:
    """r | s over `message`: 64 octets under a key of 32, 96 under one of 48."""
    curve = curve_of_private(private_key)
    der = load_private(private_key).sign(message, ec.ECDSA(curve.hash, deterministic_signing=True))
    size = curve.coordinate_octets
    return b"".join(number.to_bytes(size, "big") for number in decode_dss_signature(der))


def verify(message: bytes, signature: bytes, public_key: bytes) -> None:
    """SecurityError unless `signature` (r | s) over `message` was made by the owner of `public_key` (x | y)."""
    key = load_public(public_key)
    size = len(public_key) // 2
    if len(signature) != 2 * size:
        raise SecurityError(
            f"a signature has {2 * size} octets under this key, this one {len(signature)}", code="bad-signature-length"
        )
    r, s = (int.from_bytes(part, "big") for part in (signature[:size], signature[size:]))
    try:
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(Curve(size).hash))
    except InvalidSignature:
        raise SecurityError(
            "the signature does not fit: another key pair, or altered octets",
            code="bad-signature",
            hint="Check that the certificate or public key is the meter's, and is the one for signing.",
        ) from None
