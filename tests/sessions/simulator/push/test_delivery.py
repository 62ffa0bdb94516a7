"""One push: every event in every state, and the moments of its tries."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from meters.cosem.data import null
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.notification import DataNotification
from sessions.simulator.objects.clock import MeterClock
from sessions.simulator.push.delivery import (
    TRANSITIONS,
    Delivery,
    DeliveryEvent,
    DeliveryState,
    IllegalDelivery,
)
from sessions.simulator.push.rules import Destination, Push, PushRules, RepetitionDelay, Transport
from tests.sessions.simulator.push.test_windows import windows
from tests.sessions.simulator.served import NOON, HandClock

RULES = PushRules(
    setup=ObisCode.parse("0-0:25.9.0*255"), destination=Destination(Transport.TCP, "127.0.0.1", 1), client_sap=1
)


def push(**changes: Any) -> Push:
    return Push(DataNotification(1, None, null()), replace(RULES, **changes))


@pytest.mark.parametrize("state", DeliveryState)
@pytest.mark.parametrize("event", DeliveryEvent)
def test_every_event_in_every_state(state, event):
    delivery = Delivery(push(), NOON)
    delivery.state = state
    following = TRANSITIONS[state].get(event)
    if following is None:
        with pytest.raises(IllegalDelivery, match=f"{event.name} is illegal in {state.name}"):
            delivery.fire(event)
        assert delivery.state is state
    else:
        delivery.fire(event)
        assert delivery.state is following


def test_it_is_tried_as_often_as_the_setup_says_each_time_after_its_delay():
    clock = HandClock()
    meter_clock, delivery = MeterClock(clock), Delivery(push(retries=3, delay=RepetitionDelay(10, 2, 30)), NOON)
    waited = []
    while delivery.state is DeliveryState.WAITING:
        waited.append((delivery.due - clock()).total_seconds())
        clock.moment = delivery.due
        assert delivery.begin(meter_clock)
        delivery.failed("nobody is there", clock())
    assert waited == [0, 10, 20, 30]
    assert (delivery.state, delivery.attempts, delivery.failure) == (DeliveryState.GIVEN_UP, 4, "nobody is there")


def test_what_cannot_become_better_is_not_tried_again():
    delivery = Delivery(push(retries=3), NOON)
    delivery.begin(MeterClock(HandClock()))
    delivery.failed("refused", NOON, for_good=True)
    assert delivery.state is DeliveryState.GIVEN_UP


def test_a_closed_window_is_waited_for_and_costs_no_try():
    """The window is one of the meter's clock, which is an hour ahead of the host's, and was set two hours ahead besides."""
    clock = HandClock()
    meter_clock = MeterClock(clock, 60, timedelta(hours=2))
    delivery = Delivery(push(windows=windows(("*-*-* 22:00:00", "*-*-* 06:00:00"))), NOON)
    assert not delivery.begin(meter_clock)
    assert (delivery.state, delivery.attempts) == (DeliveryState.WAITING, 0)
    assert delivery.due == NOON + timedelta(hours=8)  # 14:00 there
    clock.moment = delivery.due
    assert delivery.begin(meter_clock)
    delivery.succeeded()
    assert delivery.state is DeliveryState.DELIVERED


def test_a_window_that_never_opens_again():
    delivery = Delivery(push(windows=windows(("2020-01-01 00:00:00", "2020-02-01 00:00:00"))), NOON)
    assert not delivery.begin(MeterClock(HandClock()))
    assert delivery.state is DeliveryState.GIVEN_UP
    assert "never opens" in delivery.failure
