"""Billing profiles: rows that agree with the registers, by range and by entry, and the end of a period by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from meters.cosem.data import Data, as_date_time, date_time, double_long_unsigned, integer, long_unsigned
from meters.cosem.date_time_text import parse_date_time
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from sessions.dlms.apdu.descriptors import ActionResult
from sessions.dlms.axdr import decode_data
from sessions.dlms.selective_access import EntryDescriptor, RangeDescriptor
from tests.sessions.simulator.builders.building import meter_of
from tests.sessions.simulator.calendars import CALENDAR, RATES, TOTAL
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import GMAC, HandClock, lab_meter

CLOCK = {"class_id": 8, "logical_name": "0-0:1.0.0*255"}
DEMAND = {
    "class_id": 4,
    "logical_name": "1-0:1.6.0*255",
    "type": "double-long-unsigned",
    "source": "max_demand",
    "scaler": 0,
    "unit": 27,
}
MONTHLY = {
    "class_id": 7,
    "logical_name": "0-0:98.1.0*255",
    "columns": [
        "0-0:1.0.0*255",
        "1-0:1.8.0*255",
        *(each["logical_name"] for each in RATES),
        "1-0:1.6.0*255",
        {"object": "1-0:1.6.0*255", "attribute": 5},
    ],
    "billing": "month",
    "profile_entries": 24,
}
IN_CLOCK = CaptureObject(8, ObisCode(0, 0, 1, 0, 0, 255), 2)


class Bench:
    def __init__(self, **changes: Any) -> None:
        self.clock = HandClock()
        self.meter = meter_of(CLOCK, CALENDAR, TOTAL, *RATES, DEMAND, {**MONTHLY, **changes}, clock=self.clock)
        objects: list[Any] = [access.target for access in self.meter.objects.values()]
        self.total, self.rates, self.demand, self.profile = objects[2], objects[3:7], objects[7], objects[8]

    def rows(self, selection: Any = None) -> list[Data]:
        value = self.profile.read(2, None if selection is None else selection.to_selective_access())
        return list(decode_data(b"".join(value.parts)))

    def ends(self, selection: Any = None) -> list[str]:
        return [str(as_date_time(row[0]))[:16] for row in self.rows(selection)]


def test_two_years_of_months_at_once():
    bench = Bench()
    assert bench.profile.read(7) == bench.profile.read(8) == double_long_unsigned(24)
    assert bench.profile.read(4) == double_long_unsigned(0)
    ends = bench.ends()
    assert (ends[0], ends[-1]) == ("2024-12-01 00:00", "2026-11-01 00:00")
    for row in bench.rows():
        total, *rates = (cell.value for cell in list(row)[1:6])
        assert sum(rates) == total


def test_a_row_is_what_the_registers_said_at_that_moment():
    bench = Bench()
    bench.clock.moment = datetime(2026, 10, 31, 23, tzinfo=UTC)
    then = [each.read(2) for each in (bench.total, *bench.rates)]
    bench.clock.advance(days=9)
    assert list(bench.rows()[-1])[1:6] == then


def test_the_demand_of_a_month_is_that_of_its_own_days():
    bench = Bench()
    for row in bench.rows():
        end, ended = as_date_time(row[0]), as_date_time(row[7])
        assert end is not None
        assert ended is not None
        begun = end.to_datetime().replace(month=end.date.month - 1 or 12, year=end.date.year - (end.date.month == 1))
        assert begun < ended.to_datetime() <= end.to_datetime()
        assert row[6].value > 0
    bench.clock.moment = datetime(2026, 10, 31, 22, 59, tzinfo=UTC)
    last_minute = bench.demand.read(2), bench.demand.read(5)
    bench.clock.advance(hours=2)
    assert (bench.rows()[-1][6], bench.rows()[-1][7]) == last_minute
    assert bench.demand.read(2).value < last_minute[0].value  # it began anew


def test_an_end_by_hand_adds_a_row_and_begins_the_demand_anew():
    bench = Bench()
    bench.clock.advance(hours=3, minutes=2)
    highest = bench.demand.read(2)
    assert highest.value > 0
    bench.profile.invoke(2, integer(0))
    assert bench.demand.read(2).value == 0
    assert bench.ends()[-2:] == ["2026-11-01 00:00", "2026-11-25 15:02"]
    assert bench.rows()[-1][6] == highest
    assert len(bench.rows()) == 24  # the oldest made room
    bench.clock.advance(days=10)
    assert bench.ends()[-2:] == ["2026-11-25 15:02", "2026-12-01 00:00"]
    assert bench.rows()[-2][6] == highest


def test_ranges_and_entries():
    bench = Bench()

    def between(first: str, last: str) -> list[str]:
        bounds = (date_time(parse_date_time(each)) for each in (first, last))
        return bench.ends(RangeDescriptor(IN_CLOCK, *bounds))

    assert between("2026-09-01 00:00", "2026-11-01 00:00") == [
        "2026-09-01 00:00",
        "2026-10-01 00:00",
        "2026-11-01 00:00",
    ]
    assert between("2026-09-01 00:01", "2026-10-31 23:59") == ["2026-10-01 00:00"]
    assert between("2027-01-01 00:00", "2028-01-01 00:00") == []
    assert bench.ends(EntryDescriptor(1, 2, 1, 0)) == ["2024-12-01 00:00", "2025-01-01 00:00"]
    assert bench.ends(EntryDescriptor(24, 0, 1, 0)) == ["2026-11-01 00:00"]
    assert bench.ends(EntryDescriptor(25, 30, 1, 0)) == []
    assert [len(row) for row in bench.rows(EntryDescriptor(24, 0, 2, 3))] == [2]


def test_a_reset_empties_it():
    bench = Bench()
    bench.profile.invoke(1, integer(0))
    assert bench.profile.read(7) == double_long_unsigned(0)
    assert bench.rows() == []
    bench.clock.advance(days=40)
    assert bench.ends() == ["2026-12-01 00:00", "2027-01-01 00:00"]


def test_days():
    bench = Bench(billing="day", profile_entries=500)
    assert len(bench.rows()) == 500
    assert bench.ends()[-1] == "2026-11-25 00:00"


def test_what_was_closed_survives():
    bench, other = Bench(), Bench()
    bench.profile.invoke(2, integer(0))
    other.meter.memory.restore(bench.meter.memory.keep())
    assert other.rows() == bench.rows()


@pytest.mark.parametrize("physical_address", [None, 17])
def test_a_demand_reset_over_the_wire(physical_address):
    table = {} if physical_address is None else {"physical_address": physical_address}
    pair = Pair(lab_meter(GMAC, **table))
    pair.open()
    profile = (7, "0-0:98.1.0*255")
    before = pair.get(*profile, 7).value
    assert pair.action(9, "0-0:10.0.1*255", 1, long_unsigned(1))[0] is ActionResult.SUCCESS
    assert pair.get(*profile, 7).value == before + 1
    assert pair.get(4, "1-0:1.6.0*255", 2).value == 0
    last = pair.get(*profile, 2, EntryDescriptor(before + 1, 0, 1, 0).to_selective_access())
    assert last[0][1] == pair.get(3, "1-0:1.8.0*255", 2)
    assert len(pair.get(7, "0-0:98.2.0*255", 2)) == 730
