"""A meter type, from its page to a new meter of it, and a quirk from the session that proved it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.bench import Bench


def test_a_new_meter_begins_as_its_type_says(bench: Bench, page: Page) -> None:
    page.goto("/meters/types/add/")
    bench.field("Model").fill("Browser type")
    bench.field("FLAG code").fill("kam")
    bench.field("Framing").select_option("HDLC")
    bench.field("Physical address").fill("17")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Kamstrup Browser type")).to_be_visible()
    page.get_by_role("link", name="Add an association").click()
    bench.field("Name").fill("Reader")
    bench.field("Client SAP").fill("33")
    bench.field("Authentication").select_option("lls")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("cell", name="33 → 1")).to_be_visible()
    page.goto("/meters/add/")
    bench.field("Serial number").fill("99990077")
    bench.field("Type").select_option(label="Kamstrup Browser type")
    expect(bench.field("Physical address")).to_have_value("17")
    expect(bench.field("Client SAP")).to_have_value("33")
    expect(bench.field("Serial number")).to_have_value("99990077")
    expect(bench.field("Model")).to_be_hidden()


def test_a_quirk_is_proposed_from_the_session_that_proved_it(bench: Bench, page: Page) -> None:
    bench.open_session("10000001")
    number = re.search(r"/sessions/(\d+)/", page.url)
    assert number is not None
    page.get_by_title("Propose a quirk of the meter's type").click()
    expect(bench.field("Proved in session")).to_have_value(number[1])
    bench.field("Quirk").select_option("block_window")
    bench.field("Value").fill("1")
    bench.field("Reason").fill("It loses the second block.")
    page.get_by_role("button", name="Propose").click()
    expect(page.get_by_text("You proposed it: another person accepts or refuses it.")).to_be_visible()
    expect(page.get_by_role("button", name="Accept")).to_have_count(0)
    page.get_by_label("Why").fill("tried again: it does not")
    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_text("The quirk is withdrawn.")).to_be_visible()
    bench.leave()
