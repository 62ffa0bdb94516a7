"""A station behind a real line: octets take their time, and meet faults. To its owner it is a station like any other.

    owner ──octets──> [faults] ──> [time on the bus] ──> station
    owner <──octets── [time on the bus] <── [faults] <── station

Without I/O: what is under way waits for its time in `next_timer` and `handle_timer`.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Final

from sessions.dlms.link import LineSettings
from sessions.simulator.bus import Bus, Spoken
from sessions.simulator.faults import Direction, Fault, FaultyLine
from sessions.simulator.stations import Station, settings_of

SLICE: Final = 0.016
"""Seconds after which octets that arrived are handed over together, as serial adapters do."""

MAX_UNDER_WAY: Final = 1 << 20
"""Octets that are on their way at once; what else is put on a line that is so far behind is lost."""

Piece = tuple[float, int, Direction, bytes, Spoken | None, LineSettings | None]
"""When it arrives, its place among those of the same moment, where, what, its time on the bus, how it was spoken."""


class Wire:
    """The line between one connection and its station. `tell` hears of each fault; `response_time` (s) passes before answers,
    where no bus says so.
    """

    def __init__(
        self,
        station: Station,
        *,
        bus: Bus | None = None,
        faults: FaultyLine | None = None,
        response_time: float = 0.0,
        tell: Callable[[Fault], None] | None = None,
    ) -> None:
        self._station = station
        self._bus = bus
        self._faults = faults
        self._response_time = bus.timing.response_time if bus is not None else response_time
        self._tell = tell
        self._senders = {direction: object() for direction in Direction}
        self._under_way: list[Piece] = []
        self._octets = 0
        self._order = count()
        self._outbox: deque[tuple[LineSettings | None, bytes]] = deque()
        self._last_heard = 0.0
        self.spoken_at = self.line

    @property
    def closed(self) -> bool:
        """When all that was said has arrived."""
        over = self._station.closed or (self._faults is not None and self._faults.cut)
        return over and not self._under_way and not self._outbox

    @property
    def line(self) -> LineSettings | None:
        """How the meters listen, on a line that has a speed."""
        return settings_of(self._station) or (self._bus.timing.settings if self._bus is not None else None)

    # -- what its owner does -----------------------------------------------------------------------------------------

    def receive_octets(self, octets: bytes, now: float) -> None:
        self._enter(Direction.TO_METER, octets, now, now, self.line)
        self._arrive(now)

    def connection_lost(self, now: float) -> None:
        self._under_way.clear()
        self._octets = 0
        self._station.connection_lost(now)

    def octets_to_send(self) -> bytes:
        """The oldest octets that arrived together; ask until there are none."""
        if not self._outbox:
            return b""
        self.spoken_at, octets = self._outbox.popleft()
        return octets

    def next_timer(self) -> float | None:
        timers = [self._station.next_timer(), self._under_way[0][0] if self._under_way else None]
        return min((timer for timer in timers if timer is not None), default=None)

    def handle_timer(self, now: float) -> None:
        self._arrive(now)
        timer = self._station.next_timer()
        if timer is not None and now >= timer:
            self._station.handle_timer(now)
        self._listen(now)
        self._arrive(now)

    # -- the line ----------------------------------------------------------------------------------------------------

    def _enter(self, direction: Direction, octets: bytes, now: float, at: float, settings: LineSettings | None) -> None:
        """Faults first: what is lost takes no time. `at`: when the sender begins."""
        if self._faults is None:
            self._put(direction, octets, at, settings)
            return
        for departure in self._faults.carry(direction, octets, now):
            self._put(departure.direction, departure.octets, departure.at + (at - now), settings)
        for fault in self._faults.take_happened():
            if self._tell is not None:
                self._tell(fault)

    def _put(self, direction: Direction, octets: bytes, at: float, settings: LineSettings | None) -> None:
        """On its way, as a whole, or in slices as they arrive."""
        if self._octets + len(octets) > MAX_UNDER_WAY:
            return
        self._octets += len(octets)
        if self._bus is None:
            heapq.heappush(self._under_way, (at, next(self._order), direction, octets, None, settings))
            return
        octet_time = (settings or self._bus.timing.settings).octet_time
        size = max(1, int(SLICE / octet_time))
        for begin in range(0, len(octets), size):
            piece = octets[begin : begin + size]
            spoken = self._bus.place(self._senders[direction], len(piece), at, settings)
            heapq.heappush(self._under_way, (spoken.end, next(self._order), direction, piece, spoken, settings))

    def _arrive(self, now: float) -> None:
        """Hand over what is due."""
        while self._under_way and self._under_way[0][0] <= now:
            _, _, direction, octets, spoken, settings = heapq.heappop(self._under_way)
            self._octets -= len(octets)
            if self._bus is not None and spoken is not None:
                octets = self._bus.heard(spoken, octets)
            if direction is Direction.FROM_METER:
                self._outbox.append((settings, octets))
                continue
            self._last_heard = now
            self._station.receive_octets(octets, now)
            self._listen(now)

    def _listen(self, now: float) -> None:
        """What the station says, `response_time` after it heard something."""
        while octets := self._station.octets_to_send():
            at = max(now, self._last_heard + self._response_time)
            self._enter(Direction.FROM_METER, octets, now, at, self._spoken_now())

    def _spoken_now(self) -> LineSettings | None:
        return getattr(self._station, "spoken_at", None) or self.line
