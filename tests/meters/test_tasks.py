"""The doorbell of imports."""

from __future__ import annotations

import pytest

from meters import tasks
from meters.models import ImportRun


@pytest.mark.django_db
def test_the_task_works_on_the_run(monkeypatch) -> None:
    worked: list[int] = []
    monkeypatch.setattr(tasks, "work_on", worked.append)
    run = ImportRun.objects.create(kind="CSV")
    tasks.work_on_import(run.pk)
    assert worked == [run.pk]


def test_a_ring_names_the_run_and_the_queue(monkeypatch) -> None:
    rung = []
    monkeypatch.setattr(
        tasks.work_on_import, "apply_async", lambda *args, **kwargs: rung.append((args, kwargs["queue"]))
    )
    tasks.ring_worker(7)
    assert rung == [(((7,),), "batch")]


def test_without_a_broker_nobody_fails(monkeypatch, caplog) -> None:
    def gone(*args, **kwargs):
        raise OSError("no broker")

    monkeypatch.setattr(tasks.work_on_import, "apply_async", gone)
    tasks.ring_worker(7)
    assert "no worker was told of import 7: OSError" in caplog.text
