"""Invocation counters: each number is used once under a key, and none is believed twice (Green Book 9.2.7.2.4)."""

from __future__ import annotations

from collections import deque
from typing import Final

from sessions.dlms.errors import LocalProtocolError, SecurityError

LAST_COUNTER: Final = 0xFFFFFFFF
"""A key whose counter reached this is used up."""


class InvocationCounters:
    """Numbers that were reserved for us alone. `take` hands out each of them once; what is left over is never used."""

    def __init__(self, *reserved: range) -> None:
        self._ranges: deque[range] = deque()
        self._floor = 0
        for block in reserved:
            self.extend(block)

    @property
    def remaining(self) -> int:
        return sum(len(block) for block in self._ranges)

    @property
    def next(self) -> int | None:
        """What `take` would hand out; None where nothing is left."""
        return self._ranges[0].start if self._ranges else None

    def extend(self, block: range) -> None:
        """Add a reserved block; it must lie above all before it."""
        if len(block) == 0:
            return
        if block.step != 1 or block.start < self._floor or block[-1] > LAST_COUNTER:
            raise LocalProtocolError(
                f"counters {block.start} to {block[-1]} are not above those before", code="counters-not-rising"
            )
        self._floor = block.stop
        self._ranges.append(block)

    def take(self) -> int:
        """The next number. It counts as used from now on, whatever becomes of the message."""
        if not self._ranges:
            raise LocalProtocolError(
                "no reserved invocation counter is left", layer="security", code="counters-exhausted"
            )
        block = self._ranges.popleft()
        if len(block) > 1:
            self._ranges.appendleft(block[1:])
        return block.start


class ReceiveFloor:
    """The lowest counter that is still believed from one sender under one key."""

    def __init__(self, lowest: int = 0) -> None:
        self.lowest = lowest

    def check(self, counter: int) -> None:
        """Refuse a counter that was seen before; nothing moves yet."""
        if counter < self.lowest:
            raise SecurityError(
                f"invocation counter {counter} was used before: at least {self.lowest} is due",
                code="replayed-counter",
                hint="A replayed message, or a meter that lost its counter. Read the counter object and compare.",
            )

    def move(self, counter: int) -> None:
        """The message with this counter was genuine."""
        self.check(counter)
        self.lowest = counter + 1
