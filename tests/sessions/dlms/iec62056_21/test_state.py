import pytest

from sessions.dlms.errors import LocalProtocolError
from sessions.dlms.iec62056_21.state import OURS, TRANSITIONS, ClientState, Event, State


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("state", State)
def test_every_state_and_event(state, event):
    machine = ClientState()
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


def test_every_state_has_a_row_and_every_open_one_a_way_out():
    assert set(TRANSITIONS) == set(State)
    over = {State.CLOSED, State.FAILED}
    assert all(set(row.values()) & over for row in TRANSITIONS.values())
    assert all(set(TRANSITIONS[state].values()) == {state} for state in over)
