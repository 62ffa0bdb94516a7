"""GET: read attributes (IEC 62056-5-3, get-request and get-response)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final

from meters.cosem.data import Data, text
from sessions.dlms.apdu.descriptors import (
    CosemAttributeDescriptor,
    DataAccessResult,
    InvokeIdAndPriority,
    ResultChoice,
    block_text,
    counted,
    read_attribute_descriptor,
    read_data_access_result,
    read_get_data_result,
    read_invoke_id,
    read_list_count,
    write_get_data_result,
)
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.cursor import Reader, Writer
from sessions.dlms.selective_access import SelectiveAccess, read_optional_selection, write_optional_selection

RESPONSE_TAG: Final = ApduTag.GET_RESPONSE

AttributeList = tuple[tuple[CosemAttributeDescriptor, SelectiveAccess | None], ...]
"""SEQUENCE OF Cosem-Attribute-Descriptor-With-Selection."""


class GetRequestChoice(IntEnum):
    NORMAL = 1
    NEXT = 2
    WITH_LIST = 3


class GetResponseChoice(IntEnum):
    NORMAL = 1
    WITH_DATABLOCK = 2
    WITH_LIST = 3


def _request(choice: GetRequestChoice, invocation: InvokeIdAndPriority) -> Writer:
    return Writer().u8(ApduTag.GET_REQUEST).u8(choice).u8(invocation.encode())


def _response(choice: GetResponseChoice, invocation: InvokeIdAndPriority) -> Writer:
    return Writer().u8(ApduTag.GET_RESPONSE).u8(choice).u8(invocation.encode())


def short_text(value: Data | DataAccessResult, limit: int = 80) -> str:
    """A result in a line: the value, or the refusal in the standard's words."""
    if isinstance(value, DataAccessResult):
        return value.summary()
    shown = f"{len(value)} elements" if value.constructed and len(value) > 4 else text(value)
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


@dataclass(frozen=True, slots=True)
class GetRequestNormal:
    tag: ClassVar[ApduTag] = ApduTag.GET_REQUEST
    invoke_id_and_priority: InvokeIdAndPriority
    cosem_attribute_descriptor: CosemAttributeDescriptor
    access_selection: SelectiveAccess | None = None

    def encode(self) -> bytes:
        writer = _request(GetRequestChoice.NORMAL, self.invoke_id_and_priority)
        self.cosem_attribute_descriptor.write(writer)
        write_optional_selection(writer, self.access_selection)
        return writer.octets()

    def summary(self) -> str:
        selection = self.access_selection
        part = selection.summary(self.cosem_attribute_descriptor.class_id) if selection else ""
        return f"GET request {self.cosem_attribute_descriptor}{part}"


@dataclass(frozen=True, slots=True)
class GetRequestNext:
    tag: ClassVar[ApduTag] = ApduTag.GET_REQUEST
    invoke_id_and_priority: InvokeIdAndPriority
    block_number: int

    def encode(self) -> bytes:
        return _request(GetRequestChoice.NEXT, self.invoke_id_and_priority).u32(self.block_number).octets()

    def summary(self) -> str:
        return f"GET request, next block after {self.block_number}"


@dataclass(frozen=True, slots=True)
class GetRequestWithList:
    tag: ClassVar[ApduTag] = ApduTag.GET_REQUEST
    invoke_id_and_priority: InvokeIdAndPriority
    attribute_descriptor_list: AttributeList

    def encode(self) -> bytes:
        writer = _request(GetRequestChoice.WITH_LIST, self.invoke_id_and_priority)
        write_attribute_list(writer, self.attribute_descriptor_list)
        return writer.octets()

    def summary(self) -> str:
        return f"GET request, list of {counted(len(self.attribute_descriptor_list), 'attribute')}"


@dataclass(frozen=True, slots=True)
class GetResponseNormal:
    tag: ClassVar[ApduTag] = ApduTag.GET_RESPONSE
    invoke_id_and_priority: InvokeIdAndPriority
    result: Data | DataAccessResult

    def encode(self) -> bytes:
        writer = _response(GetResponseChoice.NORMAL, self.invoke_id_and_priority)
        write_get_data_result(writer, self.result)
        return writer.octets()

    def summary(self) -> str:
        return f"GET response: {short_text(self.result)}"


@dataclass(frozen=True, slots=True)
class GetResponseWithDatablock:
    """`result` is a slice of the encoded value, or why the transfer ends here."""

    tag: ClassVar[ApduTag] = ApduTag.GET_RESPONSE
    invoke_id_and_priority: InvokeIdAndPriority
    last_block: bool
    block_number: int
    result: bytes | DataAccessResult

    def encode(self) -> bytes:
        writer = _response(GetResponseChoice.WITH_DATABLOCK, self.invoke_id_and_priority)
        writer.flag(self.last_block).u32(self.block_number)
        if isinstance(self.result, bytes):
            writer.u8(ResultChoice.DATA).octet_string(self.result)
        else:
            writer.u8(ResultChoice.DATA_ACCESS_RESULT).u8(self.result)
        return writer.octets()

    def summary(self) -> str:
        if isinstance(self.result, DataAccessResult):
            return f"GET response block {self.block_number}: {short_text(self.result)}"
        return f"GET response {block_text(self.last_block, self.block_number, self.result)}"


@dataclass(frozen=True, slots=True)
class GetResponseWithList:
    tag: ClassVar[ApduTag] = ApduTag.GET_RESPONSE
    invoke_id_and_priority: InvokeIdAndPriority
    result: tuple[Data | DataAccessResult, ...]

    def encode(self) -> bytes:
        writer = _response(GetResponseChoice.WITH_LIST, self.invoke_id_and_priority).length(len(self.result))
        for result in self.result:
            write_get_data_result(writer, result)
        return writer.octets()

    def summary(self) -> str:
        return f"GET response, list of {counted(len(self.result), 'result')}"


def read_get_request(reader: Reader) -> GetRequestNormal | GetRequestNext | GetRequestWithList:
    with reader.group("get-request"):
        reader.constant(bytes((ApduTag.GET_REQUEST,)), "tag")
        choice = reader.enum(GetRequestChoice, "choice")
        invocation = read_invoke_id(reader)
        match choice:
            case GetRequestChoice.NORMAL:
                return GetRequestNormal(invocation, read_attribute_descriptor(reader), read_optional_selection(reader))
            case GetRequestChoice.NEXT:
                return GetRequestNext(invocation, reader.u32("block-number"))
            case GetRequestChoice.WITH_LIST:
                return GetRequestWithList(invocation, read_attribute_list(reader))


def read_attribute_list(reader: Reader) -> AttributeList:
    with reader.group("attribute-descriptor-list"):
        count = read_list_count(reader, least=10)
        return tuple((read_attribute_descriptor(reader), read_optional_selection(reader)) for _ in range(count))


def write_attribute_list(writer: Writer, attributes: AttributeList) -> None:
    writer.length(len(attributes))
    for descriptor, selection in attributes:
        descriptor.write(writer)
        write_optional_selection(writer, selection)


def read_get_response(reader: Reader) -> GetResponseNormal | GetResponseWithDatablock | GetResponseWithList:
    with reader.group("get-response"):
        reader.constant(bytes((ApduTag.GET_RESPONSE,)), "tag")
        choice = reader.enum(GetResponseChoice, "choice")
        invocation = read_invoke_id(reader)
        match choice:
            case GetResponseChoice.NORMAL:
                return GetResponseNormal(invocation, read_get_data_result(reader))
            case GetResponseChoice.WITH_DATABLOCK:
                return _read_block(reader, invocation)
            case GetResponseChoice.WITH_LIST:
                count = read_list_count(reader, least=2)
                return GetResponseWithList(invocation, tuple(read_get_data_result(reader) for _ in range(count)))


def _read_block(reader: Reader, invocation: InvokeIdAndPriority) -> GetResponseWithDatablock:
    last_block = reader.flag("last-block")
    block_number = reader.u32("block-number")
    result: bytes | DataAccessResult
    if reader.enum(ResultChoice, "result-choice") is ResultChoice.DATA:
        result = reader.octet_string("raw-data")
    else:
        result = read_data_access_result(reader)
    return GetResponseWithDatablock(invocation, last_block, block_number, result)
