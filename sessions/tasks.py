"""The worker's side of the doorbell: a task carries a session's id and nothing else."""

from __future__ import annotations

import logging
import mmap
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down

from sessions import engine

logger = logging.getLogger(__name__)

# Whoever rings stands in front of a browser that waits: one try, and no long silence of a broker that hangs.
PUBLISH_ONCE = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
    "socket_connect_timeout": 2.0,
    "socket_timeout": 2.0,
}

# One octet that the worker shares with its children, who are forked after this module was imported: 1 means that the worker
# is going down. A signal handler may set it without taking any lock.
_shutting_down = mmap.mmap(-1, 1)


@worker_shutting_down.connect
def _tell_children(**kwargs: Any) -> None:
    _shutting_down[0] = 1


def is_shutting_down() -> bool:
    """Whether this worker was told to stop."""
    return _shutting_down[0] != 0


@shared_task(name="sessions.run_session", ignore_result=True)
def run_session(session_id: int) -> None:
    """Run the session if nobody does: the claim decides, so a doubled or late message changes nothing."""
    for waiting in engine.run_in_worker(session_id, is_shutting_down):
        ring_worker(waiting)


def ring_worker(session_id: int) -> None:
    """Tell the workers that the session waits. Without a broker the session stays: the watchdog rings again."""
    try:
        with run_session.app.connection_for_write(transport_options=PUBLISH_ONCE) as connection:
            run_session.apply_async((session_id,), connection=connection, retry=False)
    except Exception as error:
        logger.warning("no worker was told of session %s: %s", session_id, type(error).__name__)
