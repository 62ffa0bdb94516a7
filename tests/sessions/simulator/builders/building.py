"""A meter with a few objects of its own, for the tests of the builders."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sessions.simulator.build import build_meter
from sessions.simulator.device import MeterSecurity
from sessions.simulator.meter import Meter
from sessions.simulator.meter_type import MeterSettings, load_meter_type
from tests.sessions.simulator.served import HandClock

SERIAL = "10000042"


def meter_of(*entries: dict[str, Any], clock: HandClock | None = None, **settings: Any) -> Meter:
    """The demo's meter with these objects in place of its own."""
    given = {"security": MeterSecurity(), "clients": (), "host_clock": clock or HandClock(), **settings}
    return build_meter(
        replace(load_meter_type("three_phase"), objects=entries), MeterSettings(serial_number=SERIAL, **given)
    )


def only(*entries: dict[str, Any], **settings: Any) -> Any:
    """The last of these objects."""
    return list(meter_of(*entries, **settings).objects.values())[-1].target


CLOCK = {"class_id": 8, "logical_name": "0-0:1.0.0*255"}
ENERGY = {
    "class_id": 3,
    "logical_name": "1-0:1.8.0*255",
    "type": "double-long-unsigned",
    "source": "energy_import",
    "scaler": 0,
    "unit": 30,
}
