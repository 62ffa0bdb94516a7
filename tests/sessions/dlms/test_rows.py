from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem import data as d
from meters.cosem.data import BitString, Data, DataType
from meters.cosem.date_time import CosemDateTime
from meters.cosem.rows import Rows, RowType
from sessions.dlms import axdr
from sessions.dlms import rows as module
from sessions.dlms.array_stream import ArrayStream
from sessions.dlms.axdr import decode_data, encode_data
from sessions.dlms.cursor import MAX_DEPTH
from sessions.dlms.errors import DecodeError, LimitExceededError
from sessions.dlms.rows import Layout, RowReader
from tests.sessions.dlms.test_axdr import scalars


def general(octets):
    """The same through the general decoder alone."""
    with mock.patch.object(axdr, "_LEAST_ROWS", 1 << 62):
        return decode_data(octets)


def outcome(decode, octets):
    try:
        data = decode(octets)
    except DecodeError as error:
        return type(error), error.field, error.offset, error.reason
    return encode_data(data), repr(data)  # repr: a NaN is not equal to itself


def is_rows(data):
    return isinstance(data.value, Rows)


@st.composite
def tables(draw):
    """Rows of a few layouts: in runs, alternating, with columns left out and widths changing."""
    layouts = draw(st.lists(st.lists(scalars, max_size=6), min_size=1, max_size=4))
    rows = []
    for _ in range(draw(st.integers(1, 6))):
        rows += [d.structure(*draw(st.sampled_from(layouts)))] * draw(st.integers(1, 20))
    return d.array(*rows)


@given(tables())
@settings(max_examples=200)
def test_both_decoders_read_the_same(table):
    octets = encode_data(table)
    assert outcome(decode_data, octets) == outcome(general, octets)
    assert decode_data(octets) == table or "nan" in repr(table)


@given(tables(), st.data())
@settings(max_examples=400)
def test_both_decoders_refuse_the_same_for_the_same_reason(table, data):
    octets = bytearray(encode_data(table))
    for _ in range(data.draw(st.integers(0, 2))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    octets = octets[: data.draw(st.integers(1, len(octets)))] if data.draw(st.booleans()) else octets
    octets += data.draw(st.binary(max_size=3))
    assert outcome(decode_data, bytes(octets)) == outcome(general, bytes(octets))


@given(tables(), st.integers(1, 60))
@settings(max_examples=100)
def test_rows_in_pieces_are_the_same_rows(table, size):
    octets = encode_data(table)
    stream, elements = ArrayStream(), []
    for at in range(0, len(octets), size):
        elements += stream.feed(octets[at : at + size])
    stream.finish()
    assert repr(tuple(elements)) == repr(table.value)


@given(tables())
@settings(max_examples=150)
def test_rows_are_written_as_the_structures_that_they_are(table):
    octets = encode_data(table)
    decoded = decode_data(octets)
    assert encode_data(decoded) == octets == encode_data(d.array(*decoded))


@pytest.mark.parametrize(
    "value",
    [
        Data(DataType.DATE_TIME, CosemDateTime.decode(bytes.fromhex("07e801010100000000800 0ff".replace(" ", "")))),
        Data(DataType.BIT_STRING, BitString(b"\xa0", 4)),
        d.boolean(True),
        d.null(),
        Data(DataType.DONT_CARE),
        Data(DataType.FLOAT64, 1.5),
        Data(DataType.UTF8_STRING, "é".encode()),
        d.octet_string(b""),
    ],
    ids=lambda value: value.type.asn1_name,
)
@pytest.mark.parametrize("columns", [1, 2])
def test_every_kind_of_column_is_read_in_rows(value, columns):
    table = d.array(*[d.structure(*[value] * columns)] * 10)
    decoded = decode_data(encode_data(table))
    assert is_rows(decoded)
    assert decoded == table


def test_rows_without_columns():
    table = d.array(*[d.structure()] * 10)
    decoded = decode_data(encode_data(table))
    assert is_rows(decoded)
    assert decoded == table


@pytest.mark.parametrize(
    "odd",
    [
        d.structure(d.array(d.unsigned(1))),
        d.structure(d.structure(d.unsigned(1)), d.unsigned(1)),
        d.structure(d.octet_string(bytes(200))),
        d.structure(*[d.unsigned(1)] * 200),
        d.array(d.unsigned(1)),
        d.unsigned(1),
    ],
    ids=["array inside", "structure inside", "long string", "many columns", "array", "number"],
)
def test_what_is_no_simple_row_is_left_to_the_general_decoder(odd):
    rows = [d.structure(d.unsigned(n)) for n in range(20)]
    for table in (d.array(odd, *rows), d.array(*rows, odd), d.array(*rows[:10], odd, *rows[10:])):
        decoded = decode_data(encode_data(table))
        assert not is_rows(decoded)
        assert decoded == table


def test_rows_may_not_be_nested_deeper_than_anything_else():
    rows = d.array(*[d.structure(d.unsigned(1))] * 10)
    deep = rows
    for _ in range(MAX_DEPTH - 2):
        deep = d.array(deep)
    assert decode_data(encode_data(deep)) == deep
    with pytest.raises(ValueError, match="nested"):
        encode_data(d.array(deep))
    with pytest.raises(ValueError, match="nested"):
        encode_data(d.array(decode_data(encode_data(deep))))
    with pytest.raises(LimitExceededError, match="nested"):
        decode_data(b"\x01\x01" + encode_data(deep))


@pytest.mark.parametrize("wrong", [256, -1, None, "1", 1.5])
def test_a_value_that_does_not_fit_its_column_is_refused(wrong):
    values = [(n, b"ab") for n in range(10)]
    types = (DataType.UNSIGNED, DataType.OCTET_STRING)
    with pytest.raises(ValueError, match="does not fit into unsigned"):
        encode_data(Data(DataType.ARRAY, Rows.uniform(types, [*values, (wrong, b"ab")])))
    with pytest.raises(ValueError, match="does not fit into octet-string"):
        encode_data(Data(DataType.ARRAY, Rows.uniform(types, [*values, (1, None)])))


def test_strings_of_several_lengths_are_written_as_they_are():
    values = [(b"a" * n,) for n in (1, 1, 1, 1, 0, 2, 300)]
    table = Data(DataType.ARRAY, Rows.uniform((DataType.OCTET_STRING,), values))
    assert encode_data(table) == encode_data(d.array(*table))


# -- the parts ---------------------------------------------------------------------------------------------------------

SHAPE = ((DataType.OCTET_STRING, 2), (DataType.LONG, 0))
LAYOUT = Layout(SHAPE, RowType([kind for kind, _ in SHAPE]))
ROW = bytes.fromhex("0202 0902abcd 10fffe")


def test_a_layout_knows_its_marks():
    assert LAYOUT.size == len(ROW)
    assert [(place, mark.hex()) for place, mark in LAYOUT.marks] == [
        (0, "02"),
        (1, "02"),
        (2, "09"),
        (3, "02"),
        (6, "10"),
    ]
    assert LAYOUT.read_one(ROW, 0) == (b"\xab\xcd", -2)
    assert LAYOUT.write([(b"\xab\xcd", -2)] * 3) == ROW * 3


@pytest.mark.parametrize("good", [0, 1, 7, 8, 9, 39, 40, 41, 200])
@pytest.mark.parametrize("place", [0, 1, 2, 3, 6])
def test_a_run_ends_before_the_first_row_with_another_mark(good, place):
    other = bytearray(ROW)
    other[place] ^= 0x01
    octets = b"\xff" + ROW * good + bytes(other) + ROW * 50
    assert LAYOUT.count(octets, 1, 1000) == good
    assert LAYOUT.count(octets, 1, 5) == min(good, 5)
    assert LAYOUT.read(octets, 1, good) == [(b"\xab\xcd", -2)] * good


def test_a_cut_row_is_not_counted():
    for cut in range(len(ROW)):
        assert LAYOUT.count(ROW * 3 + ROW[:cut], 0, 10) == 3


def test_a_reader_goes_on_where_it_stopped():
    reader, rows = RowReader(), Rows([], [])
    octets = ROW * 5
    assert reader.read(octets[: len(ROW) * 2 + 3], 0, 10, rows) == len(ROW) * 2
    assert reader.read(octets, len(ROW) * 2, 10, rows) == len(octets)
    assert len(rows) == 5
    assert len(set(map(id, rows.row_types))) == 1


def test_layouts_and_types_are_remembered_within_limits(monkeypatch):
    monkeypatch.setattr(module, "LEAST_LAYOUTS", 2)
    table = d.array(*[d.structure(*[d.unsigned(n)] * n) for n in range(1, 9)] * 3)
    decoded = decode_data(encode_data(table))
    assert is_rows(decoded)
    assert decoded == table
    monkeypatch.setattr(module, "MAX_ROW_TYPES", 7)
    decoded = decode_data(encode_data(table))
    assert not is_rows(decoded)
    assert decoded == table
