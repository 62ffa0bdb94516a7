"""Lock-out after wrong secrets: a client that was wrong too often in a row is refused for a while, whatever it knows by then.

A wrong password (LLS) or a wrong proof (HLS) counts; the right one makes all of them forgotten. While a client is locked out, its
AARQ is answered rejected-transient with authentication-failure, and not judged: trying on does not make it longer. Each client
is counted by itself. Source: Green Book, the AARE; the answers of meters in the field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

LONGEST: Final = 366 * 86_400


@dataclass(frozen=True, slots=True)
class LockoutRule:
    """After so many wrong secrets in a row, for so many seconds. No attempts: never. ValueError for what cannot be."""

    attempts: int = 0
    seconds: float = 300.0

    def __post_init__(self) -> None:
        if self.attempts < 0 or not 0 < self.seconds <= LONGEST:
            raise ValueError("a lock-out has at least 0 attempts, and more than 0 seconds")


NEVER_LOCKED_OUT: Final = LockoutRule()


class Lockout:
    """Of one meter; `now` is the host's clock, which no client sets."""

    def __init__(self, rule: LockoutRule, now: Callable[[], datetime]) -> None:
        self._rule = rule
        self._now = now
        self._wrong: dict[int, int] = {}
        self._until: dict[int, datetime] = {}

    def is_locked(self, client_sap: int) -> bool:
        until = self._until.get(client_sap)
        if until is None:
            return False
        if self._now() < until:
            return True
        del self._until[client_sap]
        return False

    def wrong(self, client_sap: int) -> bool:
        """The client offered a wrong secret. Whether it is locked out now."""
        if not self._rule.attempts or self.is_locked(client_sap):
            return self.is_locked(client_sap)
        wrong = self._wrong.get(client_sap, 0) + 1
        if wrong < self._rule.attempts:
            self._wrong[client_sap] = wrong
            return False
        self._wrong.pop(client_sap, None)
        self._until[client_sap] = self._now() + timedelta(seconds=self._rule.seconds)
        return True

    def right(self, client_sap: int) -> None:
        self._wrong.pop(client_sap, None)

    def keep(self) -> Any:
        if not self._wrong and not self._until:
            return None
        until = {str(sap): moment.isoformat() for sap, moment in self._until.items()}
        return {"wrong": {str(sap): count for sap, count in self._wrong.items()}, "until": until}

    def restore(self, kept: Any) -> None:
        wrong = {int(sap): int(count) for sap, count in kept["wrong"].items()}
        self._until = {int(sap): datetime.fromisoformat(moment) for sap, moment in kept["until"].items()}
        self._wrong = wrong
