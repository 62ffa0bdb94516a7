"""Many things asked at once, in the best form that both sides offer, whatever it takes on the wire.

    ACCESS             reads, writes and methods together
    with-list          as many of one kind as stand beside each other
    one after another  what is left, and what the meter refuses in a list

Lists are as long as the meter's PDU takes them. A form that the meter refuses is not tried again in this association. Only reads
are asked a second time: of a write or a method in a list that went wrong nobody knows whether it was done, unless the meter
says that it does not know the service. Source: IEC 62056-5-3, the conformance block.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

from sessions.dlms.apdu import Apdu
from sessions.dlms.apdu.errors import ExceptionServiceError, StateError
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import (
    DlmsError,
    ExceptionResponseError,
    LocalProtocolError,
    RefusedError,
    ServiceErrorError,
)
from sessions.dlms.events import (
    ActionFinished,
    ActionOutcome,
    GetFinished,
    ItemResult,
    ListFinished,
    ManyFinished,
    SetFinished,
)
from sessions.dlms.transfers.access import AccessTransfer
from sessions.dlms.transfers.action import ActionListTransfer, ActionTransfer
from sessions.dlms.transfers.get import GetListTransfer, GetTransfer
from sessions.dlms.transfers.items import ActionItem, GetItem, Item, SetItem, specification_octets, value_octets
from sessions.dlms.transfers.set import SetListTransfer, SetTransfer, unconfirmed_set
from sessions.dlms.transfers.transfer import Outcome, Terms, Transfer, TransferEvent, Turn

LONGEST_LIST: Final = 32
"""Items in one request: meters with little memory serve no more."""

ACCESS_OCTETS: Final = 17
"""An ACCESS request without items: tag, long-invoke-id, date-time, two counts; and the title of a general envelope, which is the
only one that it may travel in."""

LIST_OCTETS: Final = 5
"""A request with list without items: tag, choice, invoke-id, up to two counts."""

FIRST_BLOCK_OCTETS: Final = 8
"""What the first block of a list adds: last-block, block-number, length, and an octet at least."""

BLOCKS: Final = {
    SetItem: Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE,
    ActionItem: Conformance.BLOCK_TRANSFER_WITH_ACTION,
}
SERVICE_UNSUPPORTED: Final = (3, 2)
PDU_SIZE: Final = (3, 1)
"""Choice and value of a confirmed-service-error."""


class Forms:
    """How one association may be asked for many things; what it refuses is taken off."""

    def __init__(self, conformance: Conformance, *, ciphered: bool = False) -> None:
        general = not ciphered or Conformance.GENERAL_PROTECTION in conformance
        self.access = Conformance.ACCESS in conformance and general  # it has no ciphered form of its own
        self.lists = Conformance.MULTIPLE_REFERENCES in conformance
        self.longest = LONGEST_LIST

    def refused(self, form: type[Transfer], size: int, error: DlmsError) -> None:
        """A list of `size` came to nothing: shorter ones from now on, or none of this form."""
        if _is_too_long(error):
            self.longest = max(1, size // 2)
        elif form is AccessTransfer:
            self.access = False
        else:
            self.lists = False


def _is_too_long(error: DlmsError) -> bool:
    if isinstance(error, ServiceErrorError):
        return (error.choice, error.value) == PDU_SIZE
    return isinstance(error, ExceptionResponseError) and error.service_error == ExceptionServiceError.PDU_TOO_LONG


def _was_not_done(error: DlmsError) -> bool:
    """Whether the error says that the meter did not even begin; what anybody on the line may have said does not."""
    if isinstance(error, RefusedError) and not error.proven:
        return False
    if isinstance(error, ExceptionResponseError):
        return (
            error.state_error == StateError.SERVICE_UNKNOWN
            or error.service_error == ExceptionServiceError.SERVICE_NOT_SUPPORTED
        )
    return isinstance(error, ServiceErrorError) and (error.choice, error.value) == SERVICE_UNSUPPORTED


@dataclass(frozen=True, slots=True)
class Asking:
    """How items are asked for: one alone, and several of one kind together. Kinds that stand in no list go alone.

    `unconfirmed` gives the APDU that writes one attribute without an answer.
    """

    single: Callable[[Terms, Item], Transfer]
    lists: Mapping[type[Item], Callable[[Terms, Any], Transfer]]
    unconfirmed: Callable[[Terms, SetItem], bytes]


class ManyTransfer(Transfer):
    """Requests one after the other until each item has its result: ends in `ManyFinished`."""

    def __init__(self, terms: Terms, items: Sequence[Item], forms: Forms, asking: Asking) -> None:
        super().__init__(terms)
        self._asking = asking
        self._items = tuple(items)
        self._forms = forms
        self._waiting = deque(range(len(self._items)))
        self._asked: list[int] = []
        self._results: dict[int, ItemResult] = {}
        self._running: Transfer | None = None

    def begin(self) -> bytes:
        octets = self._next()
        if octets is None:
            raise self._local_error()
        return octets

    def _local_error(self) -> LocalProtocolError:
        first = next(iter(self._results.values()), None)
        return first if isinstance(first, LocalProtocolError) else LocalProtocolError("Nothing is asked")

    # -- answers -----------------------------------------------------------------------------------------------------

    @property
    def _current(self) -> Transfer:
        assert self._running is not None  # until the end something is asked
        return self._running

    def stray(self, apdu: Apdu) -> str:
        return self._current.stray(apdu)

    def receive(self, apdu: Apdu) -> Turn:
        outcomes, octets = self._current.receive(apdu)
        if octets is not None:
            return outcomes, octets
        return self._go_on([outcome for outcome in outcomes if not self._takes(outcome)])

    def failed(self, error: DlmsError) -> Turn:
        """What is asked now came to nothing: it is asked in another form, or the error is its result."""
        form, items = type(self._current), [self._items[index] for index in self._asked]
        self._current.abort()
        if error.layer == "security":  # whatever follows would fail the same way, and use counters up
            self._asked += self._waiting
            self._waiting.clear()
        elif len(items) > 1:
            self._forms.refused(form, len(items), error)
            if _was_not_done(error) or all(isinstance(item, GetItem) for item in items):
                self._waiting.extendleft(reversed(self._asked))
                self._asked = []
        self._give([error] * len(self._asked))
        return self._go_on([])

    def _takes(self, outcome: Outcome) -> bool:
        """Whether this is the result of what was asked; blocks are told as they come."""
        match outcome:
            case GetFinished() | SetFinished():
                self._give([outcome.result])
            case ActionFinished():
                self._give([ActionOutcome(outcome.result, outcome.return_parameters)])
            case ListFinished():
                self._give(outcome.results)
            case _:
                return False
        return True

    def _give(self, results: Sequence[ItemResult]) -> None:
        self._results.update(zip(self._asked, results, strict=True))

    def _go_on(self, outcomes: list[Outcome]) -> Turn:
        octets = self._next()
        if octets is not None:
            return outcomes, octets
        self.fire(TransferEvent.RESULT)
        results = tuple(self._results[index] for index in range(len(self._items)))
        return [*outcomes, ManyFinished(self.request, results)], None

    # -- requests ----------------------------------------------------------------------------------------------------

    def _next(self) -> bytes | None:
        """The next request's first APDU; what cannot even be sent has its error as result."""
        while self._waiting:
            self._running, count = self._plan()
            self._asked = [self._waiting.popleft() for _ in range(count)]
            try:
                return self._running.begin()
            except LocalProtocolError as error:
                self._give([error] * count)
        return None

    def _plan(self) -> tuple[Transfer, int]:
        """The best request for what waits, and how many items it takes from the front."""
        ahead = [self._items[index] for index in list(self._waiting)[: self._forms.longest]]
        if self._forms.access and (count := self._fitting(self._safely_mixed(ahead), ACCESS_OCTETS)) > 1:
            return AccessTransfer(self.terms, ahead[:count]), count
        kind = type(ahead[0])
        alike = list(takewhile(lambda item: isinstance(item, kind), ahead))
        make_list = self._asking.lists.get(kind) if self._forms.lists else None
        if make_list is not None and (count := self._fitting(alike, LIST_OCTETS, BLOCKS.get(kind))) > 1:
            return make_list(self.terms, alike[:count]), count
        return self._asking.single(self.terms, ahead[0]), 1

    def _safely_mixed(self, ahead: Sequence[Item]) -> Sequence[Item]:
        """What may share one ACCESS.

        An answer that is too long is lost whole, unless it may come in general blocks: the results of writes are not bound to
        values of unknown length, and a method, which may return one, goes alone.
        """
        if Conformance.GENERAL_BLOCK_TRANSFER in self.terms.conformance:
            return ahead
        kind = type(ahead[0])
        return ahead[:1] if kind is ActionItem else list(takewhile(lambda item: isinstance(item, kind), ahead))

    def _fitting(self, items: Sequence[Item], overhead: int, blocks: Conformance | None = None) -> int:
        """How many of the items one request takes; only their descriptors count where the values may go out in blocks."""
        in_blocks = blocks is not None and blocks in self.terms.conformance
        size = overhead + (FIRST_BLOCK_OCTETS if in_blocks else 0)
        for count, item in enumerate(items):
            size += specification_octets(item) + (0 if in_blocks else value_octets(item))
            if size > self.terms.capacity:
                return count
        return len(items)


def item_transfer(terms: Terms, item: Item) -> Transfer:
    """One item, asked for by its logical name."""
    match item:
        case GetItem():
            return GetTransfer(terms, item.descriptor, item.access_selection)
        case SetItem():
            return SetTransfer(terms, item.descriptor, item.value, item.access_selection)
        case ActionItem():
            return ActionTransfer(terms, item.descriptor, item.parameters)


BY_LOGICAL_NAMES: Final = Asking(
    item_transfer,
    {GetItem: GetListTransfer, SetItem: SetListTransfer, ActionItem: ActionListTransfer},
    unconfirmed_set,
)
