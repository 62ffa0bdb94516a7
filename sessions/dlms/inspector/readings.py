"""What a value says by logical name: the lists that meters push, in the layouts that they use.

    {obis, value} and {obis, value, {scaler, unit}}     a structure for each reading
    obis, value, obis, value, …                         flat, with or without {scaler, unit} after a value
    {[{class, obis, attribute, index}, …], value, …}    the push object list first, the values by position

Lists without logical names (positional ones) give nothing here: what stands where is the meter type's knowledge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from meters.cosem.data import INTEGERS, Data, DataType, as_json, text
from meters.cosem.obis import ObisCode
from meters.cosem.obis_names import describe
from meters.cosem.units import ScalerUnit, unit_symbol

OBIS_OCTETS: Final = 6
OBJECT_LEAST: Final = 3
"""class, logical name, attribute; an index and a restriction may follow."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A value under its logical name; `class_id` and `attribute_id` where the list says them."""

    obis: ObisCode
    value: Data
    scaler_unit: ScalerUnit | None = None
    class_id: int | None = None
    attribute_id: int | None = None

    def describe(self) -> str:
        """`Active power import (+A): 4027 W`."""
        value, unit = text(self.value), ""
        if self.scaler_unit is not None and self.value.type in INTEGERS:
            value = self.scaler_unit.text(self.value.value)
            unit = unit_symbol(self.scaler_unit.unit)
        return f"{describe(self.obis)}: {value} {unit}".rstrip()

    def as_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "obis": str(self.obis),
            "name": describe(self.obis),
            "type": self.value.type.asn1_name,
            "value": as_json(self.value),
            "text": text(self.value),
        }
        if self.scaler_unit is not None:
            if self.value.type in INTEGERS:
                scaled = self.scaler_unit.apply(self.value.value)
                shown["value"] = float(scaled) if self.scaler_unit.scaler < 0 else int(scaled)
            shown |= {"raw": as_json(self.value), "scaler": self.scaler_unit.scaler}
            shown["unit"] = unit_symbol(self.scaler_unit.unit)
        if self.class_id is not None:
            shown |= {"class_id": self.class_id, "attribute_id": self.attribute_id}
        return shown


def readings(data: Data) -> list[Reading]:
    """The readings in a value, in order."""
    return list(_find(data))


def _find(data: Data) -> Iterator[Reading]:
    if data.type not in (DataType.STRUCTURE, DataType.ARRAY) or _object(data) is not None:
        return
    elements: Sequence[Data] = data.value
    objects = _object_list(elements)
    if objects is not None:
        yield from objects
        return
    at = 0
    while at < len(elements):
        obis = _obis(elements[at])
        if obis is not None and at + 1 < len(elements) and not elements[at + 1].constructed:
            scaler_unit = _scaler_unit(elements[at + 2]) if at + 2 < len(elements) else None
            yield Reading(obis, elements[at + 1], scaler_unit)
            at += 2 if scaler_unit is None else 3
            continue
        yield from _find(elements[at])
        at += 1


def _object_list(elements: Sequence[Data]) -> list[Reading] | None:
    """The values behind a push object list; the list itself is the value of its own first entry where it names a push setup."""
    if len(elements) < 2 or elements[0].type is not DataType.ARRAY or not elements[0].value:
        return None
    named = [_object(entry) for entry in elements[0].value]
    objects = [entry for entry in named if entry is not None]
    if len(objects) != len(named):
        return None
    if len(objects) == len(elements):
        pairs = list(zip(objects, elements, strict=True))[1:]
    elif len(objects) == len(elements) - 1:
        pairs = list(zip(objects, elements[1:], strict=True))
    else:
        return None
    return [Reading(obis, value, None, class_id, attribute) for (class_id, obis, attribute), value in pairs]


def _object(entry: Data) -> tuple[int, ObisCode, int] | None:
    if entry.type is not DataType.STRUCTURE or len(entry) < OBJECT_LEAST:
        return None
    obis = _obis(entry[1])
    if entry[0].type is not DataType.LONG_UNSIGNED or entry[2].type is not DataType.INTEGER or obis is None:
        return None
    return entry[0].value, obis, entry[2].value


def _obis(data: Data) -> ObisCode | None:
    """A logical name: six octets, of which the last is 255 but for historical values."""
    if data.type is not DataType.OCTET_STRING or len(data.value) != OBIS_OCTETS or data.value[5] != 0xFF:
        return None
    return ObisCode.from_octets(data.value)


def _scaler_unit(data: Data) -> ScalerUnit | None:
    if data.type is not DataType.STRUCTURE or [element.type for element in data] != [DataType.INTEGER, DataType.ENUM]:
        return None
    try:
        return ScalerUnit.from_data(data)
    except ValueError:  # a scaler that no meter means
        return None
