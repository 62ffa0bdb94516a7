"""GET: one attribute, or several in a list; what they bring in one answer or in blocks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Final

from meters.cosem.data import Data
from sessions.dlms.apdu import Apdu
from sessions.dlms.apdu.descriptors import (
    CosemAttributeDescriptor,
    DataAccessResult,
    read_get_data_result,
    read_list_count,
)
from sessions.dlms.apdu.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
)
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.axdr import decode_data
from sessions.dlms.cursor import Reader
from sessions.dlms.errors import ListRefusedError
from sessions.dlms.events import GetFinished, ListFinished
from sessions.dlms.selective_access import SelectiveAccess
from sessions.dlms.transfers.items import GetItem, check_count
from sessions.dlms.transfers.transfer import LnTransfer, Outcome, Terms, TransferEvent, Turn

HEAD_OCTETS: Final = 4
"""Tag, choice, invoke-id-and-priority and choice of the result, in a GET-response-normal."""
INVOKE_ID: Final = 0x0F
_NORMAL: Final = bytes((ApduTag.GET_RESPONSE, 1))
_DATA: Final = 0


class _Get(LnTransfer):
    """What both forms have: blocks, and a result code instead of them."""

    def receive(self, apdu: Apdu) -> Turn:
        match apdu:
            case GetResponseNormal(result=DataAccessResult() as result):
                self.fire(TransferEvent.REFUSAL)
                return [self._refused(result)], None
            case GetResponseWithDatablock():
                return self._block(apdu)
        self._unrelated(apdu)

    def _block(self, apdu: GetResponseWithDatablock) -> Turn:
        if isinstance(apdu.result, DataAccessResult):
            self.fire(TransferEvent.REFUSAL)
            return [self._refused(apdu.result)], None
        block = self._take_block(apdu.block_number, apdu.result, apdu.last_block)
        if not apdu.last_block:
            return [block], GetRequestNext(self.invocation, apdu.block_number).encode()
        return [block, self._assembled(bytes(self._incoming.octets))], None

    @abstractmethod
    def _refused(self, result: DataAccessResult) -> Outcome:
        """A result code for all of it."""

    @abstractmethod
    def _assembled(self, octets: bytes) -> Outcome:
        """What all blocks together say."""


class GetTransfer(_Get):
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
        self._check_ahead()
        if isinstance(apdu, GetResponseNormal) and isinstance(apdu.result, Data):
            self.fire(TransferEvent.RESULT)
            return [GetFinished(self.request, apdu.result)], None
        return super().receive(apdu)

    def _head_of_value(self, apdu: bytes) -> int:
        head = apdu[:HEAD_OCTETS]
        if len(head) < HEAD_OCTETS or head[:2] != _NORMAL or head[3] != _DATA:
            return 0
        return HEAD_OCTETS if head[2] & INVOKE_ID == self.invocation.invoke_id else 0

    def _refused(self, result: DataAccessResult) -> GetFinished:
        return GetFinished(self.request, result)

    def _assembled(self, octets: bytes) -> GetFinished:
        return GetFinished(self.request, decode_data(octets))


class GetListTransfer(_Get):
    """`BlockReceived`… and `ListFinished`."""

    def __init__(self, terms: Terms, items: Sequence[GetItem]) -> None:
        super().__init__(terms)
        self.items = items

    def begin(self) -> bytes:
        wanted = tuple((item.descriptor, item.access_selection) for item in self.items)
        return self._begin_short(GetRequestWithList(self.invocation, wanted).encode())

    def receive(self, apdu: Apdu) -> Turn:
        if isinstance(apdu, GetResponseWithList):
            self.fire(TransferEvent.RESULT)
            return [self._finished(apdu.result)], None
        return super().receive(apdu)

    def _finished(self, results: Sequence[Data | DataAccessResult]) -> ListFinished:
        return ListFinished(self.request, check_count(self.items, results))

    def _refused(self, result: DataAccessResult) -> ListFinished:
        raise ListRefusedError(f"The meter refused the list: {result.words}", result=result)

    def _assembled(self, octets: bytes) -> ListFinished:
        reader = Reader(octets)
        count = read_list_count(reader, least=2)
        results = [read_get_data_result(reader) for _ in range(count)]
        reader.finish()
        return self._finished(results)
