"""The worker's side of the doorbell."""

from __future__ import annotations

import pytest

from sessions import engine, tasks


@pytest.fixture
def _running_worker():
    yield
    tasks._shutting_down[0] = 0


@pytest.mark.usefixtures("_running_worker")
def test_a_worker_that_is_told_to_stop_tells_its_children() -> None:
    assert not tasks.is_shutting_down()
    tasks._tell_children(sig="SIGTERM", how="Warm", exitcode=0)
    assert tasks.is_shutting_down()


def test_a_task_runs_the_session_and_rings_for_those_that_waited_for_its_line(monkeypatch) -> None:
    rung: list[int] = []
    seen: list[object] = []

    def run(session_id: int, must_stop) -> list[int]:
        seen.extend([session_id, must_stop])
        return [8, 9]

    monkeypatch.setattr(engine, "run_in_worker", run)
    monkeypatch.setattr(tasks, "ring_worker", rung.append)
    tasks.run_session(7)
    assert seen == [7, tasks.is_shutting_down]
    assert rung == [8, 9]


def test_its_name_is_written_out_and_it_carries_an_id_only() -> None:
    assert tasks.run_session.name == "sessions.run_session"


def test_a_bell_is_a_message_with_the_id() -> None:
    from workbench.celery import app

    with app.connection_for_write() as connection:
        channel = connection.default_channel
        channel.queue_purge("interactive") if "interactive" in channel.queues else None
        tasks.ring_worker(7)
        message = connection.SimpleQueue("interactive").get(timeout=5)
        arguments = message.payload[0]
        message.ack()
    assert arguments == [7]


def test_a_broker_that_is_away_is_logged_without_its_address(monkeypatch, caplog) -> None:
    def refuse(*args, **kwargs):
        raise ConnectionError("redis://:password@host")

    monkeypatch.setattr(tasks.run_session, "apply_async", refuse)
    tasks.ring_worker(7)
    assert "session 7" in caplog.text
    assert "password" not in caplog.text
