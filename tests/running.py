"""The real program for tests: `python -m workbench up` as a process, on a data directory of its own.

Where DATABASE_URL names a PostgreSQL server, it also gets a database of its own there: secrets are sealed with the master key
of its data directory, and those of another one would stay closed.
"""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = re.compile(r"is at\s+(http://\S+?)/?\s*$")


class RunningWorkbench:
    """A running workbench: `url`, `username`, `password` once started; `lines` is what it said so far."""

    def __init__(self, data_dir: Path, *arguments: str, env: dict[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.arguments = arguments
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("WORKBENCH_")}
        self.env |= {"PYTHONUNBUFFERED": "1", **(env or {})}
        self.database = self._make_database()
        self.lines: list[str] = []
        self.url = self.username = self.password = ""
        self.process: subprocess.Popen[str] | None = None

    def _make_database(self) -> str:
        """The name of the PostgreSQL database, the same for the same data directory; empty on SQLite."""
        url = urlsplit(self.env.get("DATABASE_URL", ""))
        if not url.scheme.startswith("postgres"):
            return ""
        name = f"workbench_up_{hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:12]}"
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                connection.execute(f'CREATE DATABASE "{name}"')
        self.env["DATABASE_URL"] = urlunsplit(url._replace(path=f"/{name}"))
        return name

    def drop_database(self) -> None:
        if self.database:
            with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
                connection.execute(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')

    def start(self, timeout: float = 90.0) -> RunningWorkbench:
        command = [sys.executable, "-m", "workbench", "up", "--data-dir", str(self.data_dir), "--port", "0"]
        self.process = subprocess.Popen(
            [*command, "--workers", "4", *self.arguments],
            cwd=ROOT,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()
        deadline = time.monotonic() + timeout
        while "Ctrl-C stops" not in self.text:
            assert self.process.poll() is None, f"it ended:\n{self.text}"
            assert time.monotonic() < deadline, f"it did not come up in {timeout} s:\n{self.text}"
            time.sleep(0.05)
        self.url = self._said(ADDRESS.pattern)
        self.username = self._said(r"Sign in as\s+(\S+)")
        self.password = self._said(r"Password\s+(\S+)")
        return self

    def _listen(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self.lines.append(line)

    def _said(self, pattern: str) -> str:
        found = re.search(pattern, self.text, re.MULTILINE)
        assert found is not None, self.text
        return found[1]

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def processes(self) -> list[int]:
        """The processes that run on this data directory, by their environment."""
        mark = f"WORKBENCH_DATA_DIR={self.data_dir.resolve()}\0".encode()
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes() + b"\0":
                    found.append(int(entry.name))
            except OSError:  # it ended meanwhile, or belongs to somebody else
                continue
        return found

    def stop(self, signal_number: signal.Signals = signal.SIGINT, timeout: float = 40.0) -> int:
        """As Ctrl-C does; returns the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        return self.process.wait(timeout)

    def __enter__(self) -> RunningWorkbench:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            assert self.process is not None
            self.process.kill()
            raise
        finally:
            self.drop_database()
