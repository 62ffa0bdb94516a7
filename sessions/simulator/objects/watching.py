"""Objects that run scripts when a value says so: Register monitor (21) and Limiter (71), each version 0.

They look when the meter does (`catch_up`): before each message, so that what a client sees is what has happened until then, and
every few seconds while nobody asks. A script_selector of 0 is no script. Source: Blue Book, the classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from meters.cosem.data import Data, as_date_time, boolean, long_unsigned
from meters.cosem.interface_class import InterfaceClass
from meters.cosem.obis import ObisCode
from sessions.simulator.objects.base import Attribute, Denied
from sessions.simulator.objects.clock import MeterClock
from sessions.simulator.objects.declared import DeclaredObject
from sessions.simulator.objects.listed_values import Find

SCRIPT_TABLE: Final = 9
NO_SCRIPT: Final = 0
LOOKS: Final = 8
"""How often a limiter looks at a span of time, besides its end."""

WATCH_INTERVAL: Final = timedelta(seconds=10)
"""How often an idle meter looks."""


class Watcher(DeclaredObject):
    """What these classes have in common: they keep what their tables declare, and refer to values and scripts."""

    def __init__(
        self,
        known: InterfaceClass,
        logical_name: ObisCode,
        values: Mapping[int, Data],
        clock: MeterClock,
        find: Find,
    ) -> None:
        super().__init__(known, logical_name, values)
        self._clock = clock
        self._find = find

    def next_due(self) -> datetime | None:
        """Soon, where there is a value to look at and a script to run."""
        return self._clock.now() + WATCH_INTERVAL if self._watches() else None

    def _watches(self) -> bool:
        raise NotImplementedError

    def _is_there(self, reference: Data) -> bool:
        """Whether the meter has the attribute."""
        class_id, name, number = reference
        target = self._find(class_id.value, ObisCode.from_octets(name.value))
        return target is not None and number.value in target.attributes

    def _run(self, reference: Data) -> None:
        """Run the script of a reference. Nobody hears that it was refused."""
        name, selector = ObisCode.from_octets(reference[0].value), reference[1]
        table = self._find(SCRIPT_TABLE, name)
        if table is not None and selector.value != NO_SCRIPT:
            try:
                table.invoke(1, long_unsigned(selector.value))
            except Denied:
                pass

    def _value_at(self, reference: Data, moment: datetime) -> float | None:
        """The number that an attribute had at a moment; None where there is none."""
        class_id, name, number = reference
        target = self._find(class_id.value, ObisCode.from_octets(name.value))
        if target is None or number.value not in target.attributes:
            return None
        return _number(target.captured(number.value, moment))


def _is_script(reference: Data) -> bool:
    return bool(reference[1].value != NO_SCRIPT)


def _number(value: Data) -> float | None:
    return value.value if isinstance(value.value, int | float) and not isinstance(value.value, bool) else None


class RegisterMonitor(Watcher):
    """For each threshold that the monitored value crosses one of its actions is run: action_up, or action_down."""

    class_id = 21

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._was_above: list[bool] = []

    def _watches(self) -> bool:
        scripts = any(_is_script(each) for actions in self._values[4] for each in actions)
        return scripts and self._is_there(self._values[3])

    def catch_up(self) -> None:
        value = self._value_at(self._values[3], self._clock.now())
        if value is None:
            return
        limits = [_number(threshold) for threshold in self._values[2]]
        above = [limit is not None and value > limit for limit in limits]
        if len(above) == len(self._was_above):  # else the thresholds are new: nothing was crossed
            for number, (is_above, was_above) in enumerate(zip(above, self._was_above, strict=True)):
                if is_above is not was_above and number < len(self._values[4]):
                    self._run(self._values[4][number][0 if is_above else 1])
        self._was_above = above

    def _store(self, number: int, value: Data) -> None:
        super()._store(number, value)
        self._was_above = []


class Limiter(Watcher):
    """When the monitored value has been above the active threshold for its time, one action is run; under it, the other."""

    class_id = 71

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._over = False
        self.attributes[3] = Attribute(lambda: self._values[5 if self._in_emergency() else 4])
        self.attributes[10] = Attribute(lambda: boolean(self._in_emergency()))

    def _watches(self) -> bool:
        return any(map(_is_script, self._values[11])) and self._is_there(self._values[2])

    def catch_up(self) -> None:
        now = self._clock.now()
        if not self._over and self._held(now, self._values[6].value, over=True):
            self._over = True
            self._run(self._values[11][0])
        elif self._over and self._held(now, self._values[7].value, over=False):
            self._over = False
            self._run(self._values[11][1])

    def _held(self, now: datetime, seconds: int, *, over: bool) -> bool:
        """Whether the value was above the threshold, or was not, all this time."""
        limit = _number(self.attributes[3].read())  # type: ignore[arg-type]  # it is never encoded
        if limit is None:
            return False
        moments = (now - timedelta(seconds=seconds * look / LOOKS) for look in range(LOOKS + 1))
        values = (self._value_at(self._values[2], moment) for moment in moments)
        return all(value is not None and (value > limit) is over for value in values)

    def _in_emergency(self) -> bool:
        """While the emergency profile lasts, if it is for a group of this meter."""
        identifier, activation, duration = self._values[8]
        begin = as_date_time(activation)
        if begin is None or identifier not in list(self._values[9]):
            return False
        try:
            elapsed = self._clock.now() - self._clock.local(begin)
        except (ValueError, OverflowError):
            return False
        return timedelta() <= elapsed < timedelta(seconds=duration.value)

    def keep(self) -> Any:
        return {"values": super().keep(), "over": self._over}

    def restore(self, kept: Any) -> None:
        super().restore(kept["values"])
        self._over = bool(kept["over"])
