"""What passes becomes rows: buffered for a moment, written in bulk, in order, once, and only while the session is ours.

    record_frame, record_entry, record_progress     cheap, from the middle of the conversation
    flush                                           everything buffered in one fenced transaction, then the doorbell
    commit                                          a flush with one change more: a state, the end of a step

A write that fails for the database's sake keeps its batch for the next flush. Rows that an uncertain commit had written after all
are recognised by their numbers: nothing is recorded twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from sessions.events import publish_changed
from sessions.leases import Claim, fence
from sessions.models import DlmsSession, Frame, ProfileEntry, Step
from sessions.storable import storable
from sessions.trace import TracedFrame

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
Change = Callable[[], None]

MAX_ROWS = 1000
"""Rows in one INSERT: a bulk write must not hold up the others."""


async def in_database(function: Callable[..., Result], *arguments: Any, **keywords: Any) -> Result:
    """Run something that uses the database, in the one thread that may."""
    return await sync_to_async(function, thread_sensitive=True)(*arguments, **keywords)


@dataclass(slots=True)
class Batch:
    """What waits to be written."""

    frames: list[Frame] = field(default_factory=list)
    entries: list[ProfileEntry] = field(default_factory=list)
    progress: dict[int, dict[str, Any]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.frames or self.entries or self.progress)


class Recorder:
    """The record of one claimed session. Only one task may flush at a time; the others wait their turn."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.last_seq = claim.last_seq
        self.sent = 0
        self._first_seq = 0  # where the exchange that is under way begins: what is said later needs it to be understood
        self._batch = Batch()
        self._turn = asyncio.Lock()

    # -- cheap: called while octets pass -------------------------------------------------------------------------------

    def record_frame(self, traced: TracedFrame, direction: Frame.Direction) -> None:
        """One frame, as it passed just now."""
        self.last_seq += 1
        self.sent += direction == Frame.Direction.SENT
        if self._first_seq == 0 or (traced.starts_apdu and direction == Frame.Direction.SENT):
            self._first_seq = self.last_seq
        frame = Frame(
            session_id=self.claim.session_id,
            seq=self.last_seq,
            time=timezone.now(),
            direction=direction,
            octets=traced.octets,
            summary=traced.summary,
            error=traced.error,
            apdu_first_seq=self._first_seq,
        )
        self._batch.frames.append(frame)

    def record_entry(self, step_id: int, number: int, time: datetime | None, values: Sequence[Any]) -> None:
        """One row of a profile."""
        self._batch.entries.append(
            ProfileEntry(step_id=step_id, number=number, time=time, values=storable(list(values)))
        )

    def record_progress(self, step_id: int, **fields: Any) -> None:
        """How far a step is: `progress_done`, `progress_total`, `columns`."""
        self._batch.progress.setdefault(step_id, {}).update(storable(fields))

    # -- writing -------------------------------------------------------------------------------------------------------

    async def flush(self) -> None:
        """Write what waits, if anything does; LeaseLost when the session is not ours any more."""
        if self._batch:
            await self._write(None)

    async def commit(self, change: Change) -> None:
        """Write what waits and then `change`, in one fenced transaction; a database that is away is an error here."""
        await self._write(change)

    async def _write(self, change: Change | None) -> None:
        async with self._turn:
            batch, self._batch = self._batch, Batch()
            try:
                await _uninterrupted(in_database(write_batch, self.claim, batch, change))
            except OperationalError as error:
                self._put_back(batch)
                if change is not None:
                    raise
                logger.warning("session %s: the record waits for the database: %s", self.claim.session_id, error)
                return
        await publish_changed(self.claim.session_id, self.last_seq)

    def _put_back(self, batch: Batch) -> None:
        newer, self._batch = self._batch, batch
        batch.frames += newer.frames
        batch.entries += newer.entries
        for step_id, fields in newer.progress.items():
            batch.progress.setdefault(step_id, {}).update(fields)


async def _uninterrupted(writing: Coroutine[Any, Any, None]) -> None:
    """Wait for a write to end, whatever happens meanwhile: a cancelled step must not leave a batch half known."""
    task = asyncio.ensure_future(writing)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if task.exception() is not None:
            raise task.exception() from None  # type: ignore[misc]
        raise


def write_batch(claim: Claim, batch: Batch, change: Change | None) -> None:
    """One fenced transaction. What a commit of unknown outcome had written already is left out."""
    try:
        with transaction.atomic():
            fence(claim)
            written = DlmsSession.objects.values_list("last_seq", flat=True).get(pk=claim.session_id)
            frames = [frame for frame in batch.frames if frame.seq > written]
            if frames:
                Frame.objects.bulk_create(frames, batch_size=MAX_ROWS)
                DlmsSession.objects.filter(pk=claim.session_id).update(last_seq=frames[-1].seq)
            ProfileEntry.objects.bulk_create(batch.entries, batch_size=MAX_ROWS, ignore_conflicts=True)
            for step_id, fields in batch.progress.items():
                Step.objects.filter(pk=step_id).update(**fields)
            if change is not None:
                change()
    except OperationalError:
        if not connection.in_atomic_block:
            connection.close()  # the next write begins on a new connection
        raise
