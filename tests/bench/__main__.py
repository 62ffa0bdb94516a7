"""`make bench`: how fast the pure parts are, as JSON. Each figure is the median of several runs, with the lowest and highest."""

from __future__ import annotations

import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from meters.cosem.data import Data, array, date_time, double_long_unsigned, structure, unsigned
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.array_stream import ArrayStream
from sessions.dlms.axdr import decode_data, encode_data
from sessions.dlms.hdlc.address import client_address, server_address
from sessions.dlms.hdlc.frame import InfoFrame
from sessions.dlms.hdlc.stream import FrameReader
from sessions.dlms.inspector import dissect
from sessions.dlms.security import SecurityControl, protect, unprotect

RUNS = 7
ROWS = 1000
KEY, GAK, TITLE = bytes(range(16)), bytes(range(16, 32)), b"MWBBENCH"


def profile() -> Data:
    """A load profile: clock, status and four registers a row."""
    start = datetime(2026, 1, 1)
    return array(
        *(
            structure(
                date_time(start + timedelta(minutes=15 * number)),
                unsigned(0),
                *(double_long_unsigned(100_000 + number * factor) for factor in (1, 2, 3, 5)),
            )
            for number in range(ROWS)
        )
    )


def per_second(count: int, work: Callable[[], object]) -> dict[str, float]:
    """How many of `count` things a second `work` does."""
    figures = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        work()
        figures.append(count / (time.perf_counter() - begin))
    low, high = min(figures), max(figures)
    return {"median": round(statistics.median(figures)), "min": round(low), "max": round(high)}


def stream_in_blocks(octets: bytes) -> None:
    stream = ArrayStream()
    for at in range(0, len(octets), 500):
        stream.feed(octets[at : at + 500])
    stream.finish()


def frames() -> bytes:
    frame = InfoFrame(
        destination=client_address(16),
        source=server_address(1, 17, 2),
        send_sequence=0,
        receive_sequence=0,
        information=bytes(range(120)),
    )
    return frame.encode() * 1000


def figures() -> dict[str, dict[str, float]]:
    value = profile()
    rows = encode_data(value)
    get = bytes.fromhex("C001C100070100630100FF0200")
    control = SecurityControl(authenticated=True, encrypted=True)
    sealed = protect(get, control=control, key=KEY, gak=GAK, system_title=TITLE, invocation_counter=1)
    wire = frames()
    one = wire[: len(wire) // 1000]

    def protect_many() -> None:
        for counter in range(2000):
            protect(get, control=control, key=KEY, gak=GAK, system_title=TITLE, invocation_counter=counter)

    return {
        "profile rows decoded": per_second(ROWS, lambda: decode_data(rows)),
        "profile rows decoded from blocks of 500 octets": per_second(ROWS, lambda: stream_in_blocks(rows)),
        "profile rows encoded": per_second(ROWS, lambda: encode_data(value)),
        "GET requests decoded": per_second(2000, lambda: [decode_apdu(get) for _ in range(2000)]),
        "APDUs protected": per_second(2000, protect_many),
        "APDUs unprotected": per_second(
            2000, lambda: [unprotect(sealed, key=KEY, gak=GAK, system_title=TITLE) for _ in range(2000)]
        ),
        "HDLC frames found in a stream": per_second(1000, lambda: FrameReader().feed(wire)),
        "frames dissected for the inspector": per_second(200, lambda: [dissect(one) for _ in range(200)]),
    }


def main() -> None:
    answer = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "runs": RUNS,
        "unit": "per second, on one core",
        "figures": figures(),
    }
    sys.stdout.write(json.dumps(answer, indent=2) + "\n")


if __name__ == "__main__":
    main()
