import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.cursor import Reader, Tracer
from sessions.dlms.errors import DecodeError, FrameError, InvalidValueError, LocalProtocolError
from sessions.dlms.iec62056_21.characters import BlockCheck
from sessions.dlms.iec62056_21.message import (
    BREAK,
    CommandMessage,
    DataMessage,
    Reply,
    decode_command_message,
    decode_data_message,
    find_end,
    read_command_message,
    read_reply,
)
from tests.sessions.dlms.iec62056_21 import samples

TEXT = st.text(st.characters(min_codepoint=0x0A, max_codepoint=0x7E), max_size=60).map(lambda text: text.encode())
MESSAGES = {
    samples.OPERAND: (decode_command_message, CommandMessage("P0", b"(12345678)")),
    samples.PASSWORD: (decode_command_message, CommandMessage("P1", b"(00000000)")),
    samples.READ: (decode_command_message, CommandMessage("R1", b"1.8.0()")),
    samples.DATA: (decode_data_message, DataMessage(b"1.8.0(000123.4*kWh)\r\n!\r\n")),
    samples.BREAK: (decode_command_message, BREAK),
}


@pytest.mark.parametrize("wire", MESSAGES)
def test_messages_both_ways(wire):
    decode, message = MESSAGES[wire]
    assert decode(wire) == message
    assert message.encode() == wire


@pytest.mark.parametrize("wire", MESSAGES)
def test_every_truncation_is_refused_but_the_one_that_lacks_the_check_alone(wire):
    decode, _ = MESSAGES[wire]
    for bad in [*(wire[:cut] for cut in range(len(wire) - 1)), wire + b"\x00"]:
        with pytest.raises(DecodeError):
            decode(bad)
    assert decode(wire[:-1]).check is BlockCheck.ABSENT


@pytest.mark.parametrize("wire", MESSAGES)
def test_a_check_that_fits_no_way_is_refused(wire):
    decode, _ = MESSAGES[wire]
    for octet in range(0x80):
        altered = wire[:-1] + bytes((octet,))
        try:
            assert decode(altered).check is not BlockCheck.ABSENT
        except FrameError as error:
            assert (error.field, error.offset) == ("bcc", len(wire) - 1)


@pytest.mark.parametrize("check", BlockCheck)
@pytest.mark.parametrize("last", [True, False])
def test_other_checks_and_partial_blocks(check, last):
    message = DataMessage(b"1.8.0(5)\r\n", last, check)
    assert decode_data_message(message.encode()) == message
    command = CommandMessage("R3", b"P.01()", last, check)
    assert decode_command_message(command.encode()) == command


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b"(ERROR)", "ERROR"),
        (b"(ER05)", "ER05"),
        (b"ER 1", "ER 1"),
        (b"(000123.4*kWh)", ""),
        (b"1.8.0(ER05)", ""),
        (b"(12)(34)", ""),
        (b"", ""),
    ],
)
def test_error_messages_are_told_from_data(text, error):
    assert DataMessage(text).error == error


def test_a_password_is_never_printed():
    message = decode_command_message(samples.PASSWORD)
    assert message.is_secret
    assert "00000000" not in repr(message) + message.summary()
    tracer = Tracer()
    read_command_message(Reader(samples.PASSWORD, tracer=tracer))
    [text] = [one for one in tracer.root.children if one.name == "text"]
    assert text.secret
    assert (text.offset, text.length, text.value) == (4, 10, "secret")
    assert tracer.root.children[-1].secret


def test_spans_of_a_command():
    tracer = Tracer()
    read_command_message(Reader(samples.READ, tracer=tracer))
    assert [(one.name, one.offset, one.length, one.value) for one in tracer.root.children] == [
        ("soh", 0, 1, "01"),
        ("command", 1, 2, "R1 (read)"),
        ("stx", 3, 1, "STX"),
        ("text", 4, 7, "7 characters"),
        ("end", 11, 1, "ETX"),
        ("bcc", 12, 1, "5a (good)"),
    ]


def test_a_bad_check_stays_visible():
    tracer = Tracer()
    with pytest.raises(FrameError):
        read_command_message(Reader(samples.READ[:-1] + b"\x00", tracer=tracer))
    assert tracer.root.children[-1].value == "00 (bad, 5a expected)"


@pytest.mark.parametrize("wire", [b"\x01r\x0012\x03", b"\x0111\x03", b"\x01R1x\x03"])
def test_what_is_no_command_is_refused(wire):
    with pytest.raises(InvalidValueError):
        decode_command_message(wire)


@pytest.mark.parametrize("command", ["R", "R12", "Ä1"])
def test_what_is_no_command_is_not_sent(command):
    with pytest.raises(LocalProtocolError):
        CommandMessage(command).encode()


def test_replies():
    for reply in Reply:
        assert read_reply(Reader(reply.encode())) is reply
    assert Reply.NAK.summary() == "NAK (say it again)"
    with pytest.raises(InvalidValueError):
        read_reply(Reader(b"\x05"))


def test_the_first_end_counts():
    assert find_end(b"ab\x04c\x03", 0) == 2
    assert find_end(b"ab\x04c\x03", 3) == 4
    assert find_end(b"ab", 0) == -1


def test_summaries():
    assert CommandMessage("W1", b"0.9.1(1)").summary() == "W1 (write) 0.9.1(1)"
    assert CommandMessage("R5").summary() == "R5 (manufacturer's command)"
    assert DataMessage(b"1.8(5)", last=False).summary() == "data message, 6 characters, more blocks follow"
    assert DataMessage(b"(ER01)").summary() == "error message: ER01"
    assert DataMessage(b"1.8(5)").block().find("1.8") is not None


@given(TEXT, st.booleans(), st.sampled_from(BlockCheck))
def test_data_messages_go_round(text, last, check):
    decoded = decode_data_message(DataMessage(text, last, check).encode())
    assert (decoded.text, decoded.last) == (text, last)
    # One kind of check may equal another by chance: the standard's comes first.
    assert decoded.check is check or decoded.check is not BlockCheck.ABSENT


@given(st.binary(max_size=80).map(lambda octets: b"\x02" + octets), st.sampled_from((0, 1)))
def test_garbage_is_a_message_or_a_typed_error(octets, which):
    try:
        (decode_data_message, decode_command_message)[which](octets)
    except DecodeError as error:
        assert 0 <= error.offset <= len(octets)
