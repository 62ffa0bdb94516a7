"""`manage.py simulate`: one line of JSON, then meters, until it is told to stop."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from sessions.association_file import parse_association
from sessions.dlms.wrapper import WrapperFrame
from sessions.links.endpoint import parse_endpoint
from sessions.simulator.lab import LABS
from sessions.simulator.quirks import QUIRKS
from tests.conftest import ROOT
from tests.meters.test_gxc import REGISTER, made
from tests.sessions.simulator.truth_client import ask


@contextmanager
def announced(*arguments: str) -> Iterator[dict[str, Any]]:
    """The command as a process, and all that it announced."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "simulate", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": ""},
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


@contextmanager
def simulate(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[dict[str, Any]]]]:
    """The command as a process, and what it announced."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "simulate", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": ""},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield process, json.loads(line)["meters"] if line else []
    finally:
        process.kill()
        process.communicate()


def usage(*arguments: str) -> str:
    with pytest.raises(CommandError) as refused:
        call_command("simulate", *arguments, stdout=io.StringIO())
    return str(refused.value)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_demo_lab_from_start_to_stop(tmp_path, stop):
    with simulate("--lab", str(LABS / "demo.toml"), "--port", "0", "--serial-dir", str(tmp_path)) as (process, meters):
        assert len(meters) == 5
        for meter in meters:
            assert parse_association(meter["association"])
            parse_endpoint(meter["endpoint"])
        assert (tmp_path / "10000005").is_symlink()
        process.send_signal(stop)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0
        assert out == ""  # the announcement was all
        assert err == ""
        assert not (tmp_path / "10000005").exists()


def test_the_truth_is_told_where_it_is_asked_for():
    with announced("--count", "2", "--port", "0", "--truth", "0", "--truth-keys") as said:
        _, told = ask(said["truth"], "/meters")
        assert [meter["serial_number"] for meter in told["meters"]] == ["10000001", "10000002"]
        assert ask(said["truth"], "/meters/10000001")[1]["secrets"] == {"32": b"12345678".hex()}
    with announced("--port", "0") as said:
        assert list(said) == ["meters"]
    assert "--truth PORT" in usage("--truth-keys")


def test_the_state_survives_the_program(tmp_path):
    with simulate("--port", "0", "--state", str(tmp_path)) as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["10000001.json"]
    (tmp_path / "10000001.json").write_text("{")
    assert "10000001.json is damaged" in usage("--port", "0", "--state", str(tmp_path))
    assert "--lab or --count" in usage("--gxc", "none.gxc", "--state", str(tmp_path))


def test_stopping_with_clients_connected():
    with simulate("--count", "3", "--port", "0") as (process, meters):
        assert [meter["serial_number"] for meter in meters] == ["10000001", "10000002", "10000003"]
        endpoints = [parse_endpoint(meter["endpoint"]) for meter in meters]
        assert len(set(endpoints)) == 3
        clients = [socket.create_connection((each.host, each.port), timeout=10) for each in endpoints]  # type: ignore[union-attr]
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 0
        for client in clients:
            client.close()


def test_one_plain_meter_with_lls():
    with simulate("--port", "0") as (_, meters):
        (meter,) = meters
        assert meter["association"]["framing"] == "wrapper"
        assert meter["association"]["authentication"] == "lls"


def test_a_recorded_meter(captures):
    with simulate("--replay", f"{captures / 'sessions.json'}#ce318-read-time", "--port", "0") as (_, meters):
        (meter,) = meters
        assert meter["association"]["secret"] == "text:111111"
        assert meter["association"]["hdlc"] == {"address_octets": 2, "physical_address": 26, "max_info": 128}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--lab", "none.toml"], "cannot be read"),
        (["--replay", "none.json#id"], "cannot be read"),
        (["--quirk", "sulks"], "invalid choice: 'sulks'"),
        (["--lost", "1.5"], "lost is a chance from 0 to 1"),
        (["--replay", "none.json"], "FILE#ID"),
        (["--count", "0"], "from 1 to"),
        (["--count", "many"], "from 1 to"),
        (["--port", "65536"], "from 0 to 65535"),
        (["--lab", "a.toml", "--count", "2"], "not allowed with"),
    ],
)
def test_what_cannot_be_simulated(arguments, reason):
    assert reason in usage(*arguments)


def test_a_taken_port_is_an_error_with_a_sentence(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), "simulate", "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    assert str(port) in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_device_file_comes_up_as_a_meter(tmp_path):
    path = tmp_path / "meter.gxc"
    path.write_bytes(made("<InterfaceType>1</InterfaceType><Authentication>Low</Authentication>", objects=REGISTER))
    with simulate("--gxc", str(path), "--port", "0") as (_, meters):
        assert [meter["serial_number"] for meter in meters] == ["10000001"]
        assert parse_association(meters[0]["association"]).parameters.authentication.name == "LLS"
    assert "cannot be read" in usage("--gxc", str(tmp_path / "missing.gxc"))


def test_a_bad_line_from_the_command_line():
    with simulate("--port", "0", "--cut-after", "4", "--direction", "from-meter") as (_, (meter,)):
        endpoint = parse_endpoint(meter["endpoint"])
        with socket.create_connection((endpoint.host, endpoint.port), 10) as client:
            client.sendall(bytes.fromhex("0001001000010000"))
            client.sendall(bytes.fromhex("0001001000010002C000"))
            answer = b""
            while octets := client.recv(4096):
                answer += octets
    assert answer == b"\x00\x01\x00\x01"


def test_an_odd_meter_from_the_command_line():
    with simulate("--port", "0", "--quirk", "aare-protocol-version") as (_, (meter,)):
        endpoint = parse_endpoint(meter["endpoint"])
        aarq = bytes.fromhex("601DA109060760857405080101BE10040E01000000065F1F0400001E1DFFFF")
        with socket.create_connection((endpoint.host, endpoint.port), 10) as client:
            client.sendall(WrapperFrame(16, 1, aarq).encode())
            client.settimeout(10)
            aare = client.recv(4096)[8:]
    assert aare[2:6] == bytes.fromhex("80020780")


@pytest.mark.parametrize("name", ["types", "suites"])
def test_a_lab_that_comes_along_is_known_by_its_name(name):
    with simulate("--lab", name, "--port", "0") as (_, meters):
        assert len(meters) >= 2
    with pytest.raises(CommandError, match="nobody"):
        call_command("simulate", lab=Path("nobody"))


def test_the_quirks_are_listed():
    told = io.StringIO()
    call_command("simulate", "--quirks", stdout=told)
    lines = dict(line.split(maxsplit=1) for line in told.getvalue().splitlines())
    assert {name: quirk.words for name, quirk in QUIRKS.items()} == lines
