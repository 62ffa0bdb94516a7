"""The server's HDLC link: one meter on a line that it may share with others.

A secondary station speaks only when it was asked: the poll bit hands it the turn, its own final bit hands it back. Frames for
other addresses, and frames that are damaged, are met with silence, as on a real line.
"""

from __future__ import annotations

from collections import deque

from sessions.dlms.errors import DecodeError
from sessions.dlms.hdlc.address import HdlcAddress, client_address, server_address
from sessions.dlms.hdlc.client_link import LLC_RESPONSE, strip_llc
from sessions.dlms.hdlc.frame import (
    DiscFrame,
    DmFrame,
    Found,
    FrameReader,
    HdlcFrame,
    InfoFrame,
    RnrFrame,
    RrFrame,
    SnrmFrame,
    UaFrame,
    UiFrame,
)
from sessions.dlms.hdlc.parameters import HdlcParameters, decode_hdlc_parameters
from sessions.dlms.link import ApduReceived, FrameReceived, LinkConnected, LinkDisconnected, Outbox


class HdlcServerLink(Outbox):
    """A secondary station. `parameters` is the most that it takes; several may be fed the octets of one line.

    `client_sap` is the client that is connected; it is 0 while none is.
    """

    def __init__(
        self,
        *,
        server_sap: int,
        physical_address: int | None = None,
        address_octets: int = 1,
        parameters: HdlcParameters | None = None,
        inactivity_timeout: float = 120.0,
    ) -> None:
        super().__init__()
        self.server: HdlcAddress = server_address(server_sap, physical_address, address_octets)
        self.offered = parameters or HdlcParameters()
        self.parameters = HdlcParameters()
        self.inactivity_timeout = inactivity_timeout
        self.client_sap = 0
        self.connected = False
        self._reader = FrameReader()
        self._deadline: float | None = None
        self._reply_to: HdlcAddress = self.server
        self._reset()

    def _reset(self) -> None:
        self._segments: deque[bytes] = deque()
        self._last: InfoFrame | None = None  # in flight, until it is acknowledged
        self._sent = 0
        self._expected = 0
        self._received = bytearray()
        self._our_turn = False

    # -- ours --------------------------------------------------------------------------------------------------------

    def send_apdu(self, apdu: bytes, now: float) -> None:
        """Answer. It goes out at once where it is our turn, else with the client's next poll."""
        octets = LLC_RESPONSE + apdu
        size = self.parameters.max_info_transmit
        self._segments.extend(octets[at : at + size] for at in range(0, len(octets), size))
        if self._our_turn:
            self._send_segment(now)

    # -- theirs ------------------------------------------------------------------------------------------------------

    def receive_octets(self, octets: bytes, now: float) -> None:
        for item in self._reader.feed(octets):
            if isinstance(item, Found) and self._is_for_us(item.frame):
                self._tell(FrameReceived(item.octets, now))
                if self.connected:
                    self._deadline = now + self.inactivity_timeout
                self._handle(item.frame, now)

    def _is_for_us(self, frame: HdlcFrame) -> bool:
        if frame.destination.is_broadcast:
            return isinstance(frame, UiFrame)
        if not frame.destination.matches(self.server) or frame.source.size != 1:
            return False
        return not self.connected or isinstance(frame, SnrmFrame) or frame.source.upper == self.client_sap

    def _handle(self, frame: HdlcFrame, now: float) -> None:
        if isinstance(frame, SnrmFrame):
            self._connect(frame, now)
        elif isinstance(frame, UiFrame):
            self._tell(ApduReceived(strip_llc(frame.information), unsolicited=True))
        elif not self.connected:
            self._answer(DmFrame(destination=frame.source, source=frame.destination), now)
        elif isinstance(frame, DiscFrame):
            self._answer(UaFrame(destination=frame.source, source=frame.destination), now)
            self._disconnect()
        elif isinstance(frame, InfoFrame):
            self._handle_information(frame, now)
        elif isinstance(frame, RrFrame | RnrFrame):
            self._handle_ready(frame, now)

    def _connect(self, frame: SnrmFrame, now: float) -> None:
        try:
            proposed = decode_hdlc_parameters(frame.information)
        except DecodeError:
            self._answer(DmFrame(destination=frame.source, source=frame.destination), now)
            return
        self._reset()
        self.connected = True
        self.client_sap = frame.source.upper
        self._reply_to = frame.destination  # the client's form of our address
        self._deadline = now + self.inactivity_timeout
        self.parameters = self.offered.negotiated_with(proposed)
        answer = UaFrame(destination=frame.source, source=frame.destination, information=self.parameters.encode())
        self._answer(answer, now)
        self._tell(LinkConnected(self.parameters))

    def _disconnect(self) -> None:
        self._reset()
        self.connected = False
        self.client_sap = 0
        self._deadline = None
        self._tell(LinkDisconnected())

    def _handle_information(self, frame: InfoFrame, now: float) -> None:
        if frame.send_sequence != self._expected:
            self._repeat(frame.poll_final, now)
            return
        self._expected = (self._expected + 1) % 8
        self._acknowledge(frame.receive_sequence)
        self._received += frame.information
        if frame.segmented:
            if frame.poll_final:
                self._answer(self._rr(), now)
            return
        apdu = strip_llc(bytes(self._received))
        self._received.clear()
        self._segments.clear()
        self._our_turn = frame.poll_final
        self._tell(ApduReceived(apdu))

    def _handle_ready(self, frame: RrFrame | RnrFrame, now: float) -> None:
        if not self._acknowledge(frame.receive_sequence):
            self._repeat(frame.poll_final, now)
        elif not frame.poll_final:
            return
        elif self._segments:
            self._our_turn = True
            self._send_segment(now)
        else:
            self._answer(self._rr(), now)

    def _acknowledge(self, receive_sequence: int) -> bool:
        if receive_sequence == self._sent:
            self._last = None
        return self._last is None

    def _repeat(self, polled: bool, now: float) -> None:
        """The client missed our frame, or repeats its own: our last frame again, or where we stand."""
        if polled:
            self._answer(self._last if self._last is not None else self._rr(), now)

    # -- timers and small things -------------------------------------------------------------------------------------

    def connection_lost(self, now: float) -> None:
        if self.connected:
            self._disconnect()

    def next_timer(self) -> float | None:
        return self._deadline

    def handle_timer(self, now: float) -> None:
        """After a time without traffic a meter drops the link without a word."""
        if self._deadline is not None and now >= self._deadline:
            self._disconnect()

    def _send_segment(self, now: float) -> None:
        information = self._segments.popleft()
        self._last = InfoFrame(
            destination=client_address(self.client_sap),
            source=self._reply_to,
            send_sequence=self._sent,
            receive_sequence=self._expected,
            information=information,
            segmented=bool(self._segments),
        )
        self._sent = (self._sent + 1) % 8
        self._our_turn = False
        self._answer(self._last, now)

    def _rr(self) -> RrFrame:
        return RrFrame(
            destination=client_address(self.client_sap), source=self._reply_to, receive_sequence=self._expected
        )

    def _answer(self, frame: HdlcFrame, now: float) -> None:
        self._our_turn = False
        self._send(frame.encode(), now)
