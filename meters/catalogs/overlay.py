"""What is known of a code at a meter of some type: the type's catalog where it says something, else the standard one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from meters.catalogs.facts import ObjectFacts, limit_text
from meters.cosem.obis import ObisCode
from meters.cosem.obis_names import describe
from meters.cosem.obis_usage import usual_classes, usual_unit
from meters.cosem.units import unit_symbol
from meters.models import CatalogObject

ASKED_SINGLY = 300
"""Up to so many codes are asked for by name; for more the whole catalog is read."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """The entries of a type's catalog by code; none where the meter has no type."""

    entries: Mapping[ObisCode, tuple[ObjectFacts, ...]] = field(default_factory=dict)

    def find(self, class_id: int, code: ObisCode) -> ObjectFacts | None:
        """The catalog's entry of this object."""
        return next((facts for facts in self.entries.get(code, ()) if facts.class_id == class_id), None)

    def title(self, code: ObisCode, class_id: int | None = None) -> str:
        """The type's title, of this class before others; else the standard's words; else the code."""
        return self.own_title(code, class_id) or describe(code)

    def own_title(self, code: ObisCode, class_id: int | None = None) -> str:
        """The type's title; empty where the catalog gives none."""
        found = [facts for facts in self.entries.get(code, ()) if facts.title]
        found.sort(key=lambda facts: facts.class_id != class_id)
        return found[0].title if found else ""

    def unit(self, code: ObisCode, class_id: int | None = None) -> int | None:
        """The type's unit, of this class before others; else the usual one."""
        found = [facts for facts in self.entries.get(code, ()) if facts.unit is not None]
        found.sort(key=lambda facts: facts.class_id != class_id)
        if found:
            return found[0].unit
        usual = usual_unit(code)
        return None if usual is None else int(usual)

    def classes(self, code: ObisCode) -> tuple[int, ...]:
        """The classes of the type's objects with this code; else the usual ones."""
        return tuple(facts.class_id for facts in self.entries.get(code, ())) or usual_classes(code)

    def beyond(self, class_id: int, code: ObisCode, value: Decimal) -> str:
        """How a scaled value lies outside of the limits, in words; empty where it does not, or there are none."""
        facts = self.find(class_id, code)
        return beyond_limits(facts, value) if facts is not None else ""


def beyond_limits(facts: ObjectFacts, value: Decimal) -> str:
    """`above the high limit of 253 V`; empty within the limits, both of which are allowed."""
    symbol = unit_symbol(facts.unit) if facts.unit is not None else ""
    if facts.low is not None and value < facts.low:
        return f"below the low limit of {limit_text(facts.low)} {symbol}".strip()
    if facts.high is not None and value > facts.high:
        return f"above the high limit of {limit_text(facts.high)} {symbol}".strip()
    return ""


def overlay_of(objects: Iterable[ObjectFacts]) -> Overlay:
    """Of entries that are at hand."""
    entries: dict[ObisCode, list[ObjectFacts]] = {}
    for facts in objects:
        entries.setdefault(facts.logical_name, []).append(facts)
    return Overlay({code: tuple(found) for code, found in entries.items()})


def type_overlay(meter_type_id: int | None, codes: Iterable[ObisCode] | None = None) -> Overlay:
    """Of a meter type, in one query; with `codes` at least of these. Of no type it is empty, and nothing is asked."""
    if meter_type_id is None:
        return Overlay()
    rows = CatalogObject.objects.filter(meter_type_id=meter_type_id)
    wanted = None if codes is None else {code.octets.hex() for code in codes}
    if wanted is not None and not wanted:
        return Overlay()
    if wanted is not None and len(wanted) <= ASKED_SINGLY:
        rows = rows.filter(octets__in=wanted)
    return overlay_of(row.facts for row in rows)
