"""Monitors and limiters run their scripts when it is time, and once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from meters.cosem.data import (
    Data,
    array,
    boolean,
    double_long_unsigned,
    integer,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
)
from meters.cosem.date_time_text import parse_date_time
from meters.cosem.interface_class import interface_class
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.objects.base import Attribute, CosemObject, Denied
from sessions.simulator.objects.clock import MeterClock
from sessions.simulator.objects.watching import Limiter, RegisterMonitor
from tests.sessions.simulator.objects.refusing import NAME, denied
from tests.sessions.simulator.served import HandClock

VALUE, SCRIPTS = ObisCode(1, 0, 1, 7, 0, 255), ObisCode(0, 0, 10, 0, 106, 255)
MONITORED = structure(long_unsigned(3), octet_string(VALUE.octets), integer(2))


def script(selector: int) -> Data:
    return structure(octet_string(SCRIPTS.octets), long_unsigned(selector))


class World:
    """A clock, a value that is what it was set to at each minute, and a script table that remembers."""

    def __init__(self) -> None:
        self.host = HandClock()
        self.clock = MeterClock(self.host)
        self.history = {self.clock.now() - timedelta(days=400): 0}
        self.ran: list[int] = []
        self.refusing = False
        self.value, self.scripts = CosemObject(VALUE), CosemObject(SCRIPTS)
        self.value.attributes[2] = Attribute(lambda: unsigned(0))
        self.value.captured = lambda number, moment: self.at(moment)  # type: ignore[method-assign]
        self.scripts.methods[1] = self.run

    def at(self, moment) -> Data:
        return double_long_unsigned(self.history[max(since for since in self.history if since <= moment)])

    def set(self, value: int) -> None:
        self.history[self.clock.now()] = value

    def run(self, parameters: Data | None) -> None:
        self.ran.append(parameters.value)
        if self.refusing:
            raise Denied(DataAccessResult.OTHER_REASON)

    def find(self, class_id: int, name: ObisCode) -> CosemObject | None:
        return {(3, VALUE): self.value, (9, SCRIPTS): self.scripts}.get((class_id, name))

    def make(self, kind, values):
        return kind(interface_class(kind.class_id, 0), NAME, values, self.clock, self.find)


@pytest.fixture
def world() -> World:
    return World()


def monitor(world: World, *thresholds: int, up: int = 1, down: int = 2) -> RegisterMonitor:
    actions = array(*(structure(script(up), script(down)) for _ in thresholds))
    limits = array(*(double_long_unsigned(threshold) for threshold in thresholds))
    return world.make(RegisterMonitor, {2: limits, 3: MONITORED, 4: actions})


# -- register monitor --------------------------------------------------------------------------------------------------


def test_each_crossing_runs_its_action_once(world):
    target = monitor(world, 100)
    for value, expected in ((50, []), (150, [1]), (160, [1]), (100, [1, 2]), (100, [1, 2]), (101, [1, 2, 1])):
        world.host.advance(minutes=1)
        world.set(value)
        target.catch_up()
        assert world.ran == expected


def test_every_threshold_is_watched(world):
    target = monitor(world, 100, 200)
    target.catch_up()
    world.host.advance(minutes=1)
    world.set(300)
    target.catch_up()
    assert world.ran == [1, 1]


def test_what_is_above_from_the_start_or_since_a_write_was_not_crossed(world):
    world.set(150)
    target = monitor(world, 100)
    target.catch_up()
    target.write(2, array(double_long_unsigned(200)))
    target.catch_up()
    target.write(2, array(double_long_unsigned(100)))
    target.catch_up()
    assert world.ran == []


def test_no_script_and_a_script_that_is_refused_are_passed_over(world):
    target = monitor(world, 100, up=0)
    world.refusing = True
    for value in (50, 150, 50):
        world.host.advance(minutes=1)
        world.set(value)
        target.catch_up()
    assert world.ran == [2]


def test_a_value_that_is_not_there_is_not_watched(world):
    target = monitor(world, 100)
    nobody = structure(long_unsigned(3), octet_string(NAME.octets), integer(2))
    target.write(3, nobody)
    target.catch_up()
    assert world.ran == []


# -- limiter -----------------------------------------------------------------------------------------------------------


def limiter(world: World, *, groups: tuple[int, ...] = (1,)) -> Limiter:
    moment = parse_date_time("*-*-* *:*:*").encode()
    return world.make(
        Limiter,
        {
            2: MONITORED,
            4: double_long_unsigned(100),
            5: double_long_unsigned(10),
            6: double_long_unsigned(60),
            7: double_long_unsigned(120),
            8: structure(long_unsigned(1), octet_string(moment), double_long_unsigned(600)),
            9: array(*(long_unsigned(group) for group in groups)),
            11: structure(script(1), script(2)),
        },
    )


def wait(world: World, target: CosemObject, seconds: int) -> list[int]:
    world.host.advance(seconds=seconds)
    target.catch_up()
    return world.ran


def test_the_limit_has_to_be_exceeded_all_the_time_and_is_acted_upon_once(world):
    target = limiter(world)
    world.set(150)
    assert wait(world, target, 30) == []
    assert wait(world, target, 30) == [1]
    assert wait(world, target, 600) == [1]
    world.set(50)
    assert wait(world, target, 119) == [1]
    assert wait(world, target, 1) == [1, 2]
    assert wait(world, target, 600) == [1, 2]


def test_a_short_dip_begins_anew(world):
    target = limiter(world)
    world.set(150)
    world.host.advance(seconds=30)
    world.set(50)
    world.host.advance(seconds=15)
    world.set(150)
    assert wait(world, target, 30) == []
    assert wait(world, target, 60) == [1]


def test_nobody_has_to_look_in_between(world):
    target = limiter(world)
    world.set(150)
    assert wait(world, target, 3600) == [1]


def emergency(world: World, target: Limiter, identifier: int) -> None:
    moment = octet_string(parse_date_time(world.clock.now().strftime("%Y-%m-%d %H:%M:%S")).encode())
    target.write(8, structure(long_unsigned(identifier), moment, double_long_unsigned(600)))


def test_in_an_emergency_the_other_threshold_counts(world):
    target = limiter(world)
    world.set(50)
    assert (target.read(3), target.read(10)) == (double_long_unsigned(100), boolean(False))
    emergency(world, target, 1)
    assert (target.read(3), target.read(10)) == (double_long_unsigned(10), boolean(True))
    assert wait(world, target, 60) == [1]
    world.host.advance(seconds=600)
    assert (target.read(3), target.read(10)) == (double_long_unsigned(100), boolean(False))


def test_the_emergency_of_another_group_is_none_here(world):
    target = limiter(world, groups=(2, 3))
    emergency(world, target, 1)
    assert target.read(10) == boolean(False)


def test_a_limiter_remembers_that_it_acted(world):
    target = limiter(world)
    world.set(150)
    assert wait(world, target, 60) == [1]
    target.write(4, double_long_unsigned(120))
    again = limiter(world)
    again.restore(target.keep())
    assert again.read(4) == double_long_unsigned(120)
    assert wait(world, again, 60) == [1]


# -- all of them -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [lambda w: monitor(w, 100), limiter])
def test_what_is_not_as_declared_is_refused(world, make):
    target = make(world)
    with denied(DataAccessResult.TYPE_UNMATCHED):
        target.write(2, unsigned(1))
