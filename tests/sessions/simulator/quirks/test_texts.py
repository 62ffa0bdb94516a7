"""Quirks of IEC 62056-21: each on the wire, and as our client takes it."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from sessions.dlms.iec62056_21.characters import BlockCheck, block_check, with_even_parity
from sessions.dlms.iec62056_21.client import Iec21Client
from sessions.dlms.iec62056_21.settings import SignOnSettings
from sessions.dlms.iec62056_21.telegram import decode_telegram
from sessions.dlms.link import FrameReceived, LineSettings
from sessions.links.endpoint import parse_endpoint
from sessions.links.readout import ReadoutConversation
from sessions.simulator.lab import HdlcOptions, LabLine, SignOnOptions, make_meter
from sessions.simulator.listeners import RunningLab
from sessions.simulator.quirks.manners import Manners, text_hooks
from sessions.simulator.quirks.texts import TEXT_QUIRKS, TextStation, text_station
from tests.sessions.simulator.served import LLS, HandClock, lab_of
from tests.sessions.simulator.test_listeners import serial_number

WITHOUT_ZEROS = next(quirk.text for quirk in TEXT_QUIRKS if quirk.name == "crc-without-zeros")


@asynccontextmanager
async def lab(tmp_path, *quirks, options=None, clock=None, **sign_on):
    options = options or SignOnOptions()
    table = {"serial_number": "10000011", "association": LLS, "quirks": list(quirks), "sign_on": sign_on}
    meter = make_meter(table, clock or HandClock(), HdlcOptions(), options)
    async with RunningLab(lab_of(LabLine(kind="hdlc", meters=(meter,), sign_on=options)), tmp_path) as running:
        yield running.announcements[0]


async def read_out(announced):
    """What was read, the meter's octets, and the remarks."""
    heard: list[bytes] = []

    def on_frame(frame) -> None:
        if isinstance(frame, FrameReceived):
            heard.append(frame.octets)

    client = Iec21Client(SignOnSettings(), response_timeout=5.0)
    async with ReadoutConversation(parse_endpoint(announced["endpoint"]), client, on_frame=on_frame) as talk:
        readout = await talk.read_out()
    return readout.block.find("0.0.0").values[0].value, heard[-1], talk.remarks


@pytest.mark.asyncio
async def test_a_block_check_that_is_a_sum(tmp_path):
    async with lab(tmp_path, mode_e=False) as announced:
        value, block, remarks = await read_out(announced)
        assert (value, block[-1], remarks) == ("10000011", block_check(block[:-1]), [])
    async with lab(tmp_path, "block-check-is-sum", mode_e=False) as announced:
        value, block, remarks = await read_out(announced)
        assert value == "10000011"
        assert block[-1] == block_check(block[:-1], BlockCheck.SUM) != block_check(block[:-1])
        assert [each for each in remarks if "sum modulo 128" in each]


@pytest.mark.asyncio
async def test_octets_with_their_parity_bit(tmp_path):
    async with lab(tmp_path, "parity-in-octets", mode_e=False) as announced:
        value, block, remarks = await read_out(announced)
        assert value == "10000011"
        assert block == with_even_parity(block)
        assert max(block) > 0x7F
        assert [each for each in remarks if "parity bit" in each]


@pytest.mark.asyncio
async def test_text_is_odd_and_hdlc_behind_it_is_not(tmp_path):
    """HDLC has eight bits of its own."""
    async with lab(tmp_path, "parity-in-octets", "block-check-is-sum") as announced:
        assert await serial_number(announced) == b"10000011"


@pytest.mark.asyncio
async def test_a_crc_without_its_zeros(tmp_path):
    """One telegram in sixteen has some; the clock moves until one comes."""
    clock = HandClock()
    options = SignOnOptions(push_interval=0.02)
    async with lab(tmp_path, "crc-without-zeros", options=options, clock=clock, readout="p1") as announced:
        for _ in range(400):
            client = Iec21Client(SignOnSettings(), response_timeout=5.0)
            async with ReadoutConversation(parse_endpoint(announced["endpoint"]), client) as talk:
                assert (await talk.listen()).block.data_sets
            if talk.remarks:
                break
            clock.advance(seconds=1)
    assert [each for each in talk.remarks if "digit" in each], talk.remarks


def test_what_the_hook_does_to_a_telegram():
    telegram = b"/MWb5X\r\n\r\n1-0:1.8.0(1)\r\n!%s\r\n"
    assert WITHOUT_ZEROS(telegram % b"00A7") == telegram % b"A7"
    assert WITHOUT_ZEROS(telegram % b"0000") == telegram % b"0"
    assert WITHOUT_ZEROS(telegram % b"1234") == telegram % b"1234"
    assert decode_telegram(b"/MWb5X\r\n\r\n1-0:1.8.0(1)\r\n!\r\n").crc is None


class Said:
    """A station that says text, then HDLC."""

    def __init__(self) -> None:
        self.spoken_at = LineSettings(300, 7, "E")
        self.waiting = [(LineSettings(300, 7, "E"), b"text"), (LineSettings(9600), b"hdlc")]

    def octets_to_send(self) -> bytes:
        if not self.waiting:
            return b""
        self.spoken_at, octets = self.waiting.pop(0)
        return octets


def test_hooks_are_for_text_alone():
    station = TextStation(Said(), [lambda octets: octets.upper()])
    assert [station.octets_to_send() for _ in range(3)] == [b"TEXT", b"hdlc", b""]
    assert station.spoken_at == LineSettings(9600)
    said = Said()
    assert text_station(said, []) is said


def test_by_chance():
    assert text_hooks(None) == []
    (hook,) = text_hooks(Manners(faults=(("parity-in-octets", 0.5),), seed=1))
    heard = {hook(b"C") for _ in range(20)}
    assert heard == {b"C", b"\xc3"}
