"""ACTION on the server's side: one method or a list, with long parameters in and long return parameters out.

IDLE ── first block ──> ACTION_RECEIVING ── last block, or one that is not the next ──> IDLE
IDLE ── an answer that does not fit ──> ACTION_SENDING ── last block, or a wrong number ──> IDLE
"""

from __future__ import annotations

from collections.abc import Sequence

from meters.cosem.data import Data
from sessions.dlms.apdu.action import (
    ActionRequest,
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithPblock,
)
from sessions.dlms.apdu.descriptors import ActionResult, CosemMethodDescriptor, InvokeIdAndPriority, decode_data_list
from sessions.dlms.axdr import decode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import DecodeError
from sessions.simulator.blocks import Incoming, OutgoingOctets, Target, room
from sessions.simulator.service import MAX_LIST, NOT_NEGOTIATED, PDU_TOO_LONG, Room, Service, TransferState

HEAD_OCTETS = 3
"""Tag, choice and invoke-id: in blocks the same octets travel without them."""

ActionBlock = ActionRequestWithFirstPblock | ActionRequestWithPblock | ActionRequestWithListAndFirstPblock


class ActionService(Service):
    """Answers action-requests."""

    def answer(self, request: ActionRequest, within: Room) -> bytes:
        invocation = request.invoke_id_and_priority
        match request:
            case ActionRequestNormal():
                outcome = self._invoke(request.cosem_method_descriptor, request.method_invocation_parameters)
                return self._send(invocation, ActionResponseNormal(invocation, *outcome), within)
            case ActionRequestWithList():
                return self._list(request, within)
            case ActionRequestWithFirstPblock():
                return self._first(request, Incoming(((request.cosem_method_descriptor, None),)), within)
            case ActionRequestWithListAndFirstPblock():
                targets = tuple((method, None) for method in request.cosem_method_descriptor_list)
                return self._first(request, Incoming(targets, listed=True), within)
            case ActionRequestWithPblock():
                return self._next_in(request, within)
            case ActionRequestNextPblock():
                return self._next_out(request, within.capacity)

    def _list(self, request: ActionRequestWithList, within: Room) -> bytes:
        if not self._agreed(Conformance.MULTIPLE_REFERENCES):
            return NOT_NEGOTIATED.encode()
        if len(request.cosem_method_descriptor_list) > MAX_LIST:
            return PDU_TOO_LONG.encode()
        targets = tuple((method, None) for method in request.cosem_method_descriptor_list)
        return self._run_all(request.invoke_id_and_priority, targets, request.method_invocation_parameters, within)

    def _run_all(
        self, invocation: InvokeIdAndPriority, targets: Sequence[Target], parameters: Sequence[Data], within: Room
    ) -> bytes:
        """Nothing is invoked where parameters and methods do not match."""
        if len(targets) != len(parameters):
            outcomes: list[tuple[ActionResult, Data | None]] = [(ActionResult.TYPE_UNMATCHED, None)] * len(targets)
        else:
            outcomes = [self._run(*each) for each in zip(targets, parameters, strict=True)]
        return self._send(invocation, ActionResponseWithList(invocation, tuple(outcomes)), within)

    def _run(self, target: Target, parameters: Data) -> tuple[ActionResult, Data | None]:
        method, _ = target
        assert isinstance(method, CosemMethodDescriptor)  # only attributes have others
        return self._invoke(method, parameters)

    # -- answers -----------------------------------------------------------------------------------------------------

    def _send(
        self, invocation: InvokeIdAndPriority, response: ActionResponseNormal | ActionResponseWithList, within: Room
    ) -> bytes:
        octets = response.encode()
        if len(octets) <= within.capacity:
            return octets
        if self._agreed(Conformance.BLOCK_TRANSFER_WITH_ACTION):
            self._progress.send(TransferState.ACTION_SENDING, OutgoingOctets((octets[HEAD_OCTETS:],)))
            return self._block(invocation, within.capacity)
        return octets if within.holds(len(octets)) else PDU_TOO_LONG.encode()

    def _block(self, invocation: InvokeIdAndPriority, capacity: int) -> bytes:
        size = room(ActionResponseWithPblock(invocation, False, 1, b"").encode(), capacity)
        if size < 1:
            self._progress.give_up()
            return PDU_TOO_LONG.encode()
        number, octets, last = self._progress.outgoing.next_block(size)
        if last:
            self._progress.give_up()
        return ActionResponseWithPblock(invocation, last, number, octets).encode()

    def _next_out(self, request: ActionRequestNextPblock, capacity: int) -> bytes:
        sending = self._progress.state is TransferState.ACTION_SENDING
        if sending and request.block_number == self._progress.outgoing.block_number:
            return self._block(request.invoke_id_and_priority, capacity)
        self._progress.give_up()
        result = ActionResult.LONG_ACTION_ABORTED if sending else ActionResult.NO_LONG_ACTION_IN_PROGRESS
        return ActionResponseNormal(request.invoke_id_and_priority, result).encode()

    # -- blocks of a request -----------------------------------------------------------------------------------------

    def _first(self, request: ActionBlock, incoming: Incoming, within: Room) -> bytes:
        if not self._agreed(Conformance.BLOCK_TRANSFER_WITH_ACTION):
            return NOT_NEGOTIATED.encode()
        if incoming.listed and not self._agreed(Conformance.MULTIPLE_REFERENCES):
            return NOT_NEGOTIATED.encode()
        if len(incoming.targets) > MAX_LIST:
            return PDU_TOO_LONG.encode()
        self._progress.receive(TransferState.ACTION_RECEIVING, incoming)
        return self._take(request, within)

    def _next_in(self, request: ActionRequestWithPblock, within: Room) -> bytes:
        if self._progress.state is TransferState.ACTION_RECEIVING:
            return self._take(request, within)
        self._progress.give_up()
        return ActionResponseNormal(request.invoke_id_and_priority, ActionResult.NO_LONG_ACTION_IN_PROGRESS).encode()

    def _take(self, request: ActionBlock, within: Room) -> bytes:
        invocation, number, incoming = (
            request.invoke_id_and_priority,
            request.block_number,
            self._progress.incoming,
        )
        if not incoming.add(number, request.raw_data):
            self._progress.give_up()
            return ActionResponseNormal(invocation, ActionResult.LONG_ACTION_ABORTED).encode()
        if not request.last_block:
            return ActionResponseNextPblock(invocation, number).encode()
        self._progress.give_up()
        return self._run_incoming(invocation, incoming, within)

    def _run_incoming(self, invocation: InvokeIdAndPriority, incoming: Incoming, within: Room) -> bytes:
        octets = bytes(incoming.octets)
        try:
            parameters = decode_data_list(octets) if incoming.listed else (decode_data(octets),)
        except DecodeError:
            return ActionResponseNormal(invocation, ActionResult.TYPE_UNMATCHED).encode()
        if incoming.listed:
            return self._run_all(invocation, incoming.targets, parameters, within)
        outcome = self._run(incoming.targets[0], parameters[0])
        return self._send(invocation, ActionResponseNormal(invocation, *outcome), within)
