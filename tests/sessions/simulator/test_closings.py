"""The ends of billing periods: by the calendar, and by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sessions.simulator.closings import MAX_BY_HAND, BillingPeriod, Closings
from sessions.simulator.objects.clock import NO_DAYLIGHT_SAVINGS, MeterClock
from tests.sessions.simulator.served import HandClock

MOMENTS = st.datetimes(datetime(2023, 12, 1), datetime(2028, 1, 31), timezones=st.just(UTC))


def closings(period: BillingPeriod = BillingPeriod.MONTH) -> tuple[Closings, HandClock]:
    host = HandClock()
    clock = MeterClock(host, zone_minutes=60, daylight=replace(NO_DAYLIGHT_SAVINGS, enabled=True))
    return Closings(clock, period), host


@given(st.sampled_from(BillingPeriod), st.lists(MOMENTS, max_size=4), MOMENTS, st.integers(0, 40))
def test_the_last_ends_are_the_last(period, by_hand, moment, count):
    ends, host = closings(period)
    for each in by_hand:
        host.moment = each
        ends.close()
    last, more = ends.last(moment, count), ends.last(moment, count + 1)
    assert len(last) <= count
    assert all(one < other for one, other in pairwise(last))
    assert all(end <= moment for end in last)
    assert more[len(more) - len(last) :] == last
    clock = ends.clock
    assert all(end in by_hand or clock.localize(end).hour == clock.localize(end).minute == 0 for end in last)


@given(st.sampled_from(BillingPeriod), MOMENTS)
def test_a_period_begins_where_the_last_one_ended(period, moment):
    ends, _ = closings(period)
    begun = ends.opened(moment)
    for end in ends.last(moment, 1):
        assert begun == end
        assert ends.opened(end) == end
        assert ends.opened(end, ending=True) < end
        assert ends.opened(end + timedelta(seconds=1), ending=True) == end


def test_months_across_daylight_saving():
    ends, host = closings()
    shown = [ends.clock.localize(end).isoformat() for end in ends.last(host(), 9)]
    assert shown[0] == "2026-03-01T00:00:00+01:00"
    assert shown[2] == "2026-05-01T00:00:00+02:00"
    assert shown[-1] == "2026-11-01T00:00:00+01:00"


def test_nothing_ended_before_the_first_day():
    ends, _ = closings()
    assert ends.last(datetime(2024, 1, 1, tzinfo=UTC), 10) == []
    assert len(ends.last(datetime(2024, 3, 15, tzinfo=UTC), 10)) == 2


def test_ends_by_hand_are_bounded_and_survive():
    ends, host = closings(BillingPeriod.DAY)
    assert ends.keep() is None
    for _ in range(MAX_BY_HAND + 5):
        host.advance(seconds=1)
        ends.close()
        ends.close()
    other, _ = closings(BillingPeriod.DAY)
    other.restore(ends.keep())
    assert len(ends.last(host(), MAX_BY_HAND + 5)) == MAX_BY_HAND + 5  # days before them
    assert other.last(host(), 200) == ends.last(host(), 200)
    assert ends.last(host(), 200, since=host() - timedelta(seconds=2)) == [host() - timedelta(seconds=1), host()]
