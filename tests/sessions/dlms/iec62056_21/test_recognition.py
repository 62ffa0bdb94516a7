import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.iec62056_21.characters import with_even_parity
from sessions.dlms.iec62056_21.recognition import (
    characters_of,
    is_reply,
    looks_like_iec62056_21,
    split_messages,
)
from tests.sessions.dlms.iec62056_21 import samples
from tests.sessions.dlms.inspector import samples as frames

TELEGRAM = b"/ABC5M\r\n\r\n1.8.0(5*kWh)\r\n!\r\n"
ALONE = {name: wire for name, wire in samples.EVERY.items() if len(wire) > 1}


@pytest.mark.parametrize("wire", ALONE.values(), ids=ALONE)
def test_messages_are_recognised_with_parity_and_without(wire):
    assert looks_like_iec62056_21(wire)
    assert looks_like_iec62056_21(with_even_parity(wire))
    assert characters_of(with_even_parity(wire)) == wire


@pytest.mark.parametrize("wire", ALONE.values(), ids=ALONE)
def test_parity_bits_that_are_wrong_hide_no_message(wire):
    odd = bytes(octet ^ 0x80 for octet in with_even_parity(wire))
    assert looks_like_iec62056_21(odd)
    assert characters_of(odd) == wire
    one_wrong = bytearray(wire)
    one_wrong[-2] |= 0x80
    assert looks_like_iec62056_21(bytes(one_wrong))


@pytest.mark.parametrize(
    "wire",
    [
        TELEGRAM,
        b"\x00\x00" + samples.REQUEST,
        b"0.0.0(110002267)\r\n1.8.0(31550.191*kWh)\r\n",
        b"P.01(1220823161500)(08)(15)(1)(1.5)(kW)\r\n(0.1)\r\n",
        b"F.F(00000000)\r\n!\r\n",
        samples.DATA[:-1],
        samples.DATA[:-3],
        b"/ISk5\x02MIE5T-200\r\n",
    ],
)
def test_what_comes_in_pieces_or_without_a_frame_is_recognised(wire):
    assert looks_like_iec62056_21(wire)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x06",
        b"\x15",
        b"LINE ONE LINE TWO",
        b"/",
        frames.SNRM,
        frames.AARE,
        frames.GET_RESPONSE,
        frames.GLO_GET_30,
        frames.WRAPPER_AARQ,
        bytes.fromhex("01000000065f1f0400007e1f04b0"),
        bytes.fromhex("0202090601010000ff"),
        bytes.fromhex("06010200080100"),
    ],
)
def test_what_is_none_is_none(octets):
    assert not looks_like_iec62056_21(octets)


def test_a_reply_is_one_character():
    assert [is_reply(octets) for octets in (b"\x06", b"\x15", b"\x86", b"\x95", b"", b"\x06\x06", b"\x07")] == [
        True,
        True,
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_conversation_is_cut_into_its_messages():
    parts = [
        b"\x00\x00" + samples.REQUEST,
        samples.IDENTIFICATION,
        samples.PROGRAMMING_AT_9600,
        samples.OPERAND,
        samples.PASSWORD,
        b"\x06",
        samples.READ,
        samples.DATA,
        b"\x15",
        samples.BREAK,
        TELEGRAM,
        TELEGRAM,
        samples.REQUEST,
    ]
    assert split_messages(b"".join(parts)) == parts
    assert split_messages(with_even_parity(b"".join(parts))) == [with_even_parity(part) for part in parts]


@pytest.mark.parametrize("octets", [TELEGRAM[:-4], samples.DATA[:-1], b"1.8.0(5)\r\n", b"/ABC5M", b"/?1!"])
def test_what_has_no_end_is_one_piece(octets):
    assert split_messages(octets) == [octets]


def test_data_lines_end_where_a_message_begins():
    lines = b"0.0.0(1)\r\n!\r\n1.8.0(2)\r\n!\r\n"
    assert split_messages(lines + samples.DATA) == [lines, samples.DATA]


@given(st.one_of(st.binary(max_size=80), st.text("/?!\r\n\x02\x03\x01\x06(1)A", max_size=60).map(str.encode)))
def test_nothing_is_lost(octets):
    looks_like_iec62056_21(octets)
    pieces = split_messages(octets)
    assert b"".join(pieces) == octets
    assert all(pieces)
