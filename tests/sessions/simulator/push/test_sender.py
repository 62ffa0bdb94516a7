"""Pushes on real sockets: who hears them, how often they are tried, and where they never go."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from meters.cosem.data import Data, enum, octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import ActionResult, DataAccessResult
from sessions.dlms.apdu.notification import DataNotification
from sessions.simulator.push import sender
from sessions.simulator.push.sender import is_loopback
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.push.running import RunningClock, device_of, ears, lab, until
from tests.sessions.simulator.push.test_session import listener_of
from tests.sessions.simulator.served import GMAC, LLS, NOON, lab_meter

SETUP, CONFIRMED_SETUP = ObisCode.parse("0-0:25.9.0*255"), ObisCode.parse("0-1:25.9.0*255")
SCHEMES = {"tcp": 0, "udp": 1, "hdlc": 5}
LINES = [("tcp", {}), ("udp", {}), ("hdlc", {"physical_address": 17})]


def destination(scheme: str, port: int, host: str = "127.0.0.1") -> Data:
    return structure(enum(SCHEMES[scheme]), octet_string(f"{host}:{port}".encode()), enum(0))


def setup(meter: Any, name: ObisCode = SETUP) -> Any:
    return device_of(meter).objects[40, name].target


@pytest.mark.parametrize("name", [SETUP, CONFIRMED_SETUP], ids=["unconfirmed", "confirmed"])
@pytest.mark.parametrize("association", [LLS, GMAC], ids=["clear", "ciphered"])
@pytest.mark.parametrize(("scheme", "line"), LINES)
def test_a_push_arrives(scheme, line, association, name, tmp_path):
    """By its method, from a lab that listens on other ports besides; the truth about it agrees."""

    async def run() -> None:
        clock = RunningClock(NOON)
        meter = lab_meter(association, clock=clock, **line)
        async with ears(scheme, [listener_of(meter)]) as heard, lab(clock, meter, directory=tmp_path):
            setup(meter, name).write(3, destination(scheme, heard.number))
            setup(meter, name).invoke(1, None)
            device_of(meter).settle()
            (found,) = await heard.wait(1)
            await until(lambda: device_of(meter).outbox.tally.delivered == 1)
        assert found.error is None
        assert isinstance(found.notification, DataNotification)
        assert found.notification.notification_body[0].value == name.octets
        assert found.protected is (association is GMAC)
        assert found.framing == ("hdlc" if scheme == "hdlc" else "wrapper")
        assert found.confirmed is (name is CONFIRMED_SETUP)
        tally = device_of(meter).outbox.tally
        assert (tally.taken, tally.attempts, tally.confirmed) == (1, 1, int(name is CONFIRMED_SETUP))

    asyncio.run(run())


def free_port(scheme: str) -> int:
    import socket

    kind = socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.parametrize("scheme", ["tcp", "udp"])
def test_where_nobody_listens_it_is_tried_again_and_given_up(scheme, tmp_path):
    async def run() -> None:
        clock = RunningClock(NOON)
        meter = lab_meter(LLS, clock=clock)
        async with lab(clock, meter, directory=tmp_path):
            setup(meter).write(3, destination(scheme, free_port(scheme)))
            setup(meter).write(6, unsigned(2))
            setup(meter).invoke(1, None)
            device_of(meter).settle()
            tally = device_of(meter).outbox.tally
            await until(lambda: tally.given_up == 1)
        assert (tally.attempts, tally.delivered) == (3, 0)
        assert "refused" in tally.last_failure
        assert device_of(meter).outbox.next_due() is None

    asyncio.run(run())


def test_whoever_comes_late_hears_the_next_try(tmp_path):
    """Ciphered: each try that reached somebody used a counter of its own."""

    async def run() -> None:
        clock = RunningClock(NOON)
        meter = lab_meter(GMAC, clock=clock)
        device = device_of(meter)
        port = free_port("udp")
        async with lab(clock, meter, directory=tmp_path):
            first = device.security.counters.next
            setup(meter).write(3, destination("udp", port))
            setup(meter).write(6, unsigned(255))
            setup(meter).invoke(1, None)
            device.settle()
            await until(lambda: device.outbox.tally.attempts >= 2)
            loop, heard = asyncio.get_running_loop(), asyncio.Event()

            class Ear(asyncio.DatagramProtocol):
                def datagram_received(self, data: bytes, addr: Any) -> None:
                    heard.set()

            transport, _ = await loop.create_datagram_endpoint(Ear, local_addr=("127.0.0.1", port))
            await asyncio.wait_for(heard.wait(), 20)
            await until(lambda: device.outbox.tally.delivered == 1)
            transport.close()
            assert first is not None
            assert device.security.counters.next == first + device.outbox.tally.attempts

    asyncio.run(run())


def test_without_a_confirmation_it_is_tried_again(tmp_path, monkeypatch):
    """Somebody takes the octets and says nothing; what is said in clear to a ciphered push is no confirmation either."""
    monkeypatch.setattr(sender, "CONFIRMATION_TIMEOUT", 0.2)

    async def run() -> None:
        clock = RunningClock(NOON)
        meter = lab_meter(GMAC, clock=clock)
        connections = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.append(await reader.read(4096))
            if len(connections) == 1:
                await reader.read()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with lab(clock, meter, directory=tmp_path):
            target = setup(meter, CONFIRMED_SETUP)
            target.write(3, destination("tcp", port))
            target.write(6, unsigned(1))
            target.invoke(1, None)
            device_of(meter).settle()
            tally = device_of(meter).outbox.tally
            await until(lambda: tally.given_up == 1)
        server.close()
        assert tally.attempts == len(connections) == 2
        assert "without a confirmation" in tally.last_failure
        first, second = (octets[8:] for octets in connections)
        assert first[:11] == second[:11]
        assert first[12:16] != second[12:16]  # another invocation counter

    asyncio.run(run())


@pytest.mark.parametrize("host", ["10.0.0.1", "example.com", "0.0.0.0"])
def test_beyond_the_loopback_nothing_is_sent(host, tmp_path, capfd, monkeypatch):
    """Unless the lab says so; then names and addresses go to the network's own errors."""

    async def nobody(*_: Any) -> None:
        raise AssertionError("it was sent")

    monkeypatch.setattr(sender, "_open", nobody)

    async def run() -> None:
        clock = RunningClock(NOON)
        meter = lab_meter(LLS, clock=clock)
        async with lab(clock, meter, directory=tmp_path):
            setup(meter).write(3, destination("tcp", 4059, host))
            setup(meter).write(6, unsigned(5))
            setup(meter).invoke(1, None)
            device_of(meter).settle()
            tally = device_of(meter).outbox.tally
            await until(lambda: tally.given_up == 1)
        assert tally.attempts == 1
        said = capfd.readouterr().err
        assert f"meter 10000001 does not push to tcp://{host}:4059" in said
        assert "--push-anywhere" in said

    asyncio.run(run())


def test_a_lab_that_may_push_anywhere_does(tmp_path, monkeypatch):
    tried = []

    async def noted(where: Any) -> Any:
        tried.append(str(where))
        raise sender.LineError("unreachable")

    monkeypatch.setattr(sender, "_open", noted)

    async def run() -> None:
        clock = RunningClock(NOON)
        meter = lab_meter(LLS, clock=clock)
        async with lab(clock, meter, directory=tmp_path, push_anywhere=True):
            setup(meter).write(3, destination("tcp", 4059, "meters.example"))
            setup(meter).invoke(1, None)
            device_of(meter).settle()
            await until(lambda: device_of(meter).outbox.tally.given_up == 1)

    asyncio.run(run())
    assert tried == ["tcp://meters.example:4059"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("localhost.example", False),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("::ffff:192.0.2.1", False),
    ],
)
def test_what_is_the_loopback(host, expected):
    assert is_loopback(host) is expected


def test_the_power_fails_while_a_confirmation_is_awaited(tmp_path):
    """The push is gone, is neither tried again nor counted as anything but dropped; the next one has a counter above it."""

    async def run() -> None:
        clock = RunningClock(NOON)
        meter = lab_meter(GMAC, clock=clock)
        device, reached = device_of(meter), asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(4096)
            device.power_cycle()
            reached.set()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with lab(clock, meter, directory=tmp_path):
            target = setup(meter, CONFIRMED_SETUP)
            target.write(3, destination("tcp", server.sockets[0].getsockname()[1]))
            target.write(6, unsigned(9))
            before = device.security.counters.next
            target.invoke(1, None)
            device.settle()
            await asyncio.wait_for(reached.wait(), 20)
            await asyncio.sleep(0.2)
            tally = device.outbox.tally
            assert (tally.attempts, tally.dropped, tally.given_up, tally.delivered) == (1, 1, 0, 0)
            assert before is not None
            assert device.security.counters.next == before + 1
            assert device.next_due() is None
        server.close()

    asyncio.run(run())


def test_a_client_says_over_the_wire_where_to_and_when(tmp_path):
    """It writes the destination and invokes the method; the push goes out though it says nothing more."""

    async def run() -> None:
        clock = RunningClock(NOON)
        meter = lab_meter(GMAC, clock=clock)
        async with ears("tcp", [listener_of(meter)]) as heard, lab(clock, meter, directory=tmp_path):
            pair = Pair(meter)
            pair.open()
            where = destination("tcp", heard.number)
            assert pair.set(40, str(SETUP), 3, where) is DataAccessResult.SUCCESS
            assert pair.get(40, str(SETUP), 3) == where
            assert pair.action(40, str(SETUP), 1)[0] is ActionResult.SUCCESS
            (found,) = await heard.wait(1)
            assert pair.notifications == []
        assert found.error is None

    asyncio.run(run())
