"""Key pairs and certificates of a simulated meter, as class 64 handles them, and a lab's authority that made them.

    generate_key_pair ──> pending ──import_certificate, of this very key pair──> in use, with its certificate

A certificate is taken in where a trust anchor vouches for it. Trust anchors are put in when the meter is made, and cannot be
removed. Source: Blue Book, interface class 64; Green Book 9.2.6.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sessions.dlms.certificate_authority import issue_certificate, make_root
from sessions.dlms.certificates import (
    Certificate,
    CertificateEntity,
    CertificateType,
    check_profile,
    make_certificate_request,
    parse_certificate,
    parse_certificate_request,
    verify_chain,
)
from sessions.dlms.elliptic import Curve, curve_of_suite, private_from_random, public_of, random_octets
from sessions.dlms.errors import SecurityError
from sessions.dlms.security_setup import ByEntity, CertificateIdentification, CertificateListEntry

FIRST_DAY: Final = datetime(2024, 1, 1, tzinfo=UTC)
"""From when the certificates of labs are valid."""
USES: Final = (CertificateType.DIGITAL_SIGNATURE, CertificateType.KEY_AGREEMENT)
MAX_CERTIFICATES: Final = 16

_ENTITY_WORDS: Final = {CertificateEntity.SERVER: "meter", CertificateEntity.CLIENT: "client"}


class KeyStoreError(Exception):
    """Why a meter does not do what class 64 asks; the message is for the log of whoever looks."""


class KeyStore:
    """`anchors`: certificates that vouch for others. `keys`: the meter's private keys by use."""

    def __init__(
        self,
        *,
        suite: int,
        system_title: bytes,
        keys: dict[CertificateType, bytes],
        certificates: tuple[tuple[CertificateEntity, Certificate], ...] = (),
        anchors: tuple[Certificate, ...] = (),
    ) -> None:
        self.suite = suite
        self.system_title = system_title
        self.anchors = anchors
        self._keys = dict(keys)
        self._pending: dict[CertificateType, bytes] = {}
        self._certificates = list(certificates)

    # -- keys --------------------------------------------------------------------------------------------------------

    def private_key(self, use: CertificateType) -> bytes | None:
        """The meter's own key in use."""
        return self._keys.get(use)

    def public_key_of(self, system_title: bytes, use: CertificateType) -> bytes | None:
        """A client's public key, from its certificate."""
        for entity, certificate in self._certificates:
            if (entity, certificate.system_title, certificate.type) == (CertificateEntity.CLIENT, system_title, use):
                return certificate.public_key
        return None

    def generate(self, use: CertificateType, random: Callable[[int], bytes]) -> None:
        """A new key pair. The one in use stays until the new one's certificate is imported."""
        if use not in USES:
            raise KeyStoreError(f"no key pairs for {use.words} here")
        curve = curve_of_suite(self.suite)
        self._pending[use] = private_from_random(random(random_octets(curve)), curve)

    def request(self, use: CertificateType) -> bytes:
        """A certificate request for the newest key pair."""
        key = self._pending.get(use) or self._keys.get(use)
        if key is None:
            raise KeyStoreError(f"there is no key pair for {use.words}")
        return make_certificate_request(key, self.system_title, use)

    def keep(self) -> dict[str, Any]:
        """For the meter's memory: keys and certificates, but for the trust anchors, which are built in."""
        return {
            "keys": {use.name: key.hex() for use, key in self._keys.items()},
            "pending": {use.name: key.hex() for use, key in self._pending.items()},
            "certificates": [[entity.name, one.der.hex()] for entity, one in self._certificates],
        }

    def restore(self, kept: Any) -> None:
        certificates = [
            (CertificateEntity[entity], parse_certificate(bytes.fromhex(der))) for entity, der in kept["certificates"]
        ]
        keys, pending = (
            {CertificateType[use]: bytes.fromhex(key) for use, key in kept[name].items()}
            for name in ("keys", "pending")
        )
        self._keys, self._pending, self._certificates = keys, pending, certificates

    # -- certificates ------------------------------------------------------------------------------------------------

    def entries(self) -> tuple[CertificateListEntry, ...]:
        """The attribute `certificates`."""
        everything = [*self._certificates, *((CertificateEntity.CERTIFICATION_AUTHORITY, one) for one in self.anchors)]
        return tuple(
            CertificateListEntry(
                entity=entity,
                type=certificate.type,
                serial_number=certificate.serial_der,
                issuer=certificate.issuer_der,
                subject=certificate.subject_der,
                subject_alt_name=certificate.subject_alt_name_der,
            )
            for entity, certificate in everything
        )

    def take(self, der: bytes, now: datetime) -> None:
        """Import a certificate: of one of the meter's key pairs, of a client, or of a sub-CA."""
        certificate = parse_certificate(der)
        authorities = [one for entity, one in self._certificates if entity is CertificateEntity.CERTIFICATION_AUTHORITY]
        verify_chain(certificate, anchors=self.anchors, intermediates=authorities, now=now)
        if any(certificate.der == anchor.der for anchor in self.anchors):
            raise KeyStoreError("a trust anchor is here already")
        if certificate.is_ca:
            self._keep(CertificateEntity.CERTIFICATION_AUTHORITY, certificate)
            return
        if certificate.type not in USES or certificate.system_title is None:
            raise KeyStoreError("the certificate is neither for signing nor for key agreement of a device")
        public = check_profile(certificate, use=certificate.type, suite=self.suite)
        if certificate.system_title == self.system_title:
            self._put_in_use(certificate.type, public)
            self._keep(CertificateEntity.SERVER, certificate)
        else:
            self._keep(CertificateEntity.CLIENT, certificate)

    def _put_in_use(self, use: CertificateType, public: bytes) -> None:
        """The key pair that the certificate is for; a meter takes none for keys that it has not."""
        for keys in (self._pending, self._keys):
            key = keys.get(use)
            if key is not None and public_of(key) == public:
                self._keys[use] = key
                self._pending.pop(use, None)
                return
        raise KeyStoreError("the certificate is for a key pair that this meter has not")

    def _keep(self, entity: CertificateEntity, certificate: Certificate) -> None:
        """One certificate for each subject and use: a new one takes the old one's place."""
        kept = [
            (whose, one)
            for whose, one in self._certificates
            if (whose, one.subject_der, one.type) != (entity, certificate.subject_der, certificate.type)
        ]
        if len(kept) >= MAX_CERTIFICATES:
            raise KeyStoreError("there is no room for another certificate")
        self._certificates = [*kept, (entity, certificate)]

    def find(self, which: CertificateIdentification) -> Certificate:
        """The certificate that was named."""
        everything = [*self._certificates, *((CertificateEntity.CERTIFICATION_AUTHORITY, one) for one in self.anchors)]
        for entity, certificate in everything:
            if self._fits(which, entity, certificate):
                return certificate
        raise KeyStoreError("there is no such certificate")

    def remove(self, which: CertificateIdentification) -> None:
        """Forget the certificate that was named. A trust anchor stays."""
        certificate = self.find(which)
        if certificate in self.anchors:
            raise KeyStoreError("a trust anchor cannot be removed")
        self._certificates = [(whose, one) for whose, one in self._certificates if one != certificate]

    def _fits(self, which: CertificateIdentification, entity: CertificateEntity, certificate: Certificate) -> bool:
        if not isinstance(which, ByEntity):
            numbers = (certificate.serial_der, certificate.serial_octets)
            return which.serial_number in numbers and which.issuer == certificate.issuer_der
        named = not which.system_title or certificate.system_title == which.system_title
        return (entity, certificate.type) == (which.entity, which.type) and named


# -- a lab's authority -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class LabKeys:
    """Key pairs of one meter and of its client, all made from a seed: for demonstration only."""

    server_title: bytes
    root: Certificate
    client: dict[CertificateType, bytes] = field(repr=False)
    server: dict[CertificateType, bytes] = field(repr=False)
    client_certificates: dict[CertificateType, Certificate]
    server_certificates: dict[CertificateType, Certificate]

    def store(self, suite: int) -> KeyStore:
        """What the meter holds when it is made."""
        known = [(CertificateEntity.SERVER, one) for one in self.server_certificates.values()]
        known += [(CertificateEntity.CLIENT, one) for one in self.client_certificates.values()]
        return KeyStore(
            suite=suite,
            system_title=self.server_title,
            keys=self.server,
            certificates=tuple(known),
            anchors=(self.root,),
        )


def lab_keys(
    seed: str,
    suite: int,
    *,
    client_title: bytes,
    server_title: bytes,
    given: Mapping[tuple[CertificateEntity, CertificateType], bytes] | None = None,
) -> LabKeys:
    """The same seed gives the same keys and certificates, in every run. `given`: private keys that are not made from it."""
    curve = curve_of_suite(suite)
    issuer = _lab_root(seed, curve)
    client, server = (
        {use: (given or {}).get((entity, use)) or derived_key(seed, _named(entity, title, use), curve) for use in USES}
        for entity, title in ((CertificateEntity.CLIENT, client_title), (CertificateEntity.SERVER, server_title))
    )
    return LabKeys(
        server_title=server_title,
        root=issuer[0],
        client=client,
        server=server,
        client_certificates=_certificates(client_title, client, issuer),
        server_certificates=_certificates(server_title, server, issuer),
    )


def _named(entity: CertificateEntity, title: bytes, use: CertificateType) -> str:
    return f"{_ENTITY_WORDS[entity]} {title.hex()} {use.words}"


def _certificates(
    title: bytes, keys: Mapping[CertificateType, bytes], issuer: tuple[Certificate, bytes]
) -> dict[CertificateType, Certificate]:
    """Of each private key, by the lab's root."""
    return {
        use: issue_certificate(
            title, public_of(key), use, issuer, serial_number=_serial_number(title, use), not_before=FIRST_DAY
        )
        for use, key in keys.items()
    }


def _lab_root(seed: str, curve: Curve) -> tuple[Certificate, bytes]:
    """The root's certificate and private key."""
    authority = derived_key(seed, "root", curve)
    return make_root(f"Demo root {curve.words}", authority, serial_number=1, not_before=FIRST_DAY), authority


def derived_key(seed: str, name: str, curve: Curve) -> bytes:
    """A private key that a seed and a name determine."""
    return private_from_random(hashlib.sha512(f"{seed}/{name}".encode()).digest()[: random_octets(curve)], curve)


def _serial_number(title: bytes, use: CertificateType) -> int:
    return int.from_bytes(title, "big") * 4 + use + 1


def issue_for(seed: str, suite: int, der: bytes, *, serial_number: int) -> Certificate:
    """What the lab's authority answers to a meter's certificate request; SecurityError where the request proves nothing."""
    request = parse_certificate_request(der)
    if request.system_title is None or request.usages is None:
        raise SecurityError("the request names no device, or no use", code="bad-certificate-request")
    use = CertificateType.DIGITAL_SIGNATURE if "digitalSignature" in request.usages else CertificateType.KEY_AGREEMENT
    signer = _lab_root(seed, curve_of_suite(suite))
    return issue_certificate(
        request.system_title, request.public_key, use, signer, serial_number=serial_number, not_before=FIRST_DAY
    )
