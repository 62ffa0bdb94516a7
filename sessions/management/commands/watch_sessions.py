"""`watch_sessions`: the watchdog. Ends sessions whose worker died, and rings again for those that nobody runs.

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
from sessions.services import explain_waiting, recover_sessions, waiting_sessions
from sessions.tasks import ring_worker

logger = logging.getLogger(__name__)

INTERVAL = 2.5
FIRST_PATIENCE = 2.5
LONGEST_PATIENCE = 15.0


class Watch:
    """What the watchdog remembers between two rounds: when it rings for a waiting session again."""

    def __init__(self) -> None:
        self._due: dict[int, tuple[float, float]] = {}

    def round(self, now: float) -> None:
        """One look. `now`: seconds of any clock that only grows."""
        for session_id in recover_sessions():
            logger.warning("session %s is lost: its worker died", session_id)
        drop_old_files()
        waiting = waiting_sessions()
        self._due = {session_id: self._due[session_id] for session_id in waiting if session_id in self._due}
        for session_id in waiting:
            # Whoever opened the session rang just now: the first ring of ours comes a moment later, and then ever more seldom,
            # for when all workers are busy every ring becomes a message that waits.
            due, patience = self._due.setdefault(session_id, (now + FIRST_PATIENCE, FIRST_PATIENCE))
            if now >= due:
                patience = min(2 * patience, LONGEST_PATIENCE)
                self._due[session_id] = (now + patience, patience)
                ring_worker(session_id)
                explain_waiting(session_id)


class Command(BaseCommand):
    help = "End sessions whose worker died, and ring for sessions that wait; until SIGTERM."
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
