"""Values against their declared types: each fault is found where it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.data import (
    BitString,
    Data,
    DataType,
    array,
    boolean,
    enum,
    integer,
    long_unsigned,
    null,
    octet_string,
    structure,
    unsigned,
)
from meters.cosem.interface_class import known_classes
from meters.cosem.value_faults import faults
from meters.cosem.value_type import parse_type
from sessions.simulator.plain import least_value

NAME = octet_string(b"\x01\x00\x01\x08\x00\xff")
SCALER = structure(integer(-1), enum(30))


@pytest.mark.parametrize(
    ("notation", "value"),
    [
        ("u8", unsigned(255)),
        ("any", null()),
        ("num", integer(-3)),
        ("scaler_unit", SCALER),
        ("[scaler_unit]", array(SCALER, SCALER)),
        ("e(control_state)", enum(2)),
        ("e(security_policy_bits)", enum(0x6C)),
        ("e", enum(77)),
        ("null/[i8]", null()),
        ("null/[i8]", array(integer(1))),
        ("ln", NAME),
        ("dt", octet_string(b"\xff" * 12)),
        ("dt", octet_string(bytes.fromhex("07EA0B19030C000000FFC400"))),
        ("bs:24", Data(DataType.BIT_STRING, BitString(b"abc", 24))),
    ],
)
def test_what_is_as_declared_has_no_fault(notation, value):
    assert list(faults(value, parse_type(notation))) == []


@pytest.mark.parametrize(
    ("notation", "value", "found"),
    [
        ("u8", long_unsigned(1), "long-unsigned is no unsigned"),
        ("num", null(), "null-data is no any number"),
        ("scaler_unit", structure(integer(0), enum(250)), "unit: 250 is none of its values"),
        ("scaler_unit", structure(integer(0)), "a structure of 1 is no scaler unit with 2 fields"),
        ("scaler_unit", enum(1), "enum is no scaler unit with 2 fields"),
        ("[scaler_unit]", array(SCALER, structure(boolean(True), enum(30))), "[2].scaler: boolean is no integer"),
        ("[scaler_unit]", SCALER, "structure is no array of scaler unit"),
        ("e(security_policy_bits)", enum(1), "1 is none of its values"),
        ("null/[i8]", array(unsigned(1)), "[1]: unsigned is no integer"),
        ("null/[i8]", boolean(True), "boolean is no null-data or array of integer"),
        ("ln", octet_string(b"short"), "octet-string is no octet-string (logical name)"),
        ("dt", octet_string(bytes.fromhex("07EA0D19030C000000FFC400")), "is no date-time"),
        ("ti", octet_string(b"\x18\x00\x00\x00"), "is no time"),
        ("bs:24", Data(DataType.BIT_STRING, BitString(b"abc", 23)), "is no bit-string"),
    ],
)
def test_each_fault_is_told_with_its_place(notation, value, found):
    (told,) = faults(value, parse_type(notation))
    assert found in told


@pytest.mark.parametrize("known", list(known_classes()), ids=lambda known: f"{known.class_id}:{known.version}")
def test_the_least_value_of_every_attribute_has_no_fault(known):
    for attribute in known.attributes.values():
        assert list(faults(least_value(attribute.type), attribute.type)) == [], attribute.name


@given(st.sampled_from(list(known_classes())), st.data())
def test_faults_agree_with_fits(known, drawn):
    """What has no fault fits; what does not fit has one."""
    others = [attribute.type for attribute in known.attributes.values()]
    declared, value = drawn.draw(st.sampled_from(others)), least_value(drawn.draw(st.sampled_from(others)))
    found = list(faults(value, declared))
    assert declared.fits(value) or found
