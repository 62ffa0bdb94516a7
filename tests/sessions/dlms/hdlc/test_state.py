import pytest

from sessions.dlms.errors import LocalProtocolError
from sessions.dlms.hdlc.state import OURS, TRANSITIONS, Event, LinkState, State


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("state", State)
def test_every_state_and_event(state, event):
    machine = LinkState()
    machine.now = state
    following = TRANSITIONS[state].get(event)
    if following is not None:
        assert machine.fire(event)
        assert machine.now is following
    elif event in OURS:
        with pytest.raises(LocalProtocolError, match=event.name):
            machine.fire(event)
        assert machine.now is state
    else:
        assert not machine.fire(event)
        assert machine.now is state


def test_every_state_has_a_row_and_a_way_out():
    assert set(TRANSITIONS) == set(State)
    assert all(set(row.values()) - {state} for state, row in TRANSITIONS.items())
