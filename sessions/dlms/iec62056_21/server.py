"""The meter's side of IEC 62056-21 without I/O: several meters on one line, told apart by their device addresses.

    ASLEEP       a request is awaited, at the first speed
    IDENTIFIED   the identification is out: an option select is awaited (modes C and E), or a command (A and B)
    READING      the readout is being sent, block by block, and repeated where it is asked for again
    PROGRAMMING  commands are carried out
    BINARY       the line carries HDLC until the owner says that it is over

A meter that hears no option select begins its readout at the first speed. What it does not understand it does not answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Protocol

from sessions.dlms.errors import DecodeError
from sessions.dlms.iec62056_21.characters import START_BAUD, seven_even
from sessions.dlms.iec62056_21.data_set import DataBlock, DataSet, decode_data_block
from sessions.dlms.iec62056_21.message import (
    BREAK,
    OPERAND,
    PASSWORD_COMMANDS,
    CommandMessage,
    DataMessage,
    Reply,
)
from sessions.dlms.iec62056_21.sign_on import (
    BINARY_MODE,
    DATA_READOUT,
    HDLC_PROTOCOL,
    PROGRAMMING_MODE,
    AcknowledgementMessage,
    IdentificationMessage,
    Mode,
    RequestMessage,
)
from sessions.dlms.iec62056_21.stream import Damaged, Found, MessageReader
from sessions.dlms.link import LineChangeNeeded, LineSettings

OPTION_TIMEOUT: Final = 1.5
"""Seconds that an option select, or the wish to hear a block again, is awaited."""
PROGRAMMING_TIMEOUT: Final = 60.0
PARTIAL_COMMANDS: Final = ("R3", "R4")
ERROR_MALFORMED: Final = "ER01"


class State(Enum):
    ASLEEP = auto()
    IDENTIFIED = auto()
    READING = auto()
    PROGRAMMING = auto()
    BINARY = auto()


class Event(Enum):
    REQUESTED = auto()
    READOUT = auto()
    PROGRAM = auto()
    HAND_OVER = auto()
    OVER = auto()  # a break, the end of a readout, a time without a word


_ANEW: Final = {Event.REQUESTED: State.IDENTIFIED, Event.OVER: State.ASLEEP}

TRANSITIONS: Final[Mapping[State, Mapping[Event, State]]] = {
    State.ASLEEP: {Event.REQUESTED: State.IDENTIFIED, Event.OVER: State.ASLEEP},
    State.IDENTIFIED: {
        Event.READOUT: State.READING,
        Event.PROGRAM: State.PROGRAMMING,
        Event.HAND_OVER: State.BINARY,
        **_ANEW,
    },
    State.READING: dict(_ANEW),
    State.PROGRAMMING: dict(_ANEW),
    State.BINARY: {Event.OVER: State.ASLEEP},
}


class Refusal(Exception):
    """What a device answers instead of doing it: its error message, such as `ER03`."""


class Iec21Device(Protocol):
    """A meter that can be signed on to."""

    device_address: str
    identification: IdentificationMessage
    operand: str
    """What P0 gives; empty brackets where it is empty."""
    max_block: int
    """Characters of one partial block; 0: everything in one message."""
    offers_hdlc: bool

    def readout(self) -> DataBlock: ...

    def admits(self, command: str, offered: str) -> bool:
        """Whether a password (P1), or the result of the secure algorithm (P2), is right."""

    def carry_out(self, command: str, data_set: DataSet, *, admitted: bool) -> DataBlock | None:
        """Read, write or execute: the answer, None for a plain acknowledgement, or a `Refusal`."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The line carries HDLC now, for this device."""

    device: Iec21Device


ServerEvent = LineChangeNeeded | HandedOver


class Iec21Server:
    """All meters of one line. `initial_baud` is where they listen; `reaction`: seconds before each of their answers."""

    def __init__(
        self, devices: Sequence[Iec21Device], *, initial_baud: int = START_BAUD, reaction: float | None = None
    ) -> None:
        self.devices = tuple(devices)
        self.initial_line = seven_even(initial_baud)
        self.line = self.initial_line
        self._state = State.ASLEEP
        self._fixed_reaction = reaction
        self._reader = MessageReader()
        self._device: Iec21Device | None = None
        self._admitted = False
        self._blocks: list[bytes] = []
        self._sent = b""
        self._outgoing: deque[bytes] = deque()
        self._speak_at: float | None = None
        self._silence_at: float | None = None
        self._octets = bytearray()
        self._events: deque[ServerEvent] = deque()

    @property
    def state(self) -> State:
        return self._state

    # -- what the owner of the line tells and asks -------------------------------------------------------------------

    def receive_octets(self, octets: bytes, now: float) -> None:
        if self._state is State.BINARY:
            return
        self._reader.feed(octets)
        self._process(now)

    def line_changed(self, now: float) -> None:
        """The line has the settings that were asked for."""
        if self._state is State.READING:
            self._send_block(now)
        elif self._state is State.PROGRAMMING and self._device is not None:
            operand = f"({self._device.operand})".encode("ascii")
            self._say(CommandMessage(OPERAND, operand).encode(), now)

    def leave_binary(self, now: float) -> None:
        """HDLC is over: the sign-on begins anew."""
        if self._state is State.BINARY:
            self._over()

    def connection_lost(self, now: float) -> None:
        self._reader.take_rest()
        self._over()

    def octets_to_send(self) -> bytes:
        octets = bytes(self._octets)
        self._octets.clear()
        return octets

    def next_event(self) -> ServerEvent | None:
        return self._events.popleft() if self._events else None

    def next_timer(self) -> float | None:
        return min((at for at in (self._speak_at, self._silence_at) if at is not None), default=None)

    def handle_timer(self, now: float) -> None:
        if self._speak_at is not None and now >= self._speak_at:
            self._speak_at = None
            while self._outgoing:
                self._sent = self._outgoing.popleft()
                self._octets += self._sent
            self._spoken(now)
        elif self._silence_at is not None and now >= self._silence_at:
            self._silence_at = None
            self._silence(now)

    # -- what comes --------------------------------------------------------------------------------------------------

    def _process(self, now: float) -> None:
        while self._state is not State.BINARY:
            self._reader.option_selects = self._selects
            item = self._reader.next()
            if item is None:
                return
            if isinstance(item, Found):
                self._accept(item, now)
            elif isinstance(item, Damaged) and self._state is State.PROGRAMMING:
                self._say(Reply.NAK.encode(), now)

    @property
    def _selects(self) -> bool:
        """Whether an ACK is the beginning of an option select."""
        asked = self._device is not None and self._device.identification.mode in (Mode.C, Mode.E)
        return self._state is State.IDENTIFIED and asked

    def _accept(self, item: Found, now: float) -> None:
        match self._state, item.message:
            case _, RequestMessage():
                self._requested(item.message, now)
            case State.IDENTIFIED, AcknowledgementMessage():
                self._selected(item.message, now)
            case ((State.IDENTIFIED | State.PROGRAMMING), CommandMessage()):
                self._commanded(item.message, now)
            case State.READING, Reply():
                self._read_on(item.message, now)
            case State.PROGRAMMING, Reply() if self._blocks or self._sent:
                self._read_on(item.message, now)
            case _:
                pass  # nothing that a meter answers here

    def _requested(self, message: RequestMessage, now: float) -> None:
        meant = [device for device in self.devices if message.means(device.device_address)]
        # Several would answer at once: what comes out of that is nothing.
        self._device = meant[0] if len(meant) == 1 else None
        self._fire(Event.REQUESTED if self._device is not None else Event.OVER)
        self._blocks, self._admitted = [], False
        self._change_line(self.initial_line)
        if self._device is not None:
            self._say(self._device.identification.encode(), now)

    def _selected(self, message: AcknowledgementMessage, now: float) -> None:
        assert self._device is not None  # it was identified
        baud = message.baud
        if baud is None or baud > self._device.identification.baud:
            return  # not understood: the readout will follow at the first speed
        match message.protocol_control, message.mode_control:
            case (protocol, mode) if (protocol, mode) == (HDLC_PROTOCOL, BINARY_MODE) and self._device.offers_hdlc:
                self._fire(Event.HAND_OVER)
                self._silence_at = None
                self._change_line(LineSettings(baud))
                self._events.append(HandedOver(self._device))
                return
            case _, mode if mode == DATA_READOUT:
                self._begin_readout()
            case _, mode if mode == PROGRAMMING_MODE:
                self._fire(Event.PROGRAM)
            case _:
                return
        self._silence_at = None
        self._change_line(seven_even(baud))

    # -- readout -----------------------------------------------------------------------------------------------------

    def _begin_readout(self) -> None:
        assert self._device is not None  # it was identified
        self._fire(Event.READOUT)
        self._blocks = self._cut(self._device.readout())

    def _cut(self, block: DataBlock) -> list[bytes]:
        """The messages of an answer: one, or as many as the device's partial blocks need."""
        text = block.encode()
        most = self._device.max_block if self._device is not None and self._device.max_block else len(text) or 1
        parts = [text[at : at + most] for at in range(0, len(text), most)] or [b""]
        return [DataMessage(part, last=part is parts[-1]).encode() for part in parts]

    def _send_block(self, now: float) -> None:
        if self._blocks:
            self._say(self._blocks.pop(0), now)

    def _read_on(self, reply: Reply, now: float) -> None:
        """ACK: the next block; NAK: the same one again."""
        if reply is Reply.NAK:
            self._say(self._sent, now)
        else:
            self._send_block(now)

    # -- programming mode --------------------------------------------------------------------------------------------

    def _commanded(self, message: CommandMessage, now: float) -> None:
        if message.command == BREAK.command:
            self._over()
            return
        if self._state is State.IDENTIFIED:
            self._fire(Event.PROGRAM)
        text = (message.text or b"").decode("latin-1")
        if message.command in PASSWORD_COMMANDS:
            self._judge(message.command, text.removeprefix("(").removesuffix(")"), now)
        else:
            self._carry_out(message.command, text, now)

    def _judge(self, command: str, offered: str, now: float) -> None:
        assert self._device is not None  # it was identified
        self._admitted = self._device.admits(command, offered)
        self._say(Reply.ACK.encode() if self._admitted else BREAK.encode(), now)
        if not self._admitted:
            self._fire(Event.OVER)

    def _carry_out(self, command: str, text: str, now: float) -> None:
        assert self._device is not None  # it was identified
        try:
            data_sets = decode_data_block(text.encode("latin-1")).data_sets
            if len(data_sets) != 1:
                raise Refusal(ERROR_MALFORMED)
            answer = self._device.carry_out(command, data_sets[0], admitted=self._admitted)
        except (DecodeError, Refusal) as refusal:
            words = str(refusal) if isinstance(refusal, Refusal) else ERROR_MALFORMED
            self._say(DataMessage(f"({words})".encode("latin-1")).encode(), now)
            return
        if answer is None:
            self._say(Reply.ACK.encode(), now)
        elif command in PARTIAL_COMMANDS:
            self._blocks = self._cut(answer)
            self._send_block(now)
        else:
            self._say(DataMessage(answer.encode()).encode(), now)

    # -- small things ------------------------------------------------------------------------------------------------

    def _fire(self, event: Event) -> None:
        self._state = TRANSITIONS[self._state].get(event, self._state)

    def _say(self, octets: bytes, now: float) -> None:
        reaction = self._fixed_reaction
        if reaction is None:
            reaction = 0.0 if self._device is None else self._device.identification.reaction_time
        self._outgoing.append(octets)
        self._silence_at = None
        self._speak_at = now + reaction
        if reaction <= 0:
            self.handle_timer(now)

    def _spoken(self, now: float) -> None:
        """How long what follows is awaited."""
        if self._state is State.ASLEEP:
            self._change_line(self.initial_line)
        else:
            self._silence_at = now + (PROGRAMMING_TIMEOUT if self._state is State.PROGRAMMING else OPTION_TIMEOUT)
        if self._state is State.IDENTIFIED and self._device and self._device.identification.mode is Mode.B:
            self._change_line(seven_even(self._device.identification.baud))

    def _silence(self, now: float) -> None:
        if self._state is not State.IDENTIFIED:
            self._over()
            return
        self._begin_readout()
        self._send_block(now)

    def _over(self) -> None:
        self._fire(Event.OVER)
        self._blocks, self._outgoing = [], deque()
        self._speak_at = self._silence_at = None
        self._change_line(self.initial_line)

    def _change_line(self, settings: LineSettings) -> None:
        self.line = settings
        self._events.append(LineChangeNeeded(settings))
