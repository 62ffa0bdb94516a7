"""Connections of a TCP port: what is answered when, whatever the client does in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sessions.simulator import tcp_port
from sessions.simulator.lab import Lab
from sessions.simulator.tcp_port import TcpPort

pytestmark = pytest.mark.asyncio


class Parrot:
    """Answers what it hears, piece by piece; `q` ends it, and at `wakes_at` it speaks by itself."""

    def __init__(self, *, times: int = 1, wakes_in: float | None = None) -> None:
        self.closed = False
        self.heard: list[bytes] = []
        self.lost = 0
        self.times = times
        self.answers: list[bytes] = []
        self.wakes_at = None if wakes_in is None else asyncio.get_running_loop().time() + wakes_in

    def receive_octets(self, octets: bytes, now: float) -> None:
        self.heard.append(octets)
        self.answers += [octets] * self.times
        self.closed = octets.endswith(b"q")
        if octets.endswith(b"!"):
            raise RuntimeError("a fault of ours")

    def connection_lost(self, now: float) -> None:
        self.lost += 1

    def octets_to_send(self) -> bytes:
        return self.answers.pop(0) if self.answers else b""

    def next_timer(self) -> float | None:
        return self.wakes_at

    def handle_timer(self, now: float) -> None:
        if self.wakes_at is not None and now >= self.wakes_at:
            self.wakes_at = None
            self.answers.append(b"woke")


class Port:
    """A port of parrots."""

    def __init__(self, **options: float) -> None:
        self.stations: list[Parrot] = []
        self.complaints: list[str] = []
        self.delay = options.pop("delay", 0.0)
        self.inactivity_timeout = options.pop("inactivity_timeout", 60.0)
        self.options = options

    def make(self) -> Parrot:
        self.stations.append(Parrot(**self.options))  # type: ignore[arg-type]
        return self.stations[-1]


@asynccontextmanager
async def connected(port: Port) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    lab = Lab(lines=(), inactivity_timeout=port.inactivity_timeout)
    async with TcpPort(port.make, lab, 0, port.complaints.append, delay=port.delay) as listening:
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.number)
        yield reader, writer
        writer.close()
    assert all(station.lost == 1 for station in port.stations)


async def test_what_comes_is_answered_in_order():
    async with connected(Port(times=2)) as (reader, writer):
        for octets in (b"one", b"two"):
            writer.write(octets)
            assert await reader.readexactly(6) == octets * 2


async def test_a_station_that_is_closed_says_its_last_words():
    async with connected(Port()) as (reader, writer):
        writer.write(b"q")
        assert await asyncio.wait_for(reader.read(), 10) == b"q"


async def test_what_comes_while_an_answer_waits_is_heard_afterwards():
    port = Port(delay=0.05, times=2)
    async with connected(port) as (reader, writer):
        begin = asyncio.get_running_loop().time()
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"
        writer.write(b"two")
        await asyncio.sleep(0.01)
        assert port.stations[0].heard == [b"one"]
        assert await reader.readexactly(9) == b"onetwotwo"
        assert asyncio.get_running_loop().time() - begin >= 4 * 0.05


async def test_a_client_that_says_everything_at_once_and_leaves_is_answered():
    for delay in (0.0, 0.02):
        async with connected(Port(delay=delay)) as (reader, writer):
            writer.write(b"one")
            writer.write_eof()
            assert await asyncio.wait_for(reader.read(), 10) == b"one"


async def test_many_octets_come_in_pieces_and_none_is_lost():
    port = Port(delay=0.001)
    octets = bytes(range(256)) * 400
    async with connected(port) as (reader, writer):
        writer.write(octets)
        assert await asyncio.wait_for(reader.readexactly(len(octets)), 20) == octets
        assert max(map(len, port.stations[0].heard)) <= tcp_port.READ_OCTETS


async def test_a_station_speaks_by_itself_when_its_time_has_come():
    async with connected(Port(wakes_in=0.05)) as (reader, _):
        assert await asyncio.wait_for(reader.readexactly(4), 10) == b"woke"


async def test_silence_ends_a_connection_however_long_it_talked_before():
    async with connected(Port(inactivity_timeout=0.1)) as (reader, writer):
        begin = asyncio.get_running_loop().time()
        for _ in range(5):
            await asyncio.sleep(0.04)
            writer.write(b"x")
            assert await reader.readexactly(1) == b"x"
        assert await asyncio.wait_for(reader.read(), 10) == b""
        assert asyncio.get_running_loop().time() - begin >= 0.2 + 0.1


async def test_a_fault_of_ours_costs_one_connection_and_is_told():
    port = Port()
    async with connected(port) as (reader, writer):
        writer.write(b"!")
        assert await asyncio.wait_for(reader.read(), 10) == b""
    assert len(port.complaints) == 1
    assert "a fault of ours" in port.complaints[0]


async def test_a_client_that_reads_nothing_is_left(monkeypatch):
    monkeypatch.setattr(tcp_port, "WRITE_TIMEOUT", 0.2)
    port = Port(times=200_000)
    async with connected(port) as (reader, writer):
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(bytes(1000))
        async with asyncio.timeout(20):
            while not port.stations or not port.stations[0].lost:
                await asyncio.sleep(0.01)


async def test_a_client_that_reads_late_gets_everything():
    port = Port(times=20_000)
    async with connected(port) as (reader, writer):
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(bytes(1000))
        await asyncio.sleep(0.1)
        reader._transport.resume_reading()  # type: ignore[attr-defined]
        assert len(await asyncio.wait_for(reader.readexactly(20_000_000), 60)) == 20_000_000


async def test_a_station_that_cannot_be_made_is_told():
    port = Port(nonsense=1.0)
    async with connected(port) as (reader, _):
        assert await asyncio.wait_for(reader.read(), 10) == b""
    assert len(port.complaints) == 1
