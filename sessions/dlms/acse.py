"""ACSE: the APDUs that open and close an application association (IEC 62056-5-3, 7.2; ISO/IEC 8650-1 in BER).

Reading is lenient about what deployed meters send: fields in any order, unknown fields (skipped), no user-information, titles
and values without their inner tag, names outside the standard's range (kept as numbers). Writing is the standard's.

`user_information` holds the octets of the xDLMS APDU inside: InitiateRequest / InitiateResponse in clear (`01`, `08`), ciphered
(`21`, `28`, `DB`) or a confirmed-service-error (`0E`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from meters.cosem.data import BitString
from sessions.dlms.ber import (
    BerTag,
    encode_bit_string,
    encode_integer,
    encode_tlv,
    read_bit_string,
    read_contents,
    read_integer,
    read_object_identifier,
    read_octet_string,
    read_tag,
    read_tagged_integer,
    write_tlv,
)
from sessions.dlms.cursor import Field, Reader, Writer
from sessions.dlms.errors import InvalidValueError, TruncatedError

AARQ_TAG: Final = 0x60
AARE_TAG: Final = 0x61
RLRQ_TAG: Final = 0x62
RLRE_TAG: Final = 0x63

DLMS_UA: Final = bytes.fromhex("6085740508")
"""joint-iso-ccitt(2) country(16) country-name(756) identified-organization(5) DLMS-UA(8)."""
CONTEXT_ARC: Final = 1
MECHANISM_ARC: Final = 2

AUTHENTICATION_FUNCTIONAL_UNIT: Final = BitString(b"\x80", 1)
"""acse-requirements with bit 0 set: authentication is used."""
PROTOCOL_VERSION_1: Final = BitString(b"\x80", 1)


class ApplicationContext(IntEnum):
    """Referencing by logical or short names, with or without ciphering."""

    LN = 1
    SN = 2
    LN_CIPHERED = 3
    SN_CIPHERED = 4

    @classmethod
    def of(cls, *, short_names: bool, ciphered: bool) -> ApplicationContext:
        """The context of these two choices."""
        if short_names:
            return cls.SN_CIPHERED if ciphered else cls.SN
        return cls.LN_CIPHERED if ciphered else cls.LN

    @property
    def short_names(self) -> bool:
        return self in (ApplicationContext.SN, ApplicationContext.SN_CIPHERED)

    @property
    def ciphered(self) -> bool:
        return self >= ApplicationContext.LN_CIPHERED

    @property
    def words(self) -> str:
        names = "short names" if self.short_names else "logical names"
        return f"{names}, {'ciphered' if self.ciphered else 'not ciphered'}"


class AssociationResult(IntEnum):
    ACCEPTED = 0
    REJECTED_PERMANENT = 1
    REJECTED_TRANSIENT = 2


class DiagnosticSource(IntEnum):
    """Who gives the diagnostic."""

    ACSE_SERVICE_USER = 1
    ACSE_SERVICE_PROVIDER = 2


class AcseDiagnostic(IntEnum):
    """Diagnostics of the acse-service-user."""

    NULL = 0
    NO_REASON_GIVEN = 1
    APPLICATION_CONTEXT_NAME_NOT_SUPPORTED = 2
    CALLING_AP_TITLE_NOT_RECOGNIZED = 3
    CALLING_AP_INVOCATION_IDENTIFIER_NOT_RECOGNIZED = 4
    CALLING_AE_QUALIFIER_NOT_RECOGNIZED = 5
    CALLING_AE_INVOCATION_IDENTIFIER_NOT_RECOGNIZED = 6
    CALLED_AP_TITLE_NOT_RECOGNIZED = 7
    CALLED_AP_INVOCATION_IDENTIFIER_NOT_RECOGNIZED = 8
    CALLED_AE_QUALIFIER_NOT_RECOGNIZED = 9
    CALLED_AE_INVOCATION_IDENTIFIER_NOT_RECOGNIZED = 10
    AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED = 11
    AUTHENTICATION_MECHANISM_NAME_REQUIRED = 12
    AUTHENTICATION_FAILURE = 13
    AUTHENTICATION_REQUIRED = 14


class ProviderDiagnostic(IntEnum):
    """Diagnostics of the acse-service-provider."""

    NULL = 0
    NO_REASON_GIVEN = 1
    NO_COMMON_ACSE_VERSION = 2


class AuthenticationValueChoice(IntEnum):
    """How an authentication value is written; every known meter uses the first."""

    CHARSTRING = 0x80
    BITSTRING = 0x81
    EXTERNAL = 0x82


class ReleaseRequestReason(IntEnum):
    NORMAL = 0
    URGENT = 1
    USER_DEFINED = 30


class ReleaseResponseReason(IntEnum):
    NORMAL = 0
    NOT_FINISHED = 1
    USER_DEFINED = 30


MECHANISMS: Final = (
    "no authentication",
    "LLS",
    "HLS manufacturer",
    "HLS MD5",
    "HLS SHA-1",
    "HLS GMAC",
    "HLS SHA-256",
    "HLS ECDSA",
)
"""Words for the authentication mechanism names 0 to 7."""
CHALLENGE_MECHANISMS: Final = range(2, 8)
"""Mechanisms whose authentication value is a public challenge; under every other one it may be a password."""


def words_of(enum_type: type[IntEnum], number: int) -> str:
    """`13 (authentication-failure)`, or the number alone where it is not assigned."""
    try:
        return f"{number} ({enum_type(number).name.lower().replace('_', '-')})"
    except ValueError:
        return f"{number} (not assigned)"


def mechanism_words(number: int | None) -> str:
    """The mechanism in words: `LLS`; `mechanism 133` where the number is not assigned."""
    if number is None:
        return MECHANISMS[0]
    return MECHANISMS[number] if number < len(MECHANISMS) else f"mechanism {number}"


@dataclass(frozen=True, slots=True)
class ResultSourceDiagnostic:
    """Why an association was accepted or rejected, and who says so."""

    source: DiagnosticSource = DiagnosticSource.ACSE_SERVICE_USER
    diagnostic: int = AcseDiagnostic.NULL

    @property
    def words(self) -> str:
        """`authentication-failure`."""
        user = self.source is DiagnosticSource.ACSE_SERVICE_USER
        known = words_of(AcseDiagnostic if user else ProviderDiagnostic, self.diagnostic)
        return known.partition("(")[2].rstrip(")") if "not assigned" not in known else f"diagnostic {self.diagnostic}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aarq:
    """Association request. Names are numbers of `ApplicationContext` and of the authentication mechanisms (0 to 7)."""

    application_context_name: int = ApplicationContext.LN
    protocol_version: BitString | None = None
    called_ap_title: bytes | None = None
    called_ae_qualifier: bytes | None = None
    called_ap_invocation_id: int | None = None
    called_ae_invocation_id: int | None = None
    calling_ap_title: bytes | None = None
    calling_ae_qualifier: bytes | None = None
    calling_ap_invocation_id: int | None = None
    calling_ae_invocation_id: int | None = None
    sender_acse_requirements: BitString | None = None
    mechanism_name: int | None = None
    calling_authentication_value: bytes | None = field(default=None, repr=False)
    calling_authentication_value_choice: AuthenticationValueChoice = AuthenticationValueChoice.CHARSTRING
    implementation_information: bytes | None = None
    user_information: bytes | None = None

    def encode(self) -> bytes:
        return encode_aarq(self)

    def summary(self) -> str:
        return f"AARQ, {mechanism_words(self.mechanism_name)}{_ciphered(self.application_context_name)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aare:
    """Association response. `result` is 0 (accepted), 1 or 2; a diagnostic 14 with result 0 asks for the HLS proof."""

    application_context_name: int = ApplicationContext.LN
    result: int = AssociationResult.ACCEPTED
    result_source_diagnostic: ResultSourceDiagnostic = ResultSourceDiagnostic()
    protocol_version: BitString | None = None
    responding_ap_title: bytes | None = None
    responding_ae_qualifier: bytes | None = None
    responding_ap_invocation_id: int | None = None
    responding_ae_invocation_id: int | None = None
    responder_acse_requirements: BitString | None = None
    mechanism_name: int | None = None
    responding_authentication_value: bytes | None = None
    responding_authentication_value_choice: AuthenticationValueChoice = AuthenticationValueChoice.CHARSTRING
    implementation_information: bytes | None = None
    user_information: bytes | None = None

    @property
    def accepted(self) -> bool:
        return self.result == AssociationResult.ACCEPTED

    @property
    def hls_required(self) -> bool:
        """Accepted so far: the server waits for the proof of HLS."""
        return self.accepted and self.result_source_diagnostic.diagnostic == AcseDiagnostic.AUTHENTICATION_REQUIRED

    def encode(self) -> bytes:
        return encode_aare(self)

    def summary(self) -> str:
        if self.hls_required:
            return f"AARE accepted so far, {mechanism_words(self.mechanism_name)} proof required"
        if self.accepted:
            return f"AARE accepted{_ciphered(self.application_context_name)}"
        how = " for now" if self.result == AssociationResult.REJECTED_TRANSIENT else ""
        return f"AARE rejected{how}: {self.result_source_diagnostic.words}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rlrq:
    """Release request."""

    reason: int | None = ReleaseRequestReason.NORMAL
    user_information: bytes | None = None

    def encode(self) -> bytes:
        return _encode_release(RLRQ_TAG, self)

    def summary(self) -> str:
        return f"RLRQ{_reason(ReleaseRequestReason, self.reason)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rlre:
    """Release response."""

    reason: int | None = ReleaseResponseReason.NORMAL
    user_information: bytes | None = None

    def encode(self) -> bytes:
        return _encode_release(RLRE_TAG, self)

    def summary(self) -> str:
        return f"RLRE{_reason(ReleaseResponseReason, self.reason)}"


def _ciphered(context: int) -> str:
    return ", ciphered" if context in (ApplicationContext.LN_CIPHERED, ApplicationContext.SN_CIPHERED) else ""


def _reason(enum_type: type[IntEnum], reason: int | None) -> str:
    return "" if reason is None else f", reason {words_of(enum_type, reason)}"


# -- reading -----------------------------------------------------------------------------------------------------------

_Read = Callable[[Reader, str], Any]


def _read_name(arc: int) -> _Read:
    """An object identifier below the DLMS UA's arc, as its last number."""

    def read(contents: Reader, name: str) -> int:
        octets = read_object_identifier(contents, name)
        at = contents.position - len(octets)
        if len(octets) != len(DLMS_UA) + 2 or octets[:-1] != DLMS_UA + bytes((arc,)):
            raise InvalidValueError(name, at, f"{octets.hex()} is no name of the DLMS UA's arc {arc}")
        number = octets[-1]
        known = words_of(ApplicationContext, number) if arc == CONTEXT_ARC else mechanism_words(number)
        contents.label(f"{octets.hex()} ({known})")
        if arc == CONTEXT_ARC and number in ApplicationContext._value2member_map_:
            return ApplicationContext(number)
        return number

    return read


def _read_result(contents: Reader, name: str) -> int:
    number = read_tagged_integer(contents, name)
    contents.label(words_of(AssociationResult, number))
    return AssociationResult(number) if number in AssociationResult._value2member_map_ else number


def _read_diagnostic(contents: Reader, name: str) -> ResultSourceDiagnostic:
    at = contents.position
    source = read_tag(contents, "source") & 0x1F
    if source not in DiagnosticSource._value2member_map_:
        raise InvalidValueError(name, at, f"source {source} is not assigned")
    contents.label(words_of(DiagnosticSource, source))
    inner = read_contents(contents, name)
    diagnostic = ResultSourceDiagnostic(DiagnosticSource(source), read_tagged_integer(inner, name))
    inner.label(f"{diagnostic.diagnostic} ({diagnostic.words})")
    return diagnostic


def _read_authentication_value(contents: Reader, name: str) -> tuple[bytes, AuthenticationValueChoice]:
    if contents.peek() in AuthenticationValueChoice._value2member_map_:
        tag = read_tag(contents, "choice")
        octets = contents.take(contents.length("length"), name)
        return octets, AuthenticationValueChoice(tag)
    return contents.rest(name), AuthenticationValueChoice.CHARSTRING


_AARQ_FIELDS: Final[dict[int, tuple[str, _Read]]] = {
    0x80: ("protocol-version", read_bit_string),
    0xA1: ("application-context-name", _read_name(CONTEXT_ARC)),
    0xA2: ("called-AP-title", read_octet_string),
    0xA3: ("called-AE-qualifier", read_octet_string),
    0xA4: ("called-AP-invocation-id", read_tagged_integer),
    0xA5: ("called-AE-invocation-id", read_tagged_integer),
    0xA6: ("calling-AP-title", read_octet_string),
    0xA7: ("calling-AE-qualifier", read_octet_string),
    0xA8: ("calling-AP-invocation-id", read_tagged_integer),
    0xA9: ("calling-AE-invocation-id", read_tagged_integer),
    0x8A: ("sender-acse-requirements", read_bit_string),
    0x8B: ("mechanism-name", _read_name(MECHANISM_ARC)),
    0xAC: ("calling-authentication-value", _read_authentication_value),
    0xBD: ("implementation-information", read_octet_string),
    0xBE: ("user-information", read_octet_string),
}
_AARE_FIELDS: Final[dict[int, tuple[str, _Read]]] = {
    0x80: ("protocol-version", read_bit_string),
    0xA1: ("application-context-name", _read_name(CONTEXT_ARC)),
    0xA2: ("result", _read_result),
    0xA3: ("result-source-diagnostic", _read_diagnostic),
    0xA4: ("responding-AP-title", read_octet_string),
    0xA5: ("responding-AE-qualifier", read_octet_string),
    0xA6: ("responding-AP-invocation-id", read_tagged_integer),
    0xA7: ("responding-AE-invocation-id", read_tagged_integer),
    0x88: ("responder-acse-requirements", read_bit_string),
    0x89: ("mechanism-name", _read_name(MECHANISM_ARC)),
    0xAA: ("responding-authentication-value", _read_authentication_value),
    0xBD: ("implementation-information", read_octet_string),
    0xBE: ("user-information", read_octet_string),
}
_RELEASE_FIELDS: Final[dict[int, tuple[str, _Read]]] = {
    0x80: ("reason", read_integer),
    0xBE: ("user-information", read_octet_string),
}


def _attribute(name: str) -> str:
    return name.lower().replace("-", "_")


def _read_fields(reader: Reader, tag: int, name: str, table: dict[int, tuple[str, _Read]]) -> dict[str, Any]:
    """Tag, length and the fields of one ACSE APDU, by attribute name. A field that comes twice is refused."""
    reader.constant(bytes((tag,)), "tag")
    size = reader.length("length")
    missing = max(0, size - reader.remaining)
    body = reader.sub(size - missing, name)  # of a truncated APDU, the fields that are there are read
    values: dict[str, Any] = {}
    while body.remaining:
        at = body.position
        field_tag = body.peek() or 0
        field_name, read = table.get(field_tag, ("unknown-field", lambda contents, label: contents.rest(label)))
        attribute = _attribute(field_name)
        if attribute in values and field_tag in table:
            raise InvalidValueError(field_name, at, "the field comes twice")
        body.enter(field_name)
        read_tag(body)
        contents = read_contents(body, field_name)
        values[attribute] = read(contents, field_name)
        contents.finish(field_name)
        body.leave(_shown(body))
    if missing:
        raise TruncatedError(name, body.position, f"{size} octets expected, {missing} are missing")
    values.pop("unknown_field", None)
    return values


def _shown(body: Reader) -> str:
    """What the open group says in one line: its last field, unless that is a secret."""
    last = body.tracer.last() if body.tracer is not None else None
    return "" if last is None or last.secret else last.value


def read_aarq(reader: Reader) -> Aarq:
    with reader.group("AARQ"):
        secrets: list[Field] = []
        values = _read_fields(reader, AARQ_TAG, "AARQ", _aarq_table(secrets))
        _spare_challenge(values, secrets)
        _split_choice(values, "calling_authentication_value")
        _require(reader, values, "application-context-name")
        return Aarq(**values)


def _aarq_table(secrets: list[Field]) -> dict[int, tuple[str, _Read]]:
    """The AARQ's fields, with a reader of the authentication value that marks it secret at once, whatever follows."""

    def read_secret(contents: Reader, name: str) -> tuple[bytes, AuthenticationValueChoice]:
        value = _read_authentication_value(contents, name)
        if contents.tracer is not None:
            contents.tracer.last().secret = True
            secrets.append(contents.tracer.last())
        return value

    return {**_AARQ_FIELDS, 0xAC: ("calling-authentication-value", read_secret)}


def _spare_challenge(values: dict[str, Any], secrets: list[Field]) -> None:
    """A challenge of HLS is public."""
    if values.get("mechanism_name") in CHALLENGE_MECHANISMS:
        for one in secrets:
            one.secret = False


def _split_choice(values: dict[str, Any], attribute: str) -> None:
    if attribute in values:
        values[attribute], values[f"{attribute}_choice"] = values[attribute]


def _require(reader: Reader, values: dict[str, Any], *names: str) -> None:
    for name in names:
        if _attribute(name) not in values:
            raise InvalidValueError(name, reader.position, "a mandatory field is missing")


def read_aare(reader: Reader) -> Aare:
    with reader.group("AARE"):
        values = _read_fields(reader, AARE_TAG, "AARE", _AARE_FIELDS)
        _split_choice(values, "responding_authentication_value")
        _require(reader, values, "application-context-name", "result", "result-source-diagnostic")
        return Aare(**values)


def read_rlrq(reader: Reader) -> Rlrq:
    with reader.group("RLRQ"):
        values = _read_fields(reader, RLRQ_TAG, "RLRQ", _RELEASE_FIELDS)
        return Rlrq(reason=values.get("reason"), user_information=values.get("user_information"))


def read_rlre(reader: Reader) -> Rlre:
    with reader.group("RLRE"):
        values = _read_fields(reader, RLRE_TAG, "RLRE", _RELEASE_FIELDS)
        return Rlre(reason=values.get("reason"), user_information=values.get("user_information"))


def _decode(octets: bytes, read: Callable[[Reader], Any], name: str) -> Any:
    reader = Reader(octets)
    value = read(reader)
    reader.finish(name)
    return value


def decode_aarq(octets: bytes) -> Aarq:
    aarq: Aarq = _decode(octets, read_aarq, "AARQ")
    return aarq


def decode_aare(octets: bytes) -> Aare:
    aare: Aare = _decode(octets, read_aare, "AARE")
    return aare


def decode_rlrq(octets: bytes) -> Rlrq:
    rlrq: Rlrq = _decode(octets, read_rlrq, "RLRQ")
    return rlrq


def decode_rlre(octets: bytes) -> Rlre:
    rlre: Rlre = _decode(octets, read_rlre, "RLRE")
    return rlre


# -- writing -----------------------------------------------------------------------------------------------------------


def _name(arc: int, number: int) -> bytes:
    return DLMS_UA + bytes((arc, number))


def _put_bits(writer: Writer, tag: int, bits: BitString | None) -> None:
    if bits is not None:
        write_tlv(writer, tag, encode_bit_string(bits))


def _put_octets(writer: Writer, tag: int, octets: bytes | None) -> None:
    if octets is not None:
        write_tlv(writer, tag, encode_tlv(BerTag.OCTET_STRING, octets))


def _put_integer(writer: Writer, tag: int, number: int | None) -> None:
    if number is not None:
        write_tlv(writer, tag, encode_tlv(BerTag.INTEGER, encode_integer(number)))


def _put_context(writer: Writer, number: int) -> None:
    write_tlv(writer, 0xA1, encode_tlv(BerTag.OBJECT_IDENTIFIER, _name(CONTEXT_ARC, number)))


def encode_aarq(aarq: Aarq) -> bytes:
    body = Writer()
    _put_bits(body, 0x80, aarq.protocol_version)
    _put_context(body, aarq.application_context_name)
    _put_octets(body, 0xA2, aarq.called_ap_title)
    _put_octets(body, 0xA3, aarq.called_ae_qualifier)
    _put_integer(body, 0xA4, aarq.called_ap_invocation_id)
    _put_integer(body, 0xA5, aarq.called_ae_invocation_id)
    _put_octets(body, 0xA6, aarq.calling_ap_title)
    _put_octets(body, 0xA7, aarq.calling_ae_qualifier)
    _put_integer(body, 0xA8, aarq.calling_ap_invocation_id)
    _put_integer(body, 0xA9, aarq.calling_ae_invocation_id)
    _put_bits(body, 0x8A, aarq.sender_acse_requirements)
    if aarq.mechanism_name is not None:
        write_tlv(body, 0x8B, _name(MECHANISM_ARC, aarq.mechanism_name))
    if aarq.calling_authentication_value is not None:
        choice = aarq.calling_authentication_value_choice
        write_tlv(body, 0xAC, encode_tlv(choice, aarq.calling_authentication_value))
    _put_octets(body, 0xBD, aarq.implementation_information)
    _put_octets(body, 0xBE, aarq.user_information)
    return encode_tlv(AARQ_TAG, body.octets())


def encode_aare(aare: Aare) -> bytes:
    body = Writer()
    _put_bits(body, 0x80, aare.protocol_version)
    _put_context(body, aare.application_context_name)
    _put_integer(body, 0xA2, aare.result)
    diagnostic = aare.result_source_diagnostic
    integer = encode_tlv(BerTag.INTEGER, encode_integer(diagnostic.diagnostic))
    write_tlv(body, 0xA3, encode_tlv(0xA0 | diagnostic.source, integer))
    _put_octets(body, 0xA4, aare.responding_ap_title)
    _put_octets(body, 0xA5, aare.responding_ae_qualifier)
    _put_integer(body, 0xA6, aare.responding_ap_invocation_id)
    _put_integer(body, 0xA7, aare.responding_ae_invocation_id)
    _put_bits(body, 0x88, aare.responder_acse_requirements)
    if aare.mechanism_name is not None:
        write_tlv(body, 0x89, _name(MECHANISM_ARC, aare.mechanism_name))
    if aare.responding_authentication_value is not None:
        choice = aare.responding_authentication_value_choice
        write_tlv(body, 0xAA, encode_tlv(choice, aare.responding_authentication_value))
    _put_octets(body, 0xBD, aare.implementation_information)
    _put_octets(body, 0xBE, aare.user_information)
    return encode_tlv(AARE_TAG, body.octets())


def _encode_release(tag: int, release: Rlrq | Rlre) -> bytes:
    body = Writer()
    if release.reason is not None:
        write_tlv(body, 0x80, encode_integer(release.reason))
    _put_octets(body, 0xBE, release.user_information)
    return encode_tlv(tag, body.octets())
