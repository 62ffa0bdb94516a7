"""Our frames on their way to the line: after the pause that it needs to turn, each for as long as its octets take."""

from __future__ import annotations

from collections import deque


class Speech:
    """All times are seconds.

    `inter_frame_time` is the least pause between the last octet of the other side and our next frame, for half-duplex lines and
    optical heads that turn slowly; `octet_time` how long an octet takes, which matters on slow lines only.
    """

    def __init__(self, *, inter_frame_time: float = 0.0, octet_time: float = 0.0) -> None:
        self.inter_frame_time = inter_frame_time
        self.octet_time = octet_time
        self._waiting: deque[bytes] = deque()
        self._quiet_until = 0.0
        self._ends_at = 0.0

    @property
    def ends_at(self) -> float:
        """When the last octet of what was said leaves the line: an answer cannot come before."""
        return self._ends_at

    def heard(self, now: float) -> None:
        """The other side speaks."""
        self._quiet_until = now + self.inter_frame_time

    def say(self, octets: bytes, now: float) -> None:
        """A frame is to go out; `take_due` gives it when it may."""
        self._ends_at = max(now, self._quiet_until, self._ends_at) + len(octets) * self.octet_time
        self._waiting.append(octets)

    def take_due(self, now: float) -> list[bytes]:
        """The frames that may go out now."""
        if now < self._quiet_until:
            return []
        due = list(self._waiting)
        self._waiting.clear()
        return due

    def forget(self) -> None:
        """What waits is not wanted any more."""
        self._waiting.clear()

    def next_timer(self) -> float | None:
        """When something that waits may go out."""
        return self._quiet_until if self._waiting else None
