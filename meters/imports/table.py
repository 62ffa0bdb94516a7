"""What is read of a file before anybody asks what it means: headings, and rows of text cells with their numbers.

    octets ──▶ text_table | workbook_table ──▶ Table ──▶ secret_columns ──▶ parts in the database

Nothing is believed: octets, rows, columns, cells and lines have limits, and each is checked before memory is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

MAX_COLUMNS = 256
MAX_CELL = 32_767
"""Characters; what a spreadsheet's cell holds at most."""
MAX_HEADING = 100

NUMBER, DATE, FORMULA, ERROR, TEXT = "n", "d", "f", "e", "t"
"""What a spreadsheet says that a cell is; a letter for each cell of a row."""


class ImportRefusedError(Exception):
    """The file as a whole cannot be imported: `row` says where it was noticed, `hint` what to do."""

    def __init__(self, message: str, *, row: int | None = None, hint: str = "") -> None:
        self.message = f"Row {row}: {message}" if row else message
        self.row, self.hint = row, hint
        super().__init__(f"{self.message} {hint}".strip())


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row. `types` has a letter for each cell, or is empty where all are text; `fault` is what is wrong with its form."""

    number: int
    cells: Sequence[str]
    types: str = ""
    fault: str = ""

    def type_of(self, column: int) -> str:
        return self.types[column] if column < len(self.types) else TEXT


@dataclass(slots=True)
class Table:
    """Headings, and the rows that hold something, read once. `notes` tell the user how the file was understood."""

    headings: list[str]
    rows: Iterator[TableRow]
    notes: list[str] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)
    sheet: str = ""
    encoding: str = ""
    delimiter: str = ""


def cleaned_headings(cells: Sequence[str], row: int) -> list[str]:
    """The headings without blanks around them and without empty ones at the end."""
    headings = [" ".join(cell.split())[:MAX_HEADING] for cell in cells]
    while headings and not headings[-1]:
        headings.pop()
    if len(headings) > MAX_COLUMNS:
        raise ImportRefusedError(f"{len(headings)} columns are too many: at most {MAX_COLUMNS}.", row=row)
    return headings


def storable(cell: str) -> str:
    """The cell as a database takes it: no NUL, no half of a surrogate pair."""
    if cell.isascii():
        return cell.replace("\0", "\ufffd") if "\0" in cell else cell
    return cell.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
