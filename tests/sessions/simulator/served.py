"""Labs for tests: meters with a fixed clock, and a lab that listens in a thread while a blocking client talks to it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sessions.simulator.lab import HdlcOptions, Lab, LabLine, LabMeter, make_meter
from sessions.simulator.listeners import RunningLab

NOON = datetime(2026, 11, 25, 11, 0, tzinfo=UTC)
"""12:00 on the clocks of the meters, which keep UTC+1."""
CLIENT_TITLE = "4D57424D57422D31"
GUEK = "000102030405060708090A0B0C0D0E0F"
GAK = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
DEDICATED = "00112233445566778899AABBCCDDEEFF"

LLS = {"client_sap": 32, "authentication": "lls", "secret": "text:12345678"}
GMAC = {
    "client_sap": 1,
    "authentication": "hls-gmac",
    "protection": "authenticated-encrypted",
    "client_system_title": CLIENT_TITLE,
    "guek": GUEK,
    "gak": GAK,
}
PUBLIC = {"client_sap": 16, "authentication": "none"}


@dataclass
class HandClock:
    """A clock that moves when it is told to."""

    moment: datetime = NOON

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **by: float) -> None:
        self.moment += timedelta(**by)


def lab_meter(
    association: dict[str, Any] = LLS, *, serial_number: str = "10000001", clock: Any = None, **table: Any
) -> LabMeter:
    """A meter of the demo's type; `physical_address` puts it on an HDLC line."""
    hdlc = table.pop("hdlc", "physical_address" in table)
    entry = {"serial_number": serial_number, "association": association, **table}
    return make_meter(entry, clock or HandClock(), HdlcOptions() if hdlc else None)


def lab_of(*lines: LabLine, **options: Any) -> Lab:
    return Lab(lines=lines, fixed_ports=True, **options)


@contextmanager
def listening(lab: Lab, serial_dir: Path) -> Iterator[list[dict[str, Any]]]:
    """The lab in a thread of its own; gives the announcements."""
    ready: asyncio.Event | None = None
    announced: list[dict[str, Any]] = []
    started = threading.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        nonlocal ready
        ready = asyncio.Event()
        try:
            async with RunningLab(lab, serial_dir) as running:
                announced.extend(running.announcements)
                started.set()
                await ready.wait()
        finally:
            started.set()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    try:
        assert started.wait(10)
        assert announced
        yield announced
    finally:
        if ready is not None:
            loop.call_soon_threadsafe(ready.set)
        thread.join(10)
        loop.close()
