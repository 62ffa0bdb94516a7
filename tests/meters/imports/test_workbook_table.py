"""XLSX: what is read, and every way in which a workbook is a weapon or a nuisance."""

from __future__ import annotations

import io
import resource
import zipfile
from datetime import date
from typing import Any

import openpyxl.xml
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.imports import workbook_table
from meters.imports.table import DATE, FORMULA, NUMBER, TEXT, ImportRefusedError
from meters.imports.workbook_table import read_workbook
from tests.meters.imports.workbooks import MAIN, inline, raw_workbook, workbook

HEAD = b'<row r="1">' + inline("A1", "Serial") + b"</row>"
ROW = b'<row r="2">' + inline("A2", "42") + b"</row>"


def test_text_numbers_dates_and_nothing() -> None:
    octets = workbook(
        [
            ["Serial", "Port", "Seen", "Name", "Wide"],
            ["000123", 4059, None, "=cmd()", 12345678901.0],
            [None] * 5,
            [123, 0.5, True],
        ],
        lambda book, sheet: sheet.write_datetime(1, 2, date(2026, 3, 1), book.add_format({"num_format": "yyyy-mm-dd"})),
    )
    table = read_workbook(octets)
    assert table.headings == ["Serial", "Port", "Seen", "Name", "Wide"]
    first, second = table.rows
    assert list(first.cells) == ["000123", "4059", "2026-03-01 00:00:00", "=cmd()", "12345678901"]
    assert first.types == TEXT + NUMBER + DATE + TEXT + NUMBER
    assert (second.number, list(second.cells)) == (4, ["123", "0.5", "yes", "", ""])
    assert table.notes == ["Read from the sheet “Meters”."]


def test_a_formula_is_known_as_one() -> None:
    octets = workbook(
        [["Serial"], ["x"]], lambda book, sheet: sheet.write_formula(1, 0, '="000"&A1', None, "000Serial")
    )
    [row] = read_workbook(octets).rows
    assert row.type_of(0) == FORMULA


class TestSheets:
    @pytest.fixture
    def octets(self) -> bytes:
        def dress(book: Any, sheet: Any) -> None:
            sheet.hide()
            book.add_worksheet("Empty")
            second = book.add_worksheet("Lot 2")
            second.activate()
            second.set_first_sheet()
            second.write(0, 0, "Number")

        return workbook([["Serial"], ["1"]], dress)

    def test_the_first_that_is_visible_and_holds_something(self, octets: bytes) -> None:
        table = read_workbook(octets)
        assert (table.sheet, table.headings, table.sheets) == ("Lot 2", ["Number"], ["Meters", "Empty", "Lot 2"])

    def test_the_chosen_one_though_it_is_hidden(self, octets: bytes) -> None:
        table = read_workbook(octets, sheet="Meters")
        assert table.headings == ["Serial"]
        assert "This sheet is hidden." in table.notes

    def test_an_empty_one(self, octets: bytes) -> None:
        with pytest.raises(ImportRefusedError, match="nothing in it"):
            read_workbook(octets, sheet="Empty")

    def test_one_that_is_not_there(self, octets: bytes) -> None:
        with pytest.raises(ImportRefusedError, match="no sheet “Other”"):
            read_workbook(octets, sheet="Other")


def test_merged_cells_make_their_rows_faulty() -> None:
    octets = workbook(
        [["Serial", "Batch"], ["1", None], ["2", None], ["3", "x"]],
        lambda book, sheet: sheet.merge_range(1, 1, 2, 1, "Lot 1"),
    )
    first, second, third = read_workbook(octets).rows
    assert "B2:B3 are merged" in first.fault
    assert "B2:B3 are merged" in second.fault
    assert third.fault == ""


def test_merged_headings_are_refused() -> None:
    octets = workbook([["Serial"], ["1"]], lambda book, sheet: sheet.merge_range(0, 1, 0, 2, "Place"))
    with pytest.raises(ImportRefusedError, match="Row 1: Its cells B1:C1 are merged"):
        read_workbook(octets)


def test_thousands_of_merged_cells_are_refused() -> None:
    merged = b"".join(b'<mergeCell ref="A%d:B%d"/>' % (n, n) for n in range(2, 2000))
    sheet = b'<worksheet xmlns="%s"><sheetData>%s</sheetData><mergeCells>%s</mergeCells></worksheet>'
    with pytest.raises(ImportRefusedError, match="merged"):
        read_workbook(raw_workbook(sheet % (MAIN.encode(), HEAD + ROW, merged), rows_only=False))


def test_hidden_rows_are_read_and_said() -> None:
    octets = workbook([["Serial"], ["1"], ["2"]], lambda book, sheet: sheet.set_row(1, None, None, {"hidden": True}))
    table = read_workbook(octets)
    assert len(list(table.rows)) == 2
    assert "1 of its rows are hidden in the workbook: they are read as well." in table.notes


def test_cells_beside_the_headings() -> None:
    table = read_workbook(workbook([["Serial"], ["1", "", "x"], ["2", " "]]))
    first, second = table.rows
    assert "beside the last heading" in first.fault
    assert "beside the last heading" in second.fault


# -- weapons -----------------------------------------------------------------------------------------------------------


def with_entities(declarations: str, use: str) -> bytes:
    document = f'<?xml version="1.0"?><!DOCTYPE x [{declarations}]><worksheet xmlns="{MAIN}"><sheetData>'
    document += f'<row r="1"><c r="A1" t="inlineStr"><is><t>{use}</t></is></c></row></sheetData></worksheet>'
    return document.encode()


LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
ENTITIES = {
    "file": with_entities('<!ENTITY x SYSTEM "file:///etc/passwd">', "&x;"),
    "network": with_entities('<!ENTITY x SYSTEM "http://127.0.0.1:9/">', "&x;"),
    "parameter": with_entities('<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;', "1"),
    "laughs": with_entities(f'<!ENTITY a0 "ha">{LAUGHS}', "&a9;"),
    "quadratic": with_entities(f'<!ENTITY a "{"x" * 10_000}">', "&a;" * 10_000),
    "unused": with_entities('<!ENTITY x "y">', "1"),
}
SHARED = "xl/sharedStrings.xml"


def test_defusedxml_is_what_openpyxl_uses() -> None:
    from defusedxml import ElementTree
    from openpyxl.worksheet import _reader

    assert openpyxl.xml.DEFUSEDXML
    assert _reader.iterparse is ElementTree.iterparse


@pytest.mark.parametrize("sheet", ENTITIES.values(), ids=ENTITIES)
def test_entities_are_refused(sheet: bytes) -> None:
    with pytest.raises(ImportRefusedError, match="It declares entities"):
        list(read_workbook(raw_workbook(sheet, rows_only=False)).rows)


@pytest.mark.parametrize("member", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "[Content_Types].xml"])
def test_entities_elsewhere_are_refused_too(member: str) -> None:
    with pytest.raises(ImportRefusedError):
        list(read_workbook(raw_workbook(HEAD + ROW, members={member: ENTITIES["file"]})).rows)


def archive(members: dict[str, bytes]) -> bytes:
    return raw_workbook(HEAD + ROW, members=members)


def lying(octets: bytes) -> bytes:
    """The directory says of each member that it is small."""
    out = bytearray(octets)
    at = 0
    while (at := out.find(b"PK\x01\x02", at)) >= 0:
        out[at + 24 : at + 28] = (100).to_bytes(4, "little")
        at += 4
    return bytes(out)


def nested() -> bytes:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zeros", bytes(50_000_000))
    return inner.getvalue()


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (archive({"xl/media/zeros": bytes(70_000_000)}), "unpacks to 70 MB"),
        (archive({SHARED: b" " * 65_000_000}), "unpacks to 65 MB"),
        (archive({"xl/worksheets/sheet1.xml": b" " * 200_000_000}), "times its size"),
        (archive({f"xl/worksheets/s{n}.xml": b" " * 101_000_000 for n in range(3)}), "unpacks to 303 MB"),
        (archive({f"xl/x{n}": b"" for n in range(1001)}), "too many"),
        (archive({"../../etc/cron.d/x": b"x"}), "leads out of it"),
        (archive({"/etc/passwd": b"x"}), "leads out of it"),
        (archive({"C:\\windows\\x": b"x"}), "leads out of it"),
        (archive({"xl\\..\\..\\x": b"x"}), "leads out of it"),
        (lying(archive({"xl/worksheets/sheet1.xml": b" " * 90_000_000})), "no workbook that can be read"),
        (b"Serial,Name\n1,2\n", "no ZIP archive"),
        (b"PK\x03\x04" + bytes(100), "no ZIP archive"),
        (b"", "no ZIP archive"),
        (nested(), "times its size"),
        (lying(nested()), "is no XLSX workbook"),
        (workbook([["Serial"], ["1"]])[:-40], "no ZIP archive"),
        (raw_workbook(b"<row"), "no workbook that can be read"),
        (raw_workbook(b"not xml at all", rows_only=False), "no workbook that can be read"),
        (raw_workbook(b""), "nothing in it"),
        (raw_workbook(b'<row r="1"><c r="A1"><v>x</v></c></row>'), "no workbook that can be read"),
        (raw_workbook(b'<row r="1"><c r="A1" t="s"><v>7</v></c></row>'), "no workbook that can be read"),
        (
            raw_workbook(HEAD + b'<row r="99999999999">' + inline("A99999999999", "1") + b"</row>"),
            "rows after number 1048576",
        ),
        (
            raw_workbook(b'<row r="1">' + b"".join(inline(f"{c}1", "x") for c in ("A", "IW", "XFD")) + b"</row>"),
            "16384 columns are too many",
        ),
        (raw_workbook(b'<row r="1">' + inline("ZZZZZ1", "x") + b"</row>"), "no workbook that can be read"),
    ],
    ids=range(24),
)
def test_what_is_refused(octets: bytes, words: str) -> None:
    with pytest.raises(ImportRefusedError, match=words):
        list(read_workbook(octets).rows)


def test_an_archive_within_is_not_opened() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    table = read_workbook(archive({"xl/embeddings/bomb.zip": nested()}))
    assert [list(row.cells) for row in table.rows] == [["42"]]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000, "KiB"


def test_an_encrypted_member_is_refused() -> None:
    octets = bytearray(archive({}))
    at = 0
    while (at := octets.find(b"PK\x01\x02", at)) >= 0:
        octets[at + 8] |= 1
        at += 4
    with pytest.raises(ImportRefusedError, match="encrypted"):
        read_workbook(bytes(octets))


@pytest.mark.parametrize("claimed", ["A1:A1", "A1:XFD1048576", "nonsense"])
def test_the_claimed_size_is_not_believed(claimed: str) -> None:
    sheet = f'<worksheet xmlns="{MAIN}"><dimension ref="{claimed}"/><sheetData>'.encode()
    octets = raw_workbook(sheet + HEAD + ROW + b"</sheetData></worksheet>", rows_only=False)
    try:
        assert [list(row.cells) for row in read_workbook(octets).rows] == [["42"]]
    except ImportRefusedError:
        assert claimed == "nonsense"


def test_wide_rows_without_anything_are_borne_but_not_many(monkeypatch) -> None:
    octets = raw_workbook(
        HEAD
        + b'<row r="2"><c r="XFD2"/></row><row r="3"><c r="XFC3"/></row><row r="4">'
        + inline("A4", "1")
        + b"</row>"
    )
    assert [row.number for row in read_workbook(octets).rows] == [4]
    monkeypatch.setattr(workbook_table, "MAX_WIDE", 1)
    with pytest.raises(ImportRefusedError, match="16383 columns are too many"):
        list(read_workbook(octets).rows)


MUTATED = workbook([["Serial", "Port"], ["1", 4059], ["2", 4060]])


@settings(max_examples=60)
@given(st.data())
def test_a_mutated_workbook_is_read_or_refused(data: st.DataObject) -> None:
    octets = bytearray(MUTATED)
    for _ in range(data.draw(st.integers(1, 8))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        for row in read_workbook(bytes(octets)).rows:
            assert len(row.cells) <= workbook_table.MAX_COLUMNS
    except ImportRefusedError as error:
        assert str(error)
