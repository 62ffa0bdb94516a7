"""Client and server link wired together in memory, with and without accidents."""

import random

import pytest

from sessions.dlms.errors import (
    ConnectionLostError,
    LinkRefusedError,
    LocalProtocolError,
    NoReplyError,
)
from sessions.dlms.hdlc.address import client_address, server_address
from sessions.dlms.hdlc.client_link import HdlcClientLink
from sessions.dlms.hdlc.frame import (
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
from sessions.dlms.hdlc.parameters import HdlcParameters
from sessions.dlms.hdlc.server_link import HdlcServerLink
from sessions.dlms.hdlc.state import State
from sessions.dlms.link import (
    ApduReceived,
    FrameReceived,
    FrameSent,
    LinkConnected,
    LinkDisconnected,
    LinkFailed,
    OctetsDiscarded,
)

CLIENT, SERVER = client_address(16), server_address(1, 17, 2)


def make_client(**options):
    values = {"client_sap": 16, "server_sap": 1, "physical_address": 17, "address_octets": 2, **options}
    return HdlcClientLink(**values)


def make_server(**options):
    return HdlcServerLink(**{"server_sap": 1, "physical_address": 17, "address_octets": 2, **options})


def events_of(link, *kinds):
    events = []
    while (event := link.next_event()) is not None:
        if not kinds or isinstance(event, kinds):
            events.append(event)
    return events


class Wire:
    """Carries octets between both until nobody has anything to say; time passes only for timers."""

    def __init__(self, client, *servers, spoil=None, answer=lambda apdu: apdu[::-1]):
        self.client, self.servers, self.answer = client, servers, answer
        self.spoil = spoil or (lambda octets: [octets])
        self.now = 0.0
        self.outcomes = []

    def run(self, limit=2000):
        for _ in range(limit):
            if not (self.pump() or self.tick()):
                return
        raise AssertionError("it never ends")

    def pump(self):
        sent = self.client.octets_to_send()
        for part in self.spoil(sent) if sent else []:
            for server in self.servers:
                server.receive_octets(part, self.now)
        moved = bool(sent)
        for server in self.servers:
            for event in events_of(server, ApduReceived):
                server.send_apdu(self.answer(event.apdu), self.now)
            back = server.octets_to_send()
            for part in self.spoil(back) if back else []:
                self.client.receive_octets(part, self.now)
            moved = moved or bool(back)
        self.outcomes += events_of(self.client, LinkConnected, ApduReceived, LinkDisconnected, LinkFailed)
        return moved

    def tick(self):
        at = self.client.next_timer()
        if at is None:
            return False
        self.now = max(self.now, at)
        self.client.handle_timer(self.now)
        self.outcomes += events_of(self.client, LinkConnected, ApduReceived, LinkDisconnected, LinkFailed)
        return True


def connected(client=None, server=None, **options):
    wire = Wire(client or make_client(), server or make_server(), **options)
    wire.client.connect(0.0)
    wire.run()
    return wire


@pytest.mark.parametrize("octets", [1, 2, 4])
@pytest.mark.parametrize("size", [0, 1, 100, 125, 126, 500, 5000])
def test_apdus_of_any_size_arrive_whole_in_both_directions(octets, size):
    wire = connected(make_client(address_octets=octets), make_server(address_octets=octets))
    for number in range(10):
        apdu = bytes((number,)) + bytes(size)
        wire.client.send_apdu(apdu, wire.now)
        wire.run()
        assert wire.outcomes[-1] == ApduReceived(apdu[::-1])
    wire.client.disconnect(wire.now)
    wire.run()
    assert wire.outcomes[-1] == LinkDisconnected()
    assert wire.client.next_timer() is None


def test_both_sides_hold_what_was_negotiated():
    client = make_client(parameters=HdlcParameters(512, 256))
    server = make_server(parameters=HdlcParameters(300, 1024))
    wire = connected(client, server)
    assert wire.outcomes == [LinkConnected(HdlcParameters(512, 256))]
    assert server.parameters == HdlcParameters(256, 512)


def test_no_frame_is_longer_than_negotiated():
    client, server = make_client(parameters=HdlcParameters(64, 40)), make_server()
    client.connect(0.0)
    seen = {"sent": 0, "received": 0}
    for _ in range(400):
        octets = client.octets_to_send()
        server.receive_octets(octets, 0.0)
        for event in events_of(server, ApduReceived):
            server.send_apdu(event.apdu, 0.0)
        client.receive_octets(server.octets_to_send(), 0.0)
        for event in events_of(client):
            if isinstance(event, FrameSent | FrameReceived):
                frame = decode_hdlc_frame(event.octets)
                key = "sent" if isinstance(event, FrameSent) else "received"
                if isinstance(frame, InfoFrame):
                    seen[key] = max(seen[key], len(frame.information))
            elif isinstance(event, LinkConnected):
                client.send_apdu(bytes(1000), 0.0)
            elif isinstance(event, ApduReceived):
                assert seen == {"sent": 64, "received": 40}
                return
    raise AssertionError("no answer came")


def test_several_meters_share_a_line():
    servers = [make_server(physical_address=number) for number in (17, 18, 19)]
    client = make_client(physical_address=18)
    wire = Wire(client, *servers, answer=lambda apdu: b"18" + apdu)
    client.connect(0.0)
    wire.run()
    client.send_apdu(b"x", wire.now)
    wire.run()
    assert wire.outcomes[-1] == ApduReceived(b"18x")
    assert [server.connected for server in servers] == [False, True, False]


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("accident", ["lose", "damage", "double", "insert", "cut", "all"])
def test_accidents_lose_nothing_and_double_nothing(seed, accident):
    chance = random.Random(f"{seed}{accident}")

    def spoil(octets):
        if chance.random() > 0.25:
            return [octets]
        kind = chance.choice(["lose", "damage", "double", "insert", "cut"]) if accident == "all" else accident
        if kind == "lose":
            return []
        if kind == "double":
            return [octets, octets]
        if kind == "insert":
            return [chance.randbytes(5), octets]
        at = chance.randrange(len(octets))
        if kind == "cut":
            return [octets[:at]]
        altered = bytearray(octets)
        altered[at] ^= 1 << chance.randrange(8)
        return [bytes(altered)]

    seen = []

    def answer(apdu):
        seen.append(apdu)
        return b"answer " + apdu

    wire = Wire(make_client(max_retries=4), make_server(), spoil=spoil, answer=answer)
    wire.client.connect(0.0)
    wire.run()
    for number in range(4):
        if wire.client.state is not State.IDLE:
            break
        wire.client.send_apdu(bytes((number,)) * 300, wire.now)
        wire.run()
    # Whatever happened: every request was executed at most once, in order, and what came back is its answer.
    assert seen == [bytes((number,)) * 300 for number in range(len(seen))]
    answers = [event.apdu for event in wire.outcomes if isinstance(event, ApduReceived)]
    assert answers == [b"answer " + apdu for apdu in seen[: len(answers)]]
    if len(answers) < 4:
        assert isinstance(wire.outcomes[-1], LinkFailed)
        assert isinstance(wire.outcomes[-1].error, NoReplyError)


def test_most_accidents_are_survived():
    chance = random.Random(5)
    wire = Wire(
        make_client(max_retries=5),
        make_server(),
        spoil=lambda octets: [] if chance.random() < 0.1 else [octets],
    )
    wire.client.connect(0.0)
    wire.run()
    for _ in range(30):
        wire.client.send_apdu(bytes(400), wire.now)
        wire.run()
    assert sum(isinstance(event, ApduReceived) for event in wire.outcomes) == 30


# -- refusals and silence ----------------------------------------------------------------------------------------------


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


# -- the server by itself ----------------------------------------------------------------------------------------------


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
