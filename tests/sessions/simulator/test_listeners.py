"""The lab on real lines: TCP ports, a pseudo-terminal, and clients that do as they like."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from meters.cosem.obis import ObisCode
from sessions.association_file import parse_association
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor
from sessions.dlms.client import DlmsClient
from sessions.dlms.counters import InvocationCounters
from sessions.dlms.errors import LinkRefusedError, NoReplyError
from sessions.dlms.hdlc.address import client_address, server_address
from sessions.dlms.hdlc.frame import SnrmFrame
from sessions.dlms.link import LineSettings
from sessions.dlms.wrapper import WrapperFrame
from sessions.links.driver import Conversation, make_link
from sessions.links.endpoint import parse_endpoint
from sessions.simulator import listeners, tcp_port
from sessions.simulator.bus import LineTiming
from sessions.simulator.com_port import noise
from sessions.simulator.faults import Direction, FaultyLine, LineFaults
from sessions.simulator.lab import HdlcOptions, Lab, LabError, LabLine, SignOnOptions, make_meter
from sessions.simulator.listeners import RunningLab
from sessions.simulator.stations import WrapperStation
from tests.sessions.simulator.served import GMAC, LLS, HandClock, lab_meter, lab_of

CLOCK = CosemAttributeDescriptor(8, ObisCode(0, 0, 1, 0, 0, 255), 2)
AARQ = bytes.fromhex("601DA109060760857405080101BE10040E01000000065F1F0400001E1DFFFF")
SERIAL = CosemAttributeDescriptor(1, ObisCode(0, 0, 96, 1, 0, 255), 2)


def conversation(announced: dict[str, Any], counters: range = range(1, 1000)) -> Conversation:
    association = parse_association(announced["association"])
    link = make_link(association.framing, association.parameters, association.hdlc, association.timeout)
    client = DlmsClient(
        association.parameters, link, challenge=secrets.token_bytes(16), counters=InvocationCounters(counters)
    )
    return Conversation(parse_endpoint(announced["endpoint"]), client)


@asynccontextmanager
async def talking(announced: dict[str, Any]) -> AsyncIterator[Conversation]:
    """An open association."""
    talk = conversation(announced)
    try:
        await talk.open()
        yield talk
    finally:
        await talk.close()


async def serial_number(announced: dict[str, Any]) -> bytes:
    async with talking(announced) as talk:
        value = await talk.get(SERIAL)
        await talk.release()
        return value.value  # type: ignore[union-attr]


def wrapper_lab(association: dict[str, Any] = LLS, **options: Any) -> Lab:
    return lab_of(LabLine(kind="wrapper", meters=(lab_meter(association),)), **options)


def hdlc_meters() -> tuple[Any, Any]:
    return (
        lab_meter(LLS, serial_number="10000003", physical_address=17),
        lab_meter(GMAC, serial_number="10000004", physical_address=18),
    )


@pytest.mark.asyncio
async def test_a_whole_lab(tmp_path):
    lab = lab_of(
        LabLine(kind="wrapper", meters=(lab_meter(LLS),)),
        LabLine(kind="wrapper", meters=(lab_meter(GMAC, serial_number="10000002"),)),
        LabLine(kind="hdlc", meters=hdlc_meters()),
        LabLine(kind="pty", meters=(lab_meter(LLS, serial_number="10000005", physical_address=19),)),
    )
    async with RunningLab(lab, tmp_path / "ports") as running:
        told = running.announcements
        assert [each["serial_number"] for each in told] == [f"1000000{number}" for number in range(1, 6)]
        assert told[2]["endpoint"] == told[3]["endpoint"]
        assert told[4]["endpoint"] == f"serial://{tmp_path}/ports/10000005?baud=9600"
        for each in told:
            assert await serial_number(each) == each["serial_number"].encode()
        # The line is free for the next, and the one after.
        assert await serial_number(told[4]) == b"10000005"
    assert not (tmp_path / "ports" / "10000005").exists()


@pytest.mark.asyncio
async def test_several_clients_at_once(tmp_path):
    async with RunningLab(wrapper_lab(), tmp_path) as running:
        (announced,) = running.announcements
        answers = await asyncio.gather(*(serial_number(announced) for _ in range(10)))
        assert answers == [b"10000001"] * 10


@pytest.mark.asyncio
async def test_one_client_at_a_time_on_an_hdlc_meter(tmp_path):
    async with RunningLab(lab_of(LabLine(kind="hdlc", meters=hdlc_meters())), tmp_path) as running:
        first, second = running.announcements
        async with talking(first):
            assert await serial_number(second) == b"10000004"
            with pytest.raises(LinkRefusedError):
                await conversation(first).open()
        # Its end frees the meter.
        assert await serial_number(first) == b"10000003"


@pytest.mark.asyncio
async def test_clients_that_behave_badly_hurt_themselves_only(tmp_path):
    lab = lab_of(
        LabLine(kind="wrapper", meters=(lab_meter(LLS),)),
        LabLine(kind="hdlc", meters=hdlc_meters()),
    )
    whole = WrapperFrame(32, 1, bytes(40)).encode()
    async with RunningLab(lab, tmp_path) as running:
        told = running.announcements
        for announced in (told[0], told[1]):
            endpoint = parse_endpoint(announced["endpoint"])
            for octets in (b"", whole[:20], b"\x7e\xa0\x20", os.urandom(5000), b"GET / HTTP/1.1\r\n\r\n", whole * 50):
                _, writer = await asyncio.open_connection(endpoint.host, endpoint.port)  # type: ignore[union-attr]
                writer.write(octets)
                await asyncio.sleep(0)
                writer.transport.abort()
            assert await serial_number(announced) == announced["serial_number"].encode()


@pytest.mark.asyncio
async def test_a_connection_of_another_protocol_is_closed(tmp_path):
    async with RunningLab(wrapper_lab(), tmp_path) as running:
        endpoint = parse_endpoint(running.announcements[0]["endpoint"])
        reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)  # type: ignore[union-attr]
        writer.write(b"\x7e\xa0\x07\x03\x21\x93\x0f\x01\x7e")
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()


@pytest.mark.asyncio
async def test_a_silent_connection_is_closed_after_a_while(tmp_path):
    async with RunningLab(wrapper_lab(inactivity_timeout=0.05), tmp_path) as running:
        endpoint = parse_endpoint(running.announcements[0]["endpoint"])
        reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)  # type: ignore[union-attr]
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()


@pytest.mark.asyncio
async def test_a_port_has_room_for_so_many_connections(tmp_path, monkeypatch):
    monkeypatch.setattr(tcp_port, "MAX_CONNECTIONS", 1)
    async with RunningLab(wrapper_lab(), tmp_path) as running:
        (announced,) = running.announcements
        async with talking(announced):
            endpoint = parse_endpoint(announced["endpoint"])
            reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)  # type: ignore[union-attr]
            with pytest.raises(ConnectionError):
                # An abort is a reset, or the end, as the system sees it.
                assert await asyncio.wait_for(reader.read(), 10) == b""
                raise ConnectionResetError
            writer.close()


@pytest.mark.asyncio
async def test_a_fault_of_the_meter_closes_the_connection_and_is_told(tmp_path, monkeypatch, capsys):
    lab = wrapper_lab()
    device = lab.lines[0].meters[0].device

    def broken(*_: Any) -> Any:
        raise RuntimeError("a fault of ours")

    async with RunningLab(lab, tmp_path) as running:
        async with talking(running.announcements[0]) as talk:
            with monkeypatch.context() as patched:
                patched.setattr(device, "get", broken)
                with pytest.raises(Exception, match="closed"):
                    await talk.get(CLOCK)
        assert await serial_number(running.announcements[0]) == b"10000001"
    assert "a fault of ours" in capsys.readouterr().err


@pytest.mark.asyncio
async def test_a_taken_port(tmp_path):
    async with RunningLab(wrapper_lab(), tmp_path) as running:
        taken = parse_endpoint(running.announcements[0]["endpoint"]).port  # type: ignore[union-attr]
        line = LabLine(kind="wrapper", meters=(lab_meter(LLS),), port=taken)
        with pytest.raises(LabError, match=str(taken)):
            await RunningLab(Lab(lines=(line,), fixed_ports=True), tmp_path).__aenter__()
        async with RunningLab(Lab(lines=(line,)), tmp_path) as another:
            endpoint = parse_endpoint(another.announcements[0]["endpoint"])
            assert endpoint.port != taken  # type: ignore[union-attr]


@pytest.mark.asyncio
async def test_an_address_that_is_not_ours(tmp_path):
    with pytest.raises(LabError, match="cannot be used"):
        await RunningLab(wrapper_lab(host="192.0.2.1"), tmp_path).__aenter__()


@pytest.mark.asyncio
async def test_a_lab_that_cannot_start_leaves_nothing(tmp_path):
    pty = LabLine(kind="pty", meters=(lab_meter(LLS, physical_address=19),))
    bad = LabLine(kind="wrapper", meters=(lab_meter(LLS),))
    with pytest.raises(LabError):
        await RunningLab(lab_of(pty, bad, host="192.0.2.1"), tmp_path).__aenter__()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.asyncio
async def test_a_line_that_nobody_reads_does_not_stop_the_lab(tmp_path, monkeypatch):
    monkeypatch.setattr(listeners, "PTY_RETRIES", 2)
    lab = lab_of(LabLine(kind="pty", meters=(lab_meter(LLS, serial_number="10000005", physical_address=19),)))
    snrm = SnrmFrame(destination=server_address(1, 19, 2), source=client_address(32)).encode()
    async with RunningLab(lab, tmp_path) as running:
        port = os.open(tmp_path / "10000005", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            # More answers than the line's buffer holds.
            for _ in range(500):
                os.write(port, snrm)
                await asyncio.sleep(0.001)
        finally:
            os.close(port)
        assert await serial_number(running.announcements[0]) == b"10000005"


def optical(**options: Any) -> LabLine:
    tables = (
        {"serial_number": "10000011", "physical_address": 17, "association": LLS, "sign_on": {}},
        {"serial_number": "10000012", "physical_address": 18, "association": GMAC, "sign_on": {"baud": "6"}},
    )
    made = tuple(make_meter(table, HandClock(), HdlcOptions(), SignOnOptions()) for table in tables)
    return LabLine(meters=made, sign_on=SignOnOptions(), **options)


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["pty", "hdlc"])
async def test_mode_e_on_a_terminal_and_on_a_port(tmp_path, kind):
    """On the terminal the speeds are real: octets at the wrong one would be noise."""
    async with RunningLab(lab_of(optical(kind=kind)), tmp_path) as running:
        for announced in running.announcements:
            assert await serial_number(announced) == announced["serial_number"].encode()
        assert await serial_number(running.announcements[0]) == b"10000011"


@pytest.mark.asyncio
async def test_a_client_at_the_wrong_speed_makes_noise_on_a_terminal(tmp_path):
    async with RunningLab(lab_of(optical(kind="pty")), tmp_path) as running:
        announced = running.announcements[0]
        wrong = dict(announced["association"])
        wrong["sign_on"] = {**wrong["sign_on"], "initial_baud": 2400}
        with pytest.raises(NoReplyError):
            await conversation({**announced, "association": {**wrong, "timeout": 0.2}}).open()
        assert await serial_number(announced) == b"10000011"


def test_noise_is_none_of_the_octets():
    assert noise(b"/?!\r\n") != b"/?!\r\n"
    assert listeners.speed_number(LineSettings(9600)) == termios.B9600
    assert listeners.speed_number(LineSettings(12345)) == -1


@pytest.mark.asyncio
@pytest.mark.parametrize("timing", [None, LineTiming(baud=19200, response_time=0.005)])
async def test_meters_behind_a_serial_port_of_the_network(tmp_path, timing):
    """Over pyserial's client of RFC 2217, with the speed of the line and without."""
    line = LabLine(kind="rfc2217", meters=hdlc_meters(), timing=timing)
    async with RunningLab(lab_of(line), tmp_path) as running:
        for announced in running.announcements:
            assert announced["endpoint"].startswith("rfc2217://127.0.0.1:")
            assert await serial_number(announced) == announced["serial_number"].encode()


@pytest.mark.asyncio
async def test_mode_e_over_a_serial_port_of_the_network(tmp_path):
    """300 Bd 7E1 for the sign-on, then the speed and the eight bits of HDLC: each by the COM port control."""
    async with RunningLab(lab_of(optical(kind="rfc2217")), tmp_path) as running:
        for announced in running.announcements:
            assert await serial_number(announced) == announced["serial_number"].encode()


@pytest.mark.asyncio
async def test_a_network_port_at_the_wrong_speed(tmp_path):
    line = LabLine(kind="rfc2217", meters=hdlc_meters(), timing=LineTiming(baud=19200))
    async with RunningLab(lab_of(line), tmp_path) as running:
        announced = dict(running.announcements[0])
        announced["endpoint"] = announced["endpoint"].replace("baud=19200", "baud=9600")
        announced["association"] = {**announced["association"], "timeout": 0.3}
        with pytest.raises(NoReplyError):
            await conversation(announced).open()


@pytest.mark.asyncio
async def test_a_bus_of_meters_on_one_terminal_with_its_speed(tmp_path):
    """All on one pseudo-terminal; the octets of a whole read take at least their time at 9600 Bd."""
    meters = (*hdlc_meters(), lab_meter(LLS, serial_number="10000005", physical_address=300))
    line = LabLine(kind="pty", meters=meters, timing=LineTiming(baud=9600, response_time=0.005))
    async with RunningLab(lab_of(line), tmp_path) as running:
        told = running.announcements
        assert len({os.path.realpath(parse_endpoint(each["endpoint"]).device) for each in told}) == 1
        assert [each["association"]["hdlc"]["address_octets"] for each in told] == [2, 2, 4]
        loop = asyncio.get_running_loop()
        for announced in told:
            octets, begun = 0, loop.time()

            def count(frame: Any) -> None:
                nonlocal octets
                octets += len(frame.octets)

            talk = conversation(announced)
            talk.on_frame = count
            await talk.open()
            assert (await talk.get(SERIAL)).value == announced["serial_number"].encode()
            await talk.release()
            # The release's last octet is not waited for.
            assert loop.time() - begun > 0.8 * octets * 10 / 9600
        wrong = told[0] | {"endpoint": told[0]["endpoint"].replace("9600", "2400")}
        wrong["association"] = {**wrong["association"], "timeout": 0.3}
        with pytest.raises(NoReplyError):
            await conversation(wrong).open()


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["wrapper", "hdlc", "pty", "rfc2217", "udp"])
async def test_every_kind_of_line_can_be_a_bad_one(tmp_path, kind, capfd):
    """Nothing of what the meter says arrives, and what was done is told as JSON."""
    meter = lab_meter(LLS) if kind in ("wrapper", "udp") else lab_meter(LLS, physical_address=17)
    faults = LineFaults(seed=3, direction=Direction.FROM_METER, silence=1.0)
    async with RunningLab(lab_of(LabLine(kind=kind, meters=(meter,), faults=faults)), tmp_path) as running:
        announced = dict(running.announcements[0])
        announced["association"] = {**announced["association"], "timeout": 0.1}
        with pytest.raises(NoReplyError):
            await conversation(announced).open()
    told = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert {(each["fault"], each["direction"]) for each in told} == {("silence", "from-meter")}


@pytest.mark.asyncio
async def test_slow_answers_over_udp_come_late(tmp_path):
    line = LabLine(kind="udp", meters=(lab_meter(LLS),), faults=LineFaults(slow=0.05))
    async with RunningLab(lab_of(line), tmp_path) as running:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        assert await serial_number(running.announcements[0]) == b"10000001"
        assert loop.time() - begun > 0.1  # an AARE and a value
        async with talking(running.announcements[0]):
            pass  # a peer whose answer still waits when the lab ends


@pytest.mark.asyncio
async def test_a_line_that_ends_behind_octet_k(tmp_path):
    faults = LineFaults(direction=Direction.FROM_METER, cut_after=20)
    line = LabLine(kind="wrapper", meters=(lab_meter(LLS),), faults=faults)
    async with RunningLab(lab_of(line), tmp_path) as running:
        endpoint = parse_endpoint(running.announcements[0]["endpoint"])
        reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)  # type: ignore[union-attr]
        writer.write(WrapperFrame(32, 1, AARQ).encode())
        assert len(await asyncio.wait_for(reader.read(), 10)) == 20
        writer.close()


REQUEST = WrapperFrame(16, 1, AARQ).encode()


def foretold(faults: LineFaults) -> tuple[bytes, bytes]:
    """What the meter says to the request, and what of it the client will hear: the faults are a function of seed and octets."""
    station = WrapperStation(lab_meter(LLS).device, secrets.token_bytes)
    station.receive_octets(REQUEST, 0.0)
    answer, line = station.octets_to_send(), FaultyLine(faults, 0)
    leaves = line.carry(Direction.TO_METER, REQUEST, 0.0) + line.carry(Direction.FROM_METER, answer, 0.0)
    return answer, b"".join(each.octets for each in leaves if each.direction is Direction.FROM_METER)


async def answer_over(tmp_path: Any, faults: LineFaults, count: int) -> tuple[bytes, float]:
    """So many octets as a raw client hears them for an AARQ, all of them where the line ends; and how long the first one took."""
    line = LabLine(kind="wrapper", meters=(lab_meter(LLS),), faults=faults)
    loop = asyncio.get_running_loop()
    async with RunningLab(lab_of(line, inactivity_timeout=60.0 if count else 0.2), tmp_path) as running:
        endpoint = parse_endpoint(running.announcements[0]["endpoint"])
        reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)  # type: ignore[union-attr]
        begun = loop.time()
        writer.write(REQUEST)
        first = await asyncio.wait_for(reader.read(1), 20)
        waited = loop.time() - begun
        heard = first + await asyncio.wait_for(reader.readexactly(max(0, count - 1)), 20)
        if faults.cut_after is not None:
            heard += await asyncio.wait_for(reader.read(), 20)
        writer.close()
        return heard, waited


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("faults", "shows"),
    [
        ({"bit_errors": 0.01}, lambda plain, heard: len(heard) == len(plain) and heard != plain),
        ({"lost": 0.1}, lambda plain, heard: 0 < len(heard) < len(plain)),
        ({"doubled": 0.1}, lambda plain, heard: len(heard) > len(plain)),
        ({"delayed": 0.05, "delay": 0.02}, lambda plain, heard: heard == plain),
        ({"silence": 1.0}, lambda plain, heard: heard == b""),
        ({"garbage": 1.0}, lambda plain, heard: heard.endswith(plain) and len(heard) > len(plain)),
        ({"slow": 0.2}, lambda plain, heard: heard == plain),
        ({"cut_after": 9}, lambda plain, heard: heard == plain[:9]),
        ({"echo": True}, lambda plain, heard: heard == REQUEST + plain),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
async def test_each_fault_of_a_line_on_the_wire(tmp_path, faults, shows, capfd):
    bad = LineFaults(seed=11, direction=Direction.FROM_METER, **faults)
    plain, expected = foretold(bad)
    heard, waited = await answer_over(tmp_path, bad, len(expected))
    assert heard == expected
    assert shows(plain, heard)
    assert ("slow" not in faults) or waited >= 0.2
    kinds = {json.loads(line)["fault"] for line in capfd.readouterr().err.splitlines()}
    assert kinds == {
        {"bit_errors": "bit-error", "cut_after": "cut"}.get(kind, kind) for kind in faults if kind != "delay"
    }


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["pty", "rfc2217"])
async def test_mode_e_with_the_time_of_each_speed(tmp_path, kind):
    """The sign-on goes at 300 Bd, and takes its time; what follows goes at the speed that was agreed."""
    line = optical(kind=kind, timing=LineTiming(baud=9600, response_time=0.005))
    async with RunningLab(lab_of(line), tmp_path) as running:
        announced = running.announcements[0]
        loop = asyncio.get_running_loop()
        begun = loop.time()
        assert await serial_number(announced) == announced["serial_number"].encode()
        signed_on = len("/?10000011!\r\n" + "/MWb5\\2MW3P-1.4.2\r\n" + "\x06252\r\n")
        assert loop.time() - begun > 0.9 * signed_on * 10 / 300
