"""SET: one attribute, or several in a list; their values in one request or in blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from meters.cosem.data import Data
from sessions.dlms.apdu import Apdu
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, DataAccessResult, encode_data_list
from sessions.dlms.apdu.set import (
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
from sessions.dlms.axdr import encode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import ListRefusedError
from sessions.dlms.events import ListFinished, SetFinished
from sessions.dlms.selective_access import SelectiveAccess
from sessions.dlms.transfers.items import SetItem, check_count
from sessions.dlms.transfers.transfer import LnTransfer, Terms, TransferEvent, Turn, next_invocation, too_long


class _Set(LnTransfer):
    """What both forms have: the blocks after the first."""

    def _continuation(self, last: bool, number: int, contents: bytes) -> bytes:
        return SetRequestWithDatablock(self.invocation, last, number, contents).encode()


class SetTransfer(_Set):
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

    def receive(self, apdu: Apdu) -> Turn:
        match apdu:
            case SetResponseNormal() | SetResponseLastDatablock():
                written = apdu.result is DataAccessResult.SUCCESS
                self.fire(TransferEvent.RESULT if written else TransferEvent.REFUSAL)
                return [SetFinished(self.request, apdu.result)], None
            case SetResponseDatablock():
                return self._acknowledged(apdu.block_number)
        self._unrelated(apdu)


class SetListTransfer(_Set):
    """`BlockSent`… and `ListFinished`."""

    def __init__(self, terms: Terms, items: Sequence[SetItem]) -> None:
        super().__init__(terms)
        self.items = items
        self._attributes = tuple((item.descriptor, item.access_selection) for item in items)

    def begin(self) -> bytes:
        values = tuple(item.value for item in self.items)
        octets = SetRequestWithList(self.invocation, self._attributes, values).encode()
        blocks = Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE in self.terms.conformance
        if len(octets) <= self.terms.capacity or not blocks:
            return self._begin_short(octets)
        return self._begin_long(encode_data_list(values), self._first)

    def _first(self, last: bool, number: int, contents: bytes) -> bytes:
        return SetRequestWithListAndFirstDatablock(self.invocation, self._attributes, last, number, contents).encode()

    def receive(self, apdu: Apdu) -> Turn:
        match apdu:
            case SetResponseWithList() | SetResponseLastDatablockWithList():
                self.fire(TransferEvent.RESULT)
                return [ListFinished(self.request, check_count(self.items, apdu.result))], None
            case SetResponseNormal() | SetResponseLastDatablock():
                self.fire(TransferEvent.REFUSAL)
                raise ListRefusedError(f"The meter answers the list with: {apdu.result.words}", result=apdu.result)
            case SetResponseDatablock():
                return self._acknowledged(apdu.block_number)
        self._unrelated(apdu)


def unconfirmed_set(terms: Terms, item: SetItem) -> bytes:
    """The APDU that writes one attribute and has no answer."""
    invocation = replace(next_invocation(terms), confirmed=False)
    octets = SetRequestNormal(invocation, item.descriptor, item.access_selection, item.value).encode()
    if len(octets) > terms.capacity:
        raise too_long(len(octets), terms.capacity)
    return octets
