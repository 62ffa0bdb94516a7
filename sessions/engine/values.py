"""Values as JSON that displays exactly: numbers where a number does, text where JSON's would lie."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from meters.cosem.data import INTEGERS, Data, as_date_time, text
from meters.cosem.units import ScalerUnit
from sessions.reading import value_as_json

MAX_SAFE_INTEGER = 2**53 - 1
"""Beyond, a browser's numbers skip values."""
SAFE_DIGITS = 15
"""A double holds every decimal number of this many digits."""


def number(value: Decimal | int) -> int | float | str:
    """As a JSON number if that shows every digit, else as text."""
    if isinstance(value, int) or value == value.to_integral_value():
        whole = int(value)
        return whole if abs(whole) <= MAX_SAFE_INTEGER else str(whole)
    return float(value) if len(value.as_tuple().digits) <= SAFE_DIGITS else str(value)


def cell(data: Data, scaler_unit: ScalerUnit | None) -> Any:
    """One value of a profile's row: scaled where it is a register's."""
    if data.type in INTEGERS:
        return number(scaler_unit.apply(data.value) if scaler_unit else data.value)
    return value_as_json(data)


def moment(data: Data) -> datetime | None:
    """The time that a value holds. Without a deviation it counts as the workbench's own time zone."""
    found = as_date_time(data)
    try:
        naive_or_aware = found.to_datetime() if found else None
        if naive_or_aware is None or timezone.is_aware(naive_or_aware):
            return naive_or_aware
        return timezone.make_aware(naive_or_aware)
    except (ValueError, OverflowError):
        return None


def described(data: Data, scaler_unit: ScalerUnit | None) -> dict[str, Any]:
    """A value for the page: its type, the value, and how a technician reads it, with its unit."""
    value = cell(data, scaler_unit)
    unit = scaler_unit.symbol if scaler_unit else ""
    scaled = scaler_unit is not None and data.type in INTEGERS
    shown = str(scaler_unit.apply(data.value)) if scaler_unit and scaled else text(data)
    return {
        "type": data.type.asn1_name,
        "value": value,
        "text": f"{shown} {unit}".strip(),
        "unit": unit,
        **({"raw": number(data.value)} if scaled else {}),
    }
