"""communication_window of a Push setup: when the meter may say something. No window at all is always.

A window opens at its start_time and closes at its end_time; both are date-times with wildcards in the meter's local time, so that
one window may mean every night. A start of which nothing is specified was long ago, such an end never comes.
Source: Blue Book, class 40, attribute 4; what wildcards mean is that of execution times.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from meters.cosem.data import Data, as_date_time
from meters.cosem.date_time import UNSPECIFIED, CosemDate
from sessions.simulator.objects.clock import MeterClock
from sessions.simulator.objects.recurrence import ExecutionTime, last_until, next_after


@dataclass(frozen=True, slots=True)
class Window:
    """None: nothing of it is specified."""

    start: ExecutionTime | None
    end: ExecutionTime | None

    def is_open(self, moment: datetime, clock: MeterClock) -> bool:
        closed = None if self.end is None else last_until((self.end,), moment, clock)
        if self.start is None:
            return closed is None
        opened = last_until((self.start,), moment, clock)
        return opened is not None and (closed is None or closed < opened)


class Windows:
    """All windows of a setup: one that is open is enough."""

    def __init__(self, windows: Iterable[Window] = ()) -> None:
        self._windows = tuple(windows)

    @classmethod
    def from_data(cls, value: Data) -> Windows:
        """ValueError where one is none."""
        return cls(Window(_time(each[0]), _time(each[1])) for each in value)

    def is_open(self, moment: datetime, clock: MeterClock) -> bool:
        return not self._windows or any(window.is_open(moment, clock) for window in self._windows)

    def opens_after(self, moment: datetime, clock: MeterClock) -> datetime | None:
        """When the first one opens that is closed now; None: not within a year."""
        starts = [window.start for window in self._windows if window.start is not None]
        return next_after(starts, moment, clock)


def _time(value: Data) -> ExecutionTime | None:
    moment = as_date_time(value)
    if moment is None:
        raise ValueError("a window begins and ends at a date-time")
    if moment.date == CosemDate() and {moment.time.hour, moment.time.minute, moment.time.second} == {UNSPECIFIED}:
        return None
    return ExecutionTime.checked(moment.time, moment.date)
