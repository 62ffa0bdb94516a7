"""CSV files and pasted text: encoding, delimiter, rows. The grammar is RFC 4180's, with any of `DELIMITERS` and any line end."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from meters.imports.table import MAX_CELL, MAX_COLUMNS, ImportRefusedError, Table, TableRow, cleaned_headings

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
MAX_LINE = MAX_COLUMNS * 1000
"""Characters of one line: an endless one is refused before it is split."""
SAMPLE = 10
"""Lines by which the delimiter is found."""
ENCODINGS = {
    "auto": "found out",
    "utf-8": "UTF-8",
    "windows-1252": "Windows-1252 (Western European)",
    "utf-16": "UTF-16 with a byte order mark",
}
MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
NO_TEXT = {
    b"PK\x03\x04": "It is a ZIP archive, perhaps a workbook: upload it with the ending .xlsx.",
    b"\xd0\xcf\x11\xe0": "It is an old workbook (.xls), or one with a password: save it as .xlsx without a password.",
    b"%PDF": "It is a PDF.",
    b"\x1f\x8b": "It is compressed (gzip): unpack it first.",
}


def read_text(octets: bytes, *, encoding: str = "auto", delimiter: str = "") -> Table:
    """The table in these octets. `delimiter` empty: the one that the first lines agree on."""
    for mark, why in NO_TEXT.items():
        if octets.startswith(mark):
            raise ImportRefusedError("This is no text.", hint=why)
    text, found, note = _decoded(octets, encoding)
    if "\0" in text:
        row = text.count("\n", 0, text.index("\0")) + 1
        raise ImportRefusedError("It holds a NUL octet.", row=row, hint="This is no text, or its encoding is another.")
    delimiter = delimiter or _delimiter(text)
    rows = _rows(text, delimiter)
    headings: list[str] = []
    number = 0
    for number, cells in rows:
        headings = cleaned_headings(cells, number)
        if headings:
            break
    if not headings:
        raise ImportRefusedError("There is nothing in it.", hint="The first row holds the headings.")
    notes = [note, f"The cells end with a {DELIMITERS[delimiter]}."]
    return Table(headings, _body(rows, len(headings)), notes, encoding=found, delimiter=delimiter)


def _decoded(octets: bytes, encoding: str) -> tuple[str, str, str]:
    """The text, its encoding, and how that was found."""
    marked = next((name for mark, name in MARKS if octets.startswith(mark)), "")
    words = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16"}
    if marked and encoding in ("auto", "utf-16" if marked == "utf-16" else "utf-8"):
        return _strictly(octets, marked), words[marked], f"Read as {words[marked]}: it begins with its mark."
    if encoding == "utf-16":
        raise ImportRefusedError("UTF-16 begins with a byte order mark; this does not.", row=1)
    if encoding != "auto":
        return _strictly(octets, encoding), ENCODINGS[encoding], f"Read as {ENCODINGS[encoding]}, as chosen."
    try:
        return octets.decode(), "UTF-8", "Read as UTF-8."
    except UnicodeDecodeError:
        text = _strictly(octets, "windows-1252")
    note = "Read as Windows-1252, for it is not UTF-8: look whether letters with accents came out right."
    return text, ENCODINGS["windows-1252"], note


def _strictly(octets: bytes, encoding: str) -> str:
    try:
        return octets.decode(encoding)
    except UnicodeDecodeError as error:
        row = octets.count(b"\n", 0, error.start) + 1
        octet = octets[error.start]
        why = f"The octet {octet:02X} has no place in {encoding.upper().removesuffix('-SIG')}."
        raise ImportRefusedError(why, row=row, hint="Choose another encoding, or save the file as UTF-8.") from None


def _delimiter(text: str) -> str:
    """What stands in all of the first lines, and most often; of two the rarer one in prose."""
    head = text[: SAMPLE * 100].splitlines()[:SAMPLE]
    lines = ["".join(line.split('"')[::2]) for line in head if line.strip()]
    counts = {delimiter: min((line.count(delimiter) for line in lines), default=0) for delimiter in "\t;,"}
    if not any(counts.values()) and lines:
        counts = {delimiter: lines[0].count(delimiter) for delimiter in counts}  # a ragged file
    return max(counts, key=counts.__getitem__) if any(counts.values()) else ","


def _lines(text: str) -> Iterator[str]:
    for number, line in enumerate(io.StringIO(text, newline=""), 1):
        if len(line) > MAX_LINE:
            why = f"A line of {len(line)} characters is too long: at most {MAX_LINE}."
            raise ImportRefusedError(why, row=number)
        yield line


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with its number, counted as a spreadsheet counts: a cell may go over several lines."""
    reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ImportRefusedError(f"Its quotes are out of order ({error}).", row=number) from None
        yield number, cells


def _body(rows: Iterator[tuple[int, list[str]]], width: int) -> Iterator[TableRow]:
    for number, cells in rows:
        if not any(cell and not cell.isspace() for cell in cells):
            continue
        fault = ""
        if len(cells) < width or any(cells[width:]):
            fault = f"{len(cells)} cells where the headings are {width}: a delimiter is missing or too many."
        elif max(map(len, cells)) > MAX_CELL:
            fault = f"A cell of more than {MAX_CELL} characters."
        yield TableRow(number, (cells + [""] * (width - len(cells)))[:width], "", fault)
