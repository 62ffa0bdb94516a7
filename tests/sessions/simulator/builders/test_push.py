"""Push setup of a meter type: the meter says what its columns name."""

from __future__ import annotations

import pytest

from meters.cosem.data import integer
from tests.sessions.simulator.builders.building import CLOCK, ENERGY, meter_of

PUSH = {"class_id": 40, "logical_name": "0-0:25.9.0*255", "columns": ["0-0:1.0.0*255", "1-0:1.8.0*255"]}


@pytest.mark.parametrize("confirmed", [False, True])
def test_its_method_makes_the_meter_speak(confirmed):
    meter = meter_of(CLOCK, ENERGY, {**PUSH, "confirmed": confirmed})
    clock, energy, push = (access.target for access in meter.objects.values())
    push.invoke(1, integer(0))
    (notification,) = meter.take_notifications()
    assert notification.wants_confirmation is confirmed
    assert list(notification.notification_body)[1:] == [clock.read(2), energy.read(2)]
