"""Steps' parameters: checked with the field's name, stored as JSON, read back as they were meant."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from meters.cosem.data import Data, DataType, long_unsigned, octet_string
from sessions.object_reference import EntryRange, TimeRange
from sessions.parameters import (
    ParameterError,
    data_from_json,
    data_of,
    holds_secret,
    invoke_parameters,
    logical_name_of,
    part_of,
    profile_parameters,
    read_parameters,
    without_secret,
    write_parameters,
)

NAME = "0-0:1.0.0*255"


class TestObjects:
    @pytest.mark.parametrize("name", [NAME, "0.0.1.0.0.255", "0000010000FF"])
    def test_names_in_every_form_are_stored_in_one(self, name: str) -> None:
        parameters = read_parameters(class_id="8", logical_name=name, attribute_id="2")
        assert parameters == {"class_id": 8, "logical_name": NAME, "attribute_id": 2}
        assert str(logical_name_of(parameters)) == NAME

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("class_id", -1),
            ("class_id", 65536),
            ("class_id", None),
            ("class_id", "eight"),
            ("logical_name", ""),
            ("logical_name", "1.2.x"),
            ("attribute_id", 128),
            ("attribute_id", -129),
        ],
    )
    def test_mistakes_are_named(self, field: str, value: object) -> None:
        good = {"class_id": 8, "logical_name": NAME, "attribute_id": 2}
        with pytest.raises(ParameterError) as caught:
            read_parameters(**{**good, field: value})
        assert caught.value.field == field


class TestParts:
    def test_everything(self) -> None:
        assert part_of(profile_parameters(logical_name=NAME)) is None

    @pytest.mark.parametrize(
        ("first", "last"),
        [
            ("2026-11-01T00:00", "2026-11-02T00:00"),
            (datetime(2026, 11, 1), datetime(2026, 11, 2)),
            (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)),
        ],
    )
    def test_times(self, first: object, last: object) -> None:
        parameters = profile_parameters(logical_name=NAME, from_time=first, to_time=last)
        part = part_of(json.loads(json.dumps(parameters)))
        assert isinstance(part, TimeRange)
        assert part.to_time.day == 2

    def test_entries(self) -> None:
        assert part_of(profile_parameters(logical_name=NAME, from_entry="3", to_entry="9")) == EntryRange(3, 9)
        assert part_of(profile_parameters(logical_name=NAME, from_entry=3)) == EntryRange(3, 0)
        assert part_of(profile_parameters(logical_name=NAME, to_entry=9)) == EntryRange(1, 9)

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"from_time": "2026-11-02", "to_time": "2026-11-01"}, "to_time"),
            ({"from_time": "2026-11-01T00:00", "to_time": "2026-11-02T00:00Z"}, "to_time"),
            ({"from_time": "yesterday", "to_time": "2026-11-01"}, "from_time"),
            ({"from_time": "2026-11-01"}, "to_time"),
            ({"from_entry": 9, "to_entry": 3}, "to_entry"),
            ({"from_entry": -1}, "from_entry"),
            ({"from_entry": "x"}, "from_entry"),
        ],
    )
    def test_mistakes_are_named(self, values: dict, field: str) -> None:
        with pytest.raises(ParameterError) as caught:
            profile_parameters(logical_name=NAME, **values)
        assert caught.value.field == field


VALUES = {
    "long-unsigned": ({"type": "long-unsigned", "value": "5"}, long_unsigned(5)),
    "octets": ({"type": "octet-string", "value": "00ff"}, octet_string(b"\x00\xff")),
    "visible": ({"type": "visible-string", "value": "ab"}, Data(DataType.VISIBLE_STRING, b"ab")),
    "boolean": ({"type": "boolean", "value": "false"}, Data(DataType.BOOLEAN, False)),
    "float": ({"type": "float64", "value": 1.5}, Data(DataType.FLOAT64, 1.5)),
    "null": ({"type": "null-data"}, Data(DataType.NULL_DATA)),
    "structure": (
        {"type": "structure", "value": [{"type": "unsigned", "value": 1}, {"type": "null-data"}]},
        Data(DataType.STRUCTURE, (Data(DataType.UNSIGNED, 1), Data(DataType.NULL_DATA))),
    ),
}


class TestValues:
    @pytest.mark.parametrize(("value", "data"), VALUES.values(), ids=VALUES)
    def test_come_back_as_they_were_meant(self, value: dict, data: Data) -> None:
        parameters = write_parameters(class_id=8, logical_name=NAME, attribute_id=2, value=value)
        assert data_of(json.loads(json.dumps(parameters))) == data

    def test_a_time_becomes_twelve_octets(self) -> None:
        data = data_from_json({"type": "octet-string", "value": "2026-11-25T10:00:00+01:00"})
        assert data.value.hex() == "07ea0b19030a000000ffc400"

    def test_bits(self) -> None:
        assert str(data_from_json({"type": "bit-string", "value": "10100"}).value) == "10100"

    def test_a_method_may_have_none(self) -> None:
        parameters = invoke_parameters(class_id=3, logical_name=NAME, method_id=1)
        assert data_of(parameters) is None
        with_one = invoke_parameters(class_id=3, logical_name=NAME, method_id=1, value={"type": "integer", "value": 0})
        assert data_of(with_one) == Data(DataType.INTEGER, 0)

    @pytest.mark.parametrize(
        "value",
        [
            None,
            5,
            {},
            {"type": "gibberish", "value": 1},
            {"type": "unsigned", "value": 256},
            {"type": "unsigned", "value": "x"},
            {"type": "unsigned", "value": None},
            {"type": "octet-string", "value": "xyz"},
            {"type": "boolean", "value": "maybe"},
            {"type": "bit-string", "value": "012"},
            {"type": "structure", "value": 3},
            {"type": "structure", "value": [3]},
            {"type": "compact-array", "value": []},
        ],
    )
    def test_mistakes_are_named(self, value: object) -> None:
        with pytest.raises(ParameterError) as caught:
            write_parameters(class_id=8, logical_name=NAME, attribute_id=2, value=value)
        assert caught.value.field == "value"


@pytest.mark.parametrize(
    ("parameters", "secret"),
    [
        ({"class_id": 15, "attribute_id": 7}, True),
        ({"class_id": 15, "attribute_id": 2}, False),
        ({"class_id": 15, "method_id": 2}, True),
        ({"class_id": 15, "method_id": 7}, False),
        ({"class_id": 64, "method_id": 2}, True),
        ({"class_id": 64, "attribute_id": 2}, False),
        ({"class_id": 46, "attribute_id": 4}, True),
        ({"class_id": 8, "attribute_id": 2}, False),
        ({"logical_name": NAME}, False),
    ],
)
def test_what_is_a_secret_of_the_meter(parameters: dict, secret: bool) -> None:
    assert holds_secret(parameters) is secret


def test_a_secret_can_be_forgotten() -> None:
    value = {"type": "octet-string", "value": "73336372657473"}
    parameters = write_parameters(class_id=15, logical_name="0-0:40.0.0*255", attribute_id=7, value=value)
    forgotten = without_secret(parameters)
    assert "7333" not in json.dumps(forgotten)
    assert data_of(forgotten) is None
    assert forgotten["attribute_id"] == 7
