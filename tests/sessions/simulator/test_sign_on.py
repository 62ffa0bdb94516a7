"""Meters behind a sign-on, without I/O."""

from __future__ import annotations

import pytest

from sessions.association_file import parse_association
from sessions.dlms.errors import LocalProtocolError
from sessions.dlms.hdlc.address import client_address, server_address
from sessions.dlms.hdlc.frame import DiscFrame, SnrmFrame, UaFrame, decode_hdlc_frame
from sessions.dlms.iec62056_21.message import CommandMessage, DataMessage, decode_data_message
from sessions.dlms.iec62056_21.smarty import open_telegram
from sessions.dlms.iec62056_21.telegram import decode_telegram
from sessions.simulator.lab import HdlcOptions, SignOnOptions, announcement, make_meter
from sessions.simulator.sign_on import BINARY_PATIENCE, SignOnStation, TelegramStation
from sessions.simulator.stations import HdlcMeter
from tests.sessions.simulator.served import LLS, HandClock

CLIENT = client_address(32)


def meters(*tables):
    return [
        make_meter(
            {
                "serial_number": f"1000001{number}",
                "physical_address": 17 + number,
                "association": LLS,
                "sign_on": table,
            },
            HandClock(),
            HdlcOptions(),
            SignOnOptions(),
        )
        for number, table in enumerate(tables)
    ]


class Line:
    """A connection to the station of some meters; time passes from timer to timer."""

    def __init__(self, *tables, **options):
        self.meters = meters(*(tables or ({},)))
        hdlc = {
            meter.sign_on.device_address: HdlcMeter(meter.device, meter.physical_address, meter.address_octets)
            for meter in self.meters
        }
        devices = [meter.sign_on for meter in self.meters]
        self.station = SignOnStation(devices, hdlc, bytes, **{"reaction": 0.0, **options})
        self.now = 0.0

    def ask(self, octets):
        self.station.receive_octets(octets, self.now)
        return self.answers()

    def answers(self):
        found = b""
        while octets := self.station.octets_to_send():
            found += octets
        return found

    def later(self):
        self.now = self.station.next_timer()
        self.station.handle_timer(self.now)
        return self.answers()


def snrm(number=0):
    return SnrmFrame(destination=server_address(1, 17 + number, 2), source=CLIENT).encode()


def test_a_readout_and_a_second_one():
    line = Line()
    for _ in range(2):
        assert line.ask(b"/?!\r\n") == b"/MWb5\\2MW3P-1.4.2\r\n"
        message = decode_data_message(line.ask(b"\x06050\r\n"))
        assert message.block().find("0.0.0").values[0].value == "10000010"
        assert str(line.station.spoken_at) == "9600 7E1"
        line.later()
        assert str(line.station.line) == "300 7E1"


def test_programming_mode():
    line = Line({"password": "1", "operand": "a5"})
    line.ask(b"/?10000010!\r\n")
    assert line.ask(b"\x06051\r\n") == CommandMessage("P0", b"(a5)").encode()
    assert line.ask(CommandMessage("P1", b"(1)").encode()) == b"\x06"
    assert line.ask(CommandMessage("W1", b"C.1.1(x)").encode()) == b"\x06"
    assert line.ask(CommandMessage("R1", b"C.1.1()").encode()) == DataMessage(b"(x)").encode()


def test_the_sign_on_leads_into_the_hdlc_of_its_own_meter_only():
    line = Line({}, {})
    assert line.ask(b"/?10000011!\r\n") == b"/MWb5\\2MW3P-1.4.2\r\n"
    assert line.ask(b"\x06252\r\n") == b""
    assert str(line.station.line) == "9600 8N1"
    assert line.ask(snrm(0)) == b""
    assert isinstance(decode_hdlc_frame(line.ask(snrm(1))), UaFrame)


def test_the_end_of_the_link_leads_back_to_the_sign_on():
    line = Line()
    line.ask(b"/?!\r\n")
    line.ask(b"\x06252\r\n")
    line.ask(snrm())
    answer = line.ask(DiscFrame(destination=server_address(1, 17, 2), source=CLIENT).encode())
    assert isinstance(decode_hdlc_frame(answer), UaFrame)
    assert str(line.station.spoken_at) == "9600 8N1"
    assert str(line.station.line) == "300 7E1"
    assert line.ask(b"/?!\r\n") == b"/MWb5\\2MW3P-1.4.2\r\n"


def test_a_link_that_never_begins_is_not_awaited_for_ever():
    line = Line()
    line.ask(b"/?!\r\n")
    line.ask(b"\x06252\r\n")
    assert line.station.next_timer() == BINARY_PATIENCE
    line.later()
    assert line.ask(b"/?!\r\n") == b"/MWb5\\2MW3P-1.4.2\r\n"


def test_an_inactive_link_ends_and_the_line_is_free():
    line = Line()
    line.ask(b"/?!\r\n")
    line.ask(b"\x06252\r\n")
    line.ask(snrm())
    line.later()
    assert line.now > BINARY_PATIENCE
    assert line.ask(b"/?!\r\n") == b"/MWb5\\2MW3P-1.4.2\r\n"


def test_a_connection_that_is_lost_frees_the_meter():
    line = Line()
    line.ask(b"/?!\r\n")
    line.ask(b"\x06252\r\n")
    line.ask(snrm())
    line.station.connection_lost(line.now)
    assert line.station.closed
    assert line.station.next_timer() is None


def test_what_is_announced_is_what_read_and_readout_take():
    [meter] = meters({"device_address": "77", "password": "9876"})
    told = announcement(meter, "tcp://h:1")
    association = parse_association(told["association"])
    assert association.hdlc.sign_on.device_address == "77"
    assert told["readout"] == {"sign_on": {"device_address": "77", "initial_baud": 300}, "password": "text:9876"}
    assert "9876" not in repr(meter)


def test_a_meter_without_hdlc():
    line = Line({"mode_e": False, "manufacturer": "ABC", "baud": "C", "identification": "OLD"})
    assert line.ask(b"/?!\r\n") == b"/ABCCOLD\r\n"


def test_an_identification_that_cannot_be():
    with pytest.raises(LocalProtocolError):
        meters({"manufacturer": "TOOLONG"})


def pushing(**options):
    [meter] = meters({"readout": "p1"})
    return TelegramStation(meter.sign_on, interval=10.0, **options)


def test_telegrams_are_pushed_at_once_and_again_and_again():
    station = pushing()
    assert station.next_timer() <= 0.0
    station.handle_timer(5.0)
    telegram = decode_telegram(station.octets_to_send())
    assert telegram.crc is not None
    assert telegram.block.find("0-0:96.1.1").values[0].value == b"10000010".hex()
    assert telegram.block.find("0-0:1.0.0").values[0].value == "261125120000W"
    assert station.octets_to_send() == b""
    station.receive_octets(b"/?!\r\n", 6.0)
    station.handle_timer(6.0)
    assert station.octets_to_send() == b""
    assert station.next_timer() == 15.0
    station.handle_timer(15.0)
    assert decode_telegram(station.octets_to_send()).block.data_sets
    station.connection_lost(16.0)
    assert station.closed


def test_telegrams_without_a_crc():
    station = pushing(with_crc=False)
    station.handle_timer(0.0)
    assert decode_telegram(station.octets_to_send()).crc is None


def test_enciphered_telegrams_each_with_a_counter_of_its_own():
    key = bytes(range(16))
    station = pushing(key=key)
    frames = []
    for now in (0.0, 10.0):
        station.handle_timer(now)
        frames.append(station.octets_to_send())
    assert frames[0] != frames[1]
    assert [frame[14:18].hex() for frame in frames] == ["00000001", "00000002"]
    assert all(open_telegram(frame, key).block.data_sets for frame in frames)
