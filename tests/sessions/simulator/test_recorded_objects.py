"""Objects of a snapshot: what their methods do, what they do where the meter's values are odd."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from meters.cosem.data import (
    Data,
    DataType,
    array,
    as_date_time,
    date_time,
    double_long_unsigned,
    enum,
    integer,
    long,
    long_unsigned,
    null,
    octet_string,
    structure,
    unsigned,
)
from meters.cosem.date_time import CosemDate, CosemDateTime, CosemTime
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.selective_access import EntryDescriptor, RangeDescriptor, SelectiveAccess
from sessions.simulator.objects.base import CosemObject, Denied
from sessions.simulator.recorded_objects import (
    RecordedClock,
    RecordedControl,
    RecordedProfile,
    RecordedRegister,
    RecordedScripts,
    refusing,
    zero,
)
from tests.sessions.simulator.served import NOON, HandClock

NAME = ObisCode.parse("1-0:1.8.0*255")
CLOCK = CaptureObject(8, ObisCode.parse("0-0:1.0.0*255"), 2)
ENERGY = CaptureObject(3, NAME, 2)


def value(target: CosemObject, number: int, selection: SelectiveAccess | None = None) -> Data:
    found = target.read(number, selection)
    assert isinstance(found, Data)
    return found


def denied(what, *arguments) -> DataAccessResult:
    with pytest.raises(Denied) as refused:
        what(*arguments)
    return refused.value.result


def test_refusals_keep_their_result():
    assert denied(refusing(DataAccessResult.HARDWARE_FAULT).read) is DataAccessResult.HARDWARE_FAULT


@pytest.mark.parametrize("data", [null(), octet_string(b"x"), array()])
def test_what_is_no_number_is_not_made_zero(data):
    assert zero(data) == data


def test_registers_are_reset_in_their_own_type():
    register = RecordedRegister(3, 0, NAME, {2: double_long_unsigned(5), 3: structure(integer(0), enum(30))})
    register.invoke(1, integer(0))
    assert value(register, 2) == double_long_unsigned(0)
    demand = RecordedRegister(5, 0, NAME, {2: long_unsigned(5), 3: unsigned(7), 4: enum(1)})
    demand.invoke(1, integer(0))
    assert (value(demand, 2), value(demand, 3), value(demand, 4)) == (long_unsigned(0), unsigned(0), enum(1))


# -- time --------------------------------------------------------------------------------------------------------------


def clock_of(said: CosemDateTime, host: HandClock, at: datetime = NOON, *, typed: bool = False) -> RecordedClock:
    data = Data(DataType.DATE_TIME, said) if typed else octet_string(said.encode())
    return RecordedClock(0, CLOCK.logical_name, {2: data}, said, at, host)


@pytest.mark.parametrize("deviation", [None, -60, 60, 0])
@pytest.mark.parametrize("day_of_week", [3, 0xFF])
@pytest.mark.parametrize("hundredths", [0, 57, 0xFF])
@pytest.mark.parametrize("typed", [False, True])
def test_a_clock_says_what_it_said_and_goes_on(deviation, day_of_week, hundredths, typed):
    said = CosemDateTime(CosemDate(2026, 11, 25, day_of_week), CosemTime(12, 0, 7, hundredths), deviation, 0x80)
    host = HandClock()
    target = clock_of(said, host, typed=typed)
    assert as_date_time(value(target, 2)) == said
    host.advance(days=1, seconds=3)
    later = CosemDateTime(
        CosemDate(2026, 11, 26, 0xFF if day_of_week == 0xFF else 4), CosemTime(12, 0, 10, hundredths), deviation, 0x80
    )
    assert as_date_time(value(target, 2)) == later


def test_a_clock_is_set_and_shifted():
    target = clock_of(CosemDateTime.from_datetime(NOON), HandClock(), NOON - timedelta(hours=1))
    assert target.clock.offset == timedelta(hours=1)
    target.write(2, date_time(NOON))
    assert target.clock.offset == timedelta()
    target.invoke(6, long(30))
    assert as_date_time(value(target, 2)) == CosemDateTime.from_datetime(NOON + timedelta(seconds=30))


def test_a_clock_that_says_no_moment_cannot_go_on():
    with pytest.raises(ValueError):
        clock_of(CosemDateTime(CosemDate(), CosemTime(), None, 0xFF), HandClock())


# -- profiles ----------------------------------------------------------------------------------------------------------


def row(minute: int, energy: int, *, tz=UTC) -> Data:
    moment = datetime(2026, 11, 25, 10, minute, tzinfo=tz)
    return structure(date_time(moment), double_long_unsigned(energy))


def profile(*rows: Data, first: int = 1, columns=(CLOCK, ENERGY), **values: Data) -> RecordedProfile:
    attributes = {2: array(*rows), 3: array(*(column.to_data() for column in columns)), 4: double_long_unsigned(60)}
    numbered = {int(name.removeprefix("_")): each for name, each in values.items()}
    return RecordedProfile(1, NAME, attributes | numbered, first)


ROWS = [row(minute, 100 + minute) for minute in range(5)]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [((1, 0), ROWS), ((2, 3), ROWS[1:3]), ((5, 9), ROWS[4:]), ((6, 9), []), ((0, 1), ROWS[:1])],
)
def test_entries(entries, expected):
    found = value(profile(*ROWS), 2, EntryDescriptor(*entries).to_selective_access())
    assert list(found) == expected


@pytest.mark.parametrize(
    ("entries", "expected"),
    [((1, 0), ROWS), ((1, 10), []), ((11, 12), ROWS[:2]), ((1, 11), ROWS[:1]), ((15, 15), ROWS[4:])],
)
def test_entries_have_the_numbers_that_the_meter_gave_them(entries, expected):
    found = value(profile(*ROWS, first=11), 2, EntryDescriptor(*entries).to_selective_access())
    assert list(found) == expected


@pytest.mark.parametrize(("low", "high"), [(1, 3), (0, 9), (3, 1), (9, 9)])
def test_ranges_of_time_and_of_numbers(low, high):
    by_time = RangeDescriptor(CLOCK, row(low, 0)[0], row(high, 0)[0])
    by_energy = RangeDescriptor(ENERGY, long_unsigned(100 + low), long_unsigned(100 + high))
    for wanted in (by_time, by_energy):
        assert list(value(profile(*ROWS), 2, wanted.to_selective_access())) == ROWS[low : high + 1]


def test_a_wall_clock_is_compared_with_a_wall_clock():
    rows = [row(minute, minute, tz=None) for minute in range(5)]
    wanted = RangeDescriptor(CLOCK, row(1, 0)[0], row(2, 0, tz=None)[0])
    assert list(value(profile(*rows), 2, wanted.to_selective_access())) == rows[1:3]


def test_what_the_meter_left_out_is_filled_before_rows_are_chosen():
    compressed = [ROWS[0], structure(null(), null()), structure(null(), double_long_unsigned(7))]
    target = profile(*compressed)
    assert list(value(target, 2)) == compressed
    second, third = value(target, 2, EntryDescriptor(2, 3).to_selective_access())
    assert list(second) == list(row(1, 100))
    assert third == compressed[2]  # behind its predecessor a row is as the meter wrote it
    assert list(value(target, 2, EntryDescriptor(2, 3, 2, 2).to_selective_access())[1]) == [double_long_unsigned(7)]
    by_energy = RangeDescriptor(ENERGY, long_unsigned(1), long_unsigned(100))
    assert list(value(target, 2, by_energy.to_selective_access())) == compressed


@pytest.mark.parametrize(
    ("selection", "result"),
    [
        (SelectiveAccess(9, null()), DataAccessResult.SCOPE_OF_ACCESS_VIOLATED),
        (SelectiveAccess(1, null()), DataAccessResult.TYPE_UNMATCHED),
        (SelectiveAccess(2, structure(null(), null(), null(), null())), DataAccessResult.TYPE_UNMATCHED),
        (
            RangeDescriptor(CaptureObject(3, NAME, 9), null(), null()).to_selective_access(),
            DataAccessResult.SCOPE_OF_ACCESS_VIOLATED,
        ),
        (RangeDescriptor(CLOCK, null(), null()).to_selective_access(), DataAccessResult.TYPE_UNMATCHED),
        (RangeDescriptor(CLOCK, integer(1), row(1, 0)[0]).to_selective_access(), DataAccessResult.TYPE_UNMATCHED),
    ],
)
def test_selections_that_are_none(selection, result):
    assert denied(profile(*ROWS).read, 2, selection) is result


def test_a_buffer_that_is_no_table_has_no_rows_to_choose():
    target = profile(_2=octet_string(b"maker's own"), _3=null())
    assert value(target, 2) == octet_string(b"maker's own")
    assert len(value(target, 2, EntryDescriptor(1, 0).to_selective_access())) == 0


def test_a_reset_empties_it():
    target = profile(*ROWS, _7=double_long_unsigned(5))
    target.invoke(1, integer(0))
    assert (len(value(target, 2)), value(target, 7)) == (0, double_long_unsigned(0))


# -- control -----------------------------------------------------------------------------------------------------------


def control(state: int, mode: int) -> RecordedControl:
    return RecordedControl(0, NAME, {2: Data(DataType.BOOLEAN, state == 1), 3: enum(state), 4: enum(mode)})


def test_a_relay_begins_where_it_was():
    target = control(0, 4)
    assert value(target, 2).value is False
    target.invoke(2, integer(0))
    assert (value(target, 2).value, value(target, 3).value) == (True, 1)
    waiting = control(0, 3)
    waiting.invoke(2, integer(0))
    assert value(waiting, 3).value == 2


@pytest.mark.parametrize(("state", "mode"), [(9, 4), (0, 99)])
def test_a_relay_in_no_known_state_is_none(state, mode):
    with pytest.raises(ValueError):
        control(state, mode)


def script(identifier: int, *actions: Data) -> Data:
    return structure(long_unsigned(identifier), array(*actions))


def action(service: int, class_id: int, name: ObisCode, index: int, parameter: Data) -> Data:
    return structure(enum(service), long_unsigned(class_id), octet_string(name.octets), integer(index), parameter)


def test_scripts_write_and_execute_and_say_what_they_cannot():
    relay, register = control(1, 4), RecordedRegister(3, 0, NAME, {2: long_unsigned(5)})
    objects = {(70, NAME): relay, (3, NAME): register}
    scripts = array(
        script(1, action(2, 70, NAME, 1, integer(0)), action(1, 3, NAME, 2, long_unsigned(9))),
        script(2, action(2, 1, NAME, 1, integer(0))),
        script(3, null()),
        script(4),
    )
    target = RecordedScripts(0, NAME, {2: scripts}, lambda class_id, name: objects.get((class_id, name)))
    target.invoke(1, long_unsigned(1))
    assert (value(relay, 2).value, value(register, 2)) == (False, long_unsigned(9))
    assert denied(target.invoke, 1, long_unsigned(2)) is DataAccessResult.OBJECT_UNDEFINED
    assert denied(target.invoke, 1, long_unsigned(3)) is DataAccessResult.OTHER_REASON
    assert denied(target.invoke, 1, long_unsigned(77)) is DataAccessResult.OTHER_REASON
    assert denied(target.invoke, 1, enum(1)) is DataAccessResult.TYPE_UNMATCHED
    target.invoke(1, long_unsigned(4))
    odd = RecordedScripts(0, NAME, {2: array(null())}, lambda class_id, name: None)
    assert denied(odd.invoke, 1, long_unsigned(1)) is DataAccessResult.OTHER_REASON
