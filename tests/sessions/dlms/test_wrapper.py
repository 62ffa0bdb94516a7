import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.dlms.errors import ConnectionLostError, DecodeError, FrameError, LocalProtocolError, NoReplyError
from sessions.dlms.link import (
    ApduReceived,
    FrameReceived,
    FrameSent,
    LinkConnected,
    LinkDisconnected,
    LinkFailed,
    OctetsDiscarded,
)
from sessions.dlms.wrapper import (
    WrapperFrame,
    WrapperLink,
    WrapperReader,
    WrapperServerLink,
    decode_wrapper_frame,
)
from tests.vectors import octets

AARQ = octets("wrapper-aarq")


def events_of(link):
    events = []
    while (event := link.next_event()) is not None:
        events.append(event)
    return events


def test_the_vector_both_ways():
    frame = decode_wrapper_frame(AARQ)
    assert (frame.source, frame.destination, len(frame.apdu)) == (16, 1, 31)
    assert frame.encode() == AARQ


def test_every_truncation_and_any_extra_octet_is_refused():
    for bad in [*(AARQ[:cut] for cut in range(len(AARQ))), AARQ + b"\x00"]:
        with pytest.raises(DecodeError):
            decode_wrapper_frame(bad)


@pytest.mark.parametrize(("head", "hint"), [("7ea0", "hdlc"), ("4854", "port"), ("0002", "port")])
def test_another_protocol_is_named(head, hint):
    with pytest.raises(FrameError) as refused:
        decode_wrapper_frame(bytes.fromhex(head) + AARQ[2:])
    assert hint in refused.value.hint


def test_an_apdu_that_is_too_long_is_our_own_mistake():
    with pytest.raises(LocalProtocolError):
        WrapperFrame(1, 16, bytes(65536)).encode()


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(1, 60))
@settings(max_examples=80)
def test_a_stream_is_cut_into_its_frames(apdus, size):
    stream = b"".join(WrapperFrame(1, 16, apdu).encode() for apdu in apdus)
    reader = WrapperReader()
    found = [frame for at in range(0, len(stream), size) for frame, _ in reader.feed(stream[at : at + size])]
    assert [frame.apdu for frame in found] == apdus
    assert reader.pending == 0


@given(st.binary(max_size=100))
def test_garbage_is_frames_or_a_typed_error(octets):
    reader = WrapperReader()
    try:
        list(reader.feed(octets))
    except FrameError as error:
        assert error.hint


def client(**options):
    link = WrapperLink(client_sap=16, server_sap=1, response_timeout=5.0, **options)
    link.connect(0.0)
    assert events_of(link) == [LinkConnected()]
    return link


def test_a_request_and_its_answer():
    link, server = client(), WrapperServerLink(server_sap=1)
    link.send_apdu(b"ask", 1.0)
    assert link.next_timer() == 6.0
    sent = link.octets_to_send()
    assert events_of(link) == [FrameSent(sent, 1.0)]
    server.receive_octets(sent[:5], 1.0)
    server.receive_octets(sent[5:], 1.1)
    assert events_of(server) == [FrameReceived(sent, 1.1), ApduReceived(b"ask")]
    assert server.client_sap == 16
    server.send_apdu(b"answer", 1.2)
    link.receive_octets(server.octets_to_send(), 1.3)
    assert ApduReceived(b"answer") in events_of(link)
    assert link.next_timer() is None
    link.disconnect(2.0)
    assert events_of(link) == [LinkDisconnected()]


def test_before_connecting_nothing_is_sent():
    with pytest.raises(LocalProtocolError):
        WrapperLink(client_sap=16, server_sap=1).send_apdu(b"x", 0.0)


def test_what_wants_no_answer_is_not_waited_for():
    link = client()
    link.send_apdu(b"x", 0.0, expect_reply=False)
    assert link.next_timer() is None


@pytest.mark.parametrize(
    ("octets", "word"), [(b"", "no answer"), (WrapperFrame(1, 16, bytes(9)).encode()[:12], "stopped after 12 octets")]
)
def test_silence_and_half_an_answer(octets, word):
    link = client()
    link.send_apdu(b"x", 0.0)
    link.receive_octets(octets, 1.0) if octets else None
    link.handle_timer(4.9)
    assert not any(isinstance(event, LinkFailed) for event in events_of(link))
    link.handle_timer(link.next_timer())
    (failed,) = [event for event in events_of(link) if isinstance(event, LinkFailed)]
    assert isinstance(failed.error, NoReplyError)
    assert word in failed.error.message
    assert failed.error.hint
    assert link.next_timer() is None


def test_the_answer_to_somebody_else_is_dropped():
    link = client()
    link.send_apdu(b"x", 0.0)
    link.receive_octets(WrapperFrame(1, 17, b"other").encode(), 1.0)
    told = [event for event in events_of(link) if isinstance(event, OctetsDiscarded)]
    assert "client 17" in told[0].reason
    assert link.next_timer() == 5.0  # it does not prolong the wait


def test_a_copy_of_what_we_sent_is_an_echo():
    link = client()
    link.send_apdu(b"x", 0.0)
    link.receive_octets(link.octets_to_send(), 1.0)
    told = [event for event in events_of(link) if isinstance(event, OctetsDiscarded)]
    assert [event.reason for event in told] == ["echo of our own frame"]
    assert link.next_timer() == 5.0


def test_ports_that_come_back_unswapped_are_understood():
    link = client()
    link.send_apdu(b"x", 0.0)
    link.receive_octets(WrapperFrame(16, 1, b"answer").encode(), 1.0)
    assert ApduReceived(b"answer") in events_of(link)


# -- UDP: one datagram, one frame --------------------------------------------------------------------------------------


def test_a_datagram_that_is_none_is_dropped_and_the_wait_goes_on():
    link = client(datagrams=True)
    link.send_apdu(b"x", 0.0)
    events_of(link)
    whole = WrapperFrame(1, 16, b"answer").encode()
    bad = [b"", b"\x00", whole[:-1], b"\x00\x02" + whole[2:], bytes.fromhex("7ea00721037301407e")]
    for datagram in bad:
        link.receive_octets(datagram, 1.0)
    told = events_of(link)
    assert [type(event) for event in told] == [OctetsDiscarded] * len(bad)
    assert all(event.reason.startswith("no wrapper datagram: ") for event in told)
    assert link.next_timer() == 5.0
    link.receive_octets(whole, 2.0)
    assert events_of(link) == [FrameReceived(whole, 2.0), ApduReceived(b"answer")]


def test_octets_behind_a_datagrams_frame_are_told():
    link = client(datagrams=True)
    link.send_apdu(b"x", 0.0)
    events_of(link)
    whole = WrapperFrame(1, 16, b"answer").encode()
    link.receive_octets(whole + b"more", 1.0)
    received, apdu, discarded = events_of(link)
    assert (received, apdu) == (FrameReceived(whole, 1.0), ApduReceived(b"answer"))
    assert (discarded.octets, "behind" in discarded.reason) == (b"more", True)


def test_two_datagrams_are_never_put_together():
    link = client(datagrams=True)
    link.send_apdu(b"x", 0.0)
    whole = WrapperFrame(1, 16, b"answer").encode()
    link.receive_octets(whole[:9], 1.0)
    link.receive_octets(whole[9:], 1.0)
    assert not any(isinstance(event, ApduReceived) for event in events_of(link))


def test_a_datagram_that_was_lost_is_explained():
    link = client(datagrams=True)
    link.send_apdu(b"x", 0.0)
    link.handle_timer(5.0)
    (failed,) = [event for event in events_of(link) if isinstance(event, LinkFailed)]
    assert isinstance(failed.error, NoReplyError)
    assert "UDP loses a datagram" in failed.error.hint


@given(st.binary(max_size=100))
def test_any_datagram_leaves_both_sides_fit_for_the_next(octets):
    link, server = client(datagrams=True), WrapperServerLink(server_sap=1, datagrams=True)
    link.receive_octets(octets, 0.0)
    server.receive_octets(octets, 0.0)
    events_of(server)
    server.receive_octets(AARQ, 1.0)
    assert events_of(server) == [FrameReceived(AARQ, 1.0), ApduReceived(AARQ[8:])]


def test_what_nobody_answers():
    link = client(datagrams=True)
    link.send_unconfirmed(b"one", 0.0)
    link.send_unconfirmed(b"all", 0.0, broadcast=True)
    sent = WrapperReader().feed(link.octets_to_send())
    assert [(frame.destination, frame.apdu) for frame, _ in sent] == [(1, b"one"), (0x7F, b"all")]
    assert link.next_timer() is None
    stream = client()
    stream.send_unconfirmed(b"one", 0.0)
    with pytest.raises(LocalProtocolError, match="UDP"):
        stream.send_unconfirmed(b"all", 0.0, broadcast=True)
    stream.disconnect(1.0)
    with pytest.raises(LocalProtocolError):
        stream.send_unconfirmed(b"one", 2.0)


def test_a_broadcast_is_for_everybody_and_over_udp_only():
    frame = WrapperFrame(16, 0x7F, b"all").encode()
    server = WrapperServerLink(server_sap=1, datagrams=True)
    server.receive_octets(frame, 0.0)
    assert events_of(server) == [FrameReceived(frame, 0.0), ApduReceived(b"all", unsolicited=True)]
    server = WrapperServerLink(server_sap=1)
    server.receive_octets(frame, 0.0)
    assert [type(event) for event in events_of(server)] == [OctetsDiscarded]


@pytest.mark.parametrize("heard", [False, True])
def test_a_closed_connection(heard):
    link = client()
    link.send_apdu(b"x", 0.0)
    if heard:
        link.receive_octets(b"\x00", 1.0)
    link.connection_lost(2.0)
    (failed,) = [event for event in events_of(link) if isinstance(event, LinkFailed)]
    assert isinstance(failed.error, ConnectionLostError)
    assert ("without a word" in failed.error.message) is not heard
    link.connection_lost(3.0)
    assert events_of(link) == []


@pytest.mark.parametrize(
    ("octets", "code", "word"),
    [
        ("7ea00721037301407e", "wrong-framing", "HDLC"),
        ("7e", "wrong-framing", "HDLC"),
        ("485454502f312e31", "not-wrapper", "48 54 54 50"),
        ("000200100001", "not-wrapper", "00 02"),
    ],
)
def test_another_protocol_ends_the_link(octets, code, word):
    link = client()
    link.send_apdu(b"x", 0.0)
    link.receive_octets(bytes.fromhex(octets), 1.0)
    discarded, failed = events_of(link)[-2:]
    assert discarded == OctetsDiscarded(bytes.fromhex(octets), discarded.reason, 1.0)
    assert (failed.error.layer, failed.error.code) == ("link", code)
    assert word in failed.error.message
    assert failed.error.hint
    assert link.next_timer() is None


def test_an_answer_before_garbage_is_not_lost():
    link = client()
    link.send_apdu(b"x", 0.0)
    events_of(link)
    frame = WrapperFrame(1, 16, b"answer").encode()
    link.receive_octets(frame + b"GARBAGE", 1.0)
    received, apdu, discarded, failed = events_of(link)
    assert (received, apdu) == (FrameReceived(frame, 1.0), ApduReceived(b"answer"))
    assert discarded.octets == b"GARBAGE"
    assert isinstance(failed, LinkFailed)


def test_what_comes_after_the_end_is_recorded_and_nothing_else():
    link = client()
    link.send_apdu(b"x", 0.0)
    link.handle_timer(5.0)
    events_of(link)
    frame = WrapperFrame(1, 16, b"late").encode()
    link.receive_octets(frame, 6.0)
    assert events_of(link) == [FrameReceived(frame, 6.0)]
    link.receive_octets(b"garbage", 7.0)
    assert [type(event) for event in events_of(link)] == [OctetsDiscarded]
    with pytest.raises(LocalProtocolError):
        link.send_apdu(b"y", 8.0)


def test_a_slow_answer_has_time_as_long_as_octets_come():
    link = client()
    link.send_apdu(b"x", 0.0)
    for number, octet in enumerate(WrapperFrame(1, 16, b"slow").encode()):
        link.receive_octets(bytes((octet,)), number * 4.0)
        link.handle_timer(number * 4.0)
    assert ApduReceived(b"slow") in events_of(link)


def test_a_server_ignores_other_logical_devices_and_ends_at_garbage():
    server = WrapperServerLink(server_sap=1)
    server.receive_octets(WrapperFrame(16, 2, b"x").encode(), 0.0)
    assert [type(event) for event in events_of(server)] == [OctetsDiscarded]
    server.receive_octets(b"GET / HTTP/1.1", 0.0)
    assert isinstance(events_of(server)[-1], LinkFailed)
    server.connection_lost(1.0)
    assert events_of(server) == []
    assert server.next_timer() is None
