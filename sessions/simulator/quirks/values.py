"""Quirks of values: clocks, profile rows, and an invocation counter that is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from meters.cosem.data import Data, DataType, array, null, octet_string, structure, unsigned
from meters.cosem.date_time import looks_like_date_time
from meters.cosem.deviations import reversed_deviations
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor
from sessions.simulator.quirks.quirk import Quirk

CLOCK: Final = 8
PROFILE: Final = 7
BUFFER: Final = 2
COUNTERS: Final = (0, 0, 43, 1)
"""The object of an invocation counter: 0-0:43.1.e*255."""
LIE: Final = 1000
"""How far a counter object is off."""


def _in_moments(change: Callable[[bytes], bytes]) -> Callable[[CosemAttributeDescriptor, Data], Data]:
    """In all that looks like a date-time of 12 octets, wherever it stands."""

    def changed(data: Data) -> Data:
        if data.type in (DataType.ARRAY, DataType.STRUCTURE):
            return Data(data.type, tuple(changed(part) for part in data))
        if data.type is DataType.OCTET_STRING and len(data.value) == 12 and looks_like_date_time(data.value):
            return octet_string(change(data.value))
        return data

    return lambda asked, data: changed(data)


def _rows(change: Callable[[list[Data]], list[Data]]) -> Callable[[CosemAttributeDescriptor, Data], Data]:
    """In the buffer of a profile."""

    def changed(asked: CosemAttributeDescriptor, data: Data) -> Data:
        if asked.class_id != PROFILE or asked.attribute_id != BUFFER or data.type is not DataType.ARRAY:
            return data
        return array(*change(list(data)))

    return changed


def _clock(change: Callable[[Data], Data]) -> Callable[[CosemAttributeDescriptor, Data], Data]:
    def changed(asked: CosemAttributeDescriptor, data: Data) -> Data:
        return change(data) if asked.class_id == CLOCK and asked.attribute_id == 2 else data

    return changed


def _counter(offset: int) -> Callable[[CosemAttributeDescriptor, Data], Data]:
    def changed(asked: CosemAttributeDescriptor, data: Data) -> Data:
        name: ObisCode = asked.instance_id
        if tuple(name.octets[:4]) != COUNTERS or asked.attribute_id != 2 or not isinstance(data.value, int):
            return data
        return Data(data.type, min(0xFFFF_FFFF, max(0, data.value + offset)))

    return changed


def _without_clocks(rows: list[Data]) -> list[Data]:
    return rows[:1] + [structure(null(), *list(row)[1:]) for row in rows[1:]]


def _with_a_column_more(rows: list[Data]) -> list[Data]:
    middle = (len(rows) + 1) // 2
    return rows[:middle] + [structure(*row, unsigned(0)) for row in rows[middle:]]


VALUE_QUIRKS: Final = (
    Quirk(
        name="deviation-reversed",
        words="date-times count the deviation as local − UTC",
        value=lambda asked, data: reversed_deviations(data, guess=True),
    ),
    Quirk(
        name="deviation-unspecified",
        words="date-times have the deviation 8000",
        value=_in_moments(lambda octets: octets[:9] + b"\x80\x00" + octets[11:]),
    ),
    Quirk(
        name="day-of-week-unspecified",
        words="date-times have the day of week FF",
        value=_in_moments(lambda octets: octets[:4] + b"\xff" + octets[5:]),
    ),
    Quirk(
        name="hundredths-unspecified",
        words="date-times have the hundredths FF",
        value=_in_moments(lambda octets: octets[:8] + b"\xff" + octets[9:]),
    ),
    Quirk(
        name="garbage-year",
        words="date-times are of the year 0, in the month 0",
        value=_in_moments(lambda octets: bytes(4) + octets[4:]),
    ),
    Quirk(
        name="date-time-of-8-octets",
        words="the clock's time has 8 octets: nothing behind the second",
        value=_clock(lambda data: octet_string(data.value[:8])),
    ),
    Quirk(
        name="date-time-of-13-octets",
        words="the clock's time has an octet too many",
        value=_clock(lambda data: octet_string(data.value + b"\x00")),
    ),
    Quirk(name="null-clock", words="the clock's time is null-data", value=_clock(lambda data: null())),
    Quirk(
        name="null-clock-in-rows",
        words="only the first row of a profile has its time, the others null-data: one capture period later each",
        value=_rows(_without_clocks),
    ),
    Quirk(
        name="rows-gain-a-column",
        words="from the middle of a profile's buffer on, rows have a column more",
        value=_rows(_with_a_column_more),
    ),
    Quirk(name="rows-out-of-order", words="a profile's rows come backwards", value=_rows(lambda rows: rows[::-1])),
    Quirk(name="counter-too-low", words=f"the counter object tells {LIE} too little", value=_counter(-LIE)),
    Quirk(name="counter-too-high", words=f"the counter object tells {LIE} too much", value=_counter(LIE)),
)
"""Source: captures of real meters; the last two are faults."""
