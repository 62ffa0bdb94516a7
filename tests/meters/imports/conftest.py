"""Imports in tests: the work that a service asks for on commit is done at once, whatever the size."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from meters.imports import runs
from meters.models import ImportRun

HEADINGS = (
    "Serial number",
    "Maker",
    "Model",
    "Batch",
    "Tags",
    "Location",
    "State",
    "Host",
    "Port",
    "Client SAP",
    "Authentication",
)


def row(serial: str, **values: Any) -> list[str]:
    """A good row, but for what is said."""
    good = {
        "Serial number": serial, "Maker": "Maker", "Model": "M1", "Batch": "Lot 1", "Tags": "new, urgent", "Location": "shelf 1",
        "State": "Received", "Host": "10.0.0.7", "Port": "4059", "Client SAP": "16", "Authentication": "lls",
    }  # fmt: skip
    return [str(values.get(name.replace(" ", "_").lower(), value)) for name, value in good.items()]


def table(rows: Sequence[Sequence[str]], headings: Sequence[str] = HEADINGS) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows([headings, *rows])
    return file.getvalue().encode()


@pytest.fixture
def user(db):
    return get_user_model().objects.create_user("ada")


@pytest.fixture
def at_once(monkeypatch) -> None:
    """What is asked for on commit is done at once, though a test's transaction never commits."""
    monkeypatch.setattr(runs.transaction, "on_commit", lambda work: work())


@pytest.fixture
def start(user, at_once) -> Callable[..., ImportRun]:
    """Reads a table."""

    def begin(octets: bytes, *, kind: str = "CSV", by: Any = None, **options: Any) -> ImportRun:
        run = runs.start_run(user=by or user, kind=kind, octets=octets, name="meters.csv", options=options)
        run.refresh_from_db()
        return run

    return begin


@pytest.fixture
def check(start, user) -> Callable[..., ImportRun]:
    """Reads a table, and makes its dry run with the columns as they were guessed."""

    def dry_run(octets: bytes, *, clear: bool = False, message: str = "", **more: Any) -> ImportRun:
        run = start(octets, **more)
        assert run.state == "MAPPING", run.reason
        runs.choose_columns(run_id=run.pk, user=user, mapping=run.mapping, clear=clear, message=message)
        run.refresh_from_db()
        return run

    return dry_run


@pytest.fixture
def load(check, user) -> Callable[..., ImportRun]:
    """Imports a table."""

    def whole(octets: bytes, *, good_only: bool = False, **more: Any) -> ImportRun:
        run = check(octets, **more)
        assert run.state == "CHECKED", run.reason
        runs.apply_run(run_id=run.pk, user=user, good_only=good_only)
        run.refresh_from_db()
        return run

    return whole
