"""Meters on a line: who is meant, who is busy, and what is met with silence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.dlms.acse import Aare, Aarq
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import ConnectionLostError, LinkRefusedError
from sessions.dlms.hdlc.address import client_address, server_address
from sessions.dlms.hdlc.frame import (
    DiscFrame,
    DmFrame,
    FrmrFrame,
    InfoFrame,
    RrFrame,
    SnrmFrame,
    UaFrame,
    UiFrame,
    decode_hdlc_frame,
)
from sessions.dlms.initiate import InitiateRequest
from sessions.dlms.wrapper import WrapperFrame, WrapperReader
from sessions.simulator.lab import load_lab
from sessions.simulator.stations import INTER_OCTET_TIMEOUT, MAX_CLIENTS, HdlcMeter, HdlcStation, WrapperStation
from tests.sessions.simulator.pair import Pair, same_octets
from tests.sessions.simulator.served import GMAC, LLS, HandClock, lab_meter

PUBLIC_AARQ = Aarq(user_information=InitiateRequest(proposed_conformance=Conformance.GET).encode()).encode()


# -- wrapper -----------------------------------------------------------------------------------------------------------


def wrapper() -> WrapperStation:
    return WrapperStation(lab_meter().device, same_octets)


def frames(octets: bytes) -> list[WrapperFrame]:
    return [frame for frame, _ in WrapperReader().feed(octets)]


def test_an_answer_goes_back_where_the_question_came_from():
    station = wrapper()
    station.receive_octets(WrapperFrame(16, 1, PUBLIC_AARQ).encode(), 0.0)
    (answer,) = frames(station.octets_to_send())
    assert (answer.source, answer.destination) == (1, 16)
    aare = decode_apdu(answer.apdu)
    assert isinstance(aare, Aare)
    assert aare.accepted


def test_several_clients_share_a_connection_and_a_segment():
    station = wrapper()
    both = WrapperFrame(16, 1, PUBLIC_AARQ).encode() + WrapperFrame(99, 1, PUBLIC_AARQ).encode()
    station.receive_octets(both, 0.0)
    answers = frames(station.octets_to_send())
    assert [answer.destination for answer in answers] == [16, 99]
    assert [decode_apdu(answer.apdu).accepted for answer in answers] == [True, False]  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [1, 3, 7])
def test_a_frame_may_come_octet_by_octet(size):
    station, octets = wrapper(), WrapperFrame(16, 1, PUBLIC_AARQ).encode()
    for at in range(0, len(octets), size):
        assert station.octets_to_send() == b""
        station.receive_octets(octets[at : at + size], float(at))
    assert len(frames(station.octets_to_send())) == 1


def test_an_unknown_destination_is_met_with_silence():
    station = wrapper()
    station.receive_octets(WrapperFrame(16, 2, PUBLIC_AARQ).encode(), 0.0)
    assert station.octets_to_send() == b""
    assert not station.closed


@pytest.mark.parametrize(
    "octets", [b"\x7e\xa0\x07\x03\x21\x93\x0f\x01\x7e", b"GET / HTTP/1.1\r\n", b"\x00\x02\x00\x01"]
)
def test_another_protocol_ends_the_connection(octets):
    station = wrapper()
    station.receive_octets(octets, 0.0)
    assert station.closed
    assert station.octets_to_send() == b""


def test_a_connection_has_room_for_so_many_clients():
    station = wrapper()
    for client_sap in range(100, 100 + 3 * MAX_CLIENTS):
        station.receive_octets(WrapperFrame(client_sap, 1, PUBLIC_AARQ).encode(), 0.0)
    assert len(station._servers) == MAX_CLIENTS
    assert len(frames(station.octets_to_send())) == 3 * MAX_CLIENTS


def test_the_end_of_the_connection_ends_the_associations():
    pair = Pair(lab_meter())
    pair.open()
    pair.station.connection_lost(0.0)
    assert pair.station.closed
    pair.station.handle_timer(0.0)
    assert pair.station.next_timer() is None


@given(octets=st.binary(max_size=100) | st.binary(max_size=60).map(lambda tail: b"\x00\x01\x00\x10\x00\x01" + tail))
@settings(max_examples=50, deadline=None)
def test_garbage_on_the_wrapper(octets):
    station = wrapper()
    station.receive_octets(octets, 0.0)
    station.receive_octets(octets, 1.0)
    for frame in frames(station.octets_to_send()):
        assert frame.source == 1


def test_a_meter_whose_power_failed_knows_nothing_of_a_connection():
    """It closes on the next octets, without an answer; a new connection finds the meter again."""
    meter = lab_meter()
    pair = Pair(meter)
    pair.open()
    meter.device.power_cycle()
    with pytest.raises(ConnectionLostError):
        pair.get(8, "0-0:1.0.0*255", 2)
    assert pair.station.closed
    again = Pair(meter)
    again.open()
    assert not again.station.closed


def test_datagrams_know_no_connection_that_power_could_end():
    device = lab_meter().device
    station = WrapperStation(device, same_octets, datagrams=True)
    for _ in range(2):
        station.receive_octets(WrapperFrame(16, 1, PUBLIC_AARQ).encode(), 0.0)
        (answer,) = frames(station.octets_to_send())
        assert decode_apdu(answer.apdu).accepted  # type: ignore[attr-defined]
        device.power_cycle()
        assert not station.closed


def test_power_fails_for_all_logical_devices_together(tmp_path):
    text = '[[lines]]\nkind = "wrapper"\n[[lines.meters]]\nserial_number = "1"\ntype = "multi_utility"\n'
    (tmp_path / "lab.toml").write_text(text)
    (line,) = load_lab(tmp_path / "lab.toml", HandClock()).lines
    devices = [meter.device for meter in line.meters]
    devices[2].power_cycle()
    assert [each.boots for each in devices] == [1] * 5


# -- HDLC --------------------------------------------------------------------------------------------------------------

CLIENT = client_address(16)
FIRST, SECOND = (server_address(1, address, 2) for address in (17, 18))


class Line:
    """Two meters on an HDLC line, and connections to it."""

    def __init__(self, **options: object) -> None:
        self.labs = [
            lab_meter(LLS, serial_number="10000003", physical_address=17),
            lab_meter(GMAC, serial_number="10000004", physical_address=18),
        ]
        self.meters = [
            HdlcMeter(lab.device, lab.physical_address, lab.address_octets, lab.parameters, **options)  # type: ignore[arg-type]
            for lab in self.labs
        ]

    def connect(self) -> HdlcStation:
        return HdlcStation(self.meters, same_octets)


def say(station: HdlcStation, frame: object, now: float = 0.0) -> object:
    """The frame that answers; None is silence."""
    station.receive_octets(frame.encode(), now)  # type: ignore[attr-defined]
    octets = station.octets_to_send()
    return decode_hdlc_frame(octets) if octets else None


def test_each_meter_answers_to_its_own_address():
    station = Line().connect()
    for address in (FIRST, SECOND):
        answer = say(station, SnrmFrame(destination=address, source=CLIENT))
        assert isinstance(answer, UaFrame)
        assert answer.source == address


@pytest.mark.parametrize(
    "address",
    [server_address(1, 19, 2), server_address(2, 17, 2), server_address(1, 19, 4), server_address(2, None, 1)],
)
def test_nobody_lives_at_another_address(address):
    assert say(Line().connect(), SnrmFrame(destination=address, source=CLIENT)) is None


def test_without_a_link_a_meter_says_so():
    station = Line().connect()
    for frame in (
        DiscFrame(destination=FIRST, source=CLIENT),
        RrFrame(destination=FIRST, source=CLIENT, receive_sequence=0),
    ):
        assert isinstance(say(station, frame), DmFrame)


def test_two_meters_are_associated_over_one_connection():
    line = Line()
    station = line.connect()
    first, second = (Pair(lab, station=station) for lab in line.labs)
    first.open()
    second.open()
    assert first.get(1, "0-0:96.1.0*255", 2).value == b"10000003"
    assert second.get(1, "0-0:96.1.0*255", 2).value == b"10000004"
    first.release()
    assert second.get(1, "0-0:96.1.0*255", 2).value == b"10000004"


def test_a_meter_serves_one_connection_at_a_time():
    line = Line()
    first, second = line.connect(), line.connect()
    Pair(line.labs[0], station=first).open()
    with pytest.raises(LinkRefusedError):
        Pair(line.labs[0], station=second).open()
    # What else comes from the other connection is not answered; the other meter on the line is free.
    assert say(second, RrFrame(destination=FIRST, source=CLIENT, receive_sequence=0)) is None
    assert isinstance(say(second, SnrmFrame(destination=SECOND, source=CLIENT)), UaFrame)
    first.connection_lost(1.0)
    Pair(line.labs[0], station=second).open()


def test_the_client_that_lost_its_meter_does_not_free_it():
    line = Line()
    first, second = line.connect(), line.connect()
    say(first, SnrmFrame(destination=FIRST, source=CLIENT))
    second.connection_lost(1.0)
    assert line.meters[0].occupant is first


def test_a_meter_is_free_again_after_a_time_without_traffic():
    line = Line(inactivity_timeout=60.0)
    first, second = line.connect(), line.connect()
    Pair(line.labs[0], station=first).open()
    due = first.next_timer()
    assert due == 160.0
    first.handle_timer(due - 1)
    assert line.meters[0].occupant is first
    first.handle_timer(due)
    assert line.meters[0].occupant is None
    assert first.next_timer() is None
    Pair(line.labs[0], station=second).open()


def test_a_new_snrm_ends_the_association():
    line = Line()
    station = line.connect()
    pair = Pair(line.labs[0], station=station)
    pair.open()
    say(station, SnrmFrame(destination=FIRST, source=client_address(32)))
    get = bytes.fromhex("e6e600c001c100080000010000ff0200")
    frame = InfoFrame(
        destination=FIRST, source=client_address(32), send_sequence=0, receive_sequence=0, information=get
    )
    answer = say(station, frame)
    assert isinstance(answer, InfoFrame)
    assert answer.information == bytes.fromhex("e6e700d80101")


def test_an_unnumbered_frame_is_not_answered():
    """Its poll bit hands over the turn all the same. An association cannot be opened so."""
    station = Line().connect()
    say(station, SnrmFrame(destination=FIRST, source=CLIENT))
    frame = UiFrame(destination=FIRST, source=CLIENT, information=b"\xe6\xe6\x00" + PUBLIC_AARQ)
    assert isinstance(say(station, frame), RrFrame)
    get = bytes.fromhex("e6e600c001c100080000010000ff0200")
    asked = InfoFrame(destination=FIRST, source=CLIENT, send_sequence=0, receive_sequence=0, information=get)
    assert say(station, asked).information == bytes.fromhex("e6e700d80101")


@pytest.mark.parametrize(
    "destination", [FIRST, server_address(1, 127, 2), server_address(127, 127, 2)], ids=["own", "physical", "all"]
)
def test_what_comes_in_unnumbered_frames_is_done_by_those_that_are_meant(destination):
    """A SET of the clock; the meter whose client it comes from obeys, as it has an association."""
    line = Line()
    station = line.connect()
    pair = Pair(line.labs[0], station=station)
    pair.open()
    clock = bytes.fromhex("090c07e80101ff000000008000ff")
    apdu = bytes.fromhex("c101c100080000010000ff0200") + clock
    frame = UiFrame(
        destination=destination, source=client_address(32), poll_final=False, information=b"\xe6\xe6\x00" + apdu
    )
    before = pair.get(8, "0-0:1.0.0*255", 2).value
    assert say(station, frame) is None
    after = pair.get(8, "0-0:1.0.0*255", 2).value
    assert (before[:2], after[:4].hex()) == (b"\x07\xea", "07e80101")


def test_a_frame_that_stopped_halfway_does_not_swallow_the_next():
    station = Line().connect()
    snrm = SnrmFrame(destination=FIRST, source=CLIENT)
    station.receive_octets(b"\x7e\xa7\xff" + bytes(20), 0.0)
    assert isinstance(say(station, snrm, INTER_OCTET_TIMEOUT + 0.1), UaFrame)


def test_a_frame_behind_a_false_beginning_is_answered_after_the_pause():
    station = Line().connect()
    snrm = SnrmFrame(destination=FIRST, source=CLIENT)
    station.receive_octets(b"\x7e\xa7\xff" + snrm.encode(), 1.0)
    assert station.octets_to_send() == b""
    assert station.next_timer() == 1.0 + INTER_OCTET_TIMEOUT
    station.handle_timer(1.0 + INTER_OCTET_TIMEOUT)
    assert isinstance(decode_hdlc_frame(station.octets_to_send()), UaFrame)


def test_noise_between_frames_is_passed_over():
    station = Line().connect()
    station.receive_octets(b"\x00\x55\xaa" + SnrmFrame(destination=FIRST, source=CLIENT).encode() + b"\x11", 0.0)
    assert isinstance(decode_hdlc_frame(station.octets_to_send()), UaFrame)


def test_a_recorded_meter_that_rejects_frames():
    line = Line(frmr_information=b"\x10\x00\x01")
    station = line.connect()
    with pytest.raises(LinkRefusedError, match="FRMR"):
        Pair(line.labs[0], station=station).open()
    say(station, SnrmFrame(destination=FIRST, source=CLIENT))
    information = b"\xe6\xe6\x00" + PUBLIC_AARQ
    frame = InfoFrame(destination=FIRST, source=CLIENT, send_sequence=0, receive_sequence=0, information=information)
    answer = say(station, frame)
    assert isinstance(answer, FrmrFrame)
    assert answer.information == b"\x10\x00\x01"


@given(octets=st.binary(max_size=120))
@settings(max_examples=50, deadline=None)
def test_garbage_on_the_line(octets):
    station = Line().connect()
    station.receive_octets(octets, 0.0)
    station.octets_to_send()
    assert isinstance(say(station, SnrmFrame(destination=FIRST, source=CLIENT), 100.0), UaFrame)
    assert not station.closed


def test_the_power_fails_and_the_link_with_it():
    """The meter answers DM to what goes on over the old link; the next SNRM begins a new one, at once and for anybody."""
    meter = HdlcMeter(lab_meter(physical_address=17).device, 17, 2)
    station = HdlcStation([meter], same_octets)
    client, server = client_address(16), server_address(1, 17, 2)
    station.receive_octets(SnrmFrame(destination=server, source=client).encode(), 0.0)
    station.octets_to_send()
    meter.device.power_cycle()
    poll = RrFrame(destination=server, source=client, receive_sequence=0)
    station.receive_octets(poll.encode(), 1.0)
    assert isinstance(decode_hdlc_frame(station.octets_to_send()), DmFrame)
    assert meter.occupant is None
    other = HdlcStation([meter], same_octets)
    other.receive_octets(SnrmFrame(destination=server, source=client).encode(), 2.0)
    assert isinstance(decode_hdlc_frame(other.octets_to_send()), UaFrame)
