"""The command as a technician uses it: a process that listens, a lab that pushes to it, JSON lines."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from sessions.dlms.errors import LocalProtocolError
from sessions.dlms.notification_receiver import Heard
from sessions.management.commands.listen import told
from tests.conftest import ROOT
from tests.sessions.dlms.test_notification_receiver import ASKS, PUSH
from tests.sessions.management.commands.test_read import environment
from tests.sessions.simulator.push.running import RunningClock, device_of, lab, until
from tests.sessions.simulator.push.test_sender import CONFIRMED_SETUP, destination, setup
from tests.sessions.simulator.served import GMAC, LLS, NOON, lab_meter

ASSOCIATION = "\n".join(f"{name} = {json.dumps(value)}" for name, value in {"framing": "wrapper", **GMAC}.items())


@contextmanager
def command(directory: Path, *arguments: str) -> Any:
    """The process, without a database, and what it said first."""
    with subprocess.Popen(
        [sys.executable, "manage.py", "listen", *arguments],
        cwd=ROOT,
        env=environment(directory),
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        try:
            yield running, json.loads(running.stdout.readline())
        finally:
            running.kill()


@pytest.mark.parametrize("scheme", ["tcp", "udp"])
def test_it_prints_what_a_lab_pushes_and_confirms_it(scheme, tmp_path):
    """Ciphered and confirmed, with counters that stay above those of the meter's clients; then --count ends it."""
    path = tmp_path / "meter.toml"
    path.write_text(f"{ASSOCIATION}\ninvocation_counter = 5000\n")
    with command(tmp_path, f"{scheme}://127.0.0.1:0", "--association", str(path), "--count", "1") as (running, first):
        (endpoint,) = first["listening"]
        port = int(endpoint.rpartition(":")[2])

        async def push() -> None:
            clock = RunningClock(NOON)
            meter = lab_meter(GMAC, clock=clock)
            device_of(meter).security.floor.lowest = 4_000
            async with lab(clock, meter, directory=tmp_path):
                setup(meter, CONFIRMED_SETUP).write(3, destination(scheme, port))
                setup(meter, CONFIRMED_SETUP).invoke(1, None)
                device_of(meter).settle()
                await until(lambda: device_of(meter).outbox.tally.confirmed == 1)

        asyncio.run(push())
        said = json.loads(running.stdout.readline())
        assert running.wait(20) == 0
    assert said["kind"] == "data-notification"
    assert (said["protected"], said["confirmation"], said["client_sap"]) == (True, "sent", 1)
    assert said["system_title"].startswith("4D5742")
    assert said["body"][0] == CONFIRMED_SETUP.octets.hex()
    assert said["date_time"].startswith("2026-11-25 12:00")


def test_several_ports_and_no_keys(tmp_path):
    """A ciphered push without keys is an error with the octets; the next one is heard."""
    with command(tmp_path, "tcp://127.0.0.1:0", "udp://127.0.0.1:0") as (running, first):
        ports = [int(each.rpartition(":")[2]) for each in first["listening"]]

        async def push() -> None:
            clock = RunningClock(NOON)
            ciphered, clear = lab_meter(GMAC, clock=clock), lab_meter(LLS, clock=clock, serial_number="10000002")
            async with lab(clock, ciphered, clear, directory=tmp_path):
                for meter, scheme, port in ((ciphered, "tcp", ports[0]), (clear, "udp", ports[1])):
                    setup(meter).write(3, destination(scheme, port))
                    setup(meter).invoke(1, None)
                    device_of(meter).settle()
                    await until(lambda meter=meter: device_of(meter).outbox.tally.delivered == 1)  # type: ignore[misc]

        asyncio.run(push())
        lines = [json.loads(running.stdout.readline()) for _ in range(2)]
        running.terminate()
        assert running.wait(20) == 0
    error = next(line for line in lines if "error" in line)
    assert error["error"]["code"] == "no-key"
    assert error["octets"].startswith("DB08")
    assert next(line for line in lines if "kind" in line)["protected"] is False


@pytest.mark.parametrize(
    "arguments", [["serial:///dev/ttyUSB0"], ["nowhere"], []], ids=["a serial port", "no endpoint", "nothing"]
)
def test_wrong_usage(arguments):
    with pytest.raises(CommandError):
        call_command("listen", *arguments)


def test_an_association_that_cannot_be_used_ends_it(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        call_command("listen", "tcp://127.0.0.1:0", "--association", str(Path(tmp_path / "none.toml")))
    assert ended.value.code == 1
    assert "none.toml" in capsys.readouterr().out


def heard(**changes: Any) -> Heard:
    return Heard(framing="wrapper", client_sap=1, server_sap=1, octets=b"\x0f", **changes)


def test_what_is_told_of_a_confirmation():
    assert told("x", heard(notification=PUSH))["confirmation"] == "not asked for"
    refused = LocalProtocolError("no counter is left")
    line = told("x", heard(notification=ASKS, unconfirmed=refused))
    assert line["confirmation"] == "not possible: no counter is left"
