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

from tests.sessions.simulator.truth_client import ask
from tests.site import Site
from workbench import broker

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

LAB = """
reply_delay = {reply_delay}

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
RELAY = {"class_id": 70, "logical_name": "0-0:96.3.10*255"}
PARAMETER = {"value": {"type": "integer", "value": 0}}
DISCONNECT, RECONNECT = ({"kind": "INVOKE", **RELAY, "method_id": method_id, **PARAMETER} for method_id in (1, 2))
SET_MODE = {"kind": "WRITE", **RELAY, "attribute_id": 4, "value": {"type": "enum", "value": 4}}
READ_STATE = {"kind": "READ", **RELAY, "attribute_id": 3}
PROFILE = {"kind": "READ_PROFILE", "logical_name": "1-0:99.1.0*255", "from_entry": 1, "to_entry": 2000}
READ_CLOCK = {"kind": "READ", "class_id": 8, "logical_name": "0-0:1.0.0*255", "attribute_id": 2}


class RunningSite(Site):
    """A workbench's processes, each one started and killed by the test."""

    def __init__(self, data_dir: Path, *, reply_delay: float = 0.15) -> None:
        super().__init__(data_dir)
        self.lab = LAB.format(reply_delay=reply_delay)
        self.truth_address = ""
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
        lab.write_text(self.lab)
        simulate = self.command("simulate", "--lab", str(lab), "--port", "0", "--truth", "0")
        self.run(*simulate, log="lab", ready=lambda: '"meters"' in self.log("lab"))
        line = next(line for line in self.log("lab").splitlines() if '"meters"' in line)
        (self.data_dir / "lab.json").write_text(line)
        self.truth_address = json.loads(line)["truth"]
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

    def executions(self) -> list[tuple[str, int]]:
        """What the meter itself says that it carried out, in order: invoke or write, and the number."""
        _, told = ask(self.truth_address, "/meters/10000001")
        return [(each["kind"], each["number"]) for each in told["executions"]]

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

    def step_states(self, session_id: int) -> list[str]:
        found = self.rows("SELECT state FROM dlms_sessions_step WHERE session_id = %s ORDER BY number", session_id)
        return [state for (state,) in found]

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


@pytest.mark.parametrize("command", [DISCONNECT, SET_MODE], ids=["method", "write"])
def test_killed_while_the_answer_to_a_command_is_on_its_way(tmp_path: Path, command: dict[str, Any]) -> None:
    """The meter has done it, the workbench cannot know: the step is uncertain, and nobody does it again."""
    done = ("invoke", 1) if command is DISCONNECT else ("write", 4)
    with RunningSite(tmp_path, reply_delay=1.5) as site:
        site.start_watchdog()
        worker = site.start_worker("first")
        session_id = site.open_session(command)
        site.until(site.executions, "the meter is not told to do it")
        kill(worker)
        assert site.executions() == [done]
        site.until(lambda: site.state(session_id) == "LOST", "nobody noticed that the worker died")
        assert site.step_states(session_id) == ["UNCERTAIN"]
        site.start_worker("second")
        after = site.open_session(READ_STATE, close=True)
        site.until(lambda: site.state(after) == "DONE", "the next session on the line does not end")
        assert site.executions() == [done]


@pytest.mark.parametrize("count", [4])
def test_killed_among_many_commands(site: RunningSite, count: int) -> None:
    """At whatever moment: what is done by the workbench's rows was done once, in order; the rest at most one more."""
    commands = [DISCONNECT, SET_MODE, RECONNECT, SET_MODE] * 3
    wished = [("invoke", 1), ("write", 4), ("invoke", 2), ("write", 4)] * 3
    site.start_watchdog()
    worker = site.start_worker("first")
    session_id = site.open_session(*commands)
    site.until(lambda: len(site.executions()) >= count, "the meter is not told to do anything")
    kill(worker)
    site.until(lambda: site.state(session_id) == "LOST", "nobody noticed that the worker died")
    states, executed = site.step_states(session_id), site.executions()
    done, uncertain = states.count("DONE"), states.count("UNCERTAIN")
    assert executed == wished[: len(executed)]
    assert done <= len(executed) <= done + uncertain
    assert uncertain <= 1
    assert states[: done + uncertain] == ["DONE"] * done + ["UNCERTAIN"] * uncertain
    site.start_worker("second")
    after = site.open_session(READ_STATE, close=True)
    site.until(lambda: site.state(after) == "DONE", "the next session on the line does not end")
    assert site.executions() == executed


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
