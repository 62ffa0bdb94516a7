"""GET on the server's side: one attribute or a list, in one answer or in blocks.

IDLE ── an answer that does not fit ──> GET_SENDING ── last block, or a wrong number ──> IDLE
"""

from __future__ import annotations

from collections.abc import Iterator

from sessions.dlms.apdu.descriptors import DataAccessResult, InvokeIdAndPriority, ResultChoice
from sessions.dlms.apdu.get import (
    AttributeList,
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseChoice,
    GetResponseNormal,
    GetResponseWithDatablock,
)
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.conformance import Conformance
from sessions.dlms.cursor import Writer
from sessions.simulator.blocks import OutgoingOctets, room
from sessions.simulator.objects.base import Denied
from sessions.simulator.service import MAX_LIST, NOT_NEGOTIATED, PDU_TOO_LONG, Room, Service, TransferState

GetRequest = GetRequestNormal | GetRequestNext | GetRequestWithList


class GetService(Service):
    """Answers get-requests."""

    def answer(self, request: GetRequest, within: Room) -> bytes:
        match request:
            case GetRequestNormal():
                return self._normal(request, within)
            case GetRequestWithList():
                return self._list(request, within)
            case GetRequestNext():
                return self._next(request, within.capacity)

    def _normal(self, request: GetRequestNormal, within: Room) -> bytes:
        invocation = request.invoke_id_and_priority
        try:
            value = self._read(request.cosem_attribute_descriptor, request.access_selection)
        except Denied as denied:
            return GetResponseNormal(invocation, denied.result).encode()
        head = bytes((ApduTag.GET_RESPONSE, GetResponseChoice.NORMAL, invocation.encode(), ResultChoice.DATA))
        return self._send(invocation, head, OutgoingOctets(value.parts), value.block_sizes, within)

    def _list(self, request: GetRequestWithList, within: Room) -> bytes:
        if not self._agreed(Conformance.MULTIPLE_REFERENCES):
            return NOT_NEGOTIATED.encode()
        wanted = request.attribute_descriptor_list
        if len(wanted) > MAX_LIST:
            return PDU_TOO_LONG.encode()
        invocation = request.invoke_id_and_priority
        head = bytes((ApduTag.GET_RESPONSE, GetResponseChoice.WITH_LIST, invocation.encode()))
        return self._send(invocation, head, OutgoingOctets(self._list_parts(wanted)), (), within)

    def _list_parts(self, wanted: AttributeList) -> Iterator[bytes]:
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

    def _send(
        self,
        invocation: InvokeIdAndPriority,
        head: bytes,
        octets: OutgoingOctets,
        block_sizes: tuple[int, ...],
        within: Room,
    ) -> bytes:
        """The answer in one piece where it fits and was not recorded in blocks, else its first block."""
        if not block_sizes and octets.fits(within.capacity - len(head)):
            return head + octets.take(within.capacity)[0]
        if self._agreed(Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ):
            self._progress.send(TransferState.GET_SENDING, octets, block_sizes)
            return self._block(invocation, within.capacity)
        if octets.fits(within.whole - len(head)):
            return head + octets.take(within.whole)[0]
        return PDU_TOO_LONG.encode()

    def _block(self, invocation: InvokeIdAndPriority, capacity: int) -> bytes:
        size = room(GetResponseWithDatablock(invocation, False, 1, b"").encode(), capacity)
        if size < 1:
            self._progress.give_up()
            return PDU_TOO_LONG.encode()
        number, octets, last = self._progress.outgoing.next_block(size)
        if last:
            self._progress.give_up()
        return GetResponseWithDatablock(invocation, last, number, octets).encode()

    def _next(self, request: GetRequestNext, capacity: int) -> bytes:
        invocation, number = request.invoke_id_and_priority, request.block_number
        if self._progress.state is not TransferState.GET_SENDING:
            result = DataAccessResult.NO_LONG_GET_IN_PROGRESS
        elif number != self._progress.outgoing.block_number:
            result = DataAccessResult.DATA_BLOCK_NUMBER_INVALID
        else:
            return self._block(invocation, capacity)
        self._progress.give_up()
        return GetResponseWithDatablock(invocation, True, number, result).encode()
