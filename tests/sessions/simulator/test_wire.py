"""A station behind a line with a speed and with faults: what arrives, when, and what the line says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from sessions.dlms.errors import DecodeError
from sessions.dlms.hdlc.address import HdlcAddress, client_address, server_address
from sessions.dlms.hdlc.frame import SnrmFrame, UaFrame, UiFrame, decode_hdlc_frame
from sessions.simulator import wire as wire_module
from sessions.simulator.bus import Bus, LineTiming
from sessions.simulator.faults import Direction, FaultyLine, LineFaults
from sessions.simulator.stations import HdlcMeter, HdlcStation, WrapperStation
from sessions.simulator.wire import SLICE, Wire
from tests.sessions.simulator.pair import same_octets
from tests.sessions.simulator.served import LLS, lab_meter


def hdlc_meter(physical_address: int, **table: Any) -> HdlcMeter:
    meter = lab_meter(LLS, serial_number=str(10_000_000 + physical_address), physical_address=physical_address, **table)
    return HdlcMeter(meter.device, meter.physical_address, meter.address_octets, meter.parameters)


def hdlc_station(*addresses: int, **options: Any) -> HdlcStation:
    return HdlcStation([hdlc_meter(address) for address in addresses or (17,)], same_octets, **options)


def snrm(physical_address: int = 17, size: int = 2) -> bytes:
    return SnrmFrame(destination=server_address(1, physical_address, size), source=client_address(32)).encode()


def heard(wire: Wire, until: float) -> list[tuple[float, bytes]]:
    """What the client hears until then, and when, with the timers kept."""
    told = []
    while True:
        while octets := wire.octets_to_send():
            told.append((now, octets))  # noqa: F821  # there is none before the first timer
        timer = wire.next_timer()
        if timer is None or timer > until:
            return told
        now = timer
        wire.handle_timer(now)


BAUD = LineTiming(baud=1000, response_time=0.2)


def test_octets_arrive_when_they_are_out():
    """9 octets of SNRM … UA at 1000 Bd: ten bits each, and the meter's response time between them."""
    wire = Wire(hdlc_station(), bus=Bus(BAUD))
    request = snrm()
    wire.receive_octets(request, 100.0)
    told = heard(wire, 110.0)
    answer = b"".join(octets for _, octets in told)
    assert isinstance(decode_hdlc_frame(answer), UaFrame)
    assert told[0][0] == pytest.approx(100.0 + 0.01 * len(request) + 0.2 + 0.01)
    assert told[-1][0] == pytest.approx(100.0 + 0.01 * len(request) + 0.2 + 0.01 * len(answer))
    assert all(len(octets) <= max(1, SLICE * 100) for _, octets in told)


def test_who_speaks_while_the_meter_sends_is_not_understood():
    wire = Wire(hdlc_station(), bus=Bus(BAUD))
    wire.receive_octets(snrm(), 100.0)
    answers = heard(wire, 100.355)  # the UA is half out
    wire.receive_octets(b"\x00\x00\x00", 100.355)
    answers += heard(wire, 110.0)
    octets = b"".join(octets for _, octets in answers)
    with pytest.raises(DecodeError):
        decode_hdlc_frame(octets)
    # When the line is free again, the meter is there as before.
    wire.receive_octets(snrm(), 120.0)
    assert isinstance(decode_hdlc_frame(b"".join(octets for _, octets in heard(wire, 130.0))), UaFrame)


def test_two_connections_share_the_bus():
    bus = Bus(BAUD)
    first, second = Wire(hdlc_station(17), bus=bus), Wire(hdlc_station(18), bus=bus)
    first.receive_octets(snrm(17), 100.0)
    second.receive_octets(snrm(18), 100.0)
    assert heard(first, 110.0) == heard(second, 110.0) == []


@pytest.mark.parametrize(
    ("destination", "answers"),
    [
        (server_address(1, 17, 2), [17]),
        (server_address(1, 18, 2), [18]),
        (server_address(1, 18, 4), [18]),
        (server_address(1, 300, 4), [300]),
        (server_address(1, 19, 2), []),
        (server_address(2, 17, 2), []),
        (HdlcAddress(1, 0x7F, 2), []),
        (HdlcAddress(0x3FFF, 0x3FFF, 4), []),
        (HdlcAddress(0x7F), []),
    ],
)
def test_on_a_bus_only_the_addressed_meter_answers(destination, answers):
    wire = Wire(hdlc_station(17, 18, 300), bus=Bus(LineTiming(baud=9600)))
    wire.receive_octets(SnrmFrame(destination=destination, source=client_address(32)).encode(), 1.0)
    octets = b"".join(octets for _, octets in heard(wire, 10.0))
    if not answers:
        assert octets == b""
        return
    frame = decode_hdlc_frame(octets)
    assert isinstance(frame, UaFrame)
    assert [frame.source.lower] == answers


def test_nobody_answers_a_broadcast():
    wire = Wire(hdlc_station(17, 18), bus=Bus(LineTiming(baud=9600)))
    frame = UiFrame(
        destination=HdlcAddress(0x7F, 0x7F, 2),
        source=client_address(32),
        poll_final=False,
        information=b"\xe6\xe6\x00\xc0",
    )
    wire.receive_octets(frame.encode(), 1.0)
    assert heard(wire, 10.0) == []


def test_a_frame_with_a_pause_in_it_is_none():
    """The inter-octet time-out of the line: a meter awaits the rest so long, and no longer."""
    for pause, understood in ((0.1, True), (0.4, False)):
        station = hdlc_station(inter_octet_timeout=0.25)
        wire = Wire(station, bus=Bus(LineTiming(baud=9600)))
        request = snrm()
        wire.receive_octets(request[:4], 1.0)
        heard(wire, 1.0 + pause)
        wire.receive_octets(request[4:], 1.0 + pause)
        assert bool(heard(wire, 10.0)) is understood


def test_faults_on_the_way_are_done_and_told():
    told: list[Any] = []
    faults = LineFaults(seed=1, direction=Direction.TO_METER, lost=1.0)
    wire = Wire(hdlc_station(), faults=FaultyLine(faults), tell=told.append)
    wire.receive_octets(snrm(), 1.0)
    assert wire.octets_to_send() == b""
    assert [fault.kind for fault in told] == ["lost"] * len(snrm())


def test_faults_come_before_the_time_on_the_line():
    slow = Wire(hdlc_station(), bus=Bus(BAUD), faults=FaultyLine(LineFaults(slow=3.0)))
    slow.receive_octets(snrm(), 100.0)
    (first, _), *_ = heard(slow, 110.0)
    assert first == pytest.approx(100.0 + 0.01 * len(snrm()) + 0.2 + 3.0 + 0.01)


def test_a_line_that_is_cut_is_closed_when_the_rest_has_arrived():
    faults = LineFaults(direction=Direction.FROM_METER, cut_after=5, slow=1.0)
    wire = Wire(hdlc_station(), faults=FaultyLine(faults))
    wire.receive_octets(snrm(), 1.0)
    assert not wire.closed
    assert [(at, len(octets)) for at, octets in heard(wire, 10.0)] == [(2.0, 5)]
    assert wire.closed


def test_a_station_that_closes_is_heard_out():
    wire = Wire(WrapperStation(lab_meter(LLS).device, same_octets), response_time=0.5)
    assert wire.line is None
    wire.receive_octets(b"no wrapper frame at all", 1.0)
    assert wire.closed
    wire.connection_lost(2.0)
    assert wire.closed


def test_a_line_that_is_far_behind_loses_what_comes(monkeypatch):
    """Whoever talks much faster than the line takes no memory."""
    monkeypatch.setattr(wire_module, "MAX_UNDER_WAY", 100)
    wire = Wire(hdlc_station(), bus=Bus(BAUD))
    for _ in range(50):
        wire.receive_octets(bytes(10), 1.0)
    assert wire._octets == sum(len(piece[3]) for piece in wire._under_way) == 100
    heard(wire, 60.0)
    assert wire._octets == 0
    wire.receive_octets(snrm(), 100.0)
    assert heard(wire, 110.0)
