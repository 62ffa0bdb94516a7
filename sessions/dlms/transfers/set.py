"""SET: one attribute, its value in one request or in blocks."""

from __future__ import annotations

from meters.cosem.data import Data
from sessions.dlms.apdu import Apdu
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, DataAccessResult
from sessions.dlms.apdu.set import (
    SetRequestNormal,
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseNormal,
)
from sessions.dlms.axdr import encode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.events import SetFinished
from sessions.dlms.selective_access import SelectiveAccess
from sessions.dlms.transfers.transfer import LnTransfer, Terms, TransferEvent, Turn


class SetTransfer(LnTransfer):
    """`BlockSent`… and `SetFinished`."""

    def __init__(
        self,
        terms: Terms,
        descriptor: CosemAttributeDescriptor,
        value: Data,
        access_selection: SelectiveAccess | None = None,
    ) -> None:
        super().__init__(terms)
        self.descriptor = descriptor
        self.value = value
        self.access_selection = access_selection

    def begin(self) -> bytes:
        octets = SetRequestNormal(self.invocation, self.descriptor, self.access_selection, self.value).encode()
        blocks = Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE in self.terms.conformance
        if len(octets) <= self.terms.capacity or not blocks:
            return self._begin_short(octets)
        return self._begin_long(encode_data(self.value), self._first)

    def _first(self, last: bool, number: int, contents: bytes) -> bytes:
        return SetRequestWithFirstDatablock(
            self.invocation, self.descriptor, self.access_selection, last, number, contents
        ).encode()

    def _continuation(self, last: bool, number: int, contents: bytes) -> bytes:
        return SetRequestWithDatablock(self.invocation, last, number, contents).encode()

    def receive(self, apdu: Apdu) -> Turn:
        match apdu:
            case SetResponseNormal() | SetResponseLastDatablock():
                written = apdu.result is DataAccessResult.SUCCESS
                self.fire(TransferEvent.RESULT if written else TransferEvent.REFUSAL)
                return [SetFinished(self.request, apdu.result)], None
            case SetResponseDatablock():
                return self._acknowledged(apdu.block_number)
        raise self._unrelated(apdu)
