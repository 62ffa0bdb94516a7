"""The client's HDLC link: connect, carry APDUs in segments, ask again after silence, disconnect.

After silence an unanswered SNRM is sent again. While connected a poll (RR with the poll bit) goes out instead: it cannot
do anything twice, and its answer says whether the request arrived. What did not is then sent again with its number, by which
the server tells a repetition from something new. Where we stand is said by the table in `state`.
"""

from __future__ import annotations

from collections.abc import Iterable

from sessions.dlms.errors import DecodeError, DlmsError
from sessions.dlms.hdlc import failures
from sessions.dlms.hdlc.address import ALL_STATION, HdlcAddress, client_address, server_address
from sessions.dlms.hdlc.exchange import LLC_REQUEST, Arrival, Receiver, Sender, UnnumberedReceiver, cut
from sessions.dlms.hdlc.frame import (
    DiscFrame,
    DmFrame,
    FrmrFrame,
    HdlcFrame,
    InfoFrame,
    RejFrame,
    RnrFrame,
    RrFrame,
    SnrmFrame,
    SupervisoryFrame,
    UaFrame,
    UiFrame,
)
from sessions.dlms.hdlc.hearing import Hearing
from sessions.dlms.hdlc.parameters import HdlcParameters, decode_hdlc_parameters
from sessions.dlms.hdlc.patience import Patience
from sessions.dlms.hdlc.speech import Speech
from sessions.dlms.hdlc.state import Event, LinkState, State
from sessions.dlms.hdlc.stream import Found, FrameReader, Rubbish
from sessions.dlms.link import (
    ApduReceived,
    FrameReceived,
    LinkConnected,
    LinkDisconnected,
    LinkFailed,
    OctetsDiscarded,
    Outbox,
)


class HdlcClientLink(Outbox):
    """A primary station. `parameters` is what we propose; for the times, in seconds, see `Patience` and `Speech`.

    `disconnect_first`: a DISC goes before the SNRM, for meters that keep an old link.
    """

    def __init__(
        self,
        *,
        client_sap: int,
        server_sap: int,
        physical_address: int | None = None,
        address_octets: int = 1,
        parameters: HdlcParameters | None = None,
        response_timeout: float = 5.0,
        max_retries: int = 2,
        inter_octet_timeout: float = 0.5,
        inter_frame_time: float = 0.0,
        octet_time: float = 0.0,
        poll_interval: float = 0.1,
        busy_timeout: float = 120.0,
        keep_alive: float = 0.0,
        inactivity_timeout: float = 0.0,
        disconnect_first: bool = False,
    ) -> None:
        super().__init__()
        self.client = client_address(client_sap)
        self.server: HdlcAddress = server_address(server_sap, physical_address, address_octets)
        self.proposed = parameters or HdlcParameters()
        self.parameters = HdlcParameters()
        self.disconnect_first = disconnect_first
        self._patience = Patience(
            response_timeout=response_timeout,
            max_retries=max_retries,
            inter_octet_timeout=inter_octet_timeout,
            poll_interval=poll_interval,
            busy_timeout=busy_timeout,
            keep_alive=keep_alive,
            inactivity_timeout=inactivity_timeout,
        )
        self._state = LinkState()
        self._reader = FrameReader()
        self._hearing = Hearing(self.client, self.server)
        self._sender = Sender()
        self._receiver = Receiver()
        self._unnumbered = UnnumberedReceiver()
        self._speech = Speech(inter_frame_time=inter_frame_time, octet_time=octet_time)
        self._expect_reply = True
        self._polled = False
        self._heard = False
        self._polls: dict[int, bytes] = {}
        """RR by what it expects, as octets."""

    @property
    def state(self) -> State:
        return self._state.now

    @property
    def response_timeout(self) -> float:
        return self._patience.response_timeout

    @property
    def longest_wait(self) -> float:
        return self._patience.longest_wait

    @property
    def octet_time(self) -> float:
        """Seconds that an octet takes on the line."""
        return self._speech.octet_time

    @octet_time.setter
    def octet_time(self, seconds: float) -> None:
        self._speech.octet_time = seconds

    @property
    def streams(self) -> bool:
        """The server has the turn after each APDU."""
        return False

    @property
    def lossy(self) -> bool:
        return False

    # -- ours --------------------------------------------------------------------------------------------------------

    def connect(self, now: float) -> None:
        self._state.fire(Event.CLEAR if self.disconnect_first else Event.CONNECT)
        self._patience.progress()
        self._transmit(self._disc() if self.disconnect_first else self._snrm(), now)

    def send_apdu(self, apdu: bytes, now: float, *, expect_reply: bool = True) -> None:
        polling = self._state.now is State.PROBING
        self._state.fire(Event.SEND)
        self._expect_reply = expect_reply
        self._sender.load(LLC_REQUEST + apdu, self.parameters.max_info_transmit)
        self._patience.progress()
        if not polling:
            self._send_turn(now)

    def await_apdu(self, now: float) -> None:
        """Poll for an APDU that follows by itself, unless the server has the turn already."""
        if self._state.now is State.AWAITING:
            return
        self._state.fire(Event.SEND)
        self._expect_reply = True
        self._patience.progress()
        self._transmit(self._poll(), now)

    def send_unconfirmed(self, apdu: bytes, now: float, *, broadcast: bool = False) -> None:
        """An APDU in UI frames, which nobody acknowledges: to the server, or to every station of the line."""
        self._state.fire(Event.SEND_UNNUMBERED)
        destination = self._everybody() if broadcast else self.server
        for information, more in cut(LLC_REQUEST + apdu, self.parameters.max_info_transmit):
            frame = UiFrame(
                destination=destination,
                source=self.client,
                poll_final=False,
                information=information,
                segmented=more,
            )
            self._say(frame, now)

    def hold(self, now: float) -> None:
        """Take no more segments for now: what comes is acknowledged by RNR until `resume`."""
        self._state.fire(Event.HOLD)

    def resume(self, now: float) -> None:
        """Take segments again."""
        self._state.fire(Event.RESUME)
        if not self._patience.awaits_reply:
            self._transmit(self._poll(), now)

    def disconnect(self, now: float) -> None:
        if self._state.now in (State.DISCONNECTED, State.DISCONNECTING):
            return
        self._state.fire(Event.DISCONNECT)
        self._patience.progress()
        self._transmit(self._disc(), now)

    def connection_lost(self, now: float) -> None:
        if self._state.now in (State.DISCONNECTED, State.FAILED):
            return
        disconnecting = self._state.now is State.DISCONNECTING
        self._state.fire(Event.LINE_LOST)
        if disconnecting:
            self._disconnected()
        else:
            self._fail(failures.connection_lost(heard=self._heard))

    # -- theirs ------------------------------------------------------------------------------------------------------

    def receive_octets(self, octets: bytes, now: float) -> None:
        self._patience.heard(len(octets), now)
        self._speech.heard(now)
        self._handle(self._reader.feed(octets), now)
        self._patience.pausing(self._reader.waiting, now)

    def _handle(self, items: Iterable[Found | Rubbish], now: float) -> None:
        for item in items:
            if isinstance(item, Rubbish):
                self._hearing.noise(item.octets)
                self._tell(OctetsDiscarded(item.octets, item.reason, now))
            elif reason := self._hearing.stray(item):
                self._tell(OctetsDiscarded(item.octets, reason, now))
            else:
                self._heard = True
                self._tell(FrameReceived(item.octets, now))
                self._handle_frame(item.frame, now)

    def _handle_frame(self, frame: HdlcFrame, now: float) -> None:
        match frame:
            case InfoFrame():
                self._handle_information(frame, now)
            case SupervisoryFrame():
                self._handle_ready(frame, now)
            case UaFrame():
                self._handle_ua(frame, now)
            case DmFrame():
                self._handle_dm(now)
            case FrmrFrame():
                self._handle_frmr(frame, now)
            case UiFrame():
                self._handle_unnumbered(frame, now)
            case _:
                pass  # no answer that a server gives: it is in the trace, and the one that is due may still come

    def _handle_ua(self, frame: UaFrame, now: float) -> None:
        was = self._state.now
        if not self._state.fire(Event.UA):
            return
        if was is State.CLEARING:
            self._begin(now)
        elif was is State.DISCONNECTING:
            self._disconnected()
        else:
            self._connected(frame, now)

    def _connected(self, frame: UaFrame, now: float) -> None:
        try:
            answered = decode_hdlc_parameters(frame.information)
        except DecodeError as error:
            self._state.fire(Event.FRMR)
            self._fail(error)
            return
        # A server that answers more than was proposed is clamped to the proposal.
        self.parameters = self.proposed.negotiated_with(answered)
        self._sender, self._receiver = Sender(), Receiver()
        self._patience.idle(now)
        self._tell(LinkConnected(self.parameters))

    def _handle_dm(self, now: float) -> None:
        was = self._state.now
        if not self._state.fire(Event.DM):
            return
        if was is State.CLEARING:
            self._begin(now)
        elif was is State.DISCONNECTING:
            self._disconnected()
        else:
            self._fail(failures.link_refused() if was is State.CONNECTING else failures.link_dropped())

    def _handle_frmr(self, frame: FrmrFrame, now: float) -> None:
        was = self._state.now
        if not self._state.fire(Event.FRMR):
            return
        if was is State.CLEARING:
            self._begin(now)
        elif was is State.DISCONNECTING:
            self._disconnected()
        else:
            self._fail(failures.frame_rejected(frame))

    def _handle_information(self, frame: InfoFrame, now: float) -> None:
        if self._state.now is State.IDLE and frame.send_sequence == self._receiver.expected:
            self._state.fire(Event.UNASKED)  # a server that speaks without its turn is understood all the same
        if not self._state.fire(Event.MORE):
            return
        arrival = self._receiver.accept(frame, self.parameters.window_receive)
        if arrival is Arrival.GAP and frame.poll_final:
            self._ask_again(now)
        if arrival is not Arrival.EXPECTED:
            # A repetition answers a poll that crossed the answer: asking again would bring the next one.
            return
        if self._is_answer:
            # An answer proves that the request came, whatever its N(R) says: some servers never advance it.
            self._sender.acknowledge_all()
        self._patience.progress()
        if self._receiver.is_overfull:
            self._state.fire(Event.GAVE_UP)
            self._fail(failures.endless_answer())
        elif not frame.segmented:
            self._complete(frame, now)
        elif frame.poll_final:
            self._go_on_polling(now)
        else:
            self._patience.spoke(now)  # the rest of the window is due

    @property
    def _is_answer(self) -> bool:
        """Whether an APDU that comes now answers ours: something was sent, and it is not only a poll that is out."""
        asked = self._sender.has_unacknowledged or not self._sender.has_segments
        return asked and self._state.now in (State.AWAITING, State.HOLDING)

    def _complete(self, frame: InfoFrame, now: float) -> None:
        """The last segment of an APDU is here."""
        if self._is_answer:
            self._end_exchange(now)
            self._tell(ApduReceived(self._receiver.take_apdu()))
            return
        # A poll that was to hear whether the server is alive gives it the turn to say something of its own.
        self._tell(ApduReceived(self._receiver.take_apdu(), unsolicited=True))
        if frame.poll_final:
            self._our_turn(now)
        else:
            self._patience.spoke(now)

    def _handle_ready(self, frame: SupervisoryFrame, now: float) -> None:
        if not self._state.fire(Event.MORE):
            return
        if self._sender.acknowledge(frame.receive_sequence):
            self._patience.progress()
            lost = False
        else:
            lost = self._sender.has_unacknowledged
        if isinstance(frame, RnrFrame) and self._state.now is not State.PROBING:
            self._wait(now)
        elif lost:
            # Only the answer to a poll says so for sure: another one may be late, and sending again would never end.
            if self._polled or isinstance(frame, RejFrame):
                self._repeat(now)
        else:
            self._our_turn(now)

    def _our_turn(self, now: float) -> None:
        """The server has nothing to say for now: go on with what we have."""
        if self._state.now is State.PROBING:
            self._end_exchange(now)
        elif self._sender.has_segments:
            self._send_turn(now)
        elif self._state.now is State.HOLDING:
            self._patience.idle(now)
        elif self._expect_reply:
            self._wait(now)
        else:
            self._end_exchange(now)

    def _handle_unnumbered(self, frame: UiFrame, now: float) -> None:
        """UI frames with the S bit build one APDU as well."""
        if self._unnumbered.begins_anew(frame):
            rest = self._unnumbered.take_rest()
            self._tell(OctetsDiscarded(rest, "UI segments without an end", now))
        apdu = self._unnumbered.accept(frame)
        if apdu is not None:
            self._tell(ApduReceived(apdu, unsolicited=True))

    # -- timers ------------------------------------------------------------------------------------------------------

    def next_timer(self) -> float | None:
        patience, speech = self._patience.next_timer(), self._speech.next_timer()
        return patience if speech is None else speech if patience is None else min(patience, speech)

    def handle_timer(self, now: float) -> None:
        self._speak(now)
        if self._patience.octet_overdue(now):
            self._handle(self._reader.look_inside(), now)
        if self._patience.poll_due(now):
            self._transmit(self._poll(), now)
        elif self._patience.probe_due(now):
            self._probe(now)
        elif self._patience.is_inactive(now):
            if self._state.fire(Event.INACTIVE):
                self._fail(failures.inactive(self._patience.inactivity_timeout))
        elif self._patience.reply_overdue(now):
            # An unfinished frame is none now; that it may have hidden the answer is the last hope.
            self._handle(self._reader.give_up(), now)
            if self._patience.reply_overdue(now):
                self._ask_again(now)

    def _probe(self, now: float) -> None:
        """Nothing was said for a while: a poll keeps the server from dropping the link."""
        if self._state.now is State.IDLE:
            self._state.fire(Event.PROBE)
        self._patience.progress()
        self._transmit(self._poll(), now)

    def _wait(self, now: float) -> None:
        """The server asks for time."""
        if not self._patience.wait(now):
            self._state.fire(Event.GAVE_UP)
            self._fail(failures.always_busy(self._patience.busy_timeout))

    def _ask_again(self, now: float) -> None:
        # A DISC is not repeated: leaving is not worth the patience of arriving.
        if self._state.now in (State.CLEARING, State.DISCONNECTING) or not self._patience.retry():
            self._silence(now)
        else:
            self._transmit(self._snrm() if self._state.now is State.CONNECTING else self._poll(), now)

    def _repeat(self, now: float) -> None:
        """The server has not what we sent. Its number tells the server whether it is new, so it is safe to send it again."""
        if self._patience.repeat():
            self._send_turn(now)
        else:
            self._silence(now)

    def _silence(self, now: float) -> None:
        was = self._state.now
        self._state.fire(Event.GAVE_UP)
        match was:
            case State.CLEARING:
                self._begin(now)
            case State.DISCONNECTING:
                self._disconnected()
            case State.CONNECTING:
                self._fail(self._hearing.explain_silence())
            case State.PROBING:
                self._fail(failures.went_away())
            case _:
                self._fail(failures.no_more_answers())

    # -- small things ------------------------------------------------------------------------------------------------

    def _snrm(self) -> SnrmFrame:
        return SnrmFrame(destination=self.server, source=self.client, information=self.proposed.encode())

    def _disc(self) -> DiscFrame:
        return DiscFrame(destination=self.server, source=self.client)

    def _poll(self) -> RrFrame | RnrFrame:
        kind = RnrFrame if self._state.now is State.HOLDING else RrFrame
        return kind(destination=self.server, source=self.client, receive_sequence=self._receiver.expected)

    def _go_on_polling(self, now: float) -> None:
        """Ask for the next segment: with one of eight frames that the link says over and over."""
        expected = self._receiver.expected
        if self._state.now is State.HOLDING:
            self._transmit(self._poll(), now)
            return
        octets = self._polls.get(expected)
        if octets is None:
            octets = self._polls[expected] = self._poll().encode()
        self._polled = True
        self._speech.say(octets, now)
        self._speak(now)
        self._patience.spoke(self._speech.ends_at)

    def _everybody(self) -> HdlcAddress:
        everyone = ALL_STATION[self.server.size]
        return HdlcAddress(everyone, None if self.server.size == 1 else everyone, self.server.size)

    def _begin(self, now: float) -> None:
        """The line is cleared: connect."""
        self._patience.progress()
        self._transmit(self._snrm(), now)

    def _send_turn(self, now: float) -> None:
        """As many segments as the window holds; the last of them hands over the turn."""
        for segment in self._sender.turn(self.parameters.window_transmit):
            self._transmit(
                InfoFrame(
                    destination=self.server,
                    source=self.client,
                    send_sequence=segment.number,
                    receive_sequence=self._receiver.expected,
                    information=segment.information,
                    segmented=segment.more,
                    poll_final=segment.last_of_turn,
                ),
                now,
            )

    def _transmit(self, frame: HdlcFrame, now: float) -> None:
        """Say something that wants an answer."""
        self._polled = isinstance(frame, RrFrame | RnrFrame)
        self._say(frame, now)
        self._patience.spoke(self._speech.ends_at)

    def _say(self, frame: HdlcFrame, now: float) -> None:
        self._speech.say(frame.encode(), now)
        self._speak(now)

    def _speak(self, now: float) -> None:
        for octets in self._speech.take_due(now):
            self._hearing.sent(octets)
            self._send(octets, now)

    def _end_exchange(self, now: float) -> None:
        self._state.fire(Event.DONE)
        self._patience.idle(now)

    def _disconnected(self) -> None:
        self._patience.rest()
        self._speech.forget()
        self._tell(LinkDisconnected())

    def _fail(self, error: DlmsError) -> None:
        self._patience.rest()
        self._speech.forget()
        self._tell(LinkFailed(error))
