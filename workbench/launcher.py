"""`python -m workbench up`: the whole workbench in one command, on embedded defaults.

It starts the broker, the simulated meters, the database's migrations, the worker, the watchdog and the web server, says
what it is doing, restarts what dies, and takes everything down with it on Ctrl-C.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from workbench import broker
from workbench.environment import DEFAULT_SERIAL_DEVICES, listed
from workbench.processes import Program

BASE_DIR = Path(__file__).resolve().parent.parent
DEMO_LAB = BASE_DIR / "sessions" / "simulator" / "labs" / "demo.toml"
MAX_RESTARTS = 5
RESTART_WINDOW = 60.0


class LaunchError(Exception):
    """The workbench cannot start; the message says why and what to do."""


class Stopped(Exception):
    """Ctrl-C or SIGTERM."""


def say(text: str = "") -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m workbench", description="The Meter Workbench in one command.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start everything and serve until Ctrl-C")
    up.add_argument("--data-dir", type=Path, default=Path(os.environ.get("WORKBENCH_DATA_DIR", BASE_DIR / "var")))
    up.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: this machine only)")
    up.add_argument(
        "--port", type=int, default=8000, help="the port to listen on; the next free one is taken if it is busy"
    )
    up.add_argument("--workers", type=int, default=8, help="sessions that can run at the same time")
    up.add_argument("--no-lab", action="store_true", help="without the simulated meters")
    return parser.parse_args(arguments)


@contextlib.contextmanager
def single_instance(data_dir: Path) -> Iterator[None]:
    """Refuse a second launcher on the same data directory: two would fight over broker and ports."""
    path = data_dir / "run" / "workbench.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            address = lock.read().strip() or "unknown address"
            raise LaunchError(f"The workbench is already running on this data directory: {address}") from None
        yield
        lock.truncate(0)


def free_port(host: str, port: int) -> int:
    """`port`, or the next free one of the twenty after it; any free one for 0."""
    for candidate in range(port, port + 20):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise LaunchError(f"No free port from {port} to {port + 19} on {host}: choose another with --port.")


class Workbench:
    """The processes of one running workbench."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.data_dir: Path = options.data_dir.resolve()
        self.lab_file = self.data_dir / "run" / "lab.json"
        self.env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "workbench.settings",
            "WORKBENCH_DATA_DIR": str(self.data_dir),
            "PYTHONUNBUFFERED": "1",
        }
        self.programs: list[Program] = []
        self.port = 0

    # -- start -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        for folder in ("run", "log"):
            (self.data_dir / folder).mkdir(parents=True, exist_ok=True)
        os.chmod(self.data_dir, 0o700)
        self.port = free_port(self.options.host, self.options.port)
        own = f"{self.options.host}:{self.port}"
        self.env["WORKBENCH_OWN_SERVICES"] = ",".join([*listed("WORKBENCH_OWN_SERVICES"), own])
        self.start_broker()
        if not self.options.no_lab:
            self.start_lab()
        say("· database: applying migrations")
        sign_in = self.prepare()
        self.start_worker()
        self.start_web()
        self.announce(sign_in)

    def start_broker(self) -> None:
        if os.environ.get("REDIS_URL"):
            say("· broker: the Redis named by REDIS_URL")
            return
        binary = broker.find_server()
        if binary is None:
            raise LaunchError(
                "No broker for this platform: install valkey or redis (valkey-server or redis-server on the PATH), "
                "or name a running one with REDIS_URL."
            )
        socket_file = broker.socket_path(self.data_dir)
        socket_file.unlink(missing_ok=True)
        self.env["WORKBENCH_BROKER_SOCKET"] = str(socket_file)
        say(f"· broker: {binary.name}, on a private socket")
        command = broker.server_command(binary, data_dir=self.data_dir, socket_file=socket_file)
        self.run(Program("broker", command, self.env, self.log("broker"), lambda: broker.answers(socket_file)))

    def start_lab(self) -> None:
        say("· lab: simulated meters on the TCP wrapper, an HDLC line and a pseudo-terminal")
        serial_dir = self.data_dir / "run" / "serial"
        command = self.manage("simulate", "--lab", str(DEMO_LAB), "--serial-dir", str(serial_dir))
        lab = Program("lab", command, self.env, self.log("lab"), lambda: b"\n" in self.lab_file.read_bytes())
        lab.output = self.lab_file  # one JSON line, once every meter listens
        self.run(lab)
        # The lab's pseudo-terminals join the administrator's list; their names stay the same from run to run.
        ports = [f"demo-{link.name}={link}" for link in sorted(serial_dir.iterdir())]
        self.env["WORKBENCH_SERIAL_PORTS"] = ",".join([*listed("WORKBENCH_SERIAL_PORTS"), *ports])
        devices = listed("WORKBENCH_SERIAL_DEVICES") or DEFAULT_SERIAL_DEVICES
        self.env["WORKBENCH_SERIAL_DEVICES"] = ",".join([*devices, "/dev/pts/*"])

    def prepare(self) -> dict[str, str]:
        """Migrations, the first user, the demo inventory: one process, whose last line is JSON."""
        command = self.manage("prepare")
        if not self.options.no_lab:
            command += ["--lab", str(self.lab_file)]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)
        with self.log("prepare").open("a") as log:
            log.write(done.stdout + done.stderr)
        if done.returncode != 0:
            raise LaunchError(f"The database could not be prepared:\n{(done.stderr or done.stdout)[-2000:]}")
        answer: dict[str, str] = json.loads(done.stdout.strip().splitlines()[-1])
        return answer

    def start_worker(self) -> None:
        say("· worker: runs the sessions; watchdog: notices when one dies")
        name = f"worker-{os.getpid()}@%h"
        command = [sys.executable, "-m", "celery", "-A", "workbench", "worker", "--loglevel", "INFO", "-n", name]
        command += ["--concurrency", str(self.options.workers), "-Q", "interactive,batch,export", "--without-mingle"]
        log = self.log("worker")
        log.unlink(missing_ok=True)
        worker = Program("worker", command, self.env, log, lambda: b" ready." in log.read_bytes())
        worker.stop_signals = ((signal.SIGTERM, 4.0), (signal.SIGQUIT, 4.0))
        self.run(worker, wait=False)
        self.run(Program("watchdog", self.manage("watch_sessions"), self.env, self.log("watchdog")))

    def start_web(self) -> None:
        url = f"http://{self.shown_host}:{self.port}/health/"

        def ready() -> bool:
            try:
                with urllib.request.urlopen(url, timeout=1.0) as answer:
                    return bool(answer.status == 200)
            except (OSError, urllib.error.URLError):
                return False

        command = [sys.executable, "-m", "daphne", "-b", self.options.host, "-p", str(self.port)]
        command += ["workbench.asgi:application"]
        say("· web server")
        self.run(Program("web", command, self.env, self.log("web"), ready))

    def announce(self, sign_in: dict[str, str]) -> None:
        for program in self.programs:
            if program.name == "worker" and not program.wait_ready():
                raise LaunchError(self.died(program))
        say()
        say(f"  The Meter Workbench is at  http://{self.shown_host}:{self.port}/")
        say(f"  Sign in as                 {sign_in['username']}")
        say(f"  Password                   {sign_in['password']}")
        say()
        say(f"  Data and logs are in {self.data_dir}; Ctrl-C stops everything.")
        (self.data_dir / "run" / "workbench.lock").write_text(f"http://{self.shown_host}:{self.port}/\n")

    # -- keep running ------------------------------------------------------------------------------------------------

    def watch(self) -> None:
        """Restart what dies, until stopped; give up on a program that dies again and again."""
        while True:
            time.sleep(0.5)
            for program in self.programs:
                if program.running:
                    continue
                now = time.monotonic()
                program.restarts = [at for at in program.restarts if now - at < RESTART_WINDOW] + [now]
                if len(program.restarts) > MAX_RESTARTS:
                    raise LaunchError(self.died(program))
                say(f"! {program.name} ended (see {program.log}); starting it again")
                program.start()
                if program.name == "lab" and program.wait_ready():
                    self.prepare()  # its ports may be others now

    def stop(self) -> None:
        for program in reversed(self.programs):
            program.stop()

    # -- small things ------------------------------------------------------------------------------------------------

    def run(self, program: Program, *, wait: bool = True) -> None:
        self.programs.append(program)
        program.start()
        if wait and not program.wait_ready():
            raise LaunchError(self.died(program))

    def died(self, program: Program) -> str:
        return f"{program.name} did not come up. The end of {program.log}:\n{program.log_tail()}"

    def manage(self, *arguments: str) -> list[str]:
        return [sys.executable, str(BASE_DIR / "manage.py"), *arguments]

    def log(self, name: str) -> Path:
        return self.data_dir / "log" / f"{name}.log"

    @property
    def shown_host(self) -> str:
        return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.options.host, self.options.host)


def raise_stopped(signal_number: int, frame: FrameType | None) -> None:
    raise Stopped


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(sys.argv[1:] if arguments is None else arguments)
    signal.signal(signal.SIGINT, raise_stopped)
    signal.signal(signal.SIGTERM, raise_stopped)
    status = 0
    try:
        with single_instance(options.data_dir.resolve()):
            bench = Workbench(options)
            try:
                bench.start()
                bench.watch()
            finally:
                # A second Ctrl-C must not leave half of the processes behind.
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                say("· stopping")
                bench.stop()
    except Stopped:
        say("· stopped, everything is down")
    except LaunchError as error:
        sys.stderr.write(f"{error}\n")
        status = 1
    return status
