"""The object browser: objects, what they have, what was read, and the field that fits what is written."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from sessions.snapshot_file import load_snapshot
from tests.browser.bench import Bench

SERIAL = "10000002"
CLOCK, RELAY = "0-0:1.0.0*255", "0-0:96.3.10*255"


def choose(bench: Bench, code: str) -> None:
    """From the list of objects to one of them."""
    panel = bench.page.locator("#panel-OBJECTS")
    bench.tab("Objects")
    back = panel.get_by_role("link", name="Objects", exact=True)
    expect(panel.locator("[data-object]").first.or_(back)).to_be_visible()
    if back.is_visible():
        back.click()
    panel.get_by_role("link", name=code, exact=True).click()
    expect(panel.locator("h3")).to_contain_text(code)


def test_from_the_object_list_to_a_value_that_is_written(bench: Bench, page: Page) -> None:
    bench.open_session(SERIAL)
    bench.tab("Objects")
    panel, write = page.locator("#panel-OBJECTS"), page.locator("#panel-WRITE")
    offer = panel.get_by_role("button", name="Read the object list")
    expect(panel.locator("[data-object]").first.or_(offer)).to_be_visible()
    if offer.is_visible():  # no other test read it through this association
        offer.click()
        bench.expect_step(1)
    choose(bench, RELAY)
    steps = page.locator(".step-row").count()
    panel.get_by_role("button", name="Read all").click()
    expect(bench.expect_step(steps + 4).locator(".step-result")).to_contain_text("reconnect remote")
    # What was read stands beside its attribute, without a click.
    expect(panel.get_by_role("link", name="connected (1)")).to_be_visible()

    choose(bench, CLOCK)
    panel.get_by_label("Write time", exact=True).click()
    value = write.locator("[name=value]")
    expect(write).to_contain_text("octet-string (date-time)")
    value.fill("tomorrow")
    write.get_by_role("button", name="Write…").click()
    expect(write.locator("#write_value_error")).to_contain_text("“tomorrow” is no date-time")
    expect(value).to_be_focused()
    write.get_by_role("button", name="Now", exact=True).click()
    expect(value).not_to_have_value("tomorrow")
    write.get_by_role("button", name="Write…").click()
    expect(write.locator(".gate-box")).to_contain_text("write time (2):")
    write.get_by_role("button", name=f"Write to {SERIAL}").click()
    expect(bench.expect_step(steps + 5).locator(".step-title")).to_contain_text("Write: Clock")


def test_what_was_read_is_taken_along_as_a_file(bench: Bench, page: Page, tmp_path: Path) -> None:
    bench.open_session(SERIAL)
    bench.tab("Objects")
    panel = page.locator("#panel-OBJECTS")
    offer = panel.get_by_role("button", name="Read the object list")
    expect(panel.locator("[data-object]").first.or_(offer)).to_be_visible()
    if offer.is_visible():
        offer.click()
        bench.expect_step(1)
    with page.expect_download() as waited:
        panel.get_by_role("link", name="Snapshot").click()
    waited.value.save_as(tmp_path / "snapshot.json")
    assert waited.value.suggested_filename.endswith(".snapshot.json")
    snapshot = load_snapshot(tmp_path / "snapshot.json")
    assert {str(each.logical_name) for each in snapshot.objects} > {CLOCK, RELAY}


def test_the_field_follows_what_is_named_and_nothing_typed_is_lost(bench: Bench, page: Page) -> None:
    bench.open_session(SERIAL)
    bench.tab("Write")
    write = page.locator("#panel-WRITE")
    write.get_by_label("Class").fill("9")
    # At once, while the answer about the class is still on its way.
    write.get_by_label("OBIS").fill("0-0:10.0.100*255")
    write.get_by_label("OBIS").press("Tab")
    expect(write.locator(".outline")).to_contain_text("script_identifier: long-unsigned")
    expect(write.get_by_label("OBIS")).to_have_value("0-0:10.0.100*255")
    write.locator("[name=value]").fill('[{"script_identifier": 1}]')
    write.get_by_role("button", name="Write…").click()
    expect(write.locator("#write_value_error")).to_contain_text("[1]: actions is missing")
    bench.settled()
    write.get_by_label("Type").select_option("unsigned")
    expect(write.locator("#write_value_help")).to_have_text("0 to 255.")
    bench.settled()
    write.get_by_label("Class").fill("70")
    write.get_by_label("OBIS").fill(RELAY)
    write.get_by_label("Attribute").fill("4")
    write.get_by_label("Attribute").press("Tab")
    expect(write.locator("select[name=value]")).to_contain_text("3 disconnect remote, local")


def test_a_structure_opens_in_words_with_its_raw_form_beside(bench: Bench, page: Page) -> None:
    bench.open_session(SERIAL)
    read = page.locator("#panel-READ")
    read.get_by_label("Class").fill("7")
    read.get_by_label("OBIS").fill("1-0:99.1.0")
    read.get_by_label("Attribute").fill("3")
    read.get_by_role("button", name="Read", exact=True).click()
    bench.expect_step(1)
    result = page.locator("#result")
    expect(result.locator(".value-tree")).to_contain_text("Clock (0-0:1.0.0*255), time")
    expect(result.locator(".raw-octets")).to_be_hidden()
    result.get_by_text("octets and text").click()
    expect(result.locator(".raw-octets")).to_contain_text("0204120008")
    expect(result.locator(".raw pre")).to_contain_text('"class_id": 8')
    result.get_by_role("link", name="1-0:99.1.0*255").click()
    expect(page.locator("#panel-OBJECTS")).to_contain_text("capture_period")
