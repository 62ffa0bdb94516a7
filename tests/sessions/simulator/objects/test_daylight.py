"""Daylight saving: which moments of a year the wildcards name, and when the clock is ahead."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.date_time import CosemDate
from meters.cosem.date_time_text import parse_date, parse_date_time
from sessions.simulator.objects.daylight import DaylightSavings, falls_on, moment_in_year

EUROPE = DaylightSavings(parse_date_time("*-03-last Sun 02:00:00"), parse_date_time("*-10-last Sun 03:00:00"))
AUSTRALIA = DaylightSavings(parse_date_time("*-10-01 Sun 02:00:00"), parse_date_time("*-04-01 Sun 03:00:00"))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("*-03-last Sun 02:00:00", "2026-03-29T02:00:00"),
        ("*-03-second-last Sun 02:00:00", "2026-03-22T02:00:00"),
        ("*-02-last 00:00:00", "2026-02-28T00:00:00"),
        ("*-02-second-last 00:00:00", "2026-02-27T00:00:00"),
        ("*-03-08 Sun 02:00:00", "2026-03-08T02:00:00"),
        ("*-03-09 Sun 02:00:00", "2026-03-15T02:00:00"),
        ("*-04-01 02:00:00", "2026-04-01T02:00:00"),
        ("2031-04-01 02:00:00", "2031-04-01T02:00:00"),
    ],
)
def test_the_moment_of_a_year(wanted, found):
    assert moment_in_year(parse_date_time(wanted), 2026).isoformat() == found


@pytest.mark.parametrize("wanted", ["*-*-01 02:00:00", "*-03-* 02:00:00", "*-02-31 02:00:00", "*-03-01 *:00:00"])
def test_what_names_no_moment_is_refused(wanted):
    with pytest.raises(ValueError):
        DaylightSavings(parse_date_time(wanted), EUROPE.end)
    with pytest.raises(ValueError):
        DaylightSavings(EUROPE.begin, parse_date_time(wanted))


@pytest.mark.parametrize("deviation", [-121, 121])
def test_a_deviation_has_its_limits(deviation):
    with pytest.raises(ValueError, match="120 minutes"):
        DaylightSavings(EUROPE.begin, EUROPE.end, deviation)


def test_summer_may_span_new_year():
    assert AUSTRALIA.is_active(datetime(2026, 1, 1))
    assert not AUSTRALIA.is_active(datetime(2026, 7, 1))
    assert AUSTRALIA.is_active(datetime(2026, 12, 1))
    assert [EUROPE.is_active(datetime(2026, month, 1)) for month in (1, 4, 7, 11)] == [False, True, True, False]


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 30)), st.sampled_from([EUROPE, AUSTRALIA]))
def test_normal_time_decides_without_a_gap(moment, savings):
    """Within any two days the state changes once at most."""
    states = [savings.is_active(moment + timedelta(minutes=15 * step)) for step in range(192)]
    assert sum(a != b for a, b in pairwise(states)) <= 1


@pytest.mark.parametrize(
    ("text", "day", "fits"),
    [
        ("2026-11-25", date(2026, 11, 25), True),
        ("2026-11-25", date(2027, 11, 25), False),
        ("*-*-last", date(2028, 2, 29), True),
        ("*-*-last", date(2028, 2, 28), False),
        ("*-*-second-last", date(2028, 2, 28), True),
        ("*-*-* Sun", date(2026, 11, 29), True),
        ("*-*-* Sun", date(2026, 11, 30), False),
        ("*-11-*", date(2026, 12, 1), False),
    ],
)
def test_dates_with_wildcards(text, day, fits):
    assert falls_on(parse_date(text), day) is fits


def test_everything_unspecified_is_every_day():
    assert falls_on(CosemDate(), date(2026, 2, 28))


def test_a_date_falls_on_the_days_that_it_means():
    days = [date(2026, 11, day) for day in range(1, 31)]
    for wanted, found in (
        ("*-*-second-last", [29]),
        ("*-11-01 Sun", [1]),
        ("*-11-02 Sun", [8]),
        ("*-11-last Sun", [29]),
        ("*-dst-begin-01", []),
        ("*-*-31", []),
        ("2027-11-01", []),
    ):
        assert [day.day for day in days if falls_on(parse_date(wanted), day)] == found
