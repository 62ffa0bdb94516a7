"""Classes without behaviour: their values are written as the class declares them."""

from __future__ import annotations

import pytest

from meters.cosem.data import double_long_unsigned, enum, long_unsigned, octet_string
from meters.cosem.obis import ObisCode
from sessions.simulator.meter_type import MeterTypeError
from tests.sessions.simulator.builders.building import only
from tests.sessions.simulator.served import HandClock

PORT = {"class_id": 41, "logical_name": "0-0:25.0.0*255"}
DIAGNOSTIC = {"class_id": 47, "version": 1, "logical_name": "0-0:25.6.0*255"}


def test_values_are_given_by_name():
    port = only({**PORT, "values": {"TCP-UDP_port": 4059, "IP_reference": "0-0:25.1.0*255"}})
    assert (port.class_id, port.version) == (41, 0)
    assert port.read(2) == long_unsigned(4059)
    assert port.read(3) == octet_string(ObisCode(0, 0, 25, 1, 0, 255).octets)
    assert port.read(4) == long_unsigned(0)


def test_words_and_addresses_are_read_as_their_types_say():
    setup = only({"class_id": 42, "logical_name": "0-0:25.1.0*255", "values": {"IP_address": "10.0.0.7"}})
    assert setup.read(3) == double_long_unsigned(0x0A000007)
    local = only({"class_id": 19, "logical_name": "0-0:20.0.0*255", "values": {"default_baud": "9600 baud"}})
    assert local.read(3) == enum(5)


def test_an_attribute_may_be_the_meters_time():
    clock = HandClock()
    diagnostic = only({**DIAGNOSTIC, "now": ["capture_time"]}, clock=clock)
    before = diagnostic.read(8)
    clock.advance(minutes=1)
    assert diagnostic.version == 1
    assert diagnostic.read(8) != before


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({**PORT, "values": {"port": 1}}, "no attribute “port”"),
        ({**PORT, "values": {"MSS": 70_000}}, "MSS: 70000 is out of range"),
        ({**PORT, "version": 9}, "KeyError"),
        ({**PORT, "class_id": 4242}, "KeyError"),
    ],
)
def test_what_cannot_be_is_named(entry, reason):
    with pytest.raises(MeterTypeError, match=reason):
        only(entry)
