"""A workbench of its own for tests that need more than one process: its data directory, its database, its environment.

On SQLite the database is a file of its own. On PostgreSQL it is the test database, which the test must then see committed
(`django_db(transaction=True)`).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
MASTER_KEY = "00" * 31 + "01"


class Site:
    """`with Site(tmp_path) as site: site.shell("…")`."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("WORKBENCH_")}
        self.env.pop("REDIS_URL", None)
        self.env |= {
            "WORKBENCH_DATA_DIR": str(data_dir),
            "WORKBENCH_MASTER_KEY": MASTER_KEY,
            "DJANGO_SETTINGS_MODULE": "workbench.settings",
            "PYTHONUNBUFFERED": "1",
        }
        if connection.vendor == "postgresql":
            self.env["DATABASE_URL"] = _url(connection.settings_dict)
        else:
            self.env.pop("DATABASE_URL", None)

    def __enter__(self) -> Site:
        if connection.vendor != "postgresql":
            self.manage("migrate", "--skip-checks", "--verbosity", "0")
            self.shell("from tests.targets import allow; allow()")
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    def manage(self, *arguments: str, timeout: float = 60.0) -> str:
        """The output of one management command; fails with what it said."""
        done = subprocess.run(
            self.command(*arguments),
            env=self.env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"{arguments[0]}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
        return done.stdout

    def shell(self, code: str) -> str:
        """What a piece of Python prints in this workbench."""
        return self.manage("shell", "--no-imports", "-c", code)

    def start(self, *command: str, log: str) -> subprocess.Popen[bytes]:
        """A process of this workbench, in a group of its own, whose output goes to a file."""
        with (self.data_dir / f"{log}.log").open("ab") as output:
            return subprocess.Popen(
                command, env=self.env, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(ROOT / "manage.py"), *arguments]

    def rows(self, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
        """What the workbench's database answers now, with `%s` for arguments."""
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(sql, arguments)
                return [tuple(row) for row in cursor.fetchall()]
        with contextlib.closing(sqlite3.connect(self.data_dir / "workbench.sqlite3", timeout=20)) as database:
            return database.execute(sql.replace("%s", "?"), arguments).fetchall()

    def one(self, sql: str, *arguments: object) -> Any:
        """The first column of the only row."""
        ((value,),) = self.rows(sql, *arguments)
        return value

    def log(self, name: str) -> str:
        path = self.data_dir / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""


def _url(settings: dict[str, object]) -> str:
    host, port = settings["HOST"] or "localhost", settings["PORT"] or 5432
    return f"postgres://{settings['USER']}:{settings['PASSWORD']}@{host}:{port}/{settings['NAME']}"
