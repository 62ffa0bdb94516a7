"""A whole ciphered session over loopback, ours and the peer's, on the same meter.

HLS-GMAC, 50 registers, 10,000 rows in blocks of PDU 960, release. Over HDLC with the frames of both sides' default (128 octets,
a window of 1) and with long ones (2,030 octets).
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Final

from meters.cosem.data import Data, native
from meters.cosem.obis import ObisCode
from sessions.association_file import parse_association
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor
from sessions.dlms.client import DlmsClient
from sessions.dlms.counters import InvocationCounters
from sessions.dlms.selective_access import EntryDescriptor
from sessions.links.driver import Conversation, make_link
from sessions.links.endpoint import parse_endpoint
from tests.bench.meter import MAX_PDU, PROFILE, ROWS

RUNS: Final = 5
REGISTERS: Final = 50
ENERGY: Final = CosemAttributeDescriptor(3, ObisCode(1, 0, 1, 8, 0, 255), 2)
BUFFER: Final = CosemAttributeDescriptor(7, PROFILE, 2)
CHALLENGE: Final = bytes(range(1, 17))

counters = count(1_000_000, 1_000_000)
"""Where the next session's invocation counters begin: the meter remembers."""


@contextmanager
def bench_meter() -> Iterator[dict[str, dict[str, Any]]]:
    """The meter's process; the announcements by what carries the session."""
    command = [sys.executable, "-m", "tests.bench.meter"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield {_carrier(meter["association"]): meter for meter in json.loads(process.stdout.readline())}
        finally:
            process.stdin.close()


def _carrier(association: dict[str, Any]) -> str:
    return f"HDLC, frames of {association['hdlc']['max_info']}" if "hdlc" in association else "the wrapper"


async def our_session(announced: dict[str, Any]) -> None:
    association = parse_association({**announced["association"], "max_pdu_size": MAX_PDU})
    first = next(counters)
    client = DlmsClient(
        association.parameters,
        make_link(association.framing, association.parameters, association.hdlc, 10.0),
        challenge=CHALLENGE,
        counters=InvocationCounters(range(first, first + 100_000)),
    )
    conversation = Conversation(parse_endpoint(announced["endpoint"]), client)
    try:
        await conversation.open()
        for _ in range(REGISTERS):
            assert isinstance(await conversation.get(ENERGY), Data)
        buffer = await conversation.get(BUFFER, EntryDescriptor(1, ROWS).to_selective_access())
        assert isinstance(buffer, Data)
        assert len(native(buffer)) == ROWS
        await conversation.release()
    finally:
        await conversation.close()


def peer_session(announced: dict[str, Any]) -> None:
    from gurux_dlms.objects import GXDLMSClock, GXDLMSProfileGeneric, GXDLMSRegister

    from tests.interop.peer import associated

    with associated(announced, invocation_counter=next(counters), **_sizes(announced)) as peer:
        register = GXDLMSRegister("1.0.1.8.0.255")
        for _ in range(REGISTERS):
            peer.read(register, 2)
        profile = GXDLMSProfileGeneric("1.0.99.1.0.255")
        clock, registers = GXDLMSClock("0.0.1.0.0.255"), [GXDLMSRegister(f"1.0.{c}.8.0.255") for c in range(1, 6)]
        profile.captureObjects = [(each, _captured(2)) for each in (clock, *registers)]
        assert len(peer.rows(profile, peer.client.readRowsByEntry(profile, 1, ROWS))) == ROWS


def _sizes(announced: dict[str, Any]) -> dict[str, int]:
    return {"max_info": announced["association"]["hdlc"]["max_info"]} if "hdlc" in announced["association"] else {}


def _captured(attribute: int) -> Any:
    from gurux_dlms.objects import GXDLMSCaptureObject

    return GXDLMSCaptureObject(attribute, 0)


def seconds(work: Callable[[], object], runs: int) -> dict[str, float]:
    figures = []
    for _ in range(runs):
        begin = time.perf_counter()
        work()
        figures.append(time.perf_counter() - begin)
    return {
        "median": round(statistics.median(figures), 3),
        "min": round(min(figures), 3),
        "max": round(max(figures), 3),
    }


def figures() -> dict[str, Any]:
    """Seconds a session, ours and the peer's, and how many times faster ours is."""
    answer: dict[str, Any] = {}
    with bench_meter() as meters:
        for carrier, announced in meters.items():
            ours = seconds(lambda announced=announced: asyncio.run(our_session(announced)), RUNS)
            peers = seconds(lambda announced=announced: peer_session(announced), 3)
            answer[f"whole session over {carrier}, seconds"] = {
                "ours": ours,
                "gurux_dlms": peers,
                "times faster": round(peers["median"] / ours["median"], 1),
            }
    return answer


if __name__ == "__main__":
    sys.stdout.write(json.dumps(figures(), indent=2) + "\n")
