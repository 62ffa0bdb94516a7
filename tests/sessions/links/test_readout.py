"""Readouts over real lines: sockets, pseudo-terminals, and a serial port that socat makes of a socket."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from contextlib import asynccontextmanager

import pytest

from sessions.dlms.errors import (
    AuthenticationFailedError,
    ConnectionLostError,
    LocalProtocolError,
    NoReplyError,
    RefusedError,
    SecurityError,
)
from sessions.dlms.iec62056_21.client import Iec21Client
from sessions.dlms.iec62056_21.data_set import decode_data_block
from sessions.dlms.iec62056_21.message import CommandMessage
from sessions.dlms.iec62056_21.settings import SignOnSettings
from sessions.dlms.iec62056_21.sign_on import IdentificationMessage
from sessions.dlms.iec62056_21.smarty import encrypt_telegram
from sessions.dlms.iec62056_21.telegram import Telegram
from sessions.dlms.link import FrameReceived, FrameSent
from sessions.links.endpoint import SerialEndpoint, TcpEndpoint, parse_endpoint
from sessions.links.line import LineError
from sessions.links.readout import ReadoutConversation, listen_encrypted
from sessions.simulator.lab import HdlcOptions, LabLine, SignOnOptions, make_meter
from sessions.simulator.listeners import RunningLab
from tests.sessions.simulator.served import LLS, HandClock, lab_of

pytestmark = pytest.mark.asyncio

READ = CommandMessage("R1", b"0.0.0()")
WRITE = CommandMessage("W1", b"C.1.1(new)")
TELEGRAM = Telegram(IdentificationMessage("ABC", "5", "M"), decode_data_block(b"1-0:1.8.0(000123.4*kWh)\r\n!\r\n"))
KEY, TITLE = bytes(range(16)), b"SAG\x00\x00\x00\x00\x01"


@asynccontextmanager
async def lab(tmp_path, kind="hdlc", **sign_on):
    """One meter; gives its endpoint."""
    table = {"serial_number": "10000011", "physical_address": 17, "association": LLS}
    meter = make_meter(
        {**table, "sign_on": {"password": "1234", **sign_on}}, HandClock(), HdlcOptions(), SignOnOptions()
    )
    line = LabLine(kind=kind, meters=(meter,), sign_on=SignOnOptions())
    async with RunningLab(lab_of(line), tmp_path) as running:
        yield parse_endpoint(running.announcements[0]["endpoint"])


def conversation(endpoint, *, timeout=10.0, on_frame=None, **settings):
    client = Iec21Client(SignOnSettings(**settings), response_timeout=timeout)
    return ReadoutConversation(endpoint, client, on_frame=on_frame)


async def serial_number_by_readout(endpoint, **settings):
    async with conversation(endpoint, **settings) as talk:
        readout = await talk.read_out()
        return readout.block.find("0.0.0").values[0].value


@pytest.mark.parametrize("kind", ["hdlc", "pty"])
@pytest.mark.parametrize("z", ["X", "E", "5", "6"])
async def test_a_readout_in_each_mode_over_a_socket_and_a_terminal(tmp_path, kind, z):
    async with lab(tmp_path, kind, baud=z, mode_e=False) as endpoint:
        frames = []
        async with conversation(endpoint, on_frame=frames.append) as talk:
            readout = await talk.read_out()
        assert readout.block.find("0.0.0").values[0].value == "10000011"
        assert isinstance(frames[0], FrameSent)
        assert any(isinstance(frame, FrameReceived) for frame in frames)
        assert talk.is_over


async def test_a_meter_is_read_again_and_again(tmp_path):
    async with lab(tmp_path, "pty") as endpoint:
        for _ in range(2):
            assert await serial_number_by_readout(endpoint, device_address="10000011") == "10000011"


async def test_programming_mode(tmp_path):
    async with lab(tmp_path, "pty", operand="a5") as endpoint, conversation(endpoint) as talk:
        assert await talk.enter() == "a5"
        assert (await talk.command(READ)).encode() == b"(10000011)"
        with pytest.raises(RefusedError):
            await talk.command(WRITE)
        assert not talk.is_over
        assert await talk.command(CommandMessage("P1", b"(1234)")) is None
        assert await talk.command(WRITE) is None
        assert (await talk.command(CommandMessage("R1", b"C.1.1()"))).encode() == b"(new)"


async def test_a_wrong_password_ends_it(tmp_path):
    async with lab(tmp_path) as endpoint, conversation(endpoint) as talk:
        await talk.enter()
        with pytest.raises(AuthenticationFailedError):
            await talk.command(CommandMessage("P1", b"(4321)"))
        assert talk.is_over
        with pytest.raises(LocalProtocolError):
            await talk.command(READ)


async def test_nobody_signs_on(tmp_path):
    async with lab(tmp_path) as endpoint, conversation(endpoint, timeout=0.2, device_address="999") as talk:
        with pytest.raises(NoReplyError):
            await talk.read_out()
        assert talk.is_over


async def test_oddities_are_remarks(tmp_path):
    async with lab(tmp_path) as endpoint, conversation(endpoint, parity_in_octets=True) as talk:
        await talk.read_out()
        assert talk.remarks == []


async def serve(handler):
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    return server, TcpEndpoint("127.0.0.1", server.sockets[0].getsockname()[1])


def saying(octets):
    async def say(reader, writer):
        writer.write(octets)
        await writer.drain()
        writer.close()

    return say


async def test_a_line_that_ends_in_the_middle():
    server, endpoint = await serve(saying(b"/ABC5M"))
    async with server, conversation(endpoint) as talk:
        with pytest.raises((ConnectionLostError, LineError)):
            await talk.read_out()


async def test_a_telegram_that_nobody_asked_for():
    server, endpoint = await serve(saying(b"the rest of one\r\n!0000\r\n" + TELEGRAM.encode(with_crc=True)))
    async with server, conversation(endpoint) as talk:
        readout = await talk.listen()
    assert readout.telegram.identification == TELEGRAM.identification
    assert readout.block == TELEGRAM.block


async def test_an_encrypted_telegram():
    wire = encrypt_telegram(TELEGRAM.encode(with_crc=True), key=KEY, system_title=TITLE, invocation_counter=7)
    frames = []
    server, endpoint = await serve(saying(b"\xdb\x08rest" + wire))
    async with server:
        telegram = await listen_encrypted(endpoint, KEY, timeout=10.0, on_frame=frames.append)
        assert telegram.block == TELEGRAM.block
        assert [frame.octets for frame in frames] == [wire]
        with pytest.raises(SecurityError):
            await listen_encrypted(endpoint, bytes(16), timeout=10.0)


async def test_an_encrypted_telegram_that_does_not_come():
    async def silent(reader, writer):
        await reader.read()
        writer.close()

    server, endpoint = await serve(silent)
    async with server:
        with pytest.raises(NoReplyError):
            await listen_encrypted(endpoint, KEY, timeout=0.1)
    server, endpoint = await serve(saying(b"nothing"))
    async with server:
        with pytest.raises(LineError):
            await listen_encrypted(endpoint, KEY, timeout=10.0)


async def test_a_line_that_keeps_what_was_written(monkeypatch):
    class Stuck:
        async def change_settings(self, settings):
            await asyncio.sleep(60)

        async def close(self):
            self.closed = True

    stuck = Stuck()

    async def open_stuck(endpoint, **options):
        return stuck

    monkeypatch.setattr("sessions.links.readout.open_line", open_stuck)
    monkeypatch.setattr("sessions.links.readout.WRITE_TIMEOUT", 0.05)
    async with conversation(TcpEndpoint("h", 1)) as talk:
        with pytest.raises(LineError) as broken:
            await talk.read_out()
        assert broken.value.code == "write-timeout"
    assert stuck.closed


@pytest.mark.skipif(shutil.which("socat") is None, reason="socat is not installed")
async def test_a_serial_port_that_socat_makes_of_a_socket(tmp_path):
    """A serial device whose far end knows no speed: the changes of the line are made, and go nowhere."""
    link = tmp_path / "port"
    async with lab(tmp_path) as endpoint:
        with subprocess.Popen(
            ["socat", f"PTY,link={link},raw,echo=0,wait-slave", f"TCP:127.0.0.1:{endpoint.port}"]
        ) as socat:
            try:
                async with asyncio.timeout(20):
                    while not link.exists():
                        await asyncio.sleep(0.02)
                assert await serial_number_by_readout(SerialEndpoint(str(link), 300)) == "10000011"
            finally:
                socat.kill()
