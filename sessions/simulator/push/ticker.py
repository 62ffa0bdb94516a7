"""The lab's ticker: a meter acts when its time comes, not only when somebody talks to it. In asyncio.

One timer serves all meters: it is set for the earliest moment of the `Agenda`. A meter that is asleep has nothing to do; when it
is built, and whenever a client changed something in it, it is looked at anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from sessions.simulator.lab import LabMeter, LazyDevice
from sessions.simulator.meter import Meter
from sessions.simulator.push.agenda import Agenda
from sessions.simulator.push.delivery import Delivery

AT_ONCE: Final = 20
"""Meters that act one after the other, before those who wait on their lines are served again."""
LONGEST_SLEEP: Final = 30.0
"""Seconds after which the host's clock is looked at, which may have been set."""
SHORTEST_PAUSE: Final = timedelta(seconds=0.5)
"""What has to be done again at once is done after this."""


class Ticker:
    """`begin` is given each push that is due; `complain` hears of what went wrong within a meter."""

    def __init__(
        self,
        meters: Iterable[LabMeter],
        now: Callable[[], datetime],
        begin: Callable[[LabMeter, Meter, Delivery], None],
        complain: Callable[[str], None],
    ) -> None:
        self._now = now
        self._begin = begin
        self._complain = complain
        self._agenda: Agenda[tuple[LabMeter, Meter]] = Agenda()
        self._timer: asyncio.TimerHandle | None = None
        self._meters = list(meters)
        self._watched: list[tuple[LabMeter, Meter]] = []
        self._stopped = False

    def start(self) -> None:
        for each in self._meters:
            if isinstance(each.device, LazyDevice):
                each.device.when_built(partial(self._watch, each))
            else:
                self._watch(each, each.device)

    def stop(self) -> None:
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        for _, meter in self._watched:
            meter.stirred = None

    def _watch(self, lab_meter: LabMeter, device: object) -> None:
        if isinstance(device, Meter):
            pair = (lab_meter, device)
            self._watched.append(pair)
            device.stirred = partial(self._look, pair)
            self._look(pair)

    def look(self, meter: Meter) -> None:
        """Something of its own has changed: a push came to its end."""
        if meter.stirred is not None:
            meter.stirred()

    def _look(self, pair: tuple[LabMeter, Meter], *, earliest: datetime | None = None) -> None:
        due = pair[1].next_due()
        if due is not None and earliest is not None:
            due = max(due, earliest)
        self._agenda.put(pair, due)
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = self._agenda.next_due()
        if self._stopped or due is None:
            self._timer = None
            return
        seconds = min(max(0.0, (due - self._now()).total_seconds()), LONGEST_SLEEP)
        self._timer = asyncio.get_running_loop().call_later(seconds, self._tick)

    def _tick(self) -> None:
        now = self._now()
        for pair in self._agenda.take_due(now, at_most=AT_ONCE):
            try:
                self._act(*pair, now)
            except Exception as error:
                self._complain(f"meter {pair[0].serial_number} could not do what was due: {error!r}")
            self._look(pair, earliest=now + SHORTEST_PAUSE)
        self._arm()

    def _act(self, lab_meter: LabMeter, meter: Meter, now: datetime) -> None:
        meter.tick()
        for delivery in meter.outbox.take_due(now):
            self._begin(lab_meter, meter, delivery)
