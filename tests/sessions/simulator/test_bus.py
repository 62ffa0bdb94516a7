"""Octets take their time on a bus, and two who speak at once hear nonsense."""

from __future__ import annotations

import pytest

from sessions.dlms.link import LineSettings
from sessions.simulator.bus import Bus, LineTiming, read_timing, spoilt


def test_octets_take_the_time_of_their_bits():
    bus = Bus(LineTiming(baud=9600))
    spoken = bus.place("client", 96, 10.0)
    assert (spoken.begin, spoken.end) == (10.0, pytest.approx(10.1))  # 10 bits an octet
    assert Bus(LineTiming(baud=300, data_bits=7, parity="E")).place("client", 30, 0.0).end == pytest.approx(1.0)
    assert bus.place("meter", 30, 20.0, LineSettings(300, 7, "E")).end == pytest.approx(21.0)


def test_a_sender_waits_for_itself():
    bus = Bus(LineTiming(baud=1000))
    first = bus.place("client", 100, 0.0)
    second = bus.place("client", 100, 0.5)
    assert (first.end, second.begin, second.end) == (1.0, 1.0, 2.0)
    assert bus.heard(first, b"ab") == b"ab"
    assert bus.heard(second, b"ab") == b"ab"


def test_two_who_speak_at_once_spoil_each_other():
    bus = Bus(LineTiming(baud=1000))
    client, meter = bus.place("client", 100, 0.0), bus.place("meter", 100, 0.9)
    assert bus.heard(client, b"ab") == bus.heard(meter, b"ab") == spoilt(b"ab") != b"ab"
    later = bus.place("client", 1, 1.9)
    assert bus.heard(later, b"ab") == b"ab"


def test_on_a_full_duplex_line_both_may_speak():
    bus = Bus(LineTiming(baud=1000, half_duplex=False))
    client, meter = bus.place("client", 100, 0.0), bus.place("meter", 100, 0.0)
    assert bus.heard(client, b"ab") == bus.heard(meter, b"ab") == b"ab"


def test_what_was_spoken_long_ago_is_forgotten():
    bus = Bus(LineTiming(baud=1000))
    for second in range(500):
        bus.place(second % 250, 1, float(second))
    assert len(bus._spoken) < 70
    assert len(bus._ends) < 70


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "baud is missing"),
        ({"baud": 10}, "baud is 50 to 4000000, not 10"),
        ({"baud": "fast"}, "baud is 50"),
        ({"baud": True}, "baud is 50"),
        ({"baud": 9600, "data_bits": 9}, "data_bits is 7 or 8"),
        ({"baud": 9600, "parity": "X"}, "parity N, E or O"),
        ({"baud": 9600, "response_time": -1}, "response_time is seconds"),
        ({"baud": 9600, "inter_octet_timeout": 1e6}, "inter_octet_timeout is seconds"),
        ({"baud": 9600, "half_duplex": "yes"}, "half_duplex is true or false"),
        ({"baud": 9600, "speed": 1}, "there is no speed"),
    ],
)
def test_what_is_no_timing_is_refused(table, words):
    with pytest.raises(ValueError, match=words):
        read_timing(table)


def test_a_timing_from_a_table():
    timing = read_timing({"baud": 2400, "parity": "E", "response_time": 0.2})
    assert timing == LineTiming(baud=2400, parity="E", response_time=0.2)
    assert timing.settings == LineSettings(2400, 8, "E", 1)
