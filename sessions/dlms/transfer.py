"""One request and its answer, in one APDU or in many blocks.

A client asks one thing at a time. What does not fit into one APDU travels in numbered blocks: a long answer is fetched block
by block (the request for the next block carries the number of the one just received), a long request is sent block by block
(the server acknowledges each number). Blocks are numbered from 1.

    IDLE ──GET──> GET_PENDING ──value──> IDLE
                       └──block──> GET_RECEIVING ──last block──> IDLE
    IDLE ──SET──> SET_PENDING ──result──> IDLE
    IDLE ──SET_LONG──> SET_SENDING ──acknowledged…──> SET_LAST_SENT ──result──> IDLE
    ACTION does both: a long parameter on the way out, long return parameters on the way back.

A peer that never ends, repeats a block or sends empty ones is stopped by `TransferLimits`. A refused block number or an abort by
the server comes as a data-access-result, and so as a value. Source: IEC 62056-5-3, GET, SET and ACTION services; Green Book 9.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from meters.cosem.data import Data
from sessions.dlms.apdu import Apdu
from sessions.dlms.apdu.action import (
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithPblock,
)
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
    DataAccessResult,
    InvokeIdAndPriority,
    read_get_data_result,
)
from sessions.dlms.apdu.get import GetRequestNext, GetRequestNormal, GetResponseNormal, GetResponseWithDatablock
from sessions.dlms.apdu.set import (
    SetRequestNormal,
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseNormal,
)
from sessions.dlms.axdr import decode_data, encode_data
from sessions.dlms.cursor import Reader
from sessions.dlms.errors import DecodeError, LocalProtocolError, RemoteProtocolError
from sessions.dlms.events import ActionFinished, BlockReceived, BlockSent, GetFinished, SetFinished
from sessions.dlms.selective_access import SelectiveAccess

Outcome = BlockReceived | BlockSent | GetFinished | SetFinished | ActionFinished


@dataclass(frozen=True, slots=True)
class TransferLimits:
    """Where a long answer is cut off. Octets of raw data, blocks, and empty blocks in a row that are not the last."""

    max_octets: int = 16 * 1024 * 1024
    max_blocks: int = 200_000
    max_empty_blocks: int = 2


class TransferState(Enum):
    """What is awaited."""

    IDLE = auto()
    GET_PENDING = auto()
    GET_RECEIVING = auto()
    SET_PENDING = auto()
    SET_SENDING = auto()
    SET_LAST_SENT = auto()
    ACTION_PENDING = auto()
    ACTION_SENDING = auto()
    ACTION_LAST_SENT = auto()
    ACTION_RECEIVING = auto()


class TransferEvent(Enum):
    """What moves a transfer: our requests, and the answers by what they mean."""

    GET = auto()
    SET = auto()
    SET_LONG = auto()
    ACTION = auto()
    ACTION_LONG = auto()
    LAST_BLOCK_OUT = auto()
    ABORT = auto()
    GET_VALUE = auto()
    GET_REFUSAL = auto()  # a data-access-result instead of a value or of a block
    GET_BLOCK = auto()
    GET_LAST_BLOCK = auto()
    SET_RESULT = auto()
    SET_REFUSAL = auto()
    SET_ACKNOWLEDGED = auto()
    ACTION_RESULT = auto()
    ACTION_REFUSAL = auto()
    ACTION_ACKNOWLEDGED = auto()
    ACTION_BLOCK = auto()
    ACTION_LAST_BLOCK = auto()
    UNRELATED = auto()  # an APDU that answers no request of ours


OURS: Final = frozenset(
    {
        TransferEvent.GET,
        TransferEvent.SET,
        TransferEvent.SET_LONG,
        TransferEvent.ACTION,
        TransferEvent.ACTION_LONG,
        TransferEvent.LAST_BLOCK_OUT,
        TransferEvent.ABORT,
    }
)

_S, _E = TransferState, TransferEvent
_GET_ENDS: Final = {_E.GET_REFUSAL: _S.IDLE, _E.GET_LAST_BLOCK: _S.IDLE, _E.ABORT: _S.IDLE}
_SET_ENDS: Final = {_E.SET_RESULT: _S.IDLE, _E.SET_REFUSAL: _S.IDLE, _E.ABORT: _S.IDLE}
_ACTION_ENDS: Final = {
    _E.ACTION_RESULT: _S.IDLE,
    _E.ACTION_REFUSAL: _S.IDLE,
    _E.ACTION_LAST_BLOCK: _S.IDLE,
    _E.ACTION_BLOCK: _S.ACTION_RECEIVING,
    _E.ABORT: _S.IDLE,
}

TRANSITIONS: Final[Mapping[TransferState, Mapping[TransferEvent, TransferState]]] = {
    _S.IDLE: {
        _E.GET: _S.GET_PENDING,
        _E.SET: _S.SET_PENDING,
        _E.SET_LONG: _S.SET_SENDING,
        _E.ACTION: _S.ACTION_PENDING,
        _E.ACTION_LONG: _S.ACTION_SENDING,
        _E.ABORT: _S.IDLE,
    },
    _S.GET_PENDING: {_E.GET_VALUE: _S.IDLE, _E.GET_BLOCK: _S.GET_RECEIVING, **_GET_ENDS},
    _S.GET_RECEIVING: {_E.GET_BLOCK: _S.GET_RECEIVING, **_GET_ENDS},
    _S.SET_PENDING: _SET_ENDS,
    _S.SET_SENDING: {
        _E.SET_ACKNOWLEDGED: _S.SET_SENDING,
        _E.LAST_BLOCK_OUT: _S.SET_LAST_SENT,
        _E.SET_REFUSAL: _S.IDLE,
        _E.ABORT: _S.IDLE,
    },
    _S.SET_LAST_SENT: _SET_ENDS,
    _S.ACTION_PENDING: _ACTION_ENDS,
    _S.ACTION_SENDING: {
        _E.ACTION_ACKNOWLEDGED: _S.ACTION_SENDING,
        _E.LAST_BLOCK_OUT: _S.ACTION_LAST_SENT,
        _E.ACTION_REFUSAL: _S.IDLE,
        _E.ABORT: _S.IDLE,
    },
    _S.ACTION_LAST_SENT: _ACTION_ENDS,
    _S.ACTION_RECEIVING: {
        _E.ACTION_BLOCK: _S.ACTION_RECEIVING,
        _E.ACTION_LAST_BLOCK: _S.IDLE,
        _E.ACTION_REFUSAL: _S.IDLE,
        _E.ABORT: _S.IDLE,
    },
}


def classify(apdu: Apdu) -> TransferEvent:
    """What an answer means for a transfer."""
    match apdu:
        case GetResponseNormal():
            return _E.GET_REFUSAL if isinstance(apdu.result, DataAccessResult) else _E.GET_VALUE
        case GetResponseWithDatablock():
            if isinstance(apdu.result, DataAccessResult):
                return _E.GET_REFUSAL
            return _E.GET_LAST_BLOCK if apdu.last_block else _E.GET_BLOCK
        case SetResponseNormal() | SetResponseLastDatablock():
            return _E.SET_RESULT if apdu.result is DataAccessResult.SUCCESS else _E.SET_REFUSAL
        case SetResponseDatablock():
            return _E.SET_ACKNOWLEDGED
        case ActionResponseNormal():
            return _E.ACTION_RESULT if apdu.result is ActionResult.SUCCESS else _E.ACTION_REFUSAL
        case ActionResponseWithPblock():
            return _E.ACTION_LAST_BLOCK if apdu.last_block else _E.ACTION_BLOCK
        case ActionResponseNextPblock():
            return _E.ACTION_ACKNOWLEDGED
    return _E.UNRELATED


def largest_contents(room: int) -> int:
    """How many octets fit into `room` together with their own A-XDR length; below 0: not even the length."""
    contents = room - 1
    while contents >= 0 and contents + length_octets(contents) > room:
        contents -= 1
    return contents


def length_octets(number: int) -> int:
    """The size of an A-XDR length."""
    return 1 if number < 0x80 else 1 + (number.bit_length() + 7) // 8


@dataclass(slots=True)
class _Outgoing:
    """A long parameter on its way: `encoded`, of which `sent` octets are out, in blocks 1 … `block_number`."""

    encoded: bytes
    capacity: int
    sent: int = 0
    block_number: int = 0

    def next_block(self, build: Callable[[bool, int, bytes], bytes]) -> tuple[bytes, bool]:
        """The next block's APDU, as full as the server can take it, and whether it is the last."""
        number = self.block_number + 1
        room = largest_contents(self.capacity - (len(build(False, number, b"")) - 1))
        if room < 1:
            raise LocalProtocolError(
                f"The meter receives {self.capacity} octets at most: not one octet of a block fits",
                code="request-too-long",
            )
        contents = self.encoded[self.sent : self.sent + room]
        last = self.sent + len(contents) >= len(self.encoded)
        self.sent, self.block_number = self.sent + len(contents), number
        return build(last, number, contents), last


@dataclass(slots=True)
class _Incoming:
    """A long answer so far."""

    octets: bytearray
    block_number: int = 0
    empty_blocks: int = 0

    def add(self, number: int, contents: bytes, last: bool, limits: TransferLimits) -> None:
        """Take block `number` in; RemoteProtocolError when it is not the next, or when there is no end to it."""
        if number != self.block_number + 1:
            raise RemoteProtocolError(
                f"Block {number} came where block {self.block_number + 1} is due",
                code="wrong-block-number",
                hint="Read again. If it comes back, the meter's block transfer is faulty: read shorter ranges.",
            )
        self.empty_blocks = 0 if contents else self.empty_blocks + 1
        self.block_number = number
        self.octets += contents
        if not last and self.empty_blocks > limits.max_empty_blocks:
            raise _no_end(f"{self.empty_blocks} empty blocks in a row", "empty-blocks")
        if number > limits.max_blocks or len(self.octets) > limits.max_octets:
            raise _no_end(f"{len(self.octets)} octets in {number} blocks and no end", "transfer-too-long")


def _no_end(message: str, code: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"The meter's long answer does not end: {message}", code=code)


class Transfer:
    """The client's side of one request after the other. Gives APDUs to send as octets in clear.

    `capacity` of a request is the longest APDU in clear that the server takes. LocalProtocolError (`busy`, `request-too-long`)
    is ours, RemoteProtocolError and DecodeError are the server's: after any error call `abort`.
    """

    def __init__(self, limits: TransferLimits | None = None) -> None:
        self.limits = limits or TransferLimits()
        self.state = TransferState.IDLE
        self.request = 0
        self._invocation = InvokeIdAndPriority(0)
        self._incoming = _Incoming(bytearray())
        self._outgoing: _Outgoing | None = None

    @property
    def idle(self) -> bool:
        return self.state is TransferState.IDLE

    @property
    def invoke_id(self) -> int:
        """The invoke-id that the answer must carry."""
        return self._invocation.invoke_id

    # -- requests ----------------------------------------------------------------------------------------------------

    def get(
        self,
        request: int,
        descriptor: CosemAttributeDescriptor,
        access_selection: SelectiveAccess | None,
        *,
        capacity: int,
    ) -> bytes:
        """The GET's APDU."""
        invocation = self._next_invocation(request)
        octets = GetRequestNormal(invocation, descriptor, access_selection).encode()
        if len(octets) > capacity:
            raise _too_long(len(octets), capacity)
        self._begin(TransferEvent.GET, request, invocation)
        return octets

    def set(
        self,
        request: int,
        descriptor: CosemAttributeDescriptor,
        value: Data,
        access_selection: SelectiveAccess | None,
        *,
        capacity: int,
        blocks: bool,
    ) -> bytes:
        """The SET's only APDU, or its first block when it does not fit and `blocks` were agreed on."""
        invocation = self._next_invocation(request)
        octets = SetRequestNormal(invocation, descriptor, access_selection, value).encode()
        if len(octets) <= capacity:
            self._begin(TransferEvent.SET, request, invocation)
            return octets
        if not blocks:
            raise _too_long(len(octets), capacity)

        def first(last: bool, number: int, contents: bytes) -> bytes:
            return SetRequestWithFirstDatablock(
                invocation, descriptor, access_selection, last, number, contents
            ).encode()

        return self._begin_long(TransferEvent.SET_LONG, request, invocation, encode_data(value), capacity, first)

    def action(
        self,
        request: int,
        descriptor: CosemMethodDescriptor,
        parameters: Data | None,
        *,
        capacity: int,
        blocks: bool,
    ) -> bytes:
        """The ACTION's only APDU, or its first block when it does not fit and `blocks` were agreed on."""
        invocation = self._next_invocation(request)
        octets = ActionRequestNormal(invocation, descriptor, parameters).encode()
        if len(octets) <= capacity:
            self._begin(TransferEvent.ACTION, request, invocation)
            return octets
        if not blocks or parameters is None:
            raise _too_long(len(octets), capacity)

        def first(last: bool, number: int, contents: bytes) -> bytes:
            return ActionRequestWithFirstPblock(invocation, descriptor, last, number, contents).encode()

        return self._begin_long(
            TransferEvent.ACTION_LONG, request, invocation, encode_data(parameters), capacity, first
        )

    def abort(self) -> None:
        """Forget the request."""
        self._fire(TransferEvent.ABORT)
        self._outgoing = None

    # -- answers -----------------------------------------------------------------------------------------------------

    def receive(self, apdu: Apdu) -> tuple[list[Outcome], bytes | None]:
        """What an answer brings, and the APDU that fetches or sends the next block, if there is one."""
        event = classify(apdu)
        self._fire(event)
        match apdu:
            case GetResponseNormal():
                return [GetFinished(self.request, apdu.result)], None
            case GetResponseWithDatablock():
                return self._get_block(apdu)
            case SetResponseNormal() | SetResponseLastDatablock():
                return [SetFinished(self.request, apdu.result)], None
            case SetResponseDatablock() | ActionResponseNextPblock():
                return self._acknowledged(apdu.block_number)
            case ActionResponseNormal():
                return [ActionFinished(self.request, apdu.result, apdu.return_parameters)], None
            case ActionResponseWithPblock():
                return self._action_block(apdu)
        raise AssertionError(f"{event.name} has no handler")  # pragma: no cover - UNRELATED is illegal in every state

    def _get_block(self, apdu: GetResponseWithDatablock) -> tuple[list[Outcome], bytes | None]:
        if isinstance(apdu.result, DataAccessResult):
            return [GetFinished(self.request, apdu.result)], None
        block = self._take_block(apdu.block_number, apdu.result, apdu.last_block)
        if not apdu.last_block:
            return [block], GetRequestNext(self._invocation, apdu.block_number).encode()
        return [block, GetFinished(self.request, decode_data(bytes(self._incoming.octets)))], None

    def _action_block(self, apdu: ActionResponseWithPblock) -> tuple[list[Outcome], bytes | None]:
        block = self._take_block(apdu.block_number, apdu.raw_data, apdu.last_block)
        if not apdu.last_block:
            return [block], ActionRequestNextPblock(self._invocation, apdu.block_number).encode()
        result, returned = decode_action_result(bytes(self._incoming.octets))
        return [block, ActionFinished(self.request, result, returned)], None

    def _take_block(self, number: int, contents: bytes, last: bool) -> BlockReceived:
        self._incoming.add(number, contents, last, self.limits)
        return BlockReceived(self.request, number, contents, len(self._incoming.octets))

    def _acknowledged(self, number: int) -> tuple[list[Outcome], bytes | None]:
        outgoing = self._outgoing
        assert outgoing is not None  # only the states of a long request allow an acknowledgement
        if number != outgoing.block_number:
            raise RemoteProtocolError(
                f"Block {number} is acknowledged where block {outgoing.block_number} was sent",
                code="wrong-block-number",
            )
        event = BlockSent(self.request, number, outgoing.sent, len(outgoing.encoded))
        octets, last = outgoing.next_block(self._continuation)
        if last:
            self._fire(TransferEvent.LAST_BLOCK_OUT)
        return [event], octets

    def _continuation(self, last: bool, number: int, contents: bytes) -> bytes:
        if self.state is TransferState.SET_SENDING:
            return SetRequestWithDatablock(self._invocation, last, number, contents).encode()
        return ActionRequestWithPblock(self._invocation, last, number, contents).encode()

    # -- state -------------------------------------------------------------------------------------------------------

    def _next_invocation(self, request: int) -> InvokeIdAndPriority:
        """Invoke-ids 1 to 15 in turn, so that a late answer to the request before is told from the right one."""
        if not self.idle:
            raise LocalProtocolError("Another request is still waiting for its answer", code="busy")
        return InvokeIdAndPriority((request - 1) % 15 + 1)

    def _begin(self, event: TransferEvent, request: int, invocation: InvokeIdAndPriority) -> None:
        self._fire(event)
        self.request, self._invocation = request, invocation
        self._incoming = _Incoming(bytearray())

    def _begin_long(
        self,
        event: TransferEvent,
        request: int,
        invocation: InvokeIdAndPriority,
        encoded: bytes,
        capacity: int,
        build: Callable[[bool, int, bytes], bytes],
    ) -> bytes:
        outgoing = _Outgoing(encoded, capacity)
        octets, last = outgoing.next_block(build)
        self._begin(event, request, invocation)
        self._outgoing = outgoing
        if last:  # the descriptor made it too long for one APDU, and yet one block holds all of the value
            self._fire(TransferEvent.LAST_BLOCK_OUT)
        return octets

    def _fire(self, event: TransferEvent) -> None:
        """Move to the next state, or blame the guilty side and stay put."""
        try:
            self.state = TRANSITIONS[self.state][event]
        except KeyError:
            blame = LocalProtocolError if event in OURS else RemoteProtocolError
            raise blame(
                f"{event.name.lower().replace('_', ' ')} is illegal in {self.state.name}", code="unexpected-answer"
            ) from None


def _too_long(size: int, capacity: int) -> LocalProtocolError:
    return LocalProtocolError(
        f"The request is {size} octets long, the meter receives {capacity} at most and agreed to no blocks for it",
        code="request-too-long",
        hint="Ask for less, or write it in parts.",
    )


def decode_action_result(raw: bytes) -> tuple[ActionResult, Data | DataAccessResult | None]:
    """What the blocks of an ACTION's answer hold.

    By the standard the result and the optional return parameters; older meters send the bare Data. The standard's form is
    tried first: only Data of two octets could be mistaken for it, and nobody sends two octets in blocks.
    """
    try:
        return _decode_result_and_parameters(raw)
    except DecodeError:
        return ActionResult.SUCCESS, decode_data(raw)


def _decode_result_and_parameters(raw: bytes) -> tuple[ActionResult, Data | DataAccessResult | None]:
    reader = Reader(raw)
    result = reader.enum(ActionResult, "result")
    returned: Data | DataAccessResult | None = None
    if reader.flag("return-parameters presence"):
        returned = read_get_data_result(reader, "return-parameters")
    reader.finish()
    return result, returned
