from datetime import datetime

import pytest

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
        (d.visible_string("abc"), "abc", "abc", "“abc”"),
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


def test_json_has_no_number_for_infinity():
    assert d.as_json(Data(DataType.FLOAT64, float("inf"))) == "inf"


def test_a_compact_array_reads_like_an_array():
    elements = (d.long_unsigned(1), d.long_unsigned(2))
    value = Data(DataType.COMPACT_ARRAY, CompactArray(TypeDescription(DataType.LONG_UNSIGNED), elements))
    assert list(value) == list(elements)
    assert (len(value), value[1].value) == (2, 2)
    assert d.native(value) == [1, 2]


def test_a_date_time_hides_in_an_octet_string():
    assert d.as_date_time(d.date_time(MOMENT)) == MOMENT
    assert d.as_date_time(Data(DataType.DATE_TIME, MOMENT)) == MOMENT
    assert d.as_date_time(d.octet_string(b"short")) is None
    assert d.as_date_time(d.unsigned(12)) is None


@pytest.mark.parametrize(
    ("octets", "likely"),
    [
        (MOMENT.encode(), True),
        (bytes.fromhex("07ea0b1903000000008000ff"), True),
        (b"MTR123456789", False),  # twelve letters of a serial number
        (b"", False),
    ],
)
def test_twelve_letters_are_no_date(octets, likely):
    assert d.looks_like_date_time(octets) is likely
