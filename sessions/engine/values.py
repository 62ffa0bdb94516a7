"""Values as JSON that displays exactly: numbers where a number does, text where JSON's would lie."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from meters.cosem.data import INTEGERS, Data, DataType
from meters.cosem.date_time import decode_moments
from meters.cosem.deviations import reversed_deviations
from meters.cosem.units import ScalerUnit, quantity_text
from meters.cosem.value_type import ValueType
from meters.cosem.value_words import ANY, words
from sessions.reading import value_as_json

MAX_SAFE_INTEGER = 2**53 - 1
"""Beyond, a browser's numbers skip values."""
MAX_KEPT_OCTETS = 256 * 1024
"""Of a value: larger ones are kept as JSON only."""
SAFE_DIGITS = 15
"""A double holds every decimal number of this many digits."""


def number(value: Decimal | int) -> int | float | str:
    """As a JSON number if that shows every digit, else as text."""
    if isinstance(value, int) or value == value.to_integral_value():
        whole = int(value)
        return whole if abs(whole) <= MAX_SAFE_INTEGER else str(whole)
    return float(value) if len(value.as_tuple().digits) <= SAFE_DIGITS else str(value)


def scaled_number(value: int, scaler_unit: ScalerUnit) -> int | float | str:
    """A register's value, scaled: `number(scaler_unit.apply(value))`, without a Decimal for what needs none."""
    if scaler_unit.scaler >= 0:
        return number(scaler_unit.apply(value))
    divisor = 10**-scaler_unit.scaler
    whole, rest = divmod(value, divisor)
    if not rest:
        return number(whole)
    # The quotient of two integers is rounded as the decimal number would be.
    return value / divisor if abs(value) < 10**SAFE_DIGITS else str(scaler_unit.apply(value))


def cell(data: Data, scaler_unit: ScalerUnit | None, *, reverse_deviation: bool = False) -> Any:
    """One value of a profile's row: scaled where it is a register's."""
    return cells(data.type, [data.value], scaler_unit, reverse_deviation=reverse_deviation)[0]


def cells(
    kind: DataType, column: Sequence[Any], scaler_unit: ScalerUnit | None, *, reverse_deviation: bool = False
) -> list[Any]:
    """A column of values of one type."""
    if kind not in INTEGERS:
        return [value_as_json(Data(kind, value), reverse_deviation=reverse_deviation) for value in column]
    if scaler_unit is None:
        return [number(value) for value in column]
    return [scaled_number(value, scaler_unit) for value in column]


def moment(data: Data) -> datetime | None:
    """The time that a value holds. Without a deviation it counts as the workbench's own time zone."""
    return moments(data.type, [data.value])[0]


def moments(kind: DataType, column: Sequence[Any], *, reverse_deviation: bool = False) -> list[datetime | None]:
    """The times of a column of values of one type."""
    if kind is DataType.DATE_TIME:
        column = [value.encode() for value in column]
    elif kind is not DataType.OCTET_STRING:
        return [None] * len(column)
    return [_aware(found) for found in decode_moments(column, reverse_deviation=reverse_deviation)]


def _aware(found: datetime | None) -> datetime | None:
    if found is None or timezone.is_aware(found):
        return found
    try:
        return timezone.make_aware(found)
    except (ValueError, OverflowError):
        return None


def described(
    data: Data,
    scaler_unit: ScalerUnit | None,
    declared: ValueType = ANY,
    *,
    octets: bytes = b"",
    reverse_deviation: bool = False,
) -> dict[str, Any]:
    """A value for the page: its type, the value, and how a technician reads it, with its unit or the words of its class.

    With its `octets` it is kept whole: what the value says beyond JSON is read from them.
    """
    value = cell(data, scaler_unit, reverse_deviation=reverse_deviation)
    unit = scaler_unit.symbol if scaler_unit else ""
    scaled = scaler_unit is not None and data.type in INTEGERS
    meant = reversed_deviations(data, declared, guess=True) if reverse_deviation else data
    shown = quantity_text(data, scaler_unit) if scaled else f"{words(meant, declared)} {unit}".strip()
    return {
        "type": data.type.asn1_name,
        "value": value,
        "text": shown,
        "unit": unit,
        **({"raw": number(data.value)} if scaled else {}),
        **({"scaler_unit": [scaler_unit.scaler, scaler_unit.unit]} if scaler_unit else {}),
        **({"octets": octets.hex()} if 0 < len(octets) <= MAX_KEPT_OCTETS else {}),
    }
