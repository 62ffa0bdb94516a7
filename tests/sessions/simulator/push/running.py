"""A lab that pushes, and ears of our own stack that listen to it, in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sessions.dlms.errors import DlmsError
from sessions.dlms.notification_receiver import Heard, Listener
from sessions.links.endpoint import TcpEndpoint, UdpEndpoint
from sessions.links.listening import ListeningPort
from sessions.simulator.lab import Lab, LabLine, LabMeter
from sessions.simulator.listeners import RunningLab
from sessions.simulator.meter import Meter

PATIENCE = 20.0


class RunningClock:
    """A clock that begins at a moment and goes on as this machine's."""

    def __init__(self, begin: datetime) -> None:
        self._ahead = begin - datetime.now(UTC)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def advance(self, **by: float) -> None:
        self._ahead += timedelta(**by)


class Ears:
    """What was heard, and errors."""

    def __init__(self, port: ListeningPort, heard: list[Heard | DlmsError]) -> None:
        self.port = port
        self.heard = heard

    @property
    def number(self) -> int:
        return self.port.endpoint.port

    async def wait(self, count: int) -> list[Heard]:
        await until(lambda: len(self.heard) >= count)
        return [each for each in self.heard if isinstance(each, Heard)]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def ears(transport: str, listeners: Sequence[Listener] = ()) -> AsyncIterator[Ears]:
    heard: list[Heard | DlmsError] = []
    endpoint = (UdpEndpoint if transport == "udp" else TcpEndpoint)("127.0.0.1", 0)
    async with ListeningPort(endpoint, listeners, lambda sender, what: heard.append(what)) as port:
        yield Ears(port, heard)


@contextlib.asynccontextmanager
async def lab(clock: Any, *meters: LabMeter, directory: Path, **options: Any) -> AsyncIterator[RunningLab]:
    """A line of its own for each meter."""
    lines = tuple(
        LabLine(kind="wrapper" if meter.association["framing"] == "wrapper" else "hdlc", meters=(meter,))
        for meter in meters
    )
    async with RunningLab(Lab(lines=lines, host_clock=clock, fixed_ports=True, **options), directory) as running:
        yield running


def device_of(meter: LabMeter) -> Meter:
    assert isinstance(meter.device, Meter)
    return meter.device
