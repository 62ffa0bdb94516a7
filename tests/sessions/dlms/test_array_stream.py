import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem import data as d
from meters.cosem.data import CompactArray, Data, DataType, TypeDescription
from meters.cosem.date_time import CosemDateTime
from sessions.dlms import array_stream
from sessions.dlms.array_stream import ArrayStream
from sessions.dlms.axdr import decode_data, encode_data, read_data
from sessions.dlms.cursor import MAX_DEPTH
from sessions.dlms.errors import (
    DecodeError,
    InvalidValueError,
    LimitExceededError,
    TrailingOctetsError,
    TruncatedError,
    UnknownTagError,
)
from tests.sessions.dlms.test_axdr import values

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


@given(values, st.lists(st.integers(1, 25), max_size=30))
@settings(max_examples=100)
def test_any_value_cut_anywhere_comes_once_and_whole(data, cuts):
    octets = encode_data(d.array(data, data))
    stream = ArrayStream()
    elements, at = [], 0
    for size in [*cuts, len(octets)]:
        elements += stream.feed(octets[at : at + size])
        at += size
    stream.finish()
    assert elements == [data, data]


def test_a_row_comes_with_its_last_octet_and_not_later():
    octets = encode_data(ROWS)
    head, size = 2, (len(octets) - 2) // 7
    stream = ArrayStream()
    came = [len(stream.feed(octets[at : at + 1])) for at in range(len(octets))]
    assert [at for at, count in enumerate(came) if count] == [head - 1 + size * number for number in range(1, 8)]


def test_a_count_of_several_octets_may_be_cut():
    octets = encode_data(d.array(*[d.unsigned(1)] * 300))
    stream = ArrayStream()
    assert [stream.feed(octets[at : at + 1]) for at in range(3)] == [[], [], []]
    assert stream.total is None
    assert stream.feed(octets[3:4]) == []
    assert stream.total == 300
    assert len(stream.feed(octets[4:])) == 300


def test_a_count_without_elements_takes_no_memory_and_is_missed_at_the_end():
    stream = ArrayStream()
    assert stream.feed(bytes.fromhex("0184ffffffff")) == []
    assert (stream.total, stream.finished) == (0xFFFFFFFF, False)
    with pytest.raises(TruncatedError, match="0 of 4294967295"):
        stream.finish()


def test_an_incomplete_or_overlong_array_is_refused_at_the_end():
    octets = encode_data(ROWS)
    stream = ArrayStream()
    stream.feed(octets[:-1])
    with pytest.raises(TruncatedError, match="6 of 7"):
        stream.finish()
    stream = ArrayStream()
    stream.feed(octets + b"\x00")
    with pytest.raises(TrailingOctetsError, match="follow") as refused:
        stream.finish()
    assert refused.value.offset == len(octets)
    with pytest.raises(TruncatedError, match="unknown"):
        ArrayStream().finish()


@pytest.mark.parametrize(
    ("octets", "error", "offset"),
    [
        ("0102 1105 08", UnknownTagError, 4),
        ("0102 1105 0201 2d", UnknownTagError, 6),
        ("0101 0986", InvalidValueError, 3),
        ("0186", InvalidValueError, 1),
        ("0101 1307", UnknownTagError, 3),
        ("0101 13000100", InvalidValueError, 5),
        ("08", UnknownTagError, 0),
        ("0101" + "0101" * MAX_DEPTH, LimitExceededError, None),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 100])
def test_garbage_in_a_row_is_refused_at_once_and_again(octets, error, offset, size):
    octets = bytes.fromhex(octets)
    stream = ArrayStream()
    with pytest.raises(error) as refused:
        for at in range(0, len(octets), size):
            stream.feed(octets[at : at + size])
        stream.feed(b"\x00\x00")  # what makes a nested bomb a whole value
    assert offset is None or refused.value.offset == offset
    for more in (b"", b"\x00"):
        with pytest.raises(error):
            stream.feed(more)


@given(st.binary(max_size=60), st.integers(1, 9))
@settings(max_examples=200)
def test_garbage_in_pieces_is_decoded_or_refused_as_in_one(octets, size):
    try:
        whole = decode_data(octets)
    except DecodeError:
        whole = None
    stream, elements = ArrayStream(), []
    try:
        for at in range(0, len(octets), size):
            elements += stream.feed(octets[at : at + size])
        stream.finish()
    except DecodeError:
        assert whole is None
    else:
        assert whole is not None
        constructed = whole.type in (DataType.ARRAY, DataType.COMPACT_ARRAY)
        assert [encode_data(element) for element in elements] == [
            encode_data(element) for element in (whole if constructed else [whole])
        ]


def test_what_is_no_array_comes_as_one_value():
    stream = ArrayStream()
    assert stream.feed(b"\x11") == []
    assert stream.feed(b"\x05") == [d.unsigned(5)]
    stream.finish()


@pytest.mark.parametrize("size", [1, 4, 100])
def test_a_compact_array_comes_whole(size):
    elements = (d.long_unsigned(1), d.long_unsigned(2))
    octets = encode_data(Data(DataType.COMPACT_ARRAY, CompactArray(TypeDescription(DataType.LONG_UNSIGNED), elements)))
    stream = ArrayStream()
    came = [stream.feed(octets[at : at + size]) for at in range(0, len(octets), size)]
    assert came[-1] == elements
    assert not any(came[:-1])
    assert (stream.total, stream.count, stream.finished) == (2, 2, True)
    stream.finish()


def test_an_empty_array_is_finished_at_once():
    stream = ArrayStream()
    assert stream.feed(b"\x01\x00") == []
    assert stream.finished
    stream.finish()


def test_a_long_element_in_small_pieces_is_decoded_once(monkeypatch):
    """What makes it linear: the decoder never sees an element before it is whole."""
    calls = []

    def counted(reader, *, depth=0):
        calls.append(reader.remaining)
        return read_data(reader, depth=depth)

    monkeypatch.setattr(array_stream, "read_data", counted)
    inner = [d.array(*[d.long_unsigned(n) for n in range(200)]), d.unsigned(5)]
    octets = encode_data(d.array(*inner))
    stream = ArrayStream()
    elements = [element for octet in octets for element in stream.feed(bytes((octet,)))]
    assert elements == inner
    assert calls[0] == len(encode_data(inner[0]))
    assert len(calls) == 2
