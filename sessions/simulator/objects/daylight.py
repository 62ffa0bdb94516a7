"""Daylight saving as the object Clock describes it: two yearly moments with wildcards, and how far the clock goes ahead.

Source: Blue Book, class 8: daylight_savings_begin is normal time, daylight_savings_end is time with the deviation.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

from meters.cosem.date_time import LAST_DAY, SECOND_LAST_DAY, UNSPECIFIED, UNSPECIFIED_YEAR, CosemDate, CosemDateTime

MAX_DEVIATION: Final = 120
"""Minutes."""


@dataclass(frozen=True, slots=True)
class DaylightSavings:
    """When the clock goes ahead, and by how many minutes. ValueError where begin or end is no moment of a year."""

    begin: CosemDateTime
    end: CosemDateTime
    deviation: int = 60
    enabled: bool = True

    def __post_init__(self) -> None:
        for wanted in (self.begin, self.end):
            moment_in_year(wanted, 2000)
        if not -MAX_DEVIATION <= self.deviation <= MAX_DEVIATION:
            raise ValueError(f"a deviation has at most {MAX_DEVIATION} minutes")

    @property
    def ahead(self) -> timedelta:
        return timedelta(minutes=self.deviation)

    def is_active(self, normal: datetime) -> bool:
        """Whether it is in force at a moment of normal time, which has no zone."""
        if not self.enabled:
            return False
        begin = moment_in_year(self.begin, normal.year)
        end = moment_in_year(self.end, normal.year) - self.ahead
        if begin <= end:
            return begin <= normal < end
        return not end <= normal < begin  # south of the equator summer spans New Year


@lru_cache(maxsize=1024)
def moment_in_year(wanted: CosemDateTime, year: int) -> datetime:
    """The moment of a year that a date-time with wildcards names: a day, the last or second last day of the month, or of these
    the one with the weekday; ValueError where it names none.
    """
    if wanted.date.year not in (UNSPECIFIED_YEAR, year):
        year = wanted.date.year
    time = wanted.time
    second = 0 if time.second == UNSPECIFIED else time.second
    day = named_day(wanted.date, year)
    return datetime(day.year, day.month, day.day, time.hour, time.minute, second)


def named_day(wanted: CosemDate, year: int) -> date:
    """The day of a year that a date names, whose month is given; ValueError for none.

    With a weekday: the first one on the day or after it, or the last (second last) one of the month.
    """
    length = calendar.monthrange(year, wanted.month)[1] if wanted.month in range(1, 13) else 0
    backwards = {LAST_DAY: 0, SECOND_LAST_DAY: 1}.get(wanted.day)
    day = date(year, wanted.month, length if backwards is not None else wanted.day)
    if wanted.day_of_week == UNSPECIFIED:
        return day - timedelta(days=backwards or 0)
    if backwards is None:
        return day + timedelta(days=(wanted.day_of_week - day.isoweekday()) % 7)
    return day - timedelta(days=(day.isoweekday() - wanted.day_of_week) % 7 + 7 * backwards)


def falls_on(wanted: CosemDate, day: date) -> bool:
    """Whether a date with wildcards means this day."""
    if wanted.year not in (UNSPECIFIED_YEAR, day.year) or wanted.month not in (UNSPECIFIED, day.month):
        return False
    if wanted.day == UNSPECIFIED:
        return wanted.day_of_week in (UNSPECIFIED, day.isoweekday())
    try:
        return named_day(replace(wanted, month=day.month), day.year) == day
    except ValueError:
        return False
