"""READ and WRITE: variables by their short names, whole or in part. Long requests go out in blocks, long answers come in blocks.

Answers carry no invoke-id: what comes next in the right shape is the answer. The blocks of a long APDU carry all of it but its
tag. Source: IEC 62056-5-3, Read and Write services; Green Book 9.3, 9.4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NoReturn

from meters.cosem.data import Data, octet_string
from sessions.dlms.apdu import Apdu
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.apdu.short_name import (
    ReadBlock,
    ReadRequest,
    ReadResponse,
    ReadResult,
    ReadResultChoice,
    VariableAccess,
    VariableAccessSpecification,
    WriteRequest,
    WriteResponse,
    read_read_result,
    read_read_results,
)
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.axdr import decode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.cursor import Reader
from sessions.dlms.errors import DecodeError, RemoteProtocolError
from sessions.dlms.events import BlockReceived
from sessions.dlms.transfers.transfer import Outcome, Terms, Transfer, TransferEvent, Turn

ONE_VALUE: Final = bytes((1, ReadResultChoice.DATA))
"""What stands before the value of a single variable in the blocks of an answer: one result, and it is data."""
_ONE_VALUE_APDU: Final = bytes((ApduTag.READ_RESPONSE,)) + ONE_VALUE

Finish = Callable[[Sequence[Data | DataAccessResult]], Outcome]
"""What the results of a READ mean to who asked."""


class SnTransfer(Transfer):
    """What both services share."""

    blocks: Conformance
    """The conformance bit that allows a long request to go out in blocks."""

    def _begin(self, octets: bytes) -> bytes:
        """The request in one APDU, or its first block."""
        if len(octets) > self.terms.capacity and self.blocks in self.terms.conformance:
            return self._begin_long(octets[1:], self._continuation)
        return self._begin_short(octets)

    def _mismatch(self, got: int, asked: int) -> NoReturn:
        raise RemoteProtocolError(
            f"{asked} results are due, {got} came", code="unexpected-answer", hint="Ask for one attribute at a time."
        )


class ReadTransfer(SnTransfer):
    """READ: `BlockSent`…, `BlockReceived`… and what `finish` makes of the results, one for each variable."""

    blocks = Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ

    def __init__(self, terms: Terms, variables: Sequence[VariableAccessSpecification], finish: Finish) -> None:
        super().__init__(terms)
        self.variables = tuple(variables)
        self.finish = finish

    def begin(self) -> bytes:
        return self._begin(ReadRequest(self.variables).encode())

    def _continuation(self, last: bool, number: int, contents: bytes) -> bytes:
        kind = VariableAccess.READ_DATA_BLOCK_ACCESS
        return ReadRequest((VariableAccessSpecification(kind, number, last_block=last, raw_data=contents),)).encode()

    def stray(self, apdu: Apdu) -> str:
        return _stray(apdu, ReadResponse)

    def receive(self, apdu: Apdu) -> Turn:
        self._check_ahead()
        if not isinstance(apdu, ReadResponse):
            self._unrelated(apdu)
        match apdu.results:
            case (int(number),) if not isinstance(number, DataAccessResult):
                return self._acknowledged(number)
            case (ReadBlock() as block,):
                return self._block(block)
        return [self._results(apdu.results)], None

    def _head_of_value(self, apdu: bytes) -> int:
        return len(_ONE_VALUE_APDU) if len(self.variables) == 1 and apdu.startswith(_ONE_VALUE_APDU) else 0

    def _results(self, results: tuple[ReadResult, ...]) -> Outcome:
        values = [result for result in results if isinstance(result, Data | DataAccessResult)]
        refused = len(values) == 1 and isinstance(values[0], DataAccessResult)
        # A refusal may also stop a request whose blocks are still going out.
        self.fire(TransferEvent.REFUSAL if refused else TransferEvent.RESULT)
        if refused:  # one result for all of a request that did not get through
            values *= len(self.variables)
        if len(values) < len(results) or len(values) != len(self.variables):
            self._mismatch(len(results), len(self.variables))
        return self.finish(values)

    def _block(self, block: ReadBlock) -> Turn:
        event = self._take_block(block.block_number, block.raw_data, block.last_block)
        if len(self.variables) == 1 and event.block_number == 1 and event.octets.startswith(ONE_VALUE):
            event = BlockReceived(event.request, 1, event.octets[len(ONE_VALUE) :], event.received_so_far)
        if not block.last_block:
            following = VariableAccessSpecification.block_number_access(block.block_number)
            return [event], ReadRequest((following,)).encode()
        results = decode_results(bytes(self._incoming.octets), len(self.variables))
        return [event, self.finish(results)], None


class WriteTransfer(SnTransfer):
    """WRITE: `BlockSent`… and what `finish` makes of the results, one for each variable."""

    blocks = Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE

    def __init__(
        self,
        terms: Terms,
        variables: Sequence[VariableAccessSpecification],
        values: Sequence[Data],
        finish: Callable[[Sequence[DataAccessResult]], Outcome],
    ) -> None:
        super().__init__(terms)
        self.variables = tuple(variables)
        self.values = tuple(values)
        self.finish = finish

    def begin(self) -> bytes:
        return self._begin(WriteRequest(self.variables, self.values).encode())

    def _continuation(self, last: bool, number: int, contents: bytes) -> bytes:
        kind = VariableAccess.WRITE_DATA_BLOCK_ACCESS
        block = VariableAccessSpecification(kind, number, last_block=last)
        return WriteRequest((block,), (octet_string(contents),)).encode()

    def stray(self, apdu: Apdu) -> str:
        return _stray(apdu, WriteResponse)

    def receive(self, apdu: Apdu) -> Turn:
        if not isinstance(apdu, WriteResponse):
            self._unrelated(apdu)
        match apdu.results:
            case (int(number),) if not isinstance(number, DataAccessResult):
                return self._acknowledged(number)
        return [self._results(apdu.results)], None

    def _results(self, answered: tuple[DataAccessResult | int, ...]) -> Outcome:
        results = [result for result in answered if isinstance(result, DataAccessResult)]
        refused = len(results) == 1 and results[0] is not DataAccessResult.SUCCESS
        self.fire(TransferEvent.REFUSAL if refused else TransferEvent.RESULT)
        if refused:
            results *= len(self.variables)
        if len(results) < len(answered) or len(results) != len(self.variables):
            self._mismatch(len(answered), len(self.variables))
        return self.finish(results)


def _stray(apdu: Apdu, due: type[ReadResponse | WriteResponse]) -> str:
    """The answer to the other service comes late: it is told, and waited on."""
    if isinstance(apdu, due):
        return ""
    if isinstance(apdu, ReadResponse | WriteResponse):
        return f"{apdu.summary()}, but a {due.__name__} is due"
    raise RemoteProtocolError(f"No answer to a request: {apdu.summary()}", code="unexpected-answer")


def decode_results(raw: bytes, count: int) -> list[Data | DataAccessResult]:
    """What the blocks of a long answer hold: a readResponse without its tag.

    Of a single variable some meters send the result without the count, or the bare Data: the standard's form is tried first.
    """
    for read in (read_read_results, lambda reader: (read_read_result(reader),)):
        reader = Reader(raw)
        try:
            results = read(reader)
            reader.finish("raw-data")
        except DecodeError:
            continue
        values = [result for result in results if isinstance(result, Data | DataAccessResult)]
        if len(values) == len(results) == count:
            return values
    if count != 1:
        raise RemoteProtocolError(f"The blocks hold no {count} results", code="unexpected-answer")
    return [decode_data(raw)]
