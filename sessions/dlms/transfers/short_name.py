"""READ and WRITE: the services of short-name referencing, and what one asks for with them.

    ReadTransfer   variables, whole or in part; a long answer comes in blocks, a long request goes out in blocks
    WriteTransfer  values of variables; a long request goes out in blocks
    NamedTransfer  one of them for an object that is named by class and logical name: the meter's list of short names is read
                   first, where nobody has read it yet

An attribute is read and written under its own short name. A method that returns something is called by READ with parameterised
access, any other by WRITE. Answers carry no invoke-id: what comes next in the right shape is the answer. The blocks of a long
APDU carry all of it but its tag. Source: IEC 62056-5-3, Read and Write services; Green Book 9.3, 9.4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, NoReturn

from meters.cosem.data import Data, integer, octet_string
from meters.cosem.short_names import returns_something
from sessions.dlms.apdu import Apdu
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, CosemMethodDescriptor, DataAccessResult
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
    action_result,
    method_call,
    method_result,
    read_read_result,
    read_read_results,
)
from sessions.dlms.axdr import decode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.cursor import Reader
from sessions.dlms.errors import DecodeError, RefusedError, RemoteProtocolError
from sessions.dlms.events import ActionFinished, BlockReceived, GetFinished, SetFinished
from sessions.dlms.selective_access import SelectiveAccess
from sessions.dlms.short_name_map import CURRENT, OBJECT_LIST, OBJECT_LIST_NAME, ShortNameMap
from sessions.dlms.transfers.items import ActionItem, GetItem, Item, SetItem
from sessions.dlms.transfers.transfer import Outcome, Terms, Transfer, TransferEvent, Turn

ONE_VALUE: Final = bytes((1, ReadResultChoice.DATA))
"""What stands before the value of a single variable in the blocks of an answer: one result, and it is data."""

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
        if not isinstance(apdu, ReadResponse):
            self._unrelated(apdu)
        match apdu.results:
            case (int(number),) if not isinstance(number, DataAccessResult):
                return self._acknowledged(number)
            case (ReadBlock() as block,):
                return self._block(block)
        return [self._results(apdu.results)], None

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


# -- objects by class and logical name ---------------------------------------------------------------------------------


class ShortNames:
    """The short names of one association: given beforehand, or learned from the meter. `known` None: not yet."""

    def __init__(self, known: ShortNameMap | None = None) -> None:
        self.known = known

    def learn(self, object_list: Data | DataAccessResult) -> ShortNameMap:
        """Take the meter's list; RefusedError or RemoteProtocolError where there is none to be had."""
        if isinstance(object_list, DataAccessResult):
            raise RefusedError(
                f"The meter does not tell its short names: {object_list.summary()}",
                layer="access",
                code="no-object-list",
                hint="Give them in the association file ([[short_names]]), or use an association that may read the list.",
            )
        try:
            self.known = ShortNameMap.from_object_list(object_list)
        except ValueError as error:
            raise RemoteProtocolError(
                f"The list of short names cannot be used: {error}", code="bad-object-list"
            ) from None
        return self.known


class NamedTransfer(Transfer):
    """A request for an object that is named by class and logical name.

    `make` builds it from the map, as soon as there is one; its LocalProtocolError says what has no short name.
    """

    def __init__(self, terms: Terms, names: ShortNames, make: Callable[[ShortNameMap], Transfer]) -> None:
        super().__init__(terms)
        self.names = names
        self.make = make
        self._inner: Transfer | None = None
        self._list: Data | DataAccessResult | None = None

    @property
    def done(self) -> bool:
        return self._inner is not None and self._inner.done

    def begin(self) -> bytes:
        if self.names.known is not None:
            return self._begin_named(self.names.known)
        self._inner = ReadTransfer(
            self.terms, (VariableAccessSpecification.variable(OBJECT_LIST_NAME),), self._take_list
        )
        return self._inner.begin()

    def _begin_named(self, known: ShortNameMap) -> bytes:
        self._inner = self.make(known)
        return self._inner.begin()

    def _take_list(self, results: Sequence[Data | DataAccessResult]) -> Outcome:
        self._list = results[0]
        return GetFinished(self.request, results[0])

    def stray(self, apdu: Apdu) -> str:
        return self._running.stray(apdu)

    def receive(self, apdu: Apdu) -> Turn:
        outcomes, octets = self._running.receive(apdu)
        if self._list is None:
            # Blocks of the list are nobody's who waits for those of an attribute.
            return (outcomes, octets) if self.names.known is not None else ([], octets)
        known, self._list = self.names.learn(self._list), None
        return [], self._begin_named(known)

    def abort(self) -> None:
        super().abort()
        if self._inner is not None:
            self._inner.abort()

    @property
    def _running(self) -> Transfer:
        assert self._inner is not None  # nobody answers before the request has begun
        return self._inner


def get_transfer(
    terms: Terms, names: ShortNames, descriptor: CosemAttributeDescriptor, selection: SelectiveAccess | None = None
) -> Transfer:
    """Read one attribute: `BlockReceived`… and `GetFinished`."""
    whole_list = selection is None and descriptor == CosemAttributeDescriptor(
        CURRENT.class_id, CURRENT.logical_name, OBJECT_LIST
    )

    def finish(results: Sequence[Data | DataAccessResult]) -> Outcome:
        if whole_list and isinstance(results[0], Data):
            with suppress(ValueError):  # who asked sees what it is
                names.known = ShortNameMap.from_object_list(results[0])
        return GetFinished(terms.request, results[0])

    def make(known: ShortNameMap) -> Transfer:
        return ReadTransfer(terms, (_variable(known.attribute(descriptor), selection),), finish)

    return make(ShortNameMap()) if whole_list else NamedTransfer(terms, names, make)


def _variable(variable_name: int, selection: SelectiveAccess | None) -> VariableAccessSpecification:
    if selection is None:
        return VariableAccessSpecification.variable(variable_name)
    return VariableAccessSpecification.variable(variable_name, selection.access_selector, selection.access_parameters)


def set_transfer(
    terms: Terms,
    names: ShortNames,
    descriptor: CosemAttributeDescriptor,
    value: Data,
    selection: SelectiveAccess | None = None,
) -> Transfer:
    """Write one attribute: `BlockSent`… and `SetFinished`."""

    def make(known: ShortNameMap) -> Transfer:
        variable = _variable(known.attribute(descriptor), selection)
        return WriteTransfer(terms, (variable,), (value,), lambda results: SetFinished(terms.request, results[0]))

    return NamedTransfer(terms, names, make)


def action_transfer(
    terms: Terms, names: ShortNames, descriptor: CosemMethodDescriptor, parameters: Data | None = None
) -> Transfer:
    """Invoke one method: `BlockSent`…, `BlockReceived`… and `ActionFinished`."""

    def returned(results: Sequence[Data | DataAccessResult]) -> Outcome:
        answer = method_result(results[0])
        assert answer is not None  # whole results only
        return ActionFinished(terms.request, *answer)

    def done(results: Sequence[DataAccessResult]) -> Outcome:
        return ActionFinished(terms.request, action_result(results[0]), None)

    def make(known: ShortNameMap) -> Transfer:
        variable_name = known.method(descriptor)
        if returns_something(descriptor.class_id, descriptor.method_id):
            return ReadTransfer(terms, (method_call(variable_name, parameters),), returned)
        variable = VariableAccessSpecification.variable(variable_name)
        return WriteTransfer(terms, (variable,), (integer(0) if parameters is None else parameters,), done)

    return NamedTransfer(terms, names, make)


def item_transfer(terms: Terms, names: ShortNames, item: Item) -> Transfer:
    """One item, asked for by its short name."""
    match item:
        case GetItem():
            return get_transfer(terms, names, item.descriptor, item.access_selection)
        case SetItem():
            return set_transfer(terms, names, item.descriptor, item.value, item.access_selection)
        case ActionItem():
            return action_transfer(terms, names, item.descriptor, item.parameters)
