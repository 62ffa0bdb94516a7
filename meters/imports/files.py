"""Files that an import gives out: the template, and the faulty rows to mend.

No cell of them is a formula for a spreadsheet (`meters.export.neutral`), and an import reads them as what they were.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import xlsxwriter

from meters.export import neutral
from meters.imports.columns import COLUMNS, EXAMPLE_SERIAL, Column
from meters.models import ImportRow, ImportRun

CHUNK = 500
FAULT_HEADINGS = ("Import: row", "Import: column", "Import: value", "Import: reason")
NEEDED_IF_NEW = ("host", "port")
WITHOUT = ("line",)
"""Columns that the template leaves out: others say the same."""


def template_heading(column: Column) -> str:
    """The heading of a column of ours, with a mark where it is needed."""
    if column.required:
        return f"{column.words} *"
    return f"{column.words} (new meters)" if column.key in NEEDED_IF_NEW else column.words


def _template() -> tuple[list[str], list[str]]:
    columns = [column for column in COLUMNS if column.key not in WITHOUT]
    example = [EXAMPLE_SERIAL if column.required else column.example for column in columns]
    return [template_heading(column) for column in columns], example


def template_csv() -> str:
    """Headings and an example, which an import refuses by its serial number."""
    file = io.StringIO()
    csv.writer(file).writerows(_template())
    return file.getvalue()


def template_xlsx() -> bytes:
    """The same as a workbook whose cells are text, so that no zero is lost."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("Meters")
    text, head = book.add_format({"num_format": "@"}), book.add_format({"num_format": "@", "bold": True})
    headings, example = _template()
    sheet.set_column(0, len(headings) - 1, 20, text)
    sheet.freeze_panes(1, 1)
    for number, (heading, value) in enumerate(zip(headings, example, strict=True)):
        sheet.write_string(0, number, heading, head)
        if value:
            sheet.write_string(1, number, value, text)
    book.close()
    return file.getvalue()


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def faulty_rows_csv(run: ImportRun) -> Iterator[str]:
    """The faulty rows in parts: number, columns, values and reasons, and beside them the row as it came."""
    write = csv.writer(_Echo()).writerow
    yield "\ufeff" + str(write([*FAULT_HEADINGS, *map(neutral, run.headings)]))
    faulty, last = run.rows.filter(outcome=ImportRow.Outcome.FAULTY).order_by("number"), 0
    while rows := list(faulty.filter(number__gt=last)[:CHUNK]):
        yield "".join(str(write([neutral(cell) for cell in _fault_line(run, row)])) for row in rows)
        last = rows[-1].number


def _fault_line(run: ImportRun, row: ImportRow) -> list[Any]:
    names = [_theirs(run, key) for key, _, _ in row.faults]
    parts = (names, [value for _, value, _ in row.faults], [why for _, _, why in row.faults])
    return [row.number, *(" | ".join(part) for part in parts), *row.cells]


def _theirs(run: ImportRun, key: str) -> str:
    """How the file calls a column of ours."""
    number = run.mapping.get(key)
    return str(run.headings[number]) if number is not None else key
