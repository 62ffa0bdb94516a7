"""Times that come again: the next one and the last one, across wildcards, years and the clock's changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.date_time import CosemDate, CosemTime
from sessions.simulator.objects.clock import NO_DAYLIGHT_SAVINGS, MeterClock
from sessions.simulator.objects.daylight import DaylightSavings
from sessions.simulator.objects.recurrence import ExecutionTime, last_until, moment_of, next_after
from tests.sessions.simulator.served import HandClock

SUMMER_TIME = DaylightSavings(NO_DAYLIGHT_SAVINGS.begin, NO_DAYLIGHT_SAVINGS.end)
CLOCK = MeterClock(HandClock(), 60, daylight=SUMMER_TIME)
SIX = ExecutionTime(CosemTime(6, 0, 0), CosemDate())


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("each", "after", "expected"),
    [
        (SIX, utc(2026, 1, 1, 4, 59), utc(2026, 1, 1, 5)),
        (SIX, utc(2026, 1, 1, 5), utc(2026, 1, 2, 5)),
        (SIX, utc(2026, 6, 30, 23), utc(2026, 7, 1, 4)),  # summer time
        (SIX, utc(2026, 3, 28, 5), utc(2026, 3, 29, 4)),  # the night in which it begins
        (ExecutionTime(CosemTime(), CosemDate()), utc(2026, 1, 1, 4, 59, 30), utc(2026, 1, 1, 5)),
        (ExecutionTime(CosemTime(0, 0, 0), CosemDate(month=1, day=1)), utc(2026, 1, 2), utc(2026, 12, 31, 23)),
        (ExecutionTime(CosemTime(0, 0, 0), CosemDate(2031, 5, 17)), utc(2026, 1, 2), utc(2031, 5, 16, 22)),
        (ExecutionTime(CosemTime(0, 0, 0), CosemDate(2025, 5, 17)), utc(2026, 1, 2), None),
        (ExecutionTime(CosemTime(0, 0, 0), CosemDate(2026, 2, 30)), utc(2026, 1, 2), None),
    ],
)
def test_the_next_one(each, after, expected):
    assert next_after([each], after, CLOCK) == expected


@pytest.mark.parametrize(
    ("each", "until", "expected"),
    [
        (SIX, utc(2026, 1, 1, 5), utc(2026, 1, 1, 5)),
        (SIX, utc(2026, 1, 1, 4, 59), utc(2025, 12, 31, 5)),
        (SIX, utc(2026, 7, 1, 4), utc(2026, 7, 1, 4)),
        (ExecutionTime(CosemTime(0, 0, 0), CosemDate(2001, 5, 17)), utc(2026, 1, 2), utc(2001, 5, 16, 22)),
        (ExecutionTime(CosemTime(0, 0, 0), CosemDate(2031, 5, 17)), utc(2026, 1, 2), None),
    ],
)
def test_the_last_one(each, until, expected):
    assert last_until([each], until, CLOCK) == expected


def test_of_several_the_nearest_counts():
    noon = ExecutionTime(CosemTime(12, 0, 0), CosemDate())
    assert next_after([SIX, noon], utc(2026, 1, 1, 6), CLOCK) == utc(2026, 1, 1, 11)
    assert last_until([SIX, noon], utc(2026, 1, 1, 6), CLOCK) == utc(2026, 1, 1, 5)
    assert next_after([], utc(2026, 1, 1), CLOCK) is None
    assert last_until([], utc(2026, 1, 1), CLOCK) is None


HOURS, MINUTES = st.sampled_from([0xFF, *range(24)]), st.sampled_from([0xFF, 0, 1, 30, 59])
DATES = st.builds(
    CosemDate, st.sampled_from([0xFFFF, 2026]), st.sampled_from([0xFF, 3, 10, 12]), st.sampled_from([0xFF, 1, 29, 31])
)
TIMES = st.builds(ExecutionTime, st.builds(CosemTime, HOURS, MINUTES, st.sampled_from([0xFF, 0, 59])), DATES)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))


@given(TIMES, MOMENTS)
def test_nothing_lies_between_the_last_one_and_the_next(each, moment):
    """The days about the moment, walked through whole, say the same; but for the hour that a clock leaves out."""
    before, after = last_until([each], moment, CLOCK), next_after([each], moment, CLOCK)
    assert before is None or before <= moment
    assert after is None or after > moment
    today = CLOCK.localize(moment).date()
    near = [
        moment_of(datetime.combine(day, at), CLOCK)
        for day in (today + timedelta(days=number) for number in range(-2, 3))
        for at in each.on(day)
    ]
    earlier, later = [one for one in near if one <= moment], [one for one in near if one > moment]
    hour = timedelta(hours=1)
    assert not earlier or (before is not None and before >= max(earlier) - hour)
    assert not later or (after is not None and after <= min(later) + hour)


@pytest.mark.parametrize(("at", "day"), [(CosemTime(24, 0, 0), CosemDate()), (CosemTime(0, 0, 0), CosemDate(month=13))])
def test_a_field_that_is_out_of_range(at, day):
    with pytest.raises(ValueError):
        ExecutionTime.checked(at, day)
