"""Meters that nobody talks to: schedules, limiters and monitors act when their time comes, and what they push arrives."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from meters.cosem.data import array, double_long_unsigned, octet_string, structure
from meters.cosem.date_time_text import parse_date_time
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.notification import DataNotification
from sessions.simulator.lab import LabMeter, make_meter
from sessions.simulator.objects import watching
from tests.sessions.simulator.push.running import RunningClock, device_of, ears, lab, until
from tests.sessions.simulator.push.test_session import listener_of
from tests.sessions.simulator.served import GMAC, NOON, lab_meter

PUSH, SCHEDULE = ObisCode.parse("0-0:25.9.0*255"), ObisCode.parse("0-0:15.0.4*255")
MONITOR, LIMITER = ObisCode.parse("0-0:16.1.0*255"), ObisCode.parse("0-0:17.0.0*255")
ALMOST_SIX = datetime(2026, 11, 25, 4, 59, 59, 500_000, tzinfo=UTC)
"""Half a second before six o'clock on the meter's clock, which is when its schedule pushes."""


def smart(clock: Any, **table: Any) -> LabMeter:
    return lab_meter(GMAC, type="three_phase_smart", clock=clock, **table)


def target(meter: LabMeter, class_id: int, name: ObisCode) -> Any:
    return device_of(meter).objects[class_id, name].target


@pytest.mark.parametrize("scheme", ["tcp", "udp"])
def test_a_schedule_pushes_at_its_time(scheme, tmp_path):
    """As of the time at which it was due, though nobody ever talked to the meter; the lab file says where to."""

    async def run() -> None:
        clock = RunningClock(ALMOST_SIX)
        async with ears(scheme) as heard:
            meter = smart(clock, push=f"{scheme}://127.0.0.1:{heard.number}")
            heard.port._listeners = [listener_of(meter)]
            async with lab(clock, meter, directory=tmp_path):
                assert device_of(meter).next_due() is not None
                (found,) = await heard.wait(1)
        assert isinstance(found.notification, DataNotification)
        moment = found.notification.date_time
        assert moment is not None
        assert moment.to_datetime() == datetime(2026, 11, 25, 5, tzinfo=UTC)
        body = found.notification.notification_body
        assert body[0].value == PUSH.octets

    asyncio.run(run())


def test_a_schedule_that_a_client_changes_counts_from_then_on(tmp_path):
    """It was not to do anything for hours; the write over the wire moves its next time."""

    async def run() -> None:
        clock = RunningClock(datetime(2026, 11, 25, 11, 29, 59, tzinfo=UTC))
        async with ears("tcp") as heard:
            meter = smart(clock, push=f"tcp://127.0.0.1:{heard.number}")
            heard.port._listeners = [listener_of(meter)]
            async with lab(clock, meter, directory=tmp_path):
                half_past = parse_date_time("*-*-* 12:30:00")
                times = array(structure(octet_string(half_past.time.encode()), octet_string(half_past.date.encode())))
                device = device_of(meter)
                target(meter, 22, SCHEDULE).write(4, times)
                device._stir()
                device.settle()
                await heard.wait(1)

    asyncio.run(run())


def test_randomisation_and_window_hold_a_scheduled_push_back(tmp_path):
    """It is taken at six, and waits: for its part of an hour, then for the window."""
    clock = RunningClock(ALMOST_SIX)

    async def run() -> None:
        async with ears("tcp") as heard:
            meter = smart(clock, push=f"tcp://127.0.0.1:{heard.number}")
            window = (parse_date_time("*-*-* 20:00:00"), parse_date_time("*-*-* 21:00:00"))
            target(meter, 40, PUSH).write(4, array(structure(*(octet_string(each.encode()) for each in window))))
            async with lab(clock, meter, directory=tmp_path):
                device = device_of(meter)
                await until(lambda: device.outbox.tally.taken == 1)
                await until(lambda: device.outbox.next_due() == datetime(2026, 11, 25, 19, tzinfo=UTC))
                await asyncio.sleep(0.1)
                assert heard.heard == []
                assert device.outbox.tally.attempts == 0

    asyncio.run(run())


def test_a_monitor_pushes_when_its_value_crosses_the_threshold(tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "WATCH_INTERVAL", timedelta(seconds=0.2))

    async def run() -> None:
        clock = RunningClock(NOON)
        async with ears("udp") as heard:
            meter = smart(clock, push=f"udp://127.0.0.1:{heard.number}")
            heard.port._listeners = [listener_of(meter)]
            device_of(meter).catch_up()  # under 253 V
            volts: Any = device_of(meter).named(ObisCode.parse("1-0:32.7.0*255"))
            async with lab(clock, meter, directory=tmp_path):
                await asyncio.sleep(0.5)
                assert heard.heard == []
                monkeypatch.setattr(volts, "captured", lambda number, moment: double_long_unsigned(2600))
                (found,) = await heard.wait(1)
                await asyncio.sleep(0.5)
                assert len(heard.heard) == 1  # once for each crossing
        assert isinstance(found.notification, DataNotification)

    asyncio.run(run())


def test_a_limiter_opens_the_switch_though_nobody_asks(tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "WATCH_INTERVAL", timedelta(seconds=0.2))

    async def run() -> None:
        clock = RunningClock(NOON)
        meter = smart(clock)
        relay = target(meter, 70, ObisCode.parse("0-0:96.3.10*255"))
        async with lab(clock, meter, directory=tmp_path):
            await asyncio.sleep(0.3)
            assert relay.read(2).value is True
            target(meter, 71, LIMITER).write(4, double_long_unsigned(0))
            target(meter, 71, LIMITER).write(5, double_long_unsigned(0))
            await until(lambda: relay.read(2).value is False)
        assert device_of(meter).journal.count("invoke", 70, relay.logical_name, 1) == 1

    asyncio.run(run())


def test_an_error_in_one_meter_is_told_and_the_others_go_on(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(watching, "WATCH_INTERVAL", timedelta(seconds=0.1))

    async def run() -> None:
        clock = RunningClock(NOON)
        bad, good = smart(clock), smart(clock, serial_number="10000002")
        ticks = []
        original = device_of(good).tick

        def broken() -> None:
            raise RuntimeError("broken on purpose")

        def counted() -> None:
            ticks.append(1)
            original()

        monkeypatch.setattr(device_of(bad), "tick", broken)
        monkeypatch.setattr(device_of(good), "tick", counted)
        async with lab(clock, bad, good, directory=tmp_path):
            await until(lambda: len(ticks) >= 2)

    asyncio.run(run())
    assert "meter 10000001 could not do what was due: RuntimeError('broken on purpose')" in capfd.readouterr().err


def test_a_meter_that_sleeps_is_looked_at_when_it_is_built(tmp_path):
    async def run() -> None:
        clock = RunningClock(NOON)
        async with ears("tcp") as heard:
            table = {"serial_number": "10000001", "push": f"tcp://127.0.0.1:{heard.number}"}
            meter = make_meter(table, clock, lazy=True)
            async with lab(clock, meter, directory=tmp_path):
                device: Any = meter.device.awakened()  # type: ignore[attr-defined]
                device.objects[40, PUSH].target.invoke(1, None)
                device.settle()
                await heard.wait(1)

    asyncio.run(run())


def test_a_type_that_acts_by_itself_does_not_sleep():
    lazy = make_meter({"serial_number": "1", "type": "three_phase_smart"}, lambda: NOON, lazy=True)
    assert device_of(lazy).next_due() is not None


def test_a_lab_that_has_ended_does_nothing_more(tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "WATCH_INTERVAL", timedelta(seconds=0.05))

    async def run() -> None:
        clock = RunningClock(NOON)
        meter = smart(clock)
        async with lab(clock, meter, directory=tmp_path):
            await asyncio.sleep(0.2)
        assert device_of(meter).stirred is None
        ticks = []
        monkeypatch.setattr(device_of(meter), "tick", lambda: ticks.append(1))
        await asyncio.sleep(0.3)
        assert ticks == []

    asyncio.run(run())


def test_a_schedule_goes_on_after_the_power_failed(tmp_path):
    async def run() -> None:
        clock = RunningClock(ALMOST_SIX)
        async with ears("tcp") as heard:
            meter = smart(clock, push=f"tcp://127.0.0.1:{heard.number}")
            heard.port._listeners = [listener_of(meter)]
            async with lab(clock, meter, directory=tmp_path):
                device_of(meter).power_cycle()
                (found,) = await heard.wait(1)
        assert found.error is None

    asyncio.run(run())
