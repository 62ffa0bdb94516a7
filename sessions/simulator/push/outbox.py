"""The pushes of one meter that are on their way. They are gone with the power, as everything that waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from sessions.simulator.objects.clock import MeterClock
from sessions.simulator.push.delivery import Delivery, DeliveryState
from sessions.simulator.push.rules import Push

MAX_WAITING: Final = 16
"""Pushes that wait at once; the oldest makes room."""


@dataclass(slots=True)
class Tally:
    """What became of a meter's pushes, for tests and people to compare with."""

    taken: int = 0
    attempts: int = 0
    delivered: int = 0
    confirmed: int = 0
    given_up: int = 0
    dropped: int = 0
    """Gone with the power, or to make room."""
    last_failure: str = ""


class Outbox:
    """`seed` decides the random part of each push's wait: the same meter waits the same in every run."""

    def __init__(self, clock: MeterClock, seed: str) -> None:
        self.tally = Tally()
        self._clock = clock
        self._seed = seed
        self._deliveries: list[Delivery] = []

    def take(self, push: Push) -> None:
        """It goes out once its random part of the interval is over."""
        self.tally.taken += 1
        draw = Random(f"{self._seed}:{push.rules.setup}:{self.tally.taken}")  # no secret
        wait = draw.uniform(0, push.rules.randomisation)
        self._deliveries.append(Delivery(push, self._clock.host() + timedelta(seconds=wait)))
        waiting = [each for each in self._deliveries if each.state is DeliveryState.WAITING]
        for each in waiting[:-MAX_WAITING]:
            self._deliveries.remove(each)
            self.tally.dropped += 1

    def next_due(self) -> datetime | None:
        """When one of them is to be tried, by the host's time."""
        return min((each.due for each in self._deliveries if each.state is DeliveryState.WAITING), default=None)

    def take_due(self, now: datetime) -> list[Delivery]:
        """Those that are to be tried now. Whoever tries tells each what came of it, and then `settle`."""
        due = [each for each in self._deliveries if each.state is DeliveryState.WAITING and each.due <= now]
        begun = [each for each in due if each.begin(self._clock)]
        self.tally.attempts += len(begun)
        self.settle()
        return begun

    def settle(self) -> None:
        """Count and forget what is over."""
        for each in self._deliveries:
            if each.failure:
                self.tally.last_failure = each.failure
            if each.state is DeliveryState.DELIVERED:
                self.tally.delivered += 1
                self.tally.confirmed += each.push.rules.confirmed
            elif each.state is DeliveryState.GIVEN_UP:
                self.tally.given_up += 1
        self._deliveries = [each for each in self._deliveries if not _is_over(each)]

    def clear(self) -> None:
        """The power failed."""
        self.tally.dropped += len(self._deliveries)
        self._deliveries.clear()

    def as_json(self) -> dict[str, Any]:
        told = {name: getattr(self.tally, name) for name in Tally.__slots__}
        return {**told, "waiting": len(self._deliveries)}


def _is_over(delivery: Delivery) -> bool:
    return delivery.state in (DeliveryState.DELIVERED, DeliveryState.GIVEN_UP)
