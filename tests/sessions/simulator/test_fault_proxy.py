"""A bad line before a meter that is none of ours: over real sockets, with what was done told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sessions.dlms.errors import DlmsError
from sessions.links.endpoint import Endpoint, TcpEndpoint, parse_endpoint
from sessions.simulator import fault_proxy
from sessions.simulator.fault_proxy import FaultProxy
from sessions.simulator.faults import Direction, LineFaults
from sessions.simulator.lab import LabLine
from sessions.simulator.listeners import RunningLab
from tests.sessions.simulator.served import LLS, lab_meter, lab_of
from tests.sessions.simulator.test_listeners import conversation, serial_number

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def proxied(meter: Endpoint, told: list[dict[str, Any]], **faults: Any) -> AsyncIterator[FaultProxy]:
    async with FaultProxy("127.0.0.1", 0, meter, LineFaults(**faults), told.append) as proxy:
        yield proxy


@asynccontextmanager
async def a_meter(tmp_path: Any, line: LabLine | None = None) -> AsyncIterator[dict[str, Any]]:
    async with RunningLab(lab_of(line or LabLine(kind="wrapper", meters=(lab_meter(LLS),))), tmp_path) as running:
        yield running.announcements[0]


async def through(announced: dict[str, Any], proxy: FaultProxy) -> bytes:
    return await serial_number({**announced, "endpoint": f"tcp://127.0.0.1:{proxy.number}"})


async def test_a_good_line_reads_as_if_nothing_was_there(tmp_path):
    told: list[dict[str, Any]] = []
    async with a_meter(tmp_path) as announced, proxied(parse_endpoint(announced["endpoint"]), told) as proxy:
        assert await through(announced, proxy) == b"10000001"
        assert await through(announced, proxy) == b"10000001"
    assert sorted((each["connection"], each["event"]) for each in told) == [
        (0, "closed"),
        (0, "opened"),
        (1, "closed"),
        (1, "opened"),
    ]


async def test_a_meter_on_a_serial_port(tmp_path):
    line = LabLine(kind="pty", meters=(lab_meter(LLS, physical_address=17),))
    async with a_meter(tmp_path, line) as announced, proxied(parse_endpoint(announced["endpoint"]), []) as proxy:
        assert await through(announced, proxy) == b"10000001"


async def test_what_was_done_is_told_and_done_again(tmp_path):
    """Two proxies with one seed: the same faults at the same octets."""
    runs = []
    async with a_meter(tmp_path) as announced:
        for _ in range(2):
            told: list[dict[str, Any]] = []
            meter = parse_endpoint(announced["endpoint"])
            async with proxied(meter, told, seed=5, direction=Direction.FROM_METER, bit_errors=0.02) as proxy:
                with pytest.raises(DlmsError):
                    await through({**announced, "association": {**announced["association"], "timeout": 0.2}}, proxy)
            runs.append([(each["offset"], each["fault"], each["detail"]) for each in told if "fault" in each])
            assert all(0 <= each["time"] < 60 for each in told)
    # How far a session goes depends on the client's patience; as far as both went they are the same.
    shorter = min(map(len, runs))
    assert shorter > 0
    assert runs[0][:shorter] == runs[1][:shorter]


async def test_a_cut_line_ends_for_both(tmp_path):
    told: list[dict[str, Any]] = []
    heard = asyncio.get_running_loop().create_future()

    async def meter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set_result(await reader.read())
        writer.close()

    server = await asyncio.start_server(meter, "127.0.0.1", 0)
    async with (
        server,
        proxied(TcpEndpoint("127.0.0.1", server.sockets[0].getsockname()[1]), told, cut_after=3) as proxy,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.number)
        writer.write(b"12345")
        assert await asyncio.wait_for(heard, 10) == b"123"
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()
    assert {"cut"} == {each["fault"] for each in told if "fault" in each}


async def test_echo_and_late_answers(tmp_path):
    async def meter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(10) + b"!")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(meter, "127.0.0.1", 0)
    endpoint = TcpEndpoint("127.0.0.1", server.sockets[0].getsockname()[1])
    async with server, proxied(endpoint, [], echo=True, slow=0.1) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.number)
        begun = asyncio.get_running_loop().time()
        writer.write(b"who")
        assert await reader.readexactly(3) == b"who"
        assert await reader.readexactly(4) == b"who!"
        assert asyncio.get_running_loop().time() - begun >= 0.1
        writer.close()
        await asyncio.sleep(0.05)


async def test_a_meter_that_is_not_there():
    told: list[dict[str, Any]] = []
    nobody = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    number = nobody.sockets[0].getsockname()[1]
    nobody.close()
    await nobody.wait_closed()
    async with proxied(TcpEndpoint("127.0.0.1", number), told) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.number)
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()
    assert told[-1]["event"] == "refused"
    assert "refused the connection" in told[-1]["detail"]


async def test_so_many_connections_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr(fault_proxy, "MAX_CONNECTIONS", 1)
    async with a_meter(tmp_path) as announced, proxied(parse_endpoint(announced["endpoint"]), []) as proxy:
        endpoint = f"tcp://127.0.0.1:{proxy.number}"
        first = conversation({**announced, "endpoint": endpoint})
        await first.open()
        with pytest.raises(DlmsError):
            await conversation({**announced, "endpoint": endpoint}).open()
        await first.release()
