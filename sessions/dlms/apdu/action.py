"""ACTION: invoke methods (IEC 62056-5-3, action-request and action-response)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from meters.cosem.data import Data
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemMethodDescriptor,
    DataAccessResult,
    Datablock,
    InvokeIdAndPriority,
    read_action_result,
    read_datablock,
    read_get_data_result,
    read_invoke_id,
    read_method_descriptor,
)
from sessions.dlms.apdu.get import short_text, write_get_data_result
from sessions.dlms.axdr import read_data, write_data
from sessions.dlms.cursor import Reader, Writer
from sessions.dlms.errors import UnknownTagError

REQUEST_TAG = 0xC3
RESPONSE_TAG = 0xC7


def _request(choice: int, invocation: InvokeIdAndPriority) -> Writer:
    return Writer().u8(REQUEST_TAG).u8(choice).u8(invocation.encode())


def _response(choice: int, invocation: InvokeIdAndPriority) -> Writer:
    return Writer().u8(RESPONSE_TAG).u8(choice).u8(invocation.encode())


@dataclass(frozen=True, slots=True)
class ActionRequestNormal:
    tag: ClassVar[int] = REQUEST_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    cosem_method_descriptor: CosemMethodDescriptor
    method_invocation_parameters: Data | None = None

    def encode(self) -> bytes:
        writer = _request(1, self.invoke_id_and_priority)
        self.cosem_method_descriptor.write(writer)
        if self.method_invocation_parameters is None:
            writer.u8(0)
        else:
            writer.u8(1)
            write_data(writer, self.method_invocation_parameters)
        return writer.octets()

    def summary(self) -> str:
        parameters = self.method_invocation_parameters
        shown = "" if parameters is None else f" ({short_text(parameters, 40)})"
        return f"ACTION request {self.cosem_method_descriptor}{shown}"


@dataclass(frozen=True, slots=True)
class ActionRequestNextPblock:
    tag: ClassVar[int] = REQUEST_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    block_number: int

    def encode(self) -> bytes:
        return _request(2, self.invoke_id_and_priority).u32(self.block_number).octets()

    def summary(self) -> str:
        return f"ACTION request, next block after {self.block_number}"


@dataclass(frozen=True, slots=True)
class ActionRequestWithList:
    tag: ClassVar[int] = REQUEST_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    cosem_method_descriptor_list: tuple[CosemMethodDescriptor, ...]
    method_invocation_parameters: tuple[Data, ...]

    def encode(self) -> bytes:
        writer = _request(3, self.invoke_id_and_priority).length(len(self.cosem_method_descriptor_list))
        for descriptor in self.cosem_method_descriptor_list:
            descriptor.write(writer)
        writer.length(len(self.method_invocation_parameters))
        for parameters in self.method_invocation_parameters:
            write_data(writer, parameters)
        return writer.octets()

    def summary(self) -> str:
        return f"ACTION request, list of {len(self.cosem_method_descriptor_list)} methods"


@dataclass(frozen=True, slots=True)
class ActionRequestWithFirstPblock:
    tag: ClassVar[int] = REQUEST_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    cosem_method_descriptor: CosemMethodDescriptor
    last_block: bool
    block_number: int
    raw_data: bytes

    def encode(self) -> bytes:
        writer = _request(4, self.invoke_id_and_priority)
        self.cosem_method_descriptor.write(writer)
        Datablock(self.last_block, self.block_number, self.raw_data).write(writer)
        return writer.octets()

    def summary(self) -> str:
        return f"ACTION request {self.cosem_method_descriptor}, first block, {len(self.raw_data)} octets"


@dataclass(frozen=True, slots=True)
class ActionRequestWithListAndFirstPblock:
    tag: ClassVar[int] = REQUEST_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    cosem_method_descriptor_list: tuple[CosemMethodDescriptor, ...]
    last_block: bool
    block_number: int
    raw_data: bytes

    def encode(self) -> bytes:
        writer = _request(5, self.invoke_id_and_priority).length(len(self.cosem_method_descriptor_list))
        for descriptor in self.cosem_method_descriptor_list:
            descriptor.write(writer)
        Datablock(self.last_block, self.block_number, self.raw_data).write(writer)
        return writer.octets()

    def summary(self) -> str:
        return f"ACTION request, list of {len(self.cosem_method_descriptor_list)} methods, first block"


@dataclass(frozen=True, slots=True)
class ActionRequestWithPblock:
    tag: ClassVar[int] = REQUEST_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    last_block: bool
    block_number: int
    raw_data: bytes

    def encode(self) -> bytes:
        writer = _request(6, self.invoke_id_and_priority)
        Datablock(self.last_block, self.block_number, self.raw_data).write(writer)
        return writer.octets()

    def summary(self) -> str:
        return f"ACTION request block {self.block_number}, {len(self.raw_data)} octets"


@dataclass(frozen=True, slots=True)
class ActionResponseNormal:
    tag: ClassVar[int] = RESPONSE_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    result: ActionResult
    return_parameters: Data | DataAccessResult | None = None

    def encode(self) -> bytes:
        writer = _response(1, self.invoke_id_and_priority)
        _write_with_optional_data(writer, self.result, self.return_parameters)
        return writer.octets()

    def summary(self) -> str:
        returned = "" if self.return_parameters is None else f", {short_text(self.return_parameters)}"
        return f"ACTION response: {self.result.words}{returned}"


@dataclass(frozen=True, slots=True)
class ActionResponseWithPblock:
    tag: ClassVar[int] = RESPONSE_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    last_block: bool
    block_number: int
    raw_data: bytes

    def encode(self) -> bytes:
        writer = _response(2, self.invoke_id_and_priority)
        Datablock(self.last_block, self.block_number, self.raw_data).write(writer)
        return writer.octets()

    def summary(self) -> str:
        more = "the last" if self.last_block else "more follow"
        return f"ACTION response block {self.block_number}, {len(self.raw_data)} octets, {more}"


@dataclass(frozen=True, slots=True)
class ActionResponseWithList:
    tag: ClassVar[int] = RESPONSE_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    list_of_responses: tuple[tuple[ActionResult, Data | DataAccessResult | None], ...]

    def encode(self) -> bytes:
        writer = _response(3, self.invoke_id_and_priority).length(len(self.list_of_responses))
        for result, returned in self.list_of_responses:
            _write_with_optional_data(writer, result, returned)
        return writer.octets()

    def summary(self) -> str:
        return f"ACTION response, list of {len(self.list_of_responses)} results"


@dataclass(frozen=True, slots=True)
class ActionResponseNextPblock:
    """One block of a long request has arrived."""

    tag: ClassVar[int] = RESPONSE_TAG
    invoke_id_and_priority: InvokeIdAndPriority
    block_number: int

    def encode(self) -> bytes:
        return _response(4, self.invoke_id_and_priority).u32(self.block_number).octets()

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


def _read_with_optional_data(reader: Reader) -> tuple[ActionResult, Data | DataAccessResult | None]:
    result = read_action_result(reader)
    # Some meters leave the flag out after a refusal.
    if reader.remaining == 0 or not reader.flag("return-parameters-present"):
        return result, None
    return result, read_get_data_result(reader, "return-parameters")


def read_action_request(reader: Reader) -> ActionRequest:
    with reader.group("action-request"):
        reader.constant(bytes((REQUEST_TAG,)), "tag")
        at = reader.position
        choice = reader.u8("choice")
        invocation = read_invoke_id(reader)
        if choice == 1:
            descriptor = read_method_descriptor(reader)
            present = reader.flag("parameters-present")
            return ActionRequestNormal(invocation, descriptor, read_data(reader) if present else None)
        if choice == 2:
            return ActionRequestNextPblock(invocation, reader.u32("block-number"))
        if choice in (3, 5):
            methods = tuple(read_method_descriptor(reader) for _ in range(reader.count("count", least=9)))
            if choice == 3:
                values = tuple(read_data(reader) for _ in range(reader.count("count")))
                return ActionRequestWithList(invocation, methods, values)
            block = read_datablock(reader)
            return ActionRequestWithListAndFirstPblock(
                invocation, methods, block.last_block, block.block_number, block.raw_data
            )
        if choice == 4:
            descriptor = read_method_descriptor(reader)
            block = read_datablock(reader)
            return ActionRequestWithFirstPblock(
                invocation, descriptor, block.last_block, block.block_number, block.raw_data
            )
        if choice == 6:
            block = read_datablock(reader)
            return ActionRequestWithPblock(invocation, block.last_block, block.block_number, block.raw_data)
        raise UnknownTagError("action-request", at, f"choice {choice} is not assigned")


def read_action_response(reader: Reader) -> ActionResponse:
    with reader.group("action-response"):
        reader.constant(bytes((RESPONSE_TAG,)), "tag")
        at = reader.position
        choice = reader.u8("choice")
        invocation = read_invoke_id(reader)
        if choice == 1:
            return ActionResponseNormal(invocation, *_read_with_optional_data(reader))
        if choice == 2:
            block = read_datablock(reader)
            return ActionResponseWithPblock(invocation, block.last_block, block.block_number, block.raw_data)
        if choice == 3:
            count = reader.count("count", least=2)
            return ActionResponseWithList(invocation, tuple(_read_with_optional_data(reader) for _ in range(count)))
        if choice == 4:
            return ActionResponseNextPblock(invocation, reader.u32("block-number"))
        raise UnknownTagError("action-response", at, f"choice {choice} is not assigned")
