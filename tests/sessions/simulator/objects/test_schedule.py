"""Single action schedules: every time once, whenever somebody asks and whatever the clock does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import Data, array, enum, long_unsigned, octet_string, structure, unsigned
from meters.cosem.date_time_text import parse_date, parse_time
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.objects.clock import MeterClock
from sessions.simulator.objects.schedule import MAX_DUE, MAX_TIMES, SingleActionSchedule
from tests.sessions.simulator.objects.refusing import NAME, denied
from tests.sessions.simulator.served import HandClock

TABLE = ObisCode(0, 0, 10, 0, 106, 255)
SCRIPT = structure(octet_string(TABLE.octets), long_unsigned(7))
OTHER, UNMATCHED = DataAccessResult.OTHER_REASON, DataAccessResult.TYPE_UNMATCHED


def at(*moments: str) -> Data:
    """`date time` in the notation of dates with wildcards."""
    rows = []
    for moment in moments:
        day, _, time = moment.rpartition(" ")
        rows.append(structure(octet_string(parse_time(time).encode()), octet_string(parse_date(day).encode())))
    return array(*rows)


class Bench:
    """A schedule, and when its script was run by the meter's clock."""

    def __init__(self, times: Data) -> None:
        self.host = HandClock()
        self.clock = MeterClock(self.host, zone_minutes=60)
        self.times = times
        self.ran: list[str] = []
        self.target = self.made()

    def made(self) -> SingleActionSchedule:
        return SingleActionSchedule(NAME, self.clock, self.run, (SCRIPT, enum(1), self.times))

    def run(self, table: ObisCode, selector: int) -> None:
        assert (table, selector) == (TABLE, 7)
        self.ran.append(f"{self.clock.now():%d. %H:%M}")

    def passes(self, **by: float) -> list[str]:
        """What is done when somebody asks after this time."""
        self.ran.clear()
        self.host.advance(**by)
        self.target.catch_up()
        return list(self.ran)


def test_a_script_is_run_at_its_time_and_once():
    bench = Bench(at("2026-11-25 13:30:00"))
    assert bench.passes(minutes=89) == []
    assert bench.passes(minutes=1) == ["25. 13:30"]
    assert bench.passes(minutes=0) == []
    assert bench.passes(days=400) == []


def test_it_is_run_as_of_the_time_at_which_it_was_due():
    bench = Bench(at("2026-11-25 13:30:00"))
    assert bench.passes(days=3) == ["25. 13:30"]
    assert bench.clock.now().day == 28


@pytest.mark.parametrize(
    ("times", "days", "ran"),
    [
        (["*-*-* 06:00:00"], 3, ["26. 06:00", "27. 06:00", "28. 06:00"]),
        (["*-*-* Sat 06:00:00"], 12, ["28. 06:00", "05. 06:00"]),
        (["*-*-last 23:00:00"], 40, ["30. 23:00", "31. 23:00"]),
        (["*-12-01 00:00:00", "2026-11-30 12:00:00"], 10, ["30. 12:00", "01. 00:00"]),
        (["2026-11-26 *:15:00"], 0.56, ["26. 00:15", "26. 01:15"]),
        (["2026-11-24 06:00:00"], 10, []),
    ],
)
def test_wildcards(times, days, ran):
    assert Bench(at(*times)).passes(days=days) == ran


def test_a_clock_that_is_set_back_does_nothing_twice():
    bench = Bench(at("*-*-* 13:00:00"))
    assert bench.passes(hours=2) == ["25. 13:00"]
    bench.clock.set(bench.clock.now() - timedelta(hours=2))
    assert bench.passes(hours=3) == []
    assert bench.passes(days=1) == ["26. 13:00"]


@settings(deadline=None)
@given(st.lists(st.integers(0, 5_000), max_size=30), st.integers(0, 30), st.booleans())
def test_however_often_somebody_asks(steps, restart, kept):
    """Each quarter past an hour is done once, and nothing else, also over a power cycle."""
    bench = Bench(at("*-*-* *:15:00"))
    begun, done = bench.clock.now(), []
    for number, step in enumerate(steps):
        done += bench.passes(minutes=step % 5_000)
        if kept and number == restart:
            memory = bench.target.keep()
            bench.target = bench.made()
            bench.target.restore(memory)
    now = bench.clock.now()
    hour = begun.replace(minute=15)
    expected = []
    while hour <= now:
        expected.append(f"{hour:%d. %H:%M}")
        hour += timedelta(hours=1)
    assert done == expected


def test_of_very_many_the_newest_are_done():
    ran = Bench(at("*-*-* *:*:00")).passes(days=30)
    assert len(ran) == MAX_DUE
    assert ran[-1] == "25. 12:00"


def test_new_times_count_from_now_on():
    bench = Bench(array())
    bench.host.advance(hours=5)
    bench.target.write(4, at("*-*-* 13:00:00"))
    assert bench.passes(minutes=1) == []
    assert bench.passes(days=1) == ["26. 13:00"]


@pytest.mark.parametrize(
    ("number", "value", "result"),
    [
        (2, structure(), UNMATCHED),
        (2, structure(octet_string(b"x"), long_unsigned(1)), UNMATCHED),
        (2, structure(octet_string(TABLE.octets), unsigned(1)), UNMATCHED),
        (3, enum(0), OTHER),
        (3, enum(6), OTHER),
        (3, unsigned(1), UNMATCHED),
        (4, structure(), UNMATCHED),
        (4, array(unsigned(1)), OTHER),
        (4, array(structure(octet_string(b""), octet_string(b""))), OTHER),
        (4, array(structure(unsigned(1), unsigned(1))), OTHER),
        (4, array(structure(octet_string(bytes((24, 0, 0, 0))), octet_string(parse_date("*-*-*").encode()))), OTHER),
        (4, array(*[*at("*-*-* 13:00:00")] * (MAX_TIMES + 1)), OTHER),
    ],
)
def test_what_cannot_be_written(number, value, result):
    bench = Bench(at("*-*-* 13:00:00"))
    with denied(result):
        bench.target.write(number, value)
    assert bench.passes(hours=1) == ["25. 13:00"]


def test_looking_is_not_worth_a_write():
    bench = Bench(at("*-*-* 13:00:00"))
    before: Any = bench.target.keep()
    bench.passes(minutes=30)
    assert bench.target.keep() == before
    bench.passes(minutes=40)
    assert bench.target.keep() != before
    assert datetime.fromisoformat(bench.target.keep()["done_until"]) == datetime(2026, 11, 25, 12, tzinfo=UTC)
