"""The clock: it keeps its own time, and refuses what is no time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from meters.cosem.data import (
    Data,
    DataType,
    date_time,
    integer,
    long,
    octet_string,
    unsigned,
)
from meters.cosem.date_time import CosemDateTime
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.objects.clock import Clock, MeterClock
from tests.sessions.simulator.objects.refusing import NAME, denied
from tests.sessions.simulator.served import HandClock


def local(clock: MeterClock) -> str:
    return clock.now().isoformat()


@pytest.fixture
def clock() -> MeterClock:
    return MeterClock(HandClock(), zone_minutes=60)


def test_the_clock_keeps_its_own_time_from_the_moment_it_was_set(clock):
    target = Clock(NAME, clock)
    assert target.read(2) == date_time(datetime.fromisoformat("2026-11-25T12:00:00+01:00"))
    assert target.read(3) == long(-60)
    target.write(2, date_time(datetime.fromisoformat("2027-01-01T00:00:00+01:00")))
    clock.host.advance(minutes=5)
    assert local(clock) == "2027-01-01T00:05:00+01:00"


@pytest.mark.parametrize(
    ("written", "understood"),
    [
        (datetime(2026, 12, 1, 8, 30), "2026-12-01T08:30:00+01:00"),  # no deviation: local
        (datetime(2026, 12, 1, 8, 30, tzinfo=UTC), "2026-12-01T09:30:00+01:00"),
    ],
)
def test_the_clock_understands_deviations(clock, written, understood):
    Clock(NAME, clock).write(2, date_time(written))
    assert local(clock) == understood


def test_the_clock_takes_a_typed_date_time(clock):
    moment = CosemDateTime.from_datetime(datetime(2026, 12, 1, 8, 30))
    Clock(NAME, clock).write(2, Data(DataType.DATE_TIME, moment))
    assert local(clock) == "2026-12-01T08:30:00+01:00"


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (unsigned(3), DataAccessResult.TYPE_UNMATCHED),
        (octet_string(b"short"), DataAccessResult.TYPE_UNMATCHED),
        (octet_string(b"\xff" * 12), DataAccessResult.OTHER_REASON),
        (date_time(datetime(1970, 1, 1)), DataAccessResult.OTHER_REASON),
        (date_time(datetime(2100, 1, 1)), DataAccessResult.OTHER_REASON),
        (date_time(datetime(9999, 12, 31, 23, 59)), DataAccessResult.OTHER_REASON),
    ],
)
def test_the_clock_refuses_what_is_no_time(clock, value, result):
    with denied(result):
        Clock(NAME, clock).write(2, value)
    assert local(clock) == "2026-11-25T12:00:00+01:00"


@pytest.mark.parametrize(
    ("method_id", "parameters", "expected"),
    [
        (1, integer(0), "12:15:00"),
        (2, integer(0), "12:15:00"),
        (3, None, "12:08:00"),
        (6, long(-120), "12:05:43"),
        (6, long(900), "12:22:43"),
    ],
)
def test_the_clock_is_adjusted(clock, method_id, parameters, expected):
    clock.host.advance(minutes=7, seconds=43)
    Clock(NAME, clock).invoke(method_id, parameters)
    assert clock.now().time().isoformat() == expected


@pytest.mark.parametrize(
    ("parameters", "result"),
    [
        (None, DataAccessResult.TYPE_UNMATCHED),
        (integer(5), DataAccessResult.TYPE_UNMATCHED),
        (long(901), DataAccessResult.OTHER_REASON),
        (long(-901), DataAccessResult.OTHER_REASON),
    ],
)
def test_a_shift_has_its_limits(clock, parameters, result):
    with denied(result):
        Clock(NAME, clock).invoke(6, parameters)
