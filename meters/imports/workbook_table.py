"""XLSX workbooks: judged as an archive first, then read row by row by openpyxl, whose XML goes through defusedxml.

Macros, links, pictures and formulas are never run or followed: only one worksheet's cells are looked at.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl
from defusedxml.common import DefusedXmlException

from meters.imports.table import (
    DATE,
    ERROR,
    FORMULA,
    MAX_CELL,
    MAX_COLUMNS,
    NUMBER,
    TEXT,
    ImportRefusedError,
    Table,
    TableRow,
    cleaned_headings,
)

MAX_MEMBERS = 1000
MAX_UNPACKED = 300_000_000
MAX_PART = 64_000_000
"""Octets of what is read at once: strings, styles, relations. Worksheets are read piece by piece."""
MAX_RATIO = 250
RATIO_FROM = 10_000_000
"""Unpacked octets from which the ratio counts: small files of blanks shrink as they like."""
LAST_ROW = 1_048_576
MAX_MERGED = 1000
MAX_WIDE = 10_000
"""Rows with empty cells beside the columns that are read: each costs its width."""
EXACT = 2**53
PIECE, KEPT = 1 << 20, 1 << 16
WORKSHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3}([0-9]{1,7}):[A-Z]{1,3}([0-9]{1,7}))"')
HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row\s[^>]*?hidden="(?:1|true)"')


def read_workbook(octets: bytes, *, sheet: str = "") -> Table:
    """The table on one sheet: the named one, else the first that is visible and holds something."""
    _check_archive(octets)
    try:
        return _table(octets, sheet)
    except ImportRefusedError:
        raise
    except Exception as error:  # whatever a broken workbook makes openpyxl, zlib or expat stumble over
        raise _unreadable(error) from None


def _unreadable(error: Exception) -> ImportRefusedError:
    why = type(error).__name__
    if isinstance(error, DefusedXmlException) or isinstance(error.__cause__, DefusedXmlException):
        return ImportRefusedError(
            "It declares entities, which no spreadsheet does.", hint="It was not read any further."
        )
    return ImportRefusedError(
        f"This is no workbook that can be read ({why}).", hint="Save it anew as .xlsx, or as CSV."
    )


# -- the archive -------------------------------------------------------------------------------------------------------


def _check_archive(octets: bytes) -> None:
    """Refuse what is no workbook or would unpack to too much, by the archive's directory alone."""
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError) as error:
        raise ImportRefusedError("This is no XLSX workbook: it is no ZIP archive.", hint="Save it anew.") from error
    if len(members) > MAX_MEMBERS:
        raise ImportRefusedError(f"{len(members)} files in one workbook are too many.")
    for member in members:
        _check_member(member)
    unpacked = sum(member.file_size for member in members)
    if unpacked > MAX_UNPACKED:
        raise ImportRefusedError(f"It unpacks to {unpacked // 1_000_000} MB: at most {MAX_UNPACKED // 1_000_000}.")
    if unpacked > RATIO_FROM and unpacked > MAX_RATIO * len(octets):
        raise ImportRefusedError(f"It unpacks to {unpacked // len(octets)} times its size: that is no spreadsheet.")
    names = {member.filename.lower() for member in members}
    if "xl/workbook.xml" not in names:
        raise ImportRefusedError(
            "This archive is no XLSX workbook.", hint="Workbooks with macros only as .xlsm? Save as .xlsx."
        )


def _check_member(member: zipfile.ZipInfo) -> None:
    parts = re.split(r"[\\/]", member.filename)
    if ".." in parts or parts[0] == "" or ":" in parts[0] or "\0" in member.orig_filename:
        raise ImportRefusedError("A name in the archive leads out of it: that is no spreadsheet.")
    if member.flag_bits & 1:
        raise ImportRefusedError("It is encrypted.", hint="Save it without a password.")
    if member.file_size > MAX_PART and not WORKSHEET.fullmatch(member.filename):
        raise ImportRefusedError(f"A part of it unpacks to {member.file_size // 1_000_000} MB: that is too much.")


# -- the sheet ---------------------------------------------------------------------------------------------------------


def _table(octets: bytes, wanted: str) -> Table:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions that do not matter here
        book = openpyxl.load_workbook(io.BytesIO(octets), read_only=True, keep_links=False)
        sheets = [sheet for sheet in book.worksheets if hasattr(sheet, "reset_dimensions")]
    for sheet in sheets:
        sheet.reset_dimensions()  # the size that a file claims may be a lie, or enormous
    names = [sheet.title for sheet in sheets]
    if wanted and wanted not in names:
        raise ImportRefusedError(f"There is no sheet “{wanted}”.")
    visible = [sheet for sheet in sheets if sheet.sheet_state == "visible"] or sheets
    for sheet in [sheet for sheet in sheets if sheet.title == wanted] or visible:
        form = _Form.of(sheet)
        rows = _rows(sheet)
        head = next(((number, cells) for number, cells, _ in rows if any(cells)), None)
        if head is not None:
            return _found(sheet, names, form, head, rows)
    raise ImportRefusedError("There is nothing in it.", hint="The first row holds the headings.")


@dataclass(slots=True)
class _Form:
    """What a sheet's cells do not tell by themselves: merged ranges, hidden rows."""

    merged: list[tuple[int, int, str]] = field(default_factory=list)
    hidden_rows: int = 0

    @classmethod
    def of(cls, sheet: Any) -> _Form:
        form, rest = cls(), b""
        with sheet.parent._archive.open(sheet._worksheet_path) as source:
            while piece := source.read(PIECE):
                text = rest + piece
                whole = text.rfind(b">") + 1
                form._look_at(text[:whole])
                rest = text[whole:][-KEPT:]
        return form

    def _look_at(self, text: bytes) -> None:
        self.hidden_rows += len(HIDDEN_ROW.findall(text))
        for name, first, last in MERGED.findall(text):
            self.merged.append((int(first), int(last), name.decode()))
            if len(self.merged) > MAX_MERGED:
                raise ImportRefusedError(
                    "It has more than a thousand merged cells.", hint="Unmerge them: one cell, one value."
                )

    def fault(self, row: int) -> str:
        name = next((name for first, last, name in self.merged if first <= row <= last), "")
        return f"Its cells {name} are merged: unmerge them, so that each row has its own." if name else ""


def _found(
    sheet: Any, names: list[str], form: _Form, head: tuple[int, list[str]], rows: Iterator[tuple[int, list[str], str]]
) -> Table:
    number, cells = head
    if why := form.fault(number):
        raise ImportRefusedError(why, row=number)
    headings = cleaned_headings(cells, number)
    notes = [f"Read from the sheet “{sheet.title}”" + (f", one of {len(names)}." if len(names) > 1 else ".")]
    if sheet.sheet_state != "visible":
        notes.append("This sheet is hidden.")
    if form.hidden_rows:
        notes.append(f"{form.hidden_rows} of its rows are hidden in the workbook: they are read as well.")
    return Table(headings, _body(rows, len(headings), form), notes, names, sheet.title)


def _rows(sheet: Any) -> Iterator[tuple[int, list[str], str]]:
    """Number, cells and types of each row that has cells."""
    try:
        wide = 0
        for number, row in enumerate(sheet.iter_rows(), 1):
            if number > LAST_ROW:
                raise ImportRefusedError(f"It has rows after number {LAST_ROW}: no spreadsheet has.")
            if len(row) > MAX_COLUMNS:
                wide += 1
                _check_width(row, number, wide)
            if row:
                pairs = [_cell(cell) for cell in row[:MAX_COLUMNS]]
                yield number, [text for text, _ in pairs], "".join(kind for _, kind in pairs)
    except ImportRefusedError:
        raise
    except Exception as error:
        raise _unreadable(error) from None


def _check_width(row: Any, number: int, wide: int) -> None:
    used = sum(cell.value is not None for cell in row[MAX_COLUMNS:])
    if used or wide > MAX_WIDE:
        raise ImportRefusedError(f"{len(row)} columns are too many: at most {MAX_COLUMNS}.", row=number)


def _cell(cell: Any) -> tuple[str, str]:
    value = cell.value
    if value is None:
        return "", TEXT
    if isinstance(value, str):
        kind = cell.data_type
        return value, FORMULA if kind == "f" else ERROR if kind == "e" else TEXT
    if isinstance(value, bool):
        return ("yes" if value else "no"), TEXT
    if isinstance(value, int):
        return str(value), NUMBER
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < EXACT
        return str(int(value)) if whole else repr(value), NUMBER
    if isinstance(value, datetime | date | time | timedelta):
        return str(value), DATE
    return "formula", FORMULA  # an array formula, or a data table


def _body(rows: Iterator[tuple[int, list[str], str]], width: int, form: _Form) -> Iterator[TableRow]:
    for number, cells, types in rows:
        if not any(cell and not cell.isspace() for cell in cells):
            continue
        fault = form.fault(number) if form.merged else ""
        if any(cells[width:]):
            fault = fault or "It has cells beside the last heading."
        elif max(map(len, cells)) > MAX_CELL:
            fault = fault or f"A cell of more than {MAX_CELL} characters."
        yield TableRow(number, (cells + [""] * (width - len(cells)))[:width], types[:width], fault)
