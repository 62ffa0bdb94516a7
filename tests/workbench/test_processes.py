import os
import signal
import sys
import time

import pytest

from workbench.processes import Program


def program(tmp_path, code: str, **options) -> Program:
    return Program("child", [sys.executable, "-c", code], dict(os.environ), tmp_path / "child.log", **options)


def wait_until(condition, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_program_is_ready_when_it_says_so_and_stops_when_asked(tmp_path):
    flag_file = tmp_path / "flag"
    child = program(
        tmp_path,
        f"import pathlib, time; pathlib.Path({str(flag_file)!r}).touch(); time.sleep(600)",
        ready=flag_file.exists,
    )
    child.start()
    assert child.wait_ready()
    assert child.running
    child.stop()
    assert not child.running
    child.stop()  # again does no harm


def test_a_program_that_ends_is_not_ready_and_its_log_says_why(tmp_path):
    child = program(tmp_path, "raise SystemExit('the disk is full')", ready=lambda: False)
    child.start()
    assert not child.wait_ready()
    assert "the disk is full" in child.log_tail()


def test_output_goes_to_its_own_file_made_anew_at_each_start(tmp_path):
    child = program(tmp_path, "print('one line')")
    child.output = tmp_path / "output"
    child.output.write_text("old")
    child.start()
    assert child.process is not None
    child.process.wait(20)
    assert child.output.read_text() == "one line\n"


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
def test_a_child_that_ignores_signals_is_killed_with_its_own_children(tmp_path):
    code = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "grandchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(grandchild.pid) + '.')\n"
        "time.sleep(600)\n"
    )
    pid_file = tmp_path / "pid"
    child = program(
        tmp_path,
        code,
        ready=lambda: pid_file.exists() and pid_file.read_text().endswith("."),
        stop_signals=((signal.SIGTERM, 0.2),),
    )
    child.start()
    assert child.wait_ready()
    grandchild = int(pid_file.read_text().rstrip("."))
    assert alive(grandchild)
    child.stop()
    assert not child.running
    wait_until(lambda: not alive(grandchild))
