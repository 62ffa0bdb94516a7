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
    decode_hdlc_frame,
)
from sessions.dlms.hdlc.state import State
from sessions.dlms.link import ApduReceived, LinkDisconnected, OctetsDiscarded

from .wired import CLIENT, SERVER, connected, events_of, make_client, make_server


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
    server = connected_server()
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
