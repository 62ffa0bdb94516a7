"""Events of a meter: what happens is told once, in the log of its kind."""

from __future__ import annotations

import pytest

from meters.cosem.obis import ObisCode
from sessions.simulator.events import EVENT_OF, KIND_OF, Event, Events, LogKind
from sessions.simulator.journal import Journal

NAME = ObisCode(0, 0, 1, 0, 0, 255)


def followed() -> tuple[Events, list[tuple[LogKind, int]]]:
    events = Events()
    told: list[tuple[LogKind, int]] = []
    for kind in LogKind:
        events.follow(kind, lambda kind=kind: told.append((kind, events.last[kind])))  # type: ignore[misc]
    return events, told


def test_every_event_stands_in_one_log():
    assert set(KIND_OF) == set(Event) - {Event.LOG_CLEARED}
    events, told = followed()
    for event in KIND_OF:
        events.record(event)
    assert told == [(KIND_OF[event], int(event)) for event in KIND_OF]


def test_the_end_of_a_log_stands_in_it():
    events, told = followed()
    events.record(Event.LOG_CLEARED, LogKind.FRAUD)
    assert told == [(LogKind.FRAUD, 255)]


@pytest.mark.parametrize(("deed", "event"), EVENT_OF.items())
def test_deeds_that_are_events(deed, event):
    events, told = followed()
    journal = Journal()
    journal.listeners.append(events.done)
    kind, class_id, number = deed
    journal.done(kind, class_id, NAME, number)
    journal.done("write", 1, NAME, 2)
    assert told == [(KIND_OF[event], int(event))]


def test_the_last_events_survive():
    events, other = Events(), Events()
    events.record(Event.CLOCK_ADJUSTED)
    other.restore(events.keep())
    assert other.last == events.last
    with pytest.raises(KeyError):
        other.restore({})
