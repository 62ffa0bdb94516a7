"""The clock: it keeps its own time, and refuses what is no time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from meters.cosem.data import (
    Data,
    DataType,
    boolean,
    date_time,
    enum,
    integer,
    long,
    octet_string,
    structure,
    unsigned,
)
from meters.cosem.date_time import CosemDateTime
from meters.cosem.date_time_text import parse_date_time
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.objects.clock import NO_DAYLIGHT_SAVINGS, Clock, MeterClock
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


# -- daylight saving ---------------------------------------------------------------------------------------------------


def summer_clock(utc: str) -> MeterClock:
    daylight = replace(NO_DAYLIGHT_SAVINGS, enabled=True)
    return MeterClock(HandClock(datetime.fromisoformat(utc)), zone_minutes=60, daylight=daylight)


@pytest.mark.parametrize(
    ("utc", "shown"),
    [
        ("2026-03-29T00:59:59+00:00", "2026-03-29T01:59:59+01:00"),
        ("2026-03-29T01:00:00+00:00", "2026-03-29T03:00:00+02:00"),
        ("2026-10-25T00:59:59+00:00", "2026-10-25T02:59:59+02:00"),
        ("2026-10-25T01:00:00+00:00", "2026-10-25T02:00:00+01:00"),
    ],
)
def test_the_clock_goes_ahead_and_back(utc, shown):
    clock = summer_clock(utc)
    assert local(clock) == shown
    target = Clock(NAME, clock)
    moment = CosemDateTime.decode(target.read(2).value)
    assert moment.to_datetime() == datetime.fromisoformat(utc)
    assert moment.daylight_saving is shown.endswith("+02:00")
    assert target.read(4) == unsigned(0x80 if moment.daylight_saving else 0)
    assert target.captured(2, clock.now()) == target.read(2)


@pytest.mark.parametrize(
    ("written", "status", "utc"),
    [
        ("2026-07-01T12:00:00", 0xFF, "2026-07-01T10:00:00+00:00"),
        ("2026-12-01T12:00:00", 0xFF, "2026-12-01T11:00:00+00:00"),
        ("2026-10-25T02:30:00", 0x80, "2026-10-25T00:30:00+00:00"),  # the hour that comes twice
        ("2026-10-25T02:30:00", 0x00, "2026-10-25T01:30:00+00:00"),
    ],
)
def test_a_time_without_a_deviation_is_local(written, status, utc):
    clock = summer_clock("2026-01-01T00:00:00+00:00")
    moment = CosemDateTime.from_datetime(datetime.fromisoformat(written), clock_status=status)
    Clock(NAME, clock).write(2, octet_string(moment.encode()))
    assert clock.now() == datetime.fromisoformat(utc)


@pytest.mark.parametrize("year", [1, 9999])
@pytest.mark.parametrize("enabled", [True, False])
def test_the_ends_of_the_calendar_are_moments_too(year, enabled):
    daylight = replace(NO_DAYLIGHT_SAVINGS, enabled=enabled)
    for zone in (-720, 0, 720):
        clock = MeterClock(HandClock(), zone_minutes=zone, daylight=daylight)
        for month, day in ((1, 1), (12, 31)):
            assert clock.local(CosemDateTime.from_datetime(datetime(year, month, day, 23))).year in (
                year,
                year - 1,
                year + 1,
            )


def test_what_the_clock_is_set_up_with_can_be_written():
    clock = summer_clock("2026-07-01T10:00:00+00:00")
    target = Clock(NAME, clock)
    target.write(8, boolean(False))
    assert local(clock) == "2026-07-01T11:00:00+01:00"
    target.write(8, boolean(True))
    target.write(7, integer(120))
    assert local(clock) == "2026-07-01T13:00:00+03:00"
    target.write(3, long(0))
    assert local(clock) == "2026-07-01T12:00:00+02:00"
    target.write(6, date_time(parse_date_time("*-06-30 03:00:00")))
    assert local(clock) == "2026-07-01T10:00:00+00:00"
    for number in range(2, 9):
        if number != 4:
            target.write(number, target.read(number))
    assert local(clock) == "2026-07-01T10:00:00+00:00"


@pytest.mark.parametrize(
    ("number", "value", "result"),
    [
        (3, long(721), DataAccessResult.OTHER_REASON),
        (3, integer(0), DataAccessResult.TYPE_UNMATCHED),
        (5, octet_string(b"\xff" * 12), DataAccessResult.OTHER_REASON),
        (6, octet_string(b"short"), DataAccessResult.TYPE_UNMATCHED),
        (7, integer(121), DataAccessResult.OTHER_REASON),
        (8, enum(1), DataAccessResult.TYPE_UNMATCHED),
        (9, enum(1), DataAccessResult.READ_WRITE_DENIED),
    ],
)
def test_what_is_no_setting_is_refused(clock, number, value, result):
    with denied(result):
        Clock(NAME, clock).write(number, value)


def preset(*times: str):
    return structure(*(date_time(datetime.fromisoformat(time)) for time in times))


def test_a_preset_time_is_taken_within_its_interval_and_once(clock):
    target = Clock(NAME, clock)
    target.invoke(5, preset("2026-11-25T12:30:00", "2026-11-25T11:00:00", "2026-11-25T13:00:00"))
    target.invoke(4, integer(0))
    assert local(clock) == "2026-11-25T12:30:00+01:00"
    with denied(DataAccessResult.OTHER_REASON):
        target.invoke(4, integer(0))
    target.invoke(5, preset("2026-11-25T12:30:00", "2026-11-25T14:00:00", "2026-11-25T15:00:00"))
    with denied(DataAccessResult.OTHER_REASON):
        target.invoke(4, integer(0))
    for wrong in (None, structure(), preset("2026-11-25T12:30:00")):
        with denied(DataAccessResult.TYPE_UNMATCHED):
            target.invoke(5, wrong)
