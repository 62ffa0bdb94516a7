"""Demand of a simulated meter: its maximum in each billing period, and the average of blocks of time (Blue Book, 4 and 5)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from meters.cosem.data import Data, double_long_unsigned, long_unsigned, unsigned
from meters.cosem.obis import ObisCode
from meters.cosem.units import ScalerUnit
from sessions.simulator.closings import Closings
from sessions.simulator.objects.base import Attribute, CosemObject
from sessions.simulator.objects.clock import MeterClock


class MaximumDemand(CosemObject):
    """Extended register (4, version 0) with the highest block of the billing period. At the end of a period a profile captures
    what it was, and it begins anew. `peak(since, until)`: value and when its block ended.
    """

    class_id = 4

    def __init__(
        self,
        logical_name: ObisCode,
        peak: Callable[[datetime, datetime], tuple[Data, datetime]],
        scaler_unit: ScalerUnit,
        closings: Closings,
    ) -> None:
        super().__init__(logical_name)
        self._peak = peak
        self._closings = closings
        clock = closings.clock

        def now() -> tuple[Data, datetime]:
            moment = clock.now()
            return peak(closings.opened(moment), moment)

        self.attributes |= {
            2: Attribute(lambda: now()[0]),
            3: Attribute(scaler_unit.to_data),
            4: Attribute(lambda: unsigned(0)),
            5: Attribute(lambda: clock.data(now()[1])),
        }

    def captured(self, attribute_id: int, moment: datetime) -> Data:
        if attribute_id not in (2, 5):
            return super().captured(attribute_id, moment)
        value, ended = self._peak(self._closings.opened(moment, ending=True), moment)
        return value if attribute_id == 2 else self._closings.clock.data(ended)


class DemandRegister(CosemObject):
    """Demand register (5, version 0) with one block of `period` seconds at a time, which begins with the hour's.

    `energy(moment)` in the hour units of the value: its difference over a block is the demand. Method 1 forgets what was before
    it, method 2 closes the block that is open.
    """

    class_id = 5

    def __init__(
        self,
        logical_name: ObisCode,
        energy: Callable[[datetime], float],
        scaler_unit: ScalerUnit,
        clock: MeterClock,
        *,
        period: int,
        write: Callable[[float], Data],
    ) -> None:
        super().__init__(logical_name)
        self._energy = energy
        self._clock = clock
        self._period = timedelta(seconds=period)
        self._write = write
        self._cut: datetime | None = None
        self._reset_at: datetime | None = None
        self.attributes |= {
            2: Attribute(lambda: self._current(clock.now())),
            3: Attribute(lambda: self._last(clock.now())),
            4: Attribute(scaler_unit.to_data),
            5: Attribute(lambda: unsigned(0)),
            6: Attribute(lambda: clock.data(self._start(clock.now()))),
            7: Attribute(lambda: clock.data(self._start(clock.now()))),
            8: Attribute(lambda: double_long_unsigned(period)),
            9: Attribute(lambda: long_unsigned(1)),
        }
        self.methods = {1: lambda parameters: self._reset(), 2: lambda parameters: self._next_period()}

    def captured(self, attribute_id: int, moment: datetime) -> Data:
        computed = {2: self._current, 3: self._last}
        if attribute_id in computed:
            return computed[attribute_id](moment)
        return (
            self._clock.data(self._start(moment)) if attribute_id in (6, 7) else super().captured(attribute_id, moment)
        )

    def _block(self, moment: datetime) -> datetime:
        """The start of the regular block of a moment."""
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + (moment - midnight) // self._period * self._period

    def _start(self, moment: datetime) -> datetime:
        """Of the open block, which may have been cut."""
        start = self._block(moment)
        return self._cut if self._cut is not None and start < self._cut <= moment else start

    def _demand(self, start: datetime, end: datetime) -> Data:
        """The average over a block is that of its whole length, however much of it passed."""
        hours = self._period / timedelta(hours=1)
        if self._reset_at is not None:
            start = min(max(start, self._reset_at), end)
        return self._write((self._energy(end) - self._energy(start)) / hours)

    def _current(self, moment: datetime) -> Data:
        return self._demand(self._start(moment), moment)

    def _last(self, moment: datetime) -> Data:
        end = self._start(moment)
        if self._reset_at is not None and self._reset_at > end:
            return self._write(0.0)
        return self._demand(self._start(end - timedelta(microseconds=1)), end)

    def _reset(self) -> None:
        self._cut = self._reset_at = self._clock.now()

    def _next_period(self) -> None:
        self._cut = self._clock.now()
