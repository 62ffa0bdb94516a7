"""ACCESS: reads, writes and methods mixed in one request. Long ones travel in general blocks only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from meters.cosem.data import Data, null
from sessions.dlms.apdu import Apdu
from sessions.dlms.apdu.access import AccessKind, AccessRequest, AccessResponse, AccessSpecification
from sessions.dlms.apdu.descriptors import ActionResult, DataAccessResult
from sessions.dlms.apdu.notification import CONFIRMED
from sessions.dlms.errors import RemoteProtocolError
from sessions.dlms.events import ActionOutcome, ItemResult, ListFinished
from sessions.dlms.transfers.items import ActionItem, GetItem, Item, SetItem, check_count
from sessions.dlms.transfers.transfer import Terms, Transfer, TransferEvent, Turn

INVOKE_ID_MASK: Final = 0x00FF_FFFF
HIGH_PRIORITY: Final = 1 << 31
"""long-invoke-id-and-priority: bits 0 to 23 the number, 28 self-descriptive, 29 break on error, 30 confirmed, 31 priority."""


class AccessTransfer(Transfer):
    """`ListFinished`."""

    def __init__(self, terms: Terms, items: Sequence[Item]) -> None:
        super().__init__(terms)
        self.items = items
        self.long_invoke_id = next(terms.invocations) & INVOKE_ID_MASK

    def begin(self) -> bytes:
        return self._begin_short(
            AccessRequest(
                self.long_invoke_id | CONFIRMED | HIGH_PRIORITY,
                None,
                tuple(_specification(item) for item in self.items),
                tuple(_data(item) for item in self.items),
            ).encode()
        )

    def stray(self, apdu: Apdu) -> str:
        if not isinstance(apdu, AccessResponse):
            if hasattr(apdu, "invoke_id_and_priority"):
                return "an ACCESS is asked"
            raise RemoteProtocolError(f"No answer to a request: {apdu.summary()}", code="unexpected-answer")
        answered = apdu.long_invoke_id_and_priority & INVOKE_ID_MASK
        return "" if answered == self.long_invoke_id else f"invoke-id {answered}, but {self.long_invoke_id} is asked"

    def receive(self, apdu: Apdu) -> Turn:
        if not isinstance(apdu, AccessResponse):
            self._unrelated(apdu)
        self.fire(TransferEvent.RESULT)
        codes = [code for _, code in apdu.results]
        check_count(self.items, [DataAccessResult(code) for code in codes])
        check_count(self.items, apdu.data)
        results = [_result(*each) for each in zip(self.items, apdu.data, codes, strict=True)]
        return [ListFinished(self.request, tuple(results))], None


def _specification(item: Item) -> AccessSpecification:
    match item:
        case ActionItem():
            return AccessSpecification(AccessKind.ACTION, item.descriptor)
        case GetItem():
            kind = AccessKind.GET if item.access_selection is None else AccessKind.GET_WITH_SELECTION
        case SetItem():
            kind = AccessKind.SET if item.access_selection is None else AccessKind.SET_WITH_SELECTION
    return AccessSpecification(kind, item.descriptor, item.access_selection)


def _data(item: Item) -> Data:
    match item:
        case SetItem():
            return item.value
        case ActionItem():
            return item.listed_parameters
    return null()


def _result(item: Item, data: Data, code: int) -> ItemResult:
    if isinstance(item, ActionItem):
        result = ActionResult(code) if code in set(ActionResult) else ActionResult.OTHER_REASON
        returned = data if result is ActionResult.SUCCESS and data != null() else None
        return ActionOutcome(result, returned)
    if isinstance(item, GetItem) and code == DataAccessResult.SUCCESS:
        return data
    return DataAccessResult(code)
