"""Destinations and delays, as a setup and a lab file say them."""

from __future__ import annotations

import pytest

from sessions.simulator.push.rules import Destination, RepetitionDelay, Transport


@pytest.mark.parametrize(
    ("url", "transport", "host", "port", "text"),
    [
        ("tcp://127.0.0.1:4061", Transport.TCP, "127.0.0.1", 4061, "127.0.0.1:4061"),
        ("udp://localhost", Transport.UDP, "localhost", 4059, "localhost:4059"),
        ("hdlc://[::1]:4061", Transport.HDLC, "::1", 4061, "[::1]:4061"),
    ],
)
def test_a_destination_of_a_lab_file(url, transport, host, port, text):
    destination = Destination.from_url(url)
    assert destination == Destination(transport, host, port)
    assert destination.text == text
    assert Destination.parse(transport, text) == destination
    assert Destination.from_url(str(destination)) == destination


@pytest.mark.parametrize(
    "url",
    [
        "",
        "tcp:/x",
        "smtp://x:25",
        "tcp://",
        "tcp://:4059",
        "tcp://x:0",
        "tcp://x:99999",
        "tcp://x/y",
        "tcp://a@x",
        "tcp://[::1",
    ],
)
def test_what_leads_nowhere(url):
    with pytest.raises(ValueError, match="destination"):
        Destination.from_url(url)


def test_a_transport_that_the_simulator_has_not():
    with pytest.raises(ValueError):
        Destination.parse(4, "+41000000000")


@pytest.mark.parametrize(
    ("delay", "expected"),
    [
        (RepetitionDelay(30), [30, 30, 30]),
        (RepetitionDelay(), [0, 0, 0]),
        (RepetitionDelay(10, 2, 35), [10, 20, 35]),
        (RepetitionDelay(10, 3, 0), [10, 10, 10]),  # a maximum below the minimum is none
        (RepetitionDelay(10, 0, 60), [10, 10, 10]),
    ],
)
def test_seconds_before_each_repetition(delay, expected):
    assert [delay.before(number) for number in (1, 2, 3)] == expected


def test_the_highest_numbers_end_at_the_maximum():
    assert RepetitionDelay(0xFFFF, 0xFFFF, 0xFFFF).before(255) == 0xFFFF
