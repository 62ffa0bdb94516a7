"""A bad line before a real meter: what is said to a port goes on to the meter's line, and back, through a `FaultyLine`.

Each connection has a line of its own to the meter, and meets the faults that the seed and its number decide.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

from sessions.links.endpoint import Endpoint
from sessions.links.line import Line, LineError
from sessions.links.opening import open_line
from sessions.simulator.faults import Direction, FaultyLine, LineFaults

READ_OCTETS: Final = 4096
MAX_CONNECTIONS: Final = 64

Tell = Callable[[dict[str, Any]], None]
"""Hears of each fault, and of connections, as JSON would have it."""


class FaultProxy:
    """`async with FaultProxy(...) as proxy: proxy.number` is the port that it listens on; times are told since its start."""

    def __init__(self, host: str, port: int, meter: Endpoint, faults: LineFaults, tell: Tell) -> None:
        self.host = host
        self.number = port
        self._meter = meter
        self._faults = faults
        self._tell = tell
        self._connections: set[asyncio.Task[None]] = set()
        self._accepted = 0
        self._server: asyncio.Server | None = None
        self._started = 0.0

    async def __aenter__(self) -> FaultProxy:
        self._server = await asyncio.start_server(self._accept, self.host, self.number, limit=READ_OCTETS)
        self.number = self._server.sockets[0].getsockname()[1]
        self._started = asyncio.get_running_loop().time()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= MAX_CONNECTIONS:
            writer.transport.abort()
            return
        number, self._accepted = self._accepted, self._accepted + 1
        task = asyncio.create_task(self._serve(number, reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._say(number, event="opened")
        try:
            line = await open_line(self._meter)
        except LineError as error:
            self._say(number, event="refused", detail=error.message)
            writer.close()
            return
        try:
            await _Connection(reader, writer, line, FaultyLine(self._faults, number), self._say_faults).run()
        finally:
            writer.close()
            await line.close()
            self._say(number, event="closed")

    def _say(self, number: int, **what: str) -> None:
        time = round(asyncio.get_running_loop().time() - self._started, 6)
        self._tell({"time": time, "connection": number, **what})

    def _say_faults(self, faulty: FaultyLine) -> None:
        for fault in faulty.take_happened():
            self._tell(replace(fault, time=fault.time - self._started).as_json())


class _Connection:
    """One client, and its line to the meter."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        line: Line,
        faulty: FaultyLine,
        say_faults: Callable[[FaultyLine], None],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._line = line
        self._faulty = faulty
        self._say_faults = say_faults
        self._leaving: dict[Direction, asyncio.Queue[tuple[float, bytes] | None]] = {
            direction: asyncio.Queue() for direction in Direction
        }

    async def run(self) -> None:
        """Until one side ends, or the line is cut; what was said before still arrives."""
        senders = [
            asyncio.create_task(self._send(Direction.TO_METER, self._line.write)),
            asyncio.create_task(self._send(Direction.FROM_METER, self._write)),
        ]
        readers = [
            asyncio.create_task(self._carry(Direction.TO_METER, _octets_of(self._reader))),
            asyncio.create_task(self._carry(Direction.FROM_METER, _octets_from(self._line))),
        ]
        try:
            await asyncio.wait((*readers, *senders), return_when=asyncio.FIRST_COMPLETED)
            for queue in self._leaving.values():
                queue.put_nowait(None)
            await asyncio.wait(senders)
        finally:
            for task in (*readers, *senders):
                task.cancel()
            await asyncio.gather(*readers, *senders, return_exceptions=True)

    async def _carry(self, direction: Direction, source: AsyncIterator[bytes]) -> None:
        async for octets in source:
            now = asyncio.get_running_loop().time()
            for departure in self._faulty.carry(direction, octets, now):
                self._leaving[departure.direction].put_nowait((departure.at, departure.octets))
            self._say_faults(self._faulty)
            if self._faulty.cut:
                return

    async def _send(self, direction: Direction, write: Callable[[bytes], Awaitable[None]]) -> None:
        """In order, each when its time has come."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError, LineError):  # that side went away: nobody hears the rest
            while (item := await self._leaving[direction].get()) is not None:
                at, octets = item
                await asyncio.sleep(at - loop.time())
                await write(octets)

    async def _write(self, octets: bytes) -> None:
        self._writer.write(octets)
        await self._writer.drain()


async def _octets_of(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    with contextlib.suppress(OSError):
        while octets := await reader.read(READ_OCTETS):
            yield octets


async def _octets_from(line: Line) -> AsyncIterator[bytes]:
    with contextlib.suppress(LineError):
        while octets := await line.read():
            yield octets
