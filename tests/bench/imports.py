"""An import of very many meters, from the uploaded octets to the last row, and its undo: seconds and memory.

On the wall, and of the processors: of this process and of PostgreSQL's for it. On a machine that does other things too, the wall
says little.

`make bench` takes 20,000 rows on SQLite; 100,000 of them, and PostgreSQL, on request, on an empty database that is only for this:
`DATABASE_URL=postgres://… python -m tests.bench.imports --meters 100000`.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.bench.inventory import backend_seconds

ROOT: Final = Path(__file__).resolve().parent.parent.parent
METERS: Final = 20_000
MASTER_KEY: Final = "00" * 32
"""Uploads wait sealed. Nothing that is worth sealing is in these."""
HEADINGS: Final = (
    "Serial number", "Name", "Maker", "Model", "Batch", "Tags", "Location", "State", "System title", "Host", "Port", "Framing",
    "Association", "Client SAP", "Authentication",
)  # fmt: skip


def figures() -> dict[str, Any]:
    """On SQLite, in a process and a directory of their own."""
    with tempfile.TemporaryDirectory() as directory:
        environment = {**os.environ, "WORKBENCH_DATA_DIR": directory, "WORKBENCH_MASTER_KEY": MASTER_KEY}
        environment.pop("DATABASE_URL", None)
        command = [sys.executable, "-m", "tests.bench.imports"]
        done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.imports", description=__doc__)
    parser.add_argument("--meters", type=int, default=METERS)
    parser.add_argument("--xlsx", action="store_true", help="a workbook instead of a CSV file")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "workbench.settings")
    os.environ.setdefault("WORKBENCH_MASTER_KEY", MASTER_KEY)
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    from meters.models import AllowedTarget

    AllowedTarget.objects.create(network="10.0.0.0/8", first_port=1, last_port=65535, tcp=True)
    user = get_user_model().objects.create_user("bench")
    answer = {
        "unit": "s",
        "database": connection.vendor,
        "meters": options.meters,
        "load": os.getloadavg()[0],
        **measure(user, options.meters, _workbook if options.xlsx else _csv),
    }
    sys.stdout.write(json.dumps(answer, indent=2) + "\n")


def measure(user: Any, meters: int, write: Callable[[Iterator[tuple[object, ...]]], bytes]) -> dict[str, Any]:
    """New meters; the same file once more with two columns changed; both undone."""
    from meters.imports import runs

    runs.SMALL_ROWS = 10**9  # in this process: no worker listens
    runs.SMALL_OCTETS = dict.fromkeys(runs.SMALL_OCTETS, 10**9)
    files = {name: write(_rows(meters, name)) for name in ("new", "changed")}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found: dict[str, Any] = {}
    made = []
    for name, octets in files.items():
        run, found[name] = _timed_import(user, octets)
        made.append(run)
    for name, run in (("changed", made[1]), ("new", made[0])):
        with _timed() as found[name]["undo"]:
            runs.request_undo(run_id=run.pk, user=user)
        run.refresh_from_db()
        assert (run.state, run.undone_count, run.kept_count) == ("UNDONE", meters, 0), (
            run.state,
            run.reason,
            run.kept_count,
        )
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {**found, "file_mb": round(len(files["new"]) / 1e6, 1), "memory_grown_mb": round(grown / 1024)}


@contextmanager
def _timed() -> Iterator[dict[str, float]]:
    """Seconds of what happens inside, once it has happened."""
    times: dict[str, float] = {}
    wall, processor, database = time.perf_counter(), time.process_time(), backend_seconds()
    yield times
    ours, theirs = time.process_time() - processor, backend_seconds() - database
    times |= {"wall": round(time.perf_counter() - wall, 1), "processor": round(ours, 1), "database": round(theirs, 1)}


def _timed_import(user: Any, octets: bytes) -> tuple[Any, dict[str, Any]]:
    from meters.imports import runs

    times: dict[str, Any] = {}
    with _timed() as times["read"]:
        run = runs.start_run(user=user, kind=runs.kind_of("bench", octets), octets=octets, name="bench.csv")
    run.refresh_from_db()
    assert run.state == "MAPPING", run.reason
    with _timed() as times["dry_run"]:
        runs.choose_columns(run_id=run.pk, user=user, mapping=run.mapping)
    run.refresh_from_db()
    assert (run.state, run.faulty_count) == ("CHECKED", 0), (run.state, run.reason, run.rows.exclude(faults=[]).first())
    with _timed() as times["apply"]:
        runs.apply_run(run_id=run.pk, user=user)
    run.refresh_from_db()
    assert run.state == "APPLIED", run.reason
    parts = list(times.values())
    times["whole"] = {name: round(sum(part[name] for part in parts), 1) for name in parts[0]}
    return run, times


def _rows(meters: int, name: str) -> Iterator[tuple[object, ...]]:
    yield HEADINGS
    shelf = "shelf" if name == "new" else "rack"
    state = "Received" if name == "new" else "In test"
    for n in range(1, meters + 1):
        host = f"10.{n // 65536}.{n // 256 % 256}.{n % 256}"
        tags = "urgent" if n % 10 == 0 else ""
        yield (
            f"{n:08}", f"bench {n % 997}", f"Maker {n % 7}", f"model-{n % 40}", f"Lot {n // 1000}", tags,
            f"{shelf} {n % 113}", state, f"4d4b52{n:010x}", host, 4059, ("HDLC", "Wrapper")[n % 4 > 0], "Management", 1, "lls",
        )  # fmt: skip


def _csv(rows: Iterator[tuple[object, ...]]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()


def _workbook(rows: Iterator[tuple[object, ...]]) -> bytes:
    import xlsxwriter

    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    sheet = book.add_worksheet()
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    book.close()
    return file.getvalue()


if __name__ == "__main__":
    main()
