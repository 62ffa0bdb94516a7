"""The standard catalog of OBIS codes: what may be looked up by its words, or by its code.

Every object that has a name of its own, and every quantity with each way to process it; of rates the total and the first four,
of numbered objects the first. Channel 0, the current value. Codes that are not listed are still explained (`obis_names`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from meters.cosem import obis_tables as tables
from meters.cosem.interface_class import class_name
from meters.cosem.obis import ObisCode
from meters.cosem.obis_names import describe
from meters.cosem.obis_usage import usual_classes, usual_unit
from meters.cosem.units import Unit

RATES: Final = range(5)
"""E of quantities that are counted by rate: the total, then the first four."""
COUNTED_BY_RATE: Final = (8, 9, 2, 6)
USUAL_PROCESSING: Final = (8, 7, 9, 6, 4, 5, 2, 29, 30)
"""D of electricity in the order in which people look for them; the others follow."""
LISTS_OF_ANY_MEDIUM: Final = ("97", "98", "99")
"""C of errors, billing and load profiles, which electricity meters have under their own medium."""

SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "tariff": ("rate",),
    "relay": ("disconnect",),
    "breaker": ("disconnect",),
    "switch": ("disconnect",),
    "demand": ("active power",),
    "max": ("maximum",),
    "min": ("minimum",),
    "consumption": ("energy import", "volume"),
    "delivered": ("export",),
    "generation": ("export",),
    "received": ("import",),
    "serial": ("identifier", "logical device name"),
    "time": ("clock",),
    "firmware": ("image",),
    "dst": ("clock",),
    "holiday": ("special day",),
    "calendar": ("special day",),
    "phase": ("l1", "l2", "l3"),
    "log": ("event",),
    "key": ("security setup",),
    "password": ("association",),
    "tamper": ("opened", "magnetic"),
}
"""What people write, and what the standard's words for it contain. A word also stands for itself."""


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One code with its words, usual classes (number and name) and usual unit."""

    code: ObisCode
    words: str
    classes: tuple[int, ...]
    unit: Unit | None

    @property
    def medium(self) -> str:
        return tables.MEDIA.get(self.code.a, "reserved")

    @property
    def class_names(self) -> str:
        """`Register (3), Extended register (4)`."""
        return ", ".join(f"{class_name(number)} ({number})" for number in self.classes)


def entry(code: ObisCode) -> CatalogEntry:
    """What is known of any code, listed or not."""
    return CatalogEntry(code, describe(code), usual_classes(code), usual_unit(code))


@lru_cache(maxsize=1)
def standard_catalog() -> tuple[CatalogEntry, ...]:
    """All listed codes, by medium; within electricity first what is read most."""
    codes: dict[ObisCode, None] = dict.fromkeys([*_electricity(), *_others(), *_abstract()])
    return tuple(entry(code) for code in codes)


def search(words: str, limit: int) -> tuple[int, list[CatalogEntry]]:
    """How many entries have all of the words (in any order, a word's beginning will do), and the first `limit` of them."""
    wanted = [_ways(word) for word in re.split(r"[\s,]+", words.lower()) if word]
    if not wanted:
        return 0, []
    found = [each for each, text in _texts() if all(any(way in text for way in ways) for ways in wanted)]
    found.sort(key=_length)  # what says no more than was asked comes first
    return len(found), found[:limit]


def _length(each: CatalogEntry) -> int:
    """Words that tell it from others: not the sign in brackets, nor that it is the total."""
    return len(re.sub(r"\(.*?\)|, total", "", each.words).split())


def _ways(word: str) -> tuple[str, ...]:
    """What an entry's text has to contain: the word or a synonym at the start of a word, a number as a whole one."""
    if word.isdecimal():
        return (f" {word} ",)
    return tuple(f" {way}" for way in (word, *SYNONYMS.get(word, ())))


@lru_cache(maxsize=1)
def _texts() -> tuple[tuple[CatalogEntry, str], ...]:
    return tuple((each, _text(each)) for each in standard_catalog())


def _text(each: CatalogEntry) -> str:
    symbol = each.unit.symbol if each.unit is not None else ""
    words = re.sub(r"[()|,-]", " ", each.words)
    parts = (str(each.code), each.code.reduced, each.words, words, each.class_names, symbol, each.medium)
    return f" {' '.join(parts)} ".lower()


# -- which codes there are ---------------------------------------------------------------------------------------------


def _electricity() -> Iterator[ObisCode]:
    others = [d for d in tables.PROCESSING if d not in USUAL_PROCESSING]
    for d in (*USUAL_PROCESSING, *others):
        for c in _quantities():
            yield from (ObisCode(1, 0, c, d, e) for e in _rates(c, d))
    for d in (8, 7):
        yield from (ObisCode(1, 0, 83, d, e) for e in tables.LOSSES)
    yield from (ObisCode(1, 0, 81, 7, 10 * reference + angle) for reference in tables.ANGLES for angle in tables.ANGLES)
    for c in sorted(tables.HARMONIC_QUANTITIES):
        yield from (ObisCode(1, 0, c, 7, e) for e in tables.HARMONICS)
    yield from _keys(1, tables.ELECTRICITY_OBJECTS)
    yield from _keys(1, [key for key in tables.ABSTRACT_OBJECTS if key.partition(".")[0] in LISTS_OF_ANY_MEDIUM])


def _quantities() -> Iterable[int]:
    """C by C, the sum of the phases before each phase."""
    return [c for c in (*range(1, 81), *tables.SINGLE) if c not in (81, 83)]


def _rates(c: int, d: int) -> Iterable[int]:
    powers = c <= 80 and (c - 1) % 20 + 1 in tables.POWERS
    return RATES if powers and d in COUNTED_BY_RATE else (0,)


def _others() -> Iterator[ObisCode]:
    for a, quantities in (
        (8, tables.WATER),
        (9, tables.WATER),
        (6, tables.HEAT),
        (5, tables.HEAT),
        (4, tables.HEAT_COST_ALLOCATOR),
    ):
        yield from (ObisCode(a, 0, c, d, 0) for d in (0, *tables.PERIODICAL) for c in quantities)
    for c in tables.GAS_INDEXES:
        yield from (ObisCode(7, 0, c, d, 0) for d in tables.GAS_INDEX_PROCESSING)
    processing: dict[int, Iterable[int]] = {
        tables.GAS_FLOW: tables.GAS_FLOW_PROCESSING,
        tables.GAS_ANALYSIS: sorted(tables.GAS_ANALYSIS_COMPONENTS),
    }
    for c in tables.GAS_QUANTITIES:
        yield from (ObisCode(7, 0, c, d, 0) for d in processing.get(c, (0,)))


def _abstract() -> Iterator[ObisCode]:
    yield from _keys(0, tables.ABSTRACT_OBJECTS)


def _keys(a: int, table: Iterable[str]) -> Iterator[ObisCode]:
    """The codes behind the keys of a table of objects: each of a small range, the first of what counts on."""
    for key in table:
        c, d, e = ([*(_values(group) for group in key.split(".")), [0], [0]])[:3]
        yield from (ObisCode(a, 0, each_c, each_d, each_e) for each_c in c for each_d in d for each_e in e)


def _values(group: str) -> list[int]:
    first, _, last = group.partition("-")
    return list(range(int(first), min(int(last or first), int(first) + 9) + 1))
