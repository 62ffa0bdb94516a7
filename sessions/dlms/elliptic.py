"""The elliptic curves of security suites 1 and 2, and their keys as DLMS carries them.

    suite  curve   coordinate  public key on the wire  signature on the wire  hash
    1      P-256   32 octets   x | y, 64 octets        r | s, 64 octets       SHA-256
    2      P-384   48 octets   x | y, 96 octets        r | s, 96 octets       SHA-384

Keys are octets everywhere in this package: a private key is its number in as many octets as a coordinate has, a public key is
x | y without the 04 in front. So the length says the curve, and a key of the wrong suite is seen before it is used.
Source: Green Book 9.2.3.4 and table of security suites; FIPS 186-4 D.1.2; SEC 1, 2.3.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from sessions.dlms.errors import LocalProtocolError, SecurityError

UNCOMPRESSED: Final = b"\x04"
"""What SEC 1 writes before x | y, and DLMS does not."""


class Curve(Enum):
    """A curve by the octets of one coordinate."""

    P256 = 32
    P384 = 48

    @property
    def coordinate_octets(self) -> int:
        return int(self.value)

    @property
    def point_octets(self) -> int:
        """Octets of a public key, and of a signature."""
        return 2 * self.coordinate_octets

    @property
    def security_suite(self) -> int:
        return 1 if self is Curve.P256 else 2

    @property
    def words(self) -> str:
        return "P-256" if self is Curve.P256 else "P-384"

    @property
    def order(self) -> int:
        """How many points the curve has: private keys lie below it."""
        return _P256_ORDER if self is Curve.P256 else _P384_ORDER

    @property
    def parameters(self) -> ec.EllipticCurve:
        return ec.SECP256R1() if self is Curve.P256 else ec.SECP384R1()

    @property
    def hash(self) -> hashes.SHA256 | hashes.SHA384:
        return hashes.SHA256() if self is Curve.P256 else hashes.SHA384()


_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P384_ORDER: Final = int(
    "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16
)

_BY_SUITE: Final = {1: Curve.P256, 2: Curve.P384}
_BY_PRIVATE: Final = {curve.coordinate_octets: curve for curve in Curve}
_BY_PUBLIC: Final = {curve.point_octets: curve for curve in Curve}


def curve_of_suite(suite: int) -> Curve:
    """The curve of a security suite; suite 0 has none."""
    curve = _BY_SUITE.get(suite)
    if curve is None:
        raise LocalProtocolError(
            f"security suite {suite} has no signatures and no key agreement",
            layer="security",
            code="no-public-keys",
            hint="Suites 1 and 2 have. Set the security suite of the association to the meter's.",
        )
    return curve


def load_private(octets: bytes) -> ec.EllipticCurvePrivateKey:
    """A private key for use; LocalProtocolError where it is none, for private keys are always ours."""
    curve = _BY_PRIVATE.get(len(octets))
    number = int.from_bytes(octets, "big")
    if curve is None or not 0 < number < curve.order:
        raise LocalProtocolError(
            f"{len(octets)} octets are no private key of P-256 or P-384",
            layer="security",
            code="bad-private-key",
            hint="A private key has 32 octets in security suite 1 and 48 in suite 2.",
        )
    return ec.derive_private_key(number, curve.parameters)


def load_public(octets: bytes) -> ec.EllipticCurvePublicKey:
    """A public key for use; SecurityError where it is no point of P-256 or P-384: a false point leaks the private key."""
    curve = _BY_PUBLIC.get(len(octets))
    if curve is None:
        raise SecurityError(
            f"a public key has 64 or 96 octets, this one {len(octets)}",
            code="bad-public-key",
            hint="Check the security suite: suite 1 is P-256, suite 2 is P-384.",
        )
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(curve.parameters, UNCOMPRESSED + octets)
    except ValueError:
        raise SecurityError(
            f"the public key is no point of {curve.words}",
            code="bad-public-key",
            hint="Altered octets, a key of another curve, or an attack.",
        ) from None


def private_octets(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The octets of a private key; LocalProtocolError for other curves."""
    return key.private_numbers().private_value.to_bytes(_curve_of(key.curve).coordinate_octets, "big")


def public_octets(key: ec.EllipticCurvePublicKey) -> bytes:
    """The octets of a public key; LocalProtocolError for other curves."""
    size, numbers = _curve_of(key.curve).coordinate_octets, key.public_numbers()
    return numbers.x.to_bytes(size, "big") + numbers.y.to_bytes(size, "big")


def public_of(private: bytes) -> bytes:
    """The public key that belongs to a private one."""
    return public_octets(load_private(private).public_key())


def curve_of_private(private: bytes) -> Curve:
    """The curve of a private key, by its length."""
    return _curve_of(load_private(private).curve)


def check_private_key(key: bytes | None, suite: int, name: str) -> bytes:
    """The key, if it is one of the suite's curve; else a LocalProtocolError that begins with `name`."""
    size = curve_of_suite(suite).coordinate_octets
    _check_size(key, size, suite, name, "private")
    assert key is not None  # its size was checked
    if not 0 < int.from_bytes(key, "big") < curve_of_suite(suite).order:
        raise _unfit(f"{name}: this number is no private key of {curve_of_suite(suite).words}")
    return key


def check_public_key(key: bytes | None, suite: int, name: str) -> bytes:
    """The same for a public key."""
    _check_size(key, curve_of_suite(suite).point_octets, suite, name, "public")
    assert key is not None  # its size was checked
    try:
        load_public(key)
    except SecurityError as error:
        raise _unfit(f"{name}: {error.message}") from None
    return key


def _check_size(key: bytes | None, size: int, suite: int, name: str, kind: str) -> None:
    if key is None or len(key) != size:
        found = "none is given" if key is None else f"{len(key)} octets are given"
        raise _unfit(
            f"{name}: a {kind} key of {curve_of_suite(suite).words} ({size} octets) is needed in security suite {suite}, {found}"
        )


def _unfit(message: str) -> LocalProtocolError:
    return LocalProtocolError(
        message,
        layer="configuration",
        code="bad-parameters",
        hint="Give the key as PEM, DER or hex; a public key may come in the certificate.",
    )


def _curve_of(parameters: ec.EllipticCurve) -> Curve:
    for curve in Curve:
        if curve.parameters.name == parameters.name:
            return curve
    raise LocalProtocolError(
        f"DLMS knows P-256 and P-384, this key is of {parameters.name}",
        layer="security",
        code="wrong-curve",
        hint="Make a key pair of secp256r1 (security suite 1) or secp384r1 (suite 2).",
    )


def private_from_random(octets: bytes, curve: Curve) -> bytes:
    """A private key from random octets, eight more than the key has (FIPS 186-4, B.4.1: so that no number is likelier)."""
    if len(octets) != random_octets(curve):
        raise LocalProtocolError(
            f"{random_octets(curve)} random octets are needed, not {len(octets)}", layer="security"
        )
    number = int.from_bytes(octets, "big") % (curve.order - 1) + 1
    return number.to_bytes(curve.coordinate_octets, "big")


def random_octets(curve: Curve) -> int:
    """How many random octets make a private key."""
    return curve.coordinate_octets + 8
