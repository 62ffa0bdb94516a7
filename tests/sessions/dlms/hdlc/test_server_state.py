"""The server's table: complete, and the link does what it says for every frame in every state."""

from dataclasses import replace

import pytest

from sessions.dlms.hdlc.frame import (
    DiscFrame,
    DmFrame,
    FrmrFrame,
    InfoFrame,
    RejFrame,
    RnrFrame,
    RrFrame,
    SnrmFrame,
    UaFrame,
    UiFrame,
    UnknownFrame,
    decode_hdlc_frame,
)
from sessions.dlms.hdlc.server_state import TRANSITIONS, Action, ServerEvent, ServerMachine, ServerState
from sessions.dlms.link import LinkDisconnected

from .wired import CLIENT, SERVER, events_of, make_server

TO = {"destination": SERVER, "source": CLIENT}
LLC = bytes.fromhex("e6e600")


@pytest.mark.parametrize("event", ServerEvent)
@pytest.mark.parametrize("state", ServerState)
def test_every_state_and_event(state, event):
    machine = ServerMachine()
    machine.now = state
    assert machine.fire(event) is TRANSITIONS[state][event][0]
    assert machine.now is TRANSITIONS[state][event][1]


def test_the_table_is_complete_and_every_action_is_used():
    assert set(TRANSITIONS) == set(ServerState)
    assert all(set(row) == set(ServerEvent) for row in TRANSITIONS.values())
    assert {action for row in TRANSITIONS.values() for action, _ in row.values()} == set(Action)


def test_only_snrm_connects_and_only_the_end_of_a_link_disconnects():
    for state, row in TRANSITIONS.items():
        for event, (action, following) in row.items():
            if following is ServerState.CONNECTED and state is not ServerState.CONNECTED:
                assert event is ServerEvent.SNRM
            if following is ServerState.DISCONNECTED and state is not ServerState.DISCONNECTED:
                assert action in (Action.REFUSE, Action.LEAVE, Action.FORGET)


FRAMES = {
    ServerEvent.SNRM: SnrmFrame(**TO),
    ServerEvent.BAD_SNRM: SnrmFrame(**TO, information=bytes.fromhex("8180050502")),
    ServerEvent.DISC: DiscFrame(**TO),
    ServerEvent.INFORMATION: InfoFrame(
        **TO, send_sequence=0, receive_sequence=0, information=LLC + b"x", segmented=True
    ),
    ServerEvent.READY: RrFrame(**TO, receive_sequence=0),
    ServerEvent.NOT_READY: RnrFrame(**TO, receive_sequence=0),
    ServerEvent.UNNUMBERED: UiFrame(**TO, information=LLC + b"x"),
    ServerEvent.FAULT: UnknownFrame(**TO, octet=0x3F),
}
ANSWERS = {
    Action.CONNECT: UaFrame,
    Action.REFUSE: DmFrame,
    Action.LEAVE: UaFrame,
    Action.SAY_DM: DmFrame,
    Action.TAKE_INFORMATION: RrFrame,
    Action.INFORM: RrFrame,
    Action.WAIT: RrFrame,
    Action.REJECT: FrmrFrame,
    Action.REJECT_AGAIN: FrmrFrame,
    Action.IGNORE: None,
}


def server_in(state):
    server = make_server(inactivity_timeout=60.0)
    if state is not ServerState.DISCONNECTED:
        server.receive_octets(FRAMES[ServerEvent.SNRM].encode(), 0.0)
    if state is ServerState.REJECTING:
        server.receive_octets(FRAMES[ServerEvent.FAULT].encode(), 0.0)
    assert server.state is state
    server.octets_to_send()
    events_of(server)
    return server


def said_by(server):
    octets = server.octets_to_send()
    return decode_hdlc_frame(octets) if octets else None


@pytest.mark.parametrize("event", FRAMES)
@pytest.mark.parametrize("state", ServerState)
def test_every_frame_in_every_state_is_answered_as_the_table_says(state, event):
    server = server_in(state)
    action, following = TRANSITIONS[state][event]
    server.receive_octets(FRAMES[event].encode(), 1.0)
    answer = said_by(server)
    if action is Action.TAKE_UNNUMBERED:  # within a link the poll bit hands over the turn
        assert isinstance(answer, RrFrame) is (state is ServerState.CONNECTED)
    elif ANSWERS[action] is None:
        assert answer is None
    else:
        assert type(answer) is ANSWERS[action]
        assert answer.poll_final
    assert server.state is following
    told = LinkDisconnected() in events_of(server)
    assert told is (action in (Action.REFUSE, Action.LEAVE))


@pytest.mark.parametrize("event", [one for one in FRAMES if one not in (ServerEvent.SNRM, ServerEvent.BAD_SNRM)])
@pytest.mark.parametrize("state", ServerState)
def test_without_the_poll_bit_nothing_is_said(state, event):
    """But for DISC: the end of a link is confirmed in any case."""
    frame = replace(FRAMES[event], poll_final=False)
    if isinstance(frame, UnknownFrame):
        frame = replace(frame, octet=0x2F)
    server = server_in(state)
    server.receive_octets(frame.encode(), 1.0)
    confirmed = event is ServerEvent.DISC and state is not ServerState.DISCONNECTED
    assert (said_by(server) is None) is not confirmed
    assert server.state is TRANSITIONS[state][event][1]


@pytest.mark.parametrize("state", ServerState)
def test_inactivity_in_every_state(state):
    server = server_in(state)
    server.handle_timer(60.0)
    assert server.state is ServerState.DISCONNECTED
    assert (LinkDisconnected() in events_of(server)) is (state is not ServerState.DISCONNECTED)
    assert said_by(server) is None


@pytest.mark.parametrize("state", ServerState)
def test_a_lost_line_in_every_state(state):
    server = server_in(state)
    server.connection_lost(1.0)
    assert server.state is ServerState.DISCONNECTED
    assert (LinkDisconnected() in events_of(server)) is (state is not ServerState.DISCONNECTED)


def test_a_reject_is_a_kind_of_ready():
    server = server_in(ServerState.CONNECTED)
    server.receive_octets(RejFrame(**TO, receive_sequence=0).encode(), 1.0)
    assert isinstance(said_by(server), RrFrame)
