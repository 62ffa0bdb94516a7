"""A real Chromium against the real program: `python -m workbench up` with the demo lab, once for all tests of this folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.bench import Bench
from tests.running import RunningWorkbench

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 30_000
"""Milliseconds to wait for anything: a limit on a busy machine, no expectation."""


@pytest.fixture(scope="package")
def running(tmp_path_factory) -> Iterator[RunningWorkbench]:
    if CHROMIUM is None:
        pytest.skip("there is no chromium on the PATH")
    with RunningWorkbench(tmp_path_factory.mktemp("browser")) as workbench:
        yield workbench


@pytest.fixture(scope="package")
def lab(running: RunningWorkbench) -> dict[str, dict[str, Any]]:
    """The simulated meters, as the lab announced them, by their serial numbers."""
    announced = json.loads((Path(running.data_dir) / "run" / "lab.json").read_text().splitlines()[0])
    return {meter["serial_number"]: meter for meter in announced["meters"]}


@pytest.fixture(scope="package")
def browser(running: RunningWorkbench) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def signed_in(browser: Browser, running: RunningWorkbench) -> Any:
    """The cookies of somebody who signed in through the page."""
    context = browser.new_context(base_url=running.url)
    page = context.new_page()
    page.goto("/accounts/login/")
    page.get_by_label("User name").fill(running.username)
    page.get_by_label("Password").fill(running.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/meters/")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def context(browser: Browser, running: RunningWorkbench, signed_in: Any) -> Iterator[BrowserContext]:
    context = browser.new_context(
        base_url=running.url, storage_state=signed_in, viewport={"width": 1366, "height": 768}
    )
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page on which nothing may go wrong unseen: no error of a script, nothing that the policy forbids."""
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(f"script: {error}"))
    page.on(
        "console", lambda message: troubles.append(message.text) if "Content Security Policy" in message.text else None
    )
    page.on("dialog", lambda dialog: (troubles.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    yield page
    assert troubles == []


@pytest.fixture
def bench(page: Page, lab: dict[str, dict[str, Any]]) -> Iterator[Bench]:
    bench = Bench(page, lab)
    yield bench
    bench.leave()
