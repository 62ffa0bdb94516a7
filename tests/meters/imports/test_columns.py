"""Our columns: how a cell is read, and why one is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.export import COLUMNS as EXPORTED
from meters.imports.columns import BY_KEY, COLUMNS, EXAMPLE_SERIAL, CellError, plain, read_cell
from meters.imports.mapping import guess
from meters.models import Line


@pytest.mark.parametrize(
    ("key", "cell", "value"),
    [
        ("serial_number", " 000123 ", "000123"),
        ("serial_number", "=1+1", "=1+1"),
        ("serial_number", "'=1+1", "=1+1"),
        ("serial_number", "'quoted'", "'quoted'"),
        ("name", "a \n b", "a b"),
        ("notes", "two\nlines", "two\nlines"),
        ("medium", "electric", "ELECTRICITY"),
        ("medium", "Water", "WATER"),
        ("batch", "  Lot   7 ", "Lot 7"),
        ("tags", "a, b;c | A", ["a", "b", "c"]),
        ("state", "in the FIELD", "IN_FIELD"),
        ("state", "IN_FIELD", "IN_FIELD"),
        ("state", "installed", "IN_FIELD"),
        ("server_system_title", "4D 4B 52 00 00 BC 61 4E", "4d4b520000bc614e"),
        ("server_system_title", "0x4d4b520000bc614e", "4d4b520000bc614e"),
        ("kind", "tcp", "TCP"),
        ("kind", "RFC2217", "RFC2217"),
        ("host", "10.0.0.7", "10.0.0.7"),
        ("host", "[fd00::1]", "fd00::1"),
        ("host", "FD00:0::1", "fd00::1"),
        ("port", "4059", 4059),
        ("port", "4059.0", 4059),
        ("port", "4 059", 4059),
        ("baud", "9600", 9600),
        ("parity", "even", "E"),
        ("parity", "N", "N"),
        ("data_bits", "7", 7),
        ("framing", "hdlc", "HDLC"),
        ("framing", "Mode E", "MODE_E"),
        ("physical_address", "0", 0),
        ("physical_address", "0x11", 17),
        ("disconnect_first", "Yes", True),
        ("reverse_deviation", "0", False),
        ("client_sap", "16", 16),
        ("authentication", "HLS-GMAC", "hls-gmac"),
        ("authentication", "Low level (password)", "lls"),
        ("authentication", "none", "none"),
        ("referencing", "SN", "short-names"),
        ("protection", "authenticated and encrypted", "authenticated-encrypted"),
        ("timeout", "2,5", 2.5),
        ("counter_object", "0-0:43.1.0*255", "0-0:43.1.0*255"),
        ("line", "10.0.0.7:4059", {"kind": "TCP", "host": "10.0.0.7", "port": 4059}),
        ("line", "[fd00::1]:4059 (UDP)", {"kind": "UDP", "host": "fd00::1", "port": 4059}),
    ],
)
def test_what_is_read(key: str, cell: str, value: Any) -> None:
    assert read_cell(BY_KEY[key], cell) == value


@pytest.mark.parametrize(
    ("key", "cell", "words"),
    [
        ("serial_number", "x" * 65, "at most 64"),
        ("serial_number", "a\x07b", "control character"),
        ("serial_number", EXAMPLE_SERIAL, "example of the template"),
        ("name", "x" * 101, "101 characters: at most 100"),
        ("notes", "x" * 10_001, "at most 10000"),
        ("batch", "x" * 101, "at most 100"),
        ("tags", "x" * 51, "too long"),
        ("tags", "a\x07", "no control character"),
        ("tags", ",".join(map(str, range(21))), "at most 20"),
        ("state", "lost", "Not one of: RECEIVED"),
        ("server_system_title", "4d4b52", "8 octets are 16 hex digits; these are 6"),
        ("server_system_title", "4d4b520000bc614g", "Only hex digits"),
        ("host", "http://10.0.0.7/", "Only a name or an IP address"),
        ("host", "127.1", "in full"),
        ("host", "0x7f.1", "in full"),
        ("port", "0", "greater than or equal to 1"),
        ("port", "65536", "less than or equal to 65535"),
        ("port", "4.5", "Not a whole number"),
        ("port", "1" * 400, "Not a whole number"),
        ("port", "²", "Not a whole number"),
        ("baud", "9601", "Not one of: 300"),
        ("initial_baud", "38400", "Not one of: 300"),
        ("data_bits", "9", "Not one of"),
        ("physical_address", "16384", "less than or equal to 16383"),
        ("max_info", "2031", "less than or equal to 2030"),
        ("disconnect_first", "maybe", "Yes or no"),
        ("client_sap", "65536", "less than or equal to 65535"),
        ("authentication", "magic", "Not one of: none"),
        ("timeout", "soon", "Not a number"),
        ("timeout", "121", "less than or equal to 120"),
        ("counter_object", "1.8", "."),
        ("sign_on_address", "a/b", "digits, letters"),
        ("line", "somewhere", "10.0.0.7:4059"),
        ("line", "10.0.0.7:4059, fast", "10.0.0.7:4059"),
        ("line", "10.0.0.7:99999", "65535"),
    ],
)
def test_what_is_refused(key: str, cell: str, words: str) -> None:
    with pytest.raises(CellError, match=words):
        read_cell(BY_KEY[key], cell)


@pytest.mark.parametrize(
    "line",
    [
        Line(kind="TCP", host="10.0.0.7", port=4059),
        Line(kind="UDP", host="meter-7.lab", port=4059),
        Line(kind="SERIAL", serial_port="bridge-1", baud=19200, parity="E", data_bits=7, stop_bits=2),
        Line(kind="RFC2217", host="10.0.0.8", port=4001, baud=300, parity="O"),
    ],
)
def test_a_line_as_the_export_writes_it(line: Line) -> None:
    found = read_cell(BY_KEY["line"], line.describe())
    assert Line(**found).describe() == line.describe()


def test_what_the_export_writes_is_known() -> None:
    assert set(EXPORTED) - {"last_seen", "added"} == {
        list(EXPORTED)[number] for number in guess(list(EXPORTED)).values()
    }


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.key)
def test_every_example_is_good(column) -> None:
    if column.example:
        read_cell(column, column.example)


@given(st.sampled_from(COLUMNS), st.text(min_size=1, max_size=60))
def test_any_text_is_read_or_refused(column, cell: str) -> None:
    try:
        read_cell(column, cell)
    except CellError as error:
        assert isinstance(str(error), str)


@given(st.text(max_size=20))
def test_an_export_comes_back(text: str) -> None:
    from meters.export import neutral

    assert plain(str(neutral(text.strip()))) == plain(text.strip())
