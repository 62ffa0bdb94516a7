"""X.509 certificates as DLMS uses them: read, judged against trust anchors and the DLMS profile, asked for.

    root CA ── sub-CA ── meter or client: subject's common name = its system title in hex, one key pair for one use

    read        whatever makers hand out, DER; one structure of what matters here
    chain       signatures, validity at a given time, CA flags and path lengths, up to a trust anchor that was given
    profile     curve and signature of the suite, key usage of the purpose (marked critical or not), the system title

Signatures inside of certificates are DER, not r | s. Trust anchors come from outside and are never taken from a chain.
Source: Green Book 9.2.6; RFC 5280, RFC 2986.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID, NameOID, SignatureAlgorithmOID

from sessions.dlms.elliptic import Curve, curve_of_private, curve_of_suite, load_private, public_octets
from sessions.dlms.errors import DlmsError, LocalProtocolError, SecurityError
from sessions.dlms.security import TITLE_OCTETS

_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
MAX_OCTETS: Final = 16 * 1024
"""Longer than any certificate of a meter."""
MAX_PATH: Final = 5
"""Certificates from an end entity to its trust anchor."""

FAULTS: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises for octets that are not what they should be."""

_JUDGED_EXTENSIONS: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
    }
)
"""Extensions that may be critical; another critical one says something that is not understood here."""
_SIGNATURES: Final = frozenset({SignatureAlgorithmOID.ECDSA_WITH_SHA256, SignatureAlgorithmOID.ECDSA_WITH_SHA384})

X = TypeVar("X", bound=x509.ExtensionType)


class CertificateEntity(IntEnum):
    """Whose certificate it is (class 64, certificate_entity)."""

    SERVER = 0
    CLIENT = 1
    CERTIFICATION_AUTHORITY = 2
    OTHER = 3


class CertificateType(IntEnum):
    """What its key pair is for (class 64, certificate_type); key pairs are numbered the same."""

    DIGITAL_SIGNATURE = 0
    KEY_AGREEMENT = 1
    TLS = 2
    OTHER = 3

    @property
    def words(self) -> str:
        return ("digital signature", "key agreement", "TLS", "another use")[self]


@dataclass(frozen=True, slots=True)
class Certificate:
    """What matters of one certificate. `public_key` is None where it is none of P-256 or P-384, `system_title` where the subject
    holds none. `usages` are the names of keyUsage in RFC 5280; None: it says nothing, so everything is allowed."""

    der: bytes = field(repr=False)
    serial_number: int
    issuer: str
    issuer_der: bytes = field(repr=False)
    subject: str
    subject_der: bytes = field(repr=False)
    subject_alt_name_der: bytes = field(repr=False)
    system_title: bytes | None
    public_key: bytes | None
    not_before: datetime
    not_after: datetime
    is_ca: bool
    path_length: int | None
    usages: frozenset[str] | None
    unknown_critical: tuple[str, ...]
    known_signature: bool
    parsed: x509.Certificate = field(repr=False, compare=False)

    @property
    def serial_octets(self) -> bytes:
        """The serial number by itself, in as few octets as it needs."""
        return self.serial_number.to_bytes((self.serial_number.bit_length() + 7) // 8 or 1, "big")

    @property
    def serial_der(self) -> bytes:
        """The serial number as the certificate holds it, and class 64 names it: an INTEGER in DER."""
        octets = self.serial_number.to_bytes(self.serial_number.bit_length() // 8 + 1, "big")
        return bytes((_INTEGER, len(octets))) + octets

    @property
    def pem(self) -> str:
        """As makers hand it out."""
        return self.parsed.public_bytes(Encoding.PEM).decode("ascii")

    @property
    def type(self) -> CertificateType:
        """By its key usage: both uses together are those of TLS."""
        usages = self.usages or frozenset()
        signs, agrees = "digitalSignature" in usages, "keyAgreement" in usages
        if signs and agrees:
            return CertificateType.TLS
        if signs:
            return CertificateType.DIGITAL_SIGNATURE
        return CertificateType.KEY_AGREEMENT if agrees else CertificateType.OTHER

    @property
    def self_issued(self) -> bool:
        return self.issuer_der == self.subject_der


@contextmanager
def reading_others(fault: Callable[[], DlmsError]) -> Iterator[None]:
    """In here octets of others are read: what `cryptography` raises becomes `fault()`. What it only warns of (a serial number
    that is not positive, a country of nine letters) is for us to judge."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except FAULTS:
            raise fault() from None


def parse_certificate(der: bytes) -> Certificate:
    """The certificate in DER; SecurityError where it is none, or says things that cannot be."""
    if len(der) > MAX_OCTETS:
        raise _bad(f"{len(der)} octets are no certificate")
    with reading_others(lambda: _bad("these octets are no X.509 certificate in DER")):
        return _read(der, x509.load_der_x509_certificate(der))


def _read(der: bytes, parsed: x509.Certificate) -> Certificate:
    if parsed.version is not x509.Version.v3:
        raise _bad("this certificate is not of version 3")
    if parsed.serial_number <= 0:
        raise _bad("the serial number is not positive")
    if not _whole_signature(der, parsed.signature):
        raise _bad("the signature has bits that are not used")
    constraints = _extension(parsed, x509.BasicConstraints)
    alternative = _extension(parsed, x509.SubjectAlternativeName)
    usage = _extension(parsed, x509.KeyUsage)
    return Certificate(
        der=der,
        serial_number=parsed.serial_number,
        issuer=parsed.issuer.rfc4514_string(),
        issuer_der=parsed.issuer.public_bytes(),
        subject=parsed.subject.rfc4514_string(),
        subject_der=parsed.subject.public_bytes(),
        subject_alt_name_der=alternative.public_bytes() if alternative is not None else b"",
        system_title=_system_title(parsed.subject),
        public_key=_public_key(parsed.public_key()),
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
        is_ca=constraints is not None and constraints.ca,
        path_length=None if constraints is None else constraints.path_length,
        usages=None if usage is None else _usages(usage),
        unknown_critical=tuple(
            one.oid.dotted_string for one in parsed.extensions if one.critical and one.oid not in _JUDGED_EXTENSIONS
        ),
        known_signature=parsed.signature_algorithm_oid in _SIGNATURES,
        parsed=parsed,
    )


def _whole_signature(der: bytes, signature: bytes) -> bool:
    """Whether all bits of the BIT STRING at the end count: no signature covers the octet that says so."""
    return der.endswith(b"\x00" + signature)


def _extension(parsed: x509.Certificate | x509.CertificateSigningRequest, kind: type[X]) -> X | None:
    try:
        return parsed.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _usages(usage: x509.KeyUsage) -> frozenset[str]:
    named = {
        "digitalSignature": usage.digital_signature,
        "keyAgreement": usage.key_agreement,
        "keyCertSign": usage.key_cert_sign,
        "cRLSign": usage.crl_sign,
    }
    return frozenset(name for name, present in named.items() if present)


def _system_title(subject: x509.Name) -> bytes | None:
    """The one common name, where it is eight octets in hex."""
    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(names) != 1 or not isinstance(names[0].value, str):
        return None
    try:
        title = bytes.fromhex(names[0].value)
    except ValueError:
        return None
    return title if len(title) == TITLE_OCTETS else None


def _public_key(key: object) -> bytes | None:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return None
    try:
        return public_octets(key)
    except LocalProtocolError:
        return None


def _bad(message: str) -> SecurityError:
    return SecurityError(
        message, code="bad-certificate", hint="Ask its maker for an X.509 certificate, version 3, in DER or PEM."
    )


LEAST_OCTETS: Final = 64
"""Shorter than any certificate or request."""


def in_words(octets: bytes) -> str:
    """What a value of octets says if it is a certificate or a request for one, in a line; empty where it is neither."""
    if len(octets) < LEAST_OCTETS or octets[0] != _SEQUENCE:
        return ""
    try:
        return _certificate_in_words(parse_certificate(octets))
    except SecurityError:
        pass
    try:
        request = parse_certificate_request(octets)
    except SecurityError:
        return ""
    return f"certificate request of {request.subject}, {_curve_in_words(request.public_key)}"


def _certificate_in_words(certificate: Certificate) -> str:
    use = "CA" if certificate.is_ca else certificate.type.words
    return (
        f"certificate of {certificate.subject} for {use}, {_curve_in_words(certificate.public_key)}, "
        f"valid {certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}, "
        f"number {certificate.serial_number:X} of {certificate.issuer}"
    )


def _curve_in_words(key: bytes | None) -> str:
    return "another kind of key" if key is None else Curve(len(key) // 2).words


# -- the chain ---------------------------------------------------------------------------------------------------------


def verify_chain(
    certificate: Certificate,
    *,
    anchors: Iterable[Certificate],
    intermediates: Iterable[Certificate] = (),
    now: datetime,
) -> tuple[Certificate, ...]:
    """The path from the certificate to the trust anchor that vouches for it, which may be the certificate itself.

    `now` is an aware moment. SecurityError where a signature is false, something is out of date or no CA, or no anchor is found.
    """
    trusted, between = list(anchors), list(intermediates)
    path = [certificate]
    while len(path) <= MAX_PATH:
        current = path[-1]
        _check_current(current, now)
        if any(current.der == anchor.der for anchor in trusted):
            return tuple(path)
        if not current.known_signature:
            raise _unfit(
                f"{current.subject} is not signed with ECDSA and SHA-256 or SHA-384", "wrong-signature-algorithm"
            )
        anchor = _issuer_of(current, trusted)
        issuer = anchor or _issuer_of(current, [one for one in between if one not in path])
        if issuer is None:
            raise _untrusted(current)
        _check_authority(issuer, path)
        path.append(issuer)
        if anchor is not None:
            _check_current(anchor, now)
            return tuple(path)
    raise SecurityError(f"The chain is longer than {MAX_PATH} certificates", code="untrusted-certificate")


def _untrusted(certificate: Certificate) -> SecurityError:
    return SecurityError(
        f"Nobody who is trusted vouches for the certificate of {certificate.subject}: its issuer is {certificate.issuer}",
        code="untrusted-certificate",
        hint="Give the root certificate of its issuer as a trust anchor, and the sub-CA's where there is one.",
    )


def _issuer_of(certificate: Certificate, candidates: Sequence[Certificate]) -> Certificate | None:
    """Who signed it: the name must fit and the signature must be right. A right name with a false signature is no issuer."""
    for candidate in candidates:
        if candidate.subject_der != certificate.issuer_der or candidate.public_key is None:
            continue
        try:
            certificate.parsed.verify_directly_issued_by(candidate.parsed)
        except (InvalidSignature, *FAULTS):
            continue
        return candidate
    return None


def _check_current(certificate: Certificate, now: datetime) -> None:
    if certificate.not_before <= now <= certificate.not_after:
        return
    wrong = "not valid yet" if now < certificate.not_before else "expired"
    raise SecurityError(
        f"The certificate of {certificate.subject} is {wrong}: it is valid from {certificate.not_before:%Y-%m-%d} to "
        f"{certificate.not_after:%Y-%m-%d}",
        code="certificate-out-of-date",
        hint="Ask for a new certificate, and check the clock of this machine.",
    )


def _check_authority(issuer: Certificate, path: Sequence[Certificate]) -> None:
    """Whether this issuer may vouch for the end of `path`."""
    below = sum(1 for one in path[1:] if not one.self_issued)
    too_long = issuer.path_length is not None and below > issuer.path_length
    may_sign = issuer.usages is None or "keyCertSign" in issuer.usages
    if not issuer.is_ca or not may_sign or too_long or issuer.unknown_critical:
        raise SecurityError(
            f"The certificate of {issuer.subject} does not allow it to vouch for {path[-1].subject}",
            code="no-authority",
            hint="An issuer needs basicConstraints CA and the key usage keyCertSign, and a path that is long enough.",
        )


# -- the profile -------------------------------------------------------------------------------------------------------


def check_profile(
    certificate: Certificate, *, use: CertificateType, suite: int, system_title: bytes | None = None
) -> bytes:
    """The public key, if the certificate is an end entity's for this use in this suite; SecurityError says what is not.

    `system_title`: whose certificate it must be. Green Book 9.2.6.4.
    """
    curve = curve_of_suite(suite)
    key = certificate.public_key
    if key is None or len(key) != curve.point_octets:
        raise _unfit(f"its public key is none of {curve.words}, which security suite {suite} needs", "wrong-curve")
    if not certificate.known_signature:
        raise _unfit("it is not signed with ECDSA and SHA-256 or SHA-384", "wrong-signature-algorithm")
    if certificate.unknown_critical:
        raise _unfit(
            f"it has a critical extension {certificate.unknown_critical[0]}, not known here", "unknown-extension"
        )
    if certificate.is_ca:
        raise _unfit("it is a CA's, not a meter's or client's", "wrong-key-usage")
    needed = {CertificateType.DIGITAL_SIGNATURE: {"digitalSignature"}, CertificateType.KEY_AGREEMENT: {"keyAgreement"}}
    if certificate.usages is not None and not needed.get(use, set()) <= certificate.usages:
        raise _unfit(f"its key usage is not {use.words}", "wrong-key-usage")
    if system_title is not None and certificate.system_title != system_title:
        found = "no system title" if certificate.system_title is None else certificate.system_title.hex().upper()
        raise _unfit(f"its subject says {found}, {system_title.hex().upper()} was expected", "wrong-system-title")
    return key


def _unfit(reason: str, code: str) -> SecurityError:
    return SecurityError(
        f"The certificate cannot be used: {reason}",
        code=code,
        hint="Check which certificate this is: of which device, for signing or for key agreement, for which suite.",
    )


# -- asking for one ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRequest:
    """A PKCS #10 request that proves its key pair."""

    system_title: bytes | None
    subject: str
    public_key: bytes
    usages: frozenset[str] | None


def make_certificate_request(private_key: bytes, system_title: bytes, use: CertificateType) -> bytes:
    """A PKCS #10 request in DER, signed with the key that it asks a certificate for."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(title_name(system_title))
    builder = builder.add_extension(key_usage(use), critical=True)
    hash_of_curve = curve_of_private(private_key).hash
    request = builder.sign(load_private(private_key), hash_of_curve, ecdsa_deterministic=True)
    return request.public_bytes(Encoding.DER)


def parse_certificate_request(der: bytes) -> CertificateRequest:
    """A request in DER; SecurityError where it is none, or its own signature is false."""
    if len(der) > MAX_OCTETS:
        raise _bad_request(f"{len(der)} octets are no certificate request")
    with reading_others(lambda: _bad_request("these octets are no certificate request (PKCS #10 in DER)")):
        parsed = x509.load_der_x509_csr(der)
        key, usage = _public_key(parsed.public_key()), _extension(parsed, x509.KeyUsage)
        genuine = parsed.is_signature_valid
        subject, title = parsed.subject.rfc4514_string(), _system_title(parsed.subject)
    if key is None:
        raise _bad_request("its public key is none of P-256 or P-384")
    if not genuine or not _whole_signature(der, parsed.signature):
        raise _bad_request("its signature is false: the key pair is not proven")
    usages = None if usage is None else _usages(usage)
    return CertificateRequest(system_title=title, subject=subject, public_key=key, usages=usages)


def title_name(system_title: bytes) -> x509.Name:
    """The subject of a meter or client."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, system_title.hex().upper())])


def key_usage(use: CertificateType | None) -> x509.KeyUsage:
    """The key usage of an end entity's key pair; None: of a CA."""
    tls = use is CertificateType.TLS
    return x509.KeyUsage(
        digital_signature=tls or use is CertificateType.DIGITAL_SIGNATURE,
        key_agreement=tls or use is CertificateType.KEY_AGREEMENT,
        key_cert_sign=use is None,
        crl_sign=use is None,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        encipher_only=False,
        decipher_only=False,
    )


def _bad_request(message: str) -> SecurityError:
    return SecurityError(message, code="bad-certificate-request")
