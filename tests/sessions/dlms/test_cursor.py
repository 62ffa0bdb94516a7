from enum import IntEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.cursor import Reader, Tracer, Writer
from sessions.dlms.errors import (
    DecodeError,
    InvalidValueError,
    LimitExceededError,
    TrailingOctetsError,
    TruncatedError,
    UnknownTagError,
)


class Colour(IntEnum):
    DARK_RED = 1


def test_reading_names_the_field_and_the_offset_where_it_stops():
    reader = Reader(bytes.fromhex("0102"), origin=10)
    reader.u8("first")
    with pytest.raises(TruncatedError) as refused:
        reader.u16("second")
    assert (refused.value.field, refused.value.offset) == ("second", 11)
    assert "second at offset 11" in str(refused.value)
    assert refused.value.as_dict()["offset"] == 11


@pytest.mark.parametrize(
    ("read", "octets", "value"),
    [
        (lambda reader: reader.u8("n"), "ff", 255),
        (lambda reader: reader.u16("n"), "0102", 258),
        (lambda reader: reader.u32("n"), "00000100", 256),
        (lambda reader: reader.signed(2, "n"), "fffe", -2),
        (lambda reader: reader.flag("n"), "00", False),
        (lambda reader: reader.flag("n"), "ff", True),
        (lambda reader: reader.take(2, "n"), "abcd", b"\xab\xcd"),
        (lambda reader: reader.rest("n"), "abcd", b"\xab\xcd"),
        (lambda reader: reader.octet_string("n"), "02abcd", b"\xab\xcd"),
        (lambda reader: reader.length("n"), "7f", 127),
        (lambda reader: reader.length("n"), "8180", 128),
        (lambda reader: reader.length("n"), "820003", 3),
        (lambda reader: reader.length("n"), "8400000001", 1),
        (lambda reader: reader.enum(Colour, "n"), "01", Colour.DARK_RED),
    ],
)
def test_fields(read, octets, value):
    reader = Reader(bytes.fromhex(octets))
    assert read(reader) == value
    reader.finish()


@pytest.mark.parametrize(
    ("read", "octets", "error"),
    [
        (lambda reader: reader.length("n"), "", TruncatedError),
        (lambda reader: reader.length("n"), "8201", TruncatedError),
        (lambda reader: reader.length("n"), "80", InvalidValueError),
        (lambda reader: reader.length("n"), "850000000000", InvalidValueError),
        (lambda reader: reader.count("n"), "05ffff", LimitExceededError),
        (lambda reader: reader.count("n", least=3), "01ffff", LimitExceededError),
        (lambda reader: reader.octet_string("n"), "03abcd", TruncatedError),
        (lambda reader: reader.take(-1, "n"), "00", TruncatedError),
        (lambda reader: reader.sub(3, "n"), "0000", TruncatedError),
        (lambda reader: reader.enum(Colour, "n"), "02", UnknownTagError),
        (lambda reader: reader.constant(b"\x01\x02", "n"), "0103", InvalidValueError),
        (lambda reader: reader.finish(), "00", TrailingOctetsError),
    ],
)
def test_refusals(read, octets, error):
    with pytest.raises(error):
        read(Reader(bytes.fromhex(octets)))


@given(st.integers(0, 2**32 - 1))
def test_lengths_go_round(number):
    octets = Writer().length(number).octets()
    assert Reader(octets).length("n") == number
    assert len(octets) == (1 if number < 128 else 1 + (number.bit_length() + 7) // 8)


@given(st.binary(max_size=40))
def test_writers_mirror_readers(octets):
    writer = Writer().u8(1).u16(2).u32(3).signed(2, -4).flag(True).octet_string(octets).put(b"end")
    reader = Reader(writer.octets())
    assert (reader.u8("a"), reader.u16("b"), reader.u32("c"), reader.signed(2, "d")) == (1, 2, 3, -4)
    assert reader.flag("e")
    assert reader.octet_string("f") == octets
    assert reader.rest("g") == b"end"
    assert len(writer) == len(writer.octets())


def test_a_part_speaks_of_positions_in_the_whole():
    reader = Reader(bytes.fromhex("00112233"), origin=100)
    reader.u8("head")
    part = reader.sub(2, "part")
    assert part.position == 101
    part.u8("first")
    with pytest.raises(DecodeError) as refused:
        part.u16("too-much")
    assert refused.value.offset == 102
    assert reader.u8("tail") == 0x33


def test_the_tracer_makes_the_tree():
    tracer = Tracer("root", source="apdu")
    reader = Reader(bytes.fromhex("010203"), tracer=tracer, origin=5)
    with reader.group("outer"):
        reader.u8("first")
        reader.label("one", secret=True)
        reader.enter("inner")
        reader.u16("second")
        reader.leave("both")
    (outer,) = tracer.root.children
    assert (outer.name, outer.offset, outer.length) == ("outer", 5, 3)
    first, inner = outer.children
    assert (first.value, first.secret, first.source) == ("one", True, "apdu")
    assert (inner.value, inner.offset, inner.length) == ("both", 6, 2)
    assert [field.name for field in inner.children] == ["second"]


def test_an_error_leaves_the_fields_before_it_visible():
    tracer = Tracer()
    reader = Reader(b"\x01", tracer=tracer)
    with pytest.raises(TruncatedError), reader.group("outer"):
        reader.u8("first")
        reader.u16("second")
    assert [field.name for field in tracer.root.children[0].children] == ["first"]


def test_what_is_read_unlisted_is_one_field():
    tracer = Tracer()
    reader = Reader(bytes(8), tracer=tracer, origin=4)
    reader.u8("first")
    with reader.unlisted("elements", "3 more, not listed"):
        reader.u16("second")
        reader.u32("third")
    reader.u8("last")
    assert [(each.name, each.offset, each.length, each.value) for each in tracer.root.children] == [
        ("first", 4, 1, "0"),
        ("elements", 5, 6, "3 more, not listed"),
        ("last", 11, 1, "0"),
    ]
