"""`manage.py fault_proxy`: it says where it listens, what it did, and ends when it is told to."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from sessions.dlms.wrapper import WrapperFrame
from sessions.links.endpoint import parse_endpoint
from sessions.management.commands.fault_proxy import _listen
from tests.conftest import ROOT
from tests.sessions.management.commands.test_simulate import simulate

AARQ = bytes.fromhex("601DA109060760857405080101BE10040E01000000065F1F0400001E1DFFFF")


def test_a_proxy_before_a_meter():
    with simulate("--port", "0") as (_, (announced,)):
        meter = parse_endpoint(announced["endpoint"])
        command = [sys.executable, str(ROOT / "manage.py"), "fault_proxy", "--listen", "0"]
        options = ["--to", f"{meter.host}:{meter.port}", "--seed", "1", "--doubled", "1", "--direction", "from-meter"]
        environment = {**os.environ, "PYTHONUNBUFFERED": ""}
        process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True, env=environment)
        try:
            assert process.stdout is not None
            listening = json.loads(process.stdout.readline())
            assert listening["listening"].startswith("tcp://127.0.0.1:")
            proxy = parse_endpoint(listening["listening"])
            with socket.create_connection((proxy.host, proxy.port), 10) as client:
                client.sendall(WrapperFrame(16, 1, AARQ).encode())
                client.settimeout(10)
                answer = b""
                while len(answer) < 8:
                    answer += client.recv(4096)
            assert answer[::2] == answer[1::2]
            assert answer[:4] == b"\x00\x00\x01\x01"  # the wrapper's version, each octet twice
            process.send_signal(signal.SIGTERM)
            told = [json.loads(line) for line in process.stdout]
            assert process.wait(10) == 0
        finally:
            process.kill()
            process.communicate()
    assert told[0] == {"time": told[0]["time"], "connection": 0, "event": "opened"}
    assert {"doubled"} == {each["fault"] for each in told if "fault" in each}
    assert [each["offset"] for each in told if "fault" in each][:3] == [0, 1, 2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "127.0.0.1:4059"], "--listen"),
        (["--listen", "0"], "--to"),
        (["--listen", "here", "--to", "127.0.0.1:4059"], "HOST:PORT"),
        (["--listen", ":4059", "--to", "127.0.0.1:4059"], "HOST:PORT"),
        (["--listen", "0", "--to", "udp://127.0.0.1:4059"], "UDP"),
        (["--listen", "0", "--to", "ftp://127.0.0.1:4059"], "not an endpoint"),
        (["--listen", "0", "--to", "127.0.0.1:4059", "--lost", "7"], "chance from 0 to 1"),
    ],
)
def test_wrong_usage(arguments, words):
    with pytest.raises(CommandError, match=words):
        call_command("fault_proxy", *arguments, stdout=io.StringIO())


def test_where_it_listens():
    assert [_listen(text) for text in ("4059", "0.0.0.0:1", "[::1]:2")] == [
        ("127.0.0.1", 4059),
        ("0.0.0.0", 1),
        ("::1", 2),
    ]
