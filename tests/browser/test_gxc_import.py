"""Somebody moves over from GXDLMSDirector: a device file becomes a meter, its keys open a session, its label leads back to it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.browser.bench import Bench
from tests.meters.gxc_import.builders import CIPHERED, device_file

SERIAL = "gxc-7"


def test_a_device_file_becomes_a_meter_that_is_read(page: Page, bench: Bench, lab: dict[str, dict[str, Any]]) -> None:
    at = urlsplit(lab["10000002"]["endpoint"])
    file = device_file(
        CIPHERED.replace("<InvocationCounter>8", "<InvocationCounter>0")
    )  # the public client asks the meter
    page.goto("/meters/import/gxc/")
    page.set_input_files("#files", [{"name": "office.gxc", "mimeType": "text/xml", "buffer": file.octets}])
    page.get_by_role("button", name="Preview").click()
    page.get_by_label("Serial number").fill(SERIAL)
    host, model = page.get_by_label("Host", exact=True), page.get_by_label("Model", exact=True)
    expect(model).to_have_value("office")
    expect(host).to_be_hidden()
    page.get_by_label("Line", exact=True).select_option("new")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("Where is it?")).to_be_visible()
    host.fill(str(at.hostname))
    page.get_by_label("Port", exact=True).fill(str(at.port))
    page.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_url(re.compile("/report/$"))
    expect(page.get_by_text("1 new, 0 completed")).to_be_visible()
    bench.open_session(SERIAL)
    bench.ask("Clock")
    bench.expect_step(1)
    bench.leave()
    page.goto(f"/meters/by-serial/{SERIAL}/")
    page.get_by_role("link", name="Label").click()
    expect(page.get_by_role("img", name=f"/meters/by-serial/{SERIAL}/")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    expect(page.get_by_role("article")).to_be_visible()
