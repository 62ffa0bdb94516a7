"""When which meter has something to do by itself: a heap of moments, so that thousands that have nothing to do cost nothing."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import datetime
from itertools import count
from typing import Generic, TypeVar

Who = TypeVar("Who")


class Agenda(Generic[Who]):
    """One moment for each of them, the one that was put last."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Who]] = []
        self._valid: dict[int, int] = {}
        self._order = count()

    def put(self, who: Who, due: datetime | None) -> None:
        """None: nothing is to be done."""
        number = next(self._order)
        self._valid.pop(id(who), None)
        if due is not None:
            self._valid[id(who)] = number
            heapq.heappush(self._heap, (due, number, who))

    def next_due(self) -> datetime | None:
        self._forget_what_was_replaced()
        return self._heap[0][0] if self._heap else None

    def take_due(self, now: datetime, *, at_most: int) -> Iterable[Who]:
        """Those whose moment has come, in order; each has none then."""
        for _ in range(at_most):
            due = self.next_due()
            if due is None or due > now:
                return
            _, _, who = heapq.heappop(self._heap)
            del self._valid[id(who)]
            yield who

    def _forget_what_was_replaced(self) -> None:
        while self._heap and self._valid.get(id(self._heap[0][2])) != self._heap[0][1]:
            heapq.heappop(self._heap)
