"""The client by itself, against frames written by hand."""

import pytest

from sessions.dlms.cursor import Reader
from sessions.dlms.errors import ConnectionLostError, LinkRefusedError, LocalProtocolError, NoReplyError
from sessions.dlms.hdlc.address import client_address, read_hdlc_address, server_address
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
from sessions.dlms.hdlc.parameters import HdlcParameters
from sessions.dlms.hdlc.state import State
from sessions.dlms.link import ApduReceived, FrameSent, LinkConnected, LinkDisconnected, LinkFailed, OctetsDiscarded

from .wired import CLIENT, SERVER, Wire, events_of, make_client, make_server


def failure_of(client, now=0.0):
    failed = events_of(client, LinkFailed)
    assert len(failed) == 1
    return failed[0].error


def test_nobody_at_this_address():
    wire = Wire(make_client(physical_address=99, response_timeout=2.0, max_retries=2), make_server())
    wire.client.connect(0.0)
    wire.run()
    error = wire.outcomes[-1].error
    assert isinstance(error, NoReplyError)
    assert "1/99" in error.message
    assert "physical address" in error.hint
    assert wire.now == 6.0  # three times the timeout


def send(client, frame, now=0.0):
    client.receive_octets(frame.encode(), now)


def answer(kind, **values):
    return kind(destination=CLIENT, source=SERVER, **values)


def idle_client(**options):
    client = make_client(**options)
    client.connect(0.0)
    send(client, answer(UaFrame))
    client.octets_to_send()
    events_of(client)
    return client


def test_the_link_is_refused():
    client = make_client()
    client.connect(0.0)
    send(client, answer(DmFrame))
    error = failure_of(client)
    assert isinstance(error, LinkRefusedError)
    assert "DM" in error.message


@pytest.mark.parametrize("kind", [DmFrame, FrmrFrame])
def test_the_link_breaks_in_the_middle(kind):
    client = idle_client()
    client.send_apdu(b"x", 0.0)
    send(client, answer(kind))
    assert isinstance(failure_of(client), LinkRefusedError)
    assert client.state is State.FAILED
    assert client.next_timer() is None
    with pytest.raises(LocalProtocolError):
        client.send_apdu(b"y", 0.0)
    client.disconnect(0.0)  # the polite way out stays open
    assert client.state is State.DISCONNECTING


@pytest.mark.parametrize("heard", [False, True])
def test_the_connection_is_lost(heard):
    client = idle_client() if heard else make_client()
    if not heard:
        client.connect(0.0)
    client.connection_lost(1.0)
    error = failure_of(client)
    assert isinstance(error, ConnectionLostError)
    assert error.hint
    client.connection_lost(2.0)
    assert events_of(client) == []


@pytest.mark.parametrize("how", ["silence", "dm", "lost", "frmr"])
def test_leaving_always_succeeds(how):
    client = idle_client(response_timeout=1.0)
    client.disconnect(0.0)
    if how == "silence":
        client.handle_timer(client.next_timer())
    elif how == "lost":
        client.connection_lost(0.5)
    else:
        send(client, answer(DmFrame if how == "dm" else FrmrFrame))
    assert LinkDisconnected() in events_of(client)
    assert client.next_timer() is None
    client.octets_to_send()
    client.disconnect(2.0)  # again: nothing to do
    assert client.octets_to_send() == b""


def test_a_server_that_asks_to_wait_is_polled():
    client = idle_client(response_timeout=5.0)
    client.send_apdu(b"x", 0.0)
    client.octets_to_send()
    send(client, answer(RnrFrame, receive_sequence=1))
    assert client.next_timer() < 1.0
    client.handle_timer(client.next_timer())
    assert isinstance(decode_hdlc_frame(client.octets_to_send()), RrFrame)
    send(client, answer(RrFrame, receive_sequence=1), 0.2)
    client.handle_timer(client.next_timer())
    assert isinstance(decode_hdlc_frame(client.octets_to_send()), RrFrame)
    send(
        client,
        answer(InfoFrame, send_sequence=0, receive_sequence=1, information=bytes.fromhex("e6e700") + b"done"),
        0.4,
    )
    assert ApduReceived(b"done") in events_of(client)


def test_a_lost_request_is_sent_again_with_its_number():
    client = idle_client(response_timeout=1.0)
    client.send_apdu(b"x", 0.0)
    first = client.octets_to_send()
    client.handle_timer(1.0)
    assert isinstance(decode_hdlc_frame(client.octets_to_send()), RrFrame)
    send(client, answer(RrFrame, receive_sequence=0), 1.1)
    assert client.octets_to_send() == first


def test_an_answer_with_a_stale_number_is_still_the_answer():
    client = idle_client()
    client.send_apdu(b"x", 0.0)
    send(client, answer(InfoFrame, send_sequence=0, receive_sequence=0, information=b"\xe6\xe7\x00late"))
    assert ApduReceived(b"late") in events_of(client)


def test_a_babbling_server_is_left_after_some_retries():
    client = idle_client(max_retries=2, response_timeout=1.0)
    client.send_apdu(b"x", 0.0)
    now = 0.0
    while client.state is State.AWAITING:
        now += 0.1
        send(client, answer(InfoFrame, send_sequence=5, receive_sequence=1, information=b"what"), now)
        client.handle_timer(now)
    assert isinstance(failure_of(client), NoReplyError)
    assert 10 < now < 40  # two frames' worth of octets, then three timeouts


def test_an_answer_without_end_is_given_up():
    client = idle_client()
    client.send_apdu(b"x", 0.0)
    for number in range(600):
        if client.state is not State.AWAITING:
            break
        send(
            client,
            answer(InfoFrame, send_sequence=number % 8, receive_sequence=1, information=bytes(2000), segmented=True),
        )
    assert failure_of(client).code == "apdu-too-long"


def test_trickling_octets_keep_a_slow_answer_alive():
    client = idle_client(response_timeout=1.0)
    client.send_apdu(b"x", 0.0)
    octets = answer(InfoFrame, send_sequence=0, receive_sequence=1, information=b"\xe6\xe7\x00slow").encode()
    for number, octet in enumerate(octets):
        client.receive_octets(bytes((octet,)), number * 0.4)
    assert ApduReceived(b"slow") in events_of(client)


def test_an_echo_of_ourselves_is_dropped():
    client = make_client()
    client.connect(0.0)
    client.receive_octets(client.octets_to_send(), 0.0)
    told = events_of(client, OctetsDiscarded)
    assert [event.reason for event in told] == ["echo of our own frame"]
    assert client.state is State.CONNECTING


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (UaFrame(destination=client_address(17), source=SERVER), "for client 17"),
        (UaFrame(destination=CLIENT, source=server_address(1, 18, 2)), "from server 1/18"),
    ],
)
def test_other_peoples_frames_are_dropped(frame, reason):
    client = make_client()
    client.connect(0.0)
    send(client, frame)
    told = events_of(client, OctetsDiscarded)
    assert reason in told[0].reason
    assert client.state is State.CONNECTING


def test_a_push_comes_through_in_any_connected_state():
    client = idle_client()
    send(client, answer(UiFrame, information=bytes.fromhex("e6e700") + b"pu", segmented=True))
    send(client, answer(UiFrame, information=b"sh"))
    assert ApduReceived(b"push", unsolicited=True) in events_of(client)


def test_a_ua_that_is_cut_inside_ends_the_link_with_its_offset():
    client = make_client()
    client.connect(0.0)
    send(client, answer(UaFrame, information=bytes.fromhex("8180050502")))
    assert failure_of(client).code == "truncated"
    server = make_server()
    snrm = SnrmFrame(destination=SERVER, source=CLIENT, information=bytes.fromhex("8180050502"))
    server.receive_octets(snrm.encode(), 0.0)
    assert isinstance(decode_hdlc_frame(server.octets_to_send()), DmFrame)


def test_a_late_ua_is_no_reason_to_fail():
    client = idle_client()
    client.send_apdu(b"x", 0.0)
    send(client, answer(UaFrame))
    assert events_of(client, LinkFailed) == []
    assert client.state is State.AWAITING


def test_a_server_that_always_asks_to_wait_is_left():
    client = idle_client(busy_timeout=10.0, poll_interval=1.0)
    client.send_apdu(b"x", 0.0)
    now = 0.0
    while client.state is State.AWAITING:
        send(client, answer(RnrFrame, receive_sequence=1), now)
        now = client.next_timer() or now
        client.handle_timer(now)
    error = failure_of(client)
    assert isinstance(error, NoReplyError)
    assert error.code == "busy"
    assert "10 s" in error.message
    assert now == 10.0
    assert client.next_timer() is None


def test_a_server_may_ask_to_wait_between_segments():
    client = idle_client()
    client.send_apdu(bytes(200), 0.0)
    client.octets_to_send()
    send(client, answer(RnrFrame, receive_sequence=1))
    assert client.octets_to_send() == b""
    client.handle_timer(client.next_timer())
    client.octets_to_send()
    send(client, answer(RrFrame, receive_sequence=1))
    sent = decode_hdlc_frame(client.octets_to_send())
    assert (sent.send_sequence, sent.segmented) == (1, False)


def test_what_wants_no_answer_ends_with_the_acknowledgement():
    client = idle_client()
    client.send_apdu(b"x", 0.0, expect_reply=False)
    send(client, answer(RrFrame, receive_sequence=1))
    assert client.state is State.IDLE
    assert client.next_timer() is None


def test_a_late_acknowledgement_does_not_send_anything_again():
    client = idle_client()
    client.send_apdu(bytes(300), 0.0)
    send(client, answer(RrFrame, receive_sequence=1))
    client.octets_to_send()
    send(client, answer(RrFrame, receive_sequence=1))  # the same again: its number is old
    assert client.octets_to_send() == b""


def test_a_reject_sends_again_at_once_but_not_for_ever():
    client = idle_client(max_retries=2)
    client.send_apdu(b"x", 0.0)
    first = client.octets_to_send()
    for _ in range(2):
        send(client, answer(RejFrame, receive_sequence=0))
        assert client.octets_to_send() == first
    send(client, answer(RejFrame, receive_sequence=0))
    assert isinstance(failure_of(client), NoReplyError)


def test_a_gap_in_a_window_is_asked_for_at_its_end():
    parameters = HdlcParameters(128, 128, 1, 3)
    client = make_client(parameters=parameters)
    client.connect(0.0)
    send(client, answer(UaFrame, information=HdlcParameters(128, 128, 3, 1).encode()))
    client.send_apdu(b"x", 0.0)
    client.octets_to_send()
    more = {"receive_sequence": 1, "segmented": True}
    send(client, answer(InfoFrame, send_sequence=0, information=b"\xe6\xe7\x00a", poll_final=False, **more))
    send(client, answer(InfoFrame, send_sequence=2, information=b"c", **more))
    assert decode_hdlc_frame(client.octets_to_send()).receive_sequence == 1
    send(client, answer(InfoFrame, send_sequence=1, information=b"b", poll_final=False, **more))
    assert client.octets_to_send() == b""
    send(client, answer(InfoFrame, send_sequence=2, information=b"c", receive_sequence=1))
    assert ApduReceived(b"abc") in events_of(client)


def test_a_slow_line_may_pause_inside_a_frame():
    client = idle_client(response_timeout=5.0, inter_octet_timeout=0.5)
    client.send_apdu(b"x", 0.0)
    octets = answer(InfoFrame, send_sequence=0, receive_sequence=1, information=b"\xe6\xe7\x00slow").encode()
    client.receive_octets(octets[:9], 1.0)
    assert client.next_timer() == 1.5
    client.handle_timer(1.5)
    client.receive_octets(octets[9:], 4.0)
    assert ApduReceived(b"slow") in events_of(client)


@pytest.mark.parametrize("rubbish", ["7ea7ff", "7ea01f0303", "7ea7ff7ea7ff"])
def test_a_false_beginning_delays_an_answer_and_does_not_hide_it(rubbish):
    client = idle_client(response_timeout=5.0, inter_octet_timeout=0.5)
    client.send_apdu(b"x", 0.0)
    octets = answer(InfoFrame, send_sequence=0, receive_sequence=1, information=b"\xe6\xe7\x00found").encode()
    client.receive_octets(bytes.fromhex(rubbish) + octets, 1.0)
    client.handle_timer(1.5)
    events = events_of(client)
    assert ApduReceived(b"found") in events
    assert bytes.fromhex(rubbish) in [event.octets for event in events if isinstance(event, OctetsDiscarded)]


def test_a_frame_that_never_ends_is_given_up_with_the_answer():
    client = idle_client(response_timeout=5.0, max_retries=0)
    client.send_apdu(b"x", 0.0)
    events_of(client)
    client.receive_octets(bytes.fromhex("7ea7ff0101"), 1.0)
    client.handle_timer(1.5)
    client.handle_timer(6.0)
    discarded, failed = events_of(client)
    assert discarded.octets == bytes.fromhex("7ea7ff0101")
    assert isinstance(failed.error, NoReplyError)


def test_the_wrapper_on_an_hdlc_line_is_named():
    client = make_client(max_retries=0)
    client.connect(0.0)
    client.receive_octets(bytes.fromhex("000100010010000361"), 1.0)
    client.handle_timer(client.next_timer())  # the line pauses: what came is told
    assert [event.octets.hex() for event in events_of(client, OctetsDiscarded)] == ["000100010010000361"]
    client.handle_timer(client.next_timer())
    error = failure_of(client)
    assert error.code == "wrong-framing"
    assert "wrapper" in error.hint


@pytest.mark.parametrize(
    ("after", "code"), [("connect", "link-refused"), ("idle", "link-dropped"), ("send", "link-dropped")]
)
def test_dm_has_a_stable_code(after, code):
    client = make_client() if after == "connect" else idle_client()
    if after == "connect":
        client.connect(0.0)
    elif after == "send":
        client.send_apdu(b"x", 0.0)
    send(client, answer(DmFrame))
    assert failure_of(client).code == code


def test_frmr_has_a_stable_code():
    client = idle_client()
    client.send_apdu(b"x", 0.0)
    send(client, answer(FrmrFrame, information=bytes.fromhex("120004")))
    error = failure_of(client)
    assert error.code == "frame-rejected"
    assert "too long" in error.message


def test_nothing_is_said_before_the_snrm():
    client = make_client()
    client.connect(0.0)
    (sent,) = events_of(client, FrameSent)
    assert isinstance(decode_hdlc_frame(sent.octets), SnrmFrame)
    assert client.response_timeout == 5.0


def test_a_server_that_promises_too_much_is_clamped():
    client = make_client(parameters=HdlcParameters(100, 100, 1, 1))
    client.connect(0.0)
    send(client, answer(UaFrame, information=HdlcParameters(2030, 2030, 7, 7).encode()))
    assert events_of(client, LinkConnected) == [LinkConnected(HdlcParameters(100, 100, 1, 1))]


# -- DISC before SNRM --------------------------------------------------------------------------------------------------


def sent_by(client):
    """The frames that went out since the last look."""
    return [decode_hdlc_frame(event.octets) for event in events_of(client, FrameSent)]


@pytest.mark.parametrize("answered", [UaFrame, DmFrame, FrmrFrame, None], ids=["ua", "dm", "frmr", "silence"])
def test_a_disc_goes_first_where_that_is_wished(answered):
    client = make_client(disconnect_first=True, response_timeout=1.0)
    client.connect(0.0)
    assert [type(frame) for frame in sent_by(client)] == [DiscFrame]
    assert client.state is State.CLEARING
    if answered is None:
        client.handle_timer(client.next_timer())
    else:
        send(client, answer(answered))
    assert [type(frame) for frame in sent_by(client)] == [SnrmFrame]
    assert client.state is State.CONNECTING
    send(client, answer(UaFrame), 2.0)
    assert events_of(client, LinkConnected) == [LinkConnected(HdlcParameters())]


def test_without_the_wish_there_is_no_disc():
    client = make_client()
    client.connect(0.0)
    assert [type(frame) for frame in sent_by(client)] == [SnrmFrame]


def test_a_line_may_be_lost_and_a_user_may_leave_while_it_is_cleared():
    client = make_client(disconnect_first=True)
    client.connect(0.0)
    client.connection_lost(1.0)
    assert isinstance(failure_of(client), ConnectionLostError)
    client = make_client(disconnect_first=True)
    client.connect(0.0)
    client.disconnect(0.5)
    send(client, answer(UaFrame), 1.0)
    assert LinkDisconnected() in events_of(client)


def test_a_link_can_be_made_again_and_counts_from_zero():
    client = idle_client()
    client.send_apdu(b"x", 0.0)
    send(client, answer(InfoFrame, send_sequence=0, receive_sequence=1, information=b"\xe6\xe7\x00a"))
    client.disconnect(1.0)
    send(client, answer(UaFrame), 1.0)
    client.connect(2.0)
    send(client, answer(UaFrame), 2.0)
    events_of(client)
    client.send_apdu(b"y", 3.0)
    (frame,) = sent_by(client)
    assert (frame.send_sequence, frame.receive_sequence) == (0, 0)


# -- a link that is idle -----------------------------------------------------------------------------------------------


def test_an_idle_link_is_kept_alive():
    client = idle_client(keep_alive=30.0, inactivity_timeout=120.0)
    assert client.next_timer() == 30.0
    for number in (1, 2, 3):
        client.handle_timer(client.next_timer())
        (poll,) = sent_by(client)
        assert isinstance(poll, RrFrame)
        assert poll.poll_final
        assert client.state is State.PROBING
        kind = RnrFrame if number == 2 else RrFrame  # a busy server is alive as well
        send(client, answer(kind, receive_sequence=0), 30.0 * number)
        assert client.state is State.IDLE
        assert client.next_timer() == 30.0 * (number + 1)
    assert events_of(client, LinkFailed) == []


def test_a_server_that_went_away_is_noticed():
    client = idle_client(keep_alive=30.0, max_retries=1, response_timeout=5.0)
    for at in (30.0, 35.0, 40.0):
        assert client.next_timer() == at
        client.handle_timer(at)
    assert failure_of(client).code == "link-dead"
    client = idle_client(keep_alive=30.0)
    client.handle_timer(30.0)
    send(client, answer(DmFrame), 30.1)
    assert failure_of(client).code == "link-dropped"


def test_what_is_asked_during_a_probe_waits_for_its_answer():
    client = idle_client(keep_alive=30.0)
    client.handle_timer(30.0)
    sent_by(client)
    client.send_apdu(b"x", 30.1)
    assert sent_by(client) == []  # it is the server's turn
    assert client.state is State.AWAITING
    send(client, answer(RrFrame, receive_sequence=0), 30.2)
    (asked,) = sent_by(client)
    assert asked.information.endswith(b"x")
    send(client, answer(InfoFrame, send_sequence=0, receive_sequence=1, information=b"\xe6\xe7\x00y"), 30.3)
    assert ApduReceived(b"y") in events_of(client)


def test_a_probe_that_is_lost_does_not_lose_what_was_asked():
    client = idle_client(keep_alive=30.0, response_timeout=5.0)
    client.handle_timer(30.0)
    client.send_apdu(b"x", 31.0)
    sent_by(client)
    client.handle_timer(client.next_timer())
    assert [type(frame) for frame in sent_by(client)] == [RrFrame]
    send(client, answer(RrFrame, receive_sequence=0), 36.0)
    (asked,) = sent_by(client)
    assert asked.information.endswith(b"x")


def test_a_server_may_use_a_probe_to_say_something_of_its_own():
    client = idle_client(keep_alive=30.0)
    client.handle_timer(30.0)
    sent_by(client)
    event = {"receive_sequence": 0, "poll_final": True}
    send(client, answer(InfoFrame, send_sequence=0, information=b"\xe6\xe7\x00ev", segmented=True, **event), 30.1)
    (more,) = sent_by(client)
    assert (type(more), more.receive_sequence) == (RrFrame, 1)
    send(client, answer(InfoFrame, send_sequence=1, information=b"ent", **event), 30.2)
    assert ApduReceived(b"event", unsolicited=True) in events_of(client)
    assert client.state is State.IDLE


def test_an_event_between_a_probe_and_a_request_is_not_taken_for_the_answer():
    client = idle_client(keep_alive=30.0)
    client.handle_timer(30.0)
    client.send_apdu(b"x", 30.1)
    sent_by(client)
    send(client, answer(InfoFrame, send_sequence=0, receive_sequence=0, information=b"\xe6\xe7\x00ev"), 30.2)
    events = events_of(client)
    assert ApduReceived(b"ev", unsolicited=True) in events
    (asked,) = [decode_hdlc_frame(event.octets) for event in events if isinstance(event, FrameSent)]
    assert (asked.information[3:], asked.receive_sequence) == (b"x", 1)
    send(client, answer(InfoFrame, send_sequence=1, receive_sequence=1, information=b"\xe6\xe7\x00y"), 30.3)
    assert ApduReceived(b"y") in events_of(client)


def test_a_server_that_speaks_without_its_turn_is_understood():
    client = idle_client()
    frame = {"receive_sequence": 0, "poll_final": False}
    send(client, answer(InfoFrame, send_sequence=0, information=b"\xe6\xe7\x00ev", segmented=True, **frame))
    assert client.next_timer() == 5.0
    send(client, answer(InfoFrame, send_sequence=1, receive_sequence=0, information=b"ent"))
    assert ApduReceived(b"event", unsolicited=True) in events_of(client)
    assert client.state is State.IDLE
    send(client, answer(InfoFrame, send_sequence=1, receive_sequence=0, information=b"ent"))  # again
    assert events_of(client, ApduReceived) == []
    assert client.state is State.IDLE


def test_a_link_that_was_silent_for_too_long_is_dead():
    client = idle_client(inactivity_timeout=60.0)
    assert client.next_timer() == 60.0
    client.handle_timer(60.0)
    assert failure_of(client).code == "link-inactive"
    assert client.next_timer() is None
    client = idle_client(inactivity_timeout=60.0)
    client.send_apdu(b"x", 59.0)
    send(client, answer(InfoFrame, send_sequence=0, receive_sequence=1, information=b"\xe6\xe7\x00y"), 61.0)
    assert client.next_timer() == 121.0


# -- a client that is busy ---------------------------------------------------------------------------------------------


def test_a_busy_client_says_rnr_and_takes_the_rest_when_it_can():
    client = idle_client()
    client.send_apdu(b"x", 0.0)
    client.hold(0.0)
    sent_by(client)
    first = answer(InfoFrame, send_sequence=0, receive_sequence=1, information=b"\xe6\xe7\x00a", segmented=True)
    send(client, first)
    (busy,) = sent_by(client)
    assert (type(busy), busy.receive_sequence, busy.poll_final) == (RnrFrame, 1, True)
    send(client, answer(RrFrame, receive_sequence=1))
    assert sent_by(client) == []
    assert client.next_timer() is None
    client.resume(50.0)
    (ready,) = sent_by(client)
    assert (type(ready), ready.receive_sequence) == (RrFrame, 1)
    send(client, answer(InfoFrame, send_sequence=1, receive_sequence=1, information=b"b"), 50.0)
    assert ApduReceived(b"ab") in events_of(client)
    assert client.state is State.IDLE


def test_a_busy_client_keeps_the_link_alive():
    client = idle_client(keep_alive=30.0)
    client.send_apdu(b"x", 0.0)
    client.hold(0.0)
    send(client, answer(RrFrame, receive_sequence=1), 1.0)
    sent_by(client)
    assert client.next_timer() == 31.0
    client.handle_timer(31.0)
    assert [type(frame) for frame in sent_by(client)] == [RnrFrame]
    assert client.state is State.HOLDING
    client.resume(31.5)  # the server's turn: nothing is said
    assert sent_by(client) == []
    send(client, answer(RrFrame, receive_sequence=1), 32.0)
    client.handle_timer(client.next_timer())
    assert [type(frame) for frame in sent_by(client)] == [RrFrame]


def test_a_server_that_does_not_mind_is_understood():
    client = idle_client()
    client.send_apdu(b"x", 0.0)
    client.hold(0.0)
    send(client, answer(InfoFrame, send_sequence=0, receive_sequence=1, information=b"\xe6\xe7\x00y"))
    assert ApduReceived(b"y") in events_of(client)
    assert client.state is State.IDLE


def test_silence_to_an_rnr_is_asked_again_by_rnr():
    client = idle_client(response_timeout=5.0)
    client.send_apdu(b"x", 0.0)
    client.hold(0.0)
    sent_by(client)
    client.handle_timer(5.0)
    assert [type(frame) for frame in sent_by(client)] == [RnrFrame]


# -- UI frames ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("connected", [False, True])
def test_a_command_that_nobody_answers(connected):
    client = idle_client() if connected else make_client()
    client.send_unconfirmed(bytes(200), 0.0)
    first, second = sent_by(client)
    assert (type(first), first.poll_final, first.segmented, first.destination) == (UiFrame, False, True, SERVER)
    assert (second.segmented, first.information + second.information) == (False, b"\xe6\xe6\x00" + bytes(200))
    assert client.next_timer() is None
    assert client.state is (State.IDLE if connected else State.DISCONNECTED)


@pytest.mark.parametrize(
    ("place", "octets"),
    [
        ({"physical_address": None, "address_octets": 1}, "ff"),
        ({}, "feff"),
        ({"address_octets": 4}, "fefefeff"),
    ],
)
def test_a_broadcast_reaches_every_station(place, octets):
    client = make_client(**place)
    client.send_unconfirmed(b"clock", 0.0, broadcast=True)
    (frame,) = sent_by(client)
    assert frame.destination.encode().hex() == octets
    assert frame.destination.is_broadcast


def test_in_the_middle_of_an_exchange_nothing_unconfirmed_is_said():
    client = idle_client()
    client.send_apdu(b"x", 0.0)
    with pytest.raises(LocalProtocolError):
        client.send_unconfirmed(b"y", 0.0)


def test_a_push_that_ends_in_the_middle_is_told_and_the_next_one_whole():
    client = idle_client()
    send(client, answer(UiFrame, information=b"\xe6\xe7\x00be", segmented=True))
    send(client, answer(UiFrame, information=b"\xe6\xe7\x00next"))
    events = events_of(client)
    assert ApduReceived(b"next", unsolicited=True) in events
    (told,) = [event for event in events if isinstance(event, OctetsDiscarded)]
    assert (told.octets, told.reason) == (b"\xe6\xe7\x00be", "UI segments without an end")


# -- what deviates -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("octets", ["0021", "20 01", "00000021"])
def test_a_client_address_of_several_octets_is_understood(octets):
    """As (upper 0, lower 16), (upper 16, lower 0)."""
    client = make_client()
    client.connect(0.0)
    ua = UaFrame(destination=decoded_address(octets), source=SERVER)
    send(client, ua)
    assert len(events_of(client, LinkConnected)) == 1


def decoded_address(octets):
    return read_hdlc_address(Reader(bytes.fromhex(octets)), "address")


@pytest.mark.parametrize("octets", ["03", "00020023", "0223"])
def test_a_server_address_in_another_form_is_understood(octets):
    client = make_client()
    client.connect(0.0)
    send(client, UaFrame(destination=CLIENT, source=decoded_address(octets)))
    assert len(events_of(client, LinkConnected)) == 1


def test_a_frame_that_no_server_sends_changes_nothing():
    client = idle_client()
    client.send_apdu(b"x", 0.0)
    send(client, UnknownFrame(destination=CLIENT, source=SERVER, octet=0x7F))
    assert client.state is State.AWAITING
    assert events_of(client, LinkFailed) == []


# -- the pause between two frames --------------------------------------------------------------------------------------


def test_a_line_that_turns_slowly_gets_its_pause():
    client = make_client(inter_frame_time=0.2, response_timeout=5.0)
    client.connect(0.0)
    assert len(sent_by(client)) == 1  # nobody has spoken yet
    send(client, answer(UaFrame), 1.0)
    client.send_apdu(b"x", 1.05)
    assert sent_by(client) == []
    assert client.next_timer() == 1.2
    client.handle_timer(1.2)
    (asked,) = sent_by(client)
    assert asked.information.endswith(b"x")
    assert client.next_timer() == 6.2  # the answer is due from then on
    octets = answer(
        InfoFrame, send_sequence=0, receive_sequence=1, information=b"\xe6\xe7\x00a", segmented=True
    ).encode()
    client.receive_octets(octets[:10], 2.0)
    client.receive_octets(octets[10:], 2.1)
    assert sent_by(client) == []
    client.handle_timer(client.next_timer())
    assert [type(frame) for frame in sent_by(client)] == [RrFrame]


def test_on_a_slow_line_an_answer_is_due_when_the_request_has_left():
    """300 baud: 30 octets a second. A request of 153 octets takes five seconds, three of them fifteen."""
    parameters = HdlcParameters(140, 140, 3, 1)
    client = make_client(octet_time=1 / 30, response_timeout=5.0, parameters=parameters)
    client.connect(0.0)
    (snrm,) = sent_by(client)
    assert client.next_timer() == pytest.approx(5.0 + len(snrm.encode()) / 30)
    agreed = HdlcParameters(140, 140, 1, 3).encode()
    send(client, answer(UaFrame, information=agreed), 2.0)
    client.send_apdu(bytes(400), 10.0)
    frames = [frame.encode() for frame in sent_by(client)]
    assert len(frames) == 3
    assert client.next_timer() == pytest.approx(10.0 + 5.0 + sum(map(len, frames)) / 30)
    assert client.next_timer() > 28.0


def test_a_frame_that_waits_for_its_pause_is_forgotten_with_the_link():
    client = idle_client(inter_frame_time=0.5)
    client.receive_octets(b"\x00", 1.0)
    client.send_apdu(b"x", 1.1)
    client.connection_lost(1.2)
    client.handle_timer(2.0)
    assert sent_by(client) == []
    assert client.next_timer() is None


def test_a_busy_server_is_polled_less_and_less_often():
    client = idle_client(busy_timeout=60.0, poll_interval=0.1, response_timeout=5.0)
    client.send_apdu(b"x", 0.0)
    sent_by(client)
    now, times = 0.0, []
    while client.state is State.AWAITING and len(times) < 8:
        send(client, answer(RnrFrame, receive_sequence=1), now)
        now = client.next_timer()
        client.handle_timer(now)
        times.append(round(now, 1))
    assert times == [0.1, 0.3, 0.7, 1.5, 2.5, 3.5, 4.5, 5.5]


# -- every frame in every state ----------------------------------------------------------------------------------------


def client_in(state):
    """A client that got there by frames and calls alone."""
    client = make_client(disconnect_first=state is State.CLEARING, keep_alive=30.0, response_timeout=5.0)
    if state is not State.DISCONNECTED:
        client.connect(0.0)
    if state not in (State.DISCONNECTED, State.CLEARING, State.CONNECTING):
        send(client, answer(UaFrame))
    if state is State.PROBING:
        client.handle_timer(30.0)
    if state in (State.AWAITING, State.HOLDING):
        client.send_apdu(b"x", 0.0)
    if state is State.HOLDING:
        client.hold(0.0)
    if state is State.DISCONNECTING:
        client.disconnect(0.0)
    if state is State.FAILED:
        send(client, answer(DmFrame))
    assert client.state is state
    client.octets_to_send()
    events_of(client)
    return client


FRAMES = {
    "UA": answer(UaFrame),
    "DM": answer(DmFrame),
    "FRMR": answer(FrmrFrame),
    "RR": answer(RrFrame, receive_sequence=0),
    "RNR": answer(RnrFrame, receive_sequence=0),
    "REJ": answer(RejFrame, receive_sequence=0),
    "I": answer(InfoFrame, send_sequence=0, receive_sequence=0, information=b"\xe6\xe7\x00y"),
    "I old": answer(InfoFrame, send_sequence=7, receive_sequence=0, information=b"\xe6\xe7\x00y"),
    "UI": answer(UiFrame, information=b"\xe6\xe7\x00y"),
    "unknown": answer(UnknownFrame, octet=0x3F),
}
FOLLOWING = {
    State.DISCONNECTED: {},
    State.CLEARING: dict.fromkeys(("UA", "DM", "FRMR"), State.CONNECTING),
    State.CONNECTING: {"UA": State.IDLE, "DM": State.FAILED, "FRMR": State.FAILED},
    State.IDLE: {"DM": State.FAILED, "FRMR": State.FAILED},
    State.PROBING: {
        "DM": State.FAILED,
        "FRMR": State.FAILED,
        **dict.fromkeys(("RR", "RNR", "REJ", "I"), State.IDLE),
    },
    State.AWAITING: {"DM": State.FAILED, "FRMR": State.FAILED, "I": State.IDLE},
    State.HOLDING: {"DM": State.FAILED, "FRMR": State.FAILED, "I": State.IDLE},
    State.DISCONNECTING: dict.fromkeys(("UA", "DM", "FRMR"), State.DISCONNECTED),
    State.FAILED: {},
}


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("state", State)
def test_every_frame_in_every_state(state, name):
    client = client_in(state)
    send(client, FRAMES[name], 31.0)
    assert client.state is FOLLOWING[state].get(name, state)
    failed = events_of(client, LinkFailed)
    assert bool(failed) is (client.state is State.FAILED and state is not State.FAILED)
    waits = client.state not in (State.DISCONNECTED, State.FAILED)
    assert (client.next_timer() is not None) is waits


@pytest.mark.parametrize("state", State)
def test_silence_ends_every_wait(state):
    """Whatever is awaited, time alone brings an end, and no state is stuck. An idle link is polled until it fails."""
    client = client_in(state)
    now, seen = 0.0, 0
    while (timer := client.next_timer()) is not None:
        seen += 1
        assert seen < 30
        assert timer >= now
        now = timer
        client.handle_timer(now)
    assert client.state in (State.DISCONNECTED, State.FAILED)


@pytest.mark.parametrize("state", State)
def test_the_way_out_is_open_in_every_state(state):
    client = client_in(state)
    client.disconnect(1.0)
    if client.state is State.DISCONNECTING:
        send(client, answer(UaFrame), 2.0)
    assert client.state is State.DISCONNECTED


@pytest.mark.parametrize("state", State)
def test_the_line_may_be_lost_in_every_state(state):
    client = client_in(state)
    client.connection_lost(1.0)
    assert client.state in (State.DISCONNECTED, State.FAILED)
    assert client.next_timer() is None
