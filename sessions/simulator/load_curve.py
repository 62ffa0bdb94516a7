"""The load behind a simulated meter: a household with a photovoltaic roof, computed from the time alone.

Nothing is stored: the energy at a moment is the same whenever it is asked for, never falls, and the profile's rows agree with
the registers. A day is cut into quarters of an hour with a fixed shape (morning and evening peaks, the sun's arc); each day has
its own height (season, weekday, weather), which is derived from the meter's seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from itertools import accumulate
from typing import Any, Final
from zlib import crc32

QUARTERS: Final = 96
QUARTER_SECONDS: Final = 900
DAY_SECONDS: Final = QUARTERS * QUARTER_SECONDS
FIRST_DAY: Final = date(2024, 1, 1)
"""When the meters were installed: registers start at zero here."""
LAST_DAY: Final = date(2099, 12, 31)
REACTIVE_SHARE: Final = 0.31
LEADING_SHARE: Final = 0.06
POWER_FACTOR: Final = 0.95
PHASE_SHARES: Final = (0.45, 0.31, 0.24)
SPREAD: Final = 20.0
"""Kelvin between the flow and the return of a heating."""
RETURN_TEMPERATURE: Final = 38.0
GROUND_TEMPERATURE: Final = 12.0
WATT_HOURS_OF_A_CUBIC_METRE: Final = 1163 * SPREAD
"""What a cubic metre of water gives when it cools down by the spread."""
MAX_OUTAGES: Final = 256
"""Older ones are forgotten, so that a client that toggles the switch for ever costs nothing."""


@dataclass(frozen=True, slots=True)
class LoadParameters:
    """What an average day brings, in Wh, or in the unit of another medium. `season`: how much more the coldest day takes, and the
    warmest less, as a share.
    """

    daily_import: float = 9_600.0
    daily_export: float = 4_200.0
    season: float = 0.22


def _bell(quarter: int, centre: float, width: float) -> float:
    return math.exp(-(((quarter / 4 - centre) / width) ** 2))


def _normal(weights: list[float]) -> list[float]:
    total = sum(weights)
    return [weight / total for weight in weights]


_IMPORT_SHAPE: Final = _normal(
    [0.35 + _bell(q, 7.5, 1.3) + 0.5 * _bell(q, 12.5, 1.2) + 1.6 * _bell(q, 19.5, 2.2) for q in range(QUARTERS)]
)
_EXPORT_SHAPE: Final = _normal(
    [max(0.0, math.sin(math.pi * (q / 4 - 6.5) / 12.5)) if 26 <= q <= 75 else 0.0 for q in range(QUARTERS)]
)


def _from_midnight(shape: list[float]) -> tuple[float, ...]:
    """The share of a day that has passed at the start of each quarter."""
    return tuple(accumulate(shape, initial=0.0))


_IMPORT: Final = _from_midnight(_IMPORT_SHAPE)
_EXPORT: Final = _from_midnight(_EXPORT_SHAPE)


@cache
def _peak(start: int, stop: int) -> int | None:
    """The quarter of a day with the highest load among these."""
    return max(range(start, stop), key=_IMPORT_SHAPE.__getitem__, default=None)


class _Days:
    """The height of each day and their running sum, as far as they were asked for."""

    def __init__(self, height: Callable[[int], float]) -> None:
        self._height = height
        self._heights: list[float] = []
        self._sums: list[float] = [0.0]

    def height(self, day: int) -> float:
        self._reach(day)
        return self._heights[day]

    def before(self, day: int) -> float:
        """The sum of all days before this one."""
        self._reach(day)
        return self._sums[day]

    def _reach(self, day: int) -> None:
        while len(self._heights) <= day:
            self._heights.append(self._height(len(self._heights)))
            self._sums.append(self._sums[-1] + self._heights[-1])


class LoadCurve:
    """Energies and instantaneous values at a moment of the meter's own local time.

    `seed` makes meters differ: the same seed gives the same meter. Moments before the first day count as the first day's start.
    """

    def __init__(self, parameters: LoadParameters, seed: int) -> None:
        self.parameters = parameters
        self.seed = seed
        self._size = 0.5 + 1.3 * self._chance("size", 0)
        self._import_days = _Days(self._import_height)
        self._export_days = _Days(self._export_height)

    # -- energies, in Wh and varh since the first day ----------------------------------------------------------------

    def energy_export(self, moment: datetime) -> float:
        return self._energy(self._export_days, _EXPORT, moment)

    def energy_import(self, moment: datetime) -> float:
        return self._energy(self._import_days, _IMPORT, moment)

    @staticmethod
    def _energy(days: _Days, passed: tuple[float, ...], moment: datetime) -> float:
        day, second = _day_and_second(moment)
        quarter, rest = divmod(second, QUARTER_SECONDS)
        share = passed[int(quarter)] + (passed[int(quarter) + 1] - passed[int(quarter)]) * rest / QUARTER_SECONDS
        return days.before(day) * passed[-1] + days.height(day) * share

    # -- instantaneous values, in W, V, A, Hz ------------------------------------------------------------------------

    def power_import(self, moment: datetime) -> float:
        return self._power(self._import_days, _IMPORT_SHAPE, moment)

    def power_export(self, moment: datetime) -> float:
        return self._power(self._export_days, _EXPORT_SHAPE, moment)

    def _power(self, days: _Days, shape: list[float], moment: datetime) -> float:
        """The quarter's mean power, with a flicker that does not show in the energies."""
        day, second = _day_and_second(moment)
        watts = days.height(day) * shape[int(second // QUARTER_SECONDS)] * 4
        return watts * (1 + 0.04 * _wave(second, 37, self.seed) + 0.02 * _wave(second, 11, self.seed))

    def phase_power(self, phase: int, moment: datetime) -> float:
        _, second = _day_and_second(moment)
        return self.power_import(moment) * PHASE_SHARES[phase] * (1 + 0.01 * _wave(second, 53, self.seed + phase))

    def voltage(self, phase: int, moment: datetime) -> float:
        """The mains, a little lower under load."""
        _, second = _day_and_second(moment)
        drop = 0.0009 * self.power_import(moment) * PHASE_SHARES[phase]
        return 231.5 - drop + 1.4 * _wave(second, 613, self.seed + phase) + 0.3 * _wave(second, 17, self.seed + phase)

    def current(self, phase: int, moment: datetime) -> float:
        return self.phase_power(phase, moment) / (self.voltage(phase, moment) * POWER_FACTOR)

    def frequency(self, moment: datetime) -> float:
        _, second = _day_and_second(moment)
        return 50 + 0.018 * _wave(second, 97, 0) + 0.006 * _wave(second, 13, 0)

    def warmth(self, moment: datetime) -> float:
        """Degrees Celsius around a mean, in the course of a day."""
        _, second = _day_and_second(moment)
        return 2.5 * _wave(second, DAY_SECONDS, -2) + 0.2 * _wave(second, 293, self.seed)

    def max_demand(self, moment: datetime, since: datetime | None = None) -> tuple[float, datetime]:
        """The highest quarter of an hour after `since` (None: of the month so far): its mean power in W, and when it ended."""
        begin = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0) if since is None else since
        (first, from_second), (day, until) = _day_and_second(begin), _day_and_second(moment)
        best, ended = 0.0, (first, int(from_second))
        for past in range(first, day + 1):
            start = -(-from_second // QUARTER_SECONDS) if past == first else 0
            quarters = range(int(start), int(until // QUARTER_SECONDS) if past == day else QUARTERS)
            highest = _peak(quarters.start, quarters.stop)
            if highest is not None and self._import_days.height(past) * _IMPORT_SHAPE[highest] > best:
                best = self._import_days.height(past) * _IMPORT_SHAPE[highest]
                ended = (past, (highest + 1) * QUARTER_SECONDS)
        midnight = datetime.combine(FIRST_DAY, datetime.min.time(), moment.tzinfo) + timedelta(days=ended[0])
        return best * 4, midnight + timedelta(seconds=ended[1])

    # -- the height of a day -----------------------------------------------------------------------------------------

    def _import_height(self, day: int) -> float:
        when = FIRST_DAY + timedelta(days=day)
        season = 1 + self.parameters.season * math.cos(2 * math.pi * (when.timetuple().tm_yday - 15) / 365.25)
        weekend = 1.12 if when.weekday() >= 5 else 1.0
        return self._size * self.parameters.daily_import * season * weekend * (0.8 + 0.4 * self._chance("load", day))

    def _export_height(self, day: int) -> float:
        when = FIRST_DAY + timedelta(days=day)
        season = 1 - 0.75 * math.cos(2 * math.pi * (when.timetuple().tm_yday + 10) / 365.25)
        return self._size * self.parameters.daily_export * season * (0.25 + 1.5 * self._chance("sun", day)) * 0.8

    def _chance(self, what: str, day: int) -> float:
        """A number from 0 to 1 that is always the same for this meter and day."""
        return crc32(f"{what}:{self.seed}:{day}".encode()) / 0xFFFFFFFF


def _day_and_second(moment: datetime) -> tuple[int, float]:
    """Whole days since the first day, and seconds since midnight, by the moment's own wall clock."""
    day = (moment.date() - FIRST_DAY).days
    if day < 0:
        return 0, 0.0
    return day, moment.hour * 3600 + moment.minute * 60 + moment.second + moment.microsecond / 1e6


def _wave(second: float, period: float, phase: int) -> float:
    return math.sin(2 * math.pi * second / period + phase)


QUANTITIES: Final[Mapping[str, Callable[[LoadCurve, datetime], float]]] = {
    "power_import": LoadCurve.power_import,
    "power_export": LoadCurve.power_export,
    "power_total": lambda curve, moment: curve.power_import(moment) - curve.power_export(moment),
    "power_l1": lambda curve, moment: curve.phase_power(0, moment),
    "power_l2": lambda curve, moment: curve.phase_power(1, moment),
    "power_l3": lambda curve, moment: curve.phase_power(2, moment),
    "voltage_l1": lambda curve, moment: curve.voltage(0, moment),
    "voltage_l2": lambda curve, moment: curve.voltage(1, moment),
    "voltage_l3": lambda curve, moment: curve.voltage(2, moment),
    "current_l1": lambda curve, moment: curve.current(0, moment),
    "current_l2": lambda curve, moment: curve.current(1, moment),
    "current_l3": lambda curve, moment: curve.current(2, moment),
    "current": lambda curve, moment: curve.power_import(moment) / (curve.voltage(0, moment) * POWER_FACTOR),
    "reactive_power": lambda curve, moment: REACTIVE_SHARE * curve.power_import(moment),
    "apparent_power": lambda curve, moment: curve.power_import(moment) / POWER_FACTOR,
    "power_factor": lambda curve, moment: POWER_FACTOR,
    "frequency": LoadCurve.frequency,
    "flow": LoadCurve.power_import,
    "heat_flow": lambda curve, moment: curve.power_import(moment) / WATT_HOURS_OF_A_CUBIC_METRE,
    "flow_temperature": lambda curve, moment: RETURN_TEMPERATURE + SPREAD + curve.warmth(moment),
    "return_temperature": lambda curve, moment: RETURN_TEMPERATURE + curve.warmth(moment),
    "temperature_difference": lambda curve, moment: SPREAD,
    "temperature": lambda curve, moment: GROUND_TEMPERATURE + curve.warmth(moment),
}
"""Instantaneous values by the names that meter types use."""

ENERGIES: Final[Mapping[str, Callable[[LoadCurve, datetime], float]]] = {
    "energy_import": LoadCurve.energy_import,
    "energy_export": LoadCurve.energy_export,
    "energy_absolute": lambda curve, moment: curve.energy_import(moment) + curve.energy_export(moment),
    "volume": LoadCurve.energy_import,
    "heat_volume": lambda curve, moment: curve.energy_import(moment) / WATT_HOURS_OF_A_CUBIC_METRE,
    "reactive_import": lambda curve, moment: REACTIVE_SHARE * curve.energy_import(moment),
    "reactive_export": lambda curve, moment: LEADING_SHARE * curve.energy_import(moment),
}
"""Energies by the names that meter types use."""


FLOWING: Final = frozenset(
    {name for name in QUANTITIES if name.startswith(("power", "current"))}
    | {"reactive_power", "apparent_power", "flow", "heat_flow"}
)
"""Quantities that are zero behind an open switch."""


class Supply:
    """A load behind a switch: while it is open no power flows, and the energies stand still."""

    def __init__(self, curve: LoadCurve) -> None:
        self.curve = curve
        self._opened: datetime | None = None
        self._outages: list[tuple[datetime, datetime]] = []
        self.changes = 0
        """Grows whenever energies of the past or the future are others from now on."""

    @property
    def is_connected(self) -> bool:
        return self._opened is None

    def disconnect(self, moment: datetime) -> None:
        if self._opened is None:
            self._opened = moment
            self.changes += 1

    def reconnect(self, moment: datetime) -> None:
        if self._opened is not None and moment > self._opened:
            self._outages.append((self._opened, moment))
            del self._outages[:-MAX_OUTAGES]
        self._opened = None
        self.changes += 1

    def keep(self) -> dict[str, Any]:
        """For the meter's memory: when no power flowed."""
        opened = None if self._opened is None else self._opened.isoformat()
        return {"opened": opened, "outages": [[start.isoformat(), end.isoformat()] for start, end in self._outages]}

    def restore(self, kept: Any) -> None:
        opened = kept["opened"]
        self._outages = [(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in kept["outages"]]
        self._opened = None if opened is None else datetime.fromisoformat(opened)
        self.changes += 1

    def energy(self, name: str, moment: datetime) -> float:
        """The register's value: the curve's, less what the outages up to this moment would have brought."""
        curve = ENERGIES[name]
        outages = self._outages if self._opened is None else [*self._outages, (self._opened, moment)]
        for start, end in reversed(outages):
            if start < moment <= end:
                moment = start  # exactly what it was, not what rounding leaves
        lost = 0.0
        for start, end in outages:
            if start < moment:
                lost += curve(self.curve, min(end, moment)) - curve(self.curve, start)
        return curve(self.curve, moment) - lost

    def quantity(self, name: str, moment: datetime) -> float:
        """The instantaneous value; what flows is zero while the switch is open."""
        if not self.is_connected and name in FLOWING:
            return 0.0
        return QUANTITIES[name](self.curve, moment)
