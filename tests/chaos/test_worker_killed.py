"""The worker dies in the middle of a profile: what was recorded stays, the session says so, the line is free again.

Everything is real: broker, Celery worker, watchdog, a simulated meter on an HDLC line, the database.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.site import Site
from workbench import broker

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

LAB = """
reply_delay = 0.15

[[lines]]
kind = "hdlc"

[[lines.meters]]
serial_number = "10000001"
name = "slow meter"
physical_address = 17
max_pdu_size = 120

[lines.meters.association]
client_sap = 32
authentication = "lls"
secret = "text:12345678"
"""
OPEN = """
from django.contrib.auth import get_user_model
from meters.models import Meter
from sessions.services import close_session, open_session
user, _ = get_user_model()._default_manager.get_or_create(username="chaos")
session = open_session(meter_id=Meter.objects.get().pk, user=user, steps={steps})
if {close}:
    close_session(session_id=session.pk, user=user)
print(session.pk)
"""
PROFILE = {"kind": "READ_PROFILE", "logical_name": "1-0:99.1.0*255", "from_entry": 1, "to_entry": 2000}
READ_CLOCK = {"kind": "READ", "class_id": 8, "logical_name": "0-0:1.0.0*255", "attribute_id": 2}


class RunningSite(Site):
    """A workbench's processes, each one started and killed by the test."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> RunningSite:
        super().__enter__()
        binary = broker.find_server()
        if binary is None:
            pytest.skip("there is no broker for this platform")
        socket_file = broker.socket_path(self.data_dir)
        socket_file.parent.mkdir(parents=True, exist_ok=True)
        self.env["WORKBENCH_BROKER_SOCKET"] = str(socket_file)
        command = broker.server_command(binary, data_dir=self.data_dir, socket_file=socket_file)
        self.run(*command, log="broker", ready=lambda: broker.answers(socket_file))
        lab = self.data_dir / "lab.toml"
        lab.write_text(LAB)
        simulate = self.command("simulate", "--lab", str(lab), "--port", "0")
        self.run(*simulate, log="lab", ready=lambda: '"meters"' in self.log("lab"))
        line = next(line for line in self.log("lab").splitlines() if '"meters"' in line)
        (self.data_dir / "lab.json").write_text(line)
        self.manage("load_demo", str(self.data_dir / "lab.json"))
        return self

    def __exit__(self, *exc_info: object) -> None:
        for process in reversed(self.processes):
            kill(process)

    def run(self, *command: str, log: str, ready: Callable[[], object]) -> subprocess.Popen[bytes]:
        process = self.start(*command, log=log)
        self.processes.append(process)
        self.until(ready, f"{log} is not ready", process=process)
        return process

    def start_worker(self, name: str) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "workbench",
            "worker",
            "--loglevel",
            "INFO",
            "-n",
            f"{name}@%h",
        ]
        command += ["--concurrency", "2", "-Q", "interactive", "--without-mingle", "--without-gossip"]
        return self.run(*command, log=name, ready=lambda: " ready." in self.log(name))

    def start_watchdog(self) -> subprocess.Popen[bytes]:
        return self.run(
            *self.command("watch_sessions"), log="watchdog", ready=lambda: "watching" in self.log("watchdog")
        )

    def open_session(self, *steps: dict[str, Any], close: bool = False) -> int:
        return int(self.shell(OPEN.format(steps=json.dumps(steps), close=close)))

    def until(self, ready: Callable[[], object], what: str, *, timeout: float = 60.0, process: Any = None) -> float:
        """Wait for something; how long it took."""
        began = time.monotonic()
        while not ready():
            assert process is None or process.poll() is None, f"{what}, it ended: {self.logs()}"
            assert time.monotonic() < began + timeout, f"{what}: {self.logs()}"
            time.sleep(0.1)
        return time.monotonic() - began

    def logs(self) -> str:
        return "\n".join(
            f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}" for path in self.data_dir.glob("*.log")
        )

    def state(self, session_id: int) -> str:
        return str(self.one("SELECT state FROM dlms_sessions_dlmssession WHERE id = %s", session_id))

    def frames(self, session_id: int) -> list[tuple[Any, ...]]:
        return self.rows(
            "SELECT seq, direction, octets FROM dlms_sessions_frame WHERE session_id = %s ORDER BY id", session_id
        )

    def entries(self, session_id: int) -> list[int]:
        found = self.rows(
            "SELECT e.number FROM dlms_sessions_profileentry e JOIN dlms_sessions_step s ON s.id = e.step_id "
            "WHERE s.session_id = %s ORDER BY e.id",
            session_id,
        )
        return [number for (number,) in found]


def kill(process: subprocess.Popen[bytes]) -> None:
    """The process and all of its children, at once."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


@pytest.fixture
def site(tmp_path) -> Iterator[RunningSite]:
    with RunningSite(tmp_path) as running:
        yield running


def test_killed_in_the_middle_of_a_profile(site: RunningSite) -> None:
    site.start_watchdog()
    worker = site.start_worker("first")
    session_id = site.open_session(PROFILE)
    site.until(lambda: len(site.entries(session_id)) > 10, "no rows arrive")
    seen_frames, seen_entries = site.frames(session_id), site.entries(session_id)
    assert site.state(session_id) == "OPEN"
    kill(worker)

    waited = site.until(lambda: site.state(session_id) == "LOST", "nobody noticed that the worker died")
    print(f"noticed after {waited:.1f} s")  # noqa: T201
    frames, entries = site.frames(session_id), site.entries(session_id)
    assert frames[: len(seen_frames)] == seen_frames
    assert [seq for seq, _, _ in frames] == list(range(1, len(frames) + 1))
    assert entries[: len(seen_entries)] == seen_entries
    assert entries == list(range(1, len(entries) + 1))
    assert not any(b"12345678" in bytes(octets) for _, _, octets in frames)
    error = site.one("SELECT error FROM dlms_sessions_dlmssession WHERE id = %s", session_id)
    assert "worker-lost" in json.dumps(error)
    assert site.one("SELECT state FROM dlms_sessions_step WHERE session_id = %s", session_id) == "FAILED"
    assert site.one("SELECT session_id FROM dlms_sessions_linelease") is None

    # The line is free, and nothing that is left of the first worker disturbs the next session on it.
    again = site.open_session(READ_CLOCK, close=True)
    site.start_worker("second")
    site.until(lambda: site.state(again) == "DONE", "the next session on the line does not end")
    assert site.frames(session_id) == frames
    assert site.state(session_id) == "LOST"


def test_a_broker_that_forgot_everything(site: RunningSite) -> None:
    """The bell is lost; the watchdog rings again."""
    session_id = site.open_session(READ_CLOCK, close=True)
    site.shell(
        "from workbench.celery import app\n"
        "with app.connection_for_write() as connection:\n"
        "    connection.default_channel.client.flushall()\n"
    )
    site.start_worker("first")
    site.start_watchdog()
    site.until(lambda: site.state(session_id) == "DONE", "nobody rang again")


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_a_worker_that_is_stopped_ends_its_session_in_a_clear_state(site: RunningSite, busy: bool) -> None:
    worker = site.start_worker("first")
    session_id = site.open_session(*([PROFILE] if busy else []))
    ready = (lambda: len(site.entries(session_id)) > 5) if busy else (lambda: site.state(session_id) == "OPEN")
    site.until(ready, "the session does not open")
    worker.send_signal(signal.SIGTERM)
    site.until(lambda: worker.poll() is not None, "the worker does not stop")
    assert site.state(session_id) == "FAILED"
    assert "worker-stopped" in json.dumps(
        site.one("SELECT error FROM dlms_sessions_dlmssession WHERE id = %s", session_id)
    )
