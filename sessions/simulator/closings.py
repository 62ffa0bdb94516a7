"""When the billing periods of a simulated meter end: by the calendar, and whenever somebody resets the demand.

Ends by the calendar are computed; those by hand are remembered. Source: Blue Book, profiles 98.1 and 98.2; script table 10.0.1.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Any, Final

from meters.cosem.date_time import CosemDateTime
from sessions.simulator.load_curve import FIRST_DAY
from sessions.simulator.objects.clock import MeterClock

MAX_BY_HAND: Final = 128
"""Ends by hand that a meter remembers; older ones are forgotten."""


class BillingPeriod(Enum):
    """What ends at midnight; the values are the words of a meter type."""

    DAY = "day"
    MONTH = "month"


class Closings:
    """The ends of one kind of period, as moments of the meter's clock."""

    def __init__(self, clock: MeterClock, period: BillingPeriod) -> None:
        self.clock = clock
        self.period = period
        self._by_hand: list[datetime] = []

    def close(self) -> None:
        """The period ends now. A clock that was set back does not end it again."""
        self._by_hand = sorted({*self._by_hand, self.clock.now()})[-MAX_BY_HAND:]

    def last(self, moment: datetime, count: int, *, since: datetime | None = None) -> list[datetime]:
        """The newest ends up to and including this moment, in order, after `since` and the day of installation."""
        begin = self._midnight(FIRST_DAY)
        if since is not None:
            begin = max(begin, since)
        ends = [end for end in self._by_hand if begin < end <= moment]
        day = self._last_day(self.clock.localize(moment).date())
        for _ in range(count):
            end = self._midnight(day)
            if end <= begin:
                break
            ends.append(end)
            day = self._last_day(day - timedelta(days=1))
        return sorted(set(ends))[-count:] if count else []

    def opened(self, moment: datetime, *, ending: bool = False) -> datetime:
        """When the period of a moment began; `ending`: of that which ends with it, where one does."""
        until = moment - timedelta(microseconds=1) if ending else moment
        ends = self.last(until, 1)
        return ends[0] if ends else self._midnight(FIRST_DAY)

    def _last_day(self, day: date) -> date:
        return day if self.period is BillingPeriod.DAY else day.replace(day=1)

    def _midnight(self, day: date) -> datetime:
        return self.clock.local(CosemDateTime.from_datetime(datetime.combine(day, time())))

    def keep(self) -> Any:
        return [end.isoformat() for end in self._by_hand] or None

    def restore(self, kept: Any) -> None:
        self._by_hand = sorted(datetime.fromisoformat(end) for end in kept)
