"""What an entry's values come from."""

from __future__ import annotations

import pytest

from meters.cosem.data import DataType, octet_string, unsigned
from sessions.simulator.device import MeterSecurity
from sessions.simulator.meter_type import NAME_OCTETS, MeterTypeError
from tests.sessions.simulator.builders.building import ENERGY, SERIAL, only


def datum(**value):
    return only({"class_id": 1, "logical_name": "0-0:96.1.0*255", **value}).read(2)


def test_constants_and_texts():
    assert datum(type="unsigned", constant=7) == unsigned(7)
    assert datum(type="octet-string", constant="name") == octet_string(b"name")
    assert datum(type="octet-string", source="serial_number") == octet_string(SERIAL.encode())
    assert len(datum(type="octet-string", source="logical_device_name").value) == NAME_OCTETS


def test_the_counter_is_the_one_of_the_clients():
    entry = {
        "class_id": 1,
        "logical_name": "0-0:43.1.0*255",
        "type": "double-long-unsigned",
        "source": "invocation_counter",
    }
    assert only(entry, security=MeterSecurity(lowest_client_counter=100)).read(2).value == 99


def test_a_source_that_nobody_knows_is_refused():
    with pytest.raises(MeterTypeError, match="no source of values"):
        datum(type="unsigned", source="nobody")


def test_an_energy_is_a_number_of_its_type():
    assert only(ENERGY).read(2).type is DataType.DOUBLE_LONG_UNSIGNED
