"""Tariffs of a meter type, over the wire: the calendar is read, changed and active."""

from __future__ import annotations

import pytest

from meters.cosem.data import long_unsigned, octet_string
from sessions.dlms.apdu.descriptors import ActionResult, DataAccessResult
from sessions.simulator.meter_type import MeterTypeError
from tests.sessions.simulator.builders.building import meter_of
from tests.sessions.simulator.calendars import CALENDAR, RATES, SPECIAL_DAYS, TOTAL, register
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import GMAC, HandClock, lab_meter

SCRIPTS, MASK = (9, "0-0:10.0.100*255"), (6, "0-0:14.0.0*255", 4)


def test_a_tariff_over_the_wire():
    clock = HandClock()
    pair = Pair(lab_meter(GMAC, clock=clock))
    pair.open()

    def registers() -> list[int]:
        return [pair.get(3, f"1-0:1.8.{rate}*255", 2).value for rate in (0, 1, 2)]

    total, day, night = registers()
    assert day + night == total
    assert pair.get(*MASK).value == b"DAY"
    assert pair.action(*SCRIPTS, 1, long_unsigned(2))[0] is ActionResult.SUCCESS
    assert pair.get(*MASK).value == b"NIGHT"
    clock.advance(hours=2)
    assert registers()[1] == day
    assert registers()[2] > night
    assert pair.set(20, "0-0:13.0.0*255", 6, octet_string(b"mine")) is DataAccessResult.SUCCESS
    assert pair.action(20, "0-0:13.0.0*255", 1)[0] is ActionResult.SUCCESS
    assert pair.get(20, "0-0:13.0.0*255", 2).value == b"mine"
    assert pair.get(*MASK).value == b"DAY"


def test_rates_in_another_unit_add_up_too():
    kilo = {"scaler": 3}
    meter = meter_of(
        CALENDAR,
        SPECIAL_DAYS,
        {**TOTAL, **kilo},
        *({**each, **kilo} for each in RATES),
        register("1-0:2.8.1*255", "export_rate_1"),
        register("1-0:2.8.0*255", "energy_export"),
    )
    total, *rates = (each.target.read(2).value for each in list(meter.objects.values())[2:7])
    assert 0 < total == sum(rates)
    first, export = (each.target.read(2).value for each in list(meter.objects.values())[7:])
    assert 0 < first < export


@pytest.mark.parametrize("missing", ["season_profile_active", "day_profile_table_active"])
def test_a_calendar_that_cannot_be(missing):
    values = {name: value for name, value in CALENDAR["values"].items() if name != missing}
    with pytest.raises(MeterTypeError):
        meter_of({**CALENDAR, "values": values})
