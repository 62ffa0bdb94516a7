"""Keys for signing as somebody pastes them into a form: PEM or hex, read into the octets that DLMS uses.

A private key becomes its number (32 octets for P-256, 48 for P-384), a public key or a certificate x | y (64 or 96 octets).
ValueError says what is wrong, and never repeats what was pasted.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

CURVES: dict[int, tuple[str, ec.EllipticCurve, int]] = {
    1: ("P-256", ec.SECP256R1(), 32),
    2: ("P-384", ec.SECP384R1(), 48),
}
"""By security suite: the curve in words, the curve, and the octets of one coordinate."""
FAULTS = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion)


def read_private_key(text: str, suite: int) -> bytes:
    """The number of a private key for security suite 1 or 2."""
    words, curve, size = CURVES[suite]
    octets = _hex(text)
    if octets is not None:
        if len(octets) != size:
            raise ValueError(f"{len(octets)} octets; a private key of {words} has {size}.")
        try:
            ec.derive_private_key(int.from_bytes(octets, "big"), curve)
        except ValueError:
            raise ValueError(f"This number is no private key of {words}.") from None
        return octets
    try:
        key = serialization.load_pem_private_key(text.strip().encode(), None)
    except FAULTS:
        raise ValueError("Neither hex nor a private key in PEM without a password.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != curve.name:
        raise ValueError(f"Security suite {suite} signs with {words}: this is another kind of key.")
    return key.private_numbers().private_value.to_bytes(size, "big")


def read_public_key(text: str, suite: int) -> bytes:
    """x | y of a public key, or of the one in a certificate, for security suite 1 or 2."""
    words, curve, size = CURVES[suite]
    octets = _hex(text)
    if octets is not None:
        octets = octets[1:] if len(octets) == 2 * size + 1 and octets[:1] == b"\x04" else octets
        if len(octets) != 2 * size:
            raise ValueError(f"{len(octets)} octets; a public key of {words} has {2 * size}: x and y.")
        try:
            ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\x04" + octets)
        except ValueError:
            raise ValueError(f"These octets are no point of {words}.") from None
        return octets
    key = _pem_public_key(text.strip().encode())
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != curve.name:
        raise ValueError(f"Security suite {suite} signs with {words}: this is another kind of key.")
    numbers = key.public_numbers()
    return numbers.x.to_bytes(size, "big") + numbers.y.to_bytes(size, "big")


def _pem_public_key(pem: bytes) -> object:
    try:
        if b"BEGIN CERTIFICATE" in pem:
            return x509.load_pem_x509_certificate(pem).public_key()
        return serialization.load_pem_public_key(pem)
    except FAULTS:
        raise ValueError("Neither hex nor a public key or certificate in PEM.") from None


def _hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex("".join(text.split()).replace(":", "").removeprefix("hex"))
    except ValueError:
        return None
