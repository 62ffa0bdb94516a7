"""Numbers that display exactly, or are text."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.data import Data, DataType, date_time, double_long_unsigned, enum, octet_string, unsigned
from meters.cosem.date_time import CosemDateTime
from meters.cosem.interface_class import attribute_of
from meters.cosem.units import ScalerUnit
from sessions.engine.values import MAX_KEPT_OCTETS, cell, cells, described, moment, moments, number, scaled_number


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (5, 5),
        (Decimal("5"), 5),
        (Decimal("5.00"), 5),
        (Decimal("0.1"), 0.1),
        (Decimal("-1234.567"), -1234.567),
        (2**53 - 1, 2**53 - 1),
        (2**53, str(2**53)),
        (-(2**63), str(-(2**63))),
        (Decimal("1234567890123.4567"), "1234567890123.4567"),
    ],
)
def test_numbers(value, shown) -> None:
    assert number(value) == shown
    assert type(number(value)) is type(shown)


@given(st.integers(-(2**63), 2**64 - 1), st.integers(-30, 10))
def test_whatever_is_shown_is_the_exact_value(raw: int, scaler: int) -> None:
    exact = ScalerUnit(scaler, 30).apply(raw)
    assert Decimal(json.loads(json.dumps(number(exact)), parse_float=Decimal)) == exact


@given(st.integers(-(2**63), 2**64 - 1) | st.integers(-(10**6), 10**6), st.integers(-30, 10))
def test_a_scaled_value_is_the_number_of_its_decimal(raw: int, scaler: int) -> None:
    scaler_unit = ScalerUnit(scaler, 30)
    shown, expected = scaled_number(raw, scaler_unit), number(scaler_unit.apply(raw))
    assert (shown, type(shown)) == (expected, type(expected))


def test_a_column_is_shown_like_its_values() -> None:
    scaler_unit = ScalerUnit(-1, 30)
    assert cells(DataType.LONG, [15, 20], scaler_unit) == [1.5, 2]
    assert cells(DataType.LONG, [15, 2**60], None) == [15, str(2**60)]
    assert cells(DataType.NULL_DATA, [None, None], scaler_unit) == [None, None]
    aware = datetime(2026, 11, 25, 10, tzinfo=UTC)
    clock = CosemDateTime.from_datetime(aware)
    assert moments(DataType.DATE_TIME, [clock, clock]) == [aware, aware]
    assert moments(DataType.LONG, [1, 2]) == [None, None]


def test_only_numbers_are_scaled() -> None:
    scaler_unit = ScalerUnit(-1, 30)
    assert cell(double_long_unsigned(15), scaler_unit) == 1.5
    assert cell(octet_string(b"\x01"), scaler_unit) == "01"
    assert cell(Data(DataType.FLOAT64, 1.5), scaler_unit) == 1.5


class TestMoment:
    def test_with_a_deviation(self) -> None:
        aware = datetime(2026, 11, 25, 10, tzinfo=UTC)
        assert moment(date_time(aware)) == aware

    def test_without_one_it_is_the_workbenchs_time(self, settings) -> None:
        assert moment(date_time(datetime(2026, 11, 25, 10))) == datetime(2026, 11, 25, 10, tzinfo=UTC)

    @pytest.mark.parametrize(
        "data", [unsigned(1), octet_string(b"x"), octet_string(b"\xff" * 12), octet_string(bytes(12))]
    )
    def test_what_is_no_moment(self, data: Data) -> None:
        assert moment(data) is None

    def test_a_moment_that_python_cannot_hold(self) -> None:
        octets = CosemDateTime.from_datetime(datetime(1, 1, 1, tzinfo=UTC)).encode()
        assert moment(octet_string(octets[:9] + (-840).to_bytes(2, "big", signed=True) + b"\x00")) is not False


def test_described_without_a_unit() -> None:
    assert described(unsigned(5), None) == {"type": "unsigned", "value": 5, "text": "5", "unit": ""}


def test_described_in_the_words_of_its_class() -> None:
    state = attribute_of(70, 3).type
    shown = described(enum(1), None, state, octets=b"\x16\x01")
    assert shown == {"type": "enum", "value": 1, "text": "connected (1)", "unit": "", "octets": "1601"}


def test_a_huge_value_is_kept_as_json_only() -> None:
    assert "octets" not in described(octet_string(b""), None, octets=bytes(MAX_KEPT_OCTETS + 1))
