import struct
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem import data as d
from meters.cosem.data import BitString, CompactArray, Data, DataType, TypeDescription
from meters.cosem.date_time import CosemDateTime

MOMENT = CosemDateTime.from_datetime(datetime(2026, 11, 25, 10))


@pytest.mark.parametrize(
    ("value", "native", "as_json", "text"),
    [
        (d.null(), None, None, "null-data"),
        (d.boolean(True), True, True, "true"),
        (d.unsigned(5), 5, 5, "5"),
        (d.octet_string(b"\x01\x02"), b"\x01\x02", "0102", "0102"),
        (d.octet_string(b""), b"", "", "(empty)"),
        (d.octet_string(b"LGZ1"), b"LGZ1", "4c475a31", "“LGZ1” (4c475a31)"),
        (d.date_time(MOMENT), MOMENT.encode(), MOMENT.encode().hex(), "2026-11-25 10:00:00"),
        (Data(DataType.DATE_TIME, MOMENT), MOMENT, "2026-11-25 10:00:00", "2026-11-25 10:00:00"),
        (d.octet_string(b"LGZ1\0\0"), b"LGZ1\0\0", "4c475a310000", "“LGZ1” (4c475a310000)"),
        (d.octet_string(b"AB"), b"AB", "4142", "4142"),
        (d.octet_string(bytes(6)), bytes(6), "000000000000", "000000000000"),
        (d.visible_string("abc"), "abc", "abc", "“abc”"),
        (d.visible_string("a\x1b[2J\n"), "a\x1b[2J\n", "a\x1b[2J\n", "“a\\x1b[2J\\x0a”"),
        (Data(DataType.BCD, 0x12), 12, 12, "12"),
        (Data(DataType.BCD, 0x05), 5, 5, "05"),
        (Data(DataType.BCD, 0x1F), "1f", "1f", "1f"),
        (Data(DataType.UTF8_STRING, "é".encode()), "é", "é", "“é”"),
        (Data(DataType.UTF8_STRING, b"\xff"), "ÿ", "ÿ", "“ÿ”"),
        (Data(DataType.BIT_STRING, BitString(b"\xa0", 4)), "1010", "1010", "1010"),
        (Data(DataType.FLOAT32, 1.5), 1.5, 1.5, "1.5"),
        (d.structure(d.integer(-1), d.enum(30)), [-1, 30], [-1, 30], "{-1, 30}"),
        (d.array(d.unsigned(1), d.null()), [1, None], [1, None], "[1, null-data]"),
    ],
)
def test_the_three_forms_of_a_value(value, native, as_json, text):
    assert d.native(value) == native
    assert d.as_json(value) == as_json
    assert d.text(value) == text


@pytest.mark.parametrize("kind", [DataType.FLOAT32, DataType.FLOAT64])
@pytest.mark.parametrize("number", ["inf", "-inf", "nan"])
def test_json_has_no_number_for_infinity(kind, number):
    assert d.as_json(Data(kind, float(number))) == number
    assert d.text(Data(kind, float(number))) == number


@pytest.mark.parametrize(("octets", "shown"), [("4366199a", 230.1), ("41200000", 10.0), ("7f7fffff", 3.4028235e38)])
def test_a_short_float_is_shown_short(octets, shown):
    data = Data(DataType.FLOAT32, struct.unpack(">f", bytes.fromhex(octets))[0])
    assert d.as_json(data) == shown
    assert d.text(data) == str(shown)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
@settings(max_examples=100)
def test_a_float_that_is_shown_short_still_means_the_same(number):
    shown = d.as_json(Data(DataType.FLOAT32, number))
    assert struct.pack(">f", shown) == struct.pack(">f", number)


def test_a_value_is_there_even_where_it_is_empty():
    assert all([d.null(), d.array(), d.structure(), d.unsigned(0), d.octet_string(b"")])


@pytest.mark.parametrize(("octets", "length"), [(b"", 1), (b"\x00", 9), (b"\x00\x00", 8), (b"\x00", 0)])
def test_a_bit_string_has_as_many_octets_as_its_bits_need(octets, length):
    with pytest.raises(ValueError, match="bits"):
        BitString(octets, length)


def test_bits_behind_the_last_are_no_part_of_the_value():
    assert BitString(b"\xff\xff", 10) == BitString(b"\xff\xc0", 10)


def test_a_compact_array_reads_like_an_array():
    elements = (d.long_unsigned(1), d.long_unsigned(2))
    value = Data(DataType.COMPACT_ARRAY, CompactArray(TypeDescription(DataType.LONG_UNSIGNED), elements))
    assert list(value) == list(elements)
    assert (len(value), value[1].value) == (2, 2)
    assert d.native(value) == [1, 2]


@pytest.mark.parametrize(
    "data", [d.octet_string, lambda octets: Data(DataType.DATE_TIME, CosemDateTime.decode(octets))]
)
def test_a_moment_is_shown_as_the_meter_means_it(data):
    value = d.array(data(bytes.fromhex("07ea0b01070c1e0000014a00")))
    assert d.text(value) == "[2026-11-01 12:30:00-05:30]"
    assert d.text(value, reverse_deviation=True) == "[2026-11-01 12:30:00+05:30]"


def test_a_date_time_hides_in_an_octet_string():
    assert d.as_date_time(d.date_time(MOMENT)) == MOMENT
    assert d.as_date_time(Data(DataType.DATE_TIME, MOMENT)) == MOMENT
    assert d.as_date_time(d.octet_string(b"short")) is None
    assert d.as_date_time(d.unsigned(12)) is None
