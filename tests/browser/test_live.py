"""The live page when the connection is bad, its keys, its filter, its look."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.bench import Bench
from tests.browser.test_story import MOMENT, WRAPPER

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def test_without_the_websocket_the_page_still_works(bench: Bench, page: Page) -> None:
    page.route_web_socket(re.compile("/ws/"), lambda socket: socket.close())
    bench.open_session(WRAPPER)
    expect(bench.badge).to_have_attribute("data-link", "reconnecting")
    bench.ask("Clock")
    expect(bench.expect_step(1).locator(".step-result")).to_have_text(MOMENT)
    expect(page.locator("#result .value-text")).to_have_text(MOMENT)
    bench.close()
    expect(bench.badge).to_have_attribute("data-link", "ended")
    frames = bench.recorded_frames()
    assert bench.listed_frames() == list(range(1, len(frames) + 1))


def test_a_cut_is_shown_and_caught_up_without_a_reload(bench: Bench, page: Page, context: BrowserContext) -> None:
    bench.open_session(WRAPPER)
    colleague = Bench(context.new_page(), bench.lab)
    colleague.page.goto(page.url)
    expect(colleague.badge).to_have_attribute("data-link", "live")
    devtools = context.new_cdp_session(colleague.page)
    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", offline)
    colleague.page.evaluate("() => window.dispatchEvent(new Event('offline'))")
    bench.read_profile("Yesterday")
    bench.expect_step(1)
    devtools.send("Network.emulateNetworkConditions", {**offline, "offline": False})
    expect(colleague.badge).to_have_attribute("data-link", "live")
    colleague.expect_step(1)
    bench.close()
    expect(colleague.session_state).to_have_text("Done")
    frames = bench.recorded_frames()
    assert colleague.listed_frames() == list(range(1, len(frames) + 1))


def test_a_message_that_comes_twice_is_shown_once(bench: Bench, page: Page) -> None:
    sent: list[str] = []

    def twice(socket) -> None:
        server = socket.connect_to_server()

        def pass_on(message) -> None:
            sent.append(message)
            socket.send(message)
            socket.send(message)
            for older in sent[-3:]:
                socket.send(older)

        server.on_message(pass_on)

    page.route_web_socket(re.compile("/ws/"), twice)
    bench.open_session(WRAPPER)
    bench.read_profile("Yesterday")
    bench.expect_step(1)
    rows = int(re.search(r"\d+", page.locator("[data-row-count]").inner_text())[0])
    assert rows in (96, 97)
    bench.close()
    frames = bench.recorded_frames()
    assert bench.listed_frames() == list(range(1, len(frames) + 1))


def test_follow_pause_and_go_to(bench: Bench, page: Page) -> None:
    bench.open_session(WRAPPER)
    follow, pause = page.locator("#follow"), page.locator("#pause")
    expect(follow).to_have_attribute("aria-pressed", "true")
    opening = str(len(bench.recorded_frames()))
    expect(page.locator("#frames")).to_have_attribute("aria-rowcount", opening)  # nothing is on its way any more
    page.keyboard.press("p")
    expect(pause).to_have_attribute("aria-pressed", "true")
    bench.ask("Clock")
    bench.expect_step(1)
    expect(page.locator("#newer")).to_be_visible()
    expect(page.locator("#frames")).to_have_attribute("aria-rowcount", opening)
    page.locator("#newer").click()
    expect(pause).to_have_attribute("aria-pressed", "false")
    page.locator("body").press(":")
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect(page.locator("#detail-title")).to_have_text("Frame 2")
    expect(follow).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("j")
    expect(page.locator("#detail-title")).to_have_text("Frame 3")
    page.keyboard.press("k")
    expect(page.locator("#detail-title")).to_have_text("Frame 2")
    page.keyboard.press("G")
    expect(follow).to_have_attribute("aria-pressed", "true")
    bench.close()


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        ("", [1, 2, 3, 4, 5]),
        ("get", [3, 4]),
        ("-get", [1, 2, 5]),
        ("received", [2, 4]),
        ("sent get", [3]),
        ("hex:c001", [3]),
        ("hex:0c00", []),
        ("size>20", [1, 2]),
        ("size<=15", [5]),
        ("#2..4", [2, 3, 4]),
        ("#4..", [4, 5]),
        ("#1", [1]),
        ("error", [5]),
        ('"get response"', [4]),
        ('-"get response" received', [2]),
    ],
)
def test_the_filter_finds(page: Page, line: str, numbers: list[int]) -> None:
    assert filtered(page, line) == numbers


@pytest.mark.parametrize("line", ["hex:xy", "size>", "size>many", "#", "#x", '"get'])
def test_a_filter_that_makes_no_sense_says_so(page: Page, line: str) -> None:
    assert isinstance(filtered(page, line), str)


def filtered(page: Page, line: str) -> list[int] | str:
    """The numbers that pass, or the error."""
    page.goto("/meters/")
    return page.evaluate(
        """async (line) => {
             const { parseFilter } = await import("/static/js/filter.js");
             const frames = [
               { seq: 1, direction: "SENT", size: 64, hex: "000100200001", summary: "AARQ, LLS", error: "" },
               { seq: 2, direction: "RECEIVED", size: 51, hex: "000100010020", summary: "AARE accepted", error: "" },
               { seq: 3, direction: "SENT", size: 20, hex: "0001c001c100", summary: "GET request 8", error: "" },
               { seq: 4, direction: "RECEIVED", size: 20, hex: "0001c401c100", summary: "GET response: 5", error: "" },
               { seq: 5, direction: "DISCARDED", size: 3, hex: "ff00c0", summary: "3 octets discarded", error: "noise" },
             ];
             const { test, error } = parseFilter(line);
             return error ?? frames.filter((frame) => !test || test(frame)).map((frame) => frame.seq);
           }""",
        line,
    )


def test_keys_of_the_list(page: Page) -> None:
    page.goto("/meters/")
    page.keyboard.press("/")
    expect(page.get_by_label("Search meters")).to_be_focused()
    page.keyboard.type("riser")
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page).to_have_url(re.compile("q=riser"))
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("tr[data-current]")).to_contain_text("10000004")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("10000004")
    page.keyboard.press("?")
    expect(page.locator("#keys-help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys-help")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("s")
    expect(page).to_have_url(re.compile("/sessions/$"))


def test_nothing_found_says_so(page: Page) -> None:
    page.goto("/meters/?q=nowhere")
    expect(page.locator("#table")).to_contain_text("No meter matches")
    page.get_by_role("link", name="Show all meters").click()
    expect(page.locator("tbody tr").first).to_be_visible()


def test_the_theme_is_chosen_and_kept(page: Page) -> None:
    page.goto("/meters/")
    root, button = page.locator("html"), page.locator("[data-theme-toggle]")
    expect(root).to_have_attribute("data-theme-choice", "system")
    button.click()
    expect(root).to_have_attribute("data-bs-theme", "light")
    button.click()
    expect(root).to_have_attribute("data-bs-theme", "dark")
    page.reload()
    expect(root).to_have_attribute("data-bs-theme", "dark")
    dark = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    button.click()
    assert page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor") != dark


@pytest.mark.parametrize("path", ["/meters/", "/meters/add/", "/sessions/", "/meters/1/"])
@pytest.mark.parametrize("width", [390, 768, 1366])
def test_no_page_is_wider_than_the_window(page: Page, path: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(path)
    assert_it_fits(page, width)


def test_nor_is_a_session(bench: Bench, page: Page) -> None:
    bench.open_session(WRAPPER)
    bench.ask("Clock")
    bench.expect_step(1)
    for width in (390, 768, 1366):
        page.set_viewport_size({"width": width, "height": 800})
        assert_it_fits(page, width)
    bench.close()


def assert_it_fits(page: Page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("#main").evaluate("main => main.scrollWidth <= main.clientWidth + 1")
