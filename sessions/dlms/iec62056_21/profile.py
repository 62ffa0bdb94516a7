"""Load profiles and event lists as data lines (VDEW specification 2.1.2, as EMH, Landis+Gyr, MetCom and others write it).

    P.01 (moment)(status)(minutes between rows)(columns) (address)(unit)… CR LF
    (value)… CR LF                                        one line a row, from the moment on
    P.98 (moment)(status)()(columns) (address)(unit)… (value)…

A moment is `[Z]YYMMDDhhmm[ss]`; Z is 0 for standard time, 1 for summer time, 2 for UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sessions.dlms.iec62056_21.data_set import DataSet

PROFILE_PREFIX: Final = "P."
HEADER_VALUES: Final = 4
CENTURY: Final = 2000
MAX_COLUMNS: Final = 64

_MOMENT: Final = re.compile(r"([0-2]?)(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?")


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of the meter's clock. `season`: 0 standard time, 1 summer time, 2 UTC, None where it is not said."""

    moment: datetime
    season: int | None = None

    @classmethod
    def parse(cls, text: str) -> Moment | None:
        """None where the text is no moment: event lists hold zeros, too."""
        found = _MOMENT.fullmatch(text)
        if found is None:
            return None
        year, month, day, hour, minute = (int(found[group]) for group in range(2, 7))
        try:
            moment = datetime(CENTURY + year, month, day, hour, minute, int(found[7] or 0))
        except ValueError:
            return None
        return cls(moment, int(found[1]) if found[1] else None)


@dataclass(frozen=True, slots=True)
class Column:
    """The address and the unit of one column; an event list leaves units empty."""

    address: str
    unit: str


@dataclass(frozen=True, slots=True)
class Profile:
    """Rows of texts as the meter wrote them. `interval`: minutes from row to row, None in event lists."""

    address: str
    begin: str
    status: str
    interval: int | None
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]

    def moment_of(self, row: int) -> datetime | None:
        """When a row was captured, by the meter's clock."""
        begin = Moment.parse(self.begin)
        if begin is None:
            return None
        return begin.moment + timedelta(minutes=row * (self.interval or 0))


def profiles(data_sets: Iterable[DataSet]) -> list[Profile]:
    """The profiles in the data sets of a block, in order. Data sets that are none are passed over."""
    return list(_profiles(data_sets))


def _profiles(data_sets: Iterable[DataSet]) -> Iterator[Profile]:
    header: DataSet | None = None
    values: list[str] = []
    for data_set in data_sets:
        if data_set.address:
            yield from _finished(header, values)
            header, values = (data_set, []) if data_set.address.startswith(PROFILE_PREFIX) else (None, [])
        elif header is not None:
            values += (str(value) for value in data_set.values)
    yield from _finished(header, values)


def _finished(header: DataSet | None, values: list[str]) -> Iterator[Profile]:
    """The profile of one header and the values behind it; none where the header is none."""
    if header is None or len(header.values) < HEADER_VALUES:
        return
    texts = [str(value) for value in header.values]
    begin, status, interval, count = texts[:HEADER_VALUES]
    if not count.isdecimal() or int(count) > MAX_COLUMNS or len(texts) < HEADER_VALUES + 2 * int(count):
        return
    width = int(count)
    names, rest = texts[HEADER_VALUES : HEADER_VALUES + 2 * width], texts[HEADER_VALUES + 2 * width :]
    cells = rest + values
    rows = tuple(tuple(cells[at : at + width]) for at in range(0, len(cells), width)) if width else ()
    columns = tuple(Column(names[at], names[at + 1]) for at in range(0, 2 * width, 2))
    yield Profile(header.address, begin, status, int(interval) if interval.isdecimal() else None, columns, rows)
