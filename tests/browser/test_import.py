"""Two hundred meters from a table: faults, mended, undone, imported again; filtered, changed, exported, looked up in the log."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

HEADINGS = [
    "Serial no.",
    "Maker",
    "Model",
    "Batch",
    "Tags",
    "Location",
    "IP address",
    "TCP port",
    "Client SAP",
    "Auth",
    "GUEK",
]
METERS, WRONG = 200, 7
FAULTS = {
    11: ("TCP port", "70000"),
    23: ("TCP port", "many"),
    47: ("IP address", "http://10.0.0.7/"),
    101: ("Client SAP", "0"),
    102: ("Auth", "magic"),
    150: ("Serial no.", "import-149"),
    199: ("Serial no.", ""),
}
"""By number of the meter a column, and what is wrong in it."""


def table(endpoint: str, *, mended: bool) -> bytes:
    host, _, port = endpoint.rpartition("//")[2].rpartition(":")
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";")
    writer.writerow(HEADINGS)
    for number in range(METERS):
        serial, shelf = f"import-{number:03}", f"Regal {number % 5} Süd"
        row = [serial, "Maker", "I200", "Lot of the table", "table", shelf, host, port, "16", "none", "00" * 16]
        if number in FAULTS and not mended:
            column, value = FAULTS[number]
            row[HEADINGS.index(column)] = value
        writer.writerow(row)
    return file.getvalue().encode("cp1252")


def upload(page: Page, octets: bytes) -> None:
    page.goto("/meters/")
    page.get_by_role("link", name="Import", exact=True).click()
    page.get_by_label("File", exact=True).set_input_files({"name": "lot.csv", "mimeType": "text/csv", "buffer": octets})
    page.get_by_role("button", name="Read it").click()


def dry_run(page: Page) -> None:
    expect(page.get_by_role("heading", name="Columns")).to_be_visible()
    page.get_by_role("button", name="Dry run").click()


def bar(page: Page, words: str) -> None:
    expect(page.locator(".state-bar")).to_contain_text(words)


def test_from_a_table_with_faults_to_the_change_log(page: Page, lab: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    endpoint = lab["10000001"]["endpoint"]

    upload(page, table(endpoint, mended=False))
    expect(page.get_by_text("Read as Windows-1252, for it is not UTF-8")).to_be_visible()
    expect(page.get_by_label("Serial no.")).to_have_value("serial_number")
    expect(page.get_by_role("row").filter(has_text="GUEK")).to_contain_text("left out")
    dry_run(page)
    bar(page, f"New meters {METERS - WRONG}")
    bar(page, f"Faulty rows {WRONG}")
    page.get_by_role("link", name=re.compile(r"^Faulty \d")).click()
    rows = page.locator("main tbody tr")
    expect(rows).to_have_count(WRONG)
    expect(rows.nth(0)).to_contain_text("65535")
    expect(rows.nth(2)).to_contain_text("Only a name or an IP address")
    expect(rows.nth(5)).to_contain_text("It stands in row 151 already")
    with page.expect_download() as faulty:
        page.get_by_role("link", name="Faulty rows as CSV").click()
    lines = list(csv.reader(Path(faulty.value.path()).read_text("utf-8-sig").splitlines()))
    assert len(lines) == WRONG + 1
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("The import was discarded; nothing was changed.")).to_be_visible()

    upload(page, table(endpoint, mended=True))
    dry_run(page)
    bar(page, f"New meters {METERS}")
    page.get_by_role("button", name=f"Import {METERS} meters").click()
    expect(page.get_by_role("button", name="Undo this import")).to_be_visible()
    page.get_by_role("button", name="Undo this import").click()
    expect(page.get_by_text(re.compile(rf"Undone by .*{METERS} rows taken back"))).to_be_visible()
    page.goto("/meters/?q=import-")
    expect(page.get_by_text("No meter matches")).to_be_visible()

    upload(page, table(endpoint, mended=True))
    dry_run(page)
    page.get_by_role("button", name=f"Import {METERS} meters").click()
    expect(page.get_by_role("button", name="Undo this import")).to_be_visible()

    page.goto("/meters/?q=import-")
    page.get_by_text("Filter", exact=True).click()
    page.locator("#filter-batch").fill("Lot of the table")
    page.locator("#filter-batch").press("Enter")
    expect(page.get_by_label("Filters that are on")).to_contain_text("Lot of the table")
    page.get_by_text("Saved filters", exact=True).click()
    page.get_by_label("Save this filter as").fill("the table")
    page.get_by_role("button", name="Save filter").click()
    expect(page.get_by_text("Filter “the table” saved.")).to_be_visible()

    page.locator("#table tbody tr").first.locator("input[type=checkbox]").check()
    page.get_by_role("button", name=f"Select all {METERS} matching").click()
    page.get_by_label("State").select_option(label="In test")
    page.get_by_label("Reason").fill("on the bench")
    page.get_by_role("button", name=f"Change {METERS} meters").click()
    expect(page.get_by_role("heading", name=f"{METERS} meters changed")).to_be_visible()
    page.get_by_role("link", name="Back to the list").click()

    with page.expect_download() as exported:
        page.get_by_role("link", name="All as XLSX").click()
    workbook = tmp_path / "list.xlsx"
    exported.value.save_as(workbook)
    head, *found = openpyxl.load_workbook(workbook).active.values
    assert len(found) == METERS
    assert {row[head.index("state")] for row in found} == {"In test"}
    assert found[0][head.index("location")] == "Regal 0 Süd"

    page.get_by_role("link", name="import-042").click()
    changes = page.locator("table.changes")
    expect(changes).to_contain_text("on the bench")
    expect(changes).to_contain_text("lot.csv")
    expect(changes).to_contain_text("created")
