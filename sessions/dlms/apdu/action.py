"""ACTION: invoke methods (IEC 62056-5-3, action-request and action-response)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final

from meters.cosem.data import Data, integer
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemMethodDescriptor,
    DataAccessResult,
    Datablock,
    InvokeIdAndPriority,
    block_text,
    counted,
    read_action_result,
    read_datablock,
    read_get_data_result,
    read_invoke_id,
    read_list_count,
    read_method_descriptor,
    write_get_data_result,
)
from sessions.dlms.apdu.get import short_text
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.axdr import read_data, write_data
from sessions.dlms.cursor import Reader, Writer

NO_PARAMETER: Final = integer(0)
"""What the class texts ask for where a method has nothing to be told."""


class ActionRequestChoice(IntEnum):
    NORMAL = 1
    NEXT_PBLOCK = 2
    WITH_LIST = 3
    WITH_FIRST_PBLOCK = 4
    WITH_LIST_AND_FIRST_PBLOCK = 5
    WITH_PBLOCK = 6


class ActionResponseChoice(IntEnum):
    NORMAL = 1
    WITH_PBLOCK = 2
    WITH_LIST = 3
    NEXT_PBLOCK = 4


def _request(choice: ActionRequestChoice, invocation: InvokeIdAndPriority) -> Writer:
    return Writer().u8(ApduTag.ACTION_REQUEST).u8(choice).u8(invocation.encode())


def _response(choice: ActionResponseChoice, invocation: InvokeIdAndPriority) -> Writer:
    return Writer().u8(ApduTag.ACTION_RESPONSE).u8(choice).u8(invocation.encode())


@dataclass(frozen=True, slots=True)
class ActionRequestNormal:
    tag: ClassVar[ApduTag] = ApduTag.ACTION_REQUEST
    invoke_id_and_priority: InvokeIdAndPriority
    cosem_method_descriptor: CosemMethodDescriptor
    method_invocation_parameters: Data | None = None

    def encode(self) -> bytes:
        writer = _request(ActionRequestChoice.NORMAL, self.invoke_id_and_priority)
        self.cosem_method_descriptor.write(writer)
        if self.method_invocation_parameters is None:
            writer.u8(0)
        else:
            writer.u8(1)
            write_data(writer, self.method_invocation_parameters)
        return writer.octets()

    def summary(self) -> str:
        parameters = self.method_invocation_parameters
        shown = "" if parameters in (None, NO_PARAMETER) else f", {short_text(parameters, 40)}"
        return f"ACTION request {self.cosem_method_descriptor}{shown}"


@dataclass(frozen=True, slots=True)
class ActionRequestNextPblock:
    tag: ClassVar[ApduTag] = ApduTag.ACTION_REQUEST
    invoke_id_and_priority: InvokeIdAndPriority
    block_number: int

    def encode(self) -> bytes:
        return _request(ActionRequestChoice.NEXT_PBLOCK, self.invoke_id_and_priority).u32(self.block_number).octets()

    def summary(self) -> str:
        return f"ACTION request, next block after {self.block_number}"


@dataclass(frozen=True, slots=True)
class ActionRequestWithList:
    tag: ClassVar[ApduTag] = ApduTag.ACTION_REQUEST
    invoke_id_and_priority: InvokeIdAndPriority
    cosem_method_descriptor_list: tuple[CosemMethodDescriptor, ...]
    method_invocation_parameters: tuple[Data, ...]

    def encode(self) -> bytes:
        writer = _request(ActionRequestChoice.WITH_LIST, self.invoke_id_and_priority)
        _write_methods(writer, self.cosem_method_descriptor_list)
        writer.length(len(self.method_invocation_parameters))
        for parameters in self.method_invocation_parameters:
            write_data(writer, parameters)
        return writer.octets()

    def summary(self) -> str:
        return f"ACTION request, list of {counted(len(self.cosem_method_descriptor_list), 'method')}"


@dataclass(frozen=True, slots=True)
class ActionRequestWithFirstPblock:
    tag: ClassVar[ApduTag] = ApduTag.ACTION_REQUEST
    invoke_id_and_priority: InvokeIdAndPriority
    cosem_method_descriptor: CosemMethodDescriptor
    last_block: bool
    block_number: int
    raw_data: bytes

    def encode(self) -> bytes:
        writer = _request(ActionRequestChoice.WITH_FIRST_PBLOCK, self.invoke_id_and_priority)
        self.cosem_method_descriptor.write(writer)
        Datablock(self.last_block, self.block_number, self.raw_data).write(writer)
        return writer.octets()

    def summary(self) -> str:
        block = block_text(self.last_block, self.block_number, self.raw_data)
        return f"ACTION request {self.cosem_method_descriptor}, {block}"


@dataclass(frozen=True, slots=True)
class ActionRequestWithListAndFirstPblock:
    tag: ClassVar[ApduTag] = ApduTag.ACTION_REQUEST
    invoke_id_and_priority: InvokeIdAndPriority
    cosem_method_descriptor_list: tuple[CosemMethodDescriptor, ...]
    last_block: bool
    block_number: int
    raw_data: bytes

    def encode(self) -> bytes:
        writer = _request(ActionRequestChoice.WITH_LIST_AND_FIRST_PBLOCK, self.invoke_id_and_priority)
        _write_methods(writer, self.cosem_method_descriptor_list)
        Datablock(self.last_block, self.block_number, self.raw_data).write(writer)
        return writer.octets()

    def summary(self) -> str:
        block = block_text(self.last_block, self.block_number, self.raw_data)
        return f"ACTION request, list of {counted(len(self.cosem_method_descriptor_list), 'method')}, {block}"


@dataclass(frozen=True, slots=True)
class ActionRequestWithPblock:
    tag: ClassVar[ApduTag] = ApduTag.ACTION_REQUEST
    invoke_id_and_priority: InvokeIdAndPriority
    last_block: bool
    block_number: int
    raw_data: bytes

    def encode(self) -> bytes:
        writer = _request(ActionRequestChoice.WITH_PBLOCK, self.invoke_id_and_priority)
        Datablock(self.last_block, self.block_number, self.raw_data).write(writer)
        return writer.octets()

    def summary(self) -> str:
        return f"ACTION request {block_text(self.last_block, self.block_number, self.raw_data)}"


@dataclass(frozen=True, slots=True)
class ActionResponseNormal:
    tag: ClassVar[ApduTag] = ApduTag.ACTION_RESPONSE
    invoke_id_and_priority: InvokeIdAndPriority
    result: ActionResult
    return_parameters: Data | DataAccessResult | None = None

    def encode(self) -> bytes:
        writer = _response(ActionResponseChoice.NORMAL, self.invoke_id_and_priority)
        _write_with_optional_data(writer, self.result, self.return_parameters)
        return writer.octets()

    def summary(self) -> str:
        returned = "" if self.return_parameters is None else f", {short_text(self.return_parameters)}"
        return f"ACTION response: {self.result.summary()}{returned}"


@dataclass(frozen=True, slots=True)
class ActionResponseWithPblock:
    tag: ClassVar[ApduTag] = ApduTag.ACTION_RESPONSE
    invoke_id_and_priority: InvokeIdAndPriority
    last_block: bool
    block_number: int
    raw_data: bytes

    def encode(self) -> bytes:
        writer = _response(ActionResponseChoice.WITH_PBLOCK, self.invoke_id_and_priority)
        Datablock(self.last_block, self.block_number, self.raw_data).write(writer)
        return writer.octets()

    def summary(self) -> str:
        return f"ACTION response {block_text(self.last_block, self.block_number, self.raw_data)}"


@dataclass(frozen=True, slots=True)
class ActionResponseWithList:
    tag: ClassVar[ApduTag] = ApduTag.ACTION_RESPONSE
    invoke_id_and_priority: InvokeIdAndPriority
    list_of_responses: tuple[tuple[ActionResult, Data | DataAccessResult | None], ...]

    def encode(self) -> bytes:
        writer = _response(ActionResponseChoice.WITH_LIST, self.invoke_id_and_priority)
        writer.length(len(self.list_of_responses))
        for result, returned in self.list_of_responses:
            _write_with_optional_data(writer, result, returned)
        return writer.octets()

    def summary(self) -> str:
        return f"ACTION response, list of {counted(len(self.list_of_responses), 'result')}"


@dataclass(frozen=True, slots=True)
class ActionResponseNextPblock:
    """One block of a long request has arrived."""

    tag: ClassVar[ApduTag] = ApduTag.ACTION_RESPONSE
    invoke_id_and_priority: InvokeIdAndPriority
    block_number: int

    def encode(self) -> bytes:
        return _response(ActionResponseChoice.NEXT_PBLOCK, self.invoke_id_and_priority).u32(self.block_number).octets()

    def summary(self) -> str:
        return f"ACTION response, block {self.block_number} received"


ActionRequest = (
    ActionRequestNormal
    | ActionRequestNextPblock
    | ActionRequestWithList
    | ActionRequestWithFirstPblock
    | ActionRequestWithListAndFirstPblock
    | ActionRequestWithPblock
)
ActionResponse = ActionResponseNormal | ActionResponseWithPblock | ActionResponseWithList | ActionResponseNextPblock


def _write_with_optional_data(writer: Writer, result: ActionResult, returned: Data | DataAccessResult | None) -> None:
    writer.u8(result)
    if returned is None:
        writer.u8(0)
    else:
        writer.u8(1)
        write_get_data_result(writer, returned)


def read_response_with_optional_data(reader: Reader) -> tuple[ActionResult, Data | DataAccessResult | None]:
    """Action-Response-With-Optional-Data."""
    result = read_action_result(reader)
    # Some meters leave the flag out after a refusal.
    if reader.remaining == 0 or not reader.flag("return-parameters-present"):
        return result, None
    return result, read_get_data_result(reader, "return-parameters")


def read_action_request(reader: Reader) -> ActionRequest:
    with reader.group("action-request"):
        reader.constant(bytes((ApduTag.ACTION_REQUEST,)), "tag")
        choice = reader.enum(ActionRequestChoice, "choice")
        invocation = read_invoke_id(reader)
        match choice:
            case ActionRequestChoice.NORMAL:
                descriptor = read_method_descriptor(reader)
                present = reader.flag("parameters-present")
                return ActionRequestNormal(invocation, descriptor, read_data(reader) if present else None)
            case ActionRequestChoice.NEXT_PBLOCK:
                return ActionRequestNextPblock(invocation, reader.u32("block-number"))
            case ActionRequestChoice.WITH_LIST:
                methods = _read_methods(reader)
                with reader.group("method-invocation-parameters"):
                    parameters = tuple(read_data(reader) for _ in range(read_list_count(reader)))
                return ActionRequestWithList(invocation, methods, parameters)
            case _:
                return _read_request_block(reader, choice, invocation)


def _read_methods(reader: Reader) -> tuple[CosemMethodDescriptor, ...]:
    with reader.group("cosem-method-descriptor-list"):
        return tuple(read_method_descriptor(reader) for _ in range(read_list_count(reader, least=9)))


def _write_methods(writer: Writer, methods: tuple[CosemMethodDescriptor, ...]) -> None:
    writer.length(len(methods))
    for method in methods:
        method.write(writer)


def _read_request_block(reader: Reader, choice: ActionRequestChoice, invocation: InvokeIdAndPriority) -> ActionRequest:
    """The choices that end in a block of the parameters."""
    if choice is ActionRequestChoice.WITH_FIRST_PBLOCK:
        method = read_method_descriptor(reader)
        block = read_datablock(reader)
        return ActionRequestWithFirstPblock(invocation, method, block.last_block, block.block_number, block.raw_data)
    if choice is ActionRequestChoice.WITH_LIST_AND_FIRST_PBLOCK:
        methods = _read_methods(reader)
        block = read_datablock(reader)
        return ActionRequestWithListAndFirstPblock(
            invocation, methods, block.last_block, block.block_number, block.raw_data
        )
    block = read_datablock(reader)
    return ActionRequestWithPblock(invocation, block.last_block, block.block_number, block.raw_data)


def read_action_response(reader: Reader) -> ActionResponse:
    with reader.group("action-response"):
        reader.constant(bytes((ApduTag.ACTION_RESPONSE,)), "tag")
        choice = reader.enum(ActionResponseChoice, "choice")
        invocation = read_invoke_id(reader)
        match choice:
            case ActionResponseChoice.NORMAL:
                return ActionResponseNormal(invocation, *read_response_with_optional_data(reader))
            case ActionResponseChoice.WITH_PBLOCK:
                block = read_datablock(reader)
                return ActionResponseWithPblock(invocation, block.last_block, block.block_number, block.raw_data)
            case ActionResponseChoice.WITH_LIST:
                count = read_list_count(reader, least=2)
                return ActionResponseWithList(
                    invocation, tuple(read_response_with_optional_data(reader) for _ in range(count))
                )
            case ActionResponseChoice.NEXT_PBLOCK:
                return ActionResponseNextPblock(invocation, reader.u32("block-number"))
