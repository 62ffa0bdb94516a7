"""Devices behind a meter: values of the last capture, a load and a valve of their own."""

from __future__ import annotations

from datetime import timedelta

import pytest

from meters.cosem.data import integer
from sessions.simulator.meter_type import MeterTypeError
from tests.sessions.simulator.builders.building import ENERGY, meter_of
from tests.sessions.simulator.served import HandClock

CHANNEL = "0-1:24.1.0*255"
CLIENT = {
    "class_id": 72,
    "version": 1,
    "logical_name": CHANNEL,
    "load": {"daily_import": 6.0},
    "values": {"capture_period": 3600, "primary_address": 1, "identification_number": 7},
}
VOLUME = {
    "class_id": 4,
    "logical_name": "0-1:24.2.1*255",
    "channel": CHANNEL,
    "type": "double-long-unsigned",
    "source": "volume",
    "scaler": -6,
    "unit": 13,
}
VALVE = {"class_id": 70, "logical_name": "0-1:24.4.0*255", "channel": CHANNEL}


def test_a_value_stands_until_the_next_capture():
    clock = HandClock()
    meter = meter_of(CLIENT, VOLUME, clock=clock)
    _, volume = (access.target for access in meter.objects.values())
    first, at = volume.read(2), volume.read(5)
    clock.advance(minutes=59)
    assert (volume.read(2), volume.read(5)) == (first, at)
    clock.advance(minutes=1)
    assert volume.read(2).value > first.value
    assert volume.read(5) != at


def test_a_closed_valve_stops_the_device_and_not_the_meter():
    clock = HandClock()
    meter = meter_of(CLIENT, VOLUME, VALVE, ENERGY, clock=clock)
    _, volume, valve, energy = (access.target for access in meter.objects.values())
    volumes, energies = [], []
    valve.invoke(1, integer(0))
    for _ in range(2):
        volumes.append(volume.read(2).value)
        energies.append(energy.read(2).value)
        clock.moment += timedelta(hours=3)
    assert volumes[0] == volumes[1]
    assert energies[0] < energies[1]


def test_a_channel_stands_before_what_belongs_to_it():
    with pytest.raises(MeterTypeError, match=r"24\.1\.0"):
        meter_of(VOLUME, CLIENT)
