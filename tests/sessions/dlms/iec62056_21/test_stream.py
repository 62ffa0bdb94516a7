import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.errors import DecodeError, FrameError
from sessions.dlms.iec62056_21 import stream as module
from sessions.dlms.iec62056_21.characters import BlockCheck, with_even_parity
from sessions.dlms.iec62056_21.message import BREAK, CommandMessage, DataMessage, Reply
from sessions.dlms.iec62056_21.sign_on import AcknowledgementMessage, IdentificationMessage, RequestMessage
from sessions.dlms.iec62056_21.stream import Damaged, Found, MessageReader, Rubbish
from sessions.dlms.iec62056_21.telegram import Telegram
from tests.sessions.dlms.iec62056_21 import samples

CONVERSATION = samples.IDENTIFICATION + samples.OPERAND + b"\x06" + samples.DATA + b"\x15" + samples.BREAK
MESSAGES = [
    IdentificationMessage("LGZ", "5", "ZMD3104407", "2"),
    CommandMessage("P0", b"(12345678)"),
    Reply.ACK,
    DataMessage(b"1.8.0(000123.4*kWh)\r\n!\r\n"),
    Reply.NAK,
    BREAK,
]
TELEGRAM = b"/ABC5M\r\n\r\n1.8.0(5*kWh)\r\n!\r\n"


def reader_of(**attributes):
    reader = MessageReader()
    for name, value in attributes.items():
        setattr(reader, name, value)
    return reader


def items(reader, *parts, quiet=False):
    found = []
    for part in parts:
        reader.feed(part)
        while (item := reader.next()) is not None:
            found.append(item)
    while quiet and (item := reader.give_up()) is not None:
        found.append(item)
    return found


def messages(found):
    return [item.message for item in found if isinstance(item, Found)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("parity", [False, True])
def test_a_conversation_in_pieces_of_any_size(size, parity):
    wire = with_even_parity(CONVERSATION) if parity else CONVERSATION
    found = items(MessageReader(), *(wire[at : at + size] for at in range(0, len(wire), size)))
    assert messages(found) == MESSAGES
    assert b"".join(item.octets for item in found) == wire


def test_the_meters_side_reads_requests_and_option_selects():
    reader = reader_of(option_selects=True)
    wire = b"\x00\x00" + samples.REQUEST + samples.HDLC_AT_9600 + samples.READ
    assert messages(items(reader, wire)) == [
        RequestMessage(),
        AcknowledgementMessage("2", "5", "2"),
        CommandMessage("R1", b"1.8.0()"),
    ]


def test_a_bcc_that_is_a_line_end_belongs_to_its_message():
    text = next(
        text for number in range(999) if DataMessage(text := f"0.0({number})\r\n!\r\n".encode()).encode()[-1] == 0x0A
    )
    [found] = items(MessageReader(), DataMessage(text).encode())
    assert found.message == DataMessage(text)


def test_noise_is_told_and_costs_no_message():
    reader = MessageReader()
    found = items(reader, b"\x7f\x55" + samples.IDENTIFICATION + b"\x10\x11" + samples.DATA)
    assert [type(item) for item in found] == [Rubbish, Found, Rubbish, Found]
    assert found[0].octets == b"\x7f\x55"


def test_a_damaged_message_is_told_with_its_error():
    altered = samples.DATA.replace(b"123.4", b"123.5")
    found = items(MessageReader(), altered + samples.IDENTIFICATION)
    assert [type(item) for item in found] == [Damaged, Found]
    assert isinstance(found[0].error, FrameError)
    assert found[0].octets == altered


def test_our_own_octets_come_back_once():
    reader = MessageReader()
    reader.expect_echo(samples.REQUEST)
    found = items(reader, samples.REQUEST[:2], samples.REQUEST[2:] + samples.IDENTIFICATION)
    assert found[0] == Rubbish(samples.REQUEST, "echo of our own octets")
    assert messages(found) == MESSAGES[:1]
    # A second time they are what they are.
    assert messages(items(reader, samples.REQUEST)) == [RequestMessage()]


def test_no_echo_is_awaited_behind_an_answer():
    reader = MessageReader()
    reader.expect_echo(samples.READ)
    found = items(reader, samples.DATA + samples.READ)
    assert messages(found) == [MESSAGES[3], CommandMessage("R1", b"1.8.0()")]


def test_a_message_without_its_check_is_taken_when_the_line_pauses():
    reader = MessageReader()
    assert items(reader, samples.DATA[:-1]) == []
    assert reader.pending == len(samples.DATA) - 1
    [found] = items(reader, quiet=True)
    assert found.message == DataMessage(MESSAGES[3].text, check=BlockCheck.ABSENT)
    assert reader.pending == 0


def test_what_is_not_completed_is_rubbish_after_a_pause():
    found = items(MessageReader(), samples.DATA[:5], quiet=True)
    assert found == [Rubbish(samples.DATA[:5], "a message that was not completed")]


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_a_telegram_that_nobody_asked_for(size):
    reader = reader_of(telegrams=True)
    wire = TELEGRAM * 2
    found = messages(items(reader, *(wire[at : at + size] for at in range(0, len(wire), size))))
    assert [type(one) for one in found] == [Telegram, Telegram]
    assert str(found[0].block.data_sets[0]) == "1.8.0(5*kWh)"


def test_a_telegram_whose_last_line_has_no_end():
    reader = reader_of(telegrams=True)
    assert items(reader, TELEGRAM[:-2]) == []
    [found] = messages(items(reader, quiet=True))
    assert isinstance(found, Telegram)


def test_an_identification_before_a_framed_message_stands_alone():
    reader = reader_of(telegrams=True)
    assert messages(items(reader, b"/ABC5M\r\n" + samples.DATA)) == [
        IdentificationMessage("ABC", "5", "M"),
        MESSAGES[3],
    ]


def test_a_data_block_without_a_frame():
    reader = reader_of(unframed=True)
    assert items(reader, b"\r\n1.8.0(5)\r\n") == []
    [message] = messages(items(reader, b"!\r\n"))
    assert message == DataMessage(b"1.8.0(5)\r\n!\r\n", check=BlockCheck.ABSENT)
    # Noise in front of a framed one is no such block.
    found = items(reader_of(unframed=True), b"x" + samples.DATA)
    assert [type(item) for item in found] == [Rubbish, Found]


def test_a_line_without_an_end_is_refused_where_no_line_goes_on():
    found = items(MessageReader(), b"/ABC5" + b"x" * 200)
    assert isinstance(found[0], Damaged)
    assert isinstance(found[0].error, DecodeError)


def test_a_message_without_an_end_is_dropped(monkeypatch):
    monkeypatch.setattr(module, "MAX_MESSAGE", 100)
    [found] = items(MessageReader(), b"\x02" + b"x" * 101)
    assert isinstance(found, Rubbish)
    assert "more than 100 octets" in found.reason


@given(st.lists(st.binary(max_size=40), max_size=6), st.booleans(), st.booleans(), st.booleans())
def test_garbage_never_gets_stuck_and_nothing_is_lost(parts, unframed, telegrams, option_selects):
    reader = reader_of(unframed=unframed, telegrams=telegrams, option_selects=option_selects)
    found = items(reader, *parts, quiet=True)
    told = b"".join(item.octets for item in found) + reader.take_rest()
    between = bytes((0x00, 0x0A, 0x0D, 0x80, 0x8A, 0x8D))
    assert told.translate(None, between) == b"".join(parts).translate(None, between)
