"""xDLMS-Initiate: what both sides propose and agree on inside the ACSE APDUs (IEC 62056-5-3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final

from sessions.dlms.conformance import Conformance, read_conformance, write_conformance
from sessions.dlms.cursor import Reader, Writer

DLMS_VERSION: Final = 6
VAA_NAME_LN: Final = 0x0007
VAA_NAME_SN: Final = 0xFA00


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiateRequest:
    """`client_max_receive_pdu_size` in octets, 0 is "no limit". `dedicated_key` only in a ciphered APDU."""

    tag: ClassVar[int] = 0x01
    dedicated_key: bytes | None = field(default=None, repr=False)
    response_allowed: bool = True
    proposed_quality_of_service: int | None = None
    proposed_dlms_version_number: int = DLMS_VERSION
    proposed_conformance: Conformance = Conformance(0)
    client_max_receive_pdu_size: int = 0

    def encode(self) -> bytes:
        writer = Writer().u8(self.tag)
        if self.dedicated_key is None:
            writer.u8(0)
        else:
            writer.u8(1).octet_string(self.dedicated_key)
        writer.put(b"\x00" if self.response_allowed else b"\x01\x00")
        _write_quality(writer, self.proposed_quality_of_service)
        writer.u8(self.proposed_dlms_version_number)
        write_conformance(writer, self.proposed_conformance)
        return writer.u16(self.client_max_receive_pdu_size).octets()

    def summary(self) -> str:
        key = ", dedicated key" if self.dedicated_key else ""
        return f"initiate request, max PDU {self.client_max_receive_pdu_size}{key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiateResponse:
    """`server_max_receive_pdu_size` in octets, 0 is "no limit"; `vaa_name` 0007 says logical names."""

    tag: ClassVar[int] = 0x08
    negotiated_quality_of_service: int | None = None
    negotiated_dlms_version_number: int = DLMS_VERSION
    negotiated_conformance: Conformance = Conformance(0)
    server_max_receive_pdu_size: int = 0
    vaa_name: int = VAA_NAME_LN

    def encode(self) -> bytes:
        writer = Writer().u8(self.tag)
        _write_quality(writer, self.negotiated_quality_of_service)
        writer.u8(self.negotiated_dlms_version_number)
        write_conformance(writer, self.negotiated_conformance)
        return writer.u16(self.server_max_receive_pdu_size).u16(self.vaa_name).octets()

    def summary(self) -> str:
        return f"initiate response, max PDU {self.server_max_receive_pdu_size}"


def read_initiate_request(reader: Reader) -> InitiateRequest:
    with reader.group("initiateRequest"):
        reader.constant(b"\x01", "tag")
        dedicated_key = None
        if reader.flag("dedicated-key-present"):
            dedicated_key = reader.take(reader.length("length"), "dedicated-key")
            reader.label("(secret)", secret=True)
        response_allowed = reader.flag("response-allowed") if reader.flag("response-allowed-present") else True
        return InitiateRequest(
            dedicated_key=dedicated_key,
            response_allowed=response_allowed,
            proposed_quality_of_service=_read_quality(reader, "proposed-quality-of-service"),
            proposed_dlms_version_number=reader.u8("proposed-dlms-version-number"),
            proposed_conformance=read_conformance(reader, "proposed-conformance"),
            client_max_receive_pdu_size=reader.u16("client-max-receive-pdu-size"),
        )


def read_initiate_response(reader: Reader) -> InitiateResponse:
    with reader.group("initiateResponse"):
        reader.constant(b"\x08", "tag")
        return InitiateResponse(
            negotiated_quality_of_service=_read_quality(reader, "negotiated-quality-of-service"),
            negotiated_dlms_version_number=reader.u8("negotiated-dlms-version-number"),
            negotiated_conformance=read_conformance(reader, "negotiated-conformance"),
            server_max_receive_pdu_size=reader.u16("server-max-receive-pdu-size"),
            vaa_name=reader.u16("vaa-name"),
        )


def _read_quality(reader: Reader, name: str) -> int | None:
    return reader.signed(1, name) if reader.flag(f"{name}-present") else None


def _write_quality(writer: Writer, quality: int | None) -> None:
    if quality is None:
        writer.u8(0)
    else:
        writer.u8(1).signed(1, quality)
