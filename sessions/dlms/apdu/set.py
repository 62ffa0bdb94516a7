"""SET: write attributes (IEC 62056-5-3, set-request and set-response)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from meters.cosem.data import Data
from sessions.dlms.apdu.descriptors import (
    CosemAttributeDescriptor,
    DataAccessResult,
    Datablock,
    InvokeIdAndPriority,
    read_attribute_descriptor,
    read_data_access_result,
    read_datablock,
    read_invoke_id,
)
from sessions.dlms.apdu.get import short_text
from sessions.dlms.axdr import read_data, write_data
from sessions.dlms.cursor import Reader, Writer
from sessions.dlms.errors import UnknownTagError
from sessions.dlms.selective_access import SelectiveAccess, read_optional_selection, write_optional_selection

REQUEST_TAG = 0xC1
RESPONSE_TAG = 0xC5


def _request(choice: int, invocation: InvokeIdAndPriority) -> Writer:
    return Writer().u8(REQUEST_TAG).u8(choice).u8(invocation.encode())


def _response(choice: int, invocation: InvokeIdAndPriority) -> Writer:
    return Writer().u8(RESPONSE_TAG).u8(choice).u8(invocation.encode())


@dataclass(frozen=True, slots=True)
class SetRequestNormal:
    tag: ClassVar[int] = REQUEST_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    cosem_attribute_descriptor: CosemAttributeDescriptor
    access_selection: SelectiveAccess | None
    value: Data

    def encode(self) -> bytes:
        writer = _request(1, self.invoke_id_and_priority)
        self.cosem_attribute_descriptor.write(writer)
        write_optional_selection(writer, self.access_selection)
        write_data(writer, self.value)
        return writer.octets()

    def summary(self) -> str:
        return f"SET request {self.cosem_attribute_descriptor} := {short_text(self.value)}"


@dataclass(frozen=True, slots=True)
class SetRequestWithFirstDatablock:
    tag: ClassVar[int] = REQUEST_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    cosem_attribute_descriptor: CosemAttributeDescriptor
    access_selection: SelectiveAccess | None
    last_block: bool
    block_number: int
    raw_data: bytes

    def encode(self) -> bytes:
        writer = _request(2, self.invoke_id_and_priority)
        self.cosem_attribute_descriptor.write(writer)
        write_optional_selection(writer, self.access_selection)
        Datablock(self.last_block, self.block_number, self.raw_data).write(writer)
        return writer.octets()

    def summary(self) -> str:
        return f"SET request {self.cosem_attribute_descriptor}, first block, {len(self.raw_data)} octets"


@dataclass(frozen=True, slots=True)
class SetRequestWithDatablock:
    tag: ClassVar[int] = REQUEST_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    last_block: bool
    block_number: int
    raw_data: bytes

    def encode(self) -> bytes:
        writer = _request(3, self.invoke_id_and_priority)
        Datablock(self.last_block, self.block_number, self.raw_data).write(writer)
        return writer.octets()

    def summary(self) -> str:
        return f"SET request block {self.block_number}, {len(self.raw_data)} octets"


@dataclass(frozen=True, slots=True)
class SetRequestWithList:
    tag: ClassVar[int] = REQUEST_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    attribute_descriptor_list: tuple[tuple[CosemAttributeDescriptor, SelectiveAccess | None], ...]
    value_list: tuple[Data, ...]

    def encode(self) -> bytes:
        writer = _request(4, self.invoke_id_and_priority).length(len(self.attribute_descriptor_list))
        for descriptor, selection in self.attribute_descriptor_list:
            descriptor.write(writer)
            write_optional_selection(writer, selection)
        writer.length(len(self.value_list))
        for value in self.value_list:
            write_data(writer, value)
        return writer.octets()

    def summary(self) -> str:
        return f"SET request, list of {len(self.attribute_descriptor_list)} attributes"


@dataclass(frozen=True, slots=True)
class SetRequestWithListAndFirstDatablock:
    tag: ClassVar[int] = REQUEST_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    attribute_descriptor_list: tuple[tuple[CosemAttributeDescriptor, SelectiveAccess | None], ...]
    last_block: bool
    block_number: int
    raw_data: bytes

    def encode(self) -> bytes:
        writer = _request(5, self.invoke_id_and_priority).length(len(self.attribute_descriptor_list))
        for descriptor, selection in self.attribute_descriptor_list:
            descriptor.write(writer)
            write_optional_selection(writer, selection)
        Datablock(self.last_block, self.block_number, self.raw_data).write(writer)
        return writer.octets()

    def summary(self) -> str:
        return f"SET request, list of {len(self.attribute_descriptor_list)} attributes, first block"


@dataclass(frozen=True, slots=True)
class SetResponseNormal:
    tag: ClassVar[int] = RESPONSE_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    result: DataAccessResult

    def encode(self) -> bytes:
        return _response(1, self.invoke_id_and_priority).u8(self.result).octets()

    def summary(self) -> str:
        return f"SET response: {self.result.words}"


@dataclass(frozen=True, slots=True)
class SetResponseDatablock:
    """One block of a long SET has arrived."""

    tag: ClassVar[int] = RESPONSE_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    block_number: int

    def encode(self) -> bytes:
        return _response(2, self.invoke_id_and_priority).u32(self.block_number).octets()

    def summary(self) -> str:
        return f"SET response, block {self.block_number} received"


@dataclass(frozen=True, slots=True)
class SetResponseLastDatablock:
    tag: ClassVar[int] = RESPONSE_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    result: DataAccessResult
    block_number: int

    def encode(self) -> bytes:
        return _response(3, self.invoke_id_and_priority).u8(self.result).u32(self.block_number).octets()

    def summary(self) -> str:
        return f"SET response after block {self.block_number}: {self.result.words}"


@dataclass(frozen=True, slots=True)
class SetResponseLastDatablockWithList:
    tag: ClassVar[int] = RESPONSE_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    result: tuple[DataAccessResult, ...]
    block_number: int

    def encode(self) -> bytes:
        writer = _response(4, self.invoke_id_and_priority).length(len(self.result))
        return writer.put(bytes(self.result)).u32(self.block_number).octets()

    def summary(self) -> str:
        return f"SET response after block {self.block_number}: {_results(self.result)}"


@dataclass(frozen=True, slots=True)
class SetResponseWithList:
    tag: ClassVar[int] = RESPONSE_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    result: tuple[DataAccessResult, ...]

    def encode(self) -> bytes:
        return _response(5, self.invoke_id_and_priority).length(len(self.result)).put(bytes(self.result)).octets()

    def summary(self) -> str:
        return f"SET response: {_results(self.result)}"


def _results(results: tuple[DataAccessResult, ...]) -> str:
    good = sum(result is DataAccessResult.SUCCESS for result in results)
    return f"{good} of {len(results)} written"


SetRequest = (
    SetRequestNormal
    | SetRequestWithFirstDatablock
    | SetRequestWithDatablock
    | SetRequestWithList
    | SetRequestWithListAndFirstDatablock
)
SetResponse = (
    SetResponseNormal
    | SetResponseDatablock
    | SetResponseLastDatablock
    | SetResponseLastDatablockWithList
    | SetResponseWithList
)


def _read_targets(reader: Reader) -> tuple[tuple[CosemAttributeDescriptor, SelectiveAccess | None], ...]:
    count = reader.count("count", least=10)
    return tuple((read_attribute_descriptor(reader), read_optional_selection(reader)) for _ in range(count))


def read_set_request(reader: Reader) -> SetRequest:
    with reader.group("set-request"):
        reader.constant(bytes((REQUEST_TAG,)), "tag")
        at = reader.position
        choice = reader.u8("choice")
        invocation = read_invoke_id(reader)
        if choice in (1, 2):
            descriptor = read_attribute_descriptor(reader)
            selection = read_optional_selection(reader)
            if choice == 1:
                with reader.group("value"):
                    return SetRequestNormal(invocation, descriptor, selection, read_data(reader))
            block = read_datablock(reader)
            return SetRequestWithFirstDatablock(
                invocation, descriptor, selection, block.last_block, block.block_number, block.raw_data
            )
        if choice == 3:
            block = read_datablock(reader)
            return SetRequestWithDatablock(invocation, block.last_block, block.block_number, block.raw_data)
        if choice == 4:
            targets = _read_targets(reader)
            values = tuple(read_data(reader) for _ in range(reader.count("count")))
            return SetRequestWithList(invocation, targets, values)
        if choice == 5:
            targets = _read_targets(reader)
            block = read_datablock(reader)
            return SetRequestWithListAndFirstDatablock(
                invocation, targets, block.last_block, block.block_number, block.raw_data
            )
        raise UnknownTagError("set-request", at, f"choice {choice} is not assigned")


def _read_results(reader: Reader) -> tuple[DataAccessResult, ...]:
    return tuple(read_data_access_result(reader) for _ in range(reader.count("count")))


def read_set_response(reader: Reader) -> SetResponse:
    with reader.group("set-response"):
        reader.constant(bytes((RESPONSE_TAG,)), "tag")
        at = reader.position
        choice = reader.u8("choice")
        invocation = read_invoke_id(reader)
        if choice == 1:
            return SetResponseNormal(invocation, read_data_access_result(reader))
        if choice == 2:
            return SetResponseDatablock(invocation, reader.u32("block-number"))
        if choice == 3:
            return SetResponseLastDatablock(invocation, read_data_access_result(reader), reader.u32("block-number"))
        if choice == 4:
            return SetResponseLastDatablockWithList(invocation, _read_results(reader), reader.u32("block-number"))
        if choice == 5:
            return SetResponseWithList(invocation, _read_results(reader))
        raise UnknownTagError("set-response", at, f"choice {choice} is not assigned")
