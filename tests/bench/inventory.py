"""The list of meters with very many of them: server time of its pages, in this process, from request to rendered answer.

`make bench` takes 100,000 meters on SQLite. A million on PostgreSQL takes minutes to fill, so it is run on request, on an empty
database that is only for this: `DATABASE_URL=postgres://… python -m tests.bench.inventory --meters 1000000`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
METERS: Final = 100_000
RUNS: Final = 7
BATCHES: Final = 1000
PAGES: Final = {
    "list": "",
    "last page that is paged": "?page=200",
    "sorted by name, backwards": "?sort=-name",
    "sorted by last seen": "?sort=-last_seen",
    "state": "?state=FAULTY",
    "two states": "?state=FAULTY&state=RETIRED",
    "batch": "?batch=Lot+7",
    "batch and state": "?batch=Lot+7&state=FAULTY",
    "type": "?type=1",
    "medium": "?medium=WATER",
    "tag": "?tag=rare",
    "frequent tag": "?tag=urgent",
    "line": "?line=SERIAL",
    "framing": "?framing=MODE_E",
    "authentication": "?authentication=hls-sha256",
    "never seen": "?seen=never",
    "seen since": "?seen_since=2026-11-01",
    "search a serial": "?q=00012345",
    "search a rare word": "?q=cellar",
    "search two words": "?q=shelf+model-3",
    "search a frequent word": "?q=bench",
    "search two letters": "?q=sh",
    "search what is not there": "?q=nowhere",
    "search two letters that are not there": "?q=zq",
    "search and filter": "?q=bench&state=FAULTY&framing=HDLC",
}


def figures() -> dict[str, Any]:
    """100,000 meters on SQLite, in a process and a directory of their own."""
    with tempfile.TemporaryDirectory() as directory:
        environment = {**os.environ, "WORKBENCH_DATA_DIR": directory, "WORKBENCH_MASTER_KEY": "00" * 32}
        environment.pop("DATABASE_URL", None)
        command = [sys.executable, "-m", "tests.bench.inventory"]
        done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.inventory", description=__doc__)
    parser.add_argument("--meters", type=int, default=METERS)
    wanted = parser.parse_args().meters
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "workbench.settings")
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    begin = time.perf_counter()
    fill(wanted)
    filled = time.perf_counter() - begin
    answer = {
        "unit": "ms of server time",
        "database": connection.vendor,
        "meters": wanted,
        "load": os.getloadavg()[0],
        "filled_in_s": round(filled, 1),
        **pages(),
    }
    sys.stdout.write(json.dumps(answer, indent=2) + "\n")


def fill(wanted: int) -> None:
    """Meters as a large lab has them; nothing if they are there already. Both databases make the rows themselves."""
    from django.db import connection

    from meters.models import Batch, Meter, MeterType, Tag

    if Meter.objects.exists():
        return
    media = MeterType.Medium.values
    for n in range(1, 41):
        MeterType.objects.create(manufacturer=f"Maker {n % 7}", model=f"model-{n}", medium=media[n % 4])
    Batch.objects.bulk_create(Batch(name=f"Lot {n}") for n in range(1, BATCHES + 1))
    for name in ("urgent", "rare"):
        Tag.objects.create(name=name)
    words = POSTGRESQL if connection.vendor == "postgresql" else SQLITE
    with connection.cursor() as cursor:
        for statement in words["before"]:
            cursor.execute(statement)
        numbers = words["numbers"] % wanted
        for model, expressions in ROWS:
            of_database = {column: text.format(**words) for column, text in expressions.items()}
            _insert(cursor, model, numbers, of_database)
        tagged = f"INSERT INTO meters_meter_tags (meter_id, tag_id) SELECT n, %s FROM {numbers} WHERE n %% %s = 0"
        for tag, every in ((1, 10), (2, 5000)):
            cursor.execute(tagged, [tag, every])
        for statement in words["after"]:
            cursor.execute(statement)


def _insert(cursor: Any, model: str, numbers: str, expressions: dict[str, str]) -> None:
    """One row for each number: what an expression says, else the model's default, else nothing."""
    from django.apps import apps
    from django.db import connection

    columns, values, parameters = [], [], []
    for field in apps.get_model("meters", model)._meta.concrete_fields:
        columns.append(connection.ops.quote_name(field.column))
        values.append(expressions.get(field.column, "%s"))
        if field.column not in expressions:
            parameters.append(field.get_prep_value(field.get_default()))
    table = apps.get_model("meters", model)._meta.db_table
    sql = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {numbers}"
    cursor.execute(sql, parameters)


SEARCH_INDEX: Final = "CREATE INDEX meter_by_words ON meters_meter USING gin (search_text gin_trgm_ops)"
POSTGRESQL: Final[dict[str, Any]] = {
    "numbers": "generate_series(1, %d) AS numbers(n)",
    "serial": "lpad(n::text, 8, '0')",
    "true": "true",
    "false": "false",
    "ago": "now() - (n %% 200000) * interval '1 minute'",
    "now": "now()",
    "before": ["DROP INDEX IF EXISTS meter_by_words"],
    "after": [SEARCH_INDEX, "VACUUM ANALYZE"],
}
SQLITE: Final[dict[str, Any]] = {
    "numbers": "(WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < %d) SELECT n FROM r) AS numbers",
    "serial": "printf('%%08d', n)",
    "true": "1",
    "false": "0",
    "ago": "datetime('now', '-' || (n %% 200000) || ' minutes')",
    "now": "datetime('now')",
    "before": [],
    "after": ["ANALYZE"],
}
HOST: Final = "'10.' || (n / 65536) || '.' || (n / 256 %% 256) || '.' || (n %% 256)"
LOCATION: Final = "CASE WHEN n %% 20000 = 7 THEN 'cellar' ELSE 'shelf ' || (n %% 113) END"
NAME: Final = "'bench ' || (n %% 997)"
MODEL: Final = "'maker ' || ((n %% 40 + 1) %% 7) || ' model-' || (n %% 40 + 1)"
ROWS: Final[tuple[tuple[str, dict[str, str]], ...]] = (
    (
        "line",
        {
            "id": "n",
            "kind": "CASE WHEN n %% 2000 = 0 THEN 'SERIAL' ELSE 'TCP' END",
            "host": f"CASE WHEN n %% 2000 = 0 THEN '' ELSE {HOST} END",
            "port": "CASE WHEN n %% 2000 = 0 THEN NULL ELSE 4059 END",
            "serial_port": "CASE WHEN n %% 2000 = 0 THEN 'bridge-' || n ELSE '' END",
        },
    ),
    (
        "meter",
        {
            "id": "n",
            "line_id": "n",
            "serial_number": "{serial}",
            "name": NAME,
            "location": LOCATION,
            "meter_type_id": "n %% 40 + 1",
            "batch_id": f"n / 1000 %% {BATCHES} + 1",
            "framing": "CASE n %% 4 WHEN 1 THEN 'HDLC' WHEN 3 THEN 'MODE_E' ELSE 'WRAPPER' END",
            "state": "CASE WHEN n %% 100 = 3 THEN 'FAULTY' WHEN n %% 3 = 0 THEN 'IN_TEST' ELSE 'IN_FIELD' END",
            "physical_address": "NULL",
            "address_octets": "NULL",
            "disconnect_first": "{false}",
            "reverse_deviation": "{false}",
            "parity_in_octets": "{false}",
            "created": "{now}",
            "last_seen": "CASE WHEN n %% 3 = 0 THEN NULL ELSE {ago} END",
            "search_text": f"' ' || {{serial}} || ' ' || {NAME} || ' ' || {LOCATION} || ' ' || {MODEL} || ' ' || {HOST}",
        },
    ),
    (
        "association",
        {
            "id": "n",
            "meter_id": "n",
            "authentication": "CASE WHEN n %% 1000 = 0 THEN 'hls-sha256' WHEN n %% 2 = 0 THEN 'lls' ELSE 'hls-gmac' END",
            "fresh_dedicated_key": "{false}",
            "user_id": "NULL",
            "pre_established": "{false}",
            "is_default": "{true}",
        },
    ),
)


def pages() -> dict[str, Any]:
    """By page the median and highest time on the wall; and the medians of what this process and the database took."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    settings.ALLOWED_HOSTS = ["testserver"]
    users = get_user_model()
    client = Client()
    client.force_login(
        users._default_manager.filter(username="bench").first() or users._default_manager.create_user("bench")
    )
    found = {name: _timed(lambda query=query: client.get(f"/meters/{query}")) for name, query in PAGES.items()}
    return {"pages": found, "slowest_median": max(figure["median"] for figure in found.values())}


def _timed(work: Callable[[], Any]) -> dict[str, float]:
    from django.db import connection

    answer = work()
    assert answer.status_code == 200, answer
    wall, processor, database, backend = [], [], [], []
    waited = Waited()
    with connection.execute_wrapper(waited):
        for _ in range(RUNS):
            waited.seconds, begin, used, theirs = 0.0, time.perf_counter(), time.process_time(), backend_seconds()
            work()
            wall.append((time.perf_counter() - begin) * 1000)
            processor.append((time.process_time() - used) * 1000)
            database.append(waited.seconds * 1000)
            backend.append((backend_seconds() - theirs) * 1000)
    medians = {"median": wall, "database": database, "processor": processor}
    # The clock of a process ticks a hundred times a second: the mean of the runs says more than their median.
    return (
        {"processor_of_database": round(statistics.mean(backend), 1)}
        | {name: round(statistics.median(times), 1) for name, times in medians.items()}
        | {"max": round(max(wall), 1)}
    )


def backend_seconds() -> float:
    """Processor time of PostgreSQL's process for this connection; 0 on SQLite, whose work is this process' own."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Waited:
    """Adds up how long statements take."""

    seconds = 0.0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        begin = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            self.seconds += time.perf_counter() - begin


if __name__ == "__main__":
    main()
