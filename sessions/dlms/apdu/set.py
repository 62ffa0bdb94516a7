"""SET: write attributes (IEC 62056-5-3, set-request and set-response)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from meters.cosem.data import Data
from sessions.dlms.apdu.descriptors import (
    CosemAttributeDescriptor,
    DataAccessResult,
    Datablock,
    InvokeIdAndPriority,
    block_text,
    counted,
    read_attribute_descriptor,
    read_data_access_result,
    read_datablock,
    read_invoke_id,
    read_list_count,
)
from sessions.dlms.apdu.get import AttributeList, read_attribute_list, short_text, write_attribute_list
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.axdr import read_data, write_data
from sessions.dlms.cursor import Reader, Writer
from sessions.dlms.selective_access import SelectiveAccess, read_optional_selection, write_optional_selection


class SetRequestChoice(IntEnum):
    NORMAL = 1
    WITH_FIRST_DATABLOCK = 2
    WITH_DATABLOCK = 3
    WITH_LIST = 4
    WITH_LIST_AND_FIRST_DATABLOCK = 5


class SetResponseChoice(IntEnum):
    NORMAL = 1
    DATABLOCK = 2
    LAST_DATABLOCK = 3
    LAST_DATABLOCK_WITH_LIST = 4
    WITH_LIST = 5


def _request(choice: SetRequestChoice, invocation: InvokeIdAndPriority) -> Writer:
    return Writer().u8(ApduTag.SET_REQUEST).u8(choice).u8(invocation.encode())


def _response(choice: SetResponseChoice, invocation: InvokeIdAndPriority) -> Writer:
    return Writer().u8(ApduTag.SET_RESPONSE).u8(choice).u8(invocation.encode())


@dataclass(frozen=True, slots=True)
class SetRequestNormal:
    tag: ClassVar[ApduTag] = ApduTag.SET_REQUEST
    invoke_id_and_priority: InvokeIdAndPriority
    cosem_attribute_descriptor: CosemAttributeDescriptor
    access_selection: SelectiveAccess | None
    value: Data

    def encode(self) -> bytes:
        writer = _request(SetRequestChoice.NORMAL, self.invoke_id_and_priority)
        self.cosem_attribute_descriptor.write(writer)
        write_optional_selection(writer, self.access_selection)
        write_data(writer, self.value)
        return writer.octets()

    def summary(self) -> str:
        return f"SET request {self.cosem_attribute_descriptor} := {short_text(self.value)}"


@dataclass(frozen=True, slots=True)
class SetRequestWithFirstDatablock:
    tag: ClassVar[ApduTag] = ApduTag.SET_REQUEST
    invoke_id_and_priority: InvokeIdAndPriority
    cosem_attribute_descriptor: CosemAttributeDescriptor
    access_selection: SelectiveAccess | None
    last_block: bool
    block_number: int
    raw_data: bytes

    def encode(self) -> bytes:
        writer = _request(SetRequestChoice.WITH_FIRST_DATABLOCK, self.invoke_id_and_priority)
        self.cosem_attribute_descriptor.write(writer)
        write_optional_selection(writer, self.access_selection)
        Datablock(self.last_block, self.block_number, self.raw_data).write(writer)
        return writer.octets()

    def summary(self) -> str:
        block = block_text(self.last_block, self.block_number, self.raw_data)
        return f"SET request {self.cosem_attribute_descriptor}, {block}"


@dataclass(frozen=True, slots=True)
class SetRequestWithDatablock:
    tag: ClassVar[ApduTag] = ApduTag.SET_REQUEST
    invoke_id_and_priority: InvokeIdAndPriority
    last_block: bool
    block_number: int
    raw_data: bytes

    def encode(self) -> bytes:
        writer = _request(SetRequestChoice.WITH_DATABLOCK, self.invoke_id_and_priority)
        Datablock(self.last_block, self.block_number, self.raw_data).write(writer)
        return writer.octets()

    def summary(self) -> str:
        return f"SET request {block_text(self.last_block, self.block_number, self.raw_data)}"


@dataclass(frozen=True, slots=True)
class SetRequestWithList:
    tag: ClassVar[ApduTag] = ApduTag.SET_REQUEST
    invoke_id_and_priority: InvokeIdAndPriority
    attribute_descriptor_list: AttributeList
    value_list: tuple[Data, ...]

    def encode(self) -> bytes:
        writer = _request(SetRequestChoice.WITH_LIST, self.invoke_id_and_priority)
        write_attribute_list(writer, self.attribute_descriptor_list)
        writer.length(len(self.value_list))
        for value in self.value_list:
            write_data(writer, value)
        return writer.octets()

    def summary(self) -> str:
        return f"SET request, list of {counted(len(self.attribute_descriptor_list), 'attribute')}"


@dataclass(frozen=True, slots=True)
class SetRequestWithListAndFirstDatablock:
    tag: ClassVar[ApduTag] = ApduTag.SET_REQUEST
    invoke_id_and_priority: InvokeIdAndPriority
    attribute_descriptor_list: AttributeList
    last_block: bool
    block_number: int
    raw_data: bytes

    def encode(self) -> bytes:
        writer = _request(SetRequestChoice.WITH_LIST_AND_FIRST_DATABLOCK, self.invoke_id_and_priority)
        write_attribute_list(writer, self.attribute_descriptor_list)
        Datablock(self.last_block, self.block_number, self.raw_data).write(writer)
        return writer.octets()

    def summary(self) -> str:
        block = block_text(self.last_block, self.block_number, self.raw_data)
        return f"SET request, list of {counted(len(self.attribute_descriptor_list), 'attribute')}, {block}"


@dataclass(frozen=True, slots=True)
class SetResponseNormal:
    tag: ClassVar[ApduTag] = ApduTag.SET_RESPONSE
    invoke_id_and_priority: InvokeIdAndPriority
    result: DataAccessResult

    def encode(self) -> bytes:
        return _response(SetResponseChoice.NORMAL, self.invoke_id_and_priority).u8(self.result).octets()

    def summary(self) -> str:
        return f"SET response: {self.result.summary()}"


@dataclass(frozen=True, slots=True)
class SetResponseDatablock:
    """One block of a long SET has arrived."""

    tag: ClassVar[ApduTag] = ApduTag.SET_RESPONSE
    invoke_id_and_priority: InvokeIdAndPriority
    block_number: int

    def encode(self) -> bytes:
        return _response(SetResponseChoice.DATABLOCK, self.invoke_id_and_priority).u32(self.block_number).octets()

    def summary(self) -> str:
        return f"SET response, block {self.block_number} received"


@dataclass(frozen=True, slots=True)
class SetResponseLastDatablock:
    tag: ClassVar[ApduTag] = ApduTag.SET_RESPONSE
    invoke_id_and_priority: InvokeIdAndPriority
    result: DataAccessResult
    block_number: int

    def encode(self) -> bytes:
        return (
            _response(SetResponseChoice.LAST_DATABLOCK, self.invoke_id_and_priority)
            .u8(self.result)
            .u32(self.block_number)
            .octets()
        )

    def summary(self) -> str:
        return f"SET response after block {self.block_number}: {self.result.summary()}"


@dataclass(frozen=True, slots=True)
class SetResponseLastDatablockWithList:
    tag: ClassVar[ApduTag] = ApduTag.SET_RESPONSE
    invoke_id_and_priority: InvokeIdAndPriority
    result: tuple[DataAccessResult, ...]
    block_number: int

    def encode(self) -> bytes:
        writer = _response(SetResponseChoice.LAST_DATABLOCK_WITH_LIST, self.invoke_id_and_priority)
        return writer.octet_string(bytes(self.result)).u32(self.block_number).octets()

    def summary(self) -> str:
        return f"SET response after block {self.block_number}: {_results(self.result)}"


@dataclass(frozen=True, slots=True)
class SetResponseWithList:
    tag: ClassVar[ApduTag] = ApduTag.SET_RESPONSE
    invoke_id_and_priority: InvokeIdAndPriority
    result: tuple[DataAccessResult, ...]

    def encode(self) -> bytes:
        writer = _response(SetResponseChoice.WITH_LIST, self.invoke_id_and_priority)
        return writer.octet_string(bytes(self.result)).octets()

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


def read_set_request(reader: Reader) -> SetRequest:
    with reader.group("set-request"):
        reader.constant(bytes((ApduTag.SET_REQUEST,)), "tag")
        choice = reader.enum(SetRequestChoice, "choice")
        invocation = read_invoke_id(reader)
        match choice:
            case SetRequestChoice.NORMAL | SetRequestChoice.WITH_FIRST_DATABLOCK:
                return _read_one(reader, choice, invocation)
            case SetRequestChoice.WITH_DATABLOCK:
                block = read_datablock(reader)
                return SetRequestWithDatablock(invocation, block.last_block, block.block_number, block.raw_data)
            case SetRequestChoice.WITH_LIST:
                attributes = read_attribute_list(reader)
                with reader.group("value-list"):
                    values = tuple(read_data(reader) for _ in range(read_list_count(reader)))
                return SetRequestWithList(invocation, attributes, values)
            case SetRequestChoice.WITH_LIST_AND_FIRST_DATABLOCK:
                attributes = read_attribute_list(reader)
                block = read_datablock(reader)
                return SetRequestWithListAndFirstDatablock(
                    invocation, attributes, block.last_block, block.block_number, block.raw_data
                )


def _read_one(
    reader: Reader, choice: SetRequestChoice, invocation: InvokeIdAndPriority
) -> SetRequestNormal | SetRequestWithFirstDatablock:
    """One attribute: with its value, or with the first block of it."""
    descriptor = read_attribute_descriptor(reader)
    selection = read_optional_selection(reader)
    if choice is SetRequestChoice.NORMAL:
        with reader.group("value"):
            return SetRequestNormal(invocation, descriptor, selection, read_data(reader))
    block = read_datablock(reader)
    return SetRequestWithFirstDatablock(
        invocation, descriptor, selection, block.last_block, block.block_number, block.raw_data
    )


def _read_results(reader: Reader) -> tuple[DataAccessResult, ...]:
    with reader.group("result"):
        return tuple(read_data_access_result(reader) for _ in range(read_list_count(reader)))


def read_set_response(reader: Reader) -> SetResponse:
    with reader.group("set-response"):
        reader.constant(bytes((ApduTag.SET_RESPONSE,)), "tag")
        choice = reader.enum(SetResponseChoice, "choice")
        invocation = read_invoke_id(reader)
        match choice:
            case SetResponseChoice.NORMAL:
                return SetResponseNormal(invocation, read_data_access_result(reader))
            case SetResponseChoice.DATABLOCK:
                return SetResponseDatablock(invocation, reader.u32("block-number"))
            case SetResponseChoice.LAST_DATABLOCK:
                result = read_data_access_result(reader)
                return SetResponseLastDatablock(invocation, result, reader.u32("block-number"))
            case SetResponseChoice.LAST_DATABLOCK_WITH_LIST:
                results = _read_results(reader)
                return SetResponseLastDatablockWithList(invocation, results, reader.u32("block-number"))
            case SetResponseChoice.WITH_LIST:
                return SetResponseWithList(invocation, _read_results(reader))
