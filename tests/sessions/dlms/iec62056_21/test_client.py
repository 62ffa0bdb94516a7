import pytest

from sessions.dlms.errors import (
    AuthenticationFailedError,
    ConnectionLostError,
    DlmsError,
    FrameError,
    LinkRefusedError,
    LocalProtocolError,
    NoReplyError,
    RefusedError,
)
from sessions.dlms.iec62056_21 import answer
from sessions.dlms.iec62056_21.characters import BlockCheck, parity_is_even, with_even_parity
from sessions.dlms.iec62056_21.client import MAX_USELESS, RECOVERY, Iec21Client, Purpose
from sessions.dlms.iec62056_21.events import (
    BinaryReady,
    CommandDone,
    CommandRefused,
    Identified,
    ProgrammingEntered,
    ReadoutReceived,
    Remarked,
)
from sessions.dlms.iec62056_21.message import BREAK, CommandMessage, DataMessage, Reply
from sessions.dlms.iec62056_21.sign_on import IdentificationMessage
from sessions.dlms.iec62056_21.state import State
from sessions.dlms.iec62056_21.telegram import Telegram
from sessions.dlms.link import (
    FrameReceived,
    FrameSent,
    LineChangeNeeded,
    LinkDisconnected,
    LinkFailed,
    OctetsDiscarded,
)
from tests.sessions.dlms.iec62056_21.wired import READOUT, Device, Wire, make_client

READ = CommandMessage("R1", b"1.8.0()")
WRITE = CommandMessage("W1", b"0.9.1(010203)")
PASSWORD = CommandMessage("P1", b"(00000000)")
METER_A = IdentificationMessage("ABC", "X", "METER-A")
METER_B = IdentificationMessage("ABC", "E", "METER-B")
METER_C = IdentificationMessage("ABC", "5", "METER-C")


def wire_of(purpose, *devices, settings=None, **options):
    wire = Wire(make_client(**(settings or {})), *devices, **options)
    wire.client.open(purpose, 0.0)
    return wire


def read_out(*devices, settings=None, **options):
    return wire_of(Purpose.READOUT, *devices, settings=settings, **options).run()


def programming(*devices, settings=None, **options):
    wire = wire_of(Purpose.PROGRAMMING, *devices, settings=settings, **options).until(State.PROGRAMMING)
    wire.pump()
    return wire


def error_of(wire) -> DlmsError:
    [failed] = wire.of(LinkFailed)
    assert wire.client.state is State.FAILED
    assert wire.client.next_timer() is None
    return failed.error


def said_by_client(wire):
    return [octets for from_client, octets in wire.said if from_client]


def lines(wire):
    return [str(event.settings) for event in wire.of(LineChangeNeeded)]


def remarks(wire):
    return [event.text for event in wire.of(Remarked)]


def events_of(client):
    events = []
    while (event := client.next_event()) is not None:
        events.append(event)
    return events


# -- readout -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identification", "options", "speeds"),
    [
        (METER_A, [], ["300 7E1"]),
        (METER_B, [], ["300 7E1", "9600 7E1"]),
        (METER_C, [b"\x06050\r\n"], ["300 7E1", "9600 7E1"]),
        (IdentificationMessage("ABc", "6", "M", "2"), [b"\x06060\r\n"], ["300 7E1", "19200 7E1"]),
        (IdentificationMessage("ABC", "0", "M"), [b"\x06000\r\n"], ["300 7E1", "300 7E1"]),
    ],
)
def test_a_readout_in_each_mode(identification, options, speeds):
    wire = read_out(Device(identification=identification))
    [readout] = wire.of(ReadoutReceived)
    assert readout.block.encode() == READOUT
    assert wire.of(Identified) == [Identified(identification)]
    assert said_by_client(wire) == [b"/?!\r\n", *options]
    assert lines(wire) == speeds
    assert isinstance(wire.events[-1], LinkDisconnected)
    assert wire.client.state is State.CLOSED
    assert wire.client.next_timer() is None


def test_the_reaction_time_passes_before_the_acknowledgement():
    wire = read_out()
    heard = next(event.time for event in wire.of(FrameReceived))
    assert wire.of(FrameSent)[1].time == pytest.approx(heard + 0.2)
    quick = read_out(Device(identification=IdentificationMessage("ABc", "5")))
    heard = next(event.time for event in quick.of(FrameReceived))
    assert quick.of(FrameSent)[1].time == pytest.approx(heard + 0.02)


def test_the_device_that_is_asked_answers():
    devices = [Device("1"), Device("2", IdentificationMessage("MWB", "5", "SECOND"))]
    wire = read_out(*devices, settings={"device_address": "0002"})
    assert said_by_client(wire)[0] == b"/?0002!\r\n"
    assert wire.client.identification.identification == "SECOND"


def test_a_speed_is_not_proposed_above_the_highest_that_is_wanted():
    wire = read_out(settings={"max_baud": 2400})
    assert said_by_client(wire)[1] == b"\x06030\r\n"
    assert lines(wire)[-1] == "2400 7E1"
    assert wire.of(ReadoutReceived)


def test_another_first_speed():
    wire = read_out(settings={"initial_baud": 2400}, initial_baud=2400)
    assert lines(wire)[0] == "2400 7E1"
    assert wire.of(ReadoutReceived)


def test_a_sleeping_meter_is_woken_up():
    assert said_by_client(read_out(settings={"wake_up": 3}))[0] == b"\x00\x00\x00/?!\r\n"


def test_partial_blocks_are_acknowledged_one_by_one():
    wire = read_out(Device(max_block=20))
    assert wire.of(ReadoutReceived)[0].block.encode() == READOUT
    blocks = -(-len(READOUT) // 20)
    assert said_by_client(wire)[2:] == [b"\x06"] * (blocks - 1)


def test_an_echoing_line_is_told_and_passed_over():
    wire = read_out(Device(max_block=20), echo=True)
    assert wire.of(ReadoutReceived)[0].block.encode() == READOUT
    assert {event.reason for event in wire.of(OctetsDiscarded)} == {"echo of our own octets"}


def test_octets_with_parity_bits_are_read_and_remarked_once():
    wire = read_out(parity=True)
    assert wire.of(ReadoutReceived)[0].block.encode() == READOUT
    assert remarks(wire) == ["octets carry a parity bit: the line is set to 8 bits, the meter sends 7E1"]
    # What is recorded is what was on the line.
    assert wire.of(FrameReceived)[0].octets == with_even_parity(Device().identification.encode())


def test_the_parity_can_be_written_into_the_octets():
    wire = read_out(settings={"parity_in_octets": True})
    assert lines(wire) == ["300 8N1", "9600 8N1"]
    assert all(parity_is_even(octets) for octets in said_by_client(wire))
    assert wire.of(ReadoutReceived)


def once(damage):
    """Damages the first data message of the meter."""
    left = [True]

    def spoil(from_client, octets):
        if not from_client and octets[:1] == b"\x02" and left.pop(0):
            left.append(False)
            return damage(octets)
        left[:] = left or [False]
        return octets

    return spoil


def test_a_damaged_readout_is_asked_for_again():
    wire = read_out(spoil=once(lambda octets: octets.replace(b"123.4", b"923.4")))
    assert said_by_client(wire)[2:] == [Reply.NAK.encode()]
    assert wire.of(ReadoutReceived)[0].block.encode() == READOUT


def test_a_readout_that_stays_damaged_fails():
    wire = read_out(spoil=lambda from_client, octets: octets if from_client else octets.replace(b"123.4", b"923.4"))
    error = error_of(wire)
    assert isinstance(error, FrameError)
    assert error.field == "bcc"
    assert said_by_client(wire)[2:] == [Reply.NAK.encode()] * answer.MAX_REPEATS


def remade(check):
    """The meter makes its block checks in another way."""

    def spoil(from_client, octets):
        return DataMessage(octets[1:-2], check=check).encode() if octets[:1] == b"\x02" else octets

    return spoil


@pytest.mark.parametrize("check", [BlockCheck.SUM, BlockCheck.XOR_WITH_START])
def test_another_block_check_is_believed_when_it_comes_twice(check):
    wire = read_out(spoil=remade(check))
    assert wire.of(ReadoutReceived)[0].block.encode() == READOUT
    assert said_by_client(wire)[2:] == [Reply.NAK.encode()]
    assert remarks(wire) == [f"block check: {check.value}"]


def test_another_block_check_that_was_chosen_is_believed_at_once():
    wire = read_out(spoil=remade(BlockCheck.SUM), settings={"block_check": BlockCheck.SUM})
    assert len(said_by_client(wire)) == 2
    assert wire.of(ReadoutReceived)


def test_another_block_check_is_believed_where_the_meter_does_not_say_it_again():
    make = remade(BlockCheck.SUM)
    wire = read_out(spoil=lambda from_client, octets: b"" if octets == b"\x15" else make(from_client, octets))
    assert wire.of(ReadoutReceived)
    assert remarks(wire) == ["block check: sum modulo 128"]


def test_a_readout_without_block_check_is_taken_after_a_pause():
    wire = read_out(spoil=remade(BlockCheck.ABSENT))
    assert wire.of(ReadoutReceived)
    assert remarks(wire) == ["block check: no block check"]


def test_a_readout_without_a_frame_is_taken():
    wire = read_out(spoil=lambda from_client, octets: octets[1:-2] if octets[:1] == b"\x02" else octets)
    assert wire.of(ReadoutReceived)[0].block.encode() == READOUT


def test_a_meter_that_did_not_understand_the_acknowledgement_is_signed_on_again_at_the_first_speed():
    wire = read_out(spoil=lambda from_client, octets: b"" if octets == b"\x06050\r\n" else octets)
    assert wire.of(ReadoutReceived)[0].block.encode() == READOUT
    assert said_by_client(wire) == [b"/?!\r\n", b"\x06050\r\n", b"/?!\r\n", b"\x06000\r\n"]
    assert lines(wire) == ["300 7E1", "9600 7E1", "300 7E1", "300 7E1"]
    times = [event.time for event in wire.of(FrameSent)]
    assert times[2] - times[1] >= RECOVERY
    assert "nothing came at 9600 Bd" in remarks(wire)[-1]


def test_a_meter_that_says_nothing_after_the_sign_on_fails_with_its_name():
    wire = read_out(spoil=lambda from_client, octets: b"" if octets[:1] == b"\x02" else octets)
    error = error_of(wire)
    assert (error.code, "/MWB5\\2METER-1" in error.message) == ("stopped", True)


def test_a_readout_that_is_an_error_message():
    wire = read_out(spoil=lambda _, octets: DataMessage(b"(ER07)").encode() if octets[:1] == b"\x02" else octets)
    assert isinstance(error_of(wire), RefusedError)
    assert "ER07" in error_of(wire).message


def test_a_readout_that_cannot_be_read():
    wire = read_out(spoil=lambda _, octets: DataMessage(b"1.8.0)(").encode() if octets[:1] == b"\x02" else octets)
    assert error_of(wire).code == "invalid-value"


def test_a_readout_with_a_line_that_is_none_is_taken_with_a_remark():
    odd = DataMessage(READOUT.replace(b"1.8.0(", b"1.8.0[")).encode()
    wire = read_out(spoil=lambda _, octets: odd if octets[:1] == b"\x02" else octets)
    assert len(wire.of(ReadoutReceived)[0].block.data_sets) == 2
    assert remarks(wire) == ["1 line is no data line"]


def test_a_readout_that_does_not_end(monkeypatch):
    monkeypatch.setattr(answer, "MAX_TEXT", 50)
    assert error_of(read_out()).code == "readout-too-long"


# -- silence at the sign-on ----------------------------------------------------------------------------------------------


def test_nobody_answers():
    wire = read_out(spoil=lambda from_client, octets: b"")
    assert said_by_client(wire) == [b"/?!\r\n"] * 3
    error = error_of(wire)
    assert isinstance(error, NoReplyError)
    assert "the line is silent" in error.message


def test_only_the_echo_answers():
    assert error_of(read_out(spoil=lambda from_client, octets: b"", echo=True)).code == "only-echo"


def test_a_line_that_babbles_does_not_hold_us_for_ever():
    client = make_client(max_retries=0)
    client.open(Purpose.READOUT, 0.0)
    client.line_changed(0.0)
    now = 0.0
    while client.state is State.SIGNING_ON and now < 10_000:
        now += 1.0
        client.receive_octets(b"\x7f" * 64, now)
        if (at := client.next_timer()) is not None and at <= now:
            client.handle_timer(now)
    assert client.state is State.FAILED
    assert now <= MAX_USELESS / 64 + 10


def test_a_line_that_is_lost():
    for was in (State.PREPARING, State.SIGNING_ON):
        client = make_client()
        client.open(Purpose.READOUT, 0.0)
        if was is State.SIGNING_ON:
            client.line_changed(0.0)
        assert client.state is was
        client.connection_lost(1.0)
        [failed] = [event for event in events_of(client) if isinstance(event, LinkFailed)]
        assert isinstance(failed.error, ConnectionLostError)
        client.connection_lost(2.0)
        assert events_of(client) == []
    idle = make_client()
    idle.connection_lost(0.0)
    assert (idle.state, events_of(idle)) == (State.CLOSED, [])


def test_an_address_that_cannot_be_sent_is_refused_before_anything_happens():
    client = Iec21Client(make_client(device_address="12!").settings)
    with pytest.raises(LocalProtocolError):
        client.open(Purpose.READOUT, 0.0)
    assert client.state is State.IDLE


# -- telegrams -----------------------------------------------------------------------------------------------------------


def listening(response_timeout=30.0):
    client = make_client(initial_baud=115200, response_timeout=response_timeout)
    client.open(Purpose.LISTEN, 0.0)
    assert events_of(client) == []  # the line stays as it is
    assert client.state is State.LISTENING
    assert client.octets_to_send() == b""
    return client


def test_a_telegram_is_taken_without_a_word():
    client = listening()
    telegram = Telegram(METER_C, Device().readout())
    wire = telegram.encode(with_crc=True)
    client.receive_octets(wire[:-20][-30:] + wire[:20], 1.0)  # we came in the middle of one
    client.receive_octets(wire[20:], 2.0)
    events = events_of(client)
    [readout] = [event for event in events if isinstance(event, ReadoutReceived)]
    assert readout.block == telegram.block
    assert readout.telegram.identification == METER_C
    assert client.state is State.CLOSED
    assert client.octets_to_send() == b""


def test_a_telegram_with_a_bad_crc_is_not_the_last_word():
    client = listening()
    wire = Telegram(METER_C, Device().readout()).encode(with_crc=True)
    client.receive_octets(wire.replace(b"123.4", b"923.4"), 1.0)
    assert client.state is State.LISTENING
    client.receive_octets(wire, 2.0)
    assert client.state is State.CLOSED


def test_only_damaged_telegrams():
    client = listening(response_timeout=3.0)
    wire = Telegram(METER_C, Device().readout()).encode(with_crc=True).replace(b"123.4", b"923.4")
    now = 0.0
    while client.state is State.LISTENING and now < 10_000:
        now += 1.0
        client.receive_octets(wire, now)
        client.handle_timer(now)
    [failed] = [event for event in events_of(client) if isinstance(event, LinkFailed)]
    assert failed.error.code == "damaged-telegram"
    assert now < 500


def test_no_telegram():
    client = listening()
    client.handle_timer(client.next_timer())
    [failed] = [event for event in events_of(client) if isinstance(event, LinkFailed)]
    assert failed.error.code == "no-reply"


def test_a_framed_readout_that_comes_unasked():
    client = listening()
    client.receive_octets(METER_A.encode() + DataMessage(READOUT).encode(), 1.0)
    events = events_of(client)
    assert Identified(METER_A) in events
    assert [event.block.encode() for event in events if isinstance(event, ReadoutReceived)] == [READOUT]


# -- programming mode ----------------------------------------------------------------------------------------------------


def test_reading_and_writing_with_a_password():
    device = Device()
    wire = programming(device)
    assert wire.of(ProgrammingEntered) == [ProgrammingEntered("a5")]
    told = wire.commanded(READ, WRITE, PASSWORD, WRITE, READ)
    assert [type(event) for event in told] == [CommandDone, CommandRefused, CommandDone, CommandDone, CommandDone]
    assert told[0].block.encode() == b"(000123.4*kWh)"
    assert "ER02" in told[1].error.message
    assert (told[2].command, told[2].block) == ("P1", None)
    assert device.values["0.9.1"] == "010203"
    wire.client.leave(wire.now)
    wire.run()
    assert said_by_client(wire)[-1] == BREAK.encode()
    assert wire.client.state is State.CLOSED


@pytest.mark.parametrize("identification", [METER_A, METER_B])
def test_modes_a_and_b_take_commands_without_an_operand(identification):
    wire = programming(Device(identification=identification))
    assert wire.of(ProgrammingEntered) == [ProgrammingEntered("")]
    [done] = wire.commanded(READ)
    assert done.block.encode() == b"(000123.4*kWh)"


def test_partial_blocks_of_a_read():
    wire = programming(Device(max_block=5))
    [done] = wire.commanded(CommandMessage("R3", b"1.8.0()"))
    assert done.block.encode() == b"(000123.4*kWh)"


def test_a_wrong_password_breaks_off():
    wire = programming(Device(password="1"))
    wire.commanded(PASSWORD)
    error = error_of(wire)
    assert isinstance(error, AuthenticationFailedError)
    assert "00000000" not in str(error)


def replaced(before, after):
    return lambda from_client, octets: after if octets == before else octets


@pytest.mark.parametrize("answer_to_password", [Reply.NAK.encode(), DataMessage(b"(ER04)").encode()])
def test_a_password_that_is_refused_is_not_offered_again(answer_to_password):
    wire = programming(spoil=replaced(Reply.ACK.encode(), answer_to_password))
    [refused] = wire.commanded(PASSWORD)
    assert isinstance(refused.error, AuthenticationFailedError)
    assert said_by_client(wire).count(PASSWORD.encode()) == 1
    assert wire.client.state is State.PROGRAMMING


def test_a_nak_repeats_a_read_and_never_a_write():
    nak = Reply.NAK.encode()
    wire = programming(spoil=lambda from_client, octets: nak if octets[:1] == b"\x02" else octets)
    [refused] = wire.commanded(READ)
    assert "NAK" in refused.error.message
    assert said_by_client(wire).count(READ.encode()) == 1 + answer.MAX_REPEATS
    [_, refused] = wire.commanded(WRITE)
    assert isinstance(refused, CommandRefused)
    assert said_by_client(wire).count(WRITE.encode()) == 1


def test_silence_repeats_a_read_and_never_a_write():
    for command, times in ((READ, 3), (WRITE, 1), (PASSWORD, 1)):
        wire = programming(spoil=replaced(command.encode(), b""))
        wire.commanded(command)
        assert error_of(wire).code == "stopped"
        assert said_by_client(wire).count(command.encode()) == times


def test_an_answer_that_cannot_be_read_ends_one_command():
    wire = programming(spoil=lambda _, octets: DataMessage(b"(1(").encode() if octets[:1] == b"\x02" else octets)
    [refused] = wire.commanded(READ)
    assert refused.error.code == "invalid-value"
    assert wire.client.state is State.PROGRAMMING


def test_a_meter_that_leaves_the_programming_mode():
    wire = programming()
    wire.client.receive_octets(BREAK.encode(), wire.now)
    wire.pump()
    assert error_of(wire).code == "broken-off"
    assert isinstance(error_of(wire), LinkRefusedError)


@pytest.mark.parametrize(
    ("instead", "code"), [(BREAK.encode(), "broken-off"), (DataMessage(b"(ERROR)").encode(), "meter-error")]
)
def test_a_meter_that_refuses_the_programming_mode(instead, code):
    wire = wire_of(
        Purpose.PROGRAMMING, spoil=lambda from_client, octets: instead if octets[:3] == b"\x01P0" else octets
    )
    assert error_of(wire.run()).code == code


def test_programming_mode_falls_back_to_the_first_speed_as_well():
    wire = wire_of(
        Purpose.PROGRAMMING, spoil=lambda from_client, octets: b"" if octets == b"\x06051\r\n" else octets
    ).until(State.PROGRAMMING)
    assert said_by_client(wire)[-1] == b"\x06001\r\n"


def test_commands_need_the_programming_mode():
    client = make_client()
    with pytest.raises(LocalProtocolError, match="COMMAND"):
        client.command(READ, 0.0)
    wire = read_out()
    with pytest.raises(LocalProtocolError):
        wire.client.open(Purpose.READOUT, wire.now)


# -- mode E --------------------------------------------------------------------------------------------------------------


def test_the_line_is_handed_over_to_hdlc():
    wire = wire_of(Purpose.BINARY).run()
    assert said_by_client(wire) == [b"/?!\r\n", b"\x06252\r\n"]
    assert lines(wire) == ["300 7E1", "9600 8N1"]
    assert isinstance(wire.events[-1], BinaryReady)
    assert wire.client.state is State.BINARY
    assert wire.handed_over is not None


def test_a_confirmation_of_the_acknowledgement_is_passed_over():
    wire = wire_of(Purpose.BINARY)
    while not (wire.said and wire.said[-1] == (True, b"\x06252\r\n")):
        assert wire.pump() or wire.tick()
    wire.client.receive_octets(b"\x06252\r\n", wire.now)
    wire.run()
    [discarded] = wire.of(OctetsDiscarded)
    assert discarded.octets == b"\x06252\r\n"
    assert wire.client.state is State.BINARY


def test_hdlc_is_asked_for_where_it_is_not_offered_and_that_is_remarked():
    wire = wire_of(Purpose.BINARY, Device(identification=METER_C)).run()
    assert wire.client.state is State.BINARY
    assert "does not offer HDLC" in remarks(wire)[0]


@pytest.mark.parametrize("identification", [METER_A, METER_B])
def test_modes_without_an_option_select_have_no_hdlc(identification):
    wire = wire_of(Purpose.BINARY, Device(identification=identification)).run()
    assert error_of(wire).code == "no-mode-e"


# -- leaving -------------------------------------------------------------------------------------------------------------


def test_leaving_from_every_state_ends_it_once():
    for purpose, state in (
        (Purpose.READOUT, State.PREPARING),
        (Purpose.READOUT, State.SIGNING_ON),
        (Purpose.READOUT, State.SWITCHING),
        (Purpose.READOUT, State.READING),
        (Purpose.PROGRAMMING, State.ENTERING),
        (Purpose.PROGRAMMING, State.PROGRAMMING),
        (Purpose.BINARY, State.BINARY),
    ):
        wire = wire_of(purpose)
        wire.until(state)
        wire.client.leave(wire.now)
        wire.client.leave(wire.now)
        wire.pump()
        assert wire.client.state is State.CLOSED, state
        assert len(wire.of(LinkDisconnected)) == 1
        assert wire.client.next_timer() is None
        assert (BREAK.encode() in said_by_client(wire)) == (state is State.PROGRAMMING)
    idle = make_client()
    idle.leave(0.0)
    assert idle.state is State.CLOSED


def test_what_comes_out_of_turn_is_told_and_dropped():
    client = make_client(reaction_time=0.0)
    client.open(Purpose.READOUT, 0.0)
    client.line_changed(0.0)
    client.receive_octets(Reply.ACK.encode() + DataMessage(READOUT).encode(), 1.0)
    assert client.state is State.SIGNING_ON
    assert len([event for event in events_of(client) if isinstance(event, FrameReceived)]) == 2
