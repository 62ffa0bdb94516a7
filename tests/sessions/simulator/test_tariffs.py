"""Tariffs: which rate counts when, and registers that add up to the total at any moment, whatever happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import Data, array, long_unsigned, octet_string, structure, unsigned
from meters.cosem.date_time import CosemDateTime
from sessions.simulator.objects.clock import NO_DAYLIGHT_SAVINGS, MeterClock
from sessions.simulator.tariffs import Calendar, RateRegisters, TariffPlan, day_and_night
from tests.sessions.simulator.builders.building import meter_of, only
from tests.sessions.simulator.calendars import CALENDAR, RATES, SPECIAL_DAYS, TOTAL
from tests.sessions.simulator.served import HandClock


def plan_of(zone: int = 60, *, daylight: bool = True) -> TariffPlan:
    """The test calendar's plan on a clock with daylight saving."""
    seasons: Any = only(CALENDAR)
    given = replace(NO_DAYLIGHT_SAVINGS, enabled=daylight)
    plan = TariffPlan(MeterClock(HandClock(), zone_minutes=zone, daylight=given), seasons.plan.calendar)
    special: Any = only(SPECIAL_DAYS)
    plan.begin(specials=special.plan.specials)
    return plan


def shown(plan: TariffPlan, day: date) -> list[tuple[str, int]]:
    return [(f"{plan.clock.localize(moment):%d. %H:%M}", rate) for moment, rate in plan.switches(day)]


@pytest.mark.parametrize(
    ("day", "switches"),
    [
        (date(2026, 6, 3), [("03. 06:00", 1), ("03. 22:00", 2)]),
        (date(2026, 6, 6), [("06. 00:00", 2)]),
        (date(2026, 4, 1), [("01. 06:00", 1), ("01. 22:00", 2)]),
        (date(2026, 3, 31), [("31. 00:00", 2), ("31. 05:30", 1), ("31. 10:15", 3), ("31. 23:00", 2)]),
        (date(2026, 1, 2), [("02. 00:00", 2), ("02. 05:30", 1), ("02. 10:15", 3), ("02. 23:00", 2)]),
        (date(2026, 12, 25), [("25. 00:00", 4)]),
        (date(2027, 12, 25), [("25. 00:00", 4)]),
        (date(2026, 7, 1), [("01. 00:00", 4)]),
        (date(2027, 7, 1), [("01. 06:00", 1), ("01. 22:00", 2)]),
    ],
)
def test_seasons_weeks_days_and_special_days(day, switches):
    assert shown(plan_of(), day) == switches


def test_the_switches_follow_the_clock_on_the_wall():
    plan = plan_of()
    (begins, _), _ = plan.switches(date(2026, 6, 3))
    assert begins == datetime(2026, 6, 3, 4, tzinfo=UTC)  # six o'clock in summer
    assert plan.switches(date(2026, 1, 2))[1][0] == datetime(2026, 1, 2, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize("wrong", [unsigned(1), array(), array(unsigned(1)), array(structure()), octet_string(b"")])
def test_what_is_no_calendar(at, wrong):
    parts: list[Data] = list(day_and_night().attributes)
    parts[at] = wrong
    if at == 0:
        assert Calendar(*parts).days
        return
    with pytest.raises(ValueError):
        Calendar(*parts)


def test_a_season_that_starts_on_no_day():
    name, _, weeks, days = day_and_night().attributes
    for start in (b"\xff\xff\x02\x1e\xff", b"\xff\xff\x02\x1d\xff", b"\xff\xff\x0d\x01\xff"):
        moment = octet_string(start + bytes((0, 0, 0, 0, 0x80, 0, 0)))
        with pytest.raises(ValueError):
            Calendar(name, array(structure(octet_string(b"x"), moment, octet_string(b"week"))), weeks, days)


def test_a_script_that_is_no_number():
    name, seasons, weeks, _ = day_and_night().attributes
    row = structure(octet_string(bytes(4)), octet_string(bytes(6)), octet_string(b"1"))
    with pytest.raises(ValueError):
        Calendar(name, seasons, weeks, array(structure(unsigned(1), array(row))))


# -- registers ---------------------------------------------------------------------------------------------------------

MOMENTS = st.datetimes(datetime(2023, 12, 30), datetime(2025, 4, 30), timezones=st.just(UTC))
"""Two turns of the year, and three of the clock. Each example computes every day from the first one on: more of them would bring
nothing new, and thousands of examples would run into the time limit of a test."""
DEEDS = st.lists(
    st.tuples(st.sampled_from(["open", "close", "summer time", "hand", "specials", "calendar"]), MOMENTS), max_size=6
)


class Bench:
    """A meter with four rates, to which things happen."""

    def __init__(self) -> None:
        self.clock = HandClock(datetime(2026, 6, 3, 12, tzinfo=UTC))
        self.meter = meter_of(CALENDAR, SPECIAL_DAYS, TOTAL, *RATES, clock=self.clock)
        objects = [access.target for access in self.meter.objects.values()]
        self.calendar: Any = objects[0]
        self.plan: TariffPlan = self.calendar.plan
        self.specials, self.total, *self.rates = objects[1:]

    def happens(self, deed: str, moment: datetime) -> None:
        self.clock.moment = moment
        now = self.plan.clock.now()
        supply: Any = self.meter.memory._parts["1 supply"]
        match deed:
            case "open":
                supply.disconnect(self.plan.clock.normal(now))
            case "close":
                supply.reconnect(self.plan.clock.normal(now))
            case "summer time":
                daylight = self.plan.clock.daylight
                self.plan.clock.daylight = replace(daylight, enabled=not daylight.enabled)
            case "hand":
                self.plan.run_by_hand(3, at=now)
            case "specials":
                self.specials.invoke(2, long_unsigned(1)) if len(self.specials.read(2)) > 1 else None
            case "calendar":
                self.plan.adopt(day_and_night(), at=now)

    def at(self, moment: datetime) -> tuple[int, list[int]]:
        total, *rates = (each.captured(2, moment).value for each in (self.total, *self.rates))
        return total, rates


@settings(deadline=None, max_examples=25)
@given(DEEDS, st.lists(MOMENTS, min_size=1, max_size=5))
def test_the_rates_add_up_to_the_total_and_never_fall(deeds, moments):
    bench = Bench()
    for deed, moment in sorted(deeds, key=lambda each: each[1]):
        bench.happens(deed, moment)
    last = [0] * len(RATES)
    for moment in sorted(moments):
        total, rates = bench.at(moment)
        assert sum(rates) == total
        assert all(now >= before for now, before in zip(rates, last, strict=True))
        last = rates


@settings(deadline=None, max_examples=25)
@given(DEEDS, MOMENTS, MOMENTS)
def test_the_past_stays_what_it_was(deeds, asked, then):
    """What was counted until a moment is not changed by what happens after it."""
    bench = Bench()
    deeds = sorted(deeds, key=lambda each: each[1])
    for deed, moment in deeds:
        if moment < then and deed != "summer time":
            bench.happens(deed, moment)
    before = bench.at(min(asked, then))
    for deed, moment in deeds:
        if moment >= then and deed != "summer time":
            bench.happens(deed, moment)
    assert bench.at(min(asked, then)) == before


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_the_days_on_which_the_clock_changes(day):
    """Every quarter of an hour counts once, for the rate of the clock on the wall."""
    plan = plan_of()
    begin = datetime.combine(day, time(), UTC) - timedelta(hours=3)
    units = RateRegisters(plan, lambda moment: round((moment - begin).total_seconds() / 900), lambda: 0)
    first, last = (
        plan.clock.local(CosemDateTime.from_datetime(datetime.combine(day + timedelta(days=more), time())))
        for more in (0, 1)
    )
    counted = [units.value(rate, last) - units.value(rate, first) for rate in (1, 2, 3, 4)]
    assert sum(counted) == (last - first) // timedelta(minutes=15)
    assert (last - first) // timedelta(hours=1) == (23 if day.month == 3 else 25)


def test_a_year_by_day_and_night():
    meter = meter_of(TOTAL, *RATES[:2], clock=HandClock())
    total, day, night = (access.target.read(2).value for access in meter.objects.values())
    assert day + night == total
    assert 0.1 < night / total < 0.4


def test_a_plan_survives():
    bench, other = Bench(), Bench()
    for deed, hour in (("hand", 13), ("specials", 14), ("calendar", 15)):
        bench.happens(deed, datetime(2026, 6, 3, hour, tzinfo=UTC))
    other.meter.memory.restore(bench.meter.memory.keep())
    later = datetime(2026, 8, 1, tzinfo=UTC)
    assert other.at(later) == bench.at(later)
    assert other.plan.switches(date(2026, 6, 3)) == bench.plan.switches(date(2026, 6, 3))
    with pytest.raises(ValueError):
        other.plan.restore([])
