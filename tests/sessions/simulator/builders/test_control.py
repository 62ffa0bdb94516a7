"""The switch of a meter type works its supply, by hand and by script."""

from __future__ import annotations

from meters.cosem.data import integer, long_unsigned
from meters.cosem.obis import ObisCode
from tests.sessions.simulator.builders.building import ENERGY, meter_of

POWER = {**ENERGY, "logical_name": "1-0:1.7.0*255", "source": "power_import", "unit": 27}
SWITCH = {"class_id": 70, "logical_name": "0-0:96.3.10*255"}
SCRIPTS = {"class_id": 9, "logical_name": "0-0:10.0.106*255", "target": "0-0:96.3.10*255"}


def test_an_open_switch_lets_no_power_through():
    meter = meter_of(POWER, SWITCH, SCRIPTS)
    power, switch, scripts = (access.target for access in meter.objects.values())
    assert power.read(2).value > 0
    scripts.invoke(1, long_unsigned(1))
    assert power.read(2).value == 0
    switch.invoke(2, integer(0))
    assert power.read(2).value > 0
    assert scripts.read(2)[0][1][0][2].value == ObisCode.parse("0-0:96.3.10*255").octets
