"""What a meter type lets a meter watch by itself: it happens before the next message."""

from __future__ import annotations

from meters.cosem.data import double_long_unsigned, enum
from meters.cosem.obis import ObisCode
from sessions.simulator.build import build_meter
from sessions.simulator.device import MeterSecurity
from sessions.simulator.meter_type import MeterSettings, load_meter_type
from tests.sessions.simulator.served import HandClock


def smart(clock: HandClock):
    settings = MeterSettings(serial_number="10000001", security=MeterSecurity(), clients=(), host_clock=clock)
    return build_meter(load_meter_type("three_phase_smart"), settings)


def target(meter, class_id: int, name: str):
    return meter.objects[class_id, ObisCode.parse(name)].target


def test_the_limiter_opens_the_switch():
    clock = HandClock()
    meter = smart(clock)
    target(meter, 71, "0-0:17.0.0*255").write(4, double_long_unsigned(1))
    meter.catch_up()
    assert target(meter, 70, "0-0:96.3.10*255").read(3) == enum(0)
    assert target(meter, 3, "1-0:1.7.0*255").read(2).value == 0
    done = {(each.deed.class_id, each.deed.kind, each.deed.client_sap) for each in meter.journal.executions}
    assert {(9, "invoke", None), (70, "invoke", None)} <= done


def test_the_schedule_pushes_in_the_morning():
    clock = HandClock()
    meter = smart(clock)
    clock.advance(hours=12)
    meter.catch_up()
    assert meter.take_notifications() == []
    clock.advance(hours=12)
    meter.catch_up()
    (push,) = meter.take_notifications()
    assert len(push.notification_body) >= 3


def test_a_voltage_that_is_too_high_is_told():
    clock = HandClock()
    meter = smart(clock)
    monitor = target(meter, 21, "0-0:16.1.0*255")
    meter.catch_up()
    voltage = target(meter, 3, "1-0:32.7.0*255")
    voltage.captured = lambda number, moment: double_long_unsigned(2600)
    monitor.catch_up()
    assert len(meter.take_notifications()) == 1
    monitor.catch_up()
    assert meter.take_notifications() == []
