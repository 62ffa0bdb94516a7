"""CSV and pasted text: encodings, delimiters, rows, and what is refused."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.imports.table import ImportRefusedError, Table
from meters.imports.text_table import MAX_LINE, read_text


def cells(table: Table) -> list[list[str]]:
    return [list(row.cells) for row in table.rows]


@pytest.mark.parametrize(
    ("octets", "encoding", "found", "note"),
    [
        ("Serial;Name\n1;Zähler".encode(), "auto", "UTF-8", "Read as UTF-8."),
        ("Serial;Name\n1;Zähler".encode("utf-8-sig"), "auto", "UTF-8", "mark"),
        ("Serial;Name\n1;Zähler".encode("utf-8-sig"), "utf-8", "UTF-8", "mark"),
        ("Serial;Name\n1;Zähler".encode("utf-16"), "auto", "UTF-16", "mark"),
        (b"\xfe\xff" + "Serial;Name\n1;Zähler".encode("utf-16-be"), "utf-16", "UTF-16", "mark"),
        ("Serial;Name\n1;Zähler".encode("cp1252"), "auto", "Windows-1252 (Western European)", "not UTF-8"),
        ("Serial;Name\n1;Zähler".encode("cp1252"), "windows-1252", "Windows-1252 (Western European)", "as chosen"),
    ],
)
def test_encodings_and_what_is_said_of_them(octets: bytes, encoding: str, found: str, note: str) -> None:
    table = read_text(octets, encoding=encoding)
    assert (table.headings, table.encoding, cells(table)) == (["Serial", "Name"], found, [["1", "Zähler"]])
    assert note in table.notes[0]


@pytest.mark.parametrize(
    ("octets", "encoding", "words"),
    [
        (b"Serial\n1\nZ\xe4hler\n", "utf-8", "Row 3: The octet E4 has no place in UTF-8"),
        (b"Serial\n1\n\x81\xff\n", "auto", "Row 3: The octet 81 has no place in WINDOWS-1252"),
        (b"Serial\n1\n\x9d\n", "windows-1252", "Row 3: The octet 9D"),
        (b"Serial\n1\n", "utf-16", "Row 1: UTF-16 begins with a byte order mark"),
        (b"\xff\xfeS\x00\x00\xd8", "auto", "has no place in UTF-16"),
        (b"\xff\xfeS\x00e", "auto", "has no place in UTF-16"),
        (b"Serial\n1\n2\x003\n", "auto", "Row 3: It holds a NUL octet"),
        ("Serial\n1".encode("utf-16-le"), "auto", "Row 1: It holds a NUL octet"),
        (b"PK\x03\x04\x14\x00", "auto", "ZIP archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "auto", "old workbook"),
        (b"%PDF-1.7", "auto", "PDF"),
        (b"\x1f\x8b\x08", "auto", "compressed"),
        (b"\x7fELF\x02\x01\x01\x00", "auto", "NUL octet"),
        (b"", "auto", "nothing in it"),
        (b"\n\n  \n", "auto", "nothing in it"),
        (b'Serial\n"1\n2\n', "auto", "Row 2: Its quotes are out of order"),
        (b'Serial\n1\n"1"x\n', "auto", "Row 3: Its quotes are out of order"),
        (b'Serial\n"' + b"x\n" * 100_000, "auto", "Row 2: Its quotes are out of order"),
        (b"Serial\n" + b"x" * (MAX_LINE + 1), "auto", "too long"),
        (b"x," * 1_000_000, "auto", "too long"),
        (b"x," * 16_384, "auto", "16384 columns are too many"),
    ],
    ids=range(21),
)
def test_what_is_refused_says_where(octets: bytes, encoding: str, words: str) -> None:
    with pytest.raises(ImportRefusedError, match=words):
        cells(read_text(octets, encoding=encoding))


@pytest.mark.parametrize(("delimiter", "word"), [(",", "comma"), (";", "semicolon"), ("\t", "tab")])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(delimiter: str, word: str, end: str) -> None:
    rows = [["Serial", "Note, tags"], ["1", "a;b\tc,d"], ["", ""], ["2", 'say "x"']]
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator=end).writerows(rows)
    table = read_text(file.getvalue().encode())
    assert table.headings == rows[0]
    found = list(table.rows)
    assert [(row.number, list(row.cells), row.fault) for row in found] == [(2, rows[1], ""), (4, rows[3], "")]
    assert any(word in note for note in table.notes)


def test_the_row_is_counted_as_a_spreadsheet_counts() -> None:
    table = read_text(b'\n\nSerial,Notes\n1,"one\ntwo\nthree"\n2,x\n')
    assert [row.number for row in table.rows] == [4, 5]


@pytest.mark.parametrize("line", ["1", "1,2,3", "1,2,3,4,5,6"])
def test_a_ragged_row_is_faulty(line: str) -> None:
    table = read_text(f"a,b,c,d\n1,2,3,4\n{line}\n".encode())
    good, bad = table.rows
    assert good.fault == ""
    assert f"{line.count(',') + 1} cells where the headings are 4" in bad.fault
    assert len(bad.cells) == 4


def test_empty_cells_beside_the_headings_do_no_harm() -> None:
    assert [row.fault for row in read_text(b"a,b\n1,2,,,\n").rows] == [""]


def test_a_cell_may_be_long_but_not_too_long() -> None:
    fine, bad = read_text(f"a\n{'x' * 32767}\n{'x' * 32768}\n".encode()).rows
    assert (fine.fault, bad.fault) == ("", "A cell of more than 32767 characters.")


@given(st.binary(max_size=300))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    try:
        table = read_text(octets)
        for row in table.rows:
            assert len(row.cells) == len(table.headings)
    except ImportRefusedError as error:
        assert str(error)


@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=2, max_size=2), max_size=8
    )
)
def test_what_is_written_is_read(rows: list[list[str]]) -> None:
    file = io.StringIO()
    csv.writer(file).writerows([["one", "two"], *rows])
    read = [list(row.cells) for row in read_text(file.getvalue().encode(), delimiter=",").rows]
    assert read == [row for row in rows if any(cell and not cell.isspace() for cell in row)]
