"""A certification authority of a lab: issues certificates of the DLMS profile from given keys, numbers and dates.

Nothing here is random: the same arguments give the same octets, so that simulated meters keep their certificates from run to
run. Real certificates come from a real authority. Source: Green Book 9.2.6.4; RFC 5280.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from sessions.dlms.certificates import Certificate, CertificateType, key_usage, parse_certificate, title_name
from sessions.dlms.elliptic import curve_of_private, load_private, load_public, public_of

NO_END: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""What the profile writes for a device that keeps its certificate for life."""


def make_root(
    name: str, private_key: bytes, *, serial_number: int, not_before: datetime, not_after: datetime = NO_END
) -> Certificate:
    """A root's certificate, signed by itself."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return _issue(subject, public_of(private_key), None, (subject, private_key), serial_number, not_before, not_after)


def issue_authority(
    name: str,
    public_key: bytes,
    issuer: tuple[Certificate, bytes],
    *,
    serial_number: int,
    not_before: datetime,
    not_after: datetime = NO_END,
) -> Certificate:
    """A sub-CA's certificate. `issuer`: certificate and private key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = (issuer[0].parsed.subject, issuer[1])
    return _issue(subject, public_key, None, signer, serial_number, not_before, not_after)


def issue_certificate(
    system_title: bytes,
    public_key: bytes,
    use: CertificateType,
    issuer: tuple[Certificate, bytes],
    *,
    serial_number: int,
    not_before: datetime,
    not_after: datetime = NO_END,
) -> Certificate:
    """A meter's or client's certificate. `issuer`: certificate and private key."""
    signer = (issuer[0].parsed.subject, issuer[1])
    return _issue(title_name(system_title), public_key, use, signer, serial_number, not_before, not_after)


def _issue(
    subject: x509.Name,
    public_key: bytes,
    use: CertificateType | None,
    signer: tuple[x509.Name, bytes],
    serial_number: int,
    not_before: datetime,
    not_after: datetime,
) -> Certificate:
    issuer_name, issuer_key = signer
    subject_key = load_public(public_key)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer_name).public_key(subject_key)
    builder = builder.serial_number(serial_number).not_valid_before(not_before).not_valid_after(not_after)
    builder = builder.add_extension(key_usage(use), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(subject_key), critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(load_public(public_of(issuer_key)))
    builder = builder.add_extension(identifier, critical=False)
    if use is None:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate = builder.sign(load_private(issuer_key), curve_of_private(issuer_key).hash, ecdsa_deterministic=True)
    return parse_certificate(certificate.public_bytes(Encoding.DER))
