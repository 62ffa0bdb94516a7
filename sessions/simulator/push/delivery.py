"""One push on its way: when it is tried, and what becomes of it.

    WAITING --ATTEMPT--> SENDING --SUCCESS--> DELIVERED
       ^                    |
       +------FAILURE-------+---LAST_FAILURE--> GIVEN_UP

It waits for its random part of the randomisation interval, for a communication window that is closed, and between tries.
Source: Blue Book, class 40.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from sessions.simulator.objects.clock import MeterClock
from sessions.simulator.push.rules import Push


class DeliveryState(Enum):
    WAITING = auto()
    SENDING = auto()
    DELIVERED = auto()
    GIVEN_UP = auto()


class DeliveryEvent(Enum):
    ATTEMPT = auto()
    SUCCESS = auto()
    FAILURE = auto()
    LAST_FAILURE = auto()


_S, _E = DeliveryState, DeliveryEvent

TRANSITIONS: Final[Mapping[DeliveryState, Mapping[DeliveryEvent, DeliveryState]]] = {
    _S.WAITING: {_E.ATTEMPT: _S.SENDING, _E.LAST_FAILURE: _S.GIVEN_UP},
    _S.SENDING: {_E.SUCCESS: _S.DELIVERED, _E.FAILURE: _S.WAITING, _E.LAST_FAILURE: _S.GIVEN_UP},
    _S.DELIVERED: {},
    _S.GIVEN_UP: {},
}


class IllegalDelivery(RuntimeError):
    """Our own fault: an event where it has no place."""


class Delivery:
    """`due`: when it is tried next, by the host's time. `failure`: what was wrong the last time, in words."""

    def __init__(self, push: Push, due: datetime) -> None:
        self.push = push
        self.due = due
        self.state = DeliveryState.WAITING
        self.attempts = 0
        self.failure = ""

    def fire(self, event: DeliveryEvent) -> None:
        """`IllegalDelivery` where it has no place."""
        following = TRANSITIONS[self.state].get(event)
        if following is None:
            raise IllegalDelivery(f"{event.name} is illegal in {self.state.name}")
        self.state = following

    def begin(self, clock: MeterClock) -> bool:
        """Its time has come: whether it is tried now. Where its window is closed it waits for the next one."""
        windows, moment = self.push.rules.windows, clock.now()
        if windows.is_open(moment, clock):
            self.attempts += 1
            self.fire(DeliveryEvent.ATTEMPT)
            return True
        opens = windows.opens_after(moment, clock)
        if opens is None:
            self.failure = "its communication window never opens"
            self.fire(DeliveryEvent.LAST_FAILURE)
        else:
            self.due = opens - clock.offset
        return False

    def succeeded(self) -> None:
        self.fire(DeliveryEvent.SUCCESS)

    def failed(self, reason: str, now: datetime, *, for_good: bool = False) -> None:
        """A try came to nothing; `for_good`: another one would, too."""
        self.failure = reason
        rules = self.push.rules
        if for_good or self.attempts > rules.retries:
            self.fire(DeliveryEvent.LAST_FAILURE)
            return
        self.fire(DeliveryEvent.FAILURE)
        self.due = now + timedelta(seconds=rules.delay.before(self.attempts))
