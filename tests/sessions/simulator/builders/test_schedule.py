"""Single action schedules of a meter type, over the wire: the switch opens at its time."""

from __future__ import annotations

from meters.cosem.data import array, date_time, octet_string, structure
from meters.cosem.date_time_text import parse_date, parse_date_time, parse_time
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.selective_access import RangeDescriptor
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import GMAC, HandClock, lab_meter
from tests.sessions.simulator.test_event_log import IN_CLOCK

RELAY, SWITCHING, CLOSING = (70, "0-0:96.3.10*255"), (22, "0-0:15.0.1*255"), (22, "0-0:15.0.0*255")
TIME = octet_string(parse_time("13:00:00").encode())


def test_the_switch_opens_at_its_time_and_once():
    clock = HandClock()
    meter = lab_meter(GMAC, clock=clock)
    pair = Pair(meter)
    pair.open()
    today = array(structure(TIME, octet_string(parse_date("2026-11-25").encode())))
    assert pair.set(*SWITCHING, 4, today) is DataAccessResult.SUCCESS
    assert pair.get(*RELAY, 2).value is True
    clock.advance(hours=3)
    assert pair.get(*RELAY, 2).value is False
    assert pair.get(3, "1-0:1.7.0*255", 2).value == 0
    pair.action(*RELAY, 2)
    clock.advance(hours=3)
    assert pair.get(*RELAY, 2).value is True
    journal = meter.device.journal
    assert journal.count("invoke", 70, ObisCode.parse(RELAY[1]), 1) == 1
    assert journal.count("invoke", 9, ObisCode.parse("0-0:10.0.106*255"), 1) == 1
    # From 13 to 15 o'clock nothing was counted: it opened when it was due, not when somebody asked.
    bounds = (date_time(parse_date_time(f"2026-11-25 {hour}:00:00")) for hour in (13, 15))
    rows = pair.get(7, "1-0:99.1.0*255", 2, RangeDescriptor(IN_CLOCK, *bounds).to_selective_access())
    assert len(rows) == 9
    assert len({row[2].value for row in rows}) == 1


def test_the_billing_period_ends_at_its_time():
    clock = HandClock()
    pair = Pair(lab_meter(GMAC, clock=clock))
    pair.open()
    before = pair.get(7, "0-0:98.1.0*255", 7).value
    every_day = array(structure(TIME, octet_string(parse_date("*-*-*").encode())))
    pair.set(*CLOSING, 4, every_day)
    clock.advance(days=2)
    rows = pair.get(7, "0-0:98.1.0*255", 2)
    assert len(rows) == before + 2
    assert [row[0].value[5:7] for row in list(rows)[-2:]] == [bytes((13, 0)), bytes((13, 0))]
