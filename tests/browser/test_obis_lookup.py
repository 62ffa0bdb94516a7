"""The look-up of OBIS codes, as somebody uses it who has the keyboard only."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect


def test_words_find_a_code_and_the_code_its_neighbours(page: Page) -> None:
    page.goto("/meters/")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("g")
    page.keyboard.press("c")
    field = page.get_by_label("A code, or words")
    expect(field).to_be_focused()
    page.keyboard.type("voltage l2")
    expect(page.get_by_role("status").filter(has_text="codes for “voltage l2”")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/meters/obis/\?q=voltage(\+|%20)l2$"))
    page.get_by_role("link", name="1-0:52.7.0*255", exact=True).click()
    expect(page.get_by_role("heading", name="Voltage L2", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="1-0:32.7.0*255", exact=True)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("link", name="1-0:52.7.0*255", exact=True)).to_be_visible()
