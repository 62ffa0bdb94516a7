import socket
import subprocess
import sys

import pytest

from workbench.launcher import LaunchError, free_port, parse_arguments, single_instance


def test_a_busy_port_is_stepped_over():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < free_port("127.0.0.1", port) <= port + 19


def test_a_second_launcher_on_the_same_data_is_refused(tmp_path):
    with single_instance(tmp_path), pytest.raises(LaunchError, match="already running"), single_instance(tmp_path):
        pass
    with single_instance(tmp_path):  # free again
        pass


def test_wrong_usage_is_told_from_help(capsys):
    with pytest.raises(SystemExit) as refused:
        parse_arguments(["sideways"])
    assert refused.value.code == 2
    capsys.readouterr()
    assert parse_arguments(["up", "--port", "0"]).port == 0


def test_the_module_is_the_command(tmp_path):
    done = subprocess.run([sys.executable, "-m", "workbench", "--help"], capture_output=True, text=True, check=True)
    assert "up" in done.stdout
