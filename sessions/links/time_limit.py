"""A time limit for many short waits, one after the other, with one timer of the loop for all of them."""

from __future__ import annotations

import asyncio
from types import TracebackType


class TimeLimit:
    """`with limit.until(when): await ...` is `asyncio.timeout_at(when)`: TimeoutError where it takes longer; None is no limit.

    Small frames follow each other within microseconds, and hardly a wait ends by the clock, so a timer for each costs more than
    the wait. Here the timer of an earlier wait stays where it is, and looks again when it fires.
    """

    __slots__ = ("_cancelling", "_due", "_expired", "_loop", "_set_for", "_task", "_timer")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._set_for = 0.0
        self._due: float | None = None
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self._expired = False

    def until(self, when: float | None) -> TimeLimit:
        """`when` is a time of the loop. Who comes while another task waits gets a limit of his own."""
        limit = self if self._task is None else TimeLimit()
        limit._due = when
        return limit

    def move(self, when: float | None) -> None:
        """Another time for the wait that is under way."""
        self._due = when
        if when is not None and (self._timer is None or when < self._set_for):
            self._set(when)

    def close(self) -> None:
        """Take the timer back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a time limit is for a task")
        self._task, self._cancelling = task, task.cancelling()
        if self._due is not None and (self._timer is None or self._due < self._set_for):
            self._set(self._due)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        task, self._task, self._due = self._task, None, None
        if self._expired and task is not None:
            self._expired = False
            # Where somebody else cancelled the task as well, it is his cancellation that goes on.
            if task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def _set(self, when: float) -> None:
        self.close()
        self._timer = self._loop.call_at(when, self._look)
        self._set_for = when

    def _look(self) -> None:
        self._timer = None
        if self._due is None or self._task is None:
            return
        if self._set_for < self._due:
            self._set(self._due)
        elif not self._expired:
            self._expired = True
            self._task.cancel()
