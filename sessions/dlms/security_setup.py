"""The methods of Security setup (class 64), both ways: what a client sends and reads, what a meter reads and sends.

    method                            versions  parameter                                    answer
    1 security_activate               0, 1      enum: the new policy                         none
    2 key_transfer                    0, 1      array of {key-id, wrapped key}               none
    3 key_agreement                   1         array of {key-id, Q | signature}             the same
    4 generate_key_pair               1         enum: what for                               none
    5 generate_certificate_request    1         enum: what for                               octet-string: PKCS #10
    6 import_certificate              1         octet-string: X.509                          none
    7 export_certificate              1         {0, {entity, type, system title}}            octet-string: X.509
                                                or {1, {serial number, issuer}}
    8 remove_certificate              1         the same                                     none

A policy may only be strengthened. The answer to a request that changes keys still goes out under the old ones.
Source: Blue Book, interface class 64; Green Book 9.2.3.4, 9.2.5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, TypeVar

from meters.cosem.data import Data, DataType, array, enum, octet_string, structure
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import CosemMethodDescriptor
from sessions.dlms.certificates import (
    Certificate,
    CertificateEntity,
    CertificateRequest,
    CertificateType,
    parse_certificate,
    parse_certificate_request,
)
from sessions.dlms.errors import RemoteProtocolError
from sessions.dlms.key_agreement import ephemeral_unified, signed_ephemeral, verified_ephemeral
from sessions.dlms.key_wrap import wrap_key
from sessions.dlms.security import check_key

E = TypeVar("E", bound=IntEnum)

CLASS_ID: Final = 64
SECURITY_SETUP: Final = ObisCode(0, 0, 43, 0, 0, 255)
MAX_ELEMENTS: Final = 64
"""Keys in one call, certificates in one list: more is no meter's."""


class SecurityMethod(IntEnum):
    SECURITY_ACTIVATE = 1
    KEY_TRANSFER = 2
    KEY_AGREEMENT = 3
    GENERATE_KEY_PAIR = 4
    GENERATE_CERTIFICATE_REQUEST = 5
    IMPORT_CERTIFICATE = 6
    EXPORT_CERTIFICATE = 7
    REMOVE_CERTIFICATE = 8


class KeyId(IntEnum):
    """Which key a transfer or an agreement is about."""

    GUEK = 0
    GBEK = 1
    GAK = 2
    KEK = 3

    @property
    def words(self) -> str:
        return (
            "global unicast encryption key",
            "global broadcast encryption key",
            "global authentication key",
            "master key",
        )[self]


class SecurityPolicyV0(IntEnum):
    """security_policy of version 0. The numbers are bits as well: 1 authenticated, 2 encrypted."""

    NOTHING = 0
    AUTHENTICATED = 1
    ENCRYPTED = 2
    AUTHENTICATED_AND_ENCRYPTED = 3


POLICY_BITS: Final = {0: 0x03, 1: 0xFC}
"""What a policy may hold, by version of the class."""


def may_activate(current: int, wanted: int, *, version: int) -> bool:
    """Whether a meter may go from one policy to the other: known bits only, and none is given up."""
    return not wanted & ~POLICY_BITS[version] and wanted & current == current


# -- calls -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MethodCall:
    """What an ACTION needs."""

    descriptor: CosemMethodDescriptor
    parameters: Data = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByEntity:
    """A certificate by whose it is. `system_title`: of a client, or empty where the entity is one only."""

    entity: CertificateEntity
    type: CertificateType
    system_title: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class BySerialNumber:
    """A certificate by number and issuer, in the octets that the meter lists them in: usually both in DER, as they stand in
    the certificate."""

    serial_number: bytes
    issuer: bytes


CertificateIdentification = ByEntity | BySerialNumber


class _IdentificationType(IntEnum):
    ENTITY = 0
    SERIAL_NUMBER = 1


def security_activate(policy: int, *, instance: ObisCode = SECURITY_SETUP) -> MethodCall:
    """A `SecurityPolicyV0` or `SecurityPolicy`, as the meter's version of the class has it."""
    return _call(SecurityMethod.SECURITY_ACTIVATE, enum(policy), instance)


def key_transfer(
    keys: Mapping[KeyId, bytes], *, kek: bytes, suite: int, instance: ObisCode = SECURITY_SETUP
) -> MethodCall:
    """New keys, wrapped by the master key that the meter has now. A new master key is wrapped by the old one."""
    for key_id, key in keys.items():
        check_key(key, suite, f"new {key_id.words}")
    check_key(kek, suite, "master key")
    wrapped = (structure(enum(key_id), octet_string(wrap_key(kek, key))) for key_id, key in keys.items())
    return _call(SecurityMethod.KEY_TRANSFER, array(*wrapped), instance)


def key_agreement(
    ephemeral_keys: Mapping[KeyId, bytes], *, signing_key: bytes, instance: ObisCode = SECURITY_SETUP
) -> MethodCall:
    """Our half of an agreement: an ephemeral private key, fresh and random, for each new key."""
    return _call(SecurityMethod.KEY_AGREEMENT, write_key_data(ephemeral_keys, signing_key), instance)


def generate_key_pair(use: CertificateType, *, instance: ObisCode = SECURITY_SETUP) -> MethodCall:
    """The new key pair is used once a certificate for it was imported."""
    return _call(SecurityMethod.GENERATE_KEY_PAIR, enum(use), instance)


def generate_certificate_request(use: CertificateType, *, instance: ObisCode = SECURITY_SETUP) -> MethodCall:
    return _call(SecurityMethod.GENERATE_CERTIFICATE_REQUEST, enum(use), instance)


def import_certificate(certificate: Certificate, *, instance: ObisCode = SECURITY_SETUP) -> MethodCall:
    return _call(SecurityMethod.IMPORT_CERTIFICATE, octet_string(certificate.der), instance)


def export_certificate(which: CertificateIdentification, *, instance: ObisCode = SECURITY_SETUP) -> MethodCall:
    return _call(SecurityMethod.EXPORT_CERTIFICATE, write_identification(which), instance)


def remove_certificate(which: CertificateIdentification, *, instance: ObisCode = SECURITY_SETUP) -> MethodCall:
    return _call(SecurityMethod.REMOVE_CERTIFICATE, write_identification(which), instance)


def _call(method: SecurityMethod, parameters: Data, instance: ObisCode) -> MethodCall:
    return MethodCall(CosemMethodDescriptor(CLASS_ID, instance, method), parameters)


# -- answers -----------------------------------------------------------------------------------------------------------


def agreed_keys(
    answer: Data | None,
    ephemeral_keys: Mapping[KeyId, bytes],
    *,
    server_signing_key: bytes,
    suite: int,
    client: bytes,
    server: bytes,
) -> dict[KeyId, bytes]:
    """The new keys, from the meter's half of the agreement. `client` and `server` are system titles.

    SecurityError where a signature is false; RemoteProtocolError where the meter speaks of other keys than we did.
    """
    halves = read_key_data(answer)
    if sorted(halves) != sorted(ephemeral_keys):
        raise _unfit("the meter agrees on other keys than it was asked for")
    agreed = {}
    for key_id, ephemeral in ephemeral_keys.items():
        public = verified_ephemeral(halves[key_id], server_signing_key, suite=suite, key_id=key_id)
        agreed[key_id] = ephemeral_unified(ephemeral, public, suite=suite, client=client, server=server)
    return agreed


def certificate_of(answer: Data | None) -> Certificate:
    """What export_certificate returns; whether it is trusted is for `certificates` to say."""
    return parse_certificate(_octets(answer, "certificate"))


def certificate_request_of(answer: Data | None) -> tuple[bytes, CertificateRequest]:
    """What generate_certificate_request returns: its DER for the authority, and what it says."""
    der = _octets(answer, "certificate request")
    return der, parse_certificate_request(der)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateListEntry:
    """One element of the attribute `certificates`. Serial number, issuer and names are octets as the meter writes them."""

    entity: CertificateEntity
    type: CertificateType
    serial_number: bytes
    issuer: bytes
    subject: bytes
    subject_alt_name: bytes

    def encode(self) -> Data:
        octets = (self.serial_number, self.issuer, self.subject, self.subject_alt_name)
        return structure(enum(self.entity), enum(self.type), *(octet_string(one) for one in octets))

    @property
    def identification(self) -> BySerialNumber:
        return BySerialNumber(serial_number=self.serial_number, issuer=self.issuer)


def certificates_of(attribute: Data | None) -> tuple[CertificateListEntry, ...]:
    """The attribute `certificates`."""
    return tuple(_entry(element) for element in _elements(attribute, "certificates"))


def _entry(element: Data) -> CertificateListEntry:
    entity, use, *names = _fields(element, 6, "certificate-info")
    serial_number, issuer, subject, alternative = (_octets(name, "certificate-info") for name in names)
    return CertificateListEntry(
        entity=_enum(entity, CertificateEntity, "certificate_entity"),
        type=_enum(use, CertificateType, "certificate_type"),
        serial_number=serial_number,
        issuer=issuer,
        subject=subject,
        subject_alt_name=alternative,
    )


# -- parameters, as both sides write and read them ---------------------------------------------------------------------


def write_key_data(ephemeral_keys: Mapping[KeyId, bytes], signing_key: bytes) -> Data:
    """One half of an agreement, the client's or the meter's."""
    halves = (
        structure(enum(key_id), octet_string(signed_ephemeral(ephemeral, signing_key, key_id=key_id)))
        for key_id, ephemeral in ephemeral_keys.items()
    )
    return array(*halves)


def read_key_data(parameters: Data | None) -> dict[KeyId, bytes]:
    """key-id to key data (key_agreement) or wrapped key (key_transfer); a key may stand in it once."""
    found: dict[KeyId, bytes] = {}
    for element in _elements(parameters, "keys"):
        number, octets = _fields(element, 2, "key")
        key_id = _enum(number, KeyId, "key_id")
        if key_id in found:
            raise _unfit(f"the {key_id.words} stands twice in one call")
        found[key_id] = _octets(octets, "key data")
    if not found:
        raise _unfit("no key stands in it")
    return found


def read_key_use(parameters: Data | None) -> CertificateType:
    """What a key pair or a request is for."""
    return _enum(parameters, CertificateType, "key pair")


def write_identification(which: CertificateIdentification) -> Data:
    """A certificate_identification_type and its options."""
    if isinstance(which, ByEntity):
        options = structure(enum(which.entity), enum(which.type), octet_string(which.system_title))
        return structure(enum(_IdentificationType.ENTITY), options)
    options = structure(octet_string(which.serial_number), octet_string(which.issuer))
    return structure(enum(_IdentificationType.SERIAL_NUMBER), options)


def read_identification(parameters: Data | None) -> CertificateIdentification:
    kind, options = _fields(parameters, 2, "certificate identification")
    if _enum(kind, _IdentificationType, "certificate_identification_type") is _IdentificationType.ENTITY:
        entity, use, title = _fields(options, 3, "certificate identification by entity")
        return ByEntity(
            entity=_enum(entity, CertificateEntity, "certificate_entity"),
            type=_enum(use, CertificateType, "certificate_type"),
            system_title=_octets(title, "system title"),
        )
    serial_number, issuer = _fields(options, 2, "certificate identification by serial number")
    return BySerialNumber(serial_number=_octets(serial_number, "serial number"), issuer=_octets(issuer, "issuer"))


def _elements(data: Data | None, name: str) -> Sequence[Data]:
    if data is None or data.type is not DataType.ARRAY:
        raise _unfit(f"{name}: an array is expected")
    if len(data) > MAX_ELEMENTS:
        raise _unfit(f"{name}: {len(data)} elements are too many")
    return list(data)


def _fields(data: Data | None, count: int, name: str) -> Sequence[Data]:
    if data is None or data.type is not DataType.STRUCTURE or len(data) != count:
        raise _unfit(f"{name}: a structure of {count} is expected")
    return list(data)


def _octets(data: Data | None, name: str) -> bytes:
    if data is None or data.type is not DataType.OCTET_STRING or not isinstance(data.value, bytes):
        raise _unfit(f"{name}: an octet-string is expected")
    return data.value


def _enum(data: Data | None, kind: type[E], name: str) -> E:
    if data is None or data.type is not DataType.ENUM or data.value not in kind._value2member_map_:
        raise _unfit(f"{name}: an enum of {', '.join(str(int(one)) for one in kind)} is expected")
    return kind(data.value)


def _unfit(reason: str) -> RemoteProtocolError:
    return RemoteProtocolError(
        f"Security setup: {reason}",
        code="bad-security-setup",
        hint="The meter may have another version of the class: read its object list.",
    )
