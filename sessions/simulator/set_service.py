"""SET on the server's side: one attribute or a list, their values in one request or in blocks.

IDLE ── first block ──> SET_RECEIVING ── last block, or one that is not the next ──> IDLE
"""

from __future__ import annotations

from collections.abc import Sequence

from meters.cosem.data import Data
from sessions.dlms.apdu.descriptors import (
    CosemAttributeDescriptor,
    DataAccessResult,
    InvokeIdAndPriority,
    decode_data_list,
)
from sessions.dlms.apdu.set import (
    SetRequest,
    SetRequestNormal,
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetRequestWithList,
    SetRequestWithListAndFirstDatablock,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseLastDatablockWithList,
    SetResponseNormal,
    SetResponseWithList,
)
from sessions.dlms.axdr import decode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import DecodeError
from sessions.simulator.blocks import Incoming, Target
from sessions.simulator.service import MAX_LIST, NOT_NEGOTIATED, PDU_TOO_LONG, Service, TransferState

SetBlock = SetRequestWithFirstDatablock | SetRequestWithDatablock | SetRequestWithListAndFirstDatablock


class SetService(Service):
    """Answers set-requests."""

    def answer(self, request: SetRequest) -> bytes:
        match request:
            case SetRequestNormal():
                target = (request.cosem_attribute_descriptor, request.access_selection)
                return SetResponseNormal(request.invoke_id_and_priority, self._store(target, request.value)).encode()
            case SetRequestWithList():
                return self._list(request)
            case SetRequestWithFirstDatablock():
                target = (request.cosem_attribute_descriptor, request.access_selection)
                return self._first(request, Incoming((target,)))
            case SetRequestWithListAndFirstDatablock():
                return self._first(request, Incoming(request.attribute_descriptor_list, listed=True))
            case SetRequestWithDatablock():
                return self._next(request)

    def _store(self, target: Target, value: Data) -> DataAccessResult:
        descriptor, selection = target
        assert isinstance(descriptor, CosemAttributeDescriptor)  # only methods have others
        return self._write(descriptor, selection, value)

    def _list(self, request: SetRequestWithList) -> bytes:
        targets, values = request.attribute_descriptor_list, request.value_list
        if not self._agreed(Conformance.MULTIPLE_REFERENCES):
            return NOT_NEGOTIATED.encode()
        if len(targets) > MAX_LIST:
            return PDU_TOO_LONG.encode()
        return SetResponseWithList(request.invoke_id_and_priority, self._store_all(targets, values)).encode()

    def _store_all(self, targets: Sequence[Target], values: Sequence[Data]) -> tuple[DataAccessResult, ...]:
        """Nothing is written where values and attributes do not match."""
        if len(targets) != len(values):
            return (DataAccessResult.TYPE_UNMATCHED,) * len(targets)
        return tuple(self._store(*each) for each in zip(targets, values, strict=True))

    # -- blocks ------------------------------------------------------------------------------------------------------

    def _first(self, request: SetBlock, incoming: Incoming) -> bytes:
        if not self._agreed(Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE):
            return NOT_NEGOTIATED.encode()
        if incoming.listed and not self._agreed(Conformance.MULTIPLE_REFERENCES):
            return NOT_NEGOTIATED.encode()
        if len(incoming.targets) > MAX_LIST:
            return PDU_TOO_LONG.encode()
        self._progress.receive(TransferState.SET_RECEIVING, incoming)
        return self._take(request)

    def _next(self, request: SetRequestWithDatablock) -> bytes:
        if self._progress.state is TransferState.SET_RECEIVING:
            return self._take(request)
        self._progress.give_up()
        return SetResponseLastDatablock(
            request.invoke_id_and_priority, DataAccessResult.NO_LONG_SET_IN_PROGRESS, request.block_number
        ).encode()

    def _take(self, request: SetBlock) -> bytes:
        invocation, number, incoming = (
            request.invoke_id_and_priority,
            request.block_number,
            self._progress.incoming,
        )
        if not incoming.add(number, request.raw_data):
            self._progress.give_up()
            aborted = (DataAccessResult.LONG_SET_ABORTED,) * len(incoming.targets)
            return _last(invocation, incoming, aborted, number)
        if not request.last_block:
            return SetResponseDatablock(invocation, number).encode()
        self._progress.give_up()
        return _last(invocation, incoming, self._store_incoming(incoming), number)

    def _store_incoming(self, incoming: Incoming) -> tuple[DataAccessResult, ...]:
        octets = bytes(incoming.octets)
        try:
            values = decode_data_list(octets) if incoming.listed else (decode_data(octets),)
        except DecodeError:
            return (DataAccessResult.TYPE_UNMATCHED,) * len(incoming.targets)
        return self._store_all(incoming.targets, values)


def _last(
    invocation: InvokeIdAndPriority, incoming: Incoming, results: tuple[DataAccessResult, ...], number: int
) -> bytes:
    """The answer that ends a long request."""
    if incoming.listed:
        return SetResponseLastDatablockWithList(invocation, results, number).encode()
    return SetResponseLastDatablock(invocation, results[0], number).encode()
