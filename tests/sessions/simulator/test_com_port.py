"""The server's side of RFC 2217: telnet's commands out of the data, the port's settings, and what another speed does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.link import LineSettings
from sessions.simulator.com_port import (
    COM_PORT,
    IAC,
    MAX_SUBOPTION,
    SERVER,
    SIGNATURE,
    SPEEDS,
    ComPort,
    ComPortStation,
    Telnet,
    as_heard,
    escaped,
    noise,
)

START = LineSettings(9600)


def control(command: int, value: bytes = b"") -> bytes:
    return bytes((IAC, Telnet.SB, COM_PORT, command)) + escaped(value) + bytes((IAC, Telnet.SE))


def told(command: int, value: bytes) -> bytes:
    return control(SERVER + command, value)


def answer(octets: bytes, port: ComPort | None = None) -> bytes:
    port = port or ComPort(START)
    assert port.receive_octets(octets) == b""
    return port.octets_to_send()


@pytest.mark.parametrize(
    ("command", "value", "answered", "held"),
    [
        (0, b"", SIGNATURE, START),
        (1, b"\x00\x00\x01\x2c", b"\x00\x00\x01\x2c", LineSettings(300)),
        (1, b"\x00\x00\x00\x00", b"\x00\x00\x25\x80", START),  # asked, not set
        (1, b"\xff\xff\xff\xff", b"\x00\x00\x25\x80", START),  # no speed
        (2, b"\x07", b"\x07", LineSettings(9600, 7)),
        (2, b"\x05", b"\x08", START),
        (2, b"\x00", b"\x08", START),
        (3, b"\x03", b"\x03", LineSettings(9600, 8, "E")),
        (3, b"\x02", b"\x02", LineSettings(9600, 8, "O")),
        (3, b"\x00", b"\x01", START),
        (4, b"\x02", b"\x02", LineSettings(9600, 8, "N", 2)),
        (4, b"\x03", b"\x01", START),
        (5, b"\x00", b"\x01", START),
        (5, b"\x02", b"\x01", START),  # there is no flow control to be had
        (5, b"\x08", b"\x08", START),
        (5, b"\x0a", b"\x0b", START),
        (6, b"", b"\x00", START),
        (7, b"", b"\xb0", START),
        (10, b"\x0f", b"\x0f", START),
        (11, b"\xff", b"\xff", START),
        (12, b"\x03", b"\x03", START),
    ],
)
def test_what_the_client_wants_of_the_port_is_done_and_answered(command, value, answered, held):
    port = ComPort(START)
    assert answer(control(command, value), port) == told(command, answered)
    assert port.settings == held


@pytest.mark.parametrize(
    "octets",
    [
        control(1, b"\x00"),
        control(2),
        control(3),
        control(5),
        control(12),
        control(8),
        control(9),
        control(77, b"\x01"),
        bytes((IAC, Telnet.SB, IAC, Telnet.SE)),
        bytes((IAC, Telnet.SB, 24, 1, IAC, Telnet.SE)),  # another option
        control(0, bytes(MAX_SUBOPTION + 1)),
        bytes((IAC, Telnet.SB, COM_PORT, 0, IAC, 0)),
        bytes((IAC, 246)),  # are you there
    ],
)
def test_what_cannot_be_meant_is_passed_over(octets):
    port = ComPort(START)
    assert answer(octets, port) == b""
    assert port.receive_octets(b"data") == b"data"
    assert port.settings == START


def test_options_are_agreed_to_once():
    will, do = bytes((IAC, Telnet.WILL, COM_PORT)), bytes((IAC, Telnet.DO, 0))
    port = ComPort(START)
    assert answer(will, port) == bytes((IAC, Telnet.DO, COM_PORT)) + told(7, b"\xb0")
    assert answer(do, port) == bytes((IAC, Telnet.WILL, 0))
    assert answer(will + do, port) == b""
    assert answer(bytes((IAC, Telnet.DONT, 0)), port) == bytes((IAC, Telnet.WONT, 0))
    assert answer(do, port) == bytes((IAC, Telnet.WILL, 0))
    assert answer(bytes((IAC, Telnet.DO, 1)), port) == bytes((IAC, Telnet.WONT, 1))
    assert answer(bytes((IAC, Telnet.WILL, 1)), port) == bytes((IAC, Telnet.DONT, 1))


@given(
    st.lists(
        st.one_of(st.binary(max_size=20), st.sampled_from([control(1, b"\x00\x00\x01\x2c"), control(12, b"\x03")]))
    )
)
def test_data_between_commands_arrives_as_it_was(parts):
    port = ComPort(START)
    commands = {control(1, b"\x00\x00\x01\x2c"), control(12, b"\x03")}
    octets = b"".join(part if part in commands else escaped(part) for part in parts)
    expected = b"".join(part for part in parts if part not in commands)
    got = b"".join(port.receive_octets(octets[at : at + 1]) for at in range(len(octets)))
    assert got == expected


@given(st.binary(max_size=300))
def test_whatever_comes_is_borne(octets):
    """Whatever was begun ends with the next IAC SE, and the port is there as before."""
    port = ComPort(START)
    port.receive_octets(octets + bytes(2) + bytes((IAC, Telnet.SE)) * 2)
    port.octets_to_send()
    settings = port.settings
    assert settings.baud in SPEEDS
    assert settings.data_bits in (7, 8)
    assert settings.stop_bits in (1, 2)
    assert answer(control(0), port) == told(0, SIGNATURE)


def test_what_another_setting_makes_of_octets():
    fast, slow = LineSettings(9600), LineSettings(300)
    assert as_heard(b"/?!\r\n", fast, slow) == noise(b"/?!\r\n") != b"/?!\r\n"
    seven = LineSettings(9600, 7, "E")
    assert as_heard(b"ABC", seven, fast) == bytes((0x41, 0x42, 0xC3))  # the parity bit is taken for data
    assert as_heard(bytes((0x41, 0x42, 0xC3)), fast, seven) == b"ABC"
    assert as_heard(b"ABC", LineSettings(9600, 7, "O"), fast) == b"ABC"
    assert as_heard(b"ABC", seven, seven) == b"ABC"


class Said:
    """A station that says one thing, at a speed."""

    closed = False
    line = spoken_at = LineSettings(9600)

    def __init__(self) -> None:
        self.waiting = [b"\xff\x01", b"more"]
        self.heard = b""

    def receive_octets(self, octets: bytes, now: float) -> None:
        self.heard += octets

    def octets_to_send(self) -> bytes:
        return self.waiting.pop(0) if self.waiting else b""

    def connection_lost(self, now: float) -> None:
        self.closed = True

    def next_timer(self) -> float | None:
        return 7.0

    def handle_timer(self, now: float) -> None:
        self.heard += b"timer"


def test_a_station_behind_a_port():
    said = Said()
    station = ComPortStation(said, START)
    station.receive_octets(control(0) + b"hello\xff\xff", 1.0)
    assert said.heard == b"hello\xff"
    assert [station.octets_to_send() for _ in range(4)] == [told(0, SIGNATURE), b"\xff\xff\x01", b"more", b""]
    assert (station.next_timer(), station.closed) == (7.0, False)
    station.handle_timer(7.0)
    station.connection_lost(8.0)
    assert (said.heard, station.closed) == (b"hello\xfftimer", True)


def test_at_the_wrong_speed_both_hear_noise():
    said = Said()
    station = ComPortStation(said, LineSettings(300))
    station.receive_octets(b"hello", 1.0)
    assert said.heard == noise(b"hello")
    assert station.octets_to_send() not in (b"", b"\xff\xff\x01")
    assert station.octets_to_send() == noise(b"more")


@pytest.mark.parametrize(("purge", "left"), [(1, b"\xff\xff\x01"), (2, b""), (3, b"")])
def test_purge_drops_what_waits_to_be_sent(purge, left):
    station = ComPortStation(Said(), START)
    station.receive_octets(control(12, bytes((purge,))), 1.0)
    assert station.octets_to_send() == told(12, bytes((purge,)))
    assert station.octets_to_send() == left
