"""Headings, rows, and cells that a database takes."""

from __future__ import annotations

import pytest

from meters.imports.table import MAX_COLUMNS, ImportRefusedError, TableRow, cleaned_headings, storable


def test_headings_lose_blanks_and_empty_ones_at_the_end() -> None:
    assert cleaned_headings(["  Serial \n number", "", "Name", "", " "], 1) == ["Serial number", "", "Name"]
    assert cleaned_headings(["x" * 500], 1) == ["x" * 100]
    assert len(cleaned_headings(["x"] * MAX_COLUMNS, 1)) == MAX_COLUMNS


def test_too_many_columns_are_refused() -> None:
    with pytest.raises(ImportRefusedError, match="Row 3: 257 columns are too many: at most 256"):
        cleaned_headings(["x"] * (MAX_COLUMNS + 1), 3)


def test_a_refusal_says_where_and_what_to_do() -> None:
    error = ImportRefusedError("Broken.", row=7, hint="Mend it.")
    assert (str(error), error.message, error.row, error.hint) == (
        "Row 7: Broken. Mend it.",
        "Row 7: Broken.",
        7,
        "Mend it.",
    )


def test_what_is_not_said_of_a_cell_is_text() -> None:
    row = TableRow(2, ["1", "2"], "n")
    assert (row.type_of(0), row.type_of(1)) == ("n", "t")


@pytest.mark.parametrize(
    ("cell", "stored"),
    [("plain", "plain"), ("nul\0", "nul\ufffd"), ("é\0", "é\ufffd"), ("\ud800é", "?é"), ("Zähler", "Zähler")],
)
def test_a_database_takes_it(cell: str, stored: str) -> None:
    assert storable(cell) == stored
    storable(cell).encode()
