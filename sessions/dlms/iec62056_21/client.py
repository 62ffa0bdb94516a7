"""The client's side of IEC 62056-21 without I/O: sign-on, readout, programming mode, the hand-over to HDLC.

The owner feeds octets and the time, takes octets and events, changes the line when `LineChangeNeeded` says so, and then calls
`line_changed`. Times are seconds of any clock that only grows. A readout ends in `ReadoutReceived` and `LinkDisconnected`, a
command in `CommandDone` or `CommandRefused`, everything else that goes wrong in `LinkFailed`.
"""

from __future__ import annotations

from collections import deque
from enum import Enum, auto
from typing import Final

from sessions.dlms.errors import (
    AuthenticationFailedError,
    ConnectionLostError,
    DecodeError,
    DlmsError,
    FrameError,
    LinkRefusedError,
    NoReplyError,
    RefusedError,
)
from sessions.dlms.iec62056_21.answer import MAX_TEXT, Answer
from sessions.dlms.iec62056_21.characters import BlockCheck, carries_parity, with_even_parity
from sessions.dlms.iec62056_21.data_set import DataBlock, decode_data_block
from sessions.dlms.iec62056_21.events import (
    BinaryReady,
    CommandDone,
    CommandRefused,
    Identified,
    Iec21Event,
    ProgrammingEntered,
    ReadoutReceived,
    Remarked,
)
from sessions.dlms.iec62056_21.hearing import Hearing
from sessions.dlms.iec62056_21.message import BREAK, OPERAND, WRITES, CommandMessage, DataMessage, Message, Reply
from sessions.dlms.iec62056_21.settings import SignOnSettings
from sessions.dlms.iec62056_21.sign_on import (
    BINARY_MODE,
    DATA_READOUT,
    HDLC_PROTOCOL,
    NORMAL_PROTOCOL,
    PROGRAMMING_MODE,
    AcknowledgementMessage,
    IdentificationMessage,
    Mode,
    RequestMessage,
)
from sessions.dlms.iec62056_21.state import ClientState, Event, State
from sessions.dlms.iec62056_21.stream import Damaged, Found, MessageReader, Rubbish
from sessions.dlms.iec62056_21.telegram import Telegram
from sessions.dlms.iec62056_21.timing import NEVER, Timing
from sessions.dlms.link import (
    FrameReceived,
    FrameSent,
    LineChangeNeeded,
    LineSettings,
    LinkDisconnected,
    LinkFailed,
    OctetsDiscarded,
)

RECOVERY: Final = 2.0
"""Seconds that a meter needs to find back to its sign-on when it was not understood."""
MAX_USELESS: Final = 16 * 1024
"""Octets that may come instead of an identification or a good telegram, before they stop to prolong the wait."""


class Purpose(Enum):
    """What is wanted of the meter."""

    READOUT = auto()
    PROGRAMMING = auto()
    BINARY = auto()
    LISTEN = auto()  # nothing is said: a telegram of mode D or P1 is awaited


_WANTED: Final = {
    Purpose.READOUT: (NORMAL_PROTOCOL, DATA_READOUT),
    Purpose.PROGRAMMING: (NORMAL_PROTOCOL, PROGRAMMING_MODE),
    Purpose.BINARY: (HDLC_PROTOCOL, BINARY_MODE),
}
_DATA_STATES: Final = (State.READING, State.COMMANDING)
_UNHEARING: Final = (State.SWITCHING, State.BINARY)
"""While the line changes, what comes has to wait; after the hand-over it is not ours."""


class Iec21Client:
    """One conversation. `response_timeout`: seconds of silence before a message is missed; `max_retries` of the request."""

    def __init__(
        self, settings: SignOnSettings | None = None, *, response_timeout: float = 5.0, max_retries: int = 2
    ) -> None:
        self.settings = settings or SignOnSettings()
        self.identification: IdentificationMessage | None = None
        self.max_retries = max_retries
        self._purpose = Purpose.READOUT
        self._state = ClientState()
        self._reader = MessageReader()
        self._timing = Timing(response_timeout)
        self._hearing = Hearing(self.settings.device_address)
        self._answer = Answer(self.settings.block_check)
        self._line = self.settings.text_line(self.settings.initial_baud)
        self._command = BREAK
        self._retries = 0
        self._fallen_back = False
        self._remarks: set[str] = set()
        self._octets = bytearray()
        self._events: deque[Iec21Event] = deque()

    @property
    def state(self) -> State:
        return self._state.now

    # -- ours --------------------------------------------------------------------------------------------------------

    def open(self, purpose: Purpose, now: float) -> None:
        """Sign on for what is wanted."""
        RequestMessage(self.settings.device_address).encode()  # an address that cannot be sent is refused here
        self._state.fire(Event.OPEN)
        self._purpose = purpose
        if purpose is Purpose.LISTEN:
            self._prepared(now)  # nobody knows better than the line's owner how the telegrams come
        else:
            self._change_line(self._line)

    def command(self, command: CommandMessage, now: float) -> None:
        """Say something in programming mode."""
        octets = command.encode()
        self._state.fire(Event.COMMAND)
        self._command = command
        self._answer.begin()
        self._retries = 0
        self._say(octets, now)

    def leave(self, now: float) -> None:
        """End it, from every state: ends in `LinkDisconnected`, unless it has ended already."""
        was = self._state.now
        self._state.fire(Event.LEAVE)
        if was in (State.CLOSED, State.FAILED):
            return
        self._timing.rest()
        if was in (State.PROGRAMMING, State.COMMANDING):
            self._transmit(BREAK.encode(), now)
        self._tell(LinkDisconnected())

    # -- what the owner of the line tells and asks -------------------------------------------------------------------

    def line_changed(self, now: float) -> None:
        """The line has the settings that were asked for."""
        if self._state.now is State.PREPARING:
            self._prepared(now)
        elif self._state.now is State.SWITCHING:
            self._switched(now)
        self._process(now)

    def receive_octets(self, octets: bytes, now: float) -> None:
        self._timing.heard(len(octets), MAX_TEXT if self._state.now in _DATA_STATES else MAX_USELESS, now)
        self._reader.feed(octets)
        if carries_parity(octets) and self._state.now not in _UNHEARING:
            self._remark("octets carry a parity bit: the line is set to 8 bits, the meter sends 7E1")
        self._process(now)

    def connection_lost(self, now: float) -> None:
        was = self._state.now
        self._state.fire(Event.LINE_LOST)
        if was is State.FAILED or self._state.now is not State.FAILED:
            return
        self._timing.rest()
        self._tell(
            LinkFailed(
                ConnectionLostError(
                    "The other side closed the connection during the IEC 62056-21 conversation.",
                    hint="The bridge hung up: is another client connected to it?",
                )
            )
        )

    def octets_to_send(self) -> bytes:
        """What is to be written to the line now; it is handed out once."""
        octets = bytes(self._octets)
        self._octets.clear()
        return octets

    def next_event(self) -> Iec21Event | None:
        """The oldest event that was not taken yet."""
        return self._events.popleft() if self._events else None

    def next_timer(self) -> float | None:
        """When `handle_timer` wants to be called."""
        return self._timing.next_timer()

    def handle_timer(self, now: float) -> None:
        octets = self._timing.take_pending(now)
        if octets:
            self._speak(octets, now)
        if self._timing.pause_is_over(now):
            self._hand_over(now)
        if self._timing.octet_overdue(now):
            self._give_up_message(now)
        if self._timing.reply_overdue(now):
            # A message without its block check may be all that there is.
            self._give_up_message(now)
            if self._timing.reply_overdue(now):
                self._timing.give_up()
                self._overdue(now)

    # -- the line ----------------------------------------------------------------------------------------------------

    def _change_line(self, settings: LineSettings) -> None:
        self._line = settings
        self._tell(LineChangeNeeded(settings))

    def _prepared(self, now: float) -> None:
        if self._purpose is Purpose.LISTEN:
            self._state.fire(Event.LISTEN)
            self._reader.telegrams = True
            self._timing.wait(now)
            return
        self._state.fire(Event.REQUEST)
        self._reader.unframed = False
        self._say(self._request(), now, not_before=now + RECOVERY if self._fallen_back else NEVER)

    def _request(self) -> bytes:
        return bytes(self.settings.wake_up) + RequestMessage(self.settings.device_address).encode()

    def _switched(self, now: float) -> None:
        assert self.identification is not None  # nobody switches before
        if self._purpose is Purpose.BINARY:
            self._timing.pause(now + self.settings.switch_pause)
            return
        self._answer.begin()
        if self._purpose is Purpose.READOUT:
            self._state.fire(Event.READ)
            self._reader.unframed = True
            self._timing.wait(now)
        elif self.identification.mode in (Mode.A, Mode.B):
            self._state.fire(Event.PROGRAM)
            self._tell(ProgrammingEntered(""))
        else:
            self._state.fire(Event.ENTER)
            self._timing.wait(now)

    def _hand_over(self, now: float) -> None:
        rest = self._reader.take_rest()
        if rest:
            self._tell(OctetsDiscarded(rest, "octets while the line changes over into HDLC", now))
        self._state.fire(Event.HAND_OVER)
        self._tell(BinaryReady())

    # -- what comes --------------------------------------------------------------------------------------------------

    def _process(self, now: float) -> None:
        """Everything that is complete."""
        while self._state.now not in _UNHEARING and (item := self._reader.next()) is not None:
            self._handle(item, now)
        self._timing.pausing(self._reader.pending > 0 and self._state.now not in _UNHEARING, now)

    def _give_up_message(self, now: float) -> None:
        """The line is silent inside a message."""
        while self._state.now not in _UNHEARING and (item := self._reader.give_up()) is not None:
            self._handle(item, now)

    def _handle(self, item: Found | Damaged | Rubbish, now: float) -> None:
        if isinstance(item, Rubbish):
            self._hearing.rubbish(item)
            self._tell(OctetsDiscarded(item.octets, item.reason, now))
        elif isinstance(item, Damaged):
            self._hearing.damaged(item)
            self._tell(OctetsDiscarded(item.octets, f"damaged message: {item.error.field}: {item.error.reason}", now))
            self._damaged(item.error, now)
        else:
            self._tell(FrameReceived(item.octets, now))
            self._timing.understood()
            self._accept(item.message, now)

    def _accept(self, message: Message | Telegram, now: float) -> None:
        match self._state.now, message:
            case ((State.SIGNING_ON | State.LISTENING), IdentificationMessage()):
                self._identified(message, now)
            case State.LISTENING, Telegram():
                self._identified(message.identification, now)
                self._finish_readout(message.block, message)
            case ((State.READING | State.LISTENING | State.COMMANDING), DataMessage()):
                self._data(message, now)
            case State.ENTERING, (CommandMessage() | DataMessage()):
                self._operand(message)
            case State.COMMANDING, Reply():
                self._replied(message, now)
            case ((State.PROGRAMMING | State.COMMANDING), CommandMessage()) if message.command == BREAK.command:
                self._broken_off()
            case _:
                pass  # out of turn: it was told, and nobody waits for it

    def _identified(self, message: IdentificationMessage, now: float) -> None:
        self.identification = message
        self._state.fire(Event.IDENTIFIED)
        self._tell(Identified(message))
        if self._purpose is Purpose.LISTEN:
            return
        self._timing.rest()
        reaction = self.settings.reaction_time
        self._timing.reaction = message.reaction_time if reaction is None else reaction
        if self._purpose is Purpose.BINARY and message.mode in (Mode.A, Mode.B):
            self._fail(
                LinkRefusedError(
                    f"The meter signed on as {message}: it offers mode {message.mode.value}, and no HDLC.",
                    code="no-mode-e",
                    hint="Read it out by IEC 62056-21, or check that this is the right meter.",
                )
            )
        elif message.mode is Mode.A:
            self._switched(now)
        elif message.mode is Mode.B:
            self._change_line(self.settings.text_line(message.baud))
        else:
            self._acknowledge(message, now)

    def _acknowledge(self, message: IdentificationMessage, now: float) -> None:
        if self._purpose is Purpose.BINARY and message.mode is not Mode.E:
            self._remark("the identification does not offer HDLC (\\2); it is asked for all the same")
        protocol, mode = _WANTED[self._purpose]
        z = "0" if self._fallen_back else self.settings.proposal(message)
        self._say(AcknowledgementMessage(protocol, z, mode).encode(), now)

    def _acknowledged(self, octets: bytes) -> None:
        """The acknowledgement leaves: the line follows it to the speed that it says."""
        baud = AcknowledgementMessage(*octets[1:4].decode("ascii")).baud
        if self._fallen_back or baud is None:
            baud = self.settings.initial_baud
        self._change_line(LineSettings(baud) if self._purpose is Purpose.BINARY else self.settings.text_line(baud))

    # -- data --------------------------------------------------------------------------------------------------------

    def _data(self, message: DataMessage, now: float) -> None:
        if not self._answer.believes(message):
            error = FrameError("bcc", len(message.text) + 2, f"it is the {message.check.value}, once so far")
            self._ask_again(error, now)
            return
        self._take_data(message, now)

    def _take_data(self, message: DataMessage, now: float) -> None:
        if message.check is not BlockCheck.XOR:
            self._remark(f"block check: {message.check.value}")
        self._answer.add(message)
        if self._answer.is_overfull:
            self._fail(NoReplyError(f"The data do not end within {MAX_TEXT} characters.", code="readout-too-long"))
        elif not message.last:
            self._state.fire(Event.BLOCK)
            self._say(Reply.ACK.encode(), now)
        elif self._state.now is State.COMMANDING:
            self._finish_command(self._answer.message)
        else:
            self._decode_readout(self._answer.message)

    def _decode_readout(self, message: DataMessage) -> None:
        if message.error:
            self._fail(_refused(message.error))
            return
        try:
            block = decode_data_block(message.text, lenient=True)
        except DecodeError as error:
            self._fail(error)
            return
        if block.oddity:
            self._remark(block.oddity)
        self._finish_readout(block, None)

    def _finish_readout(self, block: DataBlock, telegram: Telegram | None) -> None:
        self._timing.rest()
        self._state.fire(Event.DATA)
        if telegram is not None and telegram.remark:
            self._remark(telegram.remark)
        self._tell(ReadoutReceived(block, telegram))
        self._tell(LinkDisconnected())

    def _damaged(self, error: DecodeError, now: float) -> None:
        if self._state.now in _DATA_STATES and isinstance(error, FrameError):
            self._ask_again(error, now)

    def _ask_again(self, error: FrameError, now: float) -> None:
        if self._answer.may_repeat():
            self._say(Reply.NAK.encode(), now)
        else:
            self._fail(error)

    # -- programming mode --------------------------------------------------------------------------------------------

    def _operand(self, message: CommandMessage | DataMessage) -> None:
        if isinstance(message, DataMessage):
            if message.error:
                self._fail(_refused(message.error))
        elif message.command == BREAK.command:
            self._broken_off()
        elif message.command == OPERAND:
            self._timing.rest()
            self._state.fire(Event.OPERAND)
            operand = (message.text or b"").decode("latin-1")
            self._tell(ProgrammingEntered(operand.removeprefix("(").removesuffix(")")))

    def _replied(self, reply: Reply, now: float) -> None:
        if reply is Reply.ACK:
            self._end_command(CommandDone(self._command.command, None))
        elif self._reads and self._answer.may_repeat():
            self._say(self._command.encode(), now)
        else:
            self._refuse("NAK")

    @property
    def _reads(self) -> bool:
        """Whether the command that is out may be said again: what writes, or offers a password, never is."""
        return self._command.command[0] not in WRITES and not self._command.is_secret

    def _finish_command(self, message: DataMessage) -> None:
        if message.error:
            self._refuse(message.error)
            return
        try:
            self._end_command(CommandDone(self._command.command, message.block()))
        except DecodeError as error:
            self._end_command(CommandRefused(self._command.command, error))

    def _refuse(self, answer: str) -> None:
        error: DlmsError = _refused(answer)
        if self._command.is_secret:
            error = AuthenticationFailedError(f"The meter refused the password: {answer}.")
        self._end_command(CommandRefused(self._command.command, error))

    def _end_command(self, event: CommandDone | CommandRefused) -> None:
        self._timing.rest()
        self._state.fire(Event.REPLIED)
        self._tell(event)

    def _broken_off(self) -> None:
        if self._command.is_secret and self._state.now is State.COMMANDING:
            self._fail(AuthenticationFailedError("The meter refused the password, and broke off.", code="broken-off"))
            return
        self._fail(
            LinkRefusedError(
                "The meter broke off the programming mode.",
                code="broken-off",
                hint="It does so after a wrong password, an unknown command, or a time without one: sign on again.",
            )
        )

    # -- silence -----------------------------------------------------------------------------------------------------

    def _overdue(self, now: float) -> None:
        match self._state.now:
            case State.SIGNING_ON if self._retries < self.max_retries:
                self._retries += 1
                self._timing.understood()
                self._say(self._request(), now)
            case State.SIGNING_ON:
                self._fail(self._hearing.explain_silence())
            case State.LISTENING:
                self._fail(self._hearing.explain_quiet())
            case State.READING | State.COMMANDING if (suspect := self._answer.suspect) is not None:
                self._take_data(suspect, now)  # it was asked for again, and the meter has nothing to add
            case State.READING | State.ENTERING if self._may_fall_back():
                self._fall_back()
            case State.COMMANDING if self._reads and self._retries < self.max_retries and not self._answer.begun:
                self._retries += 1
                self._say(self._command.encode(), now)
            case _:
                self._fail(self._hearing.explain_stop(str(self.identification)))

    def _may_fall_back(self) -> bool:
        """Whether the meter may not have understood the acknowledgement: nothing good came at the new speed."""
        changed = self._line.baud != self.settings.initial_baud and not self._fallen_back
        acknowledged = self.identification is not None and self.identification.mode in (Mode.C, Mode.E)
        return changed and acknowledged and not self._answer.begun

    def _fall_back(self) -> None:
        self._fallen_back = True
        self._remark(f"nothing came at {self._line.baud} Bd: signed on again without a change of speed")
        self._state.fire(Event.AGAIN)
        self._reader.take_rest()
        self._change_line(self.settings.text_line(self.settings.initial_baud))

    # -- small things ------------------------------------------------------------------------------------------------

    def _say(self, octets: bytes, now: float, *, not_before: float = NEVER) -> None:
        """Speak, once the reaction time after what was heard is over."""
        self._timing.plan(octets, now, not_before)
        planned = self._timing.take_pending(now)
        if planned:
            self._speak(planned, now)

    def _speak(self, octets: bytes, now: float) -> None:
        self._transmit(octets, now)
        if self._state.now is State.SWITCHING:
            self._acknowledged(octets)
        else:
            self._timing.wait(now, sent=len(octets), baud=self._line.baud)

    def _transmit(self, octets: bytes, now: float) -> None:
        self._reader.expect_echo(octets)
        sent = with_even_parity(octets) if self.settings.parity_in_octets else octets
        self._octets += sent
        self._tell(FrameSent(sent, now))

    def _remark(self, text: str) -> None:
        if text not in self._remarks:
            self._remarks.add(text)
            self._tell(Remarked(text))

    def _tell(self, event: Iec21Event) -> None:
        self._events.append(event)

    def _fail(self, error: DlmsError) -> None:
        self._timing.rest()
        self._state.fire(Event.GAVE_UP)
        self._tell(LinkFailed(error))


def _refused(answer: str) -> RefusedError:
    return RefusedError(
        f"The meter refused: {answer}.",
        code="meter-error",
        hint="Its manual says what the error means; often the address is unknown, or a password is needed first.",
    )
