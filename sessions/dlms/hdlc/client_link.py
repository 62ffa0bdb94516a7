"""The client's HDLC link: connect, carry APDUs in segments, ask again after silence, disconnect."""

from __future__ import annotations

from collections import deque
from typing import Final

from sessions.dlms.errors import ConnectionLostError, DecodeError, DlmsError, LinkRefusedError, NoReplyError
from sessions.dlms.hdlc.address import HdlcAddress, client_address, server_address
from sessions.dlms.hdlc.frame import (
    DiscFrame,
    DmFrame,
    Found,
    FrameReader,
    FrmrFrame,
    HdlcFrame,
    InfoFrame,
    RejFrame,
    RnrFrame,
    RrFrame,
    Rubbish,
    SnrmFrame,
    UaFrame,
    UiFrame,
)
from sessions.dlms.hdlc.parameters import HdlcParameters, decode_hdlc_parameters
from sessions.dlms.hdlc.state import Event, LinkState, State
from sessions.dlms.link import (
    ApduReceived,
    FrameReceived,
    LinkConnected,
    LinkDisconnected,
    LinkFailed,
    OctetsDiscarded,
    Outbox,
)

LLC_REQUEST: Final = bytes.fromhex("e6e600")
LLC_RESPONSE: Final = bytes.fromhex("e6e700")
POLL_INTERVAL: Final = 0.1
"""Seconds between two polls of a server that says "wait"."""
MAX_APDU: Final = 1 << 20
"""Octets after which an APDU that never ends is given up."""


def strip_llc(information: bytes) -> bytes:
    """Without the LLC octets that begin an APDU; tolerant of the other direction's, and of none."""
    return information[3:] if information[:3] in (LLC_REQUEST, LLC_RESPONSE) else information


class HdlcClientLink(Outbox):
    """A primary station with one frame in flight.

    `parameters` is what we propose; `response_timeout` (seconds) runs from the last octet that came or went.
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
    ) -> None:
        super().__init__()
        self.client = client_address(client_sap)
        self.server: HdlcAddress = server_address(server_sap, physical_address, address_octets)
        self.proposed = parameters or HdlcParameters()
        self.parameters = HdlcParameters()
        self.response_timeout = response_timeout
        self.max_retries = max_retries
        self.inter_octet_timeout = inter_octet_timeout
        self._state = LinkState()
        self._reader = FrameReader()
        self._exchange = _Exchange()
        self._deadline: float | None = None
        self._octet_deadline: float | None = None
        self._poll_at: float | None = None
        self._retries = 0
        self._heard = False

    @property
    def state(self) -> State:
        return self._state.now

    # -- ours --------------------------------------------------------------------------------------------------------

    def connect(self, now: float) -> None:
        self._state.fire(Event.CONNECT)
        self._exchange = _Exchange()
        self._command(self._snrm(), now)

    def send_apdu(self, apdu: bytes, now: float, *, expect_reply: bool = True) -> None:
        self._state.fire(Event.SEND)
        self._exchange.load(LLC_REQUEST + apdu, self.parameters.max_info_transmit, expect_reply)
        self._command(self._next_segment(), now)

    def disconnect(self, now: float) -> None:
        if self._state.now in (State.DISCONNECTED, State.DISCONNECTING):
            return
        self._state.fire(Event.DISCONNECT)
        self._command(DiscFrame(destination=self.server, source=self.client), now)

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
        if self._deadline is not None:
            self._deadline = now + self.response_timeout
        self._handle(self._reader.feed(octets), now)
        self._octet_deadline = now + self.inter_octet_timeout if self._reader.pending else None

    def _handle(self, items: list[Found | Rubbish], now: float) -> None:
        for item in items:
            if isinstance(item, Rubbish):
                self._tell(OctetsDiscarded(item.octets, item.reason, now))
                continue
            reason = self._stray(item.frame)
            if reason:
                self._tell(OctetsDiscarded(item.octets, reason, now))
                continue
            self._heard = True
            self._tell(FrameReceived(item.octets, now))
            self._handle_frame(item.frame, now)

    def _stray(self, frame: HdlcFrame) -> str:
        """Why the frame is not for us; empty where it is."""
        if frame.source == self.client and frame.destination.matches(self.server):
            return "echo of our own frame"
        if frame.destination.upper != self.client.upper and not frame.destination.is_broadcast:
            return f"for client {frame.destination}, we are {self.client}"
        if not frame.source.matches(self.server):
            return f"from server {frame.source}, we talk with {self.server}"
        return ""

    def _handle_frame(self, frame: HdlcFrame, now: float) -> None:
        if isinstance(frame, InfoFrame):
            self._handle_information(frame, now)
        elif isinstance(frame, RrFrame | RnrFrame | RejFrame):
            self._handle_ready(frame, now)
        elif isinstance(frame, UaFrame):
            self._handle_ua(frame)
        elif isinstance(frame, DmFrame):
            self._handle_dm()
        elif isinstance(frame, FrmrFrame):
            self._handle_frmr(frame)
        elif isinstance(frame, UiFrame):
            apdu = self._exchange.collect_unnumbered(frame)
            if apdu is not None:
                self._tell(ApduReceived(apdu, unsolicited=True))

    def _handle_ua(self, frame: UaFrame) -> None:
        connecting = self._state.now is State.CONNECTING
        if not self._state.fire(Event.UA):
            return
        self._rest()
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
            self._fail(LinkRefusedError("The meter has dropped the data link (DM).", hint="Open the session again."))

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
                hint="Try smaller information fields and a window of 1.",
            )
        )

    def _handle_information(self, frame: InfoFrame, now: float) -> None:
        if self._state.now is not State.AWAITING:
            return
        exchange = self._exchange
        if frame.send_sequence != exchange.expected:
            # A repetition, or a gap: say which frame is expected, by a poll. Each costs a retry, so that it ends.
            if frame.poll_final:
                self._ask_again(now)
            return
        exchange.expected = (exchange.expected + 1) % 8
        # An answer proves that the request came, whatever its N(R) says: some servers never advance it.
        exchange.acknowledge_all()
        exchange.received += frame.information
        self._retries = 0
        if len(exchange.received) > MAX_APDU:
            self._state.fire(Event.GAVE_UP)
            self._fail(NoReplyError("The answer never ends.", code="apdu-too-long"))
        elif frame.segmented:
            if frame.poll_final:
                self._poll(now)
        else:
            self._complete()

    def _complete(self) -> None:
        apdu = strip_llc(bytes(self._exchange.received))
        self._exchange.received.clear()
        self._state.fire(Event.DONE)
        self._rest()
        self._tell(ApduReceived(apdu))

    def _handle_ready(self, frame: RrFrame | RnrFrame | RejFrame, now: float) -> None:
        if not self._state.fire(Event.MORE):
            return
        exchange = self._exchange
        if isinstance(frame, RnrFrame):
            exchange.acknowledge(frame.receive_sequence)
            self._poll_at = now + POLL_INTERVAL
        elif not exchange.acknowledge(frame.receive_sequence):
            # Our frame did not arrive. Sending it again is safe: its number tells the server whether it is new.
            exchange.resent += 1
            if exchange.resent <= self.max_retries:
                self._transmit(self._next_segment(again=True), now)
            else:
                self._silence()
        elif exchange.segments:
            self._retries = 0
            self._command(self._next_segment(), now)
        elif exchange.expect_reply:
            self._poll_at = now + POLL_INTERVAL
        else:
            self._state.fire(Event.DONE)
            self._rest()

    # -- timers ------------------------------------------------------------------------------------------------------

    def next_timer(self) -> float | None:
        return min((at for at in (self._deadline, self._octet_deadline, self._poll_at) if at is not None), default=None)

    def handle_timer(self, now: float) -> None:
        if self._octet_deadline is not None and now >= self._octet_deadline:
            self._octet_deadline = None
            self._handle(self._reader.give_up(), now)
        if self._poll_at is not None and now >= self._poll_at:
            self._transmit(self._rr(), now)
            self._poll_at = None
        elif self._deadline is not None and now >= self._deadline:
            self._ask_again(now)

    def _ask_again(self, now: float) -> None:
        """After silence: the command again, or while connected a poll, which cannot do anything twice."""
        if not self._retry():
            self._silence()
        elif self._state.now is State.CONNECTING:
            self._transmit(self._snrm(), now)
        elif self._state.now is State.DISCONNECTING:
            self._transmit(DiscFrame(destination=self.server, source=self.client), now)
        else:
            self._transmit(self._rr(), now)

    def _retry(self) -> bool:
        self._retries += 1
        # Leaving is not worth the patience of arriving.
        return self._retries <= (0 if self._state.now is State.DISCONNECTING else self.max_retries)

    def _silence(self) -> None:
        was = self._state.now
        self._state.fire(Event.GAVE_UP)
        if was is State.DISCONNECTING:
            self._disconnected()
        elif was is State.CONNECTING:
            self._fail(
                NoReplyError(
                    f"Nobody answers at HDLC address {self.server} (client {self.client}).",
                    hint="Check the physical address, the number of address octets and the baud rate; on TCP, that the "
                    "port speaks HDLC and not the wrapper.",
                )
            )
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
        return RrFrame(destination=self.server, source=self.client, receive_sequence=self._exchange.expected)

    def _next_segment(self, *, again: bool = False) -> InfoFrame:
        exchange = self._exchange
        information = exchange.in_flight if again else exchange.take()
        return InfoFrame(
            destination=self.server,
            source=self.client,
            send_sequence=(exchange.sent - 1) % 8,
            receive_sequence=exchange.expected,
            information=information,
            segmented=bool(exchange.segments),
        )

    def _poll(self, now: float) -> None:
        self._state.fire(Event.MORE)
        self._transmit(self._rr(), now)

    def _command(self, frame: HdlcFrame, now: float) -> None:
        """Send the first of its kind: retries begin anew."""
        self._retries = 0
        self._transmit(frame, now)

    def _transmit(self, frame: HdlcFrame, now: float) -> None:
        self._poll_at = None
        self._deadline = now + self.response_timeout
        self._send(frame.encode(), now)

    def _rest(self) -> None:
        self._deadline = self._poll_at = None
        self._retries = 0

    def _disconnected(self) -> None:
        self._rest()
        self._tell(LinkDisconnected())

    def _fail(self, error: DlmsError) -> None:
        self._rest()
        self._tell(LinkFailed(error))


class _Exchange:
    """Sequence numbers, the segments that wait to be sent, and what was received of an APDU."""

    def __init__(self) -> None:
        self.segments: deque[bytes] = deque()
        self.in_flight = b""
        self.resent = 0
        self.sent = 0  # V(S)
        self.expected = 0  # V(R)
        self.acknowledged = 0
        self.expect_reply = True
        self.received = bytearray()
        self.unnumbered = bytearray()

    def load(self, octets: bytes, size: int, expect_reply: bool) -> None:
        self.segments.extend(octets[at : at + size] for at in range(0, len(octets), size))
        self.expect_reply = expect_reply
        self.received.clear()

    def take(self) -> bytes:
        self.in_flight = self.segments.popleft()
        self.resent = 0
        self.sent = (self.sent + 1) % 8
        return self.in_flight

    def acknowledge(self, receive_sequence: int) -> bool:
        """Whether everything that was sent has arrived."""
        if receive_sequence == self.sent:
            self.acknowledged = self.sent
        return self.acknowledged == self.sent

    def acknowledge_all(self) -> None:
        self.acknowledged = self.sent

    def collect_unnumbered(self, frame: UiFrame) -> bytes | None:
        """UI frames with the S bit build one APDU as well."""
        self.unnumbered += frame.information
        if frame.segmented and len(self.unnumbered) <= MAX_APDU:
            return None
        apdu = strip_llc(bytes(self.unnumbered))
        self.unnumbered.clear()
        return apdu
