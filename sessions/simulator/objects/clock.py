"""The meter's time, and the object Clock (Blue Book, class 8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import IntEnum
from typing import Final

from meters.cosem.data import Data, DataType, as_date_time, boolean, date_time, enum, integer, long, unsigned
from meters.cosem.date_time import CosemDate, CosemDateTime, CosemTime
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.objects.base import Attribute, CosemObject, Denied, require

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2099
MAX_SHIFT: Final = 900
"""Seconds that `shift_time` moves the clock at most."""


@dataclass(slots=True)
class MeterClock:
    """The meter's own time: the host's, in the meter's zone, moved by what clients have set.

    `host` gives an aware time; `zone_minutes` counts east of UTC.
    """

    host: Callable[[], datetime]
    zone_minutes: int = 0
    offset: timedelta = field(default_factory=timedelta)

    @property
    def zone(self) -> timezone:
        return timezone(timedelta(minutes=self.zone_minutes))

    def now(self) -> datetime:
        return (self.host() + self.offset).astimezone(self.zone)

    def set(self, moment: datetime) -> None:
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise Denied(DataAccessResult.OTHER_REASON)
        self.offset = moment - self.host()

    def local(self, moment: CosemDateTime) -> datetime:
        """A client's date-time as the meter's local time; ValueError where it is no moment.

        Without a deviation it is local time. With one, the sign is the standard's: UTC = local + deviation.
        """
        naive_or_aware = moment.to_datetime()
        if naive_or_aware.tzinfo is None:
            return naive_or_aware.replace(tzinfo=self.zone)
        return naive_or_aware.astimezone(self.zone)


class ClockBase(IntEnum):
    """`clock_base`: what drives the clock."""

    NOT_DEFINED = 0
    CRYSTAL = 1


class Clock(CosemObject):
    """Clock (8, version 0): `time` can be written; the adjusting methods 1 to 3 and `shift_time` work."""

    class_id = 8

    def __init__(self, logical_name: ObisCode, clock: MeterClock) -> None:
        super().__init__(logical_name)
        self.clock = clock
        never = CosemDateTime(CosemDate(month=0xFF), CosemTime(), None, 0xFF)
        self.attributes |= {
            2: Attribute(lambda: date_time(clock.now()), self._set_time),
            # Minutes from local time to UTC, as in the deviation of a date-time.
            3: Attribute(lambda: long(-clock.zone_minutes)),
            4: Attribute(lambda: unsigned(0)),
            5: Attribute(lambda: date_time(never)),
            6: Attribute(lambda: date_time(never)),
            7: Attribute(lambda: integer(0)),
            8: Attribute(lambda: boolean(False)),
            9: Attribute(lambda: enum(ClockBase.CRYSTAL)),
        }
        self.methods = {
            1: lambda parameters: self._round(timedelta(minutes=15)),
            2: lambda parameters: self._round(timedelta(minutes=15)),
            3: lambda parameters: self._round(timedelta(minutes=1)),
            6: self._shift,
        }

    def captured(self, attribute_id: int, moment: datetime) -> Data:
        return date_time(moment) if attribute_id == 2 else super().captured(attribute_id, moment)

    def _set_time(self, value: Data) -> None:
        moment = as_date_time(require(value, DataType.OCTET_STRING, DataType.DATE_TIME))
        if moment is None:
            raise Denied(DataAccessResult.TYPE_UNMATCHED)
        try:
            self.clock.set(self.clock.local(moment))
        except (ValueError, OverflowError):
            raise Denied(DataAccessResult.OTHER_REASON) from None

    def _round(self, step: timedelta) -> None:
        """To the nearest multiple of `step` within the day."""
        now = self.clock.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        self.clock.set(midnight + round((now - midnight) / step) * step)

    def _shift(self, parameters: Data | None) -> None:
        seconds = require(parameters, DataType.LONG).value
        if abs(seconds) > MAX_SHIFT:
            raise Denied(DataAccessResult.OTHER_REASON)
        self.clock.set(self.clock.now() + timedelta(seconds=seconds))
