"""Dates and times as a person types them, without loss: what is printed is read as the same octets.

    2026-11-25 10:00:00+01:00          T instead of the space, Z, and no seconds or no offset are fine too
    2026-11-25 * 10:00:00.* status *   weekday, hundredths and clock status not specified
    *-03-last Sun 02:00:00             `*` is not specified; days: last, second-last; months: dst-begin, dst-end
    *-*-#e3 *:*:*                      an octet that means nothing, in hex

What is left out: a weekday is that of the date, and not specified where the date is not complete; seconds, hundredths and
clock status are 0; the offset is not specified. Source of the fields: Blue Book, 4.1.6.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from meters.cosem.date_time import (
    DAYLIGHT_SAVINGS_BEGIN,
    DAYLIGHT_SAVINGS_END,
    LAST_DAY,
    SECOND_LAST_DAY,
    UNSPECIFIED,
    UNSPECIFIED_DEVIATION,
    UNSPECIFIED_YEAR,
    CosemDate,
    CosemDateTime,
    CosemTime,
)

WEEKDAYS: Final = {name: number for number, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), 1)}
MONTHS: Final = {"dst-begin": DAYLIGHT_SAVINGS_BEGIN, "dst-end": DAYLIGHT_SAVINGS_END}
NO_WORDS: Final[Mapping[str, int]] = {}
DAYS: Final = {"last": LAST_DAY, "second-last": SECOND_LAST_DAY}

_NUMBER: Final = r"[0-9]+|\*+|#[0-9a-f]+"
_WEEKDAY: Final = r"(?:\s+(?P<weekday>[a-z]{3,9}|\*|#[0-9a-f]+|[1-7](?![0-9:])))?"
_DATE: Final = (
    rf"(?P<year>{_NUMBER})-(?P<month>{_NUMBER}|dst-begin|dst-end)-(?P<day>{_NUMBER}|last|second-last){_WEEKDAY}"
)
_TIME: Final = (
    rf"(?P<hour>{_NUMBER}):(?P<minute>{_NUMBER})(?::(?P<second>{_NUMBER})(?:[.,](?P<hundredths>{_NUMBER}))?)?"
)
_ZONE: Final = r"(?:\s*(?P<zone>z|[+-][0-9]{1,3}:?[0-9]{2}))?"
_STATUS: Final = r"(?:\s*status\s+(?P<status>\*|[0-9a-f]{2}))?"
_PATTERNS: Final = {
    "date": re.compile(rf"\s*{_DATE}\s*", re.IGNORECASE),
    "time": re.compile(rf"\s*{_TIME}\s*", re.IGNORECASE),
    "date-time": re.compile(rf"\s*{_DATE}(?:\s+|\s*T\s*){_TIME}{_ZONE}{_STATUS}\s*", re.IGNORECASE),
}
MAX_SHOWN: Final = 40
EXAMPLES: Final = {
    "date": "2026-11-25, or *-12-25 for every year",
    "time": "06:30:00",
    "date-time": "2026-11-25 10:00:00+01:00, or *-03-last Sun 02:00:00",
}


def parse_date_time(text: str) -> CosemDateTime:
    """ValueError says what is wrong and how one is written."""
    found = _match("date-time", text)
    zone, status = found["zone"], found["status"]
    return CosemDateTime(
        _date(found),
        _time(found),
        None if zone is None else _deviation(zone),
        0 if status is None else UNSPECIFIED if status == "*" else int(status, 16),
    )


def parse_date(text: str) -> CosemDate:
    """ValueError says what is wrong and how one is written."""
    return _date(_match("date", text))


def parse_time(text: str) -> CosemTime:
    """ValueError says what is wrong and how one is written."""
    return _time(_match("time", text))


def date_time_text(moment: CosemDateTime) -> str:
    """What `parse_date_time` reads as the same moment."""
    text = f"{date_text(moment.date)} {time_text(moment.time)}"
    if moment.deviation is not None:
        sign, minutes = ("-", moment.deviation) if moment.deviation > 0 else ("+", -moment.deviation)
        text += f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"
    if moment.clock_status:
        text += " status *" if moment.clock_status == UNSPECIFIED else f" status {moment.clock_status:02x}"
    return text


def date_text(day: CosemDate) -> str:
    """What `parse_date` reads as the same date."""
    year = "*" if day.year == UNSPECIFIED_YEAR else f"{day.year:04d}" if day.year <= 9999 else f"#{day.year:04x}"
    text = f"{year}-{_part(day.month, 1, 12, MONTHS)}-{_part(day.day, 1, 31, DAYS)}"
    if day.day_of_week != _weekday_of(day.year, day.month, day.day):
        text += f" {_part(day.day_of_week, 1, 0, WEEKDAYS)}"
    return text


def time_text(time: CosemTime) -> str:
    """What `parse_time` reads as the same time."""
    text = f"{_part(time.hour, 0, 23)}:{_part(time.minute, 0, 59)}:{_part(time.second, 0, 59)}"
    return f"{text}.{_part(time.hundredths, 0, 99)}" if time.hundredths else text


def _part(number: int, least: int, most: int, words: Mapping[str, int] = NO_WORDS) -> str:
    if number == UNSPECIFIED:
        return "*"
    word = next((word for word, value in words.items() if value == number), "")
    return word or (f"{number:02d}" if least <= number <= most else f"#{number:02x}")


def _match(kind: str, text: str) -> re.Match[str]:
    found = _PATTERNS[kind].fullmatch(text)
    if found is None:
        raise ValueError(f"“{text.strip()[:MAX_SHOWN]}” is no {kind}: write it as {EXAMPLES[kind]}")
    return found


def _date(found: re.Match[str]) -> CosemDate:
    year = _number(found, "year", 0, 9999, unspecified=UNSPECIFIED_YEAR)
    month = _number(found, "month", 1, 12, MONTHS)
    day = _number(found, "day", 1, 31, DAYS)
    if found["weekday"] is None:
        return CosemDate(year, month, day, _weekday_of(year, month, day))
    return CosemDate(year, month, day, _weekday(found["weekday"]))


def _time(found: re.Match[str]) -> CosemTime:
    return CosemTime(
        _number(found, "hour", 0, 23),
        _number(found, "minute", 0, 59),
        _number(found, "second", 0, 59),
        _number(found, "hundredths", 0, 99),
    )


def _number(
    found: re.Match[str],
    name: str,
    least: int,
    most: int,
    words: Mapping[str, int] = NO_WORDS,
    *,
    unspecified: int = UNSPECIFIED,
) -> int:
    text = found[name]
    if text is None:
        return 0
    if text.startswith("*"):
        return unspecified
    if text.startswith("#"):
        return _octets(name, text, unspecified)
    if text.lower() in words:
        return words[text.lower()]
    if not least <= int(text) <= most:
        raise ValueError(f"the {name} is {text}: {least} to {most} is possible, or * for not specified")
    return int(text)


def _octets(name: str, text: str, most: int) -> int:
    if int(text[1:], 16) > most:
        raise ValueError(f"the {name} is {text}: it has no more than {most.bit_length() // 8} octets")
    return int(text[1:], 16)


def _weekday(text: str) -> int:
    if text == "*":
        return UNSPECIFIED
    if text.startswith("#"):
        return _octets("weekday", text, UNSPECIFIED)
    number = int(text) if text.isdecimal() else WEEKDAYS.get(text[:3].capitalize())
    if number is None:
        raise ValueError(f"“{text}” is no weekday: write Mon, Tue, Wed, Thu, Fri, Sat or Sun")
    return number


def _weekday_of(year: int, month: int, day: int) -> int:
    try:
        return date(year, month, day).isoweekday()
    except ValueError:
        return UNSPECIFIED


def _deviation(zone: str) -> int:
    """Minutes from local time to UTC: the sign is the other one than that of an offset."""
    if zone in ("z", "Z"):
        return 0
    hours, minutes = zone[1:-2].rstrip(":"), zone[-2:]
    offset = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or offset >= -UNSPECIFIED_DEVIATION:
        raise ValueError(f"the offset {zone} is none: write it as +01:00")
    return -offset if zone[0] == "+" else offset
