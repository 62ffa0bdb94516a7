"""The clock of a meter type."""

from __future__ import annotations

from meters.cosem.data import date_time
from tests.sessions.simulator.builders.building import CLOCK, only
from tests.sessions.simulator.served import NOON, HandClock


def test_the_clock_follows_the_host_in_the_zone_of_the_type():
    clock = HandClock()
    assert only(CLOCK, clock=clock).read(3).value == -60
    assert only(CLOCK, clock=clock).read(2).value[5] == NOON.hour + 1
    clock.advance(hours=1)
    assert only(CLOCK, clock=clock).read(2) != date_time(NOON)
