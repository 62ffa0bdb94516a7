"""COSEM date, time and date-time: lossless, with every field that may be left unspecified (Blue Book, 4.1.6.1).

The deviation counts minutes from local time to UTC: UTC = local + deviation, so that Central European winter time has -60.
Many deployed meters send the opposite sign: `reverse_deviation`, wherever it can be said, reads and writes as they do.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import IntFlag
from functools import lru_cache
from typing import Final

UNSPECIFIED = 0xFF
UNSPECIFIED_YEAR = 0xFFFF
UNSPECIFIED_DEVIATION = -0x8000
DAYLIGHT_SAVINGS_END = 0xFD
DAYLIGHT_SAVINGS_BEGIN = 0xFE
SECOND_LAST_DAY = 0xFD
LAST_DAY = 0xFE

_LAST_YEAR = 9999
_DAY = 86_400
_MONTH_WORDS = {DAYLIGHT_SAVINGS_END: "dst-end", DAYLIGHT_SAVINGS_BEGIN: "dst-begin"}
_DAY_WORDS = {SECOND_LAST_DAY: "second-last", LAST_DAY: "last"}
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class ClockStatus(IntFlag):
    """The bits of the clock status octet; 0xFF as a whole means "not specified"."""

    INVALID_VALUE = 0x01
    DOUBTFUL_VALUE = 0x02
    DIFFERENT_CLOCK_BASE = 0x04
    INVALID_CLOCK_STATUS = 0x08
    DAYLIGHT_SAVING_ACTIVE = 0x80


_WARNINGS = {ClockStatus.INVALID_VALUE: "clock invalid", ClockStatus.DOUBTFUL_VALUE: "clock doubtful"}


@lru_cache(maxsize=256)
def _warnings(clock_status: int) -> str:
    """What a clock says against its own time, behind it."""
    words = [word for bit, word in _WARNINGS.items() if clock_status != UNSPECIFIED and clock_status & bit]
    return f" ({', '.join(words)})" if words else ""


def _part(number: int, width: int = 2, words: dict[int, str] | None = None) -> str:
    if words and number in words:
        return words[number]
    return "*" * width if number in (UNSPECIFIED, UNSPECIFIED_YEAR) else f"{number:0{width}d}"


def _allowed(least: int, most: int, *special: int) -> frozenset[int]:
    return frozenset((*range(least, most + 1), UNSPECIFIED, *special))


_YEARS: Final = frozenset((*range(_LAST_YEAR + 1), UNSPECIFIED_YEAR))
_MONTHS: Final = _allowed(1, 12, *_MONTH_WORDS)
_DAYS: Final = _allowed(1, 31, *_DAY_WORDS)
_DAYS_OF_WEEK: Final = _allowed(1, 7)
_HOURS: Final = _allowed(0, 23)
_SIXTIETHS: Final = _allowed(0, 59)
_HUNDREDTHS: Final = _allowed(0, 99)


@dataclass(frozen=True, slots=True)
class CosemDate:
    """Five octets. Fields hold the octets' numbers: 0xFF (year 0xFFFF) is "not specified"."""

    year: int = UNSPECIFIED_YEAR
    month: int = UNSPECIFIED
    day: int = UNSPECIFIED
    day_of_week: int = UNSPECIFIED

    @classmethod
    def decode(cls, octets: bytes) -> CosemDate:
        if len(octets) != 5:
            raise ValueError(f"a date has 5 octets, these are {len(octets)}")
        return cls(int.from_bytes(octets[:2], "big"), *octets[2:])

    def encode(self) -> bytes:
        return self.year.to_bytes(2, "big") + bytes((self.month, self.day, self.day_of_week))

    @property
    def in_range(self) -> bool:
        """Whether every field holds what the standard allows; unspecified and special days and months are allowed."""
        return self.year in _YEARS and self.month in _MONTHS and self.day in _DAYS and self.day_of_week in _DAYS_OF_WEEK

    def __str__(self) -> str:
        text = f"{_part(self.year, 4)}-{_part(self.month, 2, _MONTH_WORDS)}-{_part(self.day, 2, _DAY_WORDS)}"
        special = UNSPECIFIED in (self.month, self.day) or self.month in _MONTH_WORDS or self.day in _DAY_WORDS
        if special and 1 <= self.day_of_week <= 7:
            text += f" {_WEEKDAYS[self.day_of_week - 1]}"
        return text


@dataclass(frozen=True, slots=True)
class CosemTime:
    """Four octets. 0xFF is "not specified"."""

    hour: int = UNSPECIFIED
    minute: int = UNSPECIFIED
    second: int = UNSPECIFIED
    hundredths: int = UNSPECIFIED

    @classmethod
    def decode(cls, octets: bytes) -> CosemTime:
        if len(octets) != 4:
            raise ValueError(f"a time has 4 octets, these are {len(octets)}")
        return cls(*octets)

    def encode(self) -> bytes:
        return bytes((self.hour, self.minute, self.second, self.hundredths))

    @property
    def in_range(self) -> bool:
        """Whether every field holds what the standard allows; unspecified is allowed."""
        return (
            self.hour in _HOURS
            and self.minute in _SIXTIETHS
            and self.second in _SIXTIETHS
            and self.hundredths in _HUNDREDTHS
        )

    def __str__(self) -> str:
        text = f"{_part(self.hour)}:{_part(self.minute)}:{_part(self.second)}"
        return f"{text}.{self.hundredths:02d}" if self.hundredths not in (0, UNSPECIFIED) else text


@dataclass(frozen=True, slots=True)
class CosemDateTime:
    """Twelve octets: date, time, deviation in minutes (None is "not specified") and clock status (0xFF likewise)."""

    date: CosemDate
    time: CosemTime
    deviation: int | None = None
    clock_status: int = UNSPECIFIED

    @classmethod
    def decode(cls, octets: bytes) -> CosemDateTime:
        """ValueError unless there are 12 octets; garbage inside them is kept as it is."""
        if len(octets) != 12:
            raise ValueError(f"a date-time has 12 octets, these are {len(octets)}")
        deviation = int.from_bytes(octets[9:11], "big", signed=True)
        return cls(
            CosemDate.decode(octets[:5]),
            CosemTime.decode(octets[5:9]),
            None if deviation == UNSPECIFIED_DEVIATION else deviation,
            octets[11],
        )

    def encode(self) -> bytes:
        deviation = UNSPECIFIED_DEVIATION if self.deviation is None else self.deviation
        return (
            self.date.encode()
            + self.time.encode()
            + deviation.to_bytes(2, "big", signed=True)
            + bytes((self.clock_status,))
        )

    @classmethod
    def from_datetime(
        cls, moment: datetime, *, clock_status: int = 0, reverse_deviation: bool = False
    ) -> CosemDateTime:
        """From a Python time; an aware one gives the deviation, a naive one leaves it unspecified."""
        offset = moment.utcoffset()
        minutes = None if offset is None else round(offset.total_seconds() / 60)
        return cls(
            CosemDate(moment.year, moment.month, moment.day, moment.isoweekday()),
            CosemTime(moment.hour, moment.minute, moment.second, moment.microsecond // 10_000),
            minutes if minutes is None or reverse_deviation else -minutes,
            clock_status,
        )

    def to_datetime(self, *, reverse_deviation: bool = False) -> datetime:
        """As a Python time, aware where the deviation is given.

        ValueError where a field that a moment needs is unspecified or out of range; unspecified seconds and hundredths
        count as zero.
        """
        try:
            return decode_moment(self.encode(), reverse_deviation=reverse_deviation)
        except OverflowError:
            raise ValueError(f"{self!r} has fields that no octets hold") from None

    def later(self, seconds: int) -> CosemDateTime:
        """`seconds` later by the same clock: same deviation and status, and what was unspecified stays so.

        ValueError as `to_datetime`, and after the year 9999.
        """
        return CosemDateTime.decode(step_moment(self.encode(), seconds))

    @property
    def in_range(self) -> bool:
        """Whether every field of date and time holds what the standard allows."""
        return self.date.in_range and self.time.in_range

    @property
    def status(self) -> ClockStatus | None:
        """The bits of the clock status, None where it is not specified."""
        return None if self.clock_status == UNSPECIFIED else ClockStatus(self.clock_status)

    @property
    def daylight_saving(self) -> bool:
        return self.status is not None and ClockStatus.DAYLIGHT_SAVING_ACTIVE in self.status

    def __str__(self) -> str:
        return self.text()

    def text(self, *, reverse_deviation: bool = False) -> str:
        """`2026-11-25 10:00:00+01:00`, stars for what is unspecified, and what the clock says against its own time."""
        text = f"{self.date} {self.time}"
        if self.deviation is not None:
            offset = self.deviation if reverse_deviation else -self.deviation
            text += f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"
        return text + _warnings(self.clock_status) if self.clock_status else text

    def iso(self, *, reverse_deviation: bool = False) -> str | None:
        """ISO 8601 where it is a moment, None where fields are unspecified or garbage."""
        try:
            return self.to_datetime(reverse_deviation=reverse_deviation).isoformat()
        except (ValueError, OverflowError):
            return None


_ORDINARY_YEARS: Final = frozenset((*range(1990, 2101), UNSPECIFIED_YEAR))
_LARGEST_DEVIATION: Final = 840
_DEVIATION_STEP: Final = 15
"""Time zones differ by quarters of an hour."""


def looks_like_date_time(octets: bytes) -> bool:
    """Whether octets that nobody declared are very likely a date-time.

    There must be twelve, every field in its range or unspecified, the year between 1990 and 2100, the deviation that of a time
    zone. Text never passes: no such year is printable. Twelve octets FF do not pass either: their deviation would be -1 minute.
    """
    if len(octets) != _WIRE.size:
        return False
    year, month, day, day_of_week, hour, minute, second, hundredths, deviation, _ = _WIRE.unpack(octets)
    return (
        year in _ORDINARY_YEARS
        and month in _MONTHS
        and day in _DAYS
        and day_of_week in _DAYS_OF_WEEK
        and hour in _HOURS
        and minute in _SIXTIETHS
        and second in _SIXTIETHS
        and hundredths in _HUNDREDTHS
        and (
            deviation == UNSPECIFIED_DEVIATION
            or (abs(deviation) <= _LARGEST_DEVIATION and deviation % _DEVIATION_STEP == 0)
        )
    )


# -- many moments ------------------------------------------------------------------------------------------------------

_WIRE: Final = struct.Struct(">HBBBBBBBhB")
"""Year, month, day, day of week, hour, minute, second, hundredths, deviation, clock status."""
_STEPPED: Final = struct.Struct(">HBBBBBBB")
_TAIL: Final = _STEPPED.size


@lru_cache(maxsize=256)
def _zone(minutes: int) -> timezone:
    return timezone(timedelta(minutes=minutes))


def decode_moment(octets: bytes, *, reverse_deviation: bool = False) -> datetime:
    """The Python time of the twelve octets of a date-time: `CosemDateTime.to_datetime` without what stands between.

    ValueError as there, and unless there are twelve octets.
    """
    if len(octets) != _WIRE.size:
        raise ValueError(f"a date-time has 12 octets, these are {len(octets)}")
    return next(_moments(octets, reverse_deviation))


def decode_moments(column: Sequence[bytes], *, reverse_deviation: bool = False) -> list[datetime | None]:
    """The same for a column of them; None for what is no moment."""
    if set(map(len, column)) == {_WIRE.size}:
        try:
            return list(_moments(b"".join(column), reverse_deviation))
        except ValueError:
            pass  # one of them is no moment
    return [_moment_or_none(octets, reverse_deviation) for octets in column]


def _moments(octets: bytes, reverse_deviation: bool) -> Iterator[datetime]:
    """Moments whose octets stand one behind the other."""
    for year, month, day, _, hour, minute, second, hundredths, deviation, _ in _WIRE.iter_unpack(octets):
        zone = None
        if deviation != UNSPECIFIED_DEVIATION:
            zone = _zone(deviation if reverse_deviation else -deviation)
        if hundredths == UNSPECIFIED:
            hundredths = 0
        if second == UNSPECIFIED:
            second = 0
        yield datetime(year, month, day, hour, minute, second, hundredths * 10_000, zone)


def _moment_or_none(octets: bytes, reverse_deviation: bool) -> datetime | None:
    try:
        return decode_moment(octets, reverse_deviation=reverse_deviation)
    except ValueError:
        return None


def steps_of_moment(octets: bytes, seconds: int) -> Iterator[bytes]:
    """The octets of a date-time again and again `seconds` later by the same clock, as `CosemDateTime.later`, without end.

    ValueError at the step that leads to no moment.
    """
    while True:
        octets = step_moment(octets, seconds)
        yield octets
        day, second, rest = octets[:5], octets[7], octets[8:]
        if second == UNSPECIFIED or seconds <= 0:
            continue
        # Until midnight only the time changes.
        first = octets[5] * 3600 + octets[6] * 60 + second + seconds
        for later in range(first, _DAY, seconds):
            octets = day + _time_of_day(later) + rest
            yield octets


@lru_cache(maxsize=2048)
def _time_of_day(second: int) -> bytes:
    return bytes((second // 3600, second // 60 % 60, second % 60))


def step_moment(octets: bytes, seconds: int) -> bytes:
    """The octets of a date-time, `seconds` later by the same clock; ValueError as `CosemDateTime.later`."""
    try:
        moment = decode_moment(octets) + _seconds(seconds)
    except OverflowError:
        raise ValueError(f"{seconds} s after {octets.hex()} is no moment") from None
    day_of_week, second, hundredths = octets[4], octets[7], octets[8]
    stepped = _STEPPED.pack(
        moment.year,
        moment.month,
        moment.day,
        UNSPECIFIED if day_of_week == UNSPECIFIED else moment.isoweekday(),
        moment.hour,
        moment.minute,
        UNSPECIFIED if second == UNSPECIFIED and not moment.second else moment.second,
        UNSPECIFIED if hundredths == UNSPECIFIED else moment.microsecond // 10_000,
    )
    return stepped + octets[_TAIL:]


@lru_cache(maxsize=256)
def _seconds(seconds: int) -> timedelta:
    return timedelta(seconds=seconds)
