"""GET: one attribute, its value in one answer or in blocks."""

from __future__ import annotations

from sessions.dlms.apdu import Apdu
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, DataAccessResult
from sessions.dlms.apdu.get import GetRequestNext, GetRequestNormal, GetResponseNormal, GetResponseWithDatablock
from sessions.dlms.axdr import decode_data
from sessions.dlms.events import GetFinished
from sessions.dlms.selective_access import SelectiveAccess
from sessions.dlms.transfers.transfer import LnTransfer, Terms, TransferEvent, Turn


class GetTransfer(LnTransfer):
    """`BlockReceived`… and `GetFinished`."""

    def __init__(
        self, terms: Terms, descriptor: CosemAttributeDescriptor, access_selection: SelectiveAccess | None = None
    ) -> None:
        super().__init__(terms)
        self.descriptor = descriptor
        self.access_selection = access_selection

    def begin(self) -> bytes:
        return self._begin_short(GetRequestNormal(self.invocation, self.descriptor, self.access_selection).encode())

    def receive(self, apdu: Apdu) -> Turn:
        match apdu:
            case GetResponseNormal():
                refused = isinstance(apdu.result, DataAccessResult)
                self.fire(TransferEvent.REFUSAL if refused else TransferEvent.RESULT)
                return [GetFinished(self.request, apdu.result)], None
            case GetResponseWithDatablock():
                return self._block(apdu)
        raise self._unrelated(apdu)

    def _block(self, apdu: GetResponseWithDatablock) -> Turn:
        if isinstance(apdu.result, DataAccessResult):
            self.fire(TransferEvent.REFUSAL)
            return [GetFinished(self.request, apdu.result)], None
        block = self._take_block(apdu.block_number, apdu.result, apdu.last_block)
        if not apdu.last_block:
            return [block], GetRequestNext(self.invocation, apdu.block_number).encode()
        return [block, GetFinished(self.request, decode_data(bytes(self._incoming.octets)))], None
