"""What an OBIS code means, in words (IEC 62056-6-1; EN 13757-1 for the other media). The tables are in `obis_tables`.

What is not known is said: `Active power import (+A), unknown value group D 77`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from meters.cosem import obis_tables as tables
from meters.cosem.obis import NOT_SPECIFIED, ObisCode

ABSTRACT: Final = 0
ELECTRICITY: Final = 1
GAS: Final = 7
COUNTRY: Final = 94
UTILITY_TABLES: Final = 65
DEMAND_LIMITS: Final = ((0, 5, 1), (0, 5, 2))
"""C, D and E of the objects whose F counts limits: of the total, and for each rate."""
_LAST_RATE: Final = 63
_CHANNELS: Final = range(1, 65)
_UTILITY: Final = range(65, 128)
_MANUFACTURER: Final = range(128, 200)
_MANUFACTURER_D_E_F: Final = range(128, 255)
_MANUFACTURER_C: Final = 240
_ANY: Final = range(256)
_OF_ANY_MEDIUM: Final = frozenset({0, 93, 94, 96, 97, 98, 99, 127})
"""C of the general, service, error, list and profile objects, which every medium may have."""
_PHASE_ANGLE, _LOSSES, _UNDER_LIMIT_OCCURRENCES = 81, 83, 32

_PERIODICAL_MEDIA: Final[Mapping[int, Mapping[int, str]]] = {
    4: tables.HEAT_COST_ALLOCATOR,
    5: tables.HEAT,
    6: tables.HEAT,
    8: tables.WATER,
    9: tables.WATER,
}


@dataclass(frozen=True, slots=True)
class GroupMeaning:
    """One of the six value groups: its letter, its value and what that means."""

    group: str
    value: int
    words: str


@dataclass(frozen=True, slots=True)
class _Parts:
    """What C, D and E mean together; an empty part adds nothing to the words."""

    quantity: str
    processing: str = ""
    rate: str = ""

    def __str__(self) -> str:
        return ", ".join(part for part in (self.quantity, self.processing, self.rate) if part)


@lru_cache(maxsize=4096)
def describe(obis: ObisCode) -> str:
    """The meaning in words: `Active energy import (+A), rate 2`."""
    words = str(_parts(obis))
    if obis.b not in (0, NOT_SPECIFIED):
        words += f", {_channel(obis.b)}"
    if _is_demand_limit(obis):
        return words
    period = _period(obis.f)
    return f"{words}, {period}" if period else words


def explain(obis: ObisCode) -> tuple[GroupMeaning, ...]:
    """What each of the six groups means, in order."""
    parts = _parts(obis)
    medium = tables.MEDIA.get(obis.a, "reserved")
    names = {
        "A": medium,
        "B": _channel(obis.b) if obis.b else "no channel",
        "C": parts.quantity,
        "D": parts.processing or _plain_processing(obis),
        "E": parts.rate or ("not specified" if obis.e == NOT_SPECIFIED else "total" if obis.e == 0 else ""),
        "F": "limit" if _is_demand_limit(obis) else _period(obis.f) or "current value, or not used",
    }
    return tuple(
        GroupMeaning(group, value, names[group] or "part of the name of the object")
        for group, value in zip("ABCDEF", obis.groups, strict=True)
    )


def manufacturer_specific(obis: ObisCode) -> bool:
    """Whether one of the value groups lies in its manufacturer's range."""
    return (
        obis.b in _MANUFACTURER
        or _manufacturers_c(obis.c)
        or any(group in _MANUFACTURER_D_E_F for group in (obis.d, obis.e, obis.f))
    )


def _manufacturers_c(c: int) -> bool:
    return c in _MANUFACTURER or c == _MANUFACTURER_C


def _unknown(group: str, value: int) -> str:
    if group in "DEF" and value in _MANUFACTURER_D_E_F:
        return f"manufacturer-specific value group {group} {value}"
    return f"unknown value group {group} {value}"


def _channel(b: int) -> str:
    if b == NOT_SPECIFIED:
        return "channel not specified"
    kinds = {_CHANNELS: "", _UTILITY: "utility-specific ", _MANUFACTURER: "manufacturer-specific "}
    return f"{next((kind for range_, kind in kinds.items() if b in range_), 'reserved ')}channel {b}"


def _period(f: int) -> str:
    """F: 0 to 99 is the billing counter's value when the period ended, 101 and on count back from now."""
    if f <= 99:
        return f"billing period {f}"
    if 101 <= f <= 125:
        return "last billing period" if f == 101 else f"{f - 100} billing periods ago"
    if f == 126:
        return "past billing periods"
    return "" if f == NOT_SPECIFIED else _unknown("F", f)


def _parts(obis: ObisCode) -> _Parts:
    medium = tables.MEDIA.get(obis.a)
    if medium is None:
        return _Parts(f"Unknown value group A {obis.a}")
    if obis.c == COUNTRY:
        return _Parts(f"Country-specific object ({tables.COUNTRIES.get(obis.d, f'country {obis.d}')})")
    if _manufacturers_c(obis.c):
        return _Parts(f"Manufacturer-specific ({medium})")
    found = _medium_parts(obis)
    if found is None and (obis.a == ABSTRACT or obis.c in _OF_ANY_MEDIUM):
        found = _looked_up(_ABSTRACT, obis) or _utility_table(obis) or _area(obis)
    return found or _Parts(f"{medium[0].upper()}{medium[1:]}", _unknown("C", obis.c))


def _medium_parts(obis: ObisCode) -> _Parts | None:
    """What the code means in its medium only."""
    if obis.a == ELECTRICITY:
        return _electricity(obis)
    if obis.a == GAS:
        return _gas(obis)
    quantity = _PERIODICAL_MEDIA.get(obis.a, {}).get(obis.c, "")
    if not quantity:
        return None
    processing = "" if obis.d == 0 else tables.PERIODICAL.get(obis.d) or _unknown("D", obis.d)
    return _Parts(f"{tables.PERIODICAL_PREFIXES[obis.a]} {quantity}", processing, _rate_of(obis.e))


def _rate_of(e: int) -> str:
    """E where it is nothing but the rate."""
    if e in (0, NOT_SPECIFIED):
        return ""
    return f"rate {e}" if e <= _LAST_RATE else _unknown("E", e)


def _plain_processing(obis: ObisCode) -> str:
    """What D means where the words of the whole leave it out."""
    if obis.a == ELECTRICITY and _quantity(obis):
        return {7: "instantaneous value", 8: "time integral 1"}.get(obis.d, "")
    return "current value" if obis.d == 0 and obis.c in _PERIODICAL_MEDIA.get(obis.a, {}) else ""


# -- objects that have a name of their own -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of a table of objects: the ranges of D and E, and the words."""

    d: range
    e: range
    words: str


def _entries(table: Mapping[str, str]) -> dict[int, list[_Entry]]:
    """By C, the most exact entries first."""
    found: dict[int, list[_Entry]] = {}
    for key, words in table.items():
        c, d, e = (*(_range(group) for group in key.split(".")), _ANY, _ANY)[:3]
        found.setdefault(c[0], []).append(_Entry(d, e, words))
    for entries in found.values():
        entries.sort(key=lambda entry: (len(entry.e), len(entry.d)))
    return found


def _range(group: str) -> range:
    first, _, last = group.partition("-")
    return range(int(first), int(last or first) + 1)


_ABSTRACT: Final = _entries(tables.ABSTRACT_OBJECTS)
_ELECTRICITY: Final = _entries(tables.ELECTRICITY_OBJECTS)


def _looked_up(entries: Mapping[int, list[_Entry]], obis: ObisCode) -> _Parts | None:
    for entry in entries.get(obis.c, ()):
        if obis.d not in entry.d or obis.e not in entry.e:
            continue
        if entry.d is _ANY and obis.d in _MANUFACTURER_D_E_F:
            return _Parts(entry.words, _unknown("D", obis.d))
        return _named(entry, obis.e)
    return None


def _named(entry: _Entry, e: int) -> _Parts:
    """The object's words, with its number where E counts such objects."""
    if len(entry.e) == 1 or e == NOT_SPECIFIED:
        return _Parts(entry.words.replace(" {nth}", ""))
    if entry.e is _ANY and e in _MANUFACTURER_D_E_F:
        return _Parts(entry.words.replace(" {nth}", ""), "", _unknown("E", e))
    if "{nth}" in entry.words:
        return _Parts(entry.words.format(nth=e + 1 if e else "").rstrip())
    if entry.words.endswith(", rate"):
        return _Parts(entry.words.removesuffix(", rate"), "", f"rate {e}")
    return _Parts(entry.words, "", f"number {e}" if e else "")


def _area(obis: ObisCode) -> _Parts | None:
    """Where C is known, and D or E is not."""
    area = tables.ABSTRACT_AREAS.get(obis.c)
    if area is None:
        return None
    known_d = any(obis.d in entry.d for entry in _known_entries(obis))
    group, value = ("E", obis.e) if known_d else ("D", obis.d)
    return _Parts(area, "" if known_d else _unknown(group, value), _unknown(group, value) if known_d else "")


def _known_entries(obis: ObisCode) -> Iterator[_Entry]:
    if obis.a == ELECTRICITY:
        yield from _ELECTRICITY.get(obis.c, ())
    yield from _ABSTRACT.get(obis.c, ())


def _utility_table(obis: ObisCode) -> _Parts | None:
    """C 65: 128 tables for each D, standard ones and the maker's, each also as pending."""
    kinds = ("standard", "manufacturer", "pending standard", "pending manufacturer")
    if obis.a != ABSTRACT or obis.c != UTILITY_TABLES or obis.d >= 16 * len(kinds):
        return None
    return _Parts(f"Utility table, {kinds[obis.d // 16]} {obis.d % 16 * 128 + obis.e}")


# -- electricity -------------------------------------------------------------------------------------------------------


def _is_demand_limit(obis: ObisCode) -> bool:
    return obis.a == ELECTRICITY and (obis.c, obis.d, obis.e) in DEMAND_LIMITS


def _electricity(obis: ObisCode) -> _Parts | None:
    if _is_demand_limit(obis):
        counted = "" if obis.f == NOT_SPECIFIED else f" {obis.f}"
        return _Parts(f"Demand limit{', rate' if obis.e == 2 and counted else ''}{counted}")
    if obis.c == _PHASE_ANGLE:
        return _phase_angle(obis)
    if obis.c == _LOSSES:
        losses = tables.LOSSES.get(obis.e)
        rate = "" if losses or obis.e == NOT_SPECIFIED else _unknown("E", obis.e)
        return _Parts(losses or tables.SINGLE[_LOSSES], _processing(obis), rate)
    quantity = _quantity(obis)
    if quantity:
        return _Parts(quantity, _processing(obis), _rate(obis))
    return _looked_up(_ELECTRICITY, obis)


def _quantity(obis: ObisCode) -> str:
    if obis.c in tables.SINGLE:
        return tables.SINGLE[obis.c]
    phase = (obis.c - 1) // 20 * 20
    base = obis.c - phase
    if obis.c == 0 or phase not in tables.PHASES:
        return ""
    kind = "energy" if obis.d in tables.ENERGY_PROCESSING else "power"
    words = tables.PLAIN.get(base) or tables.POWERS[base].format(kind)
    return words + tables.PHASES[phase]


def _is_energy(obis: ObisCode) -> bool:
    return obis.d in tables.ENERGY_PROCESSING and 1 <= obis.c <= 80 and (obis.c - 1) % 20 + 1 in tables.POWERS


def _processing(obis: ObisCode) -> str:
    words = tables.PROCESSING.get(obis.d, _unknown("D", obis.d))
    return words if _is_energy(obis) else tables.TIME_INTEGRALS.get(obis.d, words)


def _rate(obis: ObisCode) -> str:
    if obis.e == NOT_SPECIFIED:
        return ""
    if obis.c in tables.HARMONIC_QUANTITIES and obis.d in tables.HARMONIC_PROCESSING:
        return _harmonic(obis.e)
    if obis.e == 0:
        return "total" if _is_energy(obis) else ""
    if obis.c in tables.VOLTAGES and obis.d == _UNDER_LIMIT_OCCURRENCES:
        return f"UNIPEDE class {obis.e}"
    return _rate_of(obis.e)


def _harmonic(e: int) -> str:
    if e == 0:
        return ""
    if e in tables.HARMONICS:
        return tables.HARMONICS[e]
    return f"harmonic {e}" if e <= tables.LAST_HARMONIC else _unknown("E", e)


def _phase_angle(obis: ObisCode) -> _Parts:
    processing = "" if obis.d == 7 else _processing(obis)
    reference, angle = (tables.ANGLES.get(digit) for digit in divmod(obis.e, 10))
    if reference and angle:
        return _Parts(f"Phase angle {angle} - {reference}", processing)
    return _Parts("Phase angle", processing, "" if obis.e == NOT_SPECIFIED else _unknown("E", obis.e))


# -- gas ---------------------------------------------------------------------------------------------------------------


def _gas(obis: ObisCode) -> _Parts | None:
    if obis.c in tables.GAS_INDEXES:
        processing = tables.GAS_INDEX_PROCESSING.get(obis.d) or _unknown("D", obis.d)
        return _Parts(f"Gas {tables.GAS_INDEXES[obis.c]}", processing, _rate_of(obis.e))
    quantity = tables.GAS_QUANTITIES.get(obis.c)
    if quantity is None:
        return None
    known = tables.GAS_FLOW_PROCESSING if obis.c == tables.GAS_FLOW else {0: ""}
    if obis.c == tables.GAS_ANALYSIS:
        known = dict.fromkeys(tables.GAS_ANALYSIS_COMPONENTS, f"component {obis.d}")
    processing = known[obis.d] if obis.d in known else _unknown("D", obis.d)
    return _Parts(f"Gas {quantity}", processing, _rate_of(obis.e))
