import pytest

from meters.cosem import data as d
from meters.cosem.data import BitString, Data, DataType
from meters.cosem.rows import Rows, RowType

TYPES = (DataType.OCTET_STRING, DataType.DOUBLE_LONG_UNSIGNED)
VALUES = [(b"a", 1), (b"b", 2), (b"c", 3)]
AS_DATA = tuple(d.structure(d.octet_string(text), d.double_long_unsigned(number)) for text, number in VALUES)


def test_rows_are_a_sequence_of_structures():
    rows = Rows.uniform(TYPES, VALUES)
    assert len(rows) == 3
    assert tuple(rows) == AS_DATA
    assert (rows[0], rows[-1]) == (AS_DATA[0], AS_DATA[2])
    assert rows[1:] == AS_DATA[1:]
    assert isinstance(rows[1:], Rows)
    assert AS_DATA[1] in rows
    with pytest.raises(IndexError):
        rows[3]


def test_rows_are_equal_to_what_they_stand_for():
    rows = Rows.uniform(TYPES, VALUES)
    assert rows == AS_DATA == rows
    assert rows == list(AS_DATA)
    assert rows == Rows.uniform(TYPES, VALUES)
    assert rows != Rows.uniform(TYPES, VALUES[:2])
    assert rows != Rows.uniform((DataType.VISIBLE_STRING, DataType.DOUBLE_LONG_UNSIGNED), VALUES)
    assert rows != "abc"
    assert hash(rows) == hash(AS_DATA)
    assert repr(rows) == repr(AS_DATA)
    assert Data(DataType.ARRAY, rows) == d.array(*AS_DATA)
    assert hash(Data(DataType.ARRAY, rows)) == hash(d.array(*AS_DATA))


def test_every_way_to_read_a_value_takes_rows():
    value, plain = Data(DataType.ARRAY, Rows.uniform(TYPES, VALUES)), d.array(*AS_DATA)
    for form in (d.text, d.native, d.as_json, len, list):
        assert form(value) == form(plain)
    assert (value[1], value.constructed) == (plain[1], True)


ONE_OF_EACH = [
    Data(DataType.VISIBLE_STRING, b"a"),
    Data(DataType.UTF8_STRING, b"\xff"),
    Data(DataType.BIT_STRING, BitString(b"\xa0", 4)),
    Data(DataType.BCD, 0x12),
    d.null(),
    d.boolean(True),
    Data(DataType.FLOAT32, 1.5),
    d.array(d.unsigned(1)),
]


@pytest.mark.parametrize("value", ONE_OF_EACH, ids=lambda value: value.type.asn1_name)
def test_rows_are_as_plain_as_their_values(value):
    rows = Rows.uniform((DataType.UNSIGNED, value.type), [(1, value.value)] * 3)
    assert rows.native() == [[1, d.native(value)]] * 3 == d.native(d.array(*rows))


def test_neighbours_of_one_type_come_together():
    one, other = RowType([DataType.UNSIGNED]), RowType([DataType.NULL_DATA])
    rows = Rows([one, one, other, one], [(1,), (2,), (None,), (3,)])
    assert list(rows.runs()) == [(one, [(1,), (2,)]), (other, [(None,)]), (one, [(3,)])]
    assert list(Rows([], []).runs()) == []


def test_a_row_type_knows_what_follows_from_the_row_before():
    assert RowType([DataType.NULL_DATA, DataType.LONG, DataType.DELTA_UNSIGNED]).gaps == (0, 2)
    assert repr(RowType([DataType.NULL_DATA, DataType.LONG])) == "RowType(null-data, long)"


def test_a_row_has_a_value_for_each_type():
    with pytest.raises(ValueError, match="2 values"):
        Rows.uniform(TYPES, [(b"a", 1), (b"b",)])
