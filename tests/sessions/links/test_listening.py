"""Listening ports on real sockets: what comes is heard, a bad connection ends alone, and nothing stays behind."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from sessions.dlms.errors import DlmsError, FrameError
from sessions.dlms.notification_receiver import Heard
from sessions.links import listening
from sessions.links.endpoint import TcpEndpoint, UdpEndpoint
from sessions.links.line import LineError
from sessions.links.listening import ListeningPort
from tests.sessions.dlms.test_notification_receiver import ASKS, PUSH, ui_frames, wrapped
from tests.sessions.simulator.push.running import ears, until


@pytest.mark.parametrize("framed", [wrapped, ui_frames], ids=["wrapper", "hdlc"])
@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_what_comes_is_heard_and_confirmed(transport, framed):
    async def run() -> tuple[Heard, bytes]:
        async with ears(transport) as heard:
            if transport == "udp":
                answer = await datagram(heard.number, framed(ASKS.encode()))
            else:
                reader, writer = await asyncio.open_connection("127.0.0.1", heard.number)
                writer.write(framed(ASKS.encode()))
                answer = await reader.read(100)
                writer.close()
            return (await heard.wait(1))[0], answer

    found, answer = asyncio.run(run())
    assert found.notification == ASKS
    assert bytes.fromhex("104000000900") in answer


async def datagram(port: int, octets: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    answer = loop.create_future()

    class Meter(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            answer.set_result(data)

    transport, _ = await loop.create_datagram_endpoint(Meter, remote_addr=("127.0.0.1", port))
    transport.sendto(octets)
    try:
        return bytes(await asyncio.wait_for(answer, 10))
    finally:
        transport.close()


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_another_protocol_is_told_and_the_others_go_on(transport):
    async def run() -> list[Any]:
        async with ears(transport) as heard:
            for octets in (b"GET / HTTP/1.1\r\n", wrapped(PUSH.encode())):
                if transport == "udp":
                    loop = asyncio.get_running_loop()
                    sender, _ = await loop.create_datagram_endpoint(
                        asyncio.DatagramProtocol, remote_addr=("127.0.0.1", heard.number)
                    )
                    sender.sendto(octets)
                    sender.close()
                else:
                    reader, writer = await asyncio.open_connection("127.0.0.1", heard.number)
                    writer.write(octets)
                    if octets[:1] == b"G":
                        assert await reader.read() == b""
                    writer.close()
                await until(lambda: len(heard.heard) >= 1)
            await until(lambda: len(heard.heard) == 2)
            return heard.heard

    error, found = asyncio.run(run())
    assert isinstance(error, FrameError)
    assert found.notification == PUSH


def test_a_silent_connection_is_closed(monkeypatch):
    monkeypatch.setattr(listening, "PAUSE", 0.05)
    monkeypatch.setattr(listening, "INACTIVITY_TIMEOUT", 0.1)

    async def run() -> bytes:
        async with ears("tcp") as heard:
            reader, writer = await asyncio.open_connection("127.0.0.1", heard.number)
            said = await asyncio.wait_for(reader.read(), 10)
            writer.close()
            return said

    assert asyncio.run(run()) == b""


def test_a_false_beginning_costs_a_pause(monkeypatch):
    """Of an HDLC line: octets that announce a long frame, and then a good one."""
    monkeypatch.setattr(listening, "PAUSE", 0.1)

    async def run() -> Heard:
        async with ears("tcp") as heard:
            _, writer = await asyncio.open_connection("127.0.0.1", heard.number)
            writer.write(b"\x7e\xa7\xff" + ui_frames(PUSH.encode()))
            (found,) = await heard.wait(1)
            writer.close()
            return found

    assert asyncio.run(run()).notification == PUSH


def test_one_connection_too_many_is_turned_away(monkeypatch):
    monkeypatch.setattr(listening, "MAX_CONNECTIONS", 1)

    async def run() -> None:
        async with ears("tcp") as heard:
            _, first = await asyncio.open_connection("127.0.0.1", heard.number)
            await until(lambda: len(heard.port._tasks) == 1)
            reader, second = await asyncio.open_connection("127.0.0.1", heard.number)
            with suppress(ConnectionResetError):
                assert await asyncio.wait_for(reader.read(), 10) == b""
            assert len(heard.port._tasks) == 1
            first.close()
            second.close()

    asyncio.run(run())


def test_counters_are_ready_before_anything_is_looked_at():
    prepared: list[int] = []

    async def run() -> None:
        heard: list[Heard | DlmsError] = []

        async def prepare() -> None:
            prepared.append(len(heard))

        async with ListeningPort(TcpEndpoint("127.0.0.1", 0), (), lambda _, what: heard.append(what), prepare) as port:
            _, writer = await asyncio.open_connection("127.0.0.1", port.endpoint.port)
            writer.write(wrapped(PUSH.encode()))
            await until(lambda: len(heard) == 1)
            writer.close()

    asyncio.run(run())
    assert prepared == [0]


@pytest.mark.parametrize("kind", [TcpEndpoint, UdpEndpoint])
def test_a_port_that_is_taken(kind):
    async def run() -> None:
        async with ListeningPort(kind("127.0.0.1", 0), (), lambda *_: None) as port:
            await ListeningPort(port.endpoint, (), lambda *_: None).__aenter__()

    with pytest.raises(LineError, match="cannot be listened on"):
        asyncio.run(run())
