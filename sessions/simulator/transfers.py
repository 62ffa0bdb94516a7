"""GET, SET and ACTION of one association, whole and in blocks, on the server's side.

    IDLE ── an answer that does not fit ──> GET_SENDING / ACTION_SENDING ── last block ──> IDLE
    IDLE ── the first block of a request ──> SET_RECEIVING / ACTION_RECEIVING ── last block ──> IDLE

A block that has no place in the state is answered with the result code that the standard has for it, and ends the transfer; a
new request silently takes the place of a transfer that was not finished. Source: IEC 62056-5-3, block transfer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from meters.cosem.data import Data
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu import Apdu
from sessions.dlms.apdu.action import (
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithPblock,
)
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
    DataAccessResult,
    InvokeIdAndPriority,
    ResultChoice,
)
from sessions.dlms.apdu.errors import ExceptionResponse, ExceptionServiceError, StateError
from sessions.dlms.apdu.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseChoice,
    GetResponseNormal,
    GetResponseWithDatablock,
)
from sessions.dlms.apdu.set import (
    SetRequestNormal,
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseNormal,
)
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.axdr import decode_data, encode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.cursor import Writer
from sessions.dlms.errors import DecodeError
from sessions.dlms.selective_access import SelectiveAccess
from sessions.dlms.transfers.blocks import largest_contents
from sessions.simulator.device import Caller, LogicalDevice
from sessions.simulator.objects import Denied, EncodedValue

UNLIMITED: Final = 0xFFFF
MAX_INCOMING: Final = 64 * 1024
"""Octets of a long request that a meter takes before it gives up."""
MAX_LIST: Final = 64
"""Attributes in one GET with list."""

PDU_TOO_LONG: Final = ExceptionResponse(StateError.SERVICE_NOT_ALLOWED, ExceptionServiceError.PDU_TOO_LONG)
NOT_NEGOTIATED: Final = ExceptionResponse(StateError.SERVICE_NOT_ALLOWED, ExceptionServiceError.SERVICE_NOT_SUPPORTED)
ACTION_RESULTS: Final = frozenset(int(result) for result in ActionResult)
"""Numbers that data-access-results and action-results share."""
NOT_SUPPORTED: Final = ExceptionResponse(StateError.SERVICE_UNKNOWN, ExceptionServiceError.SERVICE_NOT_SUPPORTED)


class TransferState(Enum):
    """What is on its way."""

    IDLE = auto()
    GET_SENDING = auto()
    SET_RECEIVING = auto()
    ACTION_RECEIVING = auto()
    ACTION_SENDING = auto()


class OutgoingOctets:
    """Octets made part by part, taken in slices."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts: Iterator[bytes] = iter(parts)
        self._ready = bytearray()
        self._dry = False

    def fits(self, size: int) -> bool:
        """Whether everything that is left has at most `size` octets."""
        self._fill(size + 1)
        return len(self._ready) <= size

    def take(self, size: int) -> tuple[bytes, bool]:
        """The next `size` octets, and whether they are the last."""
        self._fill(size + 1)
        octets = bytes(self._ready[:size])
        del self._ready[:size]
        return octets, self._dry and not self._ready

    def _fill(self, size: int) -> None:
        while len(self._ready) < size and not self._dry:
            part = next(self._parts, None)
            if part is None:
                self._dry = True
            else:
                self._ready += part


@dataclass(slots=True)
class Outgoing:
    """A long answer on its way, in blocks 1 … `block_number`."""

    octets: OutgoingOctets
    block_sizes: tuple[int, ...] = ()
    block_number: int = 0

    def next_block(self, room: int) -> tuple[int, bytes, bool]:
        """Number, octets and whether they are the last; as a recorded meter cut them where it is one."""
        recorded = self.block_sizes[self.block_number] if self.block_number < len(self.block_sizes) else room
        octets, last = self.octets.take(max(1, min(recorded, room)))
        self.block_number += 1
        return self.block_number, octets, last


@dataclass(slots=True)
class Incoming:
    """A long request so far."""

    descriptor: CosemAttributeDescriptor | CosemMethodDescriptor
    selection: SelectiveAccess | None = None
    octets: bytearray = field(default_factory=bytearray)
    block_number: int = 0

    def add(self, number: int, octets: bytes) -> bool:
        """Take a block in; False where it is not the next one, or where the request grows without end."""
        if number != self.block_number + 1 or len(self.octets) + len(octets) > MAX_INCOMING:
            return False
        self.block_number = number
        self.octets += octets
        return True


class ServerTransfers:
    """Answers the requests of one caller. `capacity` is the longest APDU in clear that may go to the client."""

    def __init__(self, device: LogicalDevice, caller: Caller) -> None:
        self.state = TransferState.IDLE
        self._device = device
        self._caller = caller
        self._outgoing = Outgoing(OutgoingOctets(()))
        self._incoming = Incoming(CosemAttributeDescriptor(0, ObisCode(0, 0, 0, 0, 0, 0), 0))

    def answer(self, request: Apdu, capacity: int) -> bytes | None:
        """The answer's octets; None where the client wants none."""
        match request:
            case GetRequestNormal() | GetRequestNext() | GetRequestWithList():
                service = Conformance.GET
            case SetRequestNormal() | SetRequestWithFirstDatablock() | SetRequestWithDatablock():
                service = Conformance.SET
            case (
                ActionRequestNormal()
                | ActionRequestNextPblock()
                | ActionRequestWithFirstPblock()
                | ActionRequestWithPblock()
            ):
                service = Conformance.ACTION
            case _:
                return NOT_SUPPORTED.encode()
        if service not in self._caller.conformance:
            return NOT_NEGOTIATED.encode()
        answer = self._dispatch(request, capacity)
        return answer if request.invoke_id_and_priority.confirmed else None

    def _dispatch(self, request: Apdu, capacity: int) -> bytes:
        match request:
            case GetRequestNext():
                return self._get_next(request, capacity)
            case SetRequestWithDatablock():
                return self._set_block(request)
            case ActionRequestNextPblock():
                return self._action_next(request, capacity)
            case ActionRequestWithPblock():
                return self._action_block(request, capacity)
        self.state = TransferState.IDLE  # what was on its way is given up for the new request
        match request:
            case GetRequestNormal():
                return self._get(request, capacity)
            case GetRequestWithList():
                return self._get_list(request, capacity)
            case SetRequestNormal():
                return self._set(request)
            case SetRequestWithFirstDatablock():
                return self._set_first(request)
            case ActionRequestNormal():
                return self._action(request, capacity)
            case ActionRequestWithFirstPblock():
                return self._action_first(request, capacity)
        raise AssertionError(f"{request!r} has no handler")

    # -- GET ---------------------------------------------------------------------------------------------------------

    def _get(self, request: GetRequestNormal, capacity: int) -> bytes:
        invocation = request.invoke_id_and_priority
        try:
            value = self._read(request.cosem_attribute_descriptor, request.access_selection)
        except Denied as denied:
            return GetResponseNormal(invocation, denied.result).encode()
        head = bytes((ApduTag.GET_RESPONSE, GetResponseChoice.NORMAL, invocation.encode(), ResultChoice.DATA))
        return self._send_get(invocation, head, OutgoingOctets(value.parts), value.block_sizes, capacity)

    def _get_list(self, request: GetRequestWithList, capacity: int) -> bytes:
        if Conformance.MULTIPLE_REFERENCES not in self._caller.conformance:
            return NOT_NEGOTIATED.encode()
        wanted = request.attribute_descriptor_list
        if len(wanted) > MAX_LIST:
            return PDU_TOO_LONG.encode()
        invocation = request.invoke_id_and_priority
        head = bytes((ApduTag.GET_RESPONSE, GetResponseChoice.WITH_LIST, invocation.encode()))
        return self._send_get(invocation, head, OutgoingOctets(self._list_parts(wanted)), (), capacity)

    def _list_parts(
        self, wanted: tuple[tuple[CosemAttributeDescriptor, SelectiveAccess | None], ...]
    ) -> Iterator[bytes]:
        """SEQUENCE OF Get-Data-Result."""
        yield Writer().length(len(wanted)).octets()
        for descriptor, selection in wanted:
            try:
                value = self._read(descriptor, selection)
            except Denied as denied:
                yield bytes((ResultChoice.DATA_ACCESS_RESULT, denied.result))
                continue
            yield bytes((ResultChoice.DATA,))
            yield from value.parts

    def _read(self, descriptor: CosemAttributeDescriptor, selection: SelectiveAccess | None) -> EncodedValue:
        if selection is not None and Conformance.SELECTIVE_ACCESS not in self._caller.conformance:
            raise Denied(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
        value = self._device.get(self._caller, descriptor, selection)
        return EncodedValue((encode_data(value),)) if isinstance(value, Data) else value

    def _send_get(
        self,
        invocation: InvokeIdAndPriority,
        head: bytes,
        octets: OutgoingOctets,
        block_sizes: tuple[int, ...],
        capacity: int,
    ) -> bytes:
        """The answer in one piece where it fits and was not recorded in blocks, else its first block."""
        if not block_sizes and octets.fits(capacity - len(head)):
            return head + octets.take(capacity)[0]
        if Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ not in self._caller.conformance:
            return PDU_TOO_LONG.encode()
        self._outgoing = Outgoing(octets, block_sizes)
        self.state = TransferState.GET_SENDING
        return self._get_block(invocation, capacity)

    def _get_block(self, invocation: InvokeIdAndPriority, capacity: int) -> bytes:
        room = _room(GetResponseWithDatablock(invocation, False, 1, b"").encode(), capacity)
        if room < 1:
            self.state = TransferState.IDLE
            return PDU_TOO_LONG.encode()
        number, octets, last = self._outgoing.next_block(room)
        if last:
            self.state = TransferState.IDLE
        return GetResponseWithDatablock(invocation, last, number, octets).encode()

    def _get_next(self, request: GetRequestNext, capacity: int) -> bytes:
        invocation, number = request.invoke_id_and_priority, request.block_number
        if self.state is not TransferState.GET_SENDING:
            result = DataAccessResult.NO_LONG_GET_IN_PROGRESS
        elif number != self._outgoing.block_number:
            result = DataAccessResult.DATA_BLOCK_NUMBER_INVALID
        else:
            return self._get_block(invocation, capacity)
        self.state = TransferState.IDLE
        return GetResponseWithDatablock(invocation, True, number, result).encode()

    # -- SET ---------------------------------------------------------------------------------------------------------

    def _set(self, request: SetRequestNormal) -> bytes:
        result = self._write(request.cosem_attribute_descriptor, request.access_selection, request.value)
        return SetResponseNormal(request.invoke_id_and_priority, result).encode()

    def _write(
        self, descriptor: CosemAttributeDescriptor, selection: SelectiveAccess | None, value: Data
    ) -> DataAccessResult:
        try:
            self._device.set(self._caller, descriptor, selection, value)
        except Denied as denied:
            return denied.result
        return DataAccessResult.SUCCESS

    def _set_first(self, request: SetRequestWithFirstDatablock) -> bytes:
        if Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE not in self._caller.conformance:
            return NOT_NEGOTIATED.encode()
        self._incoming = Incoming(request.cosem_attribute_descriptor, request.access_selection)
        self.state = TransferState.SET_RECEIVING
        return self._take_set_block(request)

    def _set_block(self, request: SetRequestWithDatablock) -> bytes:
        if self.state is not TransferState.SET_RECEIVING:
            self.state = TransferState.IDLE
            return SetResponseLastDatablock(
                request.invoke_id_and_priority, DataAccessResult.NO_LONG_SET_IN_PROGRESS, request.block_number
            ).encode()
        return self._take_set_block(request)

    def _take_set_block(self, request: SetRequestWithFirstDatablock | SetRequestWithDatablock) -> bytes:
        invocation, number = request.invoke_id_and_priority, request.block_number
        if not self._incoming.add(number, request.raw_data):
            self.state = TransferState.IDLE
            return SetResponseLastDatablock(invocation, DataAccessResult.LONG_SET_ABORTED, number).encode()
        if not request.last_block:
            return SetResponseDatablock(invocation, number).encode()
        self.state = TransferState.IDLE
        descriptor = self._incoming.descriptor
        assert isinstance(descriptor, CosemAttributeDescriptor)  # only SET begins SET_RECEIVING
        try:
            result = self._write(descriptor, self._incoming.selection, decode_data(bytes(self._incoming.octets)))
        except DecodeError:
            result = DataAccessResult.TYPE_UNMATCHED
        return SetResponseLastDatablock(invocation, result, number).encode()

    # -- ACTION ------------------------------------------------------------------------------------------------------

    def _action(self, request: ActionRequestNormal, capacity: int) -> bytes:
        return self._invoke(
            request.invoke_id_and_priority,
            request.cosem_method_descriptor,
            request.method_invocation_parameters,
            capacity,
        )

    def _invoke(
        self,
        invocation: InvokeIdAndPriority,
        descriptor: CosemMethodDescriptor,
        parameters: Data | None,
        capacity: int,
    ) -> bytes:
        returned = None
        try:
            returned = self._device.action(self._caller, descriptor, parameters)
            result = ActionResult.SUCCESS
        except Denied as denied:
            result = ActionResult(denied.result) if int(denied.result) in ACTION_RESULTS else ActionResult.OTHER_REASON
        octets = ActionResponseNormal(invocation, result, returned).encode()
        if len(octets) <= capacity:
            return octets
        if Conformance.BLOCK_TRANSFER_WITH_ACTION not in self._caller.conformance:
            return PDU_TOO_LONG.encode()
        # In blocks the same octets travel without tag, choice and invoke-id: the result and what is returned.
        self._outgoing = Outgoing(OutgoingOctets((octets[3:],)))
        self.state = TransferState.ACTION_SENDING
        return self._send_action_block(invocation, capacity)

    def _send_action_block(self, invocation: InvokeIdAndPriority, capacity: int) -> bytes:
        room = _room(ActionResponseWithPblock(invocation, False, 1, b"").encode(), capacity)
        if room < 1:
            self.state = TransferState.IDLE
            return PDU_TOO_LONG.encode()
        number, octets, last = self._outgoing.next_block(room)
        if last:
            self.state = TransferState.IDLE
        return ActionResponseWithPblock(invocation, last, number, octets).encode()

    def _action_next(self, request: ActionRequestNextPblock, capacity: int) -> bytes:
        if self.state is TransferState.ACTION_SENDING and request.block_number == self._outgoing.block_number:
            return self._send_action_block(request.invoke_id_and_priority, capacity)
        sending = self.state is TransferState.ACTION_SENDING
        self.state = TransferState.IDLE
        result = ActionResult.LONG_ACTION_ABORTED if sending else ActionResult.NO_LONG_ACTION_IN_PROGRESS
        return ActionResponseNormal(request.invoke_id_and_priority, result).encode()

    def _action_first(self, request: ActionRequestWithFirstPblock, capacity: int) -> bytes:
        if Conformance.BLOCK_TRANSFER_WITH_ACTION not in self._caller.conformance:
            return NOT_NEGOTIATED.encode()
        self._incoming = Incoming(request.cosem_method_descriptor)
        self.state = TransferState.ACTION_RECEIVING
        return self._take_action_block(request, capacity)

    def _action_block(self, request: ActionRequestWithPblock, capacity: int) -> bytes:
        if self.state is not TransferState.ACTION_RECEIVING:
            self.state = TransferState.IDLE
            return ActionResponseNormal(
                request.invoke_id_and_priority, ActionResult.NO_LONG_ACTION_IN_PROGRESS
            ).encode()
        return self._take_action_block(request, capacity)

    def _take_action_block(
        self, request: ActionRequestWithFirstPblock | ActionRequestWithPblock, capacity: int
    ) -> bytes:
        invocation, number = request.invoke_id_and_priority, request.block_number
        if not self._incoming.add(number, request.raw_data):
            self.state = TransferState.IDLE
            return ActionResponseNormal(invocation, ActionResult.LONG_ACTION_ABORTED).encode()
        if not request.last_block:
            return ActionResponseNextPblock(invocation, number).encode()
        self.state = TransferState.IDLE
        descriptor = self._incoming.descriptor
        assert isinstance(descriptor, CosemMethodDescriptor)  # only ACTION begins ACTION_RECEIVING
        try:
            parameters = decode_data(bytes(self._incoming.octets))
        except DecodeError:
            return ActionResponseNormal(invocation, ActionResult.TYPE_UNMATCHED).encode()
        return self._invoke(invocation, descriptor, parameters, capacity)


def _room(empty: bytes, capacity: int) -> int:
    """How many octets of contents a block APDU can carry; `empty` is one with none."""
    return largest_contents(capacity - (len(empty) - 1))
