"""The meter that the session bench talks to, in a process of its own: `python -m tests.bench.meter [count]` until stdin closes.

A simulated meter as every other, but the buffer of its load profile is computed once and kept: what is timed is two clients, not
a load curve.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from meters.cosem.data import Data, DataType, date_time
from meters.cosem.obis import ObisCode
from meters.cosem.rows import Rows
from sessions.simulator.lab import HdlcOptions, LabLine, LabMeter, make_meter
from sessions.simulator.listeners import RunningLab
from tests.sessions.simulator.served import GMAC, HandClock, lab_of

ROWS: Final = 10_000
PROFILE: Final = ObisCode(1, 0, 99, 1, 0, 255)
MAX_PDU: Final = 960


def buffer() -> Data:
    """10,000 rows: a clock of 12 octets and five double-long-unsigned."""
    start = datetime(2026, 1, 1)
    clocks = (date_time(start + timedelta(minutes=15 * row)).value for row in range(ROWS))
    values = [(clock, *(100_000 + row * factor for factor in (1, 2, 3, 5, 7))) for row, clock in enumerate(clocks)]
    return Data(DataType.ARRAY, Rows.uniform((DataType.OCTET_STRING, *[DataType.DOUBLE_LONG_UNSIGNED] * 5), values))


class KeptProfile:
    """A device that answers for the load profile itself, and leaves the rest to the meter."""

    def __init__(self, device: Any) -> None:
        self._device = device
        self._buffer = buffer()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)

    def get(self, caller: Any, descriptor: Any, selection: Any) -> Any:
        if descriptor.instance_id == PROFILE and descriptor.attribute_id == 2:
            return self._buffer
        return self._device.get(caller, descriptor, selection)


def kept(serial_number: str, hdlc: HdlcOptions | None = None) -> LabMeter:
    entry = {"serial_number": serial_number, "association": GMAC, "max_pdu_size": MAX_PDU}
    meter = make_meter(entry if hdlc is None else {**entry, "physical_address": 17}, HandClock(), hdlc)
    return replace(meter, device=KeptProfile(meter.device))  # type: ignore[arg-type]


def many(count: int) -> tuple[LabLine, ...]:
    """Wrapper meters, each on a port of its own."""
    return tuple(LabLine(kind="wrapper", meters=(kept(str(10_000_001 + number)),)) for number in range(count))


def of_every_line() -> tuple[LabLine, ...]:
    """One meter on the wrapper, and two on HDLC, with short and with long frames."""
    return (
        LabLine(kind="wrapper", meters=(kept("10000001"),)),
        LabLine(kind="hdlc", meters=(kept("10000002", HdlcOptions(max_info=128)),)),
        LabLine(kind="hdlc", meters=(kept("10000003", HdlcOptions(max_info=2030)),)),
    )


async def serve() -> None:
    lines = many(int(sys.argv[1])) if sys.argv[1:] else of_every_line()
    with tempfile.TemporaryDirectory() as folder:
        async with RunningLab(lab_of(*lines), Path(folder)) as running:
            sys.stdout.write(json.dumps(running.announcements) + "\n")
            sys.stdout.flush()
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
