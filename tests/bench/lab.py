"""The simulated lab: how soon thousands of meters listen, what an idle one takes, and how many ciphered GETs a second it serves.

The rate is that of one server process over loopback, asked by a second process that has its requests ready.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from meters.cosem.obis import ObisCode
from sessions.association_file import parse_association
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, InvokeIdAndPriority
from sessions.dlms.apdu.get import GetRequestNormal
from sessions.dlms.client import DlmsClient
from sessions.dlms.counters import InvocationCounters
from sessions.dlms.cursor import Writer
from sessions.dlms.security import SecurityControl, protect
from sessions.dlms.wrapper import WrapperFrame
from sessions.links.driver import Conversation, make_link
from sessions.links.endpoint import TcpEndpoint, parse_endpoint
from tests.bench.measure import Figure

METERS: Final = 5000
FIRST_PORT: Final = 20_000
CLIENTS: Final = 16
REQUESTS: Final = 1000
RUNS: Final = 3
GLO_GET_REQUEST: Final = 0xC8
ENERGY: Final = CosemAttributeDescriptor(3, ObisCode(1, 0, 1, 8, 0, 255), 2)
CONTROL: Final = SecurityControl(authenticated=True, encrypted=True)


@contextmanager
def process(*command: str) -> Iterator[tuple[subprocess.Popen[str], list[dict[str, Any]]]]:
    """A process that announces its meters in one line; killed at the end."""
    with subprocess.Popen(
        [sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        try:
            said = json.loads(running.stdout.readline())
            yield running, said["meters"] if isinstance(said, dict) else said
        finally:
            running.kill()


def resident_octets(pid: int) -> int:
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def start(count: int) -> tuple[float, int]:
    """Seconds until so many meters listen, and the memory of the process then."""
    begin = time.perf_counter()
    with process("manage.py", "simulate", "--count", str(count), "--port", str(FIRST_PORT)) as (running, meters):
        assert len(meters) == count
        return time.perf_counter() - begin, resident_octets(running.pid)


# -- ciphered GETs -----------------------------------------------------------------------------------------------------


def requests(association: dict[str, Any], first: int) -> list[bytes]:
    """Wrapper frames with a ciphered GET each, ready to be sent."""
    parameters = parse_association(association).parameters
    plain = GetRequestNormal(InvokeIdAndPriority(1), ENERGY, None).encode()
    frames = []
    for counter in range(first, first + REQUESTS):
        sealed = protect(
            plain,
            control=CONTROL,
            key=parameters.guek or b"",
            gak=parameters.gak or b"",
            system_title=parameters.client_system_title,
            invocation_counter=counter,
        )
        apdu = Writer().u8(GLO_GET_REQUEST).octet_string(sealed).octets()
        frames.append(WrapperFrame(parameters.client_sap, parameters.server_sap, apdu).encode())
    return frames


class Asker(asyncio.Protocol):
    """Sends the next request when the answer to the last one is there."""

    def __init__(self, frames: list[bytes], done: asyncio.Future[None]) -> None:
        self._frames = iter(frames)
        self._done = done
        self._received = bytearray()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) < 8 or len(self._received) < 8 + int.from_bytes(self._received[6:8], "big"):
            return
        assert self._received[8] != 0xD8, self._received.hex()  # an exception-response is no service
        self._received.clear()
        self.ask()

    def ask(self) -> None:
        assert self.transport is not None
        frame = next(self._frames, None)
        if frame is not None:
            self.transport.write(frame)
        elif not self._done.done():
            self._done.set_result(None)


async def associated(announced: dict[str, Any], counters: range) -> Conversation:
    association = parse_association(announced["association"])
    link = make_link(association.framing, association.parameters, association.hdlc, 10.0)
    client = DlmsClient(
        association.parameters, link, challenge=bytes(range(1, 17)), counters=InvocationCounters(counters)
    )
    conversation = Conversation(parse_endpoint(announced["endpoint"]), client)
    await conversation.open()
    return conversation


async def ask_all(meters: list[dict[str, Any]], first: int) -> float:
    """GETs a second over one connection to each meter, all at once. The association belongs to the connection."""
    loop = asyncio.get_running_loop()
    askers = []
    for announced in meters:
        done = loop.create_future()
        frames = requests(announced["association"], first + 100)
        endpoint = parse_endpoint(announced["endpoint"])
        assert isinstance(endpoint, TcpEndpoint)
        conversation = await associated(announced, range(first, first + 100))
        askers.append((conversation, Asker(frames, done), done))
    begin = time.perf_counter()
    for conversation, asker, _ in askers:
        take_over(conversation, asker)
        asker.ask()
    await asyncio.gather(*(done for _, _, done in askers))
    seconds = time.perf_counter() - begin
    for _, asker, _ in askers:
        assert asker.transport is not None
        asker.transport.close()
    return len(meters) * REQUESTS / seconds


def take_over(conversation: Conversation, asker: Asker) -> None:
    """The connection of an open association, without the client that opened it."""
    transport = conversation._line._transport  # type: ignore[union-attr]  # a bench may look inside
    transport.set_protocol(asker)
    asker.connection_made(transport)


def cpu_seconds(pid: int) -> float:
    """What a process took of a core until now."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        user, system = file.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def served() -> dict[str, Figure]:
    """Ciphered GETs, by the clock on the wall and by the server's own time: the same on an idle machine."""
    wall, core = [], []
    with process("-m", "tests.bench.meter", str(CLIENTS)) as (running, meters):
        for run in range(RUNS):
            before = cpu_seconds(running.pid)
            wall.append(asyncio.run(ask_all(meters, 1_000_000 * (run + 1))))
            core.append(CLIENTS * REQUESTS / (cpu_seconds(running.pid) - before))
    return {"ciphered GETs a second": spread(wall), "ciphered GETs a second of one core": spread(core)}


def spread(figures: list[float]) -> Figure:
    return {"median": round(statistics.median(figures)), "min": round(min(figures)), "max": round(max(figures))}


def figures() -> dict[str, Figure]:
    """One lab of a single meter, and one of thousands: the difference is what a meter takes."""
    _, base = start(1)
    seconds, octets = start(METERS)
    return {
        f"seconds until {METERS} meters listen": {"median": round(seconds, 1)},
        "KB of memory an idle meter": {"median": round((octets - base) / (METERS - 1) / 1024, 1)},
        **served(),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(figures(), indent=2) + "\n")
