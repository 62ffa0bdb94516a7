"""Units and scalers of COSEM values (Blue Book, 4.3.2: enum of `scaler_unit`). Values scale exactly, as Decimal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from enum import IntEnum
from functools import lru_cache
from typing import Final

from meters.cosem.data import INTEGERS, Data, DataType, enum, integer, structure, text


class Unit(IntEnum):
    """The unit codes, each with the symbol that is shown after a value (empty where a value stands alone)."""

    symbol: str

    def __new__(cls, code: int, symbol: str) -> Unit:
        member = int.__new__(cls, code)
        member._value_ = code
        member.symbol = symbol
        return member

    YEAR = 1, "a"
    MONTH = 2, "mo"
    WEEK = 3, "wk"
    DAY = 4, "d"
    HOUR = 5, "h"
    MINUTE = 6, "min"
    SECOND = 7, "s"
    DEGREE = 8, "°"
    DEGREE_CELSIUS = 9, "°C"
    CURRENCY = 10, "currency"
    METRE = 11, "m"
    METRE_PER_SECOND = 12, "m/s"
    CUBIC_METRE = 13, "m³"
    CUBIC_METRE_CORRECTED = 14, "m³"
    CUBIC_METRE_PER_HOUR = 15, "m³/h"
    CUBIC_METRE_PER_HOUR_CORRECTED = 16, "m³/h"
    CUBIC_METRE_PER_DAY = 17, "m³/d"
    CUBIC_METRE_PER_DAY_CORRECTED = 18, "m³/d"
    LITRE = 19, "l"
    KILOGRAM = 20, "kg"
    NEWTON = 21, "N"
    NEWTON_METRE = 22, "Nm"
    PASCAL = 23, "Pa"
    BAR = 24, "bar"
    JOULE = 25, "J"
    JOULE_PER_HOUR = 26, "J/h"
    WATT = 27, "W"
    VOLT_AMPERE = 28, "VA"
    VAR = 29, "var"
    WATT_HOUR = 30, "Wh"
    VOLT_AMPERE_HOUR = 31, "VAh"
    VAR_HOUR = 32, "varh"
    AMPERE = 33, "A"
    COULOMB = 34, "C"
    VOLT = 35, "V"
    VOLT_PER_METRE = 36, "V/m"
    FARAD = 37, "F"
    OHM = 38, "Ω"
    OHM_SQUARE_METRE_PER_METRE = 39, "Ωm²/m"
    WEBER = 40, "Wb"
    TESLA = 41, "T"
    AMPERE_PER_METRE = 42, "A/m"
    HENRY = 43, "H"
    HERTZ = 44, "Hz"
    PER_WATT_HOUR = 45, "1/(Wh)"
    PER_VAR_HOUR = 46, "1/(varh)"
    PER_VOLT_AMPERE_HOUR = 47, "1/(VAh)"
    VOLT_SQUARED_HOUR = 48, "V²h"
    AMPERE_SQUARED_HOUR = 49, "A²h"
    KILOGRAM_PER_SECOND = 50, "kg/s"
    SIEMENS = 51, "S"
    KELVIN = 52, "K"
    PER_VOLT_SQUARED_HOUR = 53, "1/(V²h)"
    PER_AMPERE_SQUARED_HOUR = 54, "1/(A²h)"
    PER_CUBIC_METRE = 55, "1/m³"
    PERCENT = 56, "%"
    AMPERE_HOUR = 57, "Ah"
    ENERGY_PER_VOLUME = 60, "J/m³"
    WOBBE_INDEX = 61, "J/m³"
    MOLE_PERCENT = 62, "mol%"
    GRAM_PER_CUBIC_METRE = 63, "g/m³"
    PASCAL_SECOND = 64, "Pa·s"
    JOULE_PER_KILOGRAM = 65, "J/kg"
    GRAM_PER_SQUARE_CENTIMETRE = 66, "g/cm²"
    ATMOSPHERE = 67, "atm"
    DECIBEL_MILLIWATT = 70, "dBm"
    DECIBEL_MICROVOLT = 71, "dBµV"
    DECIBEL = 72, "dB"
    INCH = 128, "in"
    DEGREE_FAHRENHEIT = 131, "°F"
    CUBIC_FOOT = 137, "ft³"
    US_GALLON = 140, "gal (US)"
    BRITISH_THERMAL_UNIT = 146, "BTU"
    BRITISH_THERMAL_UNIT_PER_DAY = 174, "BTU/d"
    EXTENDED = 253, ""
    OTHER = 254, ""
    COUNT = 255, ""


_SYMBOLS: Final = {int(unit): unit.symbol for unit in Unit}
_EXACT: Final = Context(prec=60)
"""More digits than any integer of a meter scaled by any scaler: the caller's own precision never rounds a reading."""
_LARGEST_SCALER: Final = 30


@lru_cache(maxsize=64)
def _factor(scaler: int) -> Decimal:
    """10^scaler so written that a product with it has as many decimals as the scaler says."""
    return Decimal((0, (1,), scaler)) if scaler < 0 else Decimal(10**scaler)


def unit_symbol(unit: int) -> str:
    """The symbol, empty for a count or no unit; `unit 99` for a number that is not assigned."""
    return _SYMBOLS.get(unit, f"unit {unit}")


@dataclass(frozen=True, slots=True)
class ScalerUnit:
    """value × 10^scaler in `unit`."""

    scaler: int
    unit: int

    @property
    def symbol(self) -> str:
        return unit_symbol(self.unit)

    def apply(self, value: int) -> Decimal:
        """The exact scaled value, with as many decimals as the scaler says."""
        return _EXACT.multiply(value, _factor(self.scaler))

    def apply_all(self, values: Iterable[int]) -> list[Decimal]:
        """The same for a column of values."""
        factor = _factor(self.scaler)
        with localcontext(_EXACT):
            return [factor * value for value in values]

    def text(self, value: int) -> str:
        """The scaled value in plain digits: `0.0000001`, never `1E-7`."""
        return f"{self.apply(value):f}"

    @classmethod
    def from_data(cls, data: Data) -> ScalerUnit:
        """From the structure {integer, enum}; ValueError for anything else."""
        if data.type is not DataType.STRUCTURE or len(data) != 2:
            raise ValueError("scaler_unit is a structure of two elements")
        scaler, unit = data[0].value, data[1].value
        whole = type(scaler) is int and type(unit) is int  # not bool, which is an int too
        if not whole or abs(scaler) > _LARGEST_SCALER:
            raise ValueError(f"scaler {scaler!r} and unit {unit!r} are not a scaler_unit")
        return cls(scaler, unit)

    def to_data(self) -> Data:
        return structure(integer(self.scaler), enum(self.unit))


def quantity_text(data: Data, scaler_unit: ScalerUnit | None, *, reverse_deviation: bool = False) -> str:
    """A value as a person reads it, with its unit where it has one: `1234.5 Wh`. Whole numbers are scaled, exactly."""
    if scaler_unit is None:
        return text(data, reverse_deviation=reverse_deviation)
    shown = scaler_unit.text(data.value) if data.type in INTEGERS else text(data)
    return f"{shown} {scaler_unit.symbol}".strip()
