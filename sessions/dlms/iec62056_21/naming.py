"""Data sets in words: what their addresses mean, and their values as numbers where they are some."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from meters.cosem.obis import ObisCode
from meters.cosem.obis_names import describe
from sessions.dlms.iec62056_21.address import medium_of, obis_of
from sessions.dlms.iec62056_21.data_set import DataSet, DataValue

_NUMBER: Final = re.compile(r"[+-]?\d+\.\d+|[+-]?\d{1,15}")


@dataclass(frozen=True, slots=True)
class NamedDataSet:
    """A data set and the OBIS code that its address is short for; None where it is none."""

    data_set: DataSet
    obis: ObisCode | None

    @property
    def words(self) -> str:
        """What the address means."""
        return "" if self.obis is None else describe(self.obis)

    @property
    def shown(self) -> str:
        """`1.8.0(000123.4*kWh)  Active energy import (+A)`."""
        return f"{self.data_set}  {self.words}" if self.words else str(self.data_set)

    def as_json(self) -> dict[str, Any]:
        return {
            "obis": self.data_set.address if self.obis is None else str(self.obis),
            "name": self.words,
            "type": "text",
            "address": self.data_set.address,
            "values": [{"value": one.value, "unit": one.unit} for one in self.data_set.values],
            "value": _plain(self.data_set.values[0]),
            "text": " ".join(f"{one.value} {one.unit}".strip() for one in self.data_set.values),
        } | ({"unit": self.data_set.values[0].unit} if self.data_set.values[0].unit else {})


def number_of(value: DataValue) -> Decimal | None:
    """The number that a value is; only what has a unit is one, for serial numbers have digits as well."""
    text = value.value.strip()
    return Decimal(text) if value.unit and _NUMBER.fullmatch(text) else None


def _plain(value: DataValue) -> str | float:
    number = number_of(value)
    return value.value if number is None else float(number)


def named_data_sets(data_sets: Iterable[DataSet]) -> list[NamedDataSet]:
    """Each data set with its name; the units of all say which medium a short address means."""
    found = [one for one in data_sets if one.values]
    medium = medium_of(found)
    return [NamedDataSet(one, obis_of(one.address, medium)) for one in found]
