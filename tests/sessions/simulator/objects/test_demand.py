"""Demand registers: blocks of time, computed for any moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from meters.cosem.data import as_date_time, double_long_unsigned, integer, long_unsigned
from sessions.simulator.meter_type import MeterTypeError
from tests.sessions.simulator.builders.building import ENERGY, meter_of, only
from tests.sessions.simulator.served import HandClock
from tests.sessions.simulator.test_billing import DEMAND as MAXIMUM

DEMAND = {**ENERGY, "class_id": 5, "logical_name": "1-0:1.4.0*255", "unit": 27, "period": 900}


class Bench:
    def __init__(self, **changes: Any) -> None:
        self.clock = HandClock(datetime(2026, 11, 25, 11, 20, tzinfo=UTC))
        meter = meter_of(ENERGY, {**DEMAND, **changes}, clock=self.clock)
        objects: list[Any] = [access.target for access in meter.objects.values()]
        self.energy, self.demand = objects

    def used(self, since: datetime, until: datetime) -> float:
        first, last = (self.energy.captured(2, moment).value for moment in (since, until))
        return float(last - first)

    def shown(self, number: int) -> str:
        return str(as_date_time(self.demand.read(number)))[11:19]


@pytest.mark.parametrize("period", [60, 300, 900, 1800, 3600])
def test_the_average_of_a_block(period):
    bench = Bench(period=period)
    bench.clock.moment = end = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
    block = timedelta(seconds=period)
    average = bench.used(end - block, end) * 3600 / period
    assert bench.demand.read(3).value == pytest.approx(average, abs=3600 / period)
    assert bench.demand.read(2).value == 0
    bench.clock.advance(seconds=period / 2)
    half = bench.used(end, bench.clock()) * 3600 / period
    assert bench.demand.read(2).value == pytest.approx(half, abs=3600 / period)
    assert bench.demand.read(8) == double_long_unsigned(period)
    assert bench.demand.read(9) == long_unsigned(1)


def test_the_block_that_is_open_began_with_a_quarter():
    bench = Bench()
    assert bench.shown(7) == bench.shown(6) == "12:15:00"
    bench.clock.advance(minutes=10)
    assert bench.shown(7) == "12:30:00"
    assert bench.demand.captured(3, bench.clock()) == bench.demand.read(3)
    assert as_date_time(bench.demand.captured(7, bench.clock())) == as_date_time(bench.demand.read(7))


def test_the_next_period_begins_when_it_is_told_to():
    bench = Bench()
    open_block = bench.demand.read(2)
    assert open_block.value > 0
    bench.demand.invoke(2, integer(0))
    assert bench.demand.read(2).value == 0
    assert bench.demand.read(3) == open_block
    assert bench.shown(7) == "12:20:00"
    bench.clock.advance(minutes=11)
    assert bench.shown(7) == "12:30:00"


def test_a_reset_forgets_what_was_before():
    bench = Bench()
    bench.demand.invoke(1, integer(0))
    assert bench.demand.read(2).value == bench.demand.read(3).value == 0
    bench.clock.advance(minutes=12)
    rest = bench.used(datetime(2026, 11, 25, 11, 20, tzinfo=UTC), datetime(2026, 11, 25, 11, 30, tzinfo=UTC)) * 4
    assert bench.demand.read(3).value == pytest.approx(rest, abs=4)


def test_a_source_that_is_no_energy():
    with pytest.raises(MeterTypeError):
        only({**DEMAND, "source": "voltage_l1"})


def test_the_maximum_says_when_it_was():
    target = only(MAXIMUM)
    when = as_date_time(target.read(5))
    assert when is not None
    assert (when.date.year, when.date.month, when.time.minute % 15) == (2026, 11, 0)
    assert target.captured(2, HandClock()()) == target.read(2)
    assert target.captured(3, HandClock()()) == target.read(3)
