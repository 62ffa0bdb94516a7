"""The client's HDLC link: connect, carry APDUs in segments, ask again after silence, disconnect.

After silence an unanswered SNRM is sent again. While connected a poll (RR with the poll bit) goes out instead: it cannot
do anything twice, and its answer says whether the request arrived. What did not is then sent again with its number, by which
the server tells a repetition from something new.
"""

from __future__ import annotations

from sessions.dlms.errors import ConnectionLostError, DecodeError, DlmsError, LinkRefusedError, NoReplyError
from sessions.dlms.hdlc.address import HdlcAddress, client_address, server_address
from sessions.dlms.hdlc.exchange import LLC_REQUEST, MAX_APDU, Arrival, Receiver, Sender
from sessions.dlms.hdlc.exchange import strip_llc as strip_llc
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
    UaFrame,
    UiFrame,
)
from sessions.dlms.hdlc.hearing import Hearing
from sessions.dlms.hdlc.parameters import HdlcParameters, decode_hdlc_parameters
from sessions.dlms.hdlc.patience import Patience
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
    """A primary station. `parameters` is what we propose; for the times, in seconds, see `Patience`."""

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
        poll_interval: float = 0.1,
        busy_timeout: float = 120.0,
    ) -> None:
        super().__init__()
        self.client = client_address(client_sap)
        self.server: HdlcAddress = server_address(server_sap, physical_address, address_octets)
        self.proposed = parameters or HdlcParameters()
        self.parameters = HdlcParameters()
        self._patience = Patience(
            response_timeout=response_timeout,
            max_retries=max_retries,
            inter_octet_timeout=inter_octet_timeout,
            poll_interval=poll_interval,
            busy_timeout=busy_timeout,
        )
        self._state = LinkState()
        self._reader = FrameReader()
        self._hearing = Hearing(self.client, self.server)
        self._sender = Sender()
        self._receiver = Receiver()
        self._unnumbered = bytearray()
        self._expect_reply = True
        self._polled = False
        self._heard = False

    @property
    def state(self) -> State:
        return self._state.now

    @property
    def response_timeout(self) -> float:
        return self._patience.response_timeout

    @property
    def longest_wait(self) -> float:
        return self._patience.longest_wait

    # -- ours --------------------------------------------------------------------------------------------------------

    def connect(self, now: float) -> None:
        self._state.fire(Event.CONNECT)
        self._patience.progress()
        self._transmit(self._snrm(), now)

    def send_apdu(self, apdu: bytes, now: float, *, expect_reply: bool = True) -> None:
        self._state.fire(Event.SEND)
        self._expect_reply = expect_reply
        self._sender.load(LLC_REQUEST + apdu, self.parameters.max_info_transmit)
        self._patience.progress()
        self._send_turn(now)

    def disconnect(self, now: float) -> None:
        if self._state.now in (State.DISCONNECTED, State.DISCONNECTING):
            return
        self._state.fire(Event.DISCONNECT)
        self._patience.progress()
        self._transmit(DiscFrame(destination=self.server, source=self.client), now)

    def connection_lost(self, now: float) -> None:
        if self._state.now in (State.DISCONNECTED, State.FAILED):
            return
        disconnecting = self._state.now is State.DISCONNECTING
        self._state.fire(Event.LINE_LOST)
        if disconnecting:
            self._disconnected()
            return
        self._fail(
            ConnectionLostError(
                "The other side closed the connection.",
                hint="The bridge or the meter hung up: is another client connected to it?"
                if self._heard
                else "It closed before the meter said a word: check that port and framing (HDLC) are right.",
            )
        )

    # -- theirs ------------------------------------------------------------------------------------------------------

    def receive_octets(self, octets: bytes, now: float) -> None:
        self._patience.heard(len(octets), now)
        self._handle(self._reader.feed(octets), now)
        self._patience.pausing(self._reader.waiting, now)

    def _handle(self, items: list[Found | Rubbish], now: float) -> None:
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
            case RrFrame() | RnrFrame() | RejFrame():
                self._handle_ready(frame, now)
            case UaFrame():
                self._handle_ua(frame)
            case DmFrame():
                self._handle_dm()
            case FrmrFrame():
                self._handle_frmr(frame)
            case UiFrame():
                self._handle_unnumbered(frame)

    def _handle_ua(self, frame: UaFrame) -> None:
        connecting = self._state.now is State.CONNECTING
        if not self._state.fire(Event.UA):
            return
        self._patience.rest()
        if not connecting:
            self._disconnected()
            return
        try:
            answered = decode_hdlc_parameters(frame.information)
        except DecodeError as error:
            self._state.fire(Event.FRMR)
            self._fail(error)
            return
        # A server that answers more than was proposed is clamped to the proposal.
        self.parameters = self.proposed.negotiated_with(answered)
        self._tell(LinkConnected(self.parameters))

    def _handle_dm(self) -> None:
        was = self._state.now
        if not self._state.fire(Event.DM):
            return
        if was is State.DISCONNECTING:
            self._disconnected()
        elif was is State.CONNECTING:
            self._fail(
                LinkRefusedError(
                    "The meter answered, but refused the data link (DM).",
                    hint="It may be busy with another client, or not serve this logical device: wait a minute, "
                    "check the server SAP.",
                )
            )
        else:
            self._fail(
                LinkRefusedError(
                    "The meter has dropped the data link (DM).", code="link-dropped", hint="Open the session again."
                )
            )

    def _handle_frmr(self, frame: FrmrFrame) -> None:
        disconnecting = self._state.now is State.DISCONNECTING
        if not self._state.fire(Event.FRMR):
            return
        if disconnecting:
            self._disconnected()
            return
        self._fail(
            LinkRefusedError(
                f"The meter rejected a frame (FRMR: {frame.reason()}).",
                code="frame-rejected",
                hint="Try smaller information fields and a window of 1.",
            )
        )

    def _handle_information(self, frame: InfoFrame, now: float) -> None:
        if not self._state.fire(Event.MORE):
            return
        arrival = self._receiver.accept(frame, self.parameters.window_receive)
        if arrival is Arrival.GAP and frame.poll_final:
            self._ask_again(now)
        if arrival is not Arrival.EXPECTED:
            # A repetition answers a poll that crossed the answer: asking again would bring the next one.
            return
        # An answer proves that the request came, whatever its N(R) says: some servers never advance it.
        self._sender.acknowledge_all()
        self._patience.progress()
        if self._receiver.is_overfull:
            self._state.fire(Event.GAVE_UP)
            self._fail(NoReplyError(f"The answer does not end within {MAX_APDU} octets.", code="apdu-too-long"))
        elif not frame.segmented:
            self._end_exchange()
            self._tell(ApduReceived(self._receiver.take_apdu()))
        elif frame.poll_final:
            self._transmit(self._rr(), now)
        else:
            self._patience.spoke(now)  # the rest of the window is due

    def _handle_ready(self, frame: RrFrame | RnrFrame | RejFrame, now: float) -> None:
        if not self._state.fire(Event.MORE):
            return
        if self._sender.acknowledge(frame.receive_sequence):
            self._patience.progress()
            lost = False
        else:
            lost = self._sender.has_unacknowledged
        if isinstance(frame, RnrFrame):
            self._wait(now)
        elif lost:
            # Only the answer to a poll says so for sure: another one may be late, and sending again would never end.
            if self._polled or isinstance(frame, RejFrame):
                self._repeat(now)
        elif self._sender.has_segments:
            self._send_turn(now)
        elif self._expect_reply:
            self._wait(now)
        else:
            self._end_exchange()

    def _handle_unnumbered(self, frame: UiFrame) -> None:
        """UI frames with the S bit build one APDU as well."""
        self._unnumbered += frame.information
        if frame.segmented and len(self._unnumbered) <= MAX_APDU:
            return
        self._tell(ApduReceived(strip_llc(bytes(self._unnumbered)), unsolicited=True))
        self._unnumbered.clear()

    # -- timers ------------------------------------------------------------------------------------------------------

    def next_timer(self) -> float | None:
        return self._patience.next_timer()

    def handle_timer(self, now: float) -> None:
        if self._patience.octet_overdue(now):
            self._handle(self._reader.look_inside(), now)
        if self._patience.poll_due(now):
            self._transmit(self._rr(), now)
        elif self._patience.reply_overdue(now):
            # An unfinished frame is none now; that it may have hidden the answer is the last hope.
            self._handle(self._reader.give_up(), now)
            if self._patience.reply_overdue(now):
                self._ask_again(now)

    def _wait(self, now: float) -> None:
        """The server asks for time."""
        if self._patience.wait(now):
            return
        self._state.fire(Event.GAVE_UP)
        self._fail(
            NoReplyError(
                f"The meter asks to wait, for more than {self._patience.busy_timeout:g} s now.",
                code="busy",
                hint="It works on something, or hangs: wait some minutes, then try again.",
            )
        )

    def _ask_again(self, now: float) -> None:
        # A DISC is not repeated: leaving is not worth the patience of arriving.
        if self._state.now is State.DISCONNECTING or not self._patience.retry():
            self._silence()
        elif self._state.now is State.CONNECTING:
            self._transmit(self._snrm(), now)
        else:
            self._transmit(self._rr(), now)

    def _repeat(self, now: float) -> None:
        """The server has not what we sent. Its number tells the server whether it is new, so it is safe to send it again."""
        if self._patience.repeat():
            self._send_turn(now)
        else:
            self._silence()

    def _silence(self) -> None:
        was = self._state.now
        self._state.fire(Event.GAVE_UP)
        if was is State.DISCONNECTING:
            self._disconnected()
        elif was is State.CONNECTING:
            self._fail(self._hearing.explain_silence())
        else:
            self._fail(
                NoReplyError(
                    "The meter stopped answering in the middle of an exchange.",
                    hint="Check the line; a longer timeout or smaller information fields may help.",
                )
            )

    # -- small things ------------------------------------------------------------------------------------------------

    def _snrm(self) -> SnrmFrame:
        return SnrmFrame(destination=self.server, source=self.client, information=self.proposed.encode())

    def _rr(self) -> RrFrame:
        return RrFrame(destination=self.server, source=self.client, receive_sequence=self._receiver.expected)

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
        octets = frame.encode()
        self._polled = isinstance(frame, RrFrame)
        self._patience.spoke(now)
        self._hearing.sent(octets)
        self._send(octets, now)

    def _end_exchange(self) -> None:
        self._state.fire(Event.DONE)
        self._patience.rest()

    def _disconnected(self) -> None:
        self._patience.rest()
        self._tell(LinkDisconnected())

    def _fail(self, error: DlmsError) -> None:
        self._patience.rest()
        self._tell(LinkFailed(error))
