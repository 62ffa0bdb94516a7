"""Client and server link wired together in memory, with and without accidents."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.dlms.errors import LinkRefusedError, NoReplyError
from sessions.dlms.hdlc.frame import InfoFrame, RnrFrame, decode_hdlc_frame
from sessions.dlms.hdlc.parameters import HdlcParameters
from sessions.dlms.hdlc.state import State
from sessions.dlms.link import ApduReceived, LinkConnected, LinkDisconnected, LinkFailed

from .wired import CLIENT, SERVER, Wire, connected, make_client, make_server

LARGE = HdlcParameters(2030, 2030, 7, 7)


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


@pytest.mark.parametrize(("transmit", "receive"), [(128, 128), (64, 40), (32, 2030)])
def test_no_frame_is_longer_than_negotiated(transmit, receive):
    wire = connected(make_client(parameters=HdlcParameters(transmit, receive)), make_server(parameters=LARGE))
    wire.client.send_apdu(bytes(1000), wire.now)
    wire.run()
    assert wire.outcomes[-1] == ApduReceived(bytes(1000))
    frames = [frame for frame in map(decode_hdlc_frame, wire.sent) if isinstance(frame, InfoFrame)]
    longest = {station: max(len(f.information) for f in frames if f.source == station) for station in (CLIENT, SERVER)}
    assert longest == {CLIENT: min(transmit, 1003), SERVER: min(receive, 1003)}


@pytest.mark.parametrize("window", range(1, 8))
def test_a_window_holds_as_many_frames_and_only_the_last_hands_over(window):
    parameters = HdlcParameters(40, 40, window, window)
    wire = connected(make_client(parameters=parameters), make_server(parameters=LARGE))
    for number in range(3):
        apdu = bytes((number,)) * 1000
        wire.client.send_apdu(apdu, wire.now)
        wire.run()
        assert wire.outcomes[-1] == ApduReceived(apdu)
    turns = [len(list(turn)) for turn in turns_of(wire.sent)]
    assert max(turns) == window
    # 26 segments there and 26 back, three times; every turn but the last is answered by a frame that hands it back.
    assert len(wire.sent) < 2 + 3 * 2 * (26 + 26 // window + 2)


def turns_of(frames):
    """The information frames of each turn: up to the one with the poll or final bit."""
    turn = []
    for frame in map(decode_hdlc_frame, frames):
        if isinstance(frame, InfoFrame):
            turn.append(frame)
        if frame.poll_final:
            yield turn
            turn = []


@pytest.mark.parametrize("addresses", [(16, 17, 2), (1, 1, 2), (1, None, 1)], ids=["16", "1/1", "1 and 1"])
def test_a_line_that_echoes_is_a_line(addresses):
    client_sap, physical, octets = addresses
    place = {"physical_address": physical, "address_octets": octets}
    parameters = HdlcParameters(40, 40, 3, 3)
    wire = connected(
        make_client(client_sap=client_sap, parameters=parameters, **place), make_server(**place), echo=True
    )
    for number in range(5):
        apdu = bytes((number,)) * 500
        wire.client.send_apdu(apdu, wire.now)
        wire.run()
        assert wire.outcomes[-1] == ApduReceived(apdu)
    wire.client.disconnect(wire.now)
    wire.run()
    assert wire.outcomes[-1] == LinkDisconnected()
    assert wire.now == 0.0  # nothing was waited for


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


ACCIDENTS = ("lose", "damage", "double", "insert", "start", "cut", "delay")


def accidents(chance, kinds, share=0.25):
    """Spoils a share of the frames."""
    late = []

    def spoil(octets):
        before = [late.pop()] if late else []
        if chance.random() > share:
            return [*before, octets]
        at = chance.randrange(len(octets))
        altered = bytearray(octets)
        altered[at] ^= 1 << chance.randrange(8)
        kind = chance.choice(kinds)
        if kind == "delay":
            late.append(octets)
        return (
            before
            + {
                "lose": [],
                "delay": [],
                "double": [octets, octets],
                "insert": [chance.randbytes(5), octets],
                "start": [b"\x7e\xa1\x23", octets],
                "cut": [octets[:at]],
                "damage": [bytes(altered)],
            }[kind]
        )

    return spoil


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("kinds", [*((kind,) for kind in ACCIDENTS), ACCIDENTS], ids="-".join)
def test_accidents_lose_nothing_and_double_nothing(seed, kinds):
    chance = random.Random(f"{seed}{kinds}")
    seen = []

    def answer(apdu):
        seen.append(apdu)
        return b"answer " + apdu

    window = chance.choice([1, 1, 2, 3, 7])
    parameters = HdlcParameters(60, 60, window, window)
    wire = connected(
        make_client(max_retries=4, parameters=parameters),
        make_server(parameters=parameters),
        spoil=accidents(chance, kinds),
        answer=answer,
    )
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
        assert isinstance(wire.outcomes[-1].error, NoReplyError | LinkRefusedError)


@pytest.mark.parametrize("window", [1, 3, 7])
@pytest.mark.parametrize("kind", ACCIDENTS)
def test_most_accidents_are_survived(kind, window):
    chance = random.Random(5)
    parameters = HdlcParameters(60, 60, window, window)
    wire = connected(
        make_client(max_retries=6, parameters=parameters),
        make_server(parameters=parameters),
        spoil=accidents(chance, (kind,), 0.1),
    )
    for number in range(20):
        wire.client.send_apdu(bytes((number,)) * 400, wire.now)
        wire.run()
    assert [event.apdu[0] for event in wire.outcomes if isinstance(event, ApduReceived)] == list(range(20))


# -- any accidents, and the smallest that breaks something -------------------------------------------------------------


class Trouble:
    """Spoils frame after frame as the plan says; behind its end the line is good. A late frame comes after others."""

    def __init__(self, plan):
        self.plan = list(plan)
        self.late = []

    def __call__(self, octets):
        kind, number = self.plan.pop(0) if self.plan else ("fine", 0)
        due = [frame for left, frame in self.late if left <= 0]
        self.late = [(left - 1, frame) for left, frame in self.late if left > 0]
        if kind == "late":
            self.late.append((number % 3, octets))
            return due
        return [*self.spoilt(kind, number, octets), *due]

    @staticmethod
    def spoilt(kind, number, octets):
        at = number % len(octets)
        match kind:
            case "lose":
                return []
            case "double":
                return [octets, octets]
            case "damage":
                return [octets[:at] + bytes((octets[at] ^ 1 << number % 8,)) + octets[at + 1 :]]
            case "cut":
                return [octets[:at]]
            case "garbage":
                return [bytes((number & 0xFF, 0x7E, 0xA0)), octets]
            case "split":
                return [octets[:at], octets[at:]]
        return [octets]


KINDS = ("fine", "fine", "lose", "double", "damage", "cut", "garbage", "late", "split")
PLANS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 500)), max_size=40)
SIDES = st.builds(HdlcParameters, st.integers(32, 90), st.integers(32, 90), st.integers(1, 7), st.integers(1, 7))


@given(
    plan=PLANS,
    sides=st.tuples(SIDES, SIDES),
    sizes=st.lists(st.integers(0, 700), min_size=1, max_size=4),
    says_busy=st.booleans(),
    disconnect_first=st.booleans(),
    echo=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_nothing_is_lost_and_nothing_doubled_or_the_failure_is_typed(
    plan, sides, sizes, says_busy, disconnect_first, echo
):
    client = make_client(parameters=sides[0], max_retries=3, disconnect_first=disconnect_first, keep_alive=30.0)
    server = make_server(parameters=sides[1], says_busy=says_busy)
    seen = []

    def answer(apdu):
        seen.append(apdu)
        return b"answer to " + apdu

    wire = Wire(client, server, spoil=Trouble(plan), answer=answer, echo=echo)
    wire.client.connect(0.0)
    wire.run(until=60.0)
    asked = [bytes((number,)) * size for number, size in enumerate(sizes, 1)]
    for apdu in asked:
        if client.state not in (State.IDLE, State.PROBING):
            break
        client.send_apdu(apdu, wire.now)
        wire.run(until=wire.now + 100.0)
    assert seen == asked[: len(seen)]
    answers = [event for event in wire.outcomes if isinstance(event, ApduReceived)]
    assert answers == [ApduReceived(b"answer to " + apdu) for apdu in seen[: len(answers)]]
    if len(answers) < len(asked):
        assert isinstance(wire.outcomes[-1], LinkFailed)
        assert isinstance(wire.outcomes[-1].error, NoReplyError | LinkRefusedError)


@pytest.mark.parametrize("client_window", range(1, 8))
@pytest.mark.parametrize("server_window", range(1, 8))
def test_every_pair_of_windows(client_window, server_window):
    """What is agreed is the smaller of what one sends and the other takes, and no turn is longer than that."""
    client = make_client(parameters=HdlcParameters(32, 32, client_window, server_window))
    server = make_server(parameters=HdlcParameters(32, 32, client_window, server_window))
    wire = connected(client, server)
    agreed = min(client_window, server_window)
    assert (client.parameters.window_transmit, client.parameters.window_receive) == (agreed, agreed)
    wire.client.send_apdu(bytes(1000), wire.now)
    wire.run()
    assert wire.outcomes[-1] == ApduReceived(bytes(1000))
    assert max(len(turn) for turn in turns_of(wire.sent)) == agreed
    assert wire.now == 0.0


@pytest.mark.parametrize("information", [32, 33, 127, 128, 129, 247, 248, 253, 254, 255, 256, 300, 1024, 2029, 2030])
@pytest.mark.parametrize("octets", [1, 2, 4])
def test_information_fields_of_every_size(information, octets):
    """Among them those at which peers count the length field wrong (247 to 253 modulo 256)."""
    parameters = HdlcParameters(information, information, 3, 3)
    place = {"address_octets": octets, "physical_address": None if octets == 1 else 17}
    wire = connected(make_client(parameters=parameters, **place), make_server(parameters=parameters, **place))
    for size in (information - 4, information - 3, information - 2, 3 * information + 1):
        wire.client.send_apdu(bytes(size), wire.now)
        wire.run()
        assert wire.outcomes[-1] == ApduReceived(bytes(size))
    longest = max(len(decode_hdlc_frame(frame).information) for frame in wire.sent)
    assert longest == information


def test_a_server_that_works_for_long_is_waited_for():
    client, server = make_client(), make_server(says_busy=True)
    wire = connected(client, server, answer=None)
    client.send_apdu(b"x", wire.now)
    wire.run(until=20.0)
    server.send_apdu(b"answer", wire.now)
    wire.run()
    assert wire.outcomes[-1] == ApduReceived(b"answer")
    assert sum(isinstance(decode_hdlc_frame(frame), RnrFrame) for frame in wire.sent) > 15


def test_a_client_that_holds_and_a_server_that_holds():
    parameters = HdlcParameters(32, 32, 2, 2)
    client, server = make_client(parameters=parameters), make_server(parameters=parameters)
    wire = connected(client, server)
    server.hold(0.0)
    client.send_apdu(bytes(100), wire.now)
    wire.run(until=5.0)
    assert wire.outcomes[1:] == []
    server.resume(wire.now)
    wire.run(until=wire.now + 2.0)
    assert wire.outcomes[1:] == [ApduReceived(bytes(100))]
    client.send_apdu(bytes(200), wire.now)
    client.hold(wire.now)
    wire.run(until=wire.now + 50.0)
    assert len(wire.outcomes) == 2
    client.resume(wire.now)
    wire.run()
    assert wire.outcomes[-1] == ApduReceived(bytes(200))
