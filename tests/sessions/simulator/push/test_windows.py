"""When a window is open, and when the next one opens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.data import array, octet_string, structure, unsigned
from meters.cosem.date_time_text import parse_date_time
from sessions.simulator.objects.clock import MeterClock
from sessions.simulator.push.windows import Windows
from tests.sessions.simulator.served import HandClock

CLOCK = MeterClock(HandClock(), 0)
NIGHT = ("*-*-* 22:00:00", "*-*-* 06:00:00")
LUNCH = ("*-*-* 12:00:00", "*-*-* 13:00:00")
ALWAYS = ("*-*-* *:*:*", "*-*-* *:*:*")


def windows(*pairs: tuple[str, str]) -> Windows:
    rows = (structure(*(octet_string(parse_date_time(each).encode()) for each in pair)) for pair in pairs)
    return Windows.from_data(array(*rows))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("pairs", "moment", "is_open"),
    [
        ((), utc(2026, 1, 1), True),
        ((ALWAYS,), utc(2026, 1, 1), True),
        ((NIGHT,), utc(2026, 1, 1, 21, 59, 59), False),
        ((NIGHT,), utc(2026, 1, 1, 22), True),
        ((NIGHT,), utc(2026, 1, 2, 5, 59, 59), True),
        ((NIGHT,), utc(2026, 1, 2, 6), False),
        ((NIGHT, LUNCH), utc(2026, 1, 2, 12, 30), True),
        ((("2020-01-01 00:00:00", "2020-02-01 00:00:00"),), utc(2026, 1, 2), False),
        ((("2020-01-01 00:00:00", "2030-02-01 00:00:00"),), utc(2026, 1, 2), True),
        ((("2020-01-01 00:00:00", "*-*-* *:*:*"),), utc(2026, 1, 2), True),
        ((("*-*-* *:*:*", "2025-01-01 00:00:00"),), utc(2026, 1, 2), False),
    ],
)
def test_whether_one_is_open(pairs, moment, is_open):
    assert windows(*pairs).is_open(moment, CLOCK) is is_open


def test_when_the_next_one_opens():
    assert windows(NIGHT, LUNCH).opens_after(utc(2026, 1, 1, 7), CLOCK) == utc(2026, 1, 1, 12)
    assert windows(NIGHT, LUNCH).opens_after(utc(2026, 1, 1, 14), CLOCK) == utc(2026, 1, 1, 22)
    assert windows(("2020-01-01 00:00:00", "2020-02-01 00:00:00")).opens_after(utc(2026, 1, 1), CLOCK) is None


def test_the_times_are_those_of_the_meters_clock():
    clock = MeterClock(HandClock(), 120)
    assert windows(NIGHT).is_open(utc(2026, 1, 1, 20), clock)
    assert windows(LUNCH).opens_after(utc(2026, 1, 1, 7), clock) == utc(2026, 1, 1, 10)


@pytest.mark.parametrize(
    "value",
    [
        array(structure(octet_string(b""), octet_string(b""))),
        array(structure(octet_string(bytes(12)), octet_string(b"\xff" * 3 + b"\x20" + b"\xff" * 8))),
        array(structure(unsigned(1), unsigned(2))),
        array(structure()),
    ],
)
def test_what_is_no_window(value):
    with pytest.raises((ValueError, IndexError, TypeError)):
        Windows.from_data(value)


HOURS = st.integers(0, 23)


@given(
    st.lists(st.tuples(HOURS, HOURS).filter(lambda pair: pair[0] != pair[1]), min_size=1, max_size=3),
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),
)
def test_where_all_are_closed_one_is_open_at_the_moment_that_is_said(hours, moment):
    daily = windows(*((f"*-*-* {a:02}:00:00", f"*-*-* {b:02}:00:00") for a, b in hours))
    if daily.is_open(moment, CLOCK):
        return
    opens = daily.opens_after(moment, CLOCK)
    assert opens is not None
    assert moment < opens <= moment + timedelta(days=1)
    assert daily.is_open(opens, CLOCK)
    assert not daily.is_open(opens - timedelta(seconds=1), CLOCK)
