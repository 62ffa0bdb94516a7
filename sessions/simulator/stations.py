"""Meters on a line, without I/O: octets in, octets out, for one connection.

On the wrapper a connection reaches one meter, and several clients may be associated over it at once. An HDLC line carries several
meters, told apart by their addresses; a meter serves one client at a time, and refuses others with DM. What is addressed to
nobody here is met with silence, as on a real line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from sessions.dlms.acse import AARQ_TAG
from sessions.dlms.hdlc.frame import DmFrame, FrmrFrame, HdlcFrame, InfoFrame, SnrmFrame
from sessions.dlms.hdlc.parameters import HdlcParameters
from sessions.dlms.hdlc.server_link import HdlcServerLink
from sessions.dlms.hdlc.stream import Found, FrameReader, Rubbish
from sessions.dlms.link import (
    ApduReceived,
    FrameReceived,
    LineSettings,
    LinkConnected,
    LinkDisconnected,
    LinkFailed,
)
from sessions.dlms.wrapper import WrapperServerLink, decode_wrapper_frame
from sessions.simulator.device import LogicalDevice
from sessions.simulator.exchange import ServerExchange
from sessions.simulator.quirks.manners import exchange_for, frames_of

Random = Callable[[int], bytes]

MAX_CLIENTS: Final = 16
"""Client SAPs that one wrapper connection may use; the oldest makes room for another."""
INTER_OCTET_TIMEOUT: Final = 1.0
"""Seconds after which the rest of an HDLC frame is not awaited any more, where the line does not say."""


class Station(Protocol):
    """One connection's view of the meters behind it. Times are seconds of a clock that only grows."""

    @property
    def closed(self) -> bool:
        """Nothing sensible can follow on this connection."""

    def receive_octets(self, octets: bytes, now: float) -> None: ...

    def connection_lost(self, now: float) -> None: ...

    def octets_to_send(self) -> bytes:
        """What was said together; ask until there is nothing."""

    def next_timer(self) -> float | None: ...

    def handle_timer(self, now: float) -> None: ...


def settings_of(station: Station) -> LineSettings | None:
    """How the meters behind it listen now, where it is on a line that has a speed."""
    line: LineSettings | None = getattr(station, "line", None)
    return line


class WrapperStation:
    """One meter behind a TCP connection or, with `datagrams`, as one UDP address reaches it. `others` are the logical devices
    that it has besides the first.
    """

    def __init__(
        self,
        device: LogicalDevice,
        random: Random,
        *,
        datagrams: bool = False,
        others: Sequence[LogicalDevice] = (),
    ) -> None:
        self.closed = False
        self._devices = {each.server_sap: each for each in (device, *others)}
        self._random = random
        self._link = WrapperServerLink(
            server_sap=device.server_sap, datagrams=datagrams, others=[each.server_sap for each in others]
        )
        self._servers: dict[tuple[int, int], ServerExchange] = {}
        self._datagrams = datagrams
        self._boots = device.boots

    def receive_octets(self, octets: bytes, now: float) -> None:
        if self._power_failed:
            self.closed = True  # the meter knows nothing of this connection any more
            return
        self._receive(octets, now)
        if self._power_failed:
            self.closed = True  # its answer is out

    @property
    def _power_failed(self) -> bool:
        """Whether the power failed since this connection was made. Over UDP there is none that could be lost."""
        return not self._datagrams and any(each.boots != self._boots for each in self._devices.values())

    def _receive(self, octets: bytes, now: float) -> None:
        self._link.receive_octets(octets, now)
        while (event := self._link.next_event()) is not None:
            match event:
                case FrameReceived():
                    # One segment may hold frames of several clients: each answer goes to the client of its frame.
                    frame = decode_wrapper_frame(event.octets)
                    self._link.client_sap = frame.source
                    if frame.destination in self._devices:
                        self._link.server_sap = frame.destination
                case ApduReceived():
                    answers = self._server().receive_apdu(event.apdu)
                    for answer in () if event.unsolicited else answers:
                        self._link.send_apdu(answer, now)
                    for push in self._server().take_pushes():
                        self._link.send_apdu(push, now)
                case LinkFailed():
                    self.closed = True

    def connection_lost(self, now: float) -> None:
        for server in self._servers.values():
            server.link_down()
        self._servers.clear()
        self.closed = True

    def octets_to_send(self) -> bytes:
        return self._link.octets_to_send()

    def next_timer(self) -> float | None:
        return None

    def handle_timer(self, now: float) -> None:
        """Nothing waits on the wrapper."""

    def _server(self) -> ServerExchange:
        """Of the client that asked last, at the device that it asked."""
        ends = self._link.client_sap, self._link.server_sap
        server = self._servers.get(ends)
        if server is None:
            if len(self._servers) >= MAX_CLIENTS:
                self._servers.pop(next(iter(self._servers))).link_down()
            server = self._servers[ends] = exchange_for(self._devices[ends[1]], ends[0], self._random)
        return server


@dataclass(slots=True)
class HdlcMeter:
    """A meter on an HDLC line, whichever connection reaches the line. `frmr_information`: it refuses every AARQ by FRMR."""

    device: LogicalDevice
    physical_address: int | None
    address_octets: int
    parameters: HdlcParameters = field(default_factory=HdlcParameters)
    inactivity_timeout: float = 120.0
    frmr_information: bytes | None = None
    occupant: HdlcStation | None = None


class HdlcStation:
    """The meters of an HDLC line, as one connection reaches them. After `inter_octet_timeout` seconds of silence a frame that
    was begun is none.
    """

    def __init__(
        self, meters: Sequence[HdlcMeter], random: Random, *, inter_octet_timeout: float = INTER_OCTET_TIMEOUT
    ) -> None:
        self.closed = False
        self._inter_octet_timeout = inter_octet_timeout
        self._posts = [_Post(meter, random) for meter in meters]
        self._reader = FrameReader()
        self._outbox = bytearray()
        self._octet_at: float | None = None
        """When a frame that was begun is none."""

    def receive_octets(self, octets: bytes, now: float) -> None:
        self._stop_waiting(now)
        self._deliver_all(self._reader.feed(octets), now)
        self._octet_at = now + self._inter_octet_timeout if self._reader.pending else None

    def _stop_waiting(self, now: float) -> None:
        """A false beginning shall not make a meter deaf: what stands inside it is looked at after a pause."""
        if self._octet_at is not None and now >= self._octet_at:
            self._octet_at = None
            self._deliver_all(self._reader.give_up(), now)

    def _deliver_all(self, items: Iterable[Found | Rubbish], now: float) -> None:
        self._notice_power_failures(now)
        for item in items:
            if isinstance(item, Found):
                self._deliver(item, now)

    @property
    def occupied(self) -> bool:
        """Whether a meter is connected over this connection."""
        return any(post.meter.occupant is self for post in self._posts)

    def connection_lost(self, now: float) -> None:
        self.closed = True
        for post in self._posts:
            post.link.connection_lost(now)
            self._run(post, now)

    def octets_to_send(self) -> bytes:
        octets = bytes(self._outbox)
        self._outbox.clear()
        return octets

    def next_timer(self) -> float | None:
        timers = [post.link.next_timer() for post in self._posts] + [self._octet_at]
        return min((timer for timer in timers if timer is not None), default=None)

    def handle_timer(self, now: float) -> None:
        self._stop_waiting(now)
        self._notice_power_failures(now)
        for post in self._posts:
            post.link.handle_timer(now)
            self._run(post, now)

    def _notice_power_failures(self, now: float) -> None:
        """A meter whose power failed knows of no link: what comes on it is met with DM."""
        for post in self._posts:
            if post.boots != post.meter.device.boots:
                post.boots = post.meter.device.boots
                post.link.connection_lost(now)
                self._run(post, now)

    def _deliver(self, found: Found, now: float) -> None:
        """To the meter with the frame's address, if it is not busy on another connection; a broadcast to every one."""
        if found.frame.destination.is_broadcast:
            for each in self._posts:
                each.link.receive_frame(found, now)
                self._run(each, now)
            return
        post = next((post for post in self._posts if found.frame.destination.matches(post.link.server)), None)
        if post is None:
            return
        if post.meter.occupant not in (None, self):
            if isinstance(found.frame, SnrmFrame):
                self._outbox += DmFrame(destination=found.frame.source, source=found.frame.destination).encode()
            return
        if post.refuses(found.frame):
            self._outbox += FrmrFrame(
                destination=found.frame.source,
                source=found.frame.destination,
                information=post.meter.frmr_information or b"",
            ).encode()
            return
        post.link.receive_frame(found, now)
        self._run(post, now)

    def _run(self, post: _Post, now: float) -> None:
        while (event := post.link.next_event()) is not None:
            match event:
                case LinkConnected():
                    post.meter.occupant = self
                    post.link_down()
                    post.server = post.new_server()
                case LinkDisconnected():
                    post.link_down()
                    if post.meter.occupant is self:
                        post.meter.occupant = None
                case ApduReceived(apdu, unsolicited) if post.server is not None:
                    if unsolicited and apdu[:1] == bytes((AARQ_TAG,)):
                        continue  # an association needs an answer, and UI frames get none
                    answers = post.server.receive_apdu(apdu)
                    for answer in () if unsolicited else answers:
                        post.link.send_apdu(answer, now)
                    for push in post.server.take_pushes():
                        post.link.push(push, now)
        self._outbox += frames_of(post.meter.device, post.link.octets_to_send())


class _Post:
    """One meter's link on one connection, and who is served over it."""

    def __init__(self, meter: HdlcMeter, random: Random) -> None:
        self.meter = meter
        self.boots = meter.device.boots
        self.server: ServerExchange | None = None
        self._random = random
        self.link = HdlcServerLink(
            server_sap=meter.device.server_sap,
            physical_address=meter.physical_address,
            address_octets=meter.address_octets,
            parameters=meter.parameters,
            inactivity_timeout=meter.inactivity_timeout,
        )

    def link_down(self) -> None:
        """Whoever was served over the link is not any more."""
        if self.server is not None:
            self.server.link_down()
        self.server = None

    def new_server(self) -> ServerExchange:
        return exchange_for(self.meter.device, self.link.client_sap, self._random)

    def refuses(self, frame: HdlcFrame) -> bool:
        """Whether the recorded meter refused this frame on the link."""
        if self.meter.frmr_information is None or not isinstance(frame, InfoFrame):
            return False
        return frame.information[3:4] == bytes((AARQ_TAG,))
