"""The xDLMS InitiateRequest and InitiateResponse: the user-information of AARQ and AARE (IEC 62056-5-3, 7.3; A-XDR).

A request: tag 01 | dedicated-key? | response-allowed? | quality-of-service? | version | conformance | client-max-receive-pdu-size
A response: tag 08 | quality-of-service? | version | conformance | server-max-receive-pdu-size | vaa-name
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sessions.dlms.conformance import Conformance, read_conformance, write_conformance
from sessions.dlms.cursor import Reader, Writer

INITIATE_REQUEST_TAG: Final = 0x01
INITIATE_RESPONSE_TAG: Final = 0x08
DLMS_VERSION: Final = 6
VAA_NAME_LN: Final = 0x0007
VAA_NAME_SN: Final = 0xFA00
NO_SERVICE: Final = Conformance(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiateRequest:
    """What the client proposes. PDU sizes are in octets, 0: no limit. A dedicated key is legal in a ciphered request only."""

    dedicated_key: bytes | None = field(default=None, repr=False)
    response_allowed: bool = True
    proposed_quality_of_service: int | None = None
    proposed_dlms_version_number: int = DLMS_VERSION
    proposed_conformance: Conformance = NO_SERVICE
    client_max_receive_pdu_size: int = 0

    def encode(self) -> bytes:
        return encode_initiate_request(self)

    def summary(self) -> str:
        key = ", dedicated key" if self.dedicated_key is not None else ""
        return f"Initiate request, max PDU {self.client_max_receive_pdu_size}{key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiateResponse:
    """What was agreed, and the most octets that the server takes in one APDU (0: no limit)."""

    negotiated_quality_of_service: int | None = None
    negotiated_dlms_version_number: int = DLMS_VERSION
    negotiated_conformance: Conformance = NO_SERVICE
    server_max_receive_pdu_size: int = 0
    vaa_name: int = VAA_NAME_LN

    def encode(self) -> bytes:
        return encode_initiate_response(self)

    def summary(self) -> str:
        return f"Initiate response, max PDU {self.server_max_receive_pdu_size}"


def _read_quality(reader: Reader, name: str) -> int | None:
    """An OPTIONAL signed octet."""
    return reader.signed(1, name) if reader.flag(f"{name} present") else None


def _write_quality(writer: Writer, quality: int | None) -> None:
    writer.flag(quality is not None)
    if quality is not None:
        writer.signed(1, quality)


def read_initiate_request(reader: Reader) -> InitiateRequest:
    with reader.group("initiate-request"):
        reader.constant(bytes((INITIATE_REQUEST_TAG,)), "tag")
        dedicated_key = _read_dedicated_key(reader) if reader.flag("dedicated-key present") else None
        response_allowed = reader.flag("response-allowed") if reader.flag("response-allowed present") else True
        return InitiateRequest(
            dedicated_key=dedicated_key,
            response_allowed=response_allowed,
            proposed_quality_of_service=_read_quality(reader, "proposed-quality-of-service"),
            proposed_dlms_version_number=reader.u8("proposed-dlms-version-number"),
            proposed_conformance=read_conformance(reader, "proposed-conformance"),
            client_max_receive_pdu_size=reader.u16("client-max-receive-pdu-size"),
        )


def _read_dedicated_key(reader: Reader) -> bytes:
    size = reader.length("dedicated-key length")
    key = reader.take(size, "dedicated-key")
    reader.label(key.hex(), secret=True)
    return key


def write_initiate_request(writer: Writer, request: InitiateRequest) -> None:
    writer.u8(INITIATE_REQUEST_TAG).flag(request.dedicated_key is not None)
    if request.dedicated_key is not None:
        writer.octet_string(request.dedicated_key)
    # DEFAULT TRUE: only FALSE is written out.
    writer.put(b"\x00" if request.response_allowed else b"\x01\x00")
    _write_quality(writer, request.proposed_quality_of_service)
    writer.u8(request.proposed_dlms_version_number)
    write_conformance(writer, request.proposed_conformance)
    writer.u16(request.client_max_receive_pdu_size)


def read_initiate_response(reader: Reader) -> InitiateResponse:
    with reader.group("initiate-response"):
        reader.constant(bytes((INITIATE_RESPONSE_TAG,)), "tag")
        response = InitiateResponse(
            negotiated_quality_of_service=_read_quality(reader, "negotiated-quality-of-service"),
            negotiated_dlms_version_number=reader.u8("negotiated-dlms-version-number"),
            negotiated_conformance=read_conformance(reader, "negotiated-conformance"),
            server_max_receive_pdu_size=reader.u16("server-max-receive-pdu-size"),
            vaa_name=reader.u16("vaa-name"),
        )
        names = {VAA_NAME_LN: "logical names", VAA_NAME_SN: "short names"}
        reader.label(f"{response.vaa_name:04x} ({names.get(response.vaa_name, 'base name')})")
        return response


def write_initiate_response(writer: Writer, response: InitiateResponse) -> None:
    writer.u8(INITIATE_RESPONSE_TAG)
    _write_quality(writer, response.negotiated_quality_of_service)
    writer.u8(response.negotiated_dlms_version_number)
    write_conformance(writer, response.negotiated_conformance)
    writer.u16(response.server_max_receive_pdu_size).u16(response.vaa_name)


def decode_initiate_request(octets: bytes) -> InitiateRequest:
    reader = Reader(octets)
    request = read_initiate_request(reader)
    reader.finish("initiate-request")
    return request


def encode_initiate_request(request: InitiateRequest) -> bytes:
    writer = Writer()
    write_initiate_request(writer, request)
    return writer.octets()


def decode_initiate_response(octets: bytes) -> InitiateResponse:
    reader = Reader(octets)
    response = read_initiate_response(reader)
    reader.finish("initiate-response")
    return response


def encode_initiate_response(response: InitiateResponse) -> bytes:
    writer = Writer()
    write_initiate_response(writer, response)
    return writer.octets()
