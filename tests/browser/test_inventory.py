"""The inventory as a technician uses it: filter, keep the filter, change many, export, read one meter's change log."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.bench import Bench

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

FIRST, LAST = "10000001", "10000005"


def rows(page: Page, count: int) -> None:
    expect(page.locator("#table tbody tr")).to_have_count(count)


def test_from_a_filter_to_the_change_log(bench: Bench, page: Page) -> None:
    page.goto("/meters/")
    page.get_by_label("Search meters").fill("1000000")  # the lab's own: other tests add meters
    expect(page).to_have_url(re.compile(r"/meters/\?q=1000000$"))
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Framing", exact=True).select_option(label="Wrapper")
    expect(page.get_by_label("Filters that are on")).to_contain_text("Framing Wrapper")
    expect(page).to_have_url(re.compile(r"q=1000000&framing=WRAPPER$"))
    rows(page, 2)
    page.get_by_label("Framing", exact=True).select_option(label="HDLC")  # a second value: any of them
    expect(page).to_have_url(re.compile(r"q=1000000&framing=WRAPPER&framing=HDLC$"))
    page.get_by_role("link", name="Remove the filter Framing HDLC").click()
    rows(page, 2)

    page.get_by_text("Saved filters", exact=True).click()
    page.get_by_label("Save this filter as").fill("wrappers")
    page.get_by_role("button", name="Save filter").click()
    expect(page.get_by_role("status").filter(has_text="Filter “wrappers” saved.")).to_be_visible()
    page.goto("/meters/")
    page.get_by_text("Saved filters", exact=True).click()
    page.get_by_role("link", name="wrappers").click()
    expect(page).to_have_url(re.compile(r"q=1000000&framing=WRAPPER$"))
    rows(page, 2)

    bench.settled()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-selected]")).to_have_text("1")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect(page.locator("[data-selected]")).to_have_text("2")
    page.get_by_role("button", name="Edit selected").click()
    page.get_by_label("State").select_option(label="In test")
    page.get_by_label("Reason").fill("on the bench")
    page.get_by_label("Batch", exact=True).fill("Lot of the browser")
    page.get_by_label("Add tags").fill("browser, bulk")
    page.get_by_role("button", name="Change 2 meters").click()
    expect(page.get_by_role("heading", name="2 meters changed")).to_be_visible()
    page.get_by_role("link", name="Back to the list").click()
    expect(page.locator("#table tbody tr").first).to_contain_text("In test")

    with page.expect_download() as download:
        page.get_by_role("link", name="All that match").click()
    exported = list(csv.DictReader(Path(download.value.path()).read_text().splitlines()))
    assert [row["serial_number"] for row in exported] == [FIRST, "10000002"]
    assert {(row["state"], row["batch"], row["tags"]) for row in exported} == {
        ("In test", "Lot of the browser", "browser, bulk")
    }

    page.get_by_role("link", name=FIRST, exact=True).click()
    log = page.get_by_role("region", name="Change log")
    expect(log.locator("tbody tr").first).to_contain_text("“on the bench”")
    for words in ("Received", "In test", "Lot of the browser", "browser, bulk"):
        expect(log.locator("tbody tr").first).to_contain_text(words)
    log.locator("tbody tr").first.get_by_title("All that this request changed").click()
    expect(page.get_by_role("heading", name="What one request changed")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("^10000002"))).to_be_visible()


def test_the_way_back_leads_through_the_filters(page: Page) -> None:
    page.goto("/meters/")
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Seen", exact=True).select_option(label="never")
    expect(page).to_have_url(re.compile(r"\?seen=never$"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"/meters/$"))
    expect(page.get_by_label("Filters that are on")).to_have_count(0)
    expect(page.get_by_role("link", name=LAST, exact=True)).to_be_visible()


def test_a_range_is_chosen_with_shift_and_all_with_one_box(page: Page) -> None:
    page.goto("/meters/")
    boxes = page.locator("[data-select]")
    boxes.nth(0).click()
    boxes.nth(3).click(modifiers=["Shift"])
    expect(page.locator("[data-selected]")).to_have_text("4")
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_role("form", name="Selection")).to_be_hidden()
    page.get_by_label("Select all on this page").click()
    expect(page.locator("[data-select]:not(:checked)")).to_have_count(0)
