"""Single action schedule of a simulated meter (Blue Book, class 22): a script at given times, each time once.

When its time comes, and before every request, the schedule does what has become due since it last looked, in order, and by a
clock that shows the time at which it was due. A clock that is set back does nothing twice, one that is set forward skips nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from meters.cosem.data import Data, DataType, array
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.axdr import decode_data, encode_data
from sessions.simulator.objects.base import Attribute, CosemObject, Denied, require
from sessions.simulator.objects.clock import MeterClock
from sessions.simulator.objects.recurrence import MAX_DAYS, ExecutionTime, moment_of, next_after

TYPES: Final = range(1, 6)
MAX_TIMES: Final = 64
MAX_DUE: Final = 100
"""Executions that are caught up on at once; of more the newest are."""


class SingleActionSchedule(CosemObject):
    """Single action schedule (22, version 0). `run(script table, selector)` runs a script."""

    class_id = 22

    def __init__(
        self,
        logical_name: ObisCode,
        clock: MeterClock,
        run: Callable[[ObisCode, int], None],
        values: tuple[Data, Data, Data],
    ) -> None:
        super().__init__(logical_name)
        self._clock = clock
        self._run = run
        self._script, self._type, self._times = values
        self._executions = read_times(self._times)
        self._looked_until = self._done_until = clock.now()
        self.attributes |= {
            2: Attribute(lambda: self._script, self._set_script),
            3: Attribute(lambda: self._type, self._set_type),
            4: Attribute(lambda: self._times, self._set_times),
        }

    def _set_script(self, value: Data) -> None:
        given = require(value, DataType.STRUCTURE)
        if len(given) != 2 or len(require(given[0], DataType.OCTET_STRING).value) != 6:
            raise Denied(DataAccessResult.TYPE_UNMATCHED)
        require(given[1], DataType.LONG_UNSIGNED)
        self._script = given

    def _set_type(self, value: Data) -> None:
        if require(value, DataType.ENUM).value not in TYPES:
            raise Denied(DataAccessResult.OTHER_REASON)
        self._type = value

    def _set_times(self, value: Data) -> None:
        """From now on: what is past by then is not done."""
        try:
            self._executions = read_times(require(value, DataType.ARRAY))
        except ValueError:
            raise Denied(DataAccessResult.OTHER_REASON) from None
        self._times = value
        self._looked_until = self._done_until = max(self._looked_until, self._clock.now())

    def due(self, since: datetime, until: datetime) -> list[datetime]:
        """The moments after `since`, up to and including `until`, at which the script is to be run."""
        last = self._clock.localize(until).date()
        first = max(self._clock.localize(since).date(), last - timedelta(days=MAX_DAYS))
        found = set()
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            for each in self._executions:
                for at in each.on(day):
                    moment = moment_of(datetime.combine(day, at), self._clock)
                    if since < moment <= until:
                        found.add(moment)
        return sorted(found)[-MAX_DUE:]

    def catch_up(self) -> None:
        if not self._executions:
            return
        since, now = self._looked_until, self._clock.now()
        if now <= since:
            return
        self._looked_until = now
        table, selector = ObisCode.from_octets(self._script[0].value), self._script[1].value
        for moment in self.due(since, now):
            self._done_until = moment
            with self._clock.showing(moment):
                self._run(table, selector)

    def next_due(self) -> datetime | None:
        return next_after(self._executions, self._looked_until, self._clock)

    def keep(self) -> Any:
        """Nothing was due after what was done last: that it was looked at is not worth a write."""
        values = [encode_data(value).hex() for value in (self._script, self._type, self._times)]
        return {"values": values, "done_until": self._done_until.isoformat()}

    @staticmethod
    def has_times(kept: Any) -> bool:
        """Whether there is a time in what `keep` gave."""
        return bool(kept["values"][2] != encode_data(NO_TIMES).hex())

    def restore(self, kept: Any) -> None:
        script, kind, times = (decode_data(bytes.fromhex(value)) for value in kept["values"])
        executions, done_until = read_times(times), datetime.fromisoformat(kept["done_until"])
        self._script, self._type, self._times = script, kind, times
        self._executions, self._looked_until, self._done_until = executions, done_until, done_until


def read_times(times: Data) -> list[ExecutionTime]:
    """The elements of execution_time; ValueError where they are none."""
    if times.type is not DataType.ARRAY or len(times) > MAX_TIMES:
        raise ValueError(f"execution_time is an array of up to {MAX_TIMES}")
    return [ExecutionTime.from_data(each) for each in times]


NO_TIMES: Final = array()
"""A schedule that is not to do anything yet."""
