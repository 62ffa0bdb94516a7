"""How an OBIS code is usually held: the interface classes and the unit that meters use for it.

Both are expectations, not rules: what a meter's own object list and scaler_unit say counts. Source: Blue Book and IEC 62056-6-1,
the tables of objects by medium.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from meters.cosem import obis_tables as tables
from meters.cosem.obis import ObisCode
from meters.cosem.units import Unit

DATA, REGISTER, EXTENDED_REGISTER, DEMAND_REGISTER = 1, 3, 4, 5
PROFILE_GENERIC, STATUS_MAPPING = 7, 63
ELECTRICITY, HEAT_COST_ALLOCATOR, COOLING, HEAT, GAS, COLD_WATER, HOT_WATER = 1, 4, 5, 6, 7, 8, 9

VALUES: Final = (REGISTER, EXTENDED_REGISTER)
ENTRIES: Final = (DATA, REGISTER, EXTENDED_REGISTER)

CLASSES: Final[Mapping[str, tuple[int, ...]]] = {
    "0.1": ENTRIES,
    "0.2": (DATA,),
    "0.9": (DATA,),
    "1.0": (8,),
    "1.1": (DATA,),
    "1.2": (DATA,),
    "2.0.0": (27,),
    "2.1.0": (29,),
    "2.2.0": (28,),
    "10.0": (9,),
    "11.0": (11,),
    "12.0": (10,),
    "13.0": (20,),
    "14.0": (6,),
    "15.0": (22,),
    "16.0": (21,),
    "16.1": (21,),
    "16.2": (65,),
    "17.0": (71,),
    "18.0": (123,),
    "19.0-9": (111,),
    "19.10-19": (112,),
    "19.20-29": (113,),
    "19.40-49": (115,),
    "19.50-59": (DATA, REGISTER),
    "20.0": (19,),
    "21.0": (PROFILE_GENERIC,),
    "22.0.0": (23,),
    "23.0.0": (24,),
    "23.1.0": (43,),
    "23.2.0": (DATA,),
    "23.3": (PROFILE_GENERIC,),
    "24.0.0": (25,),
    "24.1.0": (72,),
    "24.2": (EXTENDED_REGISTER,),
    "24.3": (PROFILE_GENERIC,),
    "24.4.0": (70,),
    "24.5.0": (PROFILE_GENERIC,),
    "24.6.0": (74,),
    "24.8": (76,),
    "24.9": (77,),
    "25.0.0": (41,),
    "25.1.0": (42,),
    "25.2.0": (43,),
    "25.3.0": (44,),
    "25.4.0": (45,),
    "25.5.0": (46,),
    "25.6.0": (47,),
    "25.7.0": (48,),
    "25.9.0": (40,),
    "25.10.0": (100,),
    "25.11.0": (151,),
    "26.0.0": (50,),
    "26.1.0": (51,),
    "26.2.0": (52,),
    "26.3.0": (53,),
    "26.5.0": (55,),
    "26.6.0": (56,),
    "27.0.0": (57,),
    "27.1.0": (58,),
    "27.2.0": (59,),
    "28.0.0": (80,),
    "28.1.0": (81,),
    "28.2.0": (82,),
    "28.3.0": (83,),
    "28.4.0": (84,),
    "28.5.0": (85,),
    "28.6.0": (43,),
    "28.7.0": (86,),
    "29.0.0": (90,),
    "29.1.0": (91,),
    "29.2.0": (92,),
    "30.0": (101,),
    "30.1": (102,),
    "30.2": (103,),
    "30.3": (104,),
    "30.4": (105,),
    "31.0.0": (73,),
    "33.0.0": (140,),
    "33.1.0": (141,),
    "33.2.0": (142,),
    "33.3.0": (143,),
    "40.0": (15, 12),
    "41.0.0": (17,),
    "42.0.0": (DATA,),
    "43.0": (64,),
    "43.1": (DATA,),
    "43.2": (30,),
    "44.0": (18,),
    "44.1": (122,),
    "65": (26,),
    "66.0": (62,),
    "96.3.10": (70,),
    "96.3.20-29": (68,),
    "96.3": (DATA, STATUS_MAPPING),
    "96.4": (DATA, STATUS_MAPPING),
    "96.5": (DATA, STATUS_MAPPING),
    "96.6": ENTRIES,
    "96.7": ENTRIES,
    "96.8": ENTRIES,
    "96.9": VALUES,
    "96.10": (DATA, STATUS_MAPPING),
    "96": (DATA,),
    "97": (DATA,),
    "98.1": (PROFILE_GENERIC,),
    "98.2": (PROFILE_GENERIC,),
    "98.10": (61, PROFILE_GENERIC),
    "99": (PROFILE_GENERIC,),
}
"""By `C.D.E`, `C.D` or `C`, a group may be a range; the first that fits counts. For abstract objects, and what any medium has."""

_RANGES: Final = [
    (
        tuple(
            range(int(low), int(high or low) + 1) for low, _, high in (group.partition("-") for group in key.split("."))
        ),
        ids,
    )
    for key, ids in CLASSES.items()
]

_LAST_POWER: Final = 20
_POWER_UNITS: Final = {"Active": Unit.WATT, "Reactive": Unit.VAR, "Apparent": Unit.VOLT_AMPERE}
_ENERGY_UNITS: Final = {
    "Active": Unit.WATT_HOUR,
    "Reactive": Unit.VAR_HOUR,
    "Apparent": Unit.VOLT_AMPERE_HOUR,
}
_ELECTRICITY_UNITS: Final = {11: Unit.AMPERE, 12: Unit.VOLT, 13: Unit.COUNT, 14: Unit.HERTZ}
_SINGLE_UNITS: Final = {
    81: Unit.DEGREE,
    84: Unit.COUNT,
    85: Unit.COUNT,
    86: Unit.COUNT,
    87: Unit.COUNT,
    88: Unit.AMPERE_SQUARED_HOUR,
    89: Unit.VOLT_SQUARED_HOUR,
    90: Unit.AMPERE,
    91: Unit.AMPERE,
    92: Unit.VOLT,
    124: Unit.VOLT,
    125: Unit.VOLT,
    126: Unit.VOLT,
}
_OCCURRENCES: Final = frozenset({32, 36, 40})
_DURATIONS: Final = frozenset({33, 37, 41, 43, 44, 45})
_AVERAGES: Final = frozenset({4, 5, 14, 15, 24, 25, 27, 28, 56})
_MAXIMA: Final = frozenset({3, 6, 13, 16, 23, 26, 51, 52, 53, 54})


@lru_cache(maxsize=4096)
def usual_classes(obis: ObisCode) -> tuple[int, ...]:
    """The interface classes that such an object has, the most usual first; empty where nothing is known."""
    if obis.a == ELECTRICITY and (1 <= obis.c <= 92 or obis.c in _SINGLE_UNITS):
        return _electricity_classes(obis.d)
    if obis.a in (HEAT_COST_ALLOCATOR, COOLING, HEAT, COLD_WATER, HOT_WATER, GAS) and 1 <= obis.c <= 70:
        return VALUES
    if obis.a == ELECTRICITY and obis.c == 0:
        return _electricity_entry(obis)
    return next((ids for ranges, ids in _RANGES if _fits(obis, ranges)), ())


def _electricity_classes(d: int) -> tuple[int, ...]:
    if d in _AVERAGES:
        return (DEMAND_REGISTER, REGISTER, EXTENDED_REGISTER)
    if d in _MAXIMA:
        return (EXTENDED_REGISTER, REGISTER)
    return VALUES


def _electricity_entry(obis: ObisCode) -> tuple[int, ...]:
    """C 0: names and numbers of the meter are Data, constants with a unit Registers."""
    return (DATA,) if obis.d in (0, 2) else ENTRIES


def _fits(obis: ObisCode, ranges: tuple[range, ...]) -> bool:
    return all(value in allowed for value, allowed in zip((obis.c, obis.d, obis.e), ranges, strict=False))


@lru_cache(maxsize=4096)
def usual_unit(obis: ObisCode) -> Unit | None:
    """The unit that the code's quantity is told in (times a power of ten); None where it has none, or the code does not say."""
    if obis.a == ELECTRICITY:
        return _electricity_unit(obis)
    if obis.a == GAS:
        return _gas_unit(obis)
    if obis.a in _BY_MEDIUM and obis.d in (0, *tables.PERIODICAL):
        return _BY_MEDIUM[obis.a].get(obis.c)
    return _ABSTRACT_UNITS.get(_place(obis))


def _place(obis: ObisCode) -> tuple[int, int, int]:
    return (obis.c, obis.d, obis.e)


_ABSTRACT_UNITS: Final = {
    (96, 9, 0): Unit.DEGREE_CELSIUS,
    (96, 9, 1): Unit.PASCAL,
    (96, 9, 2): Unit.PERCENT,
    (96, 6, 0): Unit.HOUR,
    (96, 6, 3): Unit.VOLT,
    (96, 6, 4): Unit.AMPERE_HOUR,
    (96, 6, 6): Unit.HOUR,
    (96, 6, 10): Unit.HOUR,
    (96, 6, 11): Unit.VOLT,
    **{(96, 7, e): Unit.SECOND for e in (15, 16, 17, 18, 19, 20)},
    **{(96, 8, e): Unit.HOUR for e in range(64)},
}

_THERMAL: Final = {
    2: Unit.CUBIC_METRE,
    3: Unit.KILOGRAM,
    4: Unit.CUBIC_METRE,
    5: Unit.KILOGRAM,
    6: Unit.CUBIC_METRE,
    7: Unit.KILOGRAM,
    8: Unit.WATT,
    9: Unit.CUBIC_METRE_PER_HOUR,
    10: Unit.DEGREE_CELSIUS,
    11: Unit.DEGREE_CELSIUS,
    12: Unit.KELVIN,
    13: Unit.BAR,
}
_WATER: Final = {1: Unit.CUBIC_METRE, 2: Unit.CUBIC_METRE_PER_HOUR, 3: Unit.DEGREE_CELSIUS}
_BY_MEDIUM: Final[Mapping[int, Mapping[int, Unit]]] = {
    HEAT_COST_ALLOCATOR: {
        1: Unit.COUNT,
        2: Unit.COUNT,
        **dict.fromkeys((3, 4, 5, 6, 7), Unit.DEGREE_CELSIUS),
    },
    COOLING: _THERMAL | {1: Unit.WATT_HOUR},
    HEAT: _THERMAL | {1: Unit.WATT_HOUR},
    COLD_WATER: _WATER,
    HOT_WATER: _WATER,
}


def _electricity_unit(obis: ObisCode) -> Unit | None:
    if obis.d in _OCCURRENCES and 1 <= obis.c <= 126:
        return Unit.COUNT
    if obis.d in _DURATIONS and 1 <= obis.c <= 126:
        return Unit.SECOND
    if obis.c == 83:
        return _loss_unit(obis)
    if obis.c in _SINGLE_UNITS:
        return _over_time(_SINGLE_UNITS[obis.c], obis.d)
    if not 1 <= obis.c <= 80:
        return _ABSTRACT_UNITS.get(_place(obis))
    if obis.e in (124, 125, 127) and obis.c in tables.HARMONIC_QUANTITIES:
        return Unit.PERCENT
    base = (obis.c - 1) % _LAST_POWER + 1
    if base in _ELECTRICITY_UNITS:
        return _over_time(_ELECTRICITY_UNITS[base], obis.d)
    units = _ENERGY_UNITS if obis.d in tables.ENERGY_PROCESSING else _POWER_UNITS
    return units[tables.POWERS[base].partition(" ")[0]]


_SUMMED: Final = {
    Unit.AMPERE: Unit.AMPERE_HOUR,
    Unit.AMPERE_SQUARED_HOUR: Unit.AMPERE_SQUARED_HOUR,
    Unit.VOLT_SQUARED_HOUR: Unit.VOLT_SQUARED_HOUR,
}


def _over_time(unit: Unit, d: int) -> Unit | None:
    """Summed up over time a current becomes ampere hours; of angles and voltages nobody knows."""
    return _SUMMED.get(unit) if d in tables.ENERGY_PROCESSING else unit


def _loss_unit(obis: ObisCode) -> Unit | None:
    words = tables.LOSSES.get(obis.e, "").lower()
    units = _ENERGY_UNITS if obis.d in tables.ENERGY_PROCESSING else _POWER_UNITS
    return next((unit for name, unit in units.items() if name.lower() in words), None)


def _gas_unit(obis: ObisCode) -> Unit | None:
    if obis.c == tables.GAS_FLOW:
        return Unit.CUBIC_METRE_PER_HOUR
    if obis.c in tables.GAS_INDEXES:
        words = tables.GAS_INDEXES[obis.c]
        if "energy" in words:
            return Unit.WATT_HOUR
        return Unit.KILOGRAM if "mass" in words else Unit.CUBIC_METRE
    return _GAS_UNITS.get(obis.c, _ABSTRACT_UNITS.get(_place(obis)))


_GAS_UNITS: Final = {
    41: Unit.KELVIN,
    42: Unit.PASCAL,
    44: Unit.METRE_PER_SECOND,
    46: Unit.COUNT,
    47: Unit.PASCAL,
    48: Unit.PASCAL,
    51: Unit.COUNT,
    52: Unit.COUNT,
    53: Unit.COUNT,
}
