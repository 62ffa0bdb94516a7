"""Tariffs of a simulated meter: which rate counts at any moment, and what each rate has counted until then.

    day -> special day, or season -> week -> day profile -> switches of this day -> rate

Nothing is counted as time goes by: the plan remembers which calendar was in force since when, and the registers of the rates
are computed for any moment of the past, from the whole units that the total had counted at each switch. So the rates of a
moment always add up to its total, and none ever falls. Source: Blue Book, classes 11 and 20.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from meters.cosem.data import Data, DataType, array, as_date_time, long_unsigned, octet_string, structure, unsigned
from meters.cosem.date_time import (
    UNSPECIFIED,
    CosemDate,
    CosemDateTime,
    CosemTime,
)
from meters.cosem.obis import ObisCode
from sessions.dlms.axdr import decode_data, encode_data
from sessions.simulator.load_curve import FIRST_DAY
from sessions.simulator.objects.clock import MeterClock
from sessions.simulator.objects.daylight import falls_on, moment_in_year

DAYS_OF_A_WEEK: Final = 7
TARIFF_SCRIPTS: Final = ObisCode(0, 0, 10, 0, 100, 255)
MAX_CHANGES: Final = 64
"""Calendars and switches by hand that a meter remembers. Those before are forgotten: the first that is left counts for them."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """An activity calendar: attributes 2 to 5 of class 20 as they are on the wire, and what they mean.

    ValueError where a season names no week that there is, a week no day, or a time is none.
    """

    name: Data
    season_profile: Data
    week_profile_table: Data
    day_profile_table: Data
    seasons: tuple[tuple[CosemDateTime, bytes], ...] = field(init=False)
    weeks: Mapping[bytes, tuple[int, ...]] = field(init=False)
    days: Mapping[int, tuple[tuple[time, int], ...]] = field(init=False)

    def __post_init__(self) -> None:
        try:
            days = {row[0].value: _switches(row[1]) for row in self.day_profile_table}
            weeks = {row[0].value: tuple(each.value for each in list(row)[1:]) for row in self.week_profile_table}
            seasons = tuple((_start(row[1]), row[2].value) for row in self.season_profile)
        except (TypeError, IndexError, AttributeError) as error:
            raise ValueError(f"this is no calendar: {error}") from None
        if not seasons or any(week not in weeks for _, week in seasons):
            raise ValueError("a season without a week")
        if any(len(week) != DAYS_OF_A_WEEK or not set(week) <= set(days) for week in weeks.values()):
            raise ValueError("a week without a day")
        object.__setattr__(self, "days", days)
        object.__setattr__(self, "weeks", weeks)
        object.__setattr__(self, "seasons", seasons)

    @property
    def attributes(self) -> tuple[Data, Data, Data, Data]:
        return self.name, self.season_profile, self.week_profile_table, self.day_profile_table

    def switches(self, day: date, specials: Iterable[tuple[CosemDate, int]]) -> tuple[tuple[time, int], ...]:
        """Times of this day, and the script that is run at each. A special day goes before the season's week."""
        special = next((number for wanted, number in specials if number in self.days and falls_on(wanted, day)), None)
        return self.days[special if special is not None else self.weeks[self._week(day)][day.weekday()]]

    def _week(self, day: date) -> bytes:
        """Of the season that began last: this year, or the year before."""
        begun = [(start, week) for start, week in self._starts(day.year) if start <= day]
        return max(begun or self._starts(day.year - 1), key=lambda each: each[0])[1]

    def _starts(self, year: int) -> list[tuple[date, bytes]]:
        return [(_day_in_year(start, year), week) for start, week in self.seasons]


def _day_in_year(start: CosemDateTime, year: int) -> date:
    if start.date.month == UNSPECIFIED:
        return date(year, 1, 1)
    return moment_in_year(CosemDateTime(start.date, CosemTime(0, 0, 0)), year).date()


def _start(value: Data) -> CosemDateTime:
    start = as_date_time(value)
    if start is None:
        raise ValueError("a season starts at a date-time")
    for year in (2000, 2001):  # the 29th of February is no day to start on
        _day_in_year(start, year)
    return start


def _switches(schedule: Data) -> tuple[tuple[time, int], ...]:
    """In the order of the day."""
    switches = sorted((_time_of(row[0]), row[2].value) for row in schedule)
    if not all(isinstance(script, int) for _, script in switches):
        raise ValueError("a script is a number")
    return tuple(switches)


def _time_of(value: Data) -> time:
    at = value.value if value.type is DataType.TIME else CosemTime.decode(value.value)
    hour, minute, second = (0 if part == UNSPECIFIED else part for part in (at.hour, at.minute, at.second))
    return time(hour, minute, second)


def day_and_night() -> Calendar:
    """Rate 1 from 6 to 22 o'clock and rate 2 for the others, every day of the year."""
    script = octet_string(TARIFF_SCRIPTS.octets)
    schedule = array(
        *(
            structure(octet_string(CosemTime(hour, 0, 0, 0).encode()), script, long_unsigned(rate))
            for hour, rate in ((0, 2), (6, 1), (22, 2))
        )
    )
    start = octet_string(CosemDateTime(CosemDate(month=1, day=1), CosemTime()).encode())
    return Calendar(
        octet_string(b"standard"),
        array(structure(octet_string(b"year"), start, octet_string(b"week"))),
        array(structure(octet_string(b"week"), *[unsigned(1)] * DAYS_OF_A_WEEK)),
        array(structure(unsigned(1), schedule)),
    )


Specials = tuple[tuple[CosemDate, int], ...]
"""Dates with wildcards, and the day profile that counts on them."""


@dataclass(frozen=True, slots=True)
class Change:
    """What counts from a moment on: a calendar with its special days, or the script that somebody ran by hand."""

    since: datetime
    calendar: Calendar
    specials: Specials = ()
    by_hand: int | None = None


class TariffPlan:
    """Which rate counts when. The number of a rate is that of the script that the calendar runs."""

    def __init__(self, clock: MeterClock, calendar: Calendar) -> None:
        self.clock = clock
        self.version = 0
        """Grows with every change of the past or the future."""
        self._changes = [Change(datetime.combine(FIRST_DAY, time(), clock.zone) - timedelta(days=400), calendar)]

    @property
    def calendar(self) -> Calendar:
        return self._changes[-1].calendar

    @property
    def specials(self) -> Specials:
        return self._changes[-1].specials

    def begin(self, calendar: Calendar | None = None, specials: Specials | None = None) -> None:
        """What the meter was built with."""
        first = self._changes[0]
        given = calendar or first.calendar, first.specials if specials is None else specials
        self._changes = [Change(first.since, *given)]
        self.version += 1

    def adopt(self, calendar: Calendar | None = None, specials: Specials | None = None, *, at: datetime) -> None:
        """From this moment on another calendar counts, or other special days do."""
        given = calendar or self.calendar, self.specials if specials is None else specials
        self._add(Change(at, *given))

    def run_by_hand(self, script: int, *, at: datetime) -> None:
        """Somebody ran a script: its rate counts until the calendar's next switch."""
        self._add(Change(at, self.calendar, self.specials, script))

    def _add(self, change: Change) -> None:
        """A clock that was set back takes back what was to come."""
        kept = [each for each in self._changes if each.since < change.since] or [self._changes[0]]
        self._changes = [*kept, change][-MAX_CHANGES:]
        self.version += 1

    # -- the switches of a day ---------------------------------------------------------------------------------------

    def switches(self, day: date) -> list[tuple[datetime, int]]:
        """Moments of a local day, in order, and the rate from each on."""
        begin, end = self._moment(day, time()), self._moment(day + timedelta(days=1), time())
        at = max(0, bisect_right(self._changes, begin, key=lambda each: each.since) - 1)
        found = self._of_calendar(self._changes[at], day)
        for change in self._changes[at + 1 :]:
            if change.since >= end:
                break
            planned = self._of_calendar(change, day)
            rate = change.by_hand if change.by_hand is not None else self._in_force(change, day, planned)
            found = [each for each in found if each[0] < change.since]
            found += [(change.since, rate), *(each for each in planned if each[0] > change.since)]
        return found

    def _of_calendar(self, change: Change, day: date) -> list[tuple[datetime, int]]:
        given = change.calendar.switches(day, change.specials)
        return sorted((self._moment(day, at), rate) for at, rate in given)

    def _in_force(self, change: Change, day: date, planned: list[tuple[datetime, int]]) -> int:
        """What a calendar that is new at a moment would have switched to before it."""
        before = [rate for moment, rate in planned if moment <= change.since]
        for back in range(1, DAYS_OF_A_WEEK + 1):
            if before:
                break
            earlier = self._of_calendar(change, day - timedelta(days=back))
            before = [rate for _, rate in earlier]
        return before[-1] if before else 1

    def _moment(self, day: date, at: time) -> datetime:
        return self.clock.from_shown(datetime.combine(day, at))

    # -- memory ------------------------------------------------------------------------------------------------------

    def keep(self) -> list[dict[str, Any]]:
        return [
            {
                "since": each.since.isoformat(),
                "calendar": [encode_data(value).hex() for value in each.calendar.attributes],
                "specials": [[wanted.encode().hex(), number] for wanted, number in each.specials],
                "by_hand": each.by_hand,
            }
            for each in self._changes
        ]

    def restore(self, kept: Any) -> None:
        changes = [
            Change(
                datetime.fromisoformat(each["since"]),
                Calendar(*(decode_data(bytes.fromhex(value)) for value in each["calendar"])),
                tuple((CosemDate.decode(bytes.fromhex(wanted)), int(number)) for wanted, number in each["specials"]),
                each["by_hand"],
            )
            for each in kept
        ]
        if not changes:
            raise ValueError("a plan without a calendar")
        self._changes = changes
        self.version += 1


@dataclass(slots=True)
class _Day:
    """What each rate had counted when a local day began, which counted then, and the switches of the day."""

    counted: Counter[int]
    total: int
    rate: int
    switches: list[tuple[datetime, int]]


class RateRegisters:
    """What each rate counted of a total. `total` gives its whole units at a moment, and `changed` says when it gives others."""

    def __init__(self, plan: TariffPlan, total: Callable[[datetime], int], changed: Callable[[], Any]) -> None:
        self._plan = plan
        self._total = total
        self._changed = changed
        self._days: list[_Day] = []
        self._computed_for: Any = None

    def rate_at(self, moment: datetime) -> int:
        day = self._day(self._plan.clock.localize(moment).date())
        return next((rate for at, rate in reversed(day.switches) if at <= moment), day.rate)

    def value(self, rate: int, moment: datetime) -> int:
        """Whole units that this rate counted until a moment."""
        local = self._plan.clock.localize(moment).date()
        if local < FIRST_DAY:
            return 0
        day = self._day(local)
        return self._after(day, moment, self._total(moment))[rate]

    @staticmethod
    def _passed(day: _Day, moment: datetime) -> list[tuple[datetime, int]]:
        return [each for each in day.switches if each[0] <= moment]

    def _after(self, day: _Day, moment: datetime, total: int) -> Counter[int]:
        counted, at, rate = Counter(day.counted), day.total, day.rate
        for switch, following in self._passed(day, moment):
            now = self._total(switch)
            counted[rate] += now - at
            at, rate = now, following
        counted[rate] += total - at
        return counted

    def _day(self, local: date) -> _Day:
        """The day, and all before it once."""
        clock = self._plan.clock
        valid = (self._plan.version, clock.zone_minutes, clock.daylight, self._changed())
        if valid != self._computed_for:
            self._days, self._computed_for = [], valid
        number = max(0, (local - FIRST_DAY).days)
        while len(self._days) <= number:
            self._days.append(self._next())
        return self._days[number]

    def _next(self) -> _Day:
        begins = FIRST_DAY + timedelta(days=len(self._days))
        switches = self._plan.switches(begins)
        if not self._days:
            return _Day(Counter(), 0, switches[-1][1] if switches else 1, switches)
        before = self._days[-1]
        midnight = self._plan.clock.from_shown(datetime.combine(begins, time()))
        total = self._total(midnight)
        rate = before.switches[-1][1] if before.switches else before.rate
        return _Day(self._after(before, midnight, total), total, rate, switches)
