"""The four APDUs of ACSE as values, and how they are written: in the standard's order, with the standard's encodings.

`user_information` holds the octets of the xDLMS APDU inside: InitiateRequest / InitiateResponse in clear (`01`, `08`), ciphered
(`21`, `28`, `DB`) or a confirmed-service-error (`0E`). `deviations` says what a received APDU did otherwise than the standard;
nothing that is written has any.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from meters.cosem.data import BitString
from sessions.dlms.acse.names import (
    AARE_TAG,
    AARQ_TAG,
    CONTEXT_ARC,
    DLMS_UA,
    MECHANISM_ARC,
    NO_DIAGNOSTIC,
    RLRE_TAG,
    RLRQ_TAG,
    AcseDiagnostic,
    ApplicationContext,
    AssociationResult,
    AuthenticationValueChoice,
    ReleaseRequestReason,
    ReleaseResponseReason,
    ResultSourceDiagnostic,
    mechanism_words,
    words_of,
)
from sessions.dlms.ber import BerTag, encode_bit_string, encode_integer, encode_tlv, write_tlv
from sessions.dlms.cursor import Writer


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
    deviations: tuple[str, ...] = field(default=(), compare=False, repr=False)

    def encode(self) -> bytes:
        return encode_aarq(self)

    def summary(self) -> str:
        return f"AARQ, {mechanism_words(self.mechanism_name)}{_ciphered(self.application_context_name)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aare:
    """Association response. `result` is 0 (accepted), 1 or 2; a diagnostic 14 with result 0 asks for the HLS proof."""

    application_context_name: int = ApplicationContext.LN
    result: int = AssociationResult.ACCEPTED
    result_source_diagnostic: ResultSourceDiagnostic = NO_DIAGNOSTIC
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
    deviations: tuple[str, ...] = field(default=(), compare=False, repr=False)

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
    deviations: tuple[str, ...] = field(default=(), compare=False, repr=False)

    def encode(self) -> bytes:
        return _encode_release(RLRQ_TAG, self)

    def summary(self) -> str:
        return f"RLRQ{_reason(ReleaseRequestReason, self.reason)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rlre:
    """Release response."""

    reason: int | None = ReleaseResponseReason.NORMAL
    user_information: bytes | None = None
    deviations: tuple[str, ...] = field(default=(), compare=False, repr=False)

    def encode(self) -> bytes:
        return _encode_release(RLRE_TAG, self)

    def summary(self) -> str:
        return f"RLRE{_reason(ReleaseResponseReason, self.reason)}"


def _ciphered(context: int) -> str:
    return ", ciphered" if context in (ApplicationContext.LN_CIPHERED, ApplicationContext.SN_CIPHERED) else ""


def _reason(enum_type: type[IntEnum], reason: int | None) -> str:
    return "" if reason is None else f", reason {words_of(enum_type, reason)}"


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
