from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.catalogs.facts import (
    ObjectFacts,
    capture_objects_text,
    class_text,
    faults,
    limit_text,
    parse_capture_objects,
    parse_class,
    parse_limit,
    parse_unit,
    says,
    unit_text,
    value_text,
)
from meters.catalogs.rights import ClientRights
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from tests.meters.catalogs.strategies import columns, limits

CODE = ObisCode.parse("1-0:1.8.0*255")


def of(**said):
    return ObjectFacts(class_id=3, logical_name=CODE, **said)


def test_zero_is_said_and_empty_is_not():
    assert says(of(scaler=0), "scaler")
    assert says(of(low=Decimal(0)), "low")
    assert not any(says(of(), name) for name in ("scaler", "title", "rights", "capture_objects", "low"))
    assert of().reference == "3/1-0:1.8.0*255"


@pytest.mark.parametrize(
    ("said", "name", "words"),
    [
        ({"low": Decimal(5), "high": Decimal(5)}, "high", "not above the low one"),
        ({"low": Decimal("NaN")}, "low", "is a number"),
        ({"high": Decimal("1e40")}, "high", "at most 30 digits"),
        ({"high": Decimal("1e-40")}, "high", "at most 30 digits"),
        ({"scaler": 31}, "scaler", "outside of -30 to 30"),
        ({"unit": 256}, "unit", "outside of 0 to 255"),
        ({"version": 256}, "version", "outside"),
        ({"base_name": 0x10000}, "base_name", "outside"),
        ({"title": "a" * 201}, "title", "at most 200"),
        ({"group": "two\nlines"}, "group", "line breaks"),
        ({"rights": {1: ClientRights({300: "r"})}}, "rights", "-128 to 127"),
        ({"capture_objects": (CaptureObject(8, CODE, 2),) * 201}, "capture_objects", "too many"),
        ({"capture_objects": (CaptureObject(8, CODE, 200),)}, "capture_objects", "too large"),
        ({"capture_objects": (CaptureObject(8, CODE, 2, 0x10000),)}, "capture_objects", "too large"),
    ],
)
def test_what_cannot_be_is_said_by_field(said, name, words):
    assert words in faults(of(**said))[name]


def test_what_can_be_has_no_fault():
    assert faults(of(low=Decimal(-1), high=Decimal("0.5"), unit=30, scaler=-3, title="A")) == {}


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("Wh", 30),
        ("V", 35),
        ("m3", 13),
        ("m³/h", 15),
        ("cubic metre corrected", 14),
        ("unit 99", 99),
        ("255", 255),
        ("count", 255),
        ("%", 56),
        ("", None),
        (" Hz ", 44),
        ("dBμV", 71),
    ],
)
def test_units_are_read(text, unit):
    assert parse_unit(text) == unit


@pytest.mark.parametrize(
    ("text", "words"),
    [("kWh", "unit Wh and the scaler 3"), ("furlong", "is no unit"), ("256", "outside"), ("²", "is no unit")],
)
def test_what_is_no_unit_is_said(text, words):
    with pytest.raises(ValueError, match=words):
        parse_unit(text)


@pytest.mark.parametrize("unit", range(256))
def test_every_unit_is_read_as_it_is_written(unit):
    assert parse_unit(unit_text(unit)) == unit


@pytest.mark.parametrize(("text", "class_id"), [("3", 3), ("register", 3), ("Register (3)", 3), ("8192", 8192)])
def test_classes_are_read(text, class_id):
    assert parse_class(text) == class_id
    assert parse_class(class_text(class_id)) == class_id


@pytest.mark.parametrize("text", ["Registry", "", "-1", "70000", "³"])
def test_what_is_no_class_is_said(text):
    with pytest.raises(ValueError):
        parse_class(text)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("230", "230"),
        ("253,0", "253"),
        ("-0.50", "-0.5"),
        ("1 000", "1000"),
        ("1E3", "1000"),
        ("-0", "0"),
        ("−4", "-4"),
    ],
)
def test_limits_are_read(text, limit):
    assert limit_text(parse_limit(text)) == limit


def test_no_limit_is_none():
    assert parse_limit("  ") is None
    assert limit_text(None) == ""


@pytest.mark.parametrize("text", ["high", "1.2.3", "1,2,3", "NaN", "Infinity", "1e99"])
def test_what_is_no_limit_is_said(text):
    with pytest.raises(ValueError):
        parse_limit(text)


@given(limits)
def test_limits_are_exact(limit):
    assert parse_limit(limit_text(limit)) == limit
    assert "E" not in limit_text(limit)


@given(st.lists(columns, max_size=5).map(tuple))
def test_columns_are_read_as_they_are_written(written):
    assert parse_capture_objects(capture_objects_text(written)) == written


@pytest.mark.parametrize("text", ["3/1.8.0/2", "x", "3/1-0:1.8.0*255", "70000/1-0:1.8.0*255/2", "3/1-0:1.8.0*255/200"])
def test_what_is_no_column_is_said(text):
    with pytest.raises(ValueError):
        parse_capture_objects(text)


def test_values_in_words():
    facts = of(unit=30, low=Decimal("1.50"), base_name=0xFA00, rights={16: ClientRights({2: "r"})}, scaler=0)
    words = [value_text(facts, name) for name in ("unit", "low", "base_name", "rights", "scaler", "title", "version")]
    assert words == ["Wh", "1.5", "0xFA00", "16: r 2", "0", "", ""]
