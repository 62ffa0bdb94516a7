"""The computed load profile: which rows there are, and which of them are selected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import Data, DataType, array, as_date_time, date_time, long_unsigned, structure, unsigned
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from meters.cosem.units import ScalerUnit
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.axdr import decode_data
from sessions.dlms.selective_access import EntryDescriptor, RangeDescriptor, SelectiveAccess
from sessions.simulator.objects.base import Denied, EncodedValue
from sessions.simulator.objects.clock import Clock, MeterClock
from sessions.simulator.objects.values import Register
from sessions.simulator.profile import LoadProfile, ProfileColumn
from tests.sessions.simulator.served import HandClock

CLOCK_NAME = ObisCode(0, 0, 1, 0, 0, 255)
CLOCK_COLUMN = CaptureObject(8, CLOCK_NAME, 2)
REGISTER_NAME = ObisCode(1, 0, 1, 8, 0, 255)
NAME = ObisCode(1, 0, 99, 1, 0, 255)
START = datetime(2026, 11, 24, tzinfo=UTC)


def profile(entries: int = 96, now: datetime | None = None) -> LoadProfile:
    clock = MeterClock(HandClock(now or datetime(2026, 11, 25, 12, 7, 30, tzinfo=UTC)))
    register = Register(
        REGISTER_NAME,
        lambda moment: Data(DataType.DOUBLE_LONG_UNSIGNED, max(0, int((moment - START).total_seconds() // 900) + 1000)),
        ScalerUnit(0, 30),
        clock.now,
    )
    columns = [ProfileColumn(Clock(CLOCK_NAME, clock)), ProfileColumn(register)]
    return LoadProfile(NAME, columns, clock, profile_entries=entries)


def rows(value: Any) -> list[tuple[Any, ...]]:
    """Clock (as local wall time) and the other columns of each row."""
    assert isinstance(value, EncodedValue)
    decoded = decode_data(b"".join(value.parts))
    assert decoded.type is DataType.ARRAY
    found = []
    for row in decoded:
        assert row.type is DataType.STRUCTURE
        moments = [as_date_time(cell) for cell in row]
        found.append(
            tuple(
                cell.value if moment is None else moment.to_datetime().replace(tzinfo=None)
                for cell, moment in zip(row, moments, strict=True)
            )
        )
    return found


def by_range(first: datetime, last: datetime, *columns: CaptureObject) -> SelectiveAccess:
    return RangeDescriptor(CLOCK_COLUMN, date_time(first), date_time(last), columns).to_selective_access()


def test_the_buffer_ends_with_the_last_full_quarter():
    everything = rows(profile().read(2))
    assert len(everything) == 96
    assert everything[-1][0] == datetime(2026, 11, 25, 12, 0)
    assert everything[0][0] == datetime(2026, 11, 24, 12, 15)
    assert [row[1] for row in everything] == list(range(1049, 1145))


def test_its_other_attributes():
    target = profile()
    assert target.read(4).value == 900
    assert target.read(7).value == target.read(8).value == 96
    assert [CaptureObject.from_data(each) for each in target.read(3)] == [
        CLOCK_COLUMN,
        CaptureObject(3, REGISTER_NAME, 2),
    ]


def test_the_buffer_begins_on_the_first_day():
    target = profile(entries=35_040, now=datetime(2024, 1, 2, 0, 0, 1, tzinfo=UTC))
    found = rows(target.read(2))
    assert len(found) == target.read(7).value == 96
    assert found[0][0] == datetime(2024, 1, 1, 0, 15)


def test_before_the_first_day_it_is_empty():
    assert rows(profile(now=datetime(2020, 1, 1, tzinfo=UTC)).read(2)) == []


def test_a_reset_empties_it_and_it_fills_again():
    target = profile()
    target.invoke(1, None)
    assert rows(target.read(2)) == []
    target.clock.host.advance(minutes=30)
    assert [row[0] for row in rows(target.read(2))] == [datetime(2026, 11, 25, 12, 15), datetime(2026, 11, 25, 12, 30)]


EVERYTHING = rows(profile().read(2))
SOME_TIME = st.datetimes(datetime(2026, 11, 23), datetime(2026, 11, 27))


@given(first=SOME_TIME, last=SOME_TIME)
@settings(max_examples=100, deadline=None)
def test_a_range_is_what_lies_between_both_ends(first, last):
    # A COSEM time has hundredths of a second.
    first, last = (moment.replace(microsecond=moment.microsecond // 10_000 * 10_000) for moment in (first, last))
    found = rows(profile().read(2, by_range(first, last)))
    assert found == [row for row in EVERYTHING if first <= row[0] <= last]


@given(first=st.integers(0, 120), last=st.integers(0, 0xFFFFFFFF) | st.integers(0, 120))
@settings(max_examples=100, deadline=None)
def test_entries_are_counted_from_one(first, last):
    found = rows(profile().read(2, EntryDescriptor(first, last).to_selective_access()))
    assert found == EVERYTHING[max(first, 1) - 1 : last or None]


def test_far_away_selections_are_empty():
    target = profile()
    assert rows(target.read(2, EntryDescriptor(0xFFFFFFFF, 0).to_selective_access())) == []
    assert rows(target.read(2, by_range(datetime(9999, 1, 1), datetime(9999, 12, 31)))) == []
    assert rows(target.read(2, by_range(datetime(1, 1, 1), datetime(1, 1, 2)))) == []
    assert rows(target.read(2, by_range(datetime(2026, 11, 26), datetime(2026, 11, 25)))) == []


def test_ranges_with_a_deviation_are_moments():
    zone = datetime.fromisoformat("2026-11-25T02:00:00+02:00")
    assert [row[0] for row in rows(profile().read(2, by_range(zone, zone)))] == [datetime(2026, 11, 25)]


@pytest.mark.parametrize("attribute_id", [0, 2])
def test_the_sort_object_stands_for_the_order_of_time(attribute_id):
    target = profile()
    sort_object = CaptureObject.from_data(target.read(6))
    named = CaptureObject(sort_object.class_id, sort_object.logical_name, attribute_id)
    selection = RangeDescriptor(named, NOW, NOW).to_selective_access()
    assert rows(target.read(2, selection)) == rows(target.read(2, by_range(MIDNIGHT, MIDNIGHT))) != []


def test_columns_are_chosen():
    noon = datetime(2026, 11, 25, 12)
    chosen = by_range(noon, noon, CaptureObject(3, REGISTER_NAME, 2))
    assert rows(profile().read(2, chosen)) == [(1144,)]
    numbered = EntryDescriptor(96, 96, from_selected_value=2, to_selected_value=2).to_selective_access()
    assert rows(profile().read(2, numbered)) == [(1144,)]
    beyond = EntryDescriptor(96, 96, from_selected_value=3).to_selective_access()
    assert rows(profile().read(2, beyond)) == [()]


UNKNOWN = CaptureObject(3, ObisCode(1, 0, 9, 9, 9, 255), 2)
MIDNIGHT = datetime(2026, 11, 25)
NOW = date_time(MIDNIGHT)
WRONG = {
    "another restricting object": (
        RangeDescriptor(UNKNOWN, unsigned(1), unsigned(2)).to_selective_access(),
        DataAccessResult.SCOPE_OF_ACCESS_VIOLATED,
    ),
    "an unknown clock": (
        RangeDescriptor(CaptureObject(8, ObisCode(0, 0, 1, 0, 1, 255), 2), NOW, NOW).to_selective_access(),
        DataAccessResult.SCOPE_OF_ACCESS_VIOLATED,
    ),
    "an unknown column": (
        RangeDescriptor(CLOCK_COLUMN, NOW, NOW, (UNKNOWN,)).to_selective_access(),
        DataAccessResult.SCOPE_OF_ACCESS_VIOLATED,
    ),
    "no time": (
        RangeDescriptor(CLOCK_COLUMN, unsigned(1), NOW).to_selective_access(),
        DataAccessResult.TYPE_UNMATCHED,
    ),
    "an unspecified time": (
        RangeDescriptor(CLOCK_COLUMN, Data(DataType.OCTET_STRING, b"\xff" * 12), NOW).to_selective_access(),
        DataAccessResult.TYPE_UNMATCHED,
    ),
    "no range descriptor": (SelectiveAccess(1, unsigned(1)), DataAccessResult.TYPE_UNMATCHED),
    "no entry descriptor": (SelectiveAccess(2, structure(long_unsigned(1))), DataAccessResult.TYPE_UNMATCHED),
    "an entry descriptor of texts": (
        SelectiveAccess(2, array(*[Data(DataType.OCTET_STRING, b"1")] * 4)),
        DataAccessResult.TYPE_UNMATCHED,
    ),
    "an unknown selector": (SelectiveAccess(3, unsigned(1)), DataAccessResult.SCOPE_OF_ACCESS_VIOLATED),
}


@pytest.mark.parametrize("selection", WRONG)
def test_what_cannot_be_selected(selection):
    wanted, result = WRONG[selection]
    with pytest.raises(Denied, match=result.words):
        profile().read(2, wanted)


def test_a_running_transfer_keeps_its_rows():
    target = profile()
    value = target.read(2)
    target.clock.host.advance(hours=2)
    assert rows(value) == EVERYTHING


def test_the_profile_follows_the_clock_that_was_set():
    target = profile()
    target.clock.offset += timedelta(days=1)
    assert rows(target.read(2))[-1][0] == datetime(2026, 11, 26, 12)
