"""ACSE: association request and response, release request and response, in BER (IEC 62056-5-3, 7.2; X.227).

What real meters do is read leniently: fields in another order, unknown fields, missing user-information, mechanism numbers out
of range, and a length that does not count its own contents right are kept or skipped, and never stop a decode that can go on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, ClassVar, Final

from sessions.dlms.cursor import Reader, Writer
from sessions.dlms.errors import DecodeError, InvalidValueError

# joint-iso-ccitt(2) country(16) country-name(756) identified-organization(5) DLMS-UA(8)
_ARC: Final = bytes.fromhex("6085740508")
_CONTEXT_ARC: Final = _ARC + b"\x01"
_MECHANISM_ARC: Final = _ARC + b"\x02"
_OID: Final = 0x06
_INTEGER: Final = 0x02
_OCTET_STRING: Final = 0x04
_AUTHENTICATION_UNIT: Final = bytes.fromhex("0780")
NO_USER_INFORMATION: Final = b""


class ApplicationContext(IntEnum):
    """The last number of the application-context-name."""

    LOGICAL_NAME = 1
    SHORT_NAME = 2
    LOGICAL_NAME_CIPHERED = 3
    SHORT_NAME_CIPHERED = 4

    @property
    def ciphered(self) -> bool:
        return self in (ApplicationContext.LOGICAL_NAME_CIPHERED, ApplicationContext.SHORT_NAME_CIPHERED)


class AssociationResult(IntEnum):
    ACCEPTED = 0
    REJECTED_PERMANENT = 1
    REJECTED_TRANSIENT = 2


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


class DiagnosticSource(IntEnum):
    ACSE_SERVICE_USER = 1
    ACSE_SERVICE_PROVIDER = 2


class ReleaseReason(IntEnum):
    """Reasons of RLRQ (normal, urgent, user-defined) and RLRE (normal, not-finished, user-defined)."""

    NORMAL = 0
    URGENT = 1
    USER_DEFINED = 30


_PROVIDER_DIAGNOSTICS: Final = {0: "null", 1: "no-reason-given", 2: "no-common-acse-version"}


def diagnostic_words(source: int, diagnostic: int) -> str:
    """The standard's words for a result-source-diagnostic."""
    if source == DiagnosticSource.ACSE_SERVICE_PROVIDER:
        return _PROVIDER_DIAGNOSTICS.get(diagnostic, f"diagnostic {diagnostic}")
    return _words(AcseDiagnostic, diagnostic)


def _words(enumeration: type[IntEnum], number: int) -> str:
    try:
        return enumeration(number).name.lower().replace("_", "-")
    except ValueError:
        return f"number {number}"


_MECHANISMS: Final = ("none", "LLS", "HLS", "HLS-MD5", "HLS-SHA1", "HLS-GMAC", "HLS-SHA256", "HLS-ECDSA")


def mechanism_words(mechanism: int | None) -> str:
    """`LLS`, `HLS-GMAC`, … and `mechanism 13` for what the standard does not name."""
    if mechanism is None:
        return "no authentication"
    return _MECHANISMS[mechanism] if mechanism < len(_MECHANISMS) else f"mechanism {mechanism}"


# -- the four APDUs ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Aarq:
    """Association request. `mechanism_name` is the mechanism's number; `user_information` holds the encoded, perhaps
    ciphered, InitiateRequest; `calling_authentication_value` is a password or a challenge."""

    tag: ClassVar[int] = 0x60
    application_context_name: int = ApplicationContext.LOGICAL_NAME
    called_ap_title: bytes | None = None
    calling_ap_title: bytes | None = None
    calling_ae_qualifier: bytes | None = None
    calling_ae_invocation_id: int | None = None
    sender_acse_requirements: bool = False
    mechanism_name: int | None = None
    calling_authentication_value: bytes | None = field(default=None, repr=False)
    user_information: bytes = NO_USER_INFORMATION
    protocol_version: bytes | None = None

    def encode(self) -> bytes:
        body = Writer()
        _put(body, 0x80, self.protocol_version)
        _put(body, 0xA1, _tlv(_OID, _CONTEXT_ARC + bytes((self.application_context_name,))))
        _put_wrapped(body, 0xA2, self.called_ap_title)
        _put_wrapped(body, 0xA6, self.calling_ap_title)
        _put_wrapped(body, 0xA7, self.calling_ae_qualifier)
        if self.calling_ae_invocation_id is not None:
            _put(body, 0xA9, _integer(self.calling_ae_invocation_id))
        if self.sender_acse_requirements:
            _put(body, 0x8A, _AUTHENTICATION_UNIT)
        if self.mechanism_name is not None:
            _put(body, 0x8B, _MECHANISM_ARC + bytes((self.mechanism_name,)))
        if self.calling_authentication_value is not None:
            _put(body, 0xAC, _tlv(0x80, self.calling_authentication_value))
        if self.user_information:
            _put_wrapped(body, 0xBE, self.user_information)
        return _tlv(self.tag, body.octets())

    def summary(self) -> str:
        return f"AARQ, {mechanism_words(self.mechanism_name)}{_ciphered(self.application_context_name)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aare:
    """Association response. Numbers stay numbers: meters send ones that the standard does not know."""

    tag: ClassVar[int] = 0x61
    application_context_name: int = ApplicationContext.LOGICAL_NAME
    result: int = AssociationResult.ACCEPTED
    result_source: int = DiagnosticSource.ACSE_SERVICE_USER
    diagnostic: int = AcseDiagnostic.NULL
    responding_ap_title: bytes | None = None
    responding_ae_qualifier: bytes | None = None
    responding_ae_invocation_id: int | None = None
    responder_acse_requirements: bool = False
    mechanism_name: int | None = None
    responding_authentication_value: bytes | None = None
    user_information: bytes = NO_USER_INFORMATION
    protocol_version: bytes | None = None

    def encode(self) -> bytes:
        body = Writer()
        _put(body, 0x80, self.protocol_version)
        _put(body, 0xA1, _tlv(_OID, _CONTEXT_ARC + bytes((self.application_context_name,))))
        _put(body, 0xA2, _integer(self.result))
        _put(body, 0xA3, _tlv(0xA0 | self.result_source, _integer(self.diagnostic)))
        _put_wrapped(body, 0xA4, self.responding_ap_title)
        _put_wrapped(body, 0xA5, self.responding_ae_qualifier)
        if self.responding_ae_invocation_id is not None:
            _put(body, 0xA7, _integer(self.responding_ae_invocation_id))
        if self.responder_acse_requirements:
            _put(body, 0x88, _AUTHENTICATION_UNIT)
        if self.mechanism_name is not None:
            _put(body, 0x89, _MECHANISM_ARC + bytes((self.mechanism_name,)))
        if self.responding_authentication_value is not None:
            _put(body, 0xAA, _tlv(0x80, self.responding_authentication_value))
        if self.user_information:
            _put_wrapped(body, 0xBE, self.user_information)
        return _tlv(self.tag, body.octets())

    @property
    def hls_required(self) -> bool:
        """Accepted so far: passes 3 and 4 of the high level authentication follow."""
        return self.result == AssociationResult.ACCEPTED and self.diagnostic == AcseDiagnostic.AUTHENTICATION_REQUIRED

    def summary(self) -> str:
        if self.hls_required:
            return f"AARE, {mechanism_words(self.mechanism_name)} pending{_ciphered(self.application_context_name)}"
        if self.result == AssociationResult.ACCEPTED:
            return f"AARE, accepted{_ciphered(self.application_context_name)}"
        return (
            f"AARE, {_words(AssociationResult, self.result)}: {diagnostic_words(self.result_source, self.diagnostic)}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rlrq:
    """Release request; in a ciphered context with the ciphered InitiateRequest once more."""

    tag: ClassVar[int] = 0x62
    reason: int | None = ReleaseReason.NORMAL
    user_information: bytes = NO_USER_INFORMATION

    def encode(self) -> bytes:
        return _encode_release(self.tag, self.reason, self.user_information)

    def summary(self) -> str:
        return "RLRQ" if self.reason is None else f"RLRQ, {_words(ReleaseReason, self.reason)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rlre:
    """Release response."""

    tag: ClassVar[int] = 0x63
    reason: int | None = ReleaseReason.NORMAL
    user_information: bytes = NO_USER_INFORMATION

    def encode(self) -> bytes:
        return _encode_release(self.tag, self.reason, self.user_information)

    def summary(self) -> str:
        words = {0: "normal", 1: "not-finished", 30: "user-defined"}
        return "RLRE" if self.reason is None else f"RLRE, {words.get(self.reason, f'reason {self.reason}')}"


def _ciphered(context: int) -> str:
    words = {2: ", short names", 3: ", ciphered", 4: ", short names, ciphered"}
    return words.get(context, "" if context == ApplicationContext.LOGICAL_NAME else f", context {context}")


# -- encoding ----------------------------------------------------------------------------------------------------------


def _tlv(tag: int, contents: bytes) -> bytes:
    return Writer().u8(tag).octet_string(contents).octets()


def _put(writer: Writer, tag: int, contents: bytes | None) -> None:
    if contents is not None:
        writer.put(_tlv(tag, contents))


def _put_wrapped(writer: Writer, tag: int, contents: bytes | None) -> None:
    """An OCTET STRING inside a context tag."""
    if contents is not None:
        writer.put(_tlv(tag, _tlv(_OCTET_STRING, contents)))


def _integer(number: int) -> bytes:
    size = max(1, (number.bit_length() + 8) // 8)
    return _tlv(_INTEGER, number.to_bytes(size, "big", signed=True))


def _encode_release(tag: int, reason: int | None, user_information: bytes) -> bytes:
    body = Writer()
    if reason is not None:
        _put(body, 0x80, bytes((reason,)))
    if user_information:
        _put_wrapped(body, 0xBE, user_information)
    return _tlv(tag, body.octets())


# -- decoding ----------------------------------------------------------------------------------------------------------

_FieldReader = Callable[[Reader, dict[str, Any]], None]


def _open(reader: Reader, tag: int, name: str) -> Reader:
    """The contents of the APDU. Known peers count the length of an RLRE wrong: what is there is read, the rest flagged."""
    reader.constant(bytes((tag,)), "tag")
    length = reader.length("length")
    lenient = tag == Rlre.tag and length != reader.remaining
    if lenient:
        reader.label(f"{length} (wrong: {reader.remaining} octets follow)")
    return reader.sub(reader.remaining if lenient else length, name)


def _read_fields(body: Reader, fields: dict[int, tuple[str, _FieldReader]], found: dict[str, Any]) -> None:
    while body.remaining:
        at = body.position
        tag = body.peek() or 0
        name, read = fields.get(tag, (f"unknown-field-{tag:02x}", _skip))
        body.enter(name)
        body.u8("tag")
        body.label(f"{tag:02x}")
        length = body.length("length")
        part = body.sub(min(length, body.remaining) if tag == 0xBE and found.get("lenient") else length, name)
        read(part, found)
        if part.remaining:
            part.rest("ignored")
        body.leave()
        if body.position == at:
            raise DecodeError(name, at, "no progress")


def _skip(part: Reader, found: dict[str, Any]) -> None:
    if part.remaining:
        part.rest("contents")


def _read_context(part: Reader, found: dict[str, Any]) -> None:
    part.u8("oid-tag")
    found["application_context_name"] = _read_oid(part, part.length("length"), _CONTEXT_ARC, "application-context-name")


def _read_oid(part: Reader, length: int, arc: bytes, name: str) -> int:
    at = part.position
    octets = part.take(length, "object-identifier")
    if len(octets) < 2 or octets[:-1] != arc:
        raise InvalidValueError(name, at, f"{octets.hex()} is not an identifier of the DLMS UA here")
    part.label(f"{octets.hex()} ({octets[-1]})")
    return octets[-1]


def _read_mechanism(part: Reader, found: dict[str, Any]) -> None:
    if part.peek() == _OID and part.remaining == len(_MECHANISM_ARC) + 3:  # an explicit tag, which some write
        part.u8("oid-tag")
        part.length("length")
    mechanism = _read_oid(part, part.remaining, _MECHANISM_ARC, "mechanism-name")
    part.label(mechanism_words(mechanism))
    found["mechanism_name"] = mechanism


def _read_wrapped(key: str) -> _FieldReader:
    def read(part: Reader, found: dict[str, Any]) -> None:
        if part.remaining == 0:
            found[key] = b""
            return
        part.u8("octet-string-tag")
        found[key] = part.take(part.length("length"), "contents")

    return read


def _read_user_information(part: Reader, found: dict[str, Any]) -> None:
    part.u8("octet-string-tag")
    length = part.length("length")
    found["user_information"] = part.take(
        min(length, part.remaining) if found.get("lenient") else length, "user-information"
    )


def _read_number(key: str) -> _FieldReader:
    def read(part: Reader, found: dict[str, Any]) -> None:
        part.u8("integer-tag")
        found[key] = part.signed(part.length("length"), key.replace("_", "-"))

    return read


def _read_result(part: Reader, found: dict[str, Any]) -> None:
    _read_number("result")(part, found)
    part.label(f"{found['result']} ({_words(AssociationResult, found['result'])})")


def _read_diagnostic(part: Reader, found: dict[str, Any]) -> None:
    found["result_source"] = part.u8("source") & 0x1F
    part.length("length")
    _read_number("diagnostic")(part, found)
    part.label(f"{found['diagnostic']} ({diagnostic_words(found['result_source'], found['diagnostic'])})")


def _read_requirements(key: str) -> _FieldReader:
    def read(part: Reader, found: dict[str, Any]) -> None:
        octets = part.rest("functional-units")
        found[key] = len(octets) >= 2 and bool(octets[1] & 0x80)

    return read


def _read_authentication_value(key: str, *, secret: bool) -> _FieldReader:
    def read(part: Reader, found: dict[str, Any]) -> None:
        part.u8("charstring-tag")
        value = part.take(part.length("length"), "authentication-value")
        # A challenge may be seen, a password must not; which of them it is depends on the mechanism, read before.
        if secret and found.get("mechanism_name", 1) in (None, 0, 1):
            part.label("(secret)", secret=True)
        found[key] = value

    return read


def _read_version(part: Reader, found: dict[str, Any]) -> None:
    found["protocol_version"] = part.rest("protocol-version")


_AARQ_FIELDS: Final[dict[int, tuple[str, _FieldReader]]] = {
    0x80: ("protocol-version", _read_version),
    0xA1: ("application-context-name", _read_context),
    0xA2: ("called-AP-title", _read_wrapped("called_ap_title")),
    0xA6: ("calling-AP-title", _read_wrapped("calling_ap_title")),
    0xA7: ("calling-AE-qualifier", _read_wrapped("calling_ae_qualifier")),
    0xA9: ("calling-AE-invocation-id", _read_number("calling_ae_invocation_id")),
    0x8A: ("sender-acse-requirements", _read_requirements("sender_acse_requirements")),
    0x8B: ("mechanism-name", _read_mechanism),
    0xAC: ("calling-authentication-value", _read_authentication_value("calling_authentication_value", secret=True)),
    0xBE: ("user-information", _read_user_information),
}
_AARE_FIELDS: Final[dict[int, tuple[str, _FieldReader]]] = {
    0x80: ("protocol-version", _read_version),
    0xA1: ("application-context-name", _read_context),
    0xA2: ("result", _read_result),
    0xA3: ("result-source-diagnostic", _read_diagnostic),
    0xA4: ("responding-AP-title", _read_wrapped("responding_ap_title")),
    0xA5: ("responding-AE-qualifier", _read_wrapped("responding_ae_qualifier")),
    0xA7: ("responding-AE-invocation-id", _read_number("responding_ae_invocation_id")),
    0x88: ("responder-acse-requirements", _read_requirements("responder_acse_requirements")),
    0x89: ("mechanism-name", _read_mechanism),
    0xAA: (
        "responding-authentication-value",
        _read_authentication_value("responding_authentication_value", secret=False),
    ),
    0xBE: ("user-information", _read_user_information),
}


def _read_reason(part: Reader, found: dict[str, Any]) -> None:
    found["reason"] = part.signed(part.remaining, "reason")


_RELEASE_FIELDS: Final[dict[int, tuple[str, _FieldReader]]] = {
    0x80: ("reason", _read_reason),
    0xBE: ("user-information", _read_user_information),
}


def read_aarq(reader: Reader) -> Aarq:
    """An AARQ at the cursor; the context name is its only mandatory field."""
    with reader.group("aarq"):
        found: dict[str, Any] = {}
        at = reader.position
        _read_fields(_open(reader, Aarq.tag, "aarq"), _AARQ_FIELDS, found)
        if "application_context_name" not in found:
            raise InvalidValueError("application-context-name", at, "the field is missing")
        return Aarq(**found)


def read_aare(reader: Reader) -> Aare:
    """An AARE at the cursor; the result is its only mandatory field."""
    with reader.group("aare"):
        found: dict[str, Any] = {}
        at = reader.position
        _read_fields(_open(reader, Aare.tag, "aare"), _AARE_FIELDS, found)
        if "result" not in found:
            raise InvalidValueError("result", at, "the field is missing")
        return Aare(**found)


def read_rlrq(reader: Reader) -> Rlrq:
    with reader.group("rlrq"):
        found: dict[str, Any] = {"reason": None}
        _read_fields(_open(reader, Rlrq.tag, "rlrq"), _RELEASE_FIELDS, found)
        return Rlrq(**found)


def read_rlre(reader: Reader) -> Rlre:
    with reader.group("rlre"):
        found: dict[str, Any] = {"reason": None, "lenient": True}
        _read_fields(_open(reader, Rlre.tag, "rlre"), _RELEASE_FIELDS, found)
        del found["lenient"]
        return Rlre(**found)


_Apdu = Aarq | Aare | Rlrq | Rlre


def decode_acse(octets: bytes) -> _Apdu:
    """The ACSE APDU that fills the octets."""
    readers: dict[int, Callable[[Reader], _Apdu]] = {0x60: read_aarq, 0x61: read_aare, 0x62: read_rlrq, 0x63: read_rlre}
    reader = Reader(octets)
    tag = reader.peek()
    if tag not in readers:
        raise InvalidValueError("tag", 0, "not an ACSE APDU" if tag is not None else "nothing there")
    apdu = readers[tag](reader)
    reader.finish("acse")
    return apdu
