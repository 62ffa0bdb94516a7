"""The template and the faulty rows: they come back as what they were."""

from __future__ import annotations

import csv
import io

import openpyxl
import pytest

from meters.imports.columns import COLUMNS
from meters.imports.files import faulty_rows_csv, template_csv, template_xlsx
from meters.imports.mapping import guess
from meters.imports.text_table import read_text
from meters.imports.workbook_table import read_workbook
from meters.models import Meter
from tests.meters.imports.conftest import row, table


def test_the_template_has_every_column_and_says_what_is_needed() -> None:
    for made in (read_text(template_csv().encode()), read_workbook(template_xlsx())):
        assert len(guess(made.headings)) == len(made.headings) == len(COLUMNS) - 1
        assert made.headings[0] == "Serial number *"
        assert len(list(made.rows)) == 1


def test_its_cells_are_text() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(template_xlsx())).active
    assert {cell.number_format for row in sheet for cell in row if cell.value} == {"@"}


@pytest.mark.django_db
def test_the_example_is_refused_until_it_is_deleted(check) -> None:
    run = check(template_csv().encode())
    assert (run.created_count, run.faulty_count) == (0, 1)
    assert "example of the template" in run.rows.get().faults[0][2]


@pytest.mark.django_db
def test_faulty_rows_are_mended_and_imported(load, check) -> None:
    run = check(table([row("1"), row("=2+5", port="-1", state="lost"), row("3", location="@x", port="")]))
    lines = list(csv.reader(io.StringIO("".join(faulty_rows_csv(run)).removeprefix("\ufeff"))))
    assert lines[0][:5] == ["Import: row", "Import: column", "Import: value", "Import: reason", "Serial number"]
    assert lines[1][:5] == ["3", "State | Port", "lost | -1", lines[1][3], "'=2+5"]
    assert lines[1][3].count(" | ") == 1
    assert not any(cell.startswith(("=", "+", "-", "@")) for line in lines for cell in line)
    serial, port, state = (lines[0].index(name) for name in ("Serial number", "Port", "State"))
    for line in lines[1:]:
        line[port], line[state] = "4059", "Received"
    file = io.StringIO()
    csv.writer(file).writerows(lines)
    load(file.getvalue().encode())
    assert sorted(Meter.objects.values_list("serial_number", "location")) == [("3", "@x"), ("=2+5", "shelf 1")]
    assert lines[0][serial] == "Serial number"
