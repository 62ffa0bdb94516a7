"""What all requests have in common: their states, and the terms on which they go out.

A client asks one thing at a time. What does not fit into one APDU travels in numbered blocks: a long answer is fetched block
by block (the request for the next block carries the number of the one just received), a long request is sent block by block
(the server acknowledges each number). Blocks are numbered from 1.

    SENDING ──acknowledged, the last block goes out──> PENDING
    PENDING ──result or refusal──> DONE
       └──block──> RECEIVING ──last block──> DONE

A refused block number or an abort by the server comes as a data-access-result, and so as a value.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, NoReturn

from sessions.dlms.apdu import Apdu
from sessions.dlms.apdu.descriptors import InvokeIdAndPriority
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import DlmsError, LocalProtocolError, RemoteProtocolError
from sessions.dlms.events import (
    ActionFinished,
    BlockReceived,
    BlockSent,
    GetFinished,
    ListFinished,
    ManyFinished,
    RequestFailed,
    SetFinished,
)
from sessions.dlms.transfers.blocks import Ahead, Incoming, Outgoing, TransferLimits

Outcome = (
    BlockReceived | BlockSent | GetFinished | SetFinished | ActionFinished | ListFinished | ManyFinished | RequestFailed
)
Turn = tuple[list[Outcome], bytes | None]
"""What an answer brings, and the APDU in clear that goes out next; None when the request has ended."""

INVOKE_IDS: Final = 15


class TransferState(Enum):
    """Where a request stands."""

    SENDING = auto()  # blocks of it are still to go out
    PENDING = auto()  # all of it is out
    RECEIVING = auto()  # blocks of the answer are still to come
    DONE = auto()


class TransferEvent(Enum):
    """What moves a request: what we do, and the answers by what they mean."""

    LAST_BLOCK_OUT = auto()
    ABORT = auto()
    RESULT = auto()
    REFUSAL = auto()  # a result code instead of a value, an acknowledgement or a block
    ACKNOWLEDGED = auto()
    BLOCK = auto()
    LAST_BLOCK = auto()
    UNRELATED = auto()  # an APDU that answers no request of this kind


OURS: Final = frozenset({TransferEvent.LAST_BLOCK_OUT, TransferEvent.ABORT})

_S, _E = TransferState, TransferEvent
_ENDS: Final = {_E.REFUSAL: _S.DONE, _E.ABORT: _S.DONE}

TRANSITIONS: Final[Mapping[TransferState, Mapping[TransferEvent, TransferState]]] = {
    _S.SENDING: {_E.ACKNOWLEDGED: _S.SENDING, _E.LAST_BLOCK_OUT: _S.PENDING, **_ENDS},
    _S.PENDING: {_E.RESULT: _S.DONE, _E.BLOCK: _S.RECEIVING, _E.LAST_BLOCK: _S.DONE, **_ENDS},
    _S.RECEIVING: {_E.BLOCK: _S.RECEIVING, _E.LAST_BLOCK: _S.DONE, **_ENDS},
    _S.DONE: {_E.ABORT: _S.DONE},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of one request.

    `request` numbers it in the client's events, `invocations` gives each APDU that begins something a number of its own.
    `capacity` is the longest APDU in clear that the server takes, `conformance` what both sides agreed to.
    """

    request: int
    invocations: Iterator[int]
    capacity: int
    conformance: Conformance
    limits: TransferLimits = field(default_factory=TransferLimits)


def too_long(size: int, capacity: int) -> LocalProtocolError:
    """The error of a request that cannot be sent."""
    return LocalProtocolError(
        f"The request is {size} octets long, the meter receives {capacity} at most and agreed to no blocks for it",
        code="request-too-long",
        hint="Ask for less, or write it in parts.",
    )


class Transfer(ABC):
    """One request: `begin` it, feed `receive` the answers that are not `stray`.

    LocalProtocolError (`request-too-long`) is ours, RemoteProtocolError and DecodeError are the server's: the owner hands
    those, and every refusal of the whole service, to `failed`.
    """

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.state = TransferState.PENDING
        self._incoming = Incoming(terms.limits)
        self._outgoing: Outgoing | None = None
        self._ahead = Ahead()

    @property
    def request(self) -> int:
        return self.terms.request

    @property
    def done(self) -> bool:
        return self.state is TransferState.DONE

    @abstractmethod
    def begin(self) -> bytes:
        """The first APDU."""

    @abstractmethod
    def stray(self, apdu: Apdu) -> str:
        """Why an APDU does not answer this request; empty where it does. RemoteProtocolError where it answers none at all."""

    @abstractmethod
    def receive(self, apdu: Apdu) -> Turn:
        """Take an answer."""

    def look_ahead(self, at: int, octets: bytes) -> list[Outcome]:
        """A piece of an answer whose end is still to come, in general blocks: what of its only value is there by now."""
        value = self._ahead.take(at, octets, self._head_of_value(octets) if at == 0 else 0)
        return [BlockReceived(self.request, self._ahead.blocks, value, self._ahead.octets)] if value else []

    def _head_of_value(self, apdu: bytes) -> int:
        """How many octets stand before the only value of an answer that begins so; 0 where it is no such answer."""
        return 0

    def _check_ahead(self) -> None:
        """RemoteProtocolError where what was handed on is not what the whole answer says."""
        if self._ahead.began_anew:
            raise RemoteProtocolError(
                "The meter's answer began anew in the middle",
                code="began-anew",
                hint="What was read of it so far is void: read again.",
            )

    def failed(self, error: DlmsError) -> Turn:
        """The request was refused as a whole, or answered with nonsense."""
        self.abort()
        return [RequestFailed(self.request, error)], None

    def abort(self) -> None:
        """Forget the request."""
        self.fire(TransferEvent.ABORT)

    def fire(self, event: TransferEvent) -> None:
        """Move to the next state, or blame the guilty side and stay put."""
        try:
            self.state = TRANSITIONS[self.state][event]
        except KeyError:
            blame = LocalProtocolError if event in OURS else RemoteProtocolError
            raise blame(
                f"{event.name.lower().replace('_', ' ')} is illegal in {self.state.name}", code="unexpected-answer"
            ) from None

    def _begin_short(self, octets: bytes) -> bytes:
        """The request in one APDU. It has to fit, or general blocks to be agreed: then the client cuts it."""
        if len(octets) > self.terms.capacity and Conformance.GENERAL_BLOCK_TRANSFER not in self.terms.conformance:
            raise too_long(len(octets), self.terms.capacity)
        return octets

    def _take_block(self, number: int, contents: bytes, last: bool) -> BlockReceived:
        self.fire(TransferEvent.LAST_BLOCK if last else TransferEvent.BLOCK)
        self._incoming.add(number, contents, last)
        return BlockReceived(self.request, number, contents, len(self._incoming.octets))

    def _unrelated(self, apdu: Apdu) -> NoReturn:
        raise RemoteProtocolError(f"No answer to this request: {apdu.summary()}", code="unexpected-answer")

    def _continuation(self, last: bool, number: int, contents: bytes) -> bytes:
        """The APDU of a block after the first; for services with long requests."""
        raise NotImplementedError

    def _begin_long(self, encoded: bytes, build: Callable[[bool, int, bytes], bytes]) -> bytes:
        """The request's first block."""
        outgoing = Outgoing(encoded, self.terms.capacity)
        octets, last = outgoing.next_block(build)
        # The descriptor may make it too long for one APDU while one block holds all of the value.
        self.state = TransferState.PENDING if last else TransferState.SENDING
        self._outgoing = outgoing
        return octets

    def _acknowledged(self, number: int) -> Turn:
        """The next block, after the server has taken the one before."""
        self.fire(TransferEvent.ACKNOWLEDGED)
        outgoing = self._outgoing
        assert outgoing is not None  # only a long request is SENDING
        if number != outgoing.block_number:
            raise RemoteProtocolError(
                f"Block {number} is acknowledged where block {outgoing.block_number} was sent",
                code="wrong-block-number",
            )
        event = BlockSent(self.request, number, outgoing.sent, len(outgoing.encoded))
        octets, last = outgoing.next_block(self._continuation)
        if last:
            self.fire(TransferEvent.LAST_BLOCK_OUT)
        return [event], octets


def next_invocation(terms: Terms) -> InvokeIdAndPriority:
    """Invoke-ids 1 to 15 in turn."""
    return InvokeIdAndPriority((next(terms.invocations) - 1) % INVOKE_IDS + 1)


class LnTransfer(Transfer):
    """A request of logical-name referencing: the answer repeats its invoke-id.

    Invoke-ids are 1 to 15 in turn, so that a late answer to the request before is told from the right one.
    """

    def __init__(self, terms: Terms) -> None:
        super().__init__(terms)
        self.invocation = next_invocation(terms)

    def stray(self, apdu: Apdu) -> str:
        invocation = getattr(apdu, "invoke_id_and_priority", None)
        if invocation is None:
            raise RemoteProtocolError(f"No answer to a request: {apdu.summary()}", code="unexpected-answer")
        if invocation.invoke_id == self.invocation.invoke_id:
            return ""
        return f"invoke-id {invocation.invoke_id}, but {self.invocation.invoke_id} is asked"
