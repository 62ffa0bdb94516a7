"""Times and dates with wildcards that come again and again: execution times of schedules, windows of communication.

Source: Blue Book, class 22 (execution_time), class 40 (communication_window), octet-string dates and times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from meters.cosem.data import Data
from meters.cosem.date_time import UNSPECIFIED, UNSPECIFIED_YEAR, CosemDate, CosemTime
from sessions.simulator.objects.clock import MeterClock
from sessions.simulator.objects.daylight import falls_on, named_day

MAX_DAYS: Final = 400
"""Days that are looked back or ahead for a time that comes again."""
CLOCK_CHANGE: Final = timedelta(hours=3)
"""More than daylight saving shifts a time of day."""


@dataclass(frozen=True, slots=True)
class ExecutionTime:
    """A time and a date, both with wildcards: a minute or an hour that is not specified is each one, a second is the first."""

    at: CosemTime
    day: CosemDate

    @classmethod
    def from_data(cls, data: Data) -> ExecutionTime:
        """ValueError where it is none."""
        try:
            at, day = (each.value for each in data)
            at = at if isinstance(at, CosemTime) else CosemTime.decode(at)
            day = day if isinstance(day, CosemDate) else CosemDate.decode(day)
        except TypeError as error:
            raise ValueError(str(error)) from None
        return cls.checked(at, day)

    @classmethod
    def checked(cls, at: CosemTime, day: CosemDate) -> ExecutionTime:
        """ValueError where a field is out of range."""
        if not (at.in_range and day.in_range):
            raise ValueError("a field is out of range")
        return cls(at, day)

    def on(self, day: date) -> Iterator[time]:
        """The times of this day, in order."""
        if not falls_on(self.day, day):
            return
        second = 0 if self.at.second == UNSPECIFIED else self.at.second
        for hour in range(24) if self.at.hour == UNSPECIFIED else (self.at.hour,):
            for minute in range(60) if self.at.minute == UNSPECIFIED else (self.at.minute,):
                yield time(hour, minute, second)

    @property
    def only_day(self) -> date | None:
        """The one day that is meant, where there is but one."""
        if self.day.year == UNSPECIFIED_YEAR or UNSPECIFIED in (self.day.month, self.day.day):
            return None
        try:
            return named_day(self.day, self.day.year)
        except ValueError:
            return None


def next_after(times: Iterable[ExecutionTime], after: datetime, clock: MeterClock) -> datetime | None:
    """The first moment behind `after` that one of them means; None where there is none for a year."""
    found = (_first(each, after, clock) for each in times)
    return min((moment for moment in found if moment is not None), default=None)


def last_until(times: Iterable[ExecutionTime], until: datetime, clock: MeterClock) -> datetime | None:
    """The last moment up to and including `until` that one of them means; None where there was none for a year."""
    found = (_last(each, until, clock) for each in times)
    return max((moment for moment in found if moment is not None), default=None)


def _days(each: ExecutionTime, begin: date, step: int) -> Iterable[date]:
    """Days on which it may be, from one on, forwards or backwards; made one by one, as most are found soon."""
    only = each.only_day
    if only is None:
        return (begin + timedelta(days=step * number) for number in range(MAX_DAYS))
    return (only,) if (only - begin).days * step >= 0 else ()


def _first(each: ExecutionTime, after: datetime, clock: MeterClock) -> datetime | None:
    shown_now = clock.localize(after).replace(tzinfo=None)
    begin = shown_now - CLOCK_CHANGE
    for day in _days(each, shown_now.date(), 1):
        for at in each.on(day):
            shown = datetime.combine(day, at)
            if shown >= begin and (moment := moment_of(shown, clock)) > after:
                return moment
    return None


def _last(each: ExecutionTime, until: datetime, clock: MeterClock) -> datetime | None:
    shown_now = clock.localize(until).replace(tzinfo=None)
    end = shown_now + CLOCK_CHANGE
    for day in _days(each, shown_now.date(), -1):
        for at in reversed(list(each.on(day))):
            shown = datetime.combine(day, at)
            if shown <= end and (moment := moment_of(shown, clock)) <= until:
                return moment
    return None


def moment_of(shown: datetime, clock: MeterClock) -> datetime:
    """When the clock shows this time, which has no zone."""
    return clock.from_shown(shown)
