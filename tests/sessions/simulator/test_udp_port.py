"""A simulated meter over UDP: whole sessions, several clients, datagrams that are none, and ports that are taken."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from sessions.dlms.wrapper import WrapperFrame
from sessions.links.endpoint import UdpEndpoint, parse_endpoint
from sessions.links.opening import open_line
from sessions.simulator import udp_port
from sessions.simulator.lab import Lab, LabError, LabLine
from sessions.simulator.listeners import RunningLab
from sessions.simulator.udp_port import UdpPort
from tests.sessions.simulator.served import GMAC, LLS, lab_meter, lab_of
from tests.sessions.simulator.test_listeners import serial_number, talking

pytestmark = pytest.mark.asyncio


def udp_lab(association=LLS, **options) -> Lab:
    return lab_of(LabLine(kind="udp", meters=(lab_meter(association),)), **options)


@pytest.mark.parametrize("association", [LLS, GMAC], ids=["lls", "gmac"])
async def test_a_whole_session(association, tmp_path):
    async with RunningLab(udp_lab(association), tmp_path) as running:
        (told,) = running.announcements
        assert told["endpoint"].startswith("udp://127.0.0.1:")
        assert told["association"]["framing"] == "wrapper"
        assert await serial_number(told) == b"10000001"


async def test_several_clients_at_once(tmp_path):
    async with RunningLab(udp_lab(reply_delay=0.01), tmp_path) as running:
        (told,) = running.announcements
        async with talking(told):
            answers = await asyncio.gather(*(serial_number(told) for _ in range(8)))
        assert answers == [b"10000001"] * 8


async def test_a_datagram_that_is_none_does_not_spoil_the_next(tmp_path):
    async with RunningLab(udp_lab(), tmp_path) as running:
        (told,) = running.announcements
        endpoint = parse_endpoint(told["endpoint"])
        line = await open_line(endpoint)
        good = WrapperFrame(16, 1, bytes.fromhex("6203800100")).encode()  # an RLRQ outside of an association
        for octets in (b"\x00\x01", good[:9], b"\x7e\xa0\x07\x03\x21\x93\x0f\x01\x7e", good[:-1], bytes(300)):
            await line.write(octets)
        await line.write(good)
        answer = await asyncio.wait_for(line.read(), 5)
        assert answer[:6] == bytes.fromhex("000100010010")
        await line.close()
        assert await serial_number(told) == b"10000001"


async def test_a_broken_station_is_replaced(tmp_path, capsys):
    complaints: list[str] = []

    class Broken:
        closed = False

        def receive_octets(self, octets: bytes, now: float) -> None:
            raise RuntimeError("out of order")

        def connection_lost(self, now: float) -> None:
            """Nobody was served."""

    async with UdpPort(Broken, udp_lab(), 0, complaints.append) as port:  # type: ignore[arg-type]
        port.datagram_received(b"x", ("192.0.2.1", 1))
        assert port._peers == {}
    assert complaints == ["a datagram was dropped: RuntimeError('out of order')"]


async def test_an_address_is_forgotten_after_a_time_and_when_there_are_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(udp_port, "MAX_PEERS", 3)
    made = []

    class Silent:
        def __init__(self) -> None:
            made.append(self)

        def receive_octets(self, octets: bytes, now: float) -> None: ...

        def connection_lost(self, now: float) -> None: ...

        def octets_to_send(self) -> bytes:
            return b""

        def next_timer(self) -> None:
            return None

    async with UdpPort(Silent, udp_lab(inactivity_timeout=0.05), 0, print) as port:  # type: ignore[arg-type]
        for number in (1, 2, 1, 3, 4):
            port.datagram_received(b"x", number)
        assert list(port._peers) == [1, 3, 4]  # 2 was silent longest
        assert len(made) == 4
        await asyncio.sleep(0.06)
        port.datagram_received(b"x", 1)
        assert len(made) == 5


async def test_a_port_that_is_taken(tmp_path: Path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        number = taken.getsockname()[1]
        line = LabLine(kind="udp", meters=(lab_meter(),), port=number)
        with pytest.raises(LabError, match=f"UDP port {number}"):
            async with RunningLab(Lab(lines=(line,), fixed_ports=True), tmp_path):
                pass
        async with RunningLab(Lab(lines=(line,)), tmp_path) as running:
            endpoint = parse_endpoint(running.announcements[0]["endpoint"])
            assert isinstance(endpoint, UdpEndpoint)
            assert endpoint.port != number


async def test_an_answer_for_nobody_is_dropped(tmp_path):
    port = UdpPort(lambda: None, udp_lab(), 0, print)  # type: ignore[arg-type, return-value]
    async with port:
        port.error_received(ConnectionRefusedError())
    port._send(b"late", ("127.0.0.1", 9))
