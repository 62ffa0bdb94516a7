"""Units and scalers of COSEM values (Blue Book, 4.3.2: enum of `scaler_unit`). Values scale exactly, as Decimal."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from meters.cosem.data import Data, DataType, enum, integer, structure

UNIT_NONE = 255

UNIT_SYMBOLS: dict[int, str] = {
    1: "a",
    2: "mo",
    3: "wk",
    4: "d",
    5: "h",
    6: "min",
    7: "s",
    8: "°",
    9: "°C",
    10: "currency",
    11: "m",
    12: "m/s",
    13: "m³",
    14: "m³",
    15: "m³/h",
    16: "m³/h",
    17: "m³/d",
    18: "m³/d",
    19: "l",
    20: "kg",
    21: "N",
    22: "Nm",
    23: "Pa",
    24: "bar",
    25: "J",
    26: "J/h",
    27: "W",
    28: "VA",
    29: "var",
    30: "Wh",
    31: "VAh",
    32: "varh",
    33: "A",
    34: "C",
    35: "V",
    36: "V/m",
    37: "F",
    38: "Ω",
    39: "Ωm²/m",
    40: "Wb",
    41: "T",
    42: "A/m",
    43: "H",
    44: "Hz",
    45: "1/(Wh)",
    46: "1/(varh)",
    47: "1/(VAh)",
    48: "V²h",
    49: "A²h",
    50: "kg/s",
    51: "S",
    52: "K",
    53: "1/(V²h)",
    54: "1/(A²h)",
    55: "1/m³",
    56: "%",
    57: "Ah",
    60: "Wh/m³",
    61: "J/m³",
    62: "Mol%",
    63: "g/m³",
    64: "Pa·s",
    65: "J/kg",
    66: "g/cm²",
    67: "atm",
    70: "dBm",
    71: "dBµV",
    72: "dB",
    253: "",
    254: "",
    255: "",
}


def unit_symbol(unit: int) -> str:
    """The symbol, empty for a count or no unit; `unit 99` for a number that is not assigned."""
    return UNIT_SYMBOLS.get(unit, f"unit {unit}")


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
        return Decimal(value).scaleb(self.scaler) if self.scaler < 0 else Decimal(value * 10**self.scaler)

    @classmethod
    def from_data(cls, data: Data) -> ScalerUnit:
        """From the structure {integer, enum}; ValueError for anything else."""
        if data.type is not DataType.STRUCTURE or len(data) != 2:
            raise ValueError("scaler_unit is a structure of two elements")
        scaler, unit = data[0].value, data[1].value
        if not isinstance(scaler, int) or not isinstance(unit, int) or not -30 <= scaler <= 30:
            raise ValueError(f"scaler {scaler!r} and unit {unit!r} are not a scaler_unit")
        return cls(scaler, unit)

    def to_data(self) -> Data:
        return structure(integer(self.scaler), enum(self.unit))
