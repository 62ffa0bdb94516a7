"""The server's HDLC link: one meter on a line that it may share with others.

A secondary station speaks only when it was asked: the poll bit hands it the turn, its own final bit hands it back. Frames for
other addresses, and frames that are damaged, are met with silence, as on a real line. There are two states, and `_handle` reads
as their table: SNRM connects in both, without a connection only DM answers, within one DISC ends it.
"""

from __future__ import annotations

from sessions.dlms.errors import DecodeError
from sessions.dlms.hdlc.address import HdlcAddress, client_address, server_address
from sessions.dlms.hdlc.exchange import LLC_RESPONSE, Arrival, Receiver, Sender, strip_llc
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
from sessions.dlms.hdlc.parameters import HdlcParameters, decode_hdlc_parameters
from sessions.dlms.hdlc.stream import Found, FrameReader, Rubbish
from sessions.dlms.link import (
    ApduReceived,
    FrameReceived,
    LinkConnected,
    LinkDisconnected,
    OctetsDiscarded,
    Outbox,
)


class HdlcServerLink(Outbox):
    """A secondary station. `parameters` is the most that it takes; several may be fed the octets of one line.

    `client_sap` is the client that is connected; it is 0 while none is. Seconds: after `inactivity_timeout` without a frame the
    connection is dropped, `inter_octet_timeout` is the pause after which a frame that was begun is none.
    """

    def __init__(
        self,
        *,
        server_sap: int,
        physical_address: int | None = None,
        address_octets: int = 1,
        parameters: HdlcParameters | None = None,
        inactivity_timeout: float = 120.0,
        inter_octet_timeout: float = 1.0,
    ) -> None:
        super().__init__()
        self.server: HdlcAddress = server_address(server_sap, physical_address, address_octets)
        self.offered = parameters or HdlcParameters()
        self.parameters = HdlcParameters()
        self.inactivity_timeout = inactivity_timeout
        self.inter_octet_timeout = inter_octet_timeout
        self.client_sap = 0
        self.connected = False
        self._reader = FrameReader()
        self._inactive_at: float | None = None
        self._octet_at: float | None = None
        self._reply_to: HdlcAddress = self.server
        self._reset()

    def _reset(self) -> None:
        self._sender = Sender()
        self._receiver = Receiver()
        self._our_turn = False

    # -- ours --------------------------------------------------------------------------------------------------------

    def send_apdu(self, apdu: bytes, now: float) -> None:
        """Answer. It goes out at once where it is our turn, else with the client's next poll."""
        self._sender.load(LLC_RESPONSE + apdu, self.parameters.max_info_transmit)
        if self._our_turn:
            self._send_turn(now)

    # -- theirs ------------------------------------------------------------------------------------------------------

    def receive_octets(self, octets: bytes, now: float) -> None:
        self._handle_all(self._reader.feed(octets), now)
        self._octet_at = now + self.inter_octet_timeout if self._reader.waiting else None

    def _handle_all(self, items: list[Found | Rubbish], now: float) -> None:
        for item in items:
            if isinstance(item, Rubbish):
                self._tell(OctetsDiscarded(item.octets, item.reason, now))
            elif self._is_for_us(item.frame):
                self._tell(FrameReceived(item.octets, now))
                if self.connected:
                    self._inactive_at = now + self.inactivity_timeout
                self._handle(item.frame, now)

    def _is_for_us(self, frame: HdlcFrame) -> bool:
        if not frame.destination.reaches(self.server) or frame.source.size != 1:
            return False
        if isinstance(frame, UaFrame | DmFrame | FrmrFrame):
            return False  # what servers say: another one's, or our echo
        if isinstance(frame, UiFrame) or frame.destination.is_broadcast:
            return isinstance(frame, UiFrame)
        return not self.connected or isinstance(frame, SnrmFrame) or frame.source.upper == self.client_sap

    def _handle(self, frame: HdlcFrame, now: float) -> None:
        if isinstance(frame, SnrmFrame):
            self._connect(frame, now)
        elif isinstance(frame, UiFrame):
            self._tell(ApduReceived(strip_llc(frame.information), unsolicited=True))
        elif not self.connected:
            if frame.poll_final:
                self._answer(DmFrame(destination=frame.source, source=frame.destination), now)
        elif isinstance(frame, DiscFrame):
            self._answer(UaFrame(destination=frame.source, source=frame.destination), now)
            self._disconnect()
        elif isinstance(frame, InfoFrame):
            self._handle_information(frame, now)
        elif isinstance(frame, RrFrame | RejFrame | RnrFrame):
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
        self._inactive_at = now + self.inactivity_timeout
        self.parameters = self.offered.negotiated_with(proposed)
        answer = UaFrame(destination=frame.source, source=frame.destination, information=self.parameters.encode())
        self._answer(answer, now)
        self._tell(LinkConnected(self.parameters))

    def _disconnect(self) -> None:
        self._reset()
        self.connected = False
        self.client_sap = 0
        self._inactive_at = None
        self._tell(LinkDisconnected())

    def _handle_information(self, frame: InfoFrame, now: float) -> None:
        arrival = self._receiver.accept(frame, self.parameters.window_receive)
        self._sender.acknowledge(frame.receive_sequence)
        if arrival is not Arrival.EXPECTED:
            # Lost or repeated: what we said last, or where we stand, tells the client.
            self._take_turn(frame.poll_final, now)
            return
        if self._receiver.is_overfull:
            self._answer(DmFrame(destination=frame.source, source=frame.destination), now)
            self._disconnect()
            return
        self._sender.discard()  # a new request: the rest of an older answer is not wanted any more
        if frame.segmented:
            self._take_turn(frame.poll_final, now)
            return
        self._our_turn = frame.poll_final
        self._tell(ApduReceived(self._receiver.take_apdu()))

    def _handle_ready(self, frame: RrFrame | RejFrame | RnrFrame, now: float) -> None:
        self._sender.acknowledge(frame.receive_sequence)
        self._take_turn(frame.poll_final, now, may_inform=not isinstance(frame, RnrFrame))

    # -- timers and small things -------------------------------------------------------------------------------------

    def connection_lost(self, now: float) -> None:
        if self.connected:
            self._disconnect()

    def next_timer(self) -> float | None:
        return min((at for at in (self._inactive_at, self._octet_at) if at is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """After a time without traffic a meter drops the link without a word."""
        if self._octet_at is not None and now >= self._octet_at:
            self._octet_at = None
            self._handle_all(self._reader.give_up(), now)
        if self._inactive_at is not None and now >= self._inactive_at:
            self._disconnect()

    def _take_turn(self, polled: bool, now: float, *, may_inform: bool = True) -> None:
        """Speak, if the client handed over: information where there is some, else where we stand."""
        if not polled:
            return
        if may_inform and self._sender.has_segments:
            self._send_turn(now)
        else:
            self._answer(
                RrFrame(
                    destination=client_address(self.client_sap),
                    source=self._reply_to,
                    receive_sequence=self._receiver.expected,
                ),
                now,
            )

    def _send_turn(self, now: float) -> None:
        """As many segments as the window holds; the last of them hands back the turn."""
        for segment in self._sender.turn(self.parameters.window_transmit):
            self._answer(
                InfoFrame(
                    destination=client_address(self.client_sap),
                    source=self._reply_to,
                    send_sequence=segment.number,
                    receive_sequence=self._receiver.expected,
                    information=segment.information,
                    segmented=segment.more,
                    poll_final=segment.last_of_turn,
                ),
                now,
            )

    def _answer(self, frame: HdlcFrame, now: float) -> None:
        self._our_turn = False
        self._send(frame.encode(), now)
