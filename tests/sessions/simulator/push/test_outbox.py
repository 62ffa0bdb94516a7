"""The pushes of one meter: when each is due, what becomes of them, and that the power takes them."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from sessions.simulator.objects.clock import MeterClock
from sessions.simulator.push.delivery import DeliveryState
from sessions.simulator.push.outbox import MAX_WAITING, Outbox
from tests.sessions.simulator.push.test_delivery import push
from tests.sessions.simulator.served import NOON, HandClock


def outbox(clock: HandClock | None = None, seed: str = "10000001") -> Outbox:
    return Outbox(MeterClock(clock or HandClock()), seed)


@given(st.integers(0, 0xFFFF), st.text(max_size=8))
def test_the_random_wait_lies_within_its_interval_and_follows_from_the_seed(interval, seed):
    first, second = outbox(seed=seed), outbox(seed=seed)
    for one in (first, second):
        one.take(push(randomisation=interval))
    due = first.next_due()
    assert due is not None
    assert timedelta() <= due - NOON <= timedelta(seconds=interval)
    assert second.next_due() == due


def test_meters_and_pushes_wait_differently():
    dues = set()
    for seed in ("1", "2", "3"):
        one = outbox(seed=seed)
        for _ in range(3):
            one.take(push(randomisation=3600))
        dues |= {each.due for each in one._deliveries}
    assert len(dues) == 9


def test_only_what_is_due_is_tried():
    clock = HandClock()
    one = outbox(clock)
    one.take(push())
    (delivery,) = one.take_due(NOON)
    assert one.next_due() is None
    assert one.take_due(NOON) == []
    delivery.failed("nobody", NOON, for_good=True)
    one.settle()
    one.take(push(retries=1))
    (again,) = one.take_due(NOON)
    again.failed("nobody", NOON)
    assert one.next_due() == NOON
    (same,) = one.take_due(NOON)
    assert same is again
    same.succeeded()
    one.settle()
    assert one.as_json() == {
        "taken": 2,
        "attempts": 3,
        "delivered": 1,
        "confirmed": 0,
        "given_up": 1,
        "dropped": 0,
        "last_failure": "nobody",
        "waiting": 0,
    }


def test_so_many_wait_and_the_oldest_make_room():
    one = outbox()
    pushes = [push(randomisation=0) for _ in range(MAX_WAITING + 3)]
    for each in pushes:
        one.take(each)
    assert [each.push for each in one._deliveries] == pushes[3:]
    assert one.tally.dropped == 3


def test_the_power_takes_what_waits():
    one = outbox()
    one.take(push())
    one.take(push())
    (first, second) = one.take_due(NOON)
    one.clear()
    assert (one.next_due(), one.as_json()["waiting"], one.tally.dropped) == (None, 0, 2)
    assert first.state is second.state is DeliveryState.SENDING
