import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem import data as d
from meters.cosem.data import BitString, CompactArray, Data, DataType, TypeDescription, text
from meters.cosem.date_time import CosemDate, CosemDateTime, CosemTime
from sessions.dlms.axdr import ArrayStream, decode_data, encode_data, read_data
from sessions.dlms.cursor import MAX_DEPTH, Reader, Tracer
from sessions.dlms.errors import (
    DecodeError,
    InvalidValueError,
    LimitExceededError,
    TrailingOctetsError,
    TruncatedError,
    UnknownTagError,
)
from tests.vectors import by_id, of_kind

SAMPLES = [
    ("00", "null-data"),
    ("01021105 1106", "[5, 6]"),
    ("02020FFF161E", "{-1, 30}"),
    ("0301", "true"),
    ("040AA5C0", "1010010111"),
    ("05FFFFFFFE", "-2"),
    ("06000012D6", "4822"),
    ("09060100010800FF", "0100010800ff"),
    ("0A03414243", "“ABC”"),
    ("0C03C3A941", "“éA”"),
    ("0D12", "18"),
    ("0FFE", "-2"),
    ("10FFFE", "-2"),
    ("1105", "5"),
    ("12000A", "10"),
    ("14FFFFFFFFFFFFFFFE", "-2"),
    ("150000000000000005", "5"),
    ("161E", "30"),
    ("1741200000", "10.0"),
    ("184024000000000000", "10.0"),
    ("1907E801010100000000800 0FF", "2024-01-01 00:00:00"),
    ("1A07E8010101", "2024-01-01"),
    ("1B0C1E0000", "12:30:00"),
    ("1CFF", "-1"),
    ("1DFFFE", "-2"),
    ("1EFFFFFFFE", "-2"),
    ("1F05", "5"),
    ("200005", "5"),
    ("2100000005", "5"),
    ("FF", "dont-care"),
    ("1312 04 00010002", "[1, 2]"),
    ("130202 1211 06 00010A00020B", "[{1, 10}, {2, 11}]"),
    ("1309 09 03AABBCC0401020304", "[aabbcc, 01020304]"),
    ("13010003 11 06 010203040506", "[[1, 2, 3], [4, 5, 6]]"),
    ("1302020100021112 08 0102000304050006", "[{[1, 2], 3}, {[4, 5], 6}]"),
]
WIRE = [bytes.fromhex(hexed.replace(" ", "")) for hexed, _ in SAMPLES]


@pytest.mark.parametrize(("hexed", "shown"), SAMPLES, ids=[hexed for hexed, _ in SAMPLES])
def test_every_type_both_ways(hexed, shown):
    octets = bytes.fromhex(hexed.replace(" ", ""))
    data = decode_data(octets)
    assert text(data) == shown
    assert encode_data(data) == octets


@pytest.mark.parametrize("vector", of_kind("axdr"), ids=by_id)
def test_vectors(vector):
    octets = bytes.fromhex(vector["hex"])
    assert encode_data(decode_data(octets)) == octets


@pytest.mark.parametrize("wire", WIRE, ids=[hexed for hexed, _ in SAMPLES])
def test_every_truncation_and_any_extra_octet_is_refused(wire):
    for cut in range(len(wire)):
        with pytest.raises((TruncatedError, LimitExceededError)):
            decode_data(wire[:cut])
    with pytest.raises(TrailingOctetsError):
        decode_data(wire + b"\x00")


@pytest.mark.parametrize("tag", [7, 8, 11, 14, *range(34, 255)])
def test_unassigned_tags_are_refused_with_their_offset(tag):
    with pytest.raises(UnknownTagError) as refused:
        decode_data(bytes((1, 1, tag)))
    assert refused.value.offset == 2


def test_a_non_minimal_length_is_read():
    assert decode_data(bytes.fromhex("09820003aabbcc")).value == bytes.fromhex("aabbcc")


def test_bombs_are_refused_before_memory_is_taken():
    with pytest.raises(LimitExceededError, match="cannot fit"):
        decode_data(bytes.fromhex("0184ffffffff"))
    with pytest.raises(LimitExceededError, match="nested"):
        decode_data(b"\x01\x01" * (MAX_DEPTH + 1) + b"\x00")
    decode_data(b"\x01\x01" * MAX_DEPTH + b"\x00")
    # An array of 65535 arrays of 65535 empty structures, from a dozen octets.
    with pytest.raises(LimitExceededError, match="elements"):
        decode_data(bytes.fromhex("1301ffff01ffff020001 00".replace(" ", "")))
    with pytest.raises(InvalidValueError, match="without octets"):
        decode_data(bytes.fromhex("13000100"))


@given(st.binary(max_size=80))
@settings(max_examples=300)
def test_garbage_is_decoded_or_refused_with_a_typed_error(octets):
    try:
        data = decode_data(octets)
    except DecodeError as error:
        assert 0 <= error.offset <= len(octets)
    else:
        assert decode_data(encode_data(data)) == data or "nan" in text(data)


integers = {
    DataType.DOUBLE_LONG: (-(2**31), 2**31 - 1),
    DataType.DOUBLE_LONG_UNSIGNED: (0, 2**32 - 1),
    DataType.INTEGER: (-128, 127),
    DataType.LONG: (-(2**15), 2**15 - 1),
    DataType.UNSIGNED: (0, 255),
    DataType.LONG_UNSIGNED: (0, 2**16 - 1),
    DataType.LONG64: (-(2**63), 2**63 - 1),
    DataType.LONG64_UNSIGNED: (0, 2**64 - 1),
    DataType.ENUM: (0, 255),
}
scalars = st.one_of(
    *(
        st.integers(low, high).map(lambda number, kind=kind: Data(kind, number))
        for kind, (low, high) in integers.items()
    ),
    st.just(d.null()),
    st.booleans().map(d.boolean),
    st.binary(max_size=200).map(d.octet_string),
    st.binary(max_size=20).map(d.visible_string),
    st.binary(min_size=1, max_size=4).map(lambda octets: Data(DataType.BIT_STRING, BitString(octets, len(octets) * 8))),
    st.floats(allow_nan=False).map(lambda number: Data(DataType.FLOAT64, number)),
    st.binary(min_size=12, max_size=12).map(lambda octets: Data(DataType.DATE_TIME, CosemDateTime.decode(octets))),
    st.binary(min_size=5, max_size=5).map(lambda octets: Data(DataType.DATE, CosemDate.decode(octets))),
    st.binary(min_size=4, max_size=4).map(lambda octets: Data(DataType.TIME, CosemTime.decode(octets))),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5).map(lambda items: d.structure(*items))
        | st.lists(inner, max_size=5).map(lambda items: d.array(*items))
    ),
    max_leaves=20,
)


@given(values)
@settings(max_examples=150)
def test_any_value_goes_round(data):
    assert decode_data(encode_data(data)) == data


def test_a_value_that_does_not_fit_its_type_is_refused():
    with pytest.raises(ValueError, match="unsigned"):
        encode_data(d.unsigned(256))


def test_the_tracer_sees_every_octet():
    octets = bytes.fromhex("0202090312345611ff")
    tracer = Tracer()
    read_data(Reader(octets, tracer=tracer))
    leaves = []

    def walk(field):
        if not field.children:
            leaves.append((field.offset, field.length))
        for child in field.children:
            walk(child)

    walk(tracer.root)
    assert sorted(leaves) == [(0, 1), (1, 1), (2, 1), (3, 1), (4, 3), (7, 1), (8, 1)]


# -- an array in pieces ------------------------------------------------------------------------------------------------

ROWS = d.array(
    *(d.structure(d.date_time(CosemDateTime.decode(bytes(12))), d.double_long_unsigned(n)) for n in range(7))
)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 19, 1000])
def test_rows_come_as_soon_as_they_are_complete(size):
    octets = encode_data(ROWS)
    stream = ArrayStream()
    rows = []
    for at in range(0, len(octets), size):
        rows += stream.feed(octets[at : at + size])
        assert stream.count == len(rows)
    assert tuple(rows) == ROWS.value
    assert (stream.total, stream.finished) == (7, True)
    stream.finish()


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
@settings(max_examples=60)
def test_any_cut_gives_the_same_rows(cuts):
    octets = encode_data(ROWS)
    stream = ArrayStream()
    rows, at = [], 0
    for size in [*cuts, len(octets)]:
        rows += stream.feed(octets[at : at + size])
        at += size
    assert tuple(rows) == ROWS.value


def test_an_incomplete_or_overlong_array_is_refused_at_the_end():
    octets = encode_data(ROWS)
    stream = ArrayStream()
    stream.feed(octets[:-1])
    with pytest.raises(TruncatedError, match="6 of 7"):
        stream.finish()
    stream = ArrayStream()
    stream.feed(octets + b"\x00")
    with pytest.raises(DecodeError, match="follow"):
        stream.finish()
    with pytest.raises(TruncatedError):
        ArrayStream().finish()


def test_garbage_in_a_row_is_refused_at_once():
    stream = ArrayStream()
    with pytest.raises(UnknownTagError):
        stream.feed(bytes.fromhex("010208"))


def test_what_is_no_array_comes_as_one_value():
    stream = ArrayStream()
    assert stream.feed(b"\x11") == []
    assert stream.feed(b"\x05") == [d.unsigned(5)]
    stream.finish()


def test_a_compact_array_comes_whole():
    elements = (d.long_unsigned(1), d.long_unsigned(2))
    octets = encode_data(Data(DataType.COMPACT_ARRAY, CompactArray(TypeDescription(DataType.LONG_UNSIGNED), elements)))
    stream = ArrayStream()
    assert stream.feed(octets[:4]) == []
    assert stream.feed(octets[4:]) == list(elements)
    stream.finish()


def test_an_empty_array_is_finished_at_once():
    stream = ArrayStream()
    assert stream.feed(b"\x01\x00") == []
    assert stream.finished
    stream.finish()
