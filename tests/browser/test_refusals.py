"""What a technician is told when it does not work, and adding a meter until it does."""

from __future__ import annotations

import re
import socket

import pytest
from playwright.sync_api import Page, expect

from tests.browser.bench import Bench
from tests.browser.test_story import HDLC, WRAPPER

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def test_a_wrong_password(bench: Bench) -> None:
    bench.fill_meter(WRAPPER, Secret="87654321")
    panel = bench.test()
    expect(panel).to_contain_text("authentication-failure")
    expect(panel).to_contain_text("exact octets")
    for passed in ("Line", "Link"):
        expect(bench.rung(passed)).to_have_text("passed")
    expect(bench.rung("Authentication")).to_have_text("refused")
    expect(bench.rung("Access")).to_have_text("not reached")


def test_a_dead_line(bench: Bench) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    bench.allow_target(port)
    bench.fill_meter(WRAPPER, Port=str(port))
    panel = bench.test()
    expect(panel).to_contain_text(f"refused the connection on port {port}")
    expect(bench.rung("Line")).to_have_text("refused")
    expect(bench.rung("Link")).to_have_text("not reached")


def test_a_wrong_address(bench: Bench) -> None:
    bench.fill_meter(HDLC, **{"Physical address": "55", "Reply timeout, s": "0.5"})
    panel = bench.test()
    expect(panel).to_contain_text("Nobody answers at HDLC address 1/55")
    expect(panel).to_contain_text("Check the physical address")
    expect(bench.rung("Line")).to_have_text("passed")
    expect(bench.rung("Link")).to_have_text("refused")


def test_a_refused_read_says_which_layer_and_the_session_goes_on(bench: Bench, page: Page) -> None:
    bench.open_session(WRAPPER)
    page.locator("#read_class_id").fill("3")
    page.locator("#read_logical_name").fill("1-0:99.99.99*255")
    page.get_by_role("button", name="Read", exact=True).click()
    bench.expect_step(1, "Failed")
    card = page.locator("#result .error-card")
    expect(card).to_contain_text("object-undefined")
    expect(card.locator(".rung-refused")).to_contain_text("Access")
    bench.ask("Clock")
    bench.expect_step(2)
    bench.close()


def test_a_bad_value_of_the_console_stands_at_its_field(bench: Bench, page: Page) -> None:
    bench.open_session(WRAPPER)
    page.locator("#read_class_id").fill("3")
    page.locator("#read_logical_name").fill("1-0:1.8.0*999")
    page.get_by_role("button", name="Read", exact=True).click()
    expect(page.locator("#read_logical_name_error")).to_be_visible()
    expect(page.locator(".step-row")).to_have_count(0)
    bench.close()


def test_switching_the_relay_off_asks_for_the_serial_number(bench: Bench, page: Page) -> None:
    bench.open_session(WRAPPER)
    bench.tab("Invoke")
    page.get_by_role("button", name="Disconnect relay").click()
    gate = page.get_by_role("alertdialog")
    expect(gate).to_contain_text(WRAPPER)
    expect(gate).to_contain_text("switched off")
    expect(gate).to_contain_text("0f00")
    gate.get_by_label("Serial number").fill("10000002")
    page.get_by_role("button", name=f"Invoke on {WRAPPER}").click()
    expect(page.locator("#invoke_serial_typed_error")).to_contain_text(f"Type {WRAPPER} to go on.")
    expect(page.locator(".step-row")).to_have_count(0)
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("button", name="Invoke…")).to_be_visible()
    bench.close()


def test_adding_a_meter(bench: Bench, page: Page) -> None:
    bench.fill_meter(WRAPPER, Port="70000")
    expect(page.locator('[data-octets-of="id_secret"]')).to_have_text(re.compile("31 32 33 34 .* 8 octets"))
    expect(bench.field("Physical address")).to_be_hidden()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#id_port_error")).to_contain_text("65535")
    expect(bench.field("Port")).to_be_focused()
    expect(bench.field("Serial number")).to_have_value("99990001")

    port = bench.lab[WRAPPER]["endpoint"].rpartition(":")[2]
    bench.field("Port").fill(port)
    bench.field("Secret").fill("12345678")
    panel = bench.test()
    expect(panel).to_contain_text("Passed")
    expect(panel).to_contain_text(re.compile(r"Clock.*\d{4}-\d\d-\d\d", re.S))
    expect(bench.field("Secret")).to_have_value("12345678")  # kept by the browser, not sent back by the server

    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("99990001 saved")
    expect(page.locator(".chip", has_text="LLS_SECRET")).to_contain_text("v1")
    assert "12345678" not in page.content()
    bench.open_session("99990001")
    bench.close()


def test_the_form_shows_what_matters(bench: Bench, page: Page) -> None:
    page.goto("/meters/add/")
    expect(bench.field("GUEK")).to_be_hidden()
    page.get_by_label("Authentication").select_option("hls-gmac")
    expect(bench.field("GUEK")).to_be_visible()
    expect(bench.field("Secret")).to_be_hidden()
    page.get_by_label(re.compile(r"^Line\*?$")).select_option("RFC2217")
    for name in ("Host", "Port", "Baud"):
        expect(bench.field(name)).to_be_visible()
    expect(bench.field("Serial port")).to_be_hidden()
    expect(page.get_by_label("Framing")).to_have_value("HDLC")
    page.get_by_label(re.compile(r"^Line\*?$")).select_option("SERIAL")
    expect(bench.field("Host")).to_be_hidden()
    expect(bench.field("Serial port")).to_be_visible()
    expect(page.get_by_label("Framing")).to_have_value("HDLC")
    bench.field("GUEK").fill("00 11 2")
    expect(page.locator('[data-octets-of="id_guek"]')).to_contain_text("one is missing or too many")


def test_what_an_association_asks_for_is_shown_and_what_does_not_fit_stays_in_sight(bench: Bench, page: Page) -> None:
    bench.fill_meter(WRAPPER)
    ours, theirs = page.get_by_label("Our signing key"), page.get_by_label("Meter's signing key")
    expect(ours).to_be_hidden()
    page.get_by_label("Authentication").select_option("hls-ecdsa")
    expect(page.get_by_label("Secret", exact=True)).to_be_hidden()
    for field in (ours, theirs, page.get_by_label("Security suite"), page.get_by_label("Client system title")):
        expect(field).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#id_security_suite_error")).to_contain_text("suite 0 has no signatures")
    page.get_by_label("Authentication").select_option("lls")
    expect(page.locator("#id_security_suite_error")).to_be_visible()
    expect(ours).to_be_hidden()
    page.get_by_label("Protection").select_option("authenticated-encrypted")
    expect(page.get_by_label("Ciphered form")).to_be_visible()
    expect(page.get_by_label("Services under")).to_be_visible()
    page.get_by_label("Opened by").select_option("True")
    expect(page.get_by_label("Meter receives")).to_be_visible()
    expect(page.get_by_label("User id")).to_be_hidden()
