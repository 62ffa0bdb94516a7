import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.cursor import Reader, Tracer
from sessions.dlms.errors import DecodeError, FrameError, TruncatedError
from sessions.dlms.iec62056_21.data_set import DataBlock, decode_data_block
from sessions.dlms.iec62056_21.sign_on import IdentificationMessage
from sessions.dlms.iec62056_21.telegram import (
    Telegram,
    crc16_arc,
    decode_telegram,
    find_telegram_end,
    read_telegram,
)

BLOCK = decode_data_block(b"1-3:0.2.8(50)\r\n0-0:1.0.0(260215200523W)\r\n1-0:1.8.1(000123.456*kWh)\r\n!\r\n")
TELEGRAM = Telegram(IdentificationMessage("EST", "5", "53710000_A", "2"), BLOCK)
WIRE = TELEGRAM.encode(with_crc=True)


def test_the_check_value_of_the_crc():
    assert crc16_arc(b"123456789") == 0xBB3D
    assert crc16_arc(b"") == 0


def test_both_ways():
    telegram = decode_telegram(WIRE)
    assert (telegram.identification, telegram.block) == (TELEGRAM.identification, BLOCK)
    assert telegram.crc == crc16_arc(WIRE[: WIRE.index(b"!") + 1])
    assert telegram.encode(with_crc=True) == WIRE
    assert decode_telegram(TELEGRAM.encode()) == TELEGRAM
    assert telegram.summary() == "P1 telegram: /EST5\\253710000_A"


def test_every_truncation_before_the_end_mark_is_refused():
    for cut in range(WIRE.index(b"!") + 1):
        with pytest.raises(DecodeError):
            decode_telegram(WIRE[:cut])


def test_every_altered_octet_is_found_by_the_crc():
    end = WIRE.index(b"!")
    for at in range(end):
        altered = bytearray(WIRE)
        altered[at] ^= 1
        with pytest.raises(DecodeError):
            decode_telegram(bytes(altered))


def test_a_bad_crc_is_named_and_the_fields_are_there():
    tracer = Tracer()
    wire = WIRE.replace(b"!", b"!0000\r\nrest")[: WIRE.index(b"!") + 7]
    with pytest.raises(FrameError) as refused:
        read_telegram(Reader(wire, tracer=tracer))
    assert (refused.value.field, refused.value.offset) == ("crc", WIRE.index(b"!") + 1)
    names = [child.name for child in tracer.root.children]
    assert names == ["identification-message", "data-block", "end-mark", "crc", "line-end"]
    assert "bad" in tracer.root.children[3].value


@pytest.mark.parametrize(
    ("tail", "remark"),
    [
        (b"!\r\n", ""),
        (b"!", ""),
        (b"!\n", ""),
        (b"!\r\n\x00\x00\x00", "3 octets of padding follow"),
        (b"!\r\n  25818685\r\n", "12 octets follow the telegram"),
    ],
)
def test_what_stands_behind_the_end(tail, remark):
    telegram = decode_telegram(b"/ESY5Q3DA1004 V3.04\r\n\r\n1-0:1.8.0*255(00032549.5*kWh)\r\n" + tail)
    assert telegram.crc is None
    assert telegram.remark == remark
    assert telegram.block.find("1-0:1.8.0*255") is not None


def test_a_crc_without_its_leading_zero():
    for number in range(400):
        telegram = Telegram(IdentificationMessage("ABC", "5"), decode_data_block(f"0.0({number})!".encode()))
        wire = telegram.encode(with_crc=True)
        if b"!0" in wire:
            short = wire.replace(b"!0", b"!")
            assert decode_telegram(short).remark == "the CRC is printed with 3 digits instead of 4"
            return
    raise AssertionError("no CRC began with a zero")


def test_the_end_is_an_exclamation_mark_of_its_own():
    assert find_telegram_end(b"0.2.0(a!b)\r\n!\r\n") == 12
    assert find_telegram_end(b"0.2.0(ab)!\r\n") == 9
    assert find_telegram_end(b"0.2.0(a!b)\r\n") == -1


def test_without_an_end_it_is_cut():
    with pytest.raises(TruncatedError):
        decode_telegram(b"/ABC5M\r\n\r\n1.8.0(5)\r\n")


@given(st.binary(max_size=100).map(lambda octets: b"/ABC5X\r\n" + octets))
def test_garbage_is_a_telegram_or_a_typed_error(octets):
    try:
        decode_telegram(octets)
    except DecodeError as error:
        assert 0 <= error.offset <= len(octets)


def test_an_empty_telegram():
    assert decode_telegram(b"/ABC5\r\n\r\n!\r\n").block == DataBlock((), ended=True)
