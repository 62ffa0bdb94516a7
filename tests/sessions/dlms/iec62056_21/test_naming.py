from decimal import Decimal

import pytest

from sessions.dlms.iec62056_21.data_set import DataSet, DataValue, decode_data_block
from sessions.dlms.iec62056_21.naming import named_data_sets, number_of


def named(octets):
    return named_data_sets(decode_data_block(octets).data_sets)


def test_addresses_in_words():
    [energy, maker, unknown] = named(b"1.8.1(000123.4*kWh)F.F(00)xyz(1)")
    assert energy.shown == f"1.8.1(000123.4*kWh)  {energy.words}"
    assert "Active energy import (+A)" in energy.words
    assert str(maker.obis) == "0-0:97.97.0*255"
    assert (unknown.obis, unknown.words, unknown.shown) == (None, "", "xyz(1)")


def test_a_heat_meter_gets_no_words_of_electricity():
    [energy, volume] = named(b"6.8(0029.055*MWh)6.26(01589.28*m3)")
    assert (energy.words, volume.words) == ("", "")


def test_json():
    [maximum] = named(b"1.6.0(02.468*kW)(1703100930)")
    shown = maximum.as_json()
    assert shown["obis"] == "1-0:1.6.0*255"
    assert (shown["value"], shown["unit"], shown["text"]) == (2.468, "kW", "02.468 kW 1703100930")
    assert shown["values"] == [{"value": "02.468", "unit": "kW"}, {"value": "1703100930", "unit": ""}]
    assert named(b"xyz()")[0].as_json()["obis"] == "xyz"
    assert "unit" not in named(b"0.0.0(123)")[0].as_json()


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (DataValue("000123.4", "kWh"), Decimal("123.4")),
        (DataValue(" 001.67", "kW"), Decimal("1.67")),
        (DataValue("-0.80", "kW"), Decimal("-0.80")),
        (DataValue("+5", "A"), Decimal(5)),
        (DataValue("00012345"), None),
        (DataValue("21:10:29", "h"), None),
        (DataValue("", "kWh"), None),
        (DataValue("NaN", "kWh"), None),
    ],
)
def test_only_what_has_a_unit_is_a_number(value, number):
    assert number_of(value) == number


def test_a_data_set_without_values_is_passed_over():
    assert named_data_sets([DataSet("1.8", ())]) == []
