"""GET: read attributes (IEC 62056-5-3, get-request and get-response)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from meters.cosem.data import Data, text
from sessions.dlms.apdu.descriptors import (
    CosemAttributeDescriptor,
    DataAccessResult,
    InvokeIdAndPriority,
    read_attribute_descriptor,
    read_data_access_result,
    read_get_data_result,
    read_invoke_id,
)
from sessions.dlms.axdr import write_data
from sessions.dlms.cursor import Reader, Writer
from sessions.dlms.errors import UnknownTagError
from sessions.dlms.selective_access import SelectiveAccess, read_optional_selection, write_optional_selection

REQUEST_TAG = 0xC0
RESPONSE_TAG = 0xC4


def short_text(value: Data | DataAccessResult, limit: int = 80) -> str:
    """A result in a line: the value, or the refusal in the standard's words."""
    if isinstance(value, DataAccessResult):
        return f"refused ({value.words})"
    shown = f"{len(value)} elements" if value.constructed and len(value) > 4 else text(value)
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


@dataclass(frozen=True, slots=True)
class GetRequestNormal:
    tag: ClassVar[int] = REQUEST_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    cosem_attribute_descriptor: CosemAttributeDescriptor
    access_selection: SelectiveAccess | None = None

    def encode(self) -> bytes:
        writer = Writer().u8(REQUEST_TAG).u8(1).u8(self.invoke_id_and_priority.encode())
        self.cosem_attribute_descriptor.write(writer)
        write_optional_selection(writer, self.access_selection)
        return writer.octets()

    def summary(self) -> str:
        selection = self.access_selection
        part = selection.summary(self.cosem_attribute_descriptor.class_id) if selection else ""
        return f"GET request {self.cosem_attribute_descriptor}{part}"


@dataclass(frozen=True, slots=True)
class GetRequestNext:
    tag: ClassVar[int] = REQUEST_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    block_number: int

    def encode(self) -> bytes:
        return Writer().u8(REQUEST_TAG).u8(2).u8(self.invoke_id_and_priority.encode()).u32(self.block_number).octets()

    def summary(self) -> str:
        return f"GET request, next block after {self.block_number}"


@dataclass(frozen=True, slots=True)
class GetRequestWithList:
    tag: ClassVar[int] = REQUEST_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    attribute_descriptor_list: tuple[tuple[CosemAttributeDescriptor, SelectiveAccess | None], ...]

    def encode(self) -> bytes:
        writer = Writer().u8(REQUEST_TAG).u8(3).u8(self.invoke_id_and_priority.encode())
        writer.length(len(self.attribute_descriptor_list))
        for descriptor, selection in self.attribute_descriptor_list:
            descriptor.write(writer)
            write_optional_selection(writer, selection)
        return writer.octets()

    def summary(self) -> str:
        return f"GET request, list of {len(self.attribute_descriptor_list)} attributes"


@dataclass(frozen=True, slots=True)
class GetResponseNormal:
    tag: ClassVar[int] = RESPONSE_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    result: Data | DataAccessResult

    def encode(self) -> bytes:
        writer = Writer().u8(RESPONSE_TAG).u8(1).u8(self.invoke_id_and_priority.encode())
        write_get_data_result(writer, self.result)
        return writer.octets()

    def summary(self) -> str:
        return f"GET response: {short_text(self.result)}"


@dataclass(frozen=True, slots=True)
class GetResponseWithDatablock:
    """`result` is a slice of the encoded value, or why the transfer ends here."""

    tag: ClassVar[int] = RESPONSE_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    last_block: bool
    block_number: int
    result: bytes | DataAccessResult

    def encode(self) -> bytes:
        writer = Writer().u8(RESPONSE_TAG).u8(2).u8(self.invoke_id_and_priority.encode())
        writer.flag(self.last_block).u32(self.block_number)
        if isinstance(self.result, bytes):
            writer.u8(0).octet_string(self.result)
        else:
            writer.u8(1).u8(self.result)
        return writer.octets()

    def summary(self) -> str:
        if isinstance(self.result, DataAccessResult):
            return f"GET response block {self.block_number}: {short_text(self.result)}"
        more = "the last" if self.last_block else "more follow"
        return f"GET response block {self.block_number}, {len(self.result)} octets, {more}"


@dataclass(frozen=True, slots=True)
class GetResponseWithList:
    tag: ClassVar[int] = RESPONSE_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    result: tuple[Data | DataAccessResult, ...]

    def encode(self) -> bytes:
        writer = Writer().u8(RESPONSE_TAG).u8(3).u8(self.invoke_id_and_priority.encode()).length(len(self.result))
        for result in self.result:
            write_get_data_result(writer, result)
        return writer.octets()

    def summary(self) -> str:
        return f"GET response, list of {len(self.result)} results"


def write_get_data_result(writer: Writer, result: Data | DataAccessResult) -> None:
    if isinstance(result, DataAccessResult):
        writer.u8(1).u8(result)
    else:
        writer.u8(0)
        write_data(writer, result)


def read_get_request(reader: Reader) -> GetRequestNormal | GetRequestNext | GetRequestWithList:
    with reader.group("get-request"):
        reader.constant(bytes((REQUEST_TAG,)), "tag")
        at = reader.position
        choice = reader.u8("choice")
        reader.label(f"{choice} ({ {1: 'normal', 2: 'next', 3: 'with-list'}.get(choice, 'unknown') })")
        invocation = read_invoke_id(reader)
        if choice == 1:
            return GetRequestNormal(invocation, read_attribute_descriptor(reader), read_optional_selection(reader))
        if choice == 2:
            return GetRequestNext(invocation, reader.u32("block-number"))
        if choice == 3:
            count = reader.count("count", least=10)
            items = tuple((read_attribute_descriptor(reader), read_optional_selection(reader)) for _ in range(count))
            return GetRequestWithList(invocation, items)
        raise UnknownTagError("get-request", at, f"choice {choice} is not assigned")


def read_get_response(reader: Reader) -> GetResponseNormal | GetResponseWithDatablock | GetResponseWithList:
    with reader.group("get-response"):
        reader.constant(bytes((RESPONSE_TAG,)), "tag")
        at = reader.position
        choice = reader.u8("choice")
        reader.label(f"{choice} ({ {1: 'normal', 2: 'with-datablock', 3: 'with-list'}.get(choice, 'unknown') })")
        invocation = read_invoke_id(reader)
        if choice == 1:
            return GetResponseNormal(invocation, read_get_data_result(reader))
        if choice == 2:
            return _read_block(reader, invocation)
        if choice == 3:
            count = reader.count("count", least=2)
            return GetResponseWithList(invocation, tuple(read_get_data_result(reader) for _ in range(count)))
        raise UnknownTagError("get-response", at, f"choice {choice} is not assigned")


def _read_block(reader: Reader, invocation: InvokeIdAndPriority) -> GetResponseWithDatablock:
    last_block = reader.flag("last-block")
    block_number = reader.u32("block-number")
    at = reader.position
    choice = reader.u8("result-choice")
    if choice == 0:
        return GetResponseWithDatablock(invocation, last_block, block_number, reader.octet_string("raw-data"))
    if choice == 1:
        return GetResponseWithDatablock(invocation, last_block, block_number, read_data_access_result(reader))
    raise UnknownTagError("result", at, f"{choice} is neither raw-data (0) nor data-access-result (1)")
