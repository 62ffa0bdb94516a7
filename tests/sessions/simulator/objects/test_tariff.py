"""Activity calendar, special days and register activation: what clients change, and when it counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from meters.cosem.data import (
    Data,
    array,
    date_time,
    integer,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
)
from meters.cosem.date_time_text import parse_date, parse_date_time
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.tariffs import day_and_night
from tests.sessions.simulator.builders.building import meter_of
from tests.sessions.simulator.calendars import ACTIVATION, CALENDAR, RATES, SPECIAL_DAYS, TOTAL
from tests.sessions.simulator.objects.refusing import denied
from tests.sessions.simulator.served import HandClock

OTHER, UNMATCHED = DataAccessResult.OTHER_REASON, DataAccessResult.TYPE_UNMATCHED


class Bench:
    def __init__(self) -> None:
        self.clock = HandClock()  # noon of a winter's Wednesday: rate 3
        self.meter = meter_of(CALENDAR, SPECIAL_DAYS, TOTAL, *RATES, ACTIVATION, clock=self.clock)
        objects: list[Any] = [access.target for access in self.meter.objects.values()]
        self.calendar, self.specials, self.total, *self.rates, self.activation = objects

    @property
    def counting(self) -> list[int]:
        """The rates that count in this second of the meter."""
        before = [each.read(2).value for each in self.rates]
        moment = self.clock.moment
        self.clock.advance(minutes=10)
        after = [each.read(2).value for each in self.rates]
        self.clock.moment = moment
        return [number for number, (one, other) in enumerate(zip(before, after, strict=True), 1) if other > one]


def test_the_active_mask_is_that_of_the_rate_that_counts():
    bench = Bench()
    assert bench.counting == [3]
    assert bench.activation.read(4) == octet_string(b"RATE 3")
    bench.clock.advance(hours=11)
    assert bench.counting == [2]
    assert bench.activation.read(4) == octet_string(b"RATE 2")
    assert bench.activation.captured(4, bench.clock() - timedelta(hours=11)) == octet_string(b"RATE 3")


def test_a_script_switches_until_the_calendar_does():
    bench = Bench()
    bench.activation.write(4, octet_string(b"RATE 1"))
    assert bench.counting == [1]
    bench.clock.advance(hours=11)
    assert bench.counting == [2]
    with denied(OTHER):
        bench.activation.write(4, octet_string(b"RATE 9"))


# -- the calendar ------------------------------------------------------------------------------------------------------


def make_passive(bench: Bench) -> None:
    for number, value in enumerate(day_and_night().attributes, 6):
        bench.calendar.write(number, value)


def test_the_passive_calendar_becomes_active_by_its_method():
    bench = Bench()
    make_passive(bench)
    assert bench.counting == [3]
    past = [each.read(2) for each in bench.rates]
    bench.calendar.invoke(1, integer(0))
    assert [bench.calendar.read(number) for number in range(2, 6)] == list(day_and_night().attributes)
    assert bench.counting == [1]
    assert [each.read(2) for each in bench.rates] == past


def test_the_passive_calendar_becomes_active_at_its_time_once():
    bench = Bench()
    make_passive(bench)
    bench.calendar.write(10, date_time(parse_date_time("2026-11-25 14:00:00")))
    bench.clock.advance(hours=1, minutes=59)
    bench.meter.catch_up()
    assert bench.counting == [3]
    bench.clock.advance(hours=3)
    bench.meter.catch_up()
    bench.meter.catch_up()
    assert bench.counting == [1]
    assert bench.meter.journal.count("invoke", 20, bench.calendar.logical_name, 1) == 1
    midday = bench.clock().replace(hour=12, minute=0)
    fourteen = bench.clock().replace(hour=13, minute=0)
    first = bench.rates[0]
    assert first.captured(2, fourteen) == first.captured(2, midday)  # it was three for hours before
    assert first.captured(2, bench.clock()).value > first.captured(2, fourteen).value


def test_a_calendar_that_cannot_be_stays_passive():
    bench = Bench()
    bench.calendar.write(8, array())
    with denied(OTHER):
        bench.calendar.invoke(1, integer(0))
    bench.calendar.write(10, date_time(bench.clock()))
    bench.meter.catch_up()
    assert bench.calendar.read(2) == octet_string(b"two seasons")
    assert bench.meter.journal.count("invoke", 20, bench.calendar.logical_name, 1) == 0


@pytest.mark.parametrize(
    ("number", "value"), [(6, array()), (7, octet_string(b"")), (10, unsigned(1)), (10, octet_string(b"x"))]
)
def test_what_is_no_part_of_a_calendar(number, value):
    with denied(UNMATCHED):
        Bench().calendar.write(number, value)


def test_the_active_calendar_is_not_written():
    for number in range(2, 6):
        with denied(DataAccessResult.READ_WRITE_DENIED):
            Bench().calendar.write(number, array())


# -- special days ------------------------------------------------------------------------------------------------------


def special(index: int, day: str, number: int) -> Data:
    return structure(long_unsigned(index), octet_string(parse_date(day).encode()), unsigned(number))


def test_a_special_day_counts_from_now_on():
    bench = Bench()
    past = bench.rates[3].read(2)
    bench.specials.invoke(1, special(3, "2026-11-25", 4))
    assert bench.counting == [4]
    assert bench.rates[3].read(2) == past
    bench.specials.invoke(2, long_unsigned(3))
    assert bench.counting == [3]


def test_an_index_that_is_there_is_replaced():
    bench = Bench()
    bench.specials.invoke(1, special(2, "2026-11-25", 4))
    assert [row[0].value for row in bench.specials.read(2)] == [1, 2]
    assert bench.counting == [4]
    with denied(OTHER):
        bench.specials.invoke(2, long_unsigned(9))


@pytest.mark.parametrize(
    "entries",
    [
        array(unsigned(1)),
        array(structure()),
        array(structure(long_unsigned(1), octet_string(b"x"), unsigned(1))),
        array(structure(long_unsigned(1), octet_string(bytes((7, 0xEA, 13, 1, 0xFF))), unsigned(1))),
        array(structure(long_unsigned(1), octet_string(parse_date("*-*-*").encode()), octet_string(b"1"))),
        array(*(special(number, "*-*-*", 1) for number in range(300))),
    ],
)
def test_what_are_no_special_days(entries):
    bench = Bench()
    with denied(OTHER):
        bench.specials.write(2, entries)
    assert len(bench.specials.read(2)) == 2


# -- register activation -----------------------------------------------------------------------------------------------


def test_masks_and_registers_come_and_go():
    target = Bench().activation
    assert [row[1].value for row in target.read(2)] == [each.logical_name.octets for each in Bench().rates]
    target.invoke(1, structure(long_unsigned(3), octet_string(bytes((1, 0, 2, 8, 1, 255)))))
    target.invoke(2, structure(octet_string(b"SUN"), array(unsigned(5))))
    assert [row[0].value for row in target.read(3)] == [b"RATE 1", b"RATE 2", b"RATE 3", b"RATE 4", b"SUN"]
    target.invoke(2, structure(octet_string(b"SUN"), array(unsigned(1), unsigned(5))))
    assert len(target.read(3)) == 5
    target.invoke(3, octet_string(b"SUN"))
    assert len(target.read(3)) == 4
    for refused in (octet_string(b"RATE 1"), octet_string(b"SUN")):
        with denied(OTHER):
            target.invoke(3, refused)
    with denied(OTHER):
        target.invoke(2, structure(octet_string(b"MOON"), array(unsigned(6))))


@pytest.mark.parametrize(
    ("method_id", "parameters"), [(1, structure()), (2, structure(unsigned(1), array())), (3, unsigned(1)), (1, None)]
)
def test_parameters_of_another_type(method_id, parameters):
    with denied(UNMATCHED):
        Bench().activation.invoke(method_id, parameters)


def test_everything_survives():
    bench, other = Bench(), Bench()
    make_passive(bench)
    bench.calendar.write(10, date_time(parse_date_time("2026-12-24 14:00:00")))
    bench.specials.invoke(1, special(3, "2026-11-25", 4))
    bench.activation.invoke(2, structure(octet_string(b"SUN"), array(unsigned(1))))
    other.meter.memory.restore(bench.meter.memory.keep())
    for one, same in (
        (bench.calendar, other.calendar),
        (bench.specials, other.specials),
        (bench.activation, other.activation),
    ):
        assert [one.read(number) for number in one.attributes] == [same.read(number) for number in same.attributes]
    assert other.counting == [4]
