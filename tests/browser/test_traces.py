"""Recorded real meters, added through the form and read on the session page."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.bench import Bench
from tests.conftest import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture
def recorded(request, captures: Path) -> Iterator[dict[str, Any]]:
    """What `simulate --replay` announces of the trace that the test names."""
    trace = f"{captures / 'sessions.json'}#{request.param}"
    command = [sys.executable, str(ROOT / "manage.py"), "simulate", "--port", "0", "--replay", trace]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["meters"][0]
        finally:
            process.terminate()


def open_recorded(page: Page, recorded: dict[str, Any]) -> Bench:
    bench = Bench(page, {"recorded": recorded})
    association = recorded["association"]
    bench.allow_target(int(recorded["endpoint"].rpartition(":")[2]))
    bench.fill_meter("recorded", **{"Serial number": recorded["serial_number"]})
    bench.field("Address octets").select_option(str(association["hdlc"]["address_octets"]))
    if association["authentication"] == "none":
        bench.field("Authentication").select_option("none")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(re.compile(r"/meters/\d+/$"))  # leaving earlier would take the form back
    bench.open_session(recorded["serial_number"])
    return bench


@pytest.mark.parametrize("recorded", ["ce318-read-time"], indirect=True)
def test_the_recorded_clock(page: Page, recorded: dict[str, Any]) -> None:
    bench = open_recorded(page, recorded)
    bench.ask("Clock")
    expect(bench.expect_step(1)).to_contain_text("2022-08-15 21:08:13")
    bench.close()


@pytest.mark.parametrize(
    ("recorded", "rows"),
    [("ce318-profile-1", 48), ("ce318-profile-2", 49), ("ce318-profile-3", 48)],
    indirect=["recorded"],
)
def test_the_recorded_profile(page: Page, recorded: dict[str, Any], rows: int) -> None:
    bench = open_recorded(page, recorded)
    bench.read_profile()
    expect(bench.expect_step(1)).to_contain_text(f"{rows} rows")
    expect(page.locator("[data-row-count]")).to_have_text(f"{rows} rows")
    bench.close()
