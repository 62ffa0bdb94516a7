"""The client by itself, against frames written by hand."""

import pytest

from sessions.dlms.errors import ConnectionLostError, LinkRefusedError, LocalProtocolError, NoReplyError
from sessions.dlms.hdlc.address import client_address, server_address
from sessions.dlms.hdlc.frame import (
    DmFrame,
    FrmrFrame,
    InfoFrame,
    RejFrame,
    RnrFrame,
    RrFrame,
    SnrmFrame,
    UaFrame,
    UiFrame,
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
