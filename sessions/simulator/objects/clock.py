"""The meter's time, and the object Clock (Blue Book, class 8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from enum import IntEnum
from typing import Any, Final

from meters.cosem.data import Data, DataType, as_date_time, boolean, date_time, enum, integer, long, unsigned
from meters.cosem.date_time import LAST_DAY, ClockStatus, CosemDate, CosemDateTime, CosemTime
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.objects.base import Attribute, CosemObject, Denied, require
from sessions.simulator.objects.daylight import DaylightSavings

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2099
MAX_SHIFT: Final = 900
"""Seconds that `shift_time` moves the clock at most."""
MAX_ZONE: Final = 720
"""Minutes that a time zone is away from UTC at most."""
_SUNDAY: Final = 7
NO_DAYLIGHT_SAVINGS: Final = DaylightSavings(
    begin=CosemDateTime(CosemDate(month=3, day=LAST_DAY, day_of_week=_SUNDAY), CosemTime(2, 0, 0, 0xFF), None, 0xFF),
    end=CosemDateTime(CosemDate(month=10, day=LAST_DAY, day_of_week=_SUNDAY), CosemTime(3, 0, 0, 0xFF), None, 0xFF),
    enabled=False,
)
"""Europe's days, and not in force."""


@dataclass(slots=True)
class MeterClock:
    """The meter's own time: the host's, in the meter's zone and with its daylight saving, moved by what clients have set.

    `host` gives an aware time; `zone_minutes` counts east of UTC, in normal time.
    """

    host: Callable[[], datetime]
    zone_minutes: int = 0
    offset: timedelta = field(default_factory=timedelta)
    daylight: DaylightSavings = NO_DAYLIGHT_SAVINGS
    _shown: datetime | None = field(default=None, init=False)

    @property
    def zone(self) -> timezone:
        """Of normal time."""
        return timezone(timedelta(minutes=self.zone_minutes))

    def now(self) -> datetime:
        return self.localize(self.host() + self.offset if self._shown is None else self._shown)

    def second(self) -> int:
        """A number that is another one in each second of the meter's time."""
        return int((self.host() + self.offset).timestamp())

    @contextmanager
    def showing(self, moment: datetime) -> Iterator[None]:
        """Within this context it is that moment: what was due then is done as of then."""
        self._shown = moment
        try:
            yield
        finally:
            self._shown = None

    def normal(self, moment: datetime) -> datetime:
        """The same moment by normal time, which never goes back."""
        return moment.astimezone(self.zone)

    def localize(self, moment: datetime) -> datetime:
        """The same moment as the clock shows it."""
        normal = self.normal(moment)
        if not self.daylight.is_active(normal.replace(tzinfo=None)):
            return normal
        return moment.astimezone(timezone(timedelta(minutes=self.zone_minutes) + self.daylight.ahead))

    def data(self, moment: datetime) -> Data:
        """The moment as the clock tells it: a date-time with its deviation, and whether daylight saving is active."""
        shown = self.localize(moment)
        active = self.daylight.is_active(self.normal(moment).replace(tzinfo=None))
        status = ClockStatus.DAYLIGHT_SAVING_ACTIVE if active else ClockStatus(0)
        return date_time(CosemDateTime.from_datetime(shown, clock_status=status))

    def set(self, moment: datetime) -> None:
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise Denied(DataAccessResult.OTHER_REASON)
        self.offset = moment - self.host()

    def local(self, moment: CosemDateTime) -> datetime:
        """A client's date-time as the meter's local time; ValueError where it is no moment.

        Without a deviation it is local time; of an hour that comes twice the status tells which it is. With one, the sign is
        the standard's: UTC = local + deviation.
        """
        naive_or_aware = moment.to_datetime()
        if naive_or_aware.tzinfo is not None:
            return self.localize(naive_or_aware)
        return self.from_shown(naive_or_aware, daylight_saving=moment.daylight_saving)

    def from_shown(self, shown: datetime, *, daylight_saving: bool = False) -> datetime:
        """When the clock shows this time; of an hour that comes twice, the one in daylight saving or the other."""
        try:
            return self.localize((shown - self._ahead_at(shown, daylight_saving)).replace(tzinfo=self.zone))
        except OverflowError:  # the first or last day of the calendar
            return shown.replace(tzinfo=self.zone)

    def _ahead_at(self, shown: datetime, daylight_saving: bool) -> timedelta:
        """How far the clock is ahead of normal time when it shows this."""
        ahead = self.daylight.ahead
        if not self.daylight.is_active(shown - ahead):
            return timedelta()
        twice = not self.daylight.is_active(shown)
        return ahead if daylight_saving or not twice else timedelta()

    def keep(self) -> dict[str, Any]:
        """For the meter's memory: the battery keeps the clock going."""
        daylight = self.daylight
        return {
            "offset": self.offset.total_seconds(),
            "zone_minutes": self.zone_minutes,
            "daylight": {
                "begin": daylight.begin.encode().hex(),
                "end": daylight.end.encode().hex(),
                "deviation": daylight.deviation,
                "enabled": daylight.enabled,
            },
        }

    def restore(self, kept: Any) -> None:
        daylight = dict(kept["daylight"])
        for name in ("begin", "end"):
            daylight[name] = CosemDateTime.decode(bytes.fromhex(daylight[name]))
        restored = DaylightSavings(**daylight)
        self.offset, self.zone_minutes = timedelta(seconds=kept["offset"]), int(kept["zone_minutes"])
        self.daylight = restored


class ClockBase(IntEnum):
    """`clock_base`: what drives the clock."""

    NOT_DEFINED = 0
    CRYSTAL = 1


@dataclass(frozen=True, slots=True)
class PresetTime:
    """A time that `adjust_to_preset_time` sets, if it comes within the interval."""

    time: datetime
    earliest: datetime
    latest: datetime


class Clock(CosemObject):
    """Clock (8, version 0): everything but status and base can be written, every method works."""

    class_id = 8

    def __init__(self, logical_name: ObisCode, clock: MeterClock) -> None:
        super().__init__(logical_name)
        self.clock = clock
        self._preset: PresetTime | None = None
        self.attributes |= {
            2: Attribute(lambda: clock.data(clock.now()), self._set_time),
            # Minutes from local time to UTC, as in the deviation of a date-time.
            3: Attribute(lambda: long(-clock.zone_minutes), self._set_zone),
            4: Attribute(self._status),
            5: Attribute(
                lambda: date_time(clock.daylight.begin), lambda value: self._set_daylight(begin=_moment(value))
            ),
            6: Attribute(lambda: date_time(clock.daylight.end), lambda value: self._set_daylight(end=_moment(value))),
            7: Attribute(lambda: integer(clock.daylight.deviation), self._set_deviation),
            8: Attribute(lambda: boolean(clock.daylight.enabled), self._enable),
            9: Attribute(lambda: enum(ClockBase.CRYSTAL)),
        }
        self.methods = {
            1: lambda parameters: self._round(timedelta(minutes=15)),
            2: lambda parameters: self._round(timedelta(minutes=15)),
            3: lambda parameters: self._round(timedelta(minutes=1)),
            4: lambda parameters: self._adjust_to_preset(),
            5: self._keep_preset,
            6: self._shift,
        }

    def captured(self, attribute_id: int, moment: datetime) -> Data:
        return self.clock.data(moment) if attribute_id == 2 else super().captured(attribute_id, moment)

    def _status(self) -> Data:
        return unsigned(self.clock.data(self.clock.now()).value[-1])

    # -- what is written ---------------------------------------------------------------------------------------------

    def _set_time(self, value: Data) -> None:
        self.clock.set(self._local(value))

    def _local(self, value: Data) -> datetime:
        try:
            return self.clock.local(_moment(value))
        except (ValueError, OverflowError):
            raise Denied(DataAccessResult.OTHER_REASON) from None

    def _set_zone(self, value: Data) -> None:
        minutes = require(value, DataType.LONG).value
        if abs(minutes) > MAX_ZONE:
            raise Denied(DataAccessResult.OTHER_REASON)
        self.clock.zone_minutes = -minutes

    def _set_deviation(self, value: Data) -> None:
        self._set_daylight(deviation=require(value, DataType.INTEGER).value)

    def _enable(self, value: Data) -> None:
        self._set_daylight(enabled=require(value, DataType.BOOLEAN).value)

    def _set_daylight(self, **changes: Any) -> None:
        try:
            self.clock.daylight = replace(self.clock.daylight, **changes)
        except ValueError:
            raise Denied(DataAccessResult.OTHER_REASON) from None

    # -- methods -----------------------------------------------------------------------------------------------------

    def _round(self, step: timedelta) -> None:
        """To the nearest multiple of `step` within the day."""
        now = self.clock.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        self.clock.set(midnight + round((now - midnight) / step) * step)

    def _keep_preset(self, parameters: Data | None) -> None:
        given = require(parameters, DataType.STRUCTURE)
        if len(given) != 3:
            raise Denied(DataAccessResult.TYPE_UNMATCHED)
        self._preset = PresetTime(*(self._local(value) for value in given))

    def _adjust_to_preset(self) -> None:
        preset, self._preset = self._preset, None
        if preset is None or not preset.earliest <= self.clock.now() <= preset.latest:
            raise Denied(DataAccessResult.OTHER_REASON)
        self.clock.set(preset.time)

    def _shift(self, parameters: Data | None) -> None:
        seconds = require(parameters, DataType.LONG).value
        if abs(seconds) > MAX_SHIFT:
            raise Denied(DataAccessResult.OTHER_REASON)
        self.clock.set(self.clock.now() + timedelta(seconds=seconds))


def _moment(value: Data) -> CosemDateTime:
    moment = as_date_time(require(value, DataType.OCTET_STRING, DataType.DATE_TIME))
    if moment is None:
        raise Denied(DataAccessResult.TYPE_UNMATCHED)
    return moment
