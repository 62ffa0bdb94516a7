"""The timers of a client of IEC 62056-21, and no clock. Times are seconds."""

from __future__ import annotations

from typing import Final

from sessions.dlms.iec62056_21.sign_on import REACTION_TIME

INTER_CHARACTER: Final = 1.5
"""Silence after which a message is not awaited any longer to be completed."""
CHARACTER_BITS: Final = 10
NEVER: Final = float("-inf")


class Timing:
    """When we may speak, when the meter should have spoken.

    `response_timeout` runs from the last octet; `reaction` is what each side leaves the other between two messages.
    """

    def __init__(self, response_timeout: float) -> None:
        self.response_timeout = response_timeout
        self.reaction = REACTION_TIME
        self.pending = b""
        """What waits until we may speak."""
        self._heard_at = NEVER
        self._speak_at: float | None = None
        self._pause_until: float | None = None
        self._octet_at: float | None = None
        self._deadline: float | None = None
        self._useless = 0

    # -- what happens ------------------------------------------------------------------------------------------------

    def heard(self, octets: int, bearable: int, now: float) -> None:
        """Octets came. Only `bearable` ones that complete nothing prolong the wait."""
        self._heard_at = now
        self._useless += octets
        if self._deadline is not None and self._useless <= bearable:
            self._deadline = max(self._deadline, now + self.response_timeout)

    def understood(self) -> None:
        """A message came whole."""
        self._useless = 0

    def pausing(self, inside_message: bool, now: float) -> None:
        self._octet_at = now + INTER_CHARACTER if inside_message else None

    def wait(self, now: float, *, sent: int = 0, baud: int = 300) -> None:
        """An answer is due, after the octets that were sent have left at this speed."""
        self._deadline = now + self.response_timeout + sent * CHARACTER_BITS / baud

    def pause(self, until: float) -> None:
        self._pause_until = until

    def rest(self) -> None:
        """Nothing is awaited, nothing is to be said."""
        self.pending = b""
        self._speak_at = self._pause_until = self._octet_at = self._deadline = None

    def plan(self, octets: bytes, now: float, not_before: float = NEVER) -> None:
        """Octets are to be said, once the other side had its reaction time."""
        self.pending = octets
        self._deadline = None
        self._speak_at = max(now, not_before, self._heard_at + self.reaction)

    # -- what is due; each is said once ------------------------------------------------------------------------------

    def next_timer(self) -> float | None:
        timers = (self._speak_at, self._pause_until, self._octet_at, self._deadline)
        return min((at for at in timers if at is not None), default=None)

    def take_pending(self, now: float) -> bytes:
        """What may be said now; empty where nothing may."""
        if self._speak_at is None or now < self._speak_at:
            return b""
        octets, self.pending, self._speak_at = self.pending, b"", None
        return octets

    def pause_is_over(self, now: float) -> bool:
        if self._pause_until is None or now < self._pause_until:
            return False
        self._pause_until = None
        return True

    def octet_overdue(self, now: float) -> bool:
        if self._octet_at is None or now < self._octet_at:
            return False
        self._octet_at = None
        return True

    def reply_overdue(self, now: float) -> bool:
        return self._deadline is not None and now >= self._deadline

    def give_up(self) -> None:
        """The answer is not awaited any longer."""
        self._deadline = None
