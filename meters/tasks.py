"""The worker's side of the doorbell: a task carries an import's id and nothing else."""

from __future__ import annotations

import logging

from celery import shared_task

from meters.imports.work import work_on

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
QUEUE = "batch"


@shared_task(name="meters.work_on_import", ignore_result=True)
def work_on_import(run_id: int) -> None:
    """Go on with the import if nobody does: the claim decides, so a doubled or late message changes nothing."""
    work_on(run_id)


def ring_worker(run_id: int) -> None:
    """Tell the workers that an import waits. Without a broker it stays: the watchdog rings again."""
    try:
        with work_on_import.app.connection_for_write(transport_options=PUBLISH_ONCE) as connection:
            work_on_import.apply_async((run_id,), connection=connection, retry=False, queue=QUEUE)
    except Exception as error:
        logger.warning("no worker was told of import %s: %s", run_id, type(error).__name__)
