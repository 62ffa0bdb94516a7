"""The server by itself, against frames written by hand."""

import pytest

from sessions.dlms.hdlc.address import client_address, server_address
from sessions.dlms.hdlc.frame import (
    DiscFrame,
    DmFrame,
    FrmrFrame,
    InfoFrame,
    RnrFrame,
    RrFrame,
    SnrmFrame,
    UaFrame,
    UiFrame,
    UnknownFrame,
    decode_hdlc_frame,
)
from sessions.dlms.hdlc.parameters import HdlcParameters, decode_hdlc_parameters
from sessions.dlms.hdlc.reject import Fault, decode_frame_reject
from sessions.dlms.hdlc.server_state import ServerState
from sessions.dlms.hdlc.state import State
from sessions.dlms.hdlc.stream import Found, FrameReader
from sessions.dlms.link import ApduReceived, LinkDisconnected, OctetsDiscarded

from .wired import CLIENT, SERVER, connected, events_of, make_client, make_server

LARGE = HdlcParameters(2030, 2030, 7, 7)


def test_a_meter_that_is_not_connected_says_so():
    server = make_server()
    server.receive_octets(RrFrame(destination=SERVER, source=CLIENT, receive_sequence=0).encode(), 0.0)
    assert isinstance(decode_hdlc_frame(server.octets_to_send()), DmFrame)


def test_a_meter_is_silent_for_others_damage_and_broadcast():
    server = make_server()
    damaged = bytearray(SnrmFrame(destination=SERVER, source=CLIENT).encode())
    damaged[-2] ^= 1
    for octets in (
        SnrmFrame(destination=server_address(1, 18, 2), source=CLIENT).encode(),
        SnrmFrame(destination=server_address(127, 127, 2), source=CLIENT).encode(),
        bytes(damaged),
        b"noise",
    ):
        server.receive_octets(octets, 0.0)
    assert server.octets_to_send() == b""
    assert not server.connected


def test_a_meter_forgets_a_client_that_went_away():
    server = make_server(inactivity_timeout=10.0)
    wire = connected(server=server)
    assert server.next_timer() == 10.0
    server.handle_timer(9.0)
    assert server.connected
    server.handle_timer(10.0)
    assert not server.connected
    assert LinkDisconnected() in events_of(server)
    assert wire.client.state is State.IDLE


def test_a_second_snrm_begins_anew():
    server = make_server()
    wire = connected(server=server)
    wire.client.send_apdu(b"x", 0.0)
    wire.run()
    server.receive_octets(SnrmFrame(destination=SERVER, source=client_address(32)).encode(), 1.0)
    assert isinstance(decode_hdlc_frame(server.octets_to_send()), UaFrame)
    assert server.client_sap == 32


def test_a_slow_meter_says_so_and_answers_at_the_next_poll():
    client, server = make_client(), make_server()
    client.connect(0.0)
    server.receive_octets(client.octets_to_send(), 0.0)
    client.receive_octets(server.octets_to_send(), 0.0)
    client.send_apdu(b"x", 0.0)
    server.receive_octets(client.octets_to_send(), 0.0)
    poll = RrFrame(destination=SERVER, source=CLIENT, receive_sequence=0).encode()
    server.receive_octets(poll, 1.0)
    assert isinstance(decode_hdlc_frame(server.octets_to_send()), RrFrame)
    server.send_apdu(b"answer", 1.5)
    assert server.octets_to_send() == b""  # not its turn
    server.receive_octets(poll, 2.0)
    assert isinstance(decode_hdlc_frame(server.octets_to_send()), InfoFrame)


def connected_server(**options):
    server = make_server(**options)
    server.receive_octets(SnrmFrame(destination=SERVER, source=CLIENT).encode(), 0.0)
    server.octets_to_send()
    events_of(server)
    return server


def say(server, frame, now=0.0):
    """Feed a frame; the frame that answers it, or None."""
    server.receive_octets(frame.encode(), now)
    octets = server.octets_to_send()
    return decode_hdlc_frame(octets) if octets else None


def request(number, information=b"\xe6\xe6\x00ask", received=0, **options):
    return InfoFrame(
        destination=SERVER,
        source=CLIENT,
        send_sequence=number,
        receive_sequence=received,
        information=information,
        **options,
    )


def test_without_the_poll_bit_a_meter_says_nothing():
    server = make_server()
    assert say(server, RrFrame(destination=SERVER, source=CLIENT, receive_sequence=0, poll_final=False)) is None
    server = connected_server()
    assert say(server, request(0, segmented=True, poll_final=False)) is None
    assert say(server, RrFrame(destination=SERVER, source=CLIENT, receive_sequence=0, poll_final=False)) is None


def test_a_client_that_asks_to_wait_gets_no_information():
    server = connected_server()
    say(server, request(0))
    server.send_apdu(bytes(200), 0.0)
    server.octets_to_send()
    answered = say(server, RnrFrame(destination=SERVER, source=CLIENT, receive_sequence=1))
    assert isinstance(answered, RrFrame)
    answered = say(server, RrFrame(destination=SERVER, source=CLIENT, receive_sequence=1))
    assert answered.send_sequence == 1


def test_a_repeated_request_is_not_executed_again():
    server = connected_server()
    say(server, request(0))
    server.send_apdu(b"answer", 0.0)
    first = server.octets_to_send()
    assert events_of(server, ApduReceived) == [ApduReceived(b"ask")]
    assert say(server, request(0)).encode() == first
    assert events_of(server, ApduReceived) == []


def test_a_new_request_ends_an_old_answer_and_takes_its_numbers():
    server = connected_server()
    say(server, request(0))
    server.send_apdu(bytes(300), 0.0)
    server.octets_to_send()
    say(server, request(1, received=0))  # the client gave up the answer before it saw any of it
    server.send_apdu(b"new", 0.0)
    answered = decode_hdlc_frame(server.octets_to_send())
    assert (answered.send_sequence, answered.receive_sequence) == (0, 2)
    assert answered.information.endswith(b"new")


def test_a_request_without_end_drops_the_link():
    server = make_server(parameters=LARGE)
    say(server, SnrmFrame(destination=SERVER, source=CLIENT, information=LARGE.encode()))
    for number in range(600):
        answered = say(server, request(number % 8, bytes(2000), segmented=True))
        if not isinstance(answered, RrFrame):
            break
    assert isinstance(answered, DmFrame)
    assert not server.connected


def test_a_false_beginning_does_not_make_a_meter_deaf():
    server = make_server(inter_octet_timeout=1.0)
    server.receive_octets(bytes.fromhex("7ea7ff"), 0.0)
    assert server.next_timer() == 1.0
    server.handle_timer(1.0)
    assert server.next_timer() is None
    assert [event.octets for event in events_of(server, OctetsDiscarded)] == [bytes.fromhex("7ea7ff")]
    assert isinstance(say(server, SnrmFrame(destination=SERVER, source=CLIENT), 2.0), UaFrame)


def test_another_client_is_not_heard_during_a_connection():
    server = connected_server()
    other = RrFrame(destination=SERVER, source=client_address(32), receive_sequence=0)
    assert say(server, other) is None
    assert server.client_sap == 16


def test_a_meter_answers_in_the_form_of_its_address_that_the_client_used():
    server = make_server(address_octets=4)
    answered = say(server, SnrmFrame(destination=SERVER, source=CLIENT))
    assert answered.source == SERVER


@pytest.mark.parametrize("destination", [server_address(127, 127, 2), server_address(1, 127, 2)])
def test_a_broadcast_is_heard_and_not_answered(destination):
    server = make_server()
    server.receive_octets(UiFrame(destination=destination, source=CLIENT, information=b"\xe6\xe6\x00all").encode(), 0.0)
    assert events_of(server, ApduReceived) == [ApduReceived(b"all", unsolicited=True)]
    assert server.octets_to_send() == b""


def test_a_broadcast_to_another_logical_device_is_not_heard():
    server = make_server()
    frame = UiFrame(destination=server_address(2, 127, 2), source=CLIENT, information=b"\xe6\xe6\x00all")
    assert say(server, frame) is None
    assert events_of(server) == []


@pytest.mark.parametrize("kind", [UaFrame, DmFrame, FrmrFrame])
def test_what_servers_say_is_not_answered(kind):
    """Client 1 and logical device 1 have the same address: an echo of our DM must not bring the next one."""
    one = client_address(1)
    server = make_server(physical_address=None, address_octets=1)
    assert say(server, kind(destination=one, source=one)) is None
    assert isinstance(say(server, DiscFrame(destination=one, source=one)), DmFrame)


# -- what is rejected --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "faults"),
    [
        (UnknownFrame(destination=SERVER, source=CLIENT, octet=0x3F), Fault.CONTROL),
        (UnknownFrame(destination=SERVER, source=CLIENT, octet=0x1D), Fault.CONTROL),  # SREJ
        (
            RrFrame(destination=SERVER, source=CLIENT, receive_sequence=0, information=b"x"),
            Fault.CONTROL | Fault.INFORMATION,
        ),
        (DiscFrame(destination=SERVER, source=CLIENT, information=b"x"), Fault.CONTROL | Fault.INFORMATION),
        (request(0, bytes(129)), Fault.LENGTH),
        (request(0, received=1), Fault.SEQUENCE),
        (RrFrame(destination=SERVER, source=CLIENT, receive_sequence=5), Fault.SEQUENCE),
    ],
)
def test_a_frame_that_no_client_may_send_is_rejected(frame, faults):
    server = connected_server()
    answered = say(server, frame)
    assert isinstance(answered, FrmrFrame)
    reject = decode_frame_reject(answered.information)
    assert (reject.control, reject.faults, reject.was_response) == (frame.control, faults, False)
    assert events_of(server, ApduReceived) == []
    # Only SNRM and DISC help, and the reason stays the first one.
    assert say(server, RrFrame(destination=SERVER, source=CLIENT, receive_sequence=0)) == answered
    assert isinstance(say(server, SnrmFrame(destination=SERVER, source=CLIENT)), UaFrame)
    assert isinstance(say(server, RrFrame(destination=SERVER, source=CLIENT, receive_sequence=0)), RrFrame)


def test_a_reject_says_where_the_meter_stands():
    server = connected_server()
    say(server, request(0))
    server.send_apdu(bytes(200), 0.0)
    server.octets_to_send()
    answered = say(server, RrFrame(destination=SERVER, source=CLIENT, receive_sequence=4))
    reject = decode_frame_reject(answered.information)
    assert (reject.send_sequence, reject.receive_sequence) == (1, 1)


def test_a_fault_without_the_poll_bit_is_answered_with_the_next_poll():
    server = connected_server()
    assert say(server, UnknownFrame(destination=SERVER, source=CLIENT, octet=0x2F)) is None
    assert server.state is ServerState.REJECTING
    answered = say(server, RrFrame(destination=SERVER, source=CLIENT, receive_sequence=0))
    assert decode_frame_reject(answered.information).control == 0x2F


def test_the_longest_field_that_was_agreed_is_not_too_long():
    server = connected_server()
    assert isinstance(say(server, request(0, bytes(128), segmented=True)), RrFrame)


# -- a meter that is busy ----------------------------------------------------------------------------------------------


def test_a_meter_that_holds_keeps_nothing_and_says_so():
    server = connected_server()
    server.hold(0.0)
    answered = say(server, request(0))
    assert (type(answered), answered.receive_sequence, answered.poll_final) == (RnrFrame, 0, True)
    assert events_of(server, ApduReceived) == []
    poll = RrFrame(destination=SERVER, source=CLIENT, receive_sequence=0)
    assert isinstance(say(server, poll), RnrFrame)
    server.resume(1.0)
    answered = say(server, poll)
    assert (type(answered), answered.receive_sequence) == (RrFrame, 0)
    say(server, request(0))
    assert events_of(server, ApduReceived) == [ApduReceived(b"ask")]


def test_a_meter_that_works_may_say_that_it_is_busy():
    server = connected_server(says_busy=True)
    poll = RrFrame(destination=SERVER, source=CLIENT, receive_sequence=0)
    assert isinstance(say(server, poll), RrFrame)
    assert say(server, request(0)) is None
    answered = say(server, poll)
    assert (type(answered), answered.receive_sequence) == (RnrFrame, 1)
    server.send_apdu(b"answer", 1.0)
    assert say(server, poll).information.endswith(b"answer")
    assert isinstance(say(server, RrFrame(destination=SERVER, source=CLIENT, receive_sequence=1)), RrFrame)


# -- windows -----------------------------------------------------------------------------------------------------------


def windowed(transmit, receive):
    """A meter with which these windows were agreed, from its own view."""
    parameters = HdlcParameters(32, 32, transmit, receive)
    server = make_server(parameters=parameters)
    proposal = HdlcParameters(32, 32, receive, transmit)
    say(server, SnrmFrame(destination=SERVER, source=CLIENT, information=proposal.encode()))
    events_of(server)
    return server


def frames_of(octets):
    return [item.frame for item in FrameReader().feed(octets) if isinstance(item, Found)]


def test_the_windows_of_both_directions_are_agreed_apart():
    server = make_server(parameters=HdlcParameters(100, 200, 2, 5))
    proposal = HdlcParameters(300, 50, 3, 4)
    answered = say(server, SnrmFrame(destination=SERVER, source=CLIENT, information=proposal.encode()))
    assert decode_hdlc_parameters(answered.information) == HdlcParameters(50, 200, 2, 3)
    assert server.parameters == HdlcParameters(50, 200, 2, 3)


@pytest.mark.parametrize("window", range(1, 8))
def test_a_meter_sends_its_window_and_goes_back_to_what_was_lost(window):
    server = windowed(window, 1)
    say(server, request(0))
    server.send_apdu(bytes(32 * 9), 0.0)
    first = frames_of(server.octets_to_send())
    assert [frame.send_sequence for frame in first] == list(range(window))
    assert [frame.poll_final for frame in first] == [False] * (window - 1) + [True]
    lost = window // 2  # the client got the ones before it
    server.receive_octets(RrFrame(destination=SERVER, source=CLIENT, receive_sequence=lost).encode(), 1.0)
    again = frames_of(server.octets_to_send())
    assert [frame.send_sequence for frame in again] == [(lost + ahead) % 8 for ahead in range(window)]
    assert again[0].information == first[lost].information


@pytest.mark.parametrize("window", range(2, 8))
def test_a_gap_in_a_clients_window_is_told_at_its_end(window):
    server = windowed(1, window)
    pieces = [bytes((number,)) * 10 for number in range(window)]
    for number, piece in enumerate(pieces):
        if number != 1:
            last = number == window - 1
            answered = say(server, request(number, piece, segmented=not last, poll_final=last))
    if window == 2:  # the last one is the lost one
        answered = say(server, RrFrame(destination=SERVER, source=CLIENT, receive_sequence=0))
    assert (type(answered), answered.receive_sequence) == (RrFrame, 1)
    for number, piece in enumerate(pieces[1:], 1):
        last = number == window - 1
        say(server, request(number, piece, segmented=not last, poll_final=last))
    assert events_of(server, ApduReceived) == [ApduReceived(b"".join(pieces))]


# -- UI frames ---------------------------------------------------------------------------------------------------------


def test_a_push_without_a_link_goes_out_at_once():
    server = make_server()
    server.push(bytes(200), 0.0, client_sap=102)
    first, second = frames_of(server.octets_to_send())
    assert (type(first), first.destination, first.source) == (UiFrame, client_address(102), SERVER)
    assert [first.segmented, second.segmented] == [True, False]
    assert [first.poll_final, second.poll_final] == [False, True]
    assert first.information + second.information == b"\xe6\xe7\x00" + bytes(200)


def test_a_push_within_a_link_waits_for_the_clients_poll():
    server = connected_server()
    server.push(b"event", 0.0)
    assert server.octets_to_send() == b""
    server.receive_octets(RrFrame(destination=SERVER, source=CLIENT, receive_sequence=0).encode(), 1.0)
    push, ready = frames_of(server.octets_to_send())
    assert (type(push), push.poll_final, push.destination, push.information[3:]) == (UiFrame, False, CLIENT, b"event")
    assert (type(ready), ready.poll_final) == (RrFrame, True)


def test_a_push_goes_before_the_answer():
    server = connected_server()
    say(server, request(0))
    server.push(b"event", 0.0)
    server.send_apdu(b"answer", 0.0)
    push, answer = frames_of(server.octets_to_send())
    assert [type(push), type(answer)] == [UiFrame, InfoFrame]
    assert answer.poll_final


def test_a_command_in_segments():
    server = connected_server()
    ui = {"destination": SERVER, "source": CLIENT, "poll_final": False}
    assert say(server, UiFrame(**ui, information=b"\xe6\xe6\x00a", segmented=True)) is None
    assert say(server, UiFrame(**ui, information=b"\xe6\xe6\x00b", segmented=True)) is None  # anew
    assert say(server, UiFrame(**ui, information=b"c")) is None
    assert events_of(server, ApduReceived) == [ApduReceived(b"bc", unsolicited=True)]


def test_a_push_is_forgotten_with_the_link():
    server = connected_server()
    server.push(b"event", 0.0)
    say(server, DiscFrame(destination=SERVER, source=CLIENT))
    answered = say(server, SnrmFrame(destination=SERVER, source=CLIENT))
    assert isinstance(answered, UaFrame)
    assert isinstance(say(server, RrFrame(destination=SERVER, source=CLIENT, receive_sequence=0)), RrFrame)


def test_a_meter_may_wait_for_ever():
    server = connected_server(inactivity_timeout=0.0)
    assert server.next_timer() is None
    server.handle_timer(1e9)
    assert server.connected
