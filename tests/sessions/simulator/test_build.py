"""Meters: what a type makes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meters.cosem.data import DataType, array, octet_string, structure
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, CosemMethodDescriptor
from sessions.dlms.association import Referencing
from sessions.dlms.conformance import Conformance
from sessions.simulator.build import acts_by_itself, build_meter, build_meters
from sessions.simulator.device import SERVED_SHORT_NAME_CONFORMANCE, MeterSecurity, Role
from sessions.simulator.lab import make_meter
from sessions.simulator.meter import Meter
from sessions.simulator.meter_type import (
    METER_TYPES,
    MeterSettings,
    MeterTypeError,
    OtherDevice,
    load_meter_type,
    system_title,
)
from tests.sessions.simulator.served import HandClock

THREE_PHASE = load_meter_type("three_phase")


def build(serial_number: str = "10000001", **changes: Any) -> Meter:
    settings = MeterSettings(
        serial_number=serial_number, security=MeterSecurity(), clients=(), host_clock=HandClock(), **changes
    )
    return build_meter(THREE_PHASE, settings)


def value(meter: Meter, name: str) -> Any:
    return meter.named(ObisCode.parse(name)).read(2).value


@pytest.mark.parametrize("path", sorted(METER_TYPES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_type_makes_a_meter(path):
    settings = MeterSettings(serial_number="20000001", security=MeterSecurity(), clients=(), host_clock=HandClock())
    assert build_meter(load_meter_type(path.stem), settings).objects


def test_names_and_titles_follow_the_serial_number():
    meter = build("10000042")
    assert value(meter, "0-0:42.0.0*255") == b"MWB3P10010000042"
    assert value(meter, "0-0:96.1.0*255") == b"10000042"
    assert meter.server_system_title == system_title("MWB", "10000042") == b"MWB" + (10000042).to_bytes(5, "big")


@pytest.mark.parametrize("serial_number", ["1", "123456789012"])
def test_a_device_name_always_has_sixteen_octets(serial_number):
    assert len(value(build(serial_number), "0-0:42.0.0*255")) == 16


def test_two_meters_have_different_loads():
    assert value(build("10000001"), "1-0:1.8.0*255") != value(build("10000002"), "1-0:1.8.0*255")


def test_registers_are_scaled_to_their_units():
    meter = build()
    assert 2150 < value(meter, "1-0:32.7.0*255") < 2400  # tenths of a volt
    assert 4980 < value(meter, "1-0:14.7.0*255") < 5020  # hundredths of a hertz
    assert value(meter, "1-0:13.7.0*255") == 950


@pytest.mark.parametrize(
    "entry",
    [
        {"class_id": 99, "logical_name": "0-0:1.0.0*255"},
        {"class_id": 1, "logical_name": "no name", "type": "unsigned", "constant": 1},
        {"class_id": 1, "logical_name": "0-0:1.0.0*255", "type": "no-type", "constant": 1},
        {"class_id": 1, "logical_name": "0-0:1.0.0*255", "type": "unsigned"},
        {
            "class_id": 3,
            "logical_name": "1-0:1.8.0*255",
            "type": "unsigned",
            "source": "nobody",
            "scaler": 0,
            "unit": 30,
        },
        {"class_id": 7, "logical_name": "1-0:99.1.0*255", "columns": ["1-0:1.8.0*255"], "capture_period": 900},
    ],
)
def test_an_object_that_cannot_be_is_named(entry):
    broken = replace(THREE_PHASE, objects=(entry,))
    settings = MeterSettings(serial_number="1", security=MeterSecurity(), clients=(), host_clock=HandClock())
    with pytest.raises(MeterTypeError, match="Three-phase"):
        build_meter(broken, settings)


def test_numbers_stay_in_their_range():
    entries = tuple(
        {
            "class_id": 3,
            "logical_name": f"1-0:{number}.8.0*255",
            "type": kind,
            "source": source,
            "scaler": -3,
            "unit": 30,
        }
        for number, (kind, source) in enumerate((("long-unsigned", "energy_import"), ("long-unsigned", "voltage_l1")))
    )
    settings = MeterSettings(serial_number="1", security=MeterSecurity(), clients=(), host_clock=HandClock())
    meter = build_meter(replace(THREE_PHASE, objects=entries), settings)
    energy, voltage = (access.target.read(2) for access in meter.objects.values())
    assert energy.type is DataType.LONG_UNSIGNED
    assert 0 <= energy.value <= 0xFFFF
    assert voltage.value == 0xFFFF


def test_a_meter_agrees_to_the_services_of_its_type():
    plain = replace(THREE_PHASE, conformance=Conformance.GET)
    settings = MeterSettings(serial_number="1", security=MeterSecurity(), clients=(), host_clock=HandClock())
    assert build_meter(plain, settings).conformance == Conformance.GET


# -- short names -------------------------------------------------------------------------------------------------------

SHORT_NAMES = load_meter_type("short_names")


def short_name_meter(*entries):
    settings = MeterSettings(serial_number="1", security=MeterSecurity(), clients=(), host_clock=HandClock())
    return build_meter(replace(SHORT_NAMES, objects=entries), settings)


def datum(name, base_name):
    entry = {"class_id": 1, "logical_name": name, "type": "unsigned", "constant": 1}
    return entry if base_name is None else {**entry, "base_name": base_name}


def test_every_attribute_and_method_of_the_type_has_its_own_short_name():
    settings = MeterSettings(serial_number="1", security=MeterSecurity(), clients=(), host_clock=HandClock())
    meter = build_meter(SHORT_NAMES, settings)
    assert meter.conformance == SERVED_SHORT_NAME_CONFORMANCE
    names = []
    for access in meter.objects.values():
        target = access.target
        names += [
            meter.short_names.attribute(CosemAttributeDescriptor(target.class_id, target.logical_name, number))
            for number in target.attributes
        ]
        names += [
            meter.short_names.method(CosemMethodDescriptor(target.class_id, target.logical_name, number))
            for number in target.methods
        ]
    assert len(names) > 100
    assert len(set(names)) == len(names)
    assert load_meter_type("three_phase").referencing is Referencing.LOGICAL_NAMES


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([datum("0-0:96.1.0*255", None)], "has no base_name"),
        ([datum("0-0:96.1.0*255", 0x1000), datum("0-0:96.1.1*255", 0x1008)], "1000 leaves 0-0:96.1.0"),
        ([datum("0-0:96.1.0*255", 0x1000), datum("0-0:96.1.1*255", 0x1000)], "leaves 0-0:96.1"),
        ([datum("0-0:96.1.0*255", 0xFA10)], "name of the current association"),
    ],
)
def test_base_names_that_cannot_be(entries, reason):
    with pytest.raises(MeterTypeError, match=reason):
        short_name_meter(*entries)


# -- rights ------------------------------------------------------------------------------------------------------------


def clock_with(**rights):
    entry = {"class_id": 8, "logical_name": "0-0:1.0.0*255", **rights}
    settings = MeterSettings(serial_number="1", security=MeterSecurity(), clients=(), host_clock=HandClock())
    meter = build_meter(replace(THREE_PHASE, objects=(entry,)), settings)
    return next(iter(meter.objects.values()))


def test_rights_are_given_by_role():
    access = clock_with(writable=[2], rights={"maintenance": {"write": [2], "invoke": [6]}, "public": {"read": [2]}})
    assert access.may_read(Role.PUBLIC, 2)
    assert not access.may_read(Role.PUBLIC, 3)
    assert access.may_read(Role.MAINTENANCE, 3)
    assert access.may_write(Role.MAINTENANCE, 2)
    assert access.may_invoke(Role.MAINTENANCE, 6)
    assert access.may_write(Role.MANAGER, 2)
    assert not access.may_write(Role.READER, 2)


def test_secrets_are_for_nobody_to_read():
    entry = {"class_id": 19, "logical_name": "0-0:20.0.0*255", "writable": [7]}
    settings = MeterSettings(serial_number="1", security=MeterSecurity(), clients=(), host_clock=HandClock())
    (access,) = build_meter(replace(THREE_PHASE, objects=(entry,)), settings).objects.values()
    assert not access.may_read(Role.MANAGER, 7)
    assert access.may_write(Role.MANAGER, 7)
    assert access.may_read(Role.MANAGER, 6)


@pytest.mark.parametrize(
    ("rights", "reason"),
    [
        ({"writable": [4]}, "no attribute to be written 4"),
        ({"writable": [99]}, "no attribute to be written 99"),
        ({"invocable": [9]}, "no method 9"),
        ({"rights": {"reader": {"read": [10]}}}, "no attribute 10"),
        ({"rights": {"reader": {"write": [1]}}}, "no attribute to be written 1"),
        ({"rights": {"reader": {"invoke": [9]}}}, "no method 9"),
        ({"rights": {"reader": {"do": [1]}}}, "“do” is no right"),
        ({"rights": {"nobody": {}}}, "nobody"),
    ],
)
def test_rights_on_what_is_not_there_are_refused(rights, reason):
    with pytest.raises(MeterTypeError, match=reason):
        clock_with(**rights)


# -- logical devices ---------------------------------------------------------------------------------------------------


def several(**changes: Any):
    settings = MeterSettings(serial_number="10000001", security=MeterSecurity(), clients=(), host_clock=HandClock())
    return build_meters(replace(load_meter_type("multi_utility"), **changes), settings)


def test_each_logical_device_has_a_type_and_a_serial_number_of_its_own():
    meters = several()
    assert [meter.server_sap for meter in meters] == [1, 17, 18, 19, 20]
    assert [value(meter, "0-0:96.1.0*255") for meter in meters[:2]] == [b"10000001", b"1000000117"]
    assert len({meter.server_system_title for meter in meters}) == 5


def test_two_logical_devices_have_two_saps():
    for twice in ((OtherDevice(17, "gas"), OtherDevice(17, "water")), (OtherDevice(1, "gas"),)):
        with pytest.raises(MeterTypeError, match="same SAP"):
            several(logical_devices=twice)


def test_which_meters_act_though_nobody_talks_to_them():
    """What was saved of a schedule counts as what the type says."""
    assert {path.stem for path in METER_TYPES.glob("*.toml") if acts_by_itself(load_meter_type(path.stem))} == {
        "three_phase_smart",
        "suite_1",
        "suite_2",
    }
    meter = make_meter({"serial_number": "1"}, HandClock()).device
    assert not acts_by_itself(load_meter_type("three_phase"), meter.memory.keep())
    times = array(structure(octet_string(b"\x06\x00\x00\x00"), octet_string(b"\xff" * 5)))
    meter.named(ObisCode.parse("0-0:15.0.1*255")).write(4, times)
    assert acts_by_itself(load_meter_type("three_phase"), meter.memory.keep())
