"""`watch_sessions`: the watchdog. Ends sessions whose worker died, and rings again for sessions and imports that nobody runs.

It also forgets uploaded files that nobody confirmed.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections

from meters.gxc_import.uploads import drop_old_files
from meters.imports.work import waiting_runs
from meters.tasks import ring_worker as ring_import
from sessions.services import explain_waiting, recover_sessions, waiting_sessions
from sessions.tasks import ring_worker

logger = logging.getLogger(__name__)

INTERVAL = 2.5
FIRST_PATIENCE = 2.5
LONGEST_PATIENCE = 15.0


class Patience:
    """What waits, and when it is rung for again: a moment after it began to wait, and then ever more seldom.

    Whoever opened a session rang just now; and when all workers are busy every ring becomes a message that waits.
    """

    def __init__(self) -> None:
        self._due: dict[int, tuple[float, float]] = {}

    def due(self, waiting: list[int], now: float) -> list[int]:
        """Those of the waiting ones to ring for now; whatever does not wait any more is forgotten."""
        self._due = {pk: self._due[pk] for pk in waiting if pk in self._due}
        found = []
        for pk in waiting:
            moment, patience = self._due.setdefault(pk, (now + FIRST_PATIENCE, FIRST_PATIENCE))
            if now >= moment:
                patience = min(2 * patience, LONGEST_PATIENCE)
                self._due[pk] = (now + patience, patience)
                found.append(pk)
        return found


class Watch:
    """What the watchdog remembers between two rounds: when it rings for a waiting session, or an import, again."""

    def __init__(self) -> None:
        self._sessions, self._imports = Patience(), Patience()

    def round(self, now: float) -> None:
        """One look. `now`: seconds of any clock that only grows."""
        for session_id in recover_sessions():
            logger.warning("session %s is lost: its worker died", session_id)
        drop_old_files()
        for session_id in self._sessions.due(waiting_sessions(), now):
            ring_worker(session_id)
            explain_waiting(session_id)
        for run_id in self._imports.due(waiting_runs(), now):
            ring_import(run_id)


class Command(BaseCommand):
    help = "End sessions whose worker died, and ring for sessions and imports that wait; until SIGTERM."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--interval", type=float, default=INTERVAL, help="seconds between two looks")
        parser.add_argument("--once", action="store_true", help="look once and end")

    def handle(self, *args: Any, **options: Any) -> None:
        stopped = threading.Event()
        if not options["once"]:
            for signal_number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(signal_number, lambda *_: stopped.set())
        watch = Watch()
        logger.info("watching the sessions")
        while True:
            close_old_connections()
            try:
                watch.round(time.monotonic())
            except DatabaseError:
                logger.exception("the database does not answer; trying again")
            if options["once"] or stopped.wait(options["interval"]):
                return
