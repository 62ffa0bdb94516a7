from decimal import Decimal

import pytest

from meters.cosem.data import double_long, structure, visible_string
from meters.cosem.units import ScalerUnit, unit_symbol


@pytest.mark.parametrize(
    ("scaler", "value", "scaled"),
    [(-1, 12345, "1234.5"), (0, 7, "7"), (3, 7, "7000"), (-3, -5, "-0.005"), (-2, 100, "1.00")],
)
def test_scaling_is_exact_and_keeps_the_decimals(scaler, value, scaled):
    assert str(ScalerUnit(scaler, 30).apply(value)) == scaled
    assert isinstance(ScalerUnit(scaler, 30).apply(value), Decimal)


def test_symbols():
    assert [unit_symbol(unit) for unit in (27, 30, 35, 33, 44, 13, 255)] == ["W", "Wh", "V", "A", "Hz", "m³", ""]
    assert unit_symbol(200) == "unit 200"
    assert ScalerUnit(0, 30).symbol == "Wh"


def test_it_goes_round():
    assert ScalerUnit.from_data(ScalerUnit(-3, 13).to_data()) == ScalerUnit(-3, 13)


@pytest.mark.parametrize(
    "wrong",
    [
        double_long(1),
        structure(),
        structure(visible_string("a"), visible_string("b")),
        structure(double_long(99), double_long(1)),
    ],
)
def test_anything_else_is_refused(wrong):
    with pytest.raises(ValueError, match="scaler"):
        ScalerUnit.from_data(wrong)
