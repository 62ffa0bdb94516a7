"""The whole story on a wrapper, an HDLC and a serial meter, as a newcomer would do it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.bench import Bench

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

WRAPPER, WRAPPER_GMAC, HDLC, HDLC_GMAC, SERIAL = "10000001", "10000002", "10000003", "10000004", "10000005"
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
ROWS_OF_A_DAY = 96


def test_signing_in(browser, running) -> None:
    context = browser.new_context(base_url=running.url)
    page = context.new_page()
    page.goto("/sessions/")
    page.get_by_label("User name").fill(running.username)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not match")
    page.get_by_label("Password").fill(running.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/sessions/$"))  # where one wanted to go
    context.close()


def test_the_lab_is_in_the_inventory(page: Page) -> None:
    page.goto("/meters/")
    for serial in (WRAPPER, WRAPPER_GMAC, HDLC, HDLC_GMAC, SERIAL):
        expect(page.get_by_role("link", name=serial, exact=True)).to_be_visible()
    for words in ("Wrapper", "HDLC", "physical 17", "physical 18", "9600 8N1"):
        expect(page.locator("tbody")).to_contain_text(words)


@pytest.mark.parametrize("serial", [WRAPPER, HDLC_GMAC, SERIAL])
def test_a_session_from_the_first_frame_to_the_archive(bench: Bench, page: Page, serial: str) -> None:
    bench.open_session(serial)
    expect(bench.badge).to_have_attribute("data-link", "live")
    expect(bench.rows.first).to_be_visible()

    bench.ask("Clock")
    step = bench.expect_step(1)
    expect(step.locator(".step-result")).to_have_text(MOMENT)
    expect(page.locator("#result .value-text")).to_have_text(MOMENT)

    bench.read_profile("Yesterday")
    counts = watch_rows(page)
    bench.expect_step(2)
    assert len(counts) > 2, f"the rows came all at once: {counts}"
    assert counts == sorted(counts)
    assert counts[-1] >= ROWS_OF_A_DAY
    expect(page.locator("[data-chart] canvas")).to_be_visible()
    expect(page.locator("[data-rows-body] .rows-row").first).to_contain_text(re.compile(r"\d{4}-\d\d-\d\d"))

    look_into_a_frame(bench, page)

    before = bench.recorded_frames()
    page.reload()
    expect(bench.session_state).to_have_text("Open")
    bench.expect_step(2)
    assert bench.listed_frames() == list(range(1, len(before) + 1))
    page.get_by_role("option").first.click()
    expect(page.locator("#result .value-text")).to_have_text(MOMENT)

    bench.close()
    address = page.url
    frames = bench.recorded_frames()
    assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))
    page.goto("/sessions/")
    page.locator(f'a[href="{address.split("#")[0].removeprefix(page.url.split("/sessions/")[0])}"]').first.click()
    expect(bench.badge).to_have_attribute("data-link", "ended")
    assert bench.listed_frames() == list(range(1, len(frames) + 1))
    page.locator(".step-row").nth(1).click()
    expect(page.locator("[data-row-count]")).to_have_text(re.compile(rf"{counts[-1]} rows"))


def watch_rows(page: Page) -> list[int]:
    """The numbers of rows that were seen while the profile arrived, each once, in the order in which they were seen."""
    return page.evaluate(
        """() => new Promise((resolve) => {
             const seen = [];
             const look = () => {
               const text = document.querySelector("[data-row-count]")?.textContent ?? "";
               const rows = Number(text.match(/\\d+/)?.[0] ?? 0);
               if (rows && rows !== seen.at(-1)) seen.push(rows);
               const state = document.querySelectorAll(".step-row")[1]?.dataset.state;
               if (state && !["WAITING", "RUNNING"].includes(state)) setTimeout(() => { finish(); }, 500);
               else setTimeout(look, 40);
             };
             const finish = () => {
               const rows = Number(document.querySelector("[data-row-count]")?.textContent.match(/\\d+/)?.[0] ?? 0);
               if (rows && rows !== seen.at(-1)) seen.push(rows);
               resolve(seen);
             };
             look();
           })"""
    )


def look_into_a_frame(bench: Bench, page: Page) -> None:
    """Field to octets, octet to field, and where one is stands in the address."""
    bench.choose_frame("received get")
    tree = page.locator("#tree")
    tree.locator(".tree-row").first.click()
    whole = bench.marked_octets()
    page.locator("#octets .hex span:not(.off)").first.click()
    chosen = tree.locator('[aria-selected="true"]')
    expect(chosen).to_be_visible()
    assert 0 < bench.marked_octets(below=whole) < whole
    page.locator("#octets").press("ArrowDown")
    assert bench.marked_octets() > 0
    number = page.locator("#detail-title").inner_text().split()[-1]
    assert page.url.endswith(f"#f={number}")
    page.get_by_label("Filter frames").fill("")


def test_a_link_to_a_frame_opens_that_frame(bench: Bench, page: Page, context) -> None:
    bench.open_session(WRAPPER)
    bench.ask("Clock")
    bench.expect_step(1)
    colleague = context.new_page()
    colleague.goto(f"{page.url.split('#')[0]}#f=3")
    expect(colleague.locator("#detail-title")).to_have_text("Frame 3")
    expect(colleague.locator('#frames [aria-selected="true"]')).to_have_attribute("data-seq", "3")
    colleague.locator('#frames [data-seq="2"]').click()
    expect(colleague.locator("#detail-title")).to_have_text("Frame 2")
    expect(colleague).to_have_url(re.compile("#f=2$"))
    bench.ask("Serial number")  # the colleague sees what I ask
    expect(colleague.locator(".step-row").nth(1).locator(".state")).to_have_text("Done")
    bench.close()
    expect(colleague.locator("#session-head .state").first).to_have_text("Done")


def test_cancel_ends_it_in_the_middle_and_frees_the_line(bench: Bench, page: Page) -> None:
    bench.open_session(HDLC)
    bench.read_profile("Last 7 days")
    expect(page.locator("[data-row-count]")).to_have_text(re.compile(r"[1-9]\d* rows"))
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(bench.session_state).to_have_text("Cancelled")
    expect(bench.step(1).locator(".state")).to_have_text("Cancelled")
    frames = bench.recorded_frames()
    assert len(frames) > 5  # what was recorded until then is kept
    bench.open_session(HDLC)  # the same line, at once
    bench.ask("Clock")
    bench.expect_step(1)
    bench.close()


def test_the_object_list_is_a_table_to_read_from(bench: Bench, page: Page) -> None:
    bench.open_session(WRAPPER_GMAC)
    bench.ask("Object list")
    bench.expect_step(1)
    page.get_by_label("Find an object").fill("0-0:1.0.0")
    row = page.locator("[data-object]:visible")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Clock")
    row.hover()
    row.get_by_role("button", name="Read").click()
    expect(bench.expect_step(2).locator(".step-result")).to_have_text(MOMENT)
    bench.close()
