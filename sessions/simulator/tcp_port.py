"""A TCP port of the lab: each connection has a station of its own, which answers the moment octets come.

No task waits for a connection: small HDLC frames follow each other by the thousand, and to wake a task for each takes longer than
the frame's own work.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import Final

from sessions.simulator.lab import Lab, LabError
from sessions.simulator.stations import Station

MAX_CONNECTIONS: Final = 64
"""Connections that one port serves at once; further ones are closed at once."""
READ_OCTETS: Final = 4096
MAX_WAITING: Final = 4 * READ_OCTETS
"""Octets that wait while an answer does, before the client has to keep them."""
WRITE_TIMEOUT: Final = 30.0
"""Seconds that a client may leave its answers unread."""


class TcpPort:
    """A listening port. `delay` (s): before an answer is written."""

    def __init__(
        self,
        make_station: Callable[[], Station],
        lab: Lab,
        port: int,
        complain: Callable[[str], None],
        *,
        delay: float = 0.0,
    ) -> None:
        self.number = port
        self.delay = delay
        self.inactivity_timeout = lab.inactivity_timeout
        self.make_station = make_station
        self.complain = complain
        self.connections: set[Connection] = set()
        self._lab = lab
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> TcpPort:
        try:
            self._server = await self._listen(self.number)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or self._lab.fixed_ports:
                raise LabError(f"port {self.number} of {self._lab.host} cannot be used: {error.strerror}") from None
            self._server = await self._listen(0)
        self.number = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.end()
        await asyncio.sleep(0)  # the loop closes them

    async def _listen(self, port: int) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(lambda: Connection(self), self._lab.host, port)


class Connection(asyncio.BufferedProtocol):
    """One client. While an answer waits, for its delay or because the client reads nothing, so does what comes."""

    def __init__(self, port: TcpPort) -> None:
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._incoming = memoryview(bytearray(READ_OCTETS))
        self._transport: asyncio.Transport | None = None
        self._station: Station | None = None
        self._waiting = bytearray()
        self._delayed: asyncio.TimerHandle | None = None
        self._congested: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._silent_since = self._loop.time()
        self._said_all = False
        """The client has ended its side."""

    # -- what the loop tells -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._port.connections) >= MAX_CONNECTIONS:
            transport.abort()
            return
        self._port.connections.add(self)
        self._guarded(self._begin)

    def _begin(self) -> None:
        self._station = self._port.make_station()
        self._go_on()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._incoming

    def buffer_updated(self, nbytes: int) -> None:
        if self._station is None or self._transport is None:
            return
        self._silent_since = self._loop.time()
        self._waiting += self._incoming[:nbytes]
        if not self._busy:
            self._guarded(self._go_on)
        elif len(self._waiting) >= MAX_WAITING:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        self._said_all = True
        if not self._busy:
            self.end()
        return True  # what is still to be said goes out

    def pause_writing(self) -> None:
        if self._transport is not None:
            self._congested = self._loop.call_later(WRITE_TIMEOUT, self._transport.abort)

    def resume_writing(self) -> None:
        if self._congested is not None:
            self._congested.cancel()
            self._congested = None
            self._guarded(self._go_on)

    def connection_lost(self, exc: Exception | None) -> None:
        self.end()

    # -- the station -------------------------------------------------------------------------------------------------

    @property
    def _busy(self) -> bool:
        return self._delayed is not None or self._congested is not None

    def _guarded(self, step: Callable[[], None]) -> None:
        """A fault of ours costs this connection, and no other."""
        try:
            step()
        except Exception as error:
            self._port.complain(f"a connection was closed: {error!r}")
            self.end()

    def _go_on(self) -> None:
        """Say what is to be said, then take what came, until one of them has to wait."""
        while (station := self._station) is not None and not self._busy:
            if answer := station.octets_to_send():
                self._answer(answer)
            elif station.closed or (self._said_all and not self._waiting):
                self.end()
            elif self._waiting:
                octets = bytes(self._waiting[:READ_OCTETS])
                del self._waiting[:READ_OCTETS]
                station.receive_octets(octets, self._loop.time())
            else:
                self._transport_reads()
                self._set_timer(station)
                return

    def _transport_reads(self) -> None:
        if self._transport is not None and not self._transport.is_reading() and not self._said_all:
            self._transport.resume_reading()

    def _answer(self, answer: bytes) -> None:
        if self._port.delay:
            self._delayed = self._loop.call_later(self._port.delay, self._say_late, answer)
        elif self._transport is not None:
            self._transport.write(answer)

    def _say_late(self, answer: bytes) -> None:
        self._delayed = None
        if self._transport is not None:
            self._transport.write(answer)
        self._guarded(self._go_on)

    def _due(self, station: Station) -> float:
        """When the station has something to do, or the client was silent for too long."""
        silent, timer = self._silent_since + self._port.inactivity_timeout, station.next_timer()
        return silent if timer is None else min(silent, timer)

    def _set_timer(self, station: Station) -> None:
        """An earlier timer stays where it is, and looks again when it fires: hardly a wait ends by the clock."""
        due = self._due(station)
        if self._timer is not None and self._timer.when() > due:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(due, self._look)

    def _look(self) -> None:
        self._timer = None
        if not self._busy:  # else `_go_on` sets it again
            self._guarded(self._time_is_up)

    def _time_is_up(self) -> None:
        station, now = self._station, self._loop.time()
        if station is None:
            return
        if now >= self._due(station):
            station.handle_timer(now)
            if now >= self._silent_since + self._port.inactivity_timeout:
                self.end()
        self._go_on()

    def end(self) -> None:
        """Close the connection; what was written still goes out."""
        station, self._station = self._station, None
        if self._transport is not None and self._congested is not None:
            self._transport.abort()  # the client does not read: what waits for it is dropped
        for timer in (self._timer, self._delayed, self._congested):
            if timer is not None:
                timer.cancel()
        self._timer = self._delayed = self._congested = None
        self._port.connections.discard(self)
        if self._transport is not None:
            self._transport.close()
        if station is not None:
            station.connection_lost(self._loop.time())
