import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.iec62056_21.characters import with_even_parity
from sessions.dlms.iec62056_21.message import BREAK, CommandMessage, DataMessage, Reply
from sessions.dlms.iec62056_21.server import (
    OPTION_TIMEOUT,
    PROGRAMMING_TIMEOUT,
    TRANSITIONS,
    Event,
    HandedOver,
    Iec21Server,
    State,
)
from sessions.dlms.iec62056_21.sign_on import IdentificationMessage
from sessions.dlms.link import LineChangeNeeded
from tests.sessions.dlms.iec62056_21.wired import READOUT, Device

REQUEST = b"/?!\r\n"
IDENTIFICATION = Device().identification.encode()


class Meter:
    """A server that is talked with by hand; it answers at once."""

    def __init__(self, *devices, **options):
        self.server = Iec21Server(devices or (Device(),), **{"reaction": 0.0, **options})
        self.now = 0.0
        self.lines = []
        self.handed_over = []

    def ask(self, octets=b""):
        self.server.receive_octets(octets, self.now)
        return self.answer()

    def answer(self):
        octets = self.server.octets_to_send()
        while (event := self.server.next_event()) is not None:
            if isinstance(event, LineChangeNeeded):
                self.lines.append(str(event.settings))
                self.server.line_changed(self.now)
            else:
                self.handed_over.append(event)
            octets += self.server.octets_to_send()
        return octets

    def later(self):
        """What is said when the next timer is due."""
        self.now = self.server.next_timer()
        self.server.handle_timer(self.now)
        return self.answer()

    def signed_on(self, option):
        assert self.ask(REQUEST) == IDENTIFICATION
        return self.ask(option)


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("state", State)
def test_every_state_and_event(state, event):
    server = Iec21Server((Device(),))
    server._state = state
    server._fire(event)
    assert server.state is TRANSITIONS[state].get(event, state)


def test_every_state_leads_back_to_sleep():
    assert set(TRANSITIONS) == set(State)
    assert all(row[Event.OVER] is State.ASLEEP for row in TRANSITIONS.values())


def test_a_readout():
    meter = Meter()
    assert meter.signed_on(b"\x06050\r\n") == DataMessage(READOUT).encode()
    assert meter.lines[-1] == "9600 7E1"
    assert meter.server.state is State.READING
    assert meter.later() == b""
    assert meter.now == OPTION_TIMEOUT
    assert (meter.server.state, meter.lines[-1]) == (State.ASLEEP, "300 7E1")


def test_a_nak_brings_the_readout_again():
    meter = Meter()
    meter.signed_on(b"\x06050\r\n")
    assert meter.ask(Reply.NAK.encode()) == DataMessage(READOUT).encode()


def test_partial_blocks():
    meter = Meter(Device(max_block=30))
    parts = [READOUT[at : at + 30] for at in range(0, len(READOUT), 30)]
    assert meter.signed_on(b"\x06050\r\n") == DataMessage(parts[0], last=False).encode()
    assert meter.ask(Reply.NAK.encode()) == DataMessage(parts[0], last=False).encode()
    assert meter.ask(Reply.ACK.encode()) == DataMessage(parts[1], last=False).encode()
    assert meter.ask(Reply.ACK.encode()) == DataMessage(parts[2]).encode()
    assert meter.ask(Reply.ACK.encode()) == b""


@pytest.mark.parametrize("option", [b"", b"\x06090\r\n", b"\x06060\r\n", b"\x06056\r\n", b"\x06\x01\x01\x01\r\n"])
def test_what_it_does_not_understand_leads_to_a_readout_at_the_first_speed(option):
    meter = Meter()
    assert meter.signed_on(option) == b""
    assert meter.later() == DataMessage(READOUT).encode()
    assert meter.lines[-1] == "300 7E1"


@pytest.mark.parametrize(("z", "speed"), [("X", "300 7E1"), ("D", "4800 7E1")])
def test_modes_a_and_b_read_out_by_themselves(z, speed):
    meter = Meter(Device(identification=IdentificationMessage("ABC", z)))
    assert meter.ask(REQUEST) == f"/ABC{z}\r\n".encode()
    assert meter.later() == DataMessage(READOUT).encode()
    assert meter.lines[-1] == speed


def test_modes_a_and_b_take_commands():
    meter = Meter(Device(identification=IdentificationMessage("ABC", "X")))
    meter.ask(REQUEST)
    assert meter.ask(CommandMessage("R1", b"1.8.0()").encode()) == DataMessage(b"(000123.4*kWh)").encode()
    assert meter.server.state is State.PROGRAMMING


def test_only_the_device_that_is_meant_answers():
    devices = (Device("1"), Device("2", IdentificationMessage("MWB", "5", "SECOND")))
    meter = Meter(*devices)
    assert meter.ask(b"/?3!\r\n") == b""
    assert meter.ask(REQUEST) == b""  # both would speak at once
    assert meter.ask(b"/?0002!\r\n") == devices[1].identification.encode()


def test_programming_mode():
    device = Device()
    meter = Meter(device)
    assert meter.signed_on(b"\x06051\r\n") == CommandMessage("P0", b"(a5)").encode()
    assert meter.ask(CommandMessage("R1", b"1.8.0()").encode()) == DataMessage(b"(000123.4*kWh)").encode()
    assert meter.ask(CommandMessage("W1", b"0.9.1(1)").encode()) == DataMessage(b"(ER02)").encode()
    assert meter.ask(CommandMessage("P1", b"(00000000)").encode()) == Reply.ACK.encode()
    assert meter.ask(CommandMessage("W1", b"0.9.1(1)").encode()) == Reply.ACK.encode()
    assert device.values["0.9.1"] == "1"
    assert meter.ask(CommandMessage("R1", b"nonsense").encode()) == DataMessage(b"(ER01)").encode()
    assert meter.ask(CommandMessage("R1", b"1(2)3(4)").encode()) == DataMessage(b"(ER01)").encode()
    assert meter.ask(CommandMessage("R1", b"7.7.7()").encode()) == DataMessage(b"(ER05)").encode()
    damaged = CommandMessage("R1", b"1.8.0()").encode()[:-1] + b"\x7f"
    assert meter.ask(damaged) == Reply.NAK.encode()
    assert meter.ask(BREAK.encode()) == b""
    assert (meter.server.state, meter.lines[-1]) == (State.ASLEEP, "300 7E1")


def test_a_wrong_password_is_answered_with_a_break():
    meter = Meter()
    meter.signed_on(b"\x06051\r\n")
    assert meter.ask(CommandMessage("P1", b"(1)").encode()) == BREAK.encode()
    assert meter.server.state is State.ASLEEP
    assert meter.ask(CommandMessage("R1", b"1.8.0()").encode()) == b""


def test_partial_blocks_of_a_command():
    meter = Meter(Device(max_block=5))
    meter.signed_on(b"\x06051\r\n")
    assert meter.ask(CommandMessage("R3", b"1.8.0()").encode()) == DataMessage(b"(0001", last=False).encode()
    assert meter.ask(Reply.ACK.encode()) == DataMessage(b"23.4*", last=False).encode()
    assert meter.ask(Reply.ACK.encode()) == DataMessage(b"kWh)").encode()


def test_a_programming_mode_in_which_nothing_is_said_ends():
    meter = Meter()
    meter.signed_on(b"\x06051\r\n")
    assert meter.later() == b""
    assert (meter.now, meter.server.state) == (PROGRAMMING_TIMEOUT, State.ASLEEP)


def test_the_hand_over_and_the_way_back():
    meter = Meter()
    assert meter.signed_on(b"\x06252\r\n") == b""
    assert [type(event) for event in meter.handed_over] == [HandedOver]
    assert (meter.server.state, meter.lines[-1]) == (State.BINARY, "9600 8N1")
    assert meter.ask(REQUEST) == b""  # these octets are HDLC's
    meter.server.leave_binary(1.0)
    assert meter.answer() == b""
    assert meter.lines[-1] == "300 7E1"
    assert meter.ask(REQUEST) == IDENTIFICATION
    meter.server.leave_binary(1.0)
    assert meter.server.state is State.IDENTIFIED


def test_a_meter_without_hdlc_hands_nothing_over():
    meter = Meter(Device(offers_hdlc=False))
    assert meter.signed_on(b"\x06252\r\n") == b""
    assert meter.handed_over == []
    assert meter.later() == DataMessage(READOUT).encode()


def test_requests_with_parity_bits_are_understood():
    assert Meter().ask(with_even_parity(REQUEST)) == IDENTIFICATION


def test_a_request_begins_anew_from_everywhere():
    meter = Meter()
    for option in (b"", b"\x06050\r\n", b"\x06051\r\n"):
        meter.signed_on(option)
    assert meter.ask(REQUEST) == IDENTIFICATION


def test_a_connection_that_is_lost_leaves_a_sleeping_meter():
    meter = Meter()
    meter.signed_on(b"\x06051\r\n")
    meter.server.connection_lost(1.0)
    assert (meter.server.state, meter.server.next_timer()) == (State.ASLEEP, None)


def test_the_reaction_time_is_the_identifications():
    server = Iec21Server((Device(identification=IdentificationMessage("ABc", "5")),))
    server.receive_octets(REQUEST, 1.0)
    assert server.octets_to_send() == b""
    assert server.next_timer() == pytest.approx(1.02)
    server.handle_timer(1.02)
    assert server.octets_to_send() == b"/ABc5\r\n"


@given(
    st.lists(st.one_of(st.binary(max_size=20), st.sampled_from((REQUEST, b"\x06051\r\n", b"\x06050\r\n"))), max_size=8)
)
def test_garbage_never_breaks_it(parts):
    meter = Meter()
    for part in parts:
        meter.ask(part)
        if meter.server.next_timer() is not None:
            meter.later()
    if meter.server.state is State.BINARY:
        meter.server.leave_binary(meter.now)
    meter.server.connection_lost(meter.now)
    meter.answer()
    assert meter.ask(REQUEST) == IDENTIFICATION
