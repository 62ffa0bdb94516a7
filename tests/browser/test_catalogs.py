"""The OBIS catalog of a meter type, as somebody learns, edits and uses it who has the keyboard only."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.bench import Bench

SERIAL = "10000002"
ENERGY = "1-0:1.8.0*255"


def test_a_type_learns_from_a_meter_and_its_sessions_show_it(bench: Bench, page: Page) -> None:
    bench.open_session(SERIAL)
    session = page.url.split("#")[0]
    panel = page.locator("#panel-OBJECTS")
    bench.ask("Object list")
    bench.expect_step(1)
    bench.ask("Energy 1.8.0")
    bench.expect_step(2)
    bench.tab("Objects")
    panel.get_by_role("link", name="Learn").click()
    expect(page.get_by_text("nothing was written yet")).to_be_visible()
    learn = page.get_by_role("button", name="Learn", exact=True)
    if learn.is_visible():  # else another test has taught it
        learn.click()
    else:
        page.get_by_role("link", name="OBIS catalog").click()
    expect(page.get_by_role("link", name="OBIS catalog", exact=True)).to_be_visible()

    page.keyboard.press("/")
    page.keyboard.type(ENERGY)
    expect(page.get_by_role("status").filter(has_text=f"1 entry for “{ENERGY}”")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("o")
    edit = page.locator(".row-edit")
    expect(edit.get_by_label("Title")).to_be_focused()
    page.keyboard.type("Counter of the cellar")
    edit.get_by_label("High limit").fill("1e")
    page.keyboard.press("Enter")
    expect(edit.get_by_text("“1e” is no number")).to_be_visible()
    expect(edit.get_by_label("High limit")).to_be_focused()
    edit.get_by_label("High limit").fill("5")
    page.keyboard.press("Enter")
    expect(edit).to_have_count(0)
    expect(page.locator("tr[data-current]")).to_contain_text("Counter of the cellar")
    expect(page.locator("tr[data-current]")).to_be_focused()

    page.goto(session)
    expect(bench.badge).not_to_have_attribute("data-link", "connecting")
    bench.ask("Energy 1.8.0")
    expect(bench.expect_step(3).locator(".step-title")).to_contain_text("Counter of the cellar")
    expect(page.get_by_text("Above the high limit of 5 Wh.")).to_be_visible()
    bench.tab("Objects")
    expect(panel.locator(f'[data-object="3/{ENERGY}"]')).to_contain_text("Counter of the cellar")
