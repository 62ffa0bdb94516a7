"""Keys and certificates as makers hand them out: PEM, DER or hex, told apart by what they hold.

Everything becomes the octets of `elliptic`. What is wrong is a LocalProtocolError that begins with the name of the field, says
what was found instead and what to do, and never shows a secret. Source: RFC 7468 (PEM), RFC 5915 and RFC 5958 (private keys),
RFC 5280 (certificates and public keys).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sessions.dlms.certificates import FAULTS, reading_others
from sessions.dlms.elliptic import (
    UNCOMPRESSED,
    Curve,
    check_private_key,
    check_public_key,
    private_octets,
    public_octets,
)
from sessions.dlms.errors import LocalProtocolError

K = TypeVar("K")

MAX_OCTETS: Final = 64 * 1024
"""No key and no certificate is longer."""

_PEM: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")
_CERTIFICATE: Final = "CERTIFICATE"
_NUMBERS: Final = frozenset(curve.coordinate_octets for curve in Curve)
_POINTS: Final = frozenset(curve.point_octets for curve in Curve)


def load_private_key(given: bytes | str, name: str, *, suite: int | None, password: bytes | None = None) -> bytes:
    """The private key in PEM or DER (SEC 1 or PKCS #8, enciphered or not), or as hex; its number in 32 or 48 octets.

    `suite` None: of either curve.
    """
    octets = _octets(given, name)
    pem = _pem_label(octets)
    if not pem and len(octets) in _NUMBERS:
        return check_private_key(octets, _suite(octets, suite), name)
    if pem and not pem.endswith(("PRIVATE KEY", "EC PARAMETERS")):
        raise _unfit(name, f"holds a {pem.lower()}, a private key is needed")
    load = serialization.load_pem_private_key if pem else serialization.load_der_private_key
    try:
        key = load(octets, password)
    except FAULTS as error:
        raise _unreadable_private(name, error, octets, password) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise _unfit(name, "holds a private key of another kind (not of an elliptic curve)")
    found = _named(name, private_octets, key)
    return check_private_key(found, _suite(found, suite), name)


def load_public_key(given: bytes | str, name: str, *, suite: int | None) -> bytes:
    """The public key in a certificate, in PEM or DER, or as hex (x | y, or 04 | x | y); x | y in 64 or 96 octets.

    `suite` None: of either curve.
    """
    octets = _octets(given, name)
    pem = _pem_label(octets)
    if len(octets) - 1 in _POINTS and octets[:1] == UNCOMPRESSED:
        octets = octets[1:]
    if not pem and len(octets) in _POINTS:
        return check_public_key(octets, _suite(octets, suite), name)
    if pem and pem.endswith("PRIVATE KEY"):
        raise _unfit(name, "holds a private key, the public key or the certificate is needed")
    key = _certified_key(octets, name) if pem == _CERTIFICATE else _bare_key(octets, name, bool(pem))
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise _unfit(name, "holds a public key of another kind (not of an elliptic curve)")
    found = _named(name, public_octets, key)
    return check_public_key(found, _suite(found, suite), name)


def load_certificate(given: bytes | str, name: str) -> bytes:
    """The certificate in PEM or DER, as DER; whether it can be trusted is for `certificates` to say."""
    octets = _octets(given, name)
    pem = _pem_label(octets)
    if pem and pem != _CERTIFICATE:
        raise _unfit(name, f"holds a {pem.lower()}, a certificate is needed")
    return _certificate(octets, name).public_bytes(serialization.Encoding.DER)


def load_any_key(given: bytes | str, name: str) -> bytes:
    """A private or a public key of either curve, for whom any will do."""
    try:
        return load_private_key(given, name, suite=None)
    except LocalProtocolError:
        return load_public_key(given, name, suite=None)


def _suite(octets: bytes, suite: int | None) -> int:
    """The suite that was asked for, or the one that the key's length says."""
    if suite is not None:
        return suite
    return 1 if len(octets) in (Curve.P256.coordinate_octets, Curve.P256.point_octets) else 2


# -- what was given -----------------------------------------------------------------------------------------------------


def _octets(given: bytes | str, name: str) -> bytes:
    """PEM text and DER stay as they are, hex becomes its octets."""
    octets = given.encode("utf-8", "replace") if isinstance(given, str) else given
    if not octets.strip():
        raise _unfit(name, "is empty")
    if len(octets) > MAX_OCTETS:
        raise _unfit(name, f"has {len(octets)} octets: no key and no certificate is so long")
    if _PEM.search(octets):
        return octets
    try:
        return bytes.fromhex(octets.decode("ascii").strip().removeprefix("hex:").replace(":", ""))
    except ValueError:
        pass
    if isinstance(given, str):
        raise _unfit(name, "is neither PEM (-----BEGIN …) nor hex")
    return octets


def _pem_label(octets: bytes) -> str:
    """What a PEM text says it holds; a private key behind its parameters counts as such. Empty for DER."""
    labels = [label.decode("ascii") for label in _PEM.findall(octets)]
    return next((label for label in labels if label != "EC PARAMETERS"), labels[0] if labels else "")


def _certificate(octets: bytes, name: str) -> x509.Certificate:
    load = x509.load_pem_x509_certificate if _pem_label(octets) else x509.load_der_x509_certificate
    with reading_others(lambda: _unfit(name, "is no certificate that can be read (X.509 in PEM or DER)")):
        return load(octets)


def _certified_key(octets: bytes, name: str) -> object:
    with reading_others(lambda: _unfit(name, "holds a certificate whose public key cannot be read")):
        return _certificate(octets, name).public_key()


def _bare_key(octets: bytes, name: str, pem: bool) -> object:
    load = serialization.load_pem_public_key if pem else serialization.load_der_public_key
    try:
        return load(octets)
    except FAULTS:
        if not pem:
            return _certified_key(octets, name)
        raise _unfit(name, "holds a public key that cannot be read") from None


# -- what is wrong ------------------------------------------------------------------------------------------------------


def _named(name: str, convert: Callable[[K], bytes], key: K) -> bytes:
    """A conversion whose complaint begins with the field."""
    try:
        return convert(key)
    except LocalProtocolError as error:
        raise _unfit(name, error.message, error.hint) from None


def _unreadable_private(name: str, error: Exception, octets: bytes, password: bytes | None) -> LocalProtocolError:
    enciphered = b"ENCRYPTED" in octets
    if enciphered and password is None:
        return _unfit(name, "is protected by a password", "Give the password, or take the protection off the key file.")
    if enciphered and isinstance(error, ValueError):
        return _unfit(name, "does not open with this password")
    return _unfit(name, "is no private key that can be read (PEM, DER or hex)")


def _unfit(name: str, found: str, hint: str = "") -> LocalProtocolError:
    sizes = " or ".join(f"{curve.words} for security suite {curve.security_suite}" for curve in Curve)
    return LocalProtocolError(
        f"{name}: {found}",
        layer="configuration",
        code="bad-key-file",
        hint=hint or f"Give PEM, DER or hex of a key of an elliptic curve ({sizes}).",
    )
