from decimal import Context, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import Data, DataType, boolean, double_long, enum, integer, structure, visible_string
from meters.cosem.units import ScalerUnit, Unit, quantity_text, unit_symbol


@pytest.mark.parametrize(
    ("scaler", "value", "scaled"),
    [(-1, 12345, "1234.5"), (0, 7, "7"), (3, 7, "7000"), (-3, -5, "-0.005"), (-2, 100, "1.00")],
)
def test_scaling_is_exact_and_keeps_the_decimals(scaler, value, scaled):
    assert str(ScalerUnit(scaler, 30).apply(value)) == scaled
    assert isinstance(ScalerUnit(scaler, 30).apply(value), Decimal)


@given(st.integers(-(2**63), 2**64 - 1), st.integers(-30, 30))
@settings(max_examples=100)
def test_no_digit_is_lost_whatever_precision_the_caller_works_with(value, scaler):
    with localcontext(Context(prec=3)):
        scaled = ScalerUnit(scaler, 30).apply(value)
    assert Fraction(scaled) == value * Fraction(10) ** scaler


@given(st.lists(st.integers(-(2**63), 2**64 - 1)), st.integers(-30, 30))
@settings(max_examples=100)
def test_a_column_is_scaled_like_its_values(values, scaler):
    unit = ScalerUnit(scaler, 30)
    with localcontext(Context(prec=3)):
        assert list(map(str, unit.apply_all(values))) == [str(unit.apply(value)) for value in values]


def test_units_have_the_standards_numbers():
    assert (Unit.WATT, Unit.WATT_HOUR, Unit.VOLT, Unit.CUBIC_METRE, Unit.COUNT) == (27, 30, 35, 13, 255)
    assert Unit(32).symbol == "varh"
    assert {int(unit) for unit in Unit} >= set(range(1, 58)) | set(range(60, 68)) | {70, 71, 72, 253, 254, 255}


def test_symbols():
    assert [unit_symbol(unit) for unit in (27, 30, 35, 33, 44, 13, 255)] == ["W", "Wh", "V", "A", "Hz", "m³", ""]
    assert (unit_symbol(60), unit_symbol(61)) == ("J/m³", "J/m³")
    assert unit_symbol(200) == "unit 200"
    assert ScalerUnit(0, 30).symbol == "Wh"


@pytest.mark.parametrize(
    ("data", "scaler_unit", "shown"),
    [
        (double_long(12345), ScalerUnit(-1, 30), "1234.5 Wh"),
        (double_long(1), ScalerUnit(-8, 30), "0.00000001 Wh"),
        (double_long(7), ScalerUnit(3, 13), "7000 m³"),
        (double_long(7), ScalerUnit(0, 255), "7"),
        (double_long(7), None, "7"),
        (enum(7), ScalerUnit(-1, 27), "0.7 W"),
        (Data(DataType.FLOAT32, 1.5), ScalerUnit(0, 35), "1.5 V"),
        (visible_string("abc"), ScalerUnit(-1, 35), "“abc” V"),
        (structure(integer(1)), None, "{1}"),
    ],
)
def test_any_value_has_a_text_with_its_unit(data, scaler_unit, shown):
    assert quantity_text(data, scaler_unit) == shown


def test_it_goes_round():
    assert ScalerUnit.from_data(ScalerUnit(-3, 13).to_data()) == ScalerUnit(-3, 13)


@pytest.mark.parametrize(
    "wrong",
    [
        double_long(1),
        structure(),
        structure(visible_string("a"), visible_string("b")),
        structure(double_long(99), double_long(1)),
        structure(integer(-31), enum(30)),
        structure(boolean(True), enum(30)),
        structure(integer(0), enum(30), enum(30)),
    ],
)
def test_anything_else_is_refused(wrong):
    with pytest.raises(ValueError, match="scaler"):
        ScalerUnit.from_data(wrong)
