"""A large OBIS catalog: server time of its pages, in this process, from request to rendered answer, and of what fills it.

`make bench` takes 5,000 entries on SQLite; on request on another, empty database that is only for this:
`DATABASE_URL=postgres://… python -m tests.bench.catalogs`.
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
ENTRIES: Final = 5000
RUNS: Final = 7
PAGES: Final = {
    "catalog": "{catalog}",
    "last page": "{catalog}?page=100",
    "group": "{catalog}?group=Group+3",
    "client": "{catalog}?client=16",
    "search a code": "{catalog}?q=1.8.0",
    "search a title": "{catalog}?q=title+77",
    "search the standard's words": "{catalog}?q=reactive+import",
    "one entry": "{catalog}{entry}/",
    "compare with another type": "{catalog}compare/?other={other}",
    "export": "{catalog}export/",
    "look-up": "/meters/obis/?q=1.8.0&type={type}",
}


def figures() -> dict[str, Any]:
    """On SQLite, in a process and a directory of their own."""
    with tempfile.TemporaryDirectory() as directory:
        environment = {**os.environ, "WORKBENCH_DATA_DIR": directory, "WORKBENCH_MASTER_KEY": "00" * 32}
        environment.pop("DATABASE_URL", None)
        command = [sys.executable, "-m", "tests.bench.catalogs"]
        done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


def main() -> None:
    argparse.ArgumentParser(prog="python -m tests.bench.catalogs", description=__doc__).parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "workbench.settings")
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    answer = {
        "unit": "ms of server time",
        "database": connection.vendor,
        "entries": ENTRIES,
        "load": os.getloadavg()[0],
        **writing(),
        **pages(),
    }
    sys.stdout.write(json.dumps(answer, indent=2) + "\n")


def _objects() -> list[Any]:
    from meters.catalogs.facts import ObjectFacts
    from meters.catalogs.rights import ClientRights
    from meters.cosem.obis import ObisCode

    rights = {1: ClientRights({1: "r", 2: "rw", 3: "r"}, {1: True}), 16: ClientRights({1: "r", 2: "r", 3: "r"})}
    return [
        ObjectFacts(
            class_id=3,
            logical_name=ObisCode(1, n // 2500, n // 50 % 50 + 1, n % 50, 0),
            title=f"Title {n}" if n % 3 else "",
            scaler=0,
            unit=30,
            group=f"Group {n % 20}",
            rights=rights,
        )
        for n in range(ENTRIES)
    ]


def writing() -> dict[str, Any]:
    """Two types: taken in, said again, and every entry changed in one transaction."""
    from dataclasses import replace

    from meters.catalogs.services import put_objects, replace_objects
    from meters.models import MeterType

    first, second = (MeterType.objects.create(manufacturer="Maker", model=f"model-{n}") for n in (1, 2))
    objects = _objects()
    keywords: dict[str, Any] = {"user": "bench", "origin": "bench"}
    changed = [replace(each, scaler=1) for each in objects]
    return {
        "put": _timed(lambda: put_objects(meter_type=first, objects=objects, **keywords)),
        "put again": _timed(lambda: put_objects(meter_type=first, objects=objects, **keywords)),
        "put into another type": _timed(lambda: put_objects(meter_type=second, objects=objects, **keywords)),
        "change all": _timed(lambda: replace_objects(meter_type=second, objects=changed, **keywords)),
    }


def _timed(call: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    call()
    return round(1000 * (time.perf_counter() - begin), 1)


def pages() -> dict[str, Any]:
    """Median of some runs by page."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    from meters.models import MeterType

    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    client.force_login(get_user_model()._default_manager.create_user("bench"))
    meter_type, other = MeterType.objects.filter(manufacturer="Maker")
    names = {
        "catalog": f"/meters/types/{meter_type.pk}/catalog/",
        "entry": meter_type.catalog.first().pk,
        "type": meter_type.pk,
        "other": other.pk,
    }
    found: dict[str, Any] = {}
    for name, pattern in PAGES.items():
        path = pattern.format(**names)
        assert client.get(path).status_code == 200
        found[name] = _medians(lambda path=path: client.get(path))
    return found


def _medians(call: Callable[[], Any]) -> dict[str, float]:
    """The clock on the wall, and processor time of this process: on a busy machine the second says more."""
    wall, processor = [], []
    for _ in range(RUNS):
        used = time.process_time()
        wall.append(_timed(call))
        processor.append(1000 * (time.process_time() - used))
    return {"median": statistics.median(wall), "processor": round(statistics.median(processor), 1)}


if __name__ == "__main__":
    main()
