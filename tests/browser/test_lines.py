"""A line, from its refusal by the list of targets to its test, by keyboard."""

from __future__ import annotations

import re
import socket

from playwright.sync_api import Page, expect


def test_a_line_is_refused_allowed_saved_and_tested(page: Page) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        page.goto("/meters/")
        page.wait_for_load_state("networkidle")
        page.keyboard.press("g")
        page.keyboard.press("l")
        expect(page.get_by_role("heading", name="Lines")).to_be_visible()
        page.keyboard.press("a")
        add(page, port)
        expect(page.get_by_text(f"127.0.0.1 port {port} is not on your list of allowed targets.")).to_be_visible()
        page.goto("/meters/lines/targets/")
        page.get_by_role("row").filter(has_text=f"127.0.0.1:{port}").get_by_role("link", name="Allow…").first.click()
        expect(page.get_by_label("First port")).to_have_value(port)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text(f"Allowed: 127.0.0.1/32 {port} TCP.")).to_be_visible()
        page.goto("/meters/lines/add/")
        add(page, port)
        expect(page.get_by_role("heading", name="Rack 7")).to_be_visible()
        page.wait_for_load_state("networkidle")
        page.keyboard.press("t")
        expect(page.get_by_text(re.compile(r"Connected in \d+ ms"))).to_be_visible()
        expect(page.locator("#line-state")).to_contain_text("Works")
    page.get_by_role("button", name="Delete this line").click()
    expect(page.get_by_text("Line Rack 7 deleted.")).to_be_visible()


def add(page: Page, port: str) -> None:
    page.get_by_label("Name").fill("Rack 7")
    page.get_by_label("Host").fill("127.0.0.1")
    page.get_by_label("Port", exact=True).fill(port)
    page.get_by_role("button", name="Save").click()
