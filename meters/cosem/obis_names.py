"""What an OBIS code means, in words (IEC 62056-6-1; EN 13757-1 for the other media). The tables are in `obis_tables`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from meters.cosem import obis_tables as tables
from meters.cosem.obis import ObisCode

ABSTRACT: Final = 0
ELECTRICITY: Final = 1
GAS: Final = 7
NOT_SPECIFIED: Final = 255
COUNTRY: Final = 94
UTILITY_TABLES: Final = 65
DEMAND_LIMITS: Final = (0, 5)
"""C and D of the objects whose F counts limits."""
_LAST_RATE: Final = 63
_MANUFACTURER: Final = range(128, 200)
_MANUFACTURER_D_E_F: Final = range(128, 255)
_MANUFACTURER_C: Final = 240
_PHASE_ANGLE, _LOSSES, _UNDER_LIMIT_OCCURRENCES = 81, 83, 32

_PERIODICAL_MEDIA: Final[Mapping[int, Mapping[int, str]]] = {
    4: tables.HEAT_COST_ALLOCATOR,
    5: tables.HEAT,
    6: tables.HEAT,
    8: tables.WATER,
    9: tables.WATER,
}


def describe(obis: ObisCode) -> str:
    """The meaning in words: `Active energy import (+A), rate 2`. What is not known is named by its medium."""
    words = _object_words(obis)
    if obis.b not in (0, NOT_SPECIFIED):
        words += f", channel {obis.b}"
    return words if (obis.c, obis.d) == DEMAND_LIMITS else words + _period(obis.f)


def manufacturer_specific(obis: ObisCode) -> bool:
    """Whether one of the value groups lies in its manufacturer's range."""
    return (
        obis.b in _MANUFACTURER
        or obis.c in _MANUFACTURER
        or obis.c == _MANUFACTURER_C
        or any(group in _MANUFACTURER_D_E_F for group in (obis.d, obis.e, obis.f))
    )


def _period(f: int) -> str:
    """F: 0 to 99 is the billing counter's value when the period ended, 101 and on count back from now."""
    if f <= 99:
        return f", billing period {f}"
    if 101 <= f <= 125:
        return ", last billing period" if f == 101 else f", {f - 100} billing periods ago"
    return ", past billing periods" if f == 126 else ""


def _object_words(obis: ObisCode) -> str:
    medium = tables.MEDIA.get(obis.a, f"medium {obis.a}")
    if obis.c == COUNTRY:
        return f"Country-specific object ({tables.COUNTRIES.get(obis.d, f'country {obis.d}')})"
    if manufacturer_specific(obis):
        return f"Manufacturer-specific ({medium})"
    words = _medium_words(obis) or _looked_up(tables.ABSTRACT_OBJECTS, obis) or _utility_table(obis)
    return words or f"{medium[0].upper()}{medium[1:]} object"


def _medium_words(obis: ObisCode) -> str:
    """What the code means in its medium only."""
    if obis.a == ELECTRICITY:
        return _electricity(obis)
    if obis.a == GAS:
        return _gas(obis)
    quantity = _PERIODICAL_MEDIA.get(obis.a, {}).get(obis.c, "")
    if not quantity:
        return ""
    period = tables.PERIODICAL.get(obis.d, f"processing {obis.d}" if obis.d else "")
    return _with_rate(f"{quantity} {period}".strip(), obis.e)


def _looked_up(table: Mapping[str, str], obis: ObisCode) -> str:
    exact = table.get(f"{obis.c}.{obis.d}.{obis.e}")
    if exact:
        return exact
    words = table.get(f"{obis.c}.{obis.d}") or table.get(f"{obis.c}", "")
    if not words or obis.e == NOT_SPECIFIED:
        return words.replace(" {nth}", "")
    if "{" in words:
        return words.format(nth=obis.e + 1 if obis.e else "").rstrip()
    return f"{words}, number {obis.e}" if obis.e else words


def _utility_table(obis: ObisCode) -> str:
    """C 65: 128 tables for each D, standard ones and the maker's, each also as pending."""
    kinds = ("standard", "manufacturer", "pending standard", "pending manufacturer")
    if obis.a != ABSTRACT or obis.c != UTILITY_TABLES or obis.d >= 16 * len(kinds):
        return ""
    return f"Utility table, {kinds[obis.d // 16]} {obis.d % 16 * 128 + obis.e}"


def _with_rate(words: str, e: int) -> str:
    return f"{words}, rate {e}" if 1 <= e <= _LAST_RATE else words


# -- electricity -------------------------------------------------------------------------------------------------------


def _electricity(obis: ObisCode) -> str:
    if (obis.c, obis.d) == DEMAND_LIMITS:
        return f"Demand limit {obis.f}" if obis.f != NOT_SPECIFIED else "Demand limit"
    if obis.c == _PHASE_ANGLE:
        return _phase_angle(obis.e)
    if obis.c == _LOSSES and obis.e in tables.LOSSES:
        return _joined(tables.LOSSES[obis.e], _processing(obis))
    quantity = _quantity(obis)
    if quantity:
        return _joined(quantity, _processing(obis), _rate(obis))
    return _looked_up(tables.ELECTRICITY_OBJECTS, obis)


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


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
    return obis.d in tables.ENERGY_PROCESSING and obis.c <= 80 and (obis.c - 1) % 20 + 1 in tables.POWERS


def _processing(obis: ObisCode) -> str:
    words = tables.PROCESSING.get(obis.d, f"processing {obis.d}")
    return words if _is_energy(obis) else tables.TIME_INTEGRALS.get(obis.d, words)


def _rate(obis: ObisCode) -> str:
    if obis.c in tables.HARMONIC_QUANTITIES and obis.d in tables.HARMONIC_PROCESSING:
        return tables.HARMONICS.get(obis.e, f"harmonic {obis.e}") if obis.e else ""
    if obis.e == 0:
        return "total" if _is_energy(obis) else ""
    if obis.c in tables.VOLTAGES and obis.d == _UNDER_LIMIT_OCCURRENCES:
        return f"UNIPEDE class {obis.e}"
    return f"rate {obis.e}" if obis.e <= _LAST_RATE else ""


def _phase_angle(e: int) -> str:
    reference, angle = (tables.ANGLES.get(digit) for digit in divmod(e, 10))
    return f"Phase angle {angle} - {reference}" if reference and angle else "Phase angle"


# -- gas ---------------------------------------------------------------------------------------------------------------


def _gas(obis: ObisCode) -> str:
    if obis.c in tables.GAS_INDEXES:
        processing = tables.GAS_INDEX_PROCESSING.get(obis.d, f"processing {obis.d}")
        return _with_rate(f"{tables.GAS_INDEXES[obis.c]}, {processing}", obis.e)
    quantity = tables.GAS_QUANTITIES.get(obis.c, "")
    processing = tables.GAS_FLOW_PROCESSING.get(obis.d, "") if obis.c == tables.GAS_FLOW else ""
    return _with_rate(_joined(quantity, processing), obis.e) if quantity else ""
