"""Event logs: rows of what really happened on the meter, by range and by entry, over the wire."""

from __future__ import annotations

from typing import Any

import pytest

from meters.cosem.data import Data, as_date_time, date_time, integer
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from sessions.dlms.apdu.descriptors import ActionResult
from sessions.dlms.axdr import decode_data
from sessions.dlms.errors import DlmsError
from sessions.dlms.selective_access import EntryDescriptor, RangeDescriptor
from sessions.simulator.events import Event
from tests.sessions.simulator.builders.building import meter_of
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import GMAC, LLS, HandClock, lab_meter

CLOCK = {"class_id": 8, "logical_name": "0-0:1.0.0*255"}
LOG = "0-0:99.98.0*255"
NUMBER = {
    "class_id": 1,
    "logical_name": "0-0:96.11.0*255",
    "type": "unsigned",
    "source": "last_event",
    "log": "standard",
}
STANDARD = {
    "class_id": 7,
    "logical_name": LOG,
    "columns": ["0-0:1.0.0*255", "0-0:96.11.0*255"],
    "log": "standard",
    "profile_entries": 5,
}
STANDARD_LOG, FRAUD_LOG, RELAY_LOG = ((7, f"0-0:99.98.{number}*255") for number in range(3))
IN_CLOCK = CaptureObject(8, ObisCode(0, 0, 1, 0, 0, 255), 2)


class Bench:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.meter = meter_of(CLOCK, NUMBER, STANDARD, clock=self.clock)
        objects: list[Any] = [access.target for access in self.meter.objects.values()]
        self.number, self.log = objects[1:]

    def rows(self, selection: Any = None) -> list[Data]:
        value = self.log.read(2, None if selection is None else selection.to_selective_access())
        return list(decode_data(b"".join(value.parts)))

    def codes(self, selection: Any = None) -> list[int]:
        return [row[-1].value for row in self.rows(selection)]


def test_rows_have_the_time_of_their_events_and_make_room():
    bench = Bench()
    assert bench.rows() == []
    for minute in range(7):
        bench.meter.events.record(Event.POWER_UP if minute % 2 else Event.POWER_DOWN)
        bench.clock.advance(minutes=1)
    assert bench.codes() == [1, 2, 1, 2, 1]
    assert [str(as_date_time(row[0]))[11:16] for row in bench.rows()] == ["12:02", "12:03", "12:04", "12:05", "12:06"]
    assert bench.log.read(7).value == bench.log.read(8).value == 5
    assert bench.number.read(2).value == 1


def test_ranges_entries_and_columns():
    bench = Bench()
    for event in (1, 2, 5):
        bench.meter.events.record(Event(event))
        bench.clock.advance(minutes=1)
    begun = HandClock()()
    bounds = (date_time(begun.replace(minute=minute)) for minute in (1, 2))
    assert bench.codes(RangeDescriptor(IN_CLOCK, *bounds)) == [2, 5]
    assert bench.codes(EntryDescriptor(2, 2, 1, 0)) == [2]
    assert bench.codes(EntryDescriptor(4, 0, 1, 0)) == []
    assert [len(row) for row in bench.rows(EntryDescriptor(1, 0, 2, 2))] == [1, 1, 1]
    assert bench.codes(EntryDescriptor(1, 0, 2, 2)) == [1, 2, 5]


def test_clearing_a_log_is_an_event():
    bench = Bench()
    bench.meter.events.record(Event.POWER_UP)
    bench.log.invoke(1, integer(0))
    assert bench.codes() == [255]


def test_a_log_survives():
    bench, other = Bench(), Bench()
    bench.meter.power_cycle()
    other.meter.memory.restore(bench.meter.memory.keep())
    assert other.rows() == bench.rows()
    assert other.codes() == [1, 2]
    for wrong in ([["2026-11-25T00:00:00+01:00", ["11"]]], [["never", []]], [[1]]):
        with pytest.raises((ValueError, TypeError)):
            other.log.restore(wrong)


# -- over the wire -----------------------------------------------------------------------------------------------------


def codes(pair: Pair, log: tuple[int, str]) -> list[int]:
    return [row[1].value for row in pair.get(*log, 2)]


def test_what_happens_stands_in_the_logs():
    meter = lab_meter(GMAC)
    pair = Pair(meter)
    pair.open()
    assert pair.action(70, "0-0:96.3.10*255", 1)[0] is ActionResult.SUCCESS
    assert pair.action(70, "0-0:96.3.10*255", 1)[0] is ActionResult.SUCCESS  # it is open already: nothing happens
    pair.action(70, "0-0:96.3.10*255", 2)
    pair.action(8, "0-0:1.0.0*255", 3, integer(0))
    assert codes(pair, RELAY_LOG) == [62, 63]
    assert codes(pair, STANDARD_LOG) == [5]
    meter.device.power_cycle()
    meter.device.remove_cover()
    meter.device.close_cover()
    again = Pair(meter, counters=range(50_000, 60_000))
    again.open()
    assert codes(again, STANDARD_LOG) == [5, 1, 2]
    assert codes(again, FRAUD_LOG) == [40, 41]
    assert again.action(*FRAUD_LOG, 1)[0] is ActionResult.SUCCESS
    assert codes(again, FRAUD_LOG) == [255]


def test_wrong_secrets_stand_in_the_log():
    meter = lab_meter(LLS)
    for _ in range(2):
        with pytest.raises(DlmsError):
            Pair(meter, secret="text:wrong").open()
    pair = Pair(meter)
    pair.open()
    assert codes(pair, FRAUD_LOG) == [46, 46]
