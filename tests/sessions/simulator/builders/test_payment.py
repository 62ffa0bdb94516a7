"""What a type says of payment metering. What it does: `payment/`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sessions.simulator.build import build_meter
from sessions.simulator.device import MeterSecurity
from sessions.simulator.meter_type import MeterSettings, MeterTypeError, load_meter_type
from tests.sessions.simulator.payment.metered import ACCOUNT, Prepaid
from tests.sessions.simulator.served import HandClock


def test_the_account_names_what_stands_before_it():
    prepaid = Prepaid()
    assert [len(prepaid.value(ACCOUNT, number)) for number in (9, 10)] == [2, 3]


@pytest.mark.parametrize(
    "changes",
    [
        {"credits": ["0-0:19.20.0*255"]},
        {"charges": ["0-0:19.10.0*255"]},
        {"gateway": "0-0:19.10.0*255"},
        {"control": "0-0:19.10.0*255"},
        {"control": "0-0:19.99.0*255"},
    ],
)
def test_an_account_that_cannot_be(changes: dict[str, Any]):
    meter_type = load_meter_type("prepayment")
    objects = tuple({**each, **changes} if each["class_id"] == 111 else each for each in meter_type.objects)
    settings = MeterSettings(serial_number="1", security=MeterSecurity(), clients=(), host_clock=HandClock())
    with pytest.raises(MeterTypeError):
        build_meter(replace(meter_type, objects=objects), settings)
