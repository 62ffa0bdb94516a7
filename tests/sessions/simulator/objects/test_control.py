"""The switch: every mode, state and method of its chart."""

from __future__ import annotations

import pytest

from meters.cosem.data import (
    boolean,
    enum,
    integer,
    unsigned,
)
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.events import Event
from sessions.simulator.objects.control import (
    ALLOWED,
    DIRECT_RECONNECTION,
    TOLD,
    TRANSITIONS,
    ControlEvent,
    ControlMode,
    ControlState,
    DisconnectControl,
)
from tests.sessions.simulator.objects.refusing import NAME, denied


@pytest.mark.parametrize("mode", ControlMode)
@pytest.mark.parametrize("state", ControlState)
@pytest.mark.parametrize("method_id", [1, 2])
def test_every_mode_state_and_method_of_the_switch(mode, state, method_id):
    """The Blue Book's chart: b and c disconnect; a reconnects at once, d waits for somebody at the meter."""
    switched: list[bool] = []
    control = DisconnectControl(NAME, switched.append, mode)
    control.state = state
    if mode is ControlMode.NONE:
        with denied(DataAccessResult.OTHER_REASON):
            control.invoke(method_id, integer(0))
        assert control.state is state
        assert switched == []
        return
    control.invoke(method_id, integer(0))
    if method_id == 1:
        expected = ControlState.DISCONNECTED
    elif mode in DIRECT_RECONNECTION or state is ControlState.CONNECTED:
        expected = ControlState.CONNECTED
    else:
        expected = ControlState.READY_FOR_RECONNECTION
    assert control.state is expected
    assert control.read(2) == boolean(expected is ControlState.CONNECTED)
    assert control.read(3) == enum(expected)
    assert switched == [expected is ControlState.CONNECTED]


def test_the_control_mode_is_one_of_the_standard():
    control = DisconnectControl(NAME, lambda closed: None)
    control.write(4, enum(1))
    assert control.read(4) == enum(1)
    with denied(DataAccessResult.OTHER_REASON):
        control.write(4, enum(7))
    with denied(DataAccessResult.TYPE_UNMATCHED):
        control.write(4, unsigned(1))


# -- the whole chart ---------------------------------------------------------------------------------------------------

CHART = {
    "b": (ControlState.CONNECTED, ControlEvent.REMOTE_DISCONNECT, ControlState.DISCONNECTED),
    "c": (ControlState.READY_FOR_RECONNECTION, ControlEvent.REMOTE_DISCONNECT, ControlState.DISCONNECTED),
    "a": (ControlState.DISCONNECTED, ControlEvent.REMOTE_RECONNECT_DIRECTLY, ControlState.CONNECTED),
    "d": (ControlState.DISCONNECTED, ControlEvent.REMOTE_RECONNECT_READY, ControlState.READY_FOR_RECONNECTION),
    "e": (ControlState.READY_FOR_RECONNECTION, ControlEvent.MANUAL_RECONNECT, ControlState.CONNECTED),
    "f": (ControlState.CONNECTED, ControlEvent.MANUAL_DISCONNECT, ControlState.READY_FOR_RECONNECTION),
    "g": (ControlState.CONNECTED, ControlEvent.LOCAL_DISCONNECT, ControlState.READY_FOR_RECONNECTION),
    "h": (ControlState.READY_FOR_RECONNECTION, ControlEvent.LOCAL_RECONNECT, ControlState.CONNECTED),
}
"""The transitions by the Blue Book's letters."""
LETTERS = ["", "bcfgde", "bcfgae", "bcgde", "bcgae", "bcfgdeh", "bcgdeh"]
"""Those that each control mode knows."""


@pytest.mark.parametrize("mode", ControlMode)
@pytest.mark.parametrize("letter", CHART)
def test_every_letter_in_every_mode(mode, letter):
    told: list[Event] = []
    switched: list[bool] = []
    control = DisconnectControl(NAME, switched.append, mode, tell=told.append)
    control.state, event, following = CHART[letter]
    before = control.state
    if letter in LETTERS[mode]:
        assert control.fire(event)
        assert control.state is following
        assert told == [TOLD[event, following]]
        assert switched == [following is ControlState.CONNECTED]
    else:
        assert not control.fire(event)
        assert (control.state, told, switched) == (before, [], [])


@pytest.mark.parametrize("mode", ControlMode)
@pytest.mark.parametrize("state", ControlState)
@pytest.mark.parametrize("event", ControlEvent)
def test_every_mode_state_and_event(mode, state, event):
    control = DisconnectControl(NAME, lambda closed: None, mode)
    control.state = state
    following = TRANSITIONS[state].get(event) if mode in ALLOWED[event] else None
    assert control.fire(event) is (following is not None)
    assert control.state is (state if following is None else following)
