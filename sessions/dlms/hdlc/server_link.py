"""The server's HDLC link: one meter on a line that it may share with others.

A secondary station speaks only when it was asked: the poll bit hands it the turn, its own final bit hands it back. Frames for
other addresses, and frames that are damaged, are met with silence, as on a real line. What is answered to whom in which state
is the table in `server_state`; a frame that is whole and says what no client may say is rejected by FRMR.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from sessions.dlms.errors import DecodeError
from sessions.dlms.hdlc.address import HdlcAddress, client_address, server_address
from sessions.dlms.hdlc.exchange import LLC_RESPONSE, Arrival, Receiver, Sender, UnnumberedReceiver, cut
from sessions.dlms.hdlc.frame import (
    DiscFrame,
    DmFrame,
    FrmrFrame,
    HdlcFrame,
    InfoFrame,
    RnrFrame,
    RrFrame,
    SnrmFrame,
    SupervisoryFrame,
    UaFrame,
    UiFrame,
    UnknownFrame,
)
from sessions.dlms.hdlc.parameters import HdlcParameters, decode_hdlc_parameters
from sessions.dlms.hdlc.reject import Fault, FrameReject
from sessions.dlms.hdlc.server_state import Action, ServerEvent, ServerMachine, ServerState
from sessions.dlms.hdlc.stream import Found, FrameReader, Rubbish
from sessions.dlms.link import (
    ApduReceived,
    FrameReceived,
    LinkConnected,
    LinkDisconnected,
    OctetsDiscarded,
    Outbox,
)

PUBLIC_CLIENT = 16
_NO_FAULT = Fault(0)


class HdlcServerLink(Outbox):
    """A secondary station. `parameters` is the most that it takes; several may be fed the octets of one line.

    `client_sap` is the client that is connected; it is 0 while none is. Seconds: after `inactivity_timeout` (0: never) without
    a frame the connection is dropped, `inter_octet_timeout` is the pause after which a frame that was begun is none.
    `says_busy`: while a request is being worked on, polls are answered by RNR instead of RR.
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
        says_busy: bool = False,
    ) -> None:
        super().__init__()
        self.server: HdlcAddress = server_address(server_sap, physical_address, address_octets)
        self.offered = parameters or HdlcParameters()
        self.parameters = HdlcParameters()
        self.inactivity_timeout = inactivity_timeout
        self.inter_octet_timeout = inter_octet_timeout
        self.says_busy = says_busy
        self.client_sap = 0
        self._state = ServerMachine()
        self._reader = FrameReader()
        self._unnumbered = UnnumberedReceiver()
        self._pushes: deque[UiFrame] = deque()
        self._inactive_at: float | None = None
        self._octet_at: float | None = None
        self._reply_to: HdlcAddress = self.server
        self._reset()

    def _reset(self) -> None:
        self._sender = Sender()
        self._receiver = Receiver()
        self._our_turn = False
        self._holding = False
        self._working = False
        self._reject: FrameReject | None = None

    @property
    def state(self) -> ServerState:
        return self._state.now

    @property
    def connected(self) -> bool:
        return self._state.now is not ServerState.DISCONNECTED

    # -- ours --------------------------------------------------------------------------------------------------------

    def send_apdu(self, apdu: bytes, now: float) -> None:
        """Answer. It goes out at once where it is our turn, else with the client's next poll."""
        self._working = False
        self._sender.load(LLC_RESPONSE + apdu, self.parameters.max_info_transmit)
        if self._our_turn:
            self._send_turn(now)

    def push(self, apdu: bytes, now: float, *, client_sap: int = PUBLIC_CLIENT) -> None:
        """Say something unasked, in UI frames: to the connected client with its next poll, else at once to `client_sap`."""
        parameters = self.parameters if self.connected else self.offered
        pieces = cut(LLC_RESPONSE + apdu, parameters.max_info_transmit)
        for information, more in pieces:
            frame = UiFrame(
                destination=client_address(self.client_sap if self.connected else client_sap),
                source=self._reply_to if self.connected else self.server,
                poll_final=not self.connected and not more,
                information=information,
                segmented=more,
            )
            self._pushes.append(frame)
        if not self.connected or self._our_turn:
            self._send_pushes(now)

    def hold(self, now: float) -> None:
        """Take no more information for now: what comes is not kept, and answered by RNR, until `resume`."""
        self._holding = True

    def resume(self, now: float) -> None:
        """Take information again."""
        self._holding = False

    # -- theirs ------------------------------------------------------------------------------------------------------

    def receive_octets(self, octets: bytes, now: float) -> None:
        self._handle_all(self._reader.feed(octets), now)
        self._octet_at = now + self.inter_octet_timeout if self._reader.waiting else None

    def receive_frame(self, found: Found, now: float) -> None:
        """A frame that somebody found on the line, which others share."""
        self._handle_all((found,), now)

    def _handle_all(self, items: Iterable[Found | Rubbish], now: float) -> None:
        for item in items:
            if isinstance(item, Rubbish):
                self._tell(OctetsDiscarded(item.octets, item.reason, now))
            elif self._is_for_us(item.frame):
                self._tell(FrameReceived(item.octets, now))
                self._stay_awake(now)
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
        self._do(self._state.fire(self._event(frame)), frame, now)

    def _event(self, frame: HdlcFrame) -> ServerEvent:
        if self._fault(frame):
            return ServerEvent.FAULT
        match frame:
            case SnrmFrame():
                return ServerEvent.SNRM if _readable(frame) else ServerEvent.BAD_SNRM
            case DiscFrame():
                return ServerEvent.DISC
            case InfoFrame():
                return ServerEvent.INFORMATION
            case RnrFrame():
                return ServerEvent.NOT_READY
            case UiFrame():
                return ServerEvent.UNNUMBERED
            case _:
                return ServerEvent.READY

    def _fault(self, frame: HdlcFrame) -> Fault:
        """What of the frame cannot be accepted; falsy where nothing is wrong."""
        if isinstance(frame, UnknownFrame):
            return Fault.CONTROL
        if isinstance(frame, SupervisoryFrame | DiscFrame) and frame.information:
            return Fault.CONTROL | Fault.INFORMATION
        if not self.connected or not isinstance(frame, InfoFrame | SupervisoryFrame):
            return _NO_FAULT
        if len(frame.information) > self.parameters.max_info_receive:
            return Fault.LENGTH
        return _NO_FAULT if self._sender.may_acknowledge(frame.receive_sequence) else Fault.SEQUENCE

    def _do(self, action: Action, frame: HdlcFrame, now: float) -> None:
        match action:
            case Action.CONNECT:
                self._connect(frame, now)
            case Action.REFUSE | Action.LEAVE:
                answer = UaFrame if action is Action.LEAVE else DmFrame
                self._answer(answer(destination=frame.source, source=frame.destination), now)
                self._forget()
            case Action.SAY_DM if frame.poll_final:
                self._answer(DmFrame(destination=frame.source, source=frame.destination), now)
            case Action.TAKE_INFORMATION if isinstance(frame, InfoFrame):
                self._take_information(frame, now)
            case Action.INFORM | Action.WAIT if isinstance(frame, SupervisoryFrame):
                self._sender.acknowledge(frame.receive_sequence)
                self._take_turn(frame.poll_final, now, may_inform=action is Action.INFORM)
            case Action.TAKE_UNNUMBERED if isinstance(frame, UiFrame):
                self._take_unnumbered(frame, now)
            case Action.REJECT:
                sent, received = self._sender.next_number, self._receiver.expected
                self._reject = FrameReject(frame.control, sent, received, self._fault(frame))
                self._say_frmr(frame, now)
            case Action.REJECT_AGAIN:
                self._say_frmr(frame, now)

    # -- actions -----------------------------------------------------------------------------------------------------

    def _connect(self, frame: HdlcFrame, now: float) -> None:
        self._reset()
        self._pushes.clear()
        self.client_sap = frame.source.upper
        self._reply_to = frame.destination  # the client's form of our address
        self.parameters = self.offered.negotiated_with(decode_hdlc_parameters(frame.information))
        self._stay_awake(now)
        answer = UaFrame(destination=frame.source, source=frame.destination, information=self.parameters.encode())
        self._answer(answer, now)
        self._tell(LinkConnected(self.parameters))

    def _forget(self) -> None:
        self._reset()
        self._pushes.clear()
        self.client_sap = 0
        self._inactive_at = None
        self._tell(LinkDisconnected())

    def _take_information(self, frame: InfoFrame, now: float) -> None:
        self._sender.acknowledge(frame.receive_sequence)
        if self._holding:
            self._take_turn(frame.poll_final, now, may_inform=False)
            return
        arrival = self._receiver.accept(frame, self.parameters.window_receive)
        if arrival is not Arrival.EXPECTED:
            # Lost or repeated: what we said last, or where we stand, tells the client.
            self._take_turn(frame.poll_final, now)
            return
        if self._receiver.is_overfull:
            self._do(self._state.fire(ServerEvent.OVERFULL), frame, now)
            return
        self._sender.discard()  # a new request: the rest of an older answer is not wanted any more
        if frame.segmented:
            self._take_turn(frame.poll_final, now)
            return
        self._our_turn = frame.poll_final
        self._working = True
        self._tell(ApduReceived(self._receiver.take_apdu()))

    def _take_unnumbered(self, frame: UiFrame, now: float) -> None:
        if self._unnumbered.begins_anew(frame):
            rest = self._unnumbered.take_rest()
            self._tell(OctetsDiscarded(rest, "UI segments without an end", now))
        apdu = self._unnumbered.accept(frame)
        if apdu is not None:
            self._tell(ApduReceived(apdu, unsolicited=True))
        # A broadcast is never answered; a poll in a UI frame hands over the turn as any other.
        if self.connected and not frame.destination.is_broadcast and frame.source.upper == self.client_sap:
            self._take_turn(frame.poll_final, now)

    def _say_frmr(self, frame: HdlcFrame, now: float) -> None:
        assert self._reject is not None  # the fault came first
        if frame.poll_final:
            answer = FrmrFrame(destination=frame.source, source=frame.destination, information=self._reject.encode())
            self._answer(answer, now)

    # -- timers and small things -------------------------------------------------------------------------------------

    def connection_lost(self, now: float) -> None:
        if self._state.fire(ServerEvent.LINE_LOST) is Action.FORGET:
            self._forget()

    def next_timer(self) -> float | None:
        return min((at for at in (self._inactive_at, self._octet_at) if at is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """After a time without traffic a meter drops the link without a word."""
        if self._octet_at is not None and now >= self._octet_at:
            self._octet_at = None
            self._handle_all(self._reader.give_up(), now)
        inactive = self._inactive_at is not None and now >= self._inactive_at
        if inactive and self._state.fire(ServerEvent.INACTIVE) is Action.FORGET:
            self._forget()

    def _stay_awake(self, now: float) -> None:
        self._inactive_at = now + self.inactivity_timeout if self.connected and self.inactivity_timeout else None

    def _take_turn(self, polled: bool, now: float, *, may_inform: bool = True) -> None:
        """Speak, if the client handed over: information where there is some, else where we stand."""
        if not polled:
            return
        if may_inform and self._sender.has_segments:
            self._send_turn(now)
            return
        self._send_pushes(now)
        busy = self._holding or (self.says_busy and self._working)
        kind = RnrFrame if busy else RrFrame
        frame = kind(
            destination=client_address(self.client_sap),
            source=self._reply_to,
            receive_sequence=self._receiver.expected,
        )
        self._answer(frame, now)

    def _send_turn(self, now: float) -> None:
        """As many segments as the window holds; the last of them hands back the turn."""
        self._send_pushes(now)
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

    def _send_pushes(self, now: float) -> None:
        while self._pushes:
            self._send(self._pushes.popleft().encode(), now)

    def _answer(self, frame: HdlcFrame, now: float) -> None:
        self._our_turn = False
        self._send(frame.encode(), now)


def _readable(frame: SnrmFrame) -> bool:
    try:
        decode_hdlc_parameters(frame.information)
    except DecodeError:
        return False
    return True
