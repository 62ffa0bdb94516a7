"""The one command, as a newcomer runs it."""

import signal
import sys
import time
import urllib.request

import pytest

from tests.running import RunningWorkbench

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]


def all_gone(bench: RunningWorkbench) -> bool:
    deadline = time.monotonic() + 15
    while bench.processes() and time.monotonic() < deadline:
        time.sleep(0.1)
    return not bench.processes()


def test_it_serves_says_what_it_does_and_takes_everything_down(tmp_path):
    bench = RunningWorkbench(tmp_path).start()
    try:
        with urllib.request.urlopen(f"{bench.url}/accounts/login/") as page:
            assert page.status == 200
            assert b"Sign in" in page.read()
        for said in ("broker", "lab", "database", "worker", "web server"):
            assert f"· {said}" in bench.text
        assert len(bench.processes()) >= 5
        first_password = bench.password
    finally:
        status = bench.stop()
    assert status == 0
    assert "everything is down" in bench.text
    assert all_gone(bench)
    # The secrets of a running workbench are its own user's.
    for name in ("secret.key", "first-sign-in", "master.key"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0

    again = RunningWorkbench(tmp_path).start()
    try:
        assert again.password == first_password  # the data were kept
        again.process.send_signal(signal.SIGKILL)
        again.process.wait(10)
    finally:
        assert all_gone(again)  # even then nobody stays behind
        again.drop_database()
