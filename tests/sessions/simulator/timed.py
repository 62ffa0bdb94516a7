"""Our client and a simulated meter in memory, on a clock that runs when both wait: for what arrives late, or never."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sessions.dlms.errors import DlmsError
from sessions.dlms.events import Failed, NotificationReceived, RequestFailed
from sessions.dlms.link import FrameReceived, FrameSent, OctetsDiscarded
from sessions.links.endpoint import UdpEndpoint
from sessions.links.udp import datagrams_of
from sessions.simulator.lab import LabMeter
from sessions.simulator.quirks.manners import mannered
from sessions.simulator.stations import HdlcMeter, HdlcStation, Station, WrapperStation
from tests.sessions.simulator.pair import Pair, Wanted, counting_random

LONGEST: float = 3600.0
"""Seconds after which a session that has not ended hangs."""


def quirky_station(meter: LabMeter, *, datagrams: bool = False) -> Station:
    """What a connection to the meter's line meets, its manners included."""
    device = mannered(meter.device, meter.manners)
    if meter.association["framing"] == "wrapper":
        return WrapperStation(device, counting_random(500), datagrams=datagrams)
    shared = HdlcMeter(device, meter.physical_address, meter.address_octets, meter.parameters)
    return HdlcStation([shared], counting_random(500))


class HangError(AssertionError):
    """Neither side will ever do anything any more."""


class TimedPair(Pair):
    """`sent` and `heard`: the octets of the client's turns, and what came back. `discarded`: what was no frame for the client."""

    def __init__(self, meter: LabMeter, *, station: Station | None = None, **options: Any) -> None:
        self.datagrams = isinstance(options.get("endpoint"), UdpEndpoint)
        super().__init__(meter, station=station or quirky_station(meter, datagrams=self.datagrams), **options)
        self.sent: list[bytes] = []
        self.heard: list[bytes] = []
        self.frames: list[FrameSent | FrameReceived] = []
        self.discarded: list[OctetsDiscarded] = []
        self._ended = self.now + LONGEST

    @property
    def wire(self) -> bytes:
        """All that came from the meter."""
        return b"".join(self.heard)

    def _run(self, begin: Callable[[], object], wanted: type[Wanted]) -> Wanted:
        begin()
        while True:
            if octets := self.client.octets_to_send():
                for piece in self._pieces(octets):
                    self.sent.append(piece)
                    self.station.receive_octets(piece, self.now)
            found, error = self._events(wanted)
            if error is not None:
                raise error
            if found is not None:
                return found
            if not self._listen() and not octets:
                self._wait()

    def _pieces(self, octets: bytes) -> list[bytes]:
        """On a line of datagrams each of them."""
        return datagrams_of(octets) if self.datagrams else [octets]

    def _events(self, wanted: type[Wanted]) -> tuple[Wanted | None, DlmsError | None]:
        found: Wanted | None = None
        error: DlmsError | None = None
        while (event := self.client.next_event()) is not None:
            match event:
                case Failed() | RequestFailed():
                    error = event.error
                case NotificationReceived():
                    self.notifications.append(event)
                case FrameSent() | FrameReceived():
                    self.frames.append(event)
                case OctetsDiscarded():
                    self.discarded.append(event)
                case _ if isinstance(event, wanted):
                    found = event
        return found, error

    def _listen(self) -> bool:
        """Whether the meter said something."""
        said = False
        while answer := self.station.octets_to_send():
            said = True
            self.heard.append(answer)
            self.client.receive_octets(answer, self.now)
        return said

    def _wait(self) -> None:
        """Until the next timer of one of both, or until the line ends."""
        if self.station.closed:
            self.client.connection_lost(self.now)
            return
        timers = [timer for timer in (self.client.next_timer(), self.station.next_timer()) if timer is not None]
        if not timers or min(timers) > self._ended:
            raise HangError("nobody will do anything any more")
        self.now = max(self.now, min(timers))
        for side in (self.station, self.client):
            timer = side.next_timer()
            if timer is not None and timer <= self.now:
                side.handle_timer(self.now)
