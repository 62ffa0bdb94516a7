"""General block transfer: any APDU in numbered blocks, with windows; the same machine for both roles.

Each side numbers its own blocks from 1 in one exchange (a request and its answer), empty ones included. Every block also says
which block of the other side came last in sequence, and how many its sender takes in a row (the window). A sender streams as
many blocks as that, waits after the last of them (streaming 0), and goes on behind the block that is acknowledged: what was lost
is sent again from there. An acknowledgement is a block without data. The answer's first block acknowledges the request.

    IDLE ──blocks go out──> SENDING ──acknowledged, the last goes out──> SENT
      ^                                                                    │
      └──last block──  RECEIVING  <──────────────block─────────────────────┘
                       RECEIVING ──a block is missing──> MISSING ──it came──> RECEIVING

Unconfirmed transfers (pushes) have window 0: nobody acknowledges, and a gap ends them; block 1 begins anew. Peers are known that
do not number their empty blocks, and such as repeat what was received: both is borne. Source: IEC 62056-5-3, general block
transfer; Green Book 9.3.5, 9.4.6.13.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from sessions.dlms.apdu.block_transfer import GeneralBlockTransfer
from sessions.dlms.errors import DlmsError, LocalProtocolError, RemoteProtocolError
from sessions.dlms.transfers.blocks import largest_contents

MAX_WINDOW: Final = 63
DEFAULT_WINDOW: Final = 8
MAX_BLOCK_NUMBER: Final = 0xFFFF
HEADER_OCTETS: Final = 6
"""Tag, block-control, block-number, block-number-ack: what stands before the length of the data."""


class BlockState(Enum):
    """Where an exchange stands."""

    IDLE = auto()  # nothing is on its way
    SENDING = auto()  # a window of ours is out, and others are to follow
    SENT = auto()  # our last block is out
    RECEIVING = auto()  # theirs come in sequence
    MISSING = auto()  # one of theirs did not come


class BlockEvent(Enum):
    """What moves an exchange: what we do, and their blocks by what they mean."""

    SEND = auto()  # a window without our last block
    SEND_LAST = auto()
    ABORT = auto()
    ACKNOWLEDGED = auto()  # an empty block
    BLOCK = auto()  # the next one, others follow
    LAST_BLOCK = auto()  # the next one, and the last
    REPEATED = auto()  # one that came before
    GAP = auto()  # one before it is missing
    ABORTED = auto()


OURS: Final = frozenset({BlockEvent.SEND, BlockEvent.SEND_LAST, BlockEvent.ABORT})

_S, _E = BlockState, BlockEvent
_ALWAYS: Final = {
    _E.ABORT: _S.IDLE,
    _E.ABORTED: _S.IDLE,
    _E.BLOCK: _S.RECEIVING,
    _E.LAST_BLOCK: _S.IDLE,
    _E.GAP: _S.MISSING,
}
_OUT: Final = {_E.SEND: _S.SENDING, _E.SEND_LAST: _S.SENT}

TRANSITIONS: Final[Mapping[BlockState, Mapping[BlockEvent, BlockState]]] = {
    # After the last block has come: a repetition of it, or a late acknowledgement, changes nothing.
    _S.IDLE: {**_ALWAYS, **_OUT, _E.ACKNOWLEDGED: _S.IDLE, _E.REPEATED: _S.IDLE},
    _S.SENDING: {**_ALWAYS, **_OUT, _E.ACKNOWLEDGED: _S.SENDING, _E.REPEATED: _S.SENDING},
    _S.SENT: {**_ALWAYS, **_OUT, _E.ACKNOWLEDGED: _S.SENT, _E.REPEATED: _S.SENT},
    _S.RECEIVING: {**_ALWAYS, _E.ACKNOWLEDGED: _S.RECEIVING, _E.REPEATED: _S.RECEIVING},
    _S.MISSING: {**_ALWAYS, _E.ACKNOWLEDGED: _S.MISSING, _E.REPEATED: _S.MISSING},
}


@dataclass(frozen=True, slots=True)
class BlockLimits:
    """Where a peer is stopped: octets of one APDU, and blocks in a row that bring nothing new."""

    max_octets: int = 16 * 1024 * 1024
    max_idle_blocks: int = 200


@dataclass(frozen=True, slots=True)
class Arrival:
    """What one block brings: blocks to send, and the whole APDU with the last of them. `aborted`: the peer broke off.

    `piece`: where in the APDU a block that is not the last stands, and what it adds; not of a push, which nobody waits for.
    """

    blocks: tuple[GeneralBlockTransfer, ...] = ()
    apdu: bytes | None = None
    aborted: bool = False
    piece: tuple[int, bytes] | None = None


@dataclass(slots=True)
class _Outgoing:
    """An APDU on its way: `count` blocks of `size` octets, the first of them number `first`."""

    apdu: bytes = b""
    size: int = 1
    first: int = 1
    count: int = 0

    @property
    def last(self) -> int:
        return self.first + self.count - 1

    def data(self, number: int) -> bytes:
        """What stands in a block; the numbers before the first were used by acknowledgements, which are empty."""
        begin = (number - self.first) * self.size
        return self.apdu[begin : begin + self.size] if begin >= 0 else b""


@dataclass(slots=True)
class _Incoming:
    """Their APDU so far. `received` is the highest block number in sequence, that of empty blocks included."""

    octets: bytearray = field(default_factory=bytearray)
    received: int = 0
    first: bytes | None = None
    """The data of their first block, by which a repetition is told from a new beginning."""

    def take(self, number: int, octets: bytes) -> None:
        if self.first is None:
            self.first = octets
        self.received = number
        self.octets += octets


class GeneralBlocks:
    """One side of the general block transfers of an association. `window`: how many blocks we take in a row, 1 to 63.

    `streams`: whether several of our blocks may go out in a row at all, which depends on the line. `confirmed` False: for what
    comes unasked and is not acknowledged. RemoteProtocolError says what cannot go on; the exchange is at its end then.
    """

    def __init__(
        self,
        *,
        window: int = DEFAULT_WINDOW,
        streams: bool = True,
        confirmed: bool = True,
        limits: BlockLimits | None = None,
    ) -> None:
        self.state = BlockState.IDLE
        self.window = window if confirmed else 0
        self.streams = streams
        self.confirmed = confirmed
        self.limits = limits or BlockLimits()
        self.begin()

    # -- ours --------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """A new exchange: both sides count from 1."""
        self.state = BlockState.IDLE
        self._outgoing = _Outgoing()
        self._incoming = _Incoming()
        self._sent = 0  # the highest number that we used
        self._acknowledged = 0
        self._peer_window = 1
        self._idle_blocks = 0

    @property
    def awaits_blocks(self) -> bool:
        """Whether blocks of theirs are still to come."""
        return self.state in (BlockState.RECEIVING, BlockState.MISSING)

    @property
    def awaits_answer(self) -> bool:
        """Whether it is their turn: to acknowledge, to answer or to go on."""
        return self.state is not BlockState.IDLE

    def continues(self, block: GeneralBlockTransfer) -> bool:
        """Whether a block is the next one of what is coming."""
        return self.awaits_blocks and block.block_number == self._incoming.received + 1

    def send(self, apdu: bytes, room: int) -> tuple[GeneralBlockTransfer, ...]:
        """The first window of an APDU in blocks of at most `room` octets; LocalProtocolError where it cannot be cut so."""
        size = largest_contents(room - HEADER_OCTETS)
        first = self._sent + 1
        if size < 1 or first + -(-len(apdu) // max(1, size)) > MAX_BLOCK_NUMBER:
            raise LocalProtocolError(
                f"{len(apdu)} octets do not travel in blocks of {room}",
                code="request-too-long",
                hint="Ask for less, or write it in parts.",
            )
        self.fire(BlockEvent.SEND)
        self._outgoing = _Outgoing(apdu, size, first, max(1, -(-len(apdu) // size)))
        return self._window_from(first)

    def ask_again(self) -> tuple[GeneralBlockTransfer, ...]:
        """After silence: what was not acknowledged once more, or how far their blocks came."""
        if self.state in (BlockState.SENDING, BlockState.SENT) and self._acknowledged < self._outgoing.last:
            return self._next_window()
        return (self._acknowledgement(),) if self.awaits_answer else ()

    def abort(self) -> tuple[GeneralBlockTransfer, ...]:
        """Break off: the block that says so."""
        self.fire(BlockEvent.ABORT)
        return (GeneralBlockTransfer(True, False, 0, 0, 0, b""),) if self.confirmed else ()

    # -- theirs ------------------------------------------------------------------------------------------------------

    def receive(self, block: GeneralBlockTransfer) -> Arrival:
        """Take one block; RemoteProtocolError where a limit is reached."""
        if self._is_abort(block):
            self.fire(BlockEvent.ABORTED)
            return Arrival(aborted=True)
        if block.block_number == 1 and block.block_data and self._begins_anew(block):
            self.begin()
        self._peer_window = max(1, min(block.window, MAX_WINDOW))
        progress = self._take_acknowledgement(block.block_number_ack)
        event = self._meaning(block)
        self._count_idle(progress or event in (BlockEvent.BLOCK, BlockEvent.LAST_BLOCK))
        self.fire(event)
        match event:
            case BlockEvent.BLOCK | BlockEvent.LAST_BLOCK:
                return self._take(block, last=event is BlockEvent.LAST_BLOCK)
            case BlockEvent.ACKNOWLEDGED:
                return Arrival(self._go_on(block))
        if not self.confirmed:  # nobody will send the missing one again
            self.begin()
            return Arrival()
        return Arrival(() if block.streaming else self._say_again())

    def _is_abort(self, block: GeneralBlockTransfer) -> bool:
        """The last block, with no window and nothing in it, where it neither ends nor acknowledges anything."""
        if not block.last_block or block.streaming or block.window or block.block_data:
            return False
        acknowledges = self._outgoing.count > 0 and block.block_number_ack > self._acknowledged
        return not acknowledges and not (self.awaits_blocks and block.block_number == self._incoming.received + 1)

    def _begins_anew(self, block: GeneralBlockTransfer) -> bool:
        """Block 1 with other data than the one before, or after a push that nobody acknowledges."""
        first = self._incoming.first
        return first is not None and (not self.confirmed or first != block.block_data)

    def _take_acknowledgement(self, number: int) -> bool:
        """Whether something of ours is acknowledged for the first time."""
        number = min(number, self._sent)
        progress = number > self._acknowledged
        self._acknowledged = max(self._acknowledged, number)
        return progress

    def _meaning(self, block: GeneralBlockTransfer) -> BlockEvent:
        incoming, number = self._incoming, block.block_number
        if not block.block_data and not (block.last_block and self.continues(block)):
            if incoming.first is None or number == incoming.received + 1:
                incoming.received = max(incoming.received, number)
            return BlockEvent.ACKNOWLEDGED
        # Before any data has come, a number that was used by an empty block is no repetition: the peer does not count those.
        if number <= incoming.received and incoming.first is not None:
            return BlockEvent.REPEATED
        if number > incoming.received + 1 or number == 0:
            return BlockEvent.GAP
        return BlockEvent.LAST_BLOCK if block.last_block else BlockEvent.BLOCK

    def _take(self, block: GeneralBlockTransfer, *, last: bool) -> Arrival:
        incoming = self._incoming
        if len(incoming.octets) + len(block.block_data) > self.limits.max_octets:
            raise self._stopped(f"{len(incoming.octets)} octets and no end", "transfer-too-long")
        at = len(incoming.octets)
        incoming.take(block.block_number, block.block_data)
        if last:
            apdu, incoming.octets = bytes(incoming.octets), bytearray()
            return Arrival(apdu=apdu)
        if block.block_number == MAX_BLOCK_NUMBER:
            raise self._stopped("the block numbers are used up", "transfer-too-long")
        if not self.confirmed:
            return Arrival()
        return Arrival(() if block.streaming else (self._acknowledgement(),), piece=(at, block.block_data))

    def _go_on(self, block: GeneralBlockTransfer) -> tuple[GeneralBlockTransfer, ...]:
        """After an acknowledgement: what was lost, and what is still to go out."""
        sending = self.state in (BlockState.SENDING, BlockState.SENT)
        if block.streaming or not sending or self._acknowledged >= self._outgoing.last:
            return ()
        return self._next_window()

    def _say_again(self) -> tuple[GeneralBlockTransfer, ...]:
        """They repeat, or something is missing: where we stand. Our own blocks say it too, while they are not acknowledged."""
        if self.state in (BlockState.SENDING, BlockState.SENT) and self._acknowledged < self._outgoing.last:
            return self._next_window()
        return (self._acknowledgement(),)

    def _count_idle(self, progress: bool) -> None:
        self._idle_blocks = 0 if progress else self._idle_blocks + 1
        if self._idle_blocks > self.limits.max_idle_blocks:
            raise self._stopped(f"{self._idle_blocks} blocks in a row bring nothing new", "block-storm")

    def _stopped(self, message: str, code: str) -> RemoteProtocolError:
        self.fire(BlockEvent.ABORT)
        self._incoming = _Incoming()
        return RemoteProtocolError(f"The meter's general block transfer does not end: {message}", code=code)

    # -- blocks ------------------------------------------------------------------------------------------------------

    def _next_window(self) -> tuple[GeneralBlockTransfer, ...]:
        """Our blocks behind what is acknowledged, a lost acknowledgement among them."""
        return self._window_from(self._acknowledged + 1)

    def _window_from(self, start: int) -> tuple[GeneralBlockTransfer, ...]:
        """As many blocks as they take in a row; we wait for them after the last of these."""
        outgoing = self._outgoing
        end = min(start + (self._peer_window if self.streams else 1) - 1, outgoing.last)
        self.fire(BlockEvent.SEND_LAST if end == outgoing.last else BlockEvent.SEND)
        self._sent = max(self._sent, end)
        return tuple(
            GeneralBlockTransfer(
                last_block=number == outgoing.last,
                streaming=number < end,
                window=self.window,
                block_number=number,
                block_number_ack=self._incoming.received,
                block_data=outgoing.data(number),
            )
            for number in range(start, end + 1)
        )

    def _acknowledgement(self) -> GeneralBlockTransfer:
        """How far their blocks came. An acknowledgement that was not acknowledged itself keeps its number."""
        if self._sent == max(self._acknowledged, self._outgoing.last if self._outgoing.count else 0):
            self._sent += 1
        return GeneralBlockTransfer(True, False, self.window, self._sent, self._incoming.received, b"")

    # -- state -------------------------------------------------------------------------------------------------------

    def fire(self, event: BlockEvent) -> None:
        """Move to the next state, or blame the guilty side and stay put."""
        try:
            self.state = TRANSITIONS[self.state][event]
        except KeyError:
            blame: type[DlmsError] = LocalProtocolError if event in OURS else RemoteProtocolError
            raise blame(
                f"{event.name.lower().replace('_', ' ')} is illegal in {self.state.name}", code="busy"
            ) from None


def unconfirmed_blocks(apdu: bytes, room: int) -> tuple[GeneralBlockTransfer, ...]:
    """A push in blocks of at most `room` octets: no window, nobody acknowledges; streaming is said of the last one too."""
    size = largest_contents(room - HEADER_OCTETS)
    count = -(-len(apdu) // max(1, size))
    if size < 1 or count > MAX_BLOCK_NUMBER:
        raise LocalProtocolError(f"{len(apdu)} octets do not travel in blocks of {room}", code="request-too-long")
    return tuple(
        GeneralBlockTransfer(number == count, True, 0, number, 0, apdu[(number - 1) * size : number * size])
        for number in range(1, count + 1)
    )
