"""What a technician does on the pages, in words."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

OVER = re.compile("Done|Failed|Cancelled|Lost")


class Bench:
    """One person at one page."""

    def __init__(self, page: Page, lab: dict[str, dict[str, Any]]) -> None:
        self.page = page
        self.lab = lab
        self._open = ""

    def allow_target(self, port: int) -> None:
        """As the administrator that the demo's user is: this port of this machine, by TCP."""
        self.page.goto("/meters/lines/targets/add/")
        self.page.get_by_label("Network").fill("127.0.0.1")
        self.page.get_by_label("First port").fill(str(port))
        self.page.get_by_label("Last port").fill(str(port))
        self.page.get_by_role("button", name="Save").click()
        expect(self.page.get_by_text(f"Allowed: 127.0.0.1/32 {port} TCP.")).to_be_visible()

    # -- sessions ------------------------------------------------------------------------------------------------------

    @property
    def session_state(self) -> Locator:
        return self.page.locator("#session-head .session-line > .state")

    @property
    def badge(self) -> Locator:
        return self.page.locator("#link-badge")

    @property
    def rows(self) -> Locator:
        return self.page.locator("#frames .frame-row:not([hidden]):not(.missing)")

    def open_session(self, serial: str) -> None:
        """From the list to a session in which something can be asked."""
        self.page.goto("/meters/")
        self.page.get_by_role("link", name=serial, exact=True).click()
        self.page.get_by_role("button", name="Open session").click()
        # As long as the badge says what the server wrote, no script listens, and a click on a tab is nobody's.
        expect(self.badge).not_to_have_attribute("data-link", "connecting")
        expect(self.session_state).to_have_text("Open")
        self._open = self.page.url.split("#")[0]

    def step(self, number: int) -> Locator:
        return self.page.locator(".step-row").nth(number - 1)

    def expect_step(self, number: int, state: str = "Done") -> Locator:
        expect(self.step(number).locator(".state")).to_have_text(state)
        return self.step(number)

    def ask(self, preset: str) -> None:
        self.tab("Read")
        self.page.get_by_role("button", name=preset, exact=True).click()

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name, exact=True).click()

    def read_profile(self, day: str = "Yesterday") -> None:
        self.tab("Profile")
        self.page.get_by_role("button", name=day, exact=True).click()
        self.page.get_by_role("button", name="Read profile").click()

    def close(self) -> None:
        self.page.get_by_role("button", name="Close", exact=True).click()
        expect(self.session_state).to_have_text("Done")
        self._open = ""

    def leave(self) -> None:
        """End the session that a test left open: it holds a worker, and a few of them hold all."""
        if self._open:
            self.page.goto(self._open)
            expect(self.badge).not_to_have_attribute("data-link", "connecting")
            if self.session_state.inner_text() == "Open":
                self.close()

    def recorded_frames(self) -> list[dict[str, Any]]:
        """What the workbench has in its rows."""
        path = f"{self.page.url.split('#')[0]}frames/?limit=2000"
        return self.page.request.get(path).json()["frames"]

    def listed_frames(self) -> list[int]:
        """The numbers that the page shows when one walks through the whole list."""
        seen: list[int] = []
        self.page.locator("#frames").evaluate("list => (list.scrollTop = 0)")
        # The list is drawn with the next frame of the browser: until then it still shows where it was.
        expect(self.rows.and_(self.page.locator('[data-seq="1"]'))).to_be_visible()
        while True:
            self.page.wait_for_function("() => !document.querySelector('#frames .missing:not([hidden])')")
            numbers = self.page.locator("#frames").evaluate(
                """list => [...list.querySelectorAll('.frame-row:not([hidden])')]
                     .filter(row => row.getBoundingClientRect().bottom > list.getBoundingClientRect().top + 1)
                     .map(row => Number(row.dataset.seq)).sort((a, b) => a - b)"""
            )
            seen += [number for number in numbers if number > (seen[-1] if seen else 0)]
            at_end = self.page.locator("#frames").evaluate(
                """list => { const end = list.scrollTop + list.clientHeight >= list.scrollHeight - 1;
                             list.scrollTop += list.clientHeight - 30; return end }"""
            )
            # A busy browser may take long to its next frames: the first draws the rows, before the second they stand.
            self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            if at_end:
                return seen

    def choose_frame(self, text: str) -> None:
        """The first frame that the filter finds."""
        self.page.get_by_label("Filter frames").fill(text)
        expect(self.page.locator("#filter-note")).to_contain_text(" of ")
        self.page.locator("#frames").press("Home")
        number = (self.page.locator("#frames").get_attribute("aria-activedescendant") or "").removeprefix("frame-")
        expect(self.page.locator("#tree .tree-row").first).to_be_visible()
        expect(self.page.locator("#detail-title")).to_have_text(f"Frame {number}")

    def marked_octets(self, *, below: int = 1 << 30) -> int:
        """How many octets are marked, as soon as some are, and fewer than `below`."""
        return self.page.wait_for_function(
            """below => { const marked = document.querySelectorAll("#octets .hex .marked").length;
                          return marked > 0 && marked < below && marked }""",
            arg=below,
        ).json_value()

    def settled(self) -> None:
        """What htmx brought listens to events from now on."""
        expect(self.page.locator(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added")).to_have_count(0)

    # -- the form ------------------------------------------------------------------------------------------------------

    def fill_meter(self, serial: str, **changes: str) -> None:
        """The form for a meter, filled with what the lab announced of one; `changes` by the label."""
        self.page.goto("/meters/add/")
        announced = self.lab[serial]
        association = announced["association"]
        address = announced["endpoint"].removeprefix("tcp://")
        host, _, port = address.rpartition(":")
        fields = {
            "Serial number": "99990001",
            "Host": host,
            "Port": port,
            "Client SAP": str(association["client_sap"]),
            "Server SAP": str(association.get("server_sap", 1)),
        }
        if association["framing"] == "hdlc":
            self.page.get_by_label("Framing").select_option("HDLC")
            fields["Physical address"] = str(association["hdlc"]["physical_address"])
        if association["authentication"] == "lls":
            fields["Secret"] = association["secret"].removeprefix("text:")
        for label, value in {**fields, **changes}.items():
            self.field(label).fill(value)

    def field(self, label: str) -> Locator:
        return self.page.get_by_label(re.compile(rf"^{re.escape(label)}\*?$"))

    def test(self) -> Locator:
        """Press Test; the panel with the verdict."""
        self.page.get_by_role("button", name="Test", exact=True).click()
        panel = self.page.locator("#test-result")
        expect(panel.locator(".test-head .state")).to_have_text(re.compile("Passed|Failed"))
        return panel

    def rung(self, name: str) -> Locator:
        return self.page.locator(".rung", has_text=name).locator(".rung-word")
