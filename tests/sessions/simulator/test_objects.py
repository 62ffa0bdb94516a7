"""Simulated COSEM objects: what may be written, what methods do, and what they refuse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from meters.cosem.data import (
    Data,
    DataType,
    boolean,
    date_time,
    enum,
    integer,
    long,
    long_unsigned,
    octet_string,
    unsigned,
)
from meters.cosem.date_time import CosemDateTime
from meters.cosem.obis import ObisCode
from meters.cosem.units import ScalerUnit
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.selective_access import EntryDescriptor
from sessions.simulator.objects import (
    DIRECT_RECONNECTION,
    Clock,
    ControlMode,
    ControlState,
    CosemObject,
    DataObject,
    Denied,
    DisconnectControl,
    ExtendedRegister,
    HdlcSetup,
    MeterClock,
    Register,
    SapAssignment,
    ScriptAction,
    ScriptTable,
)
from tests.sessions.simulator.served import NOON, HandClock

NAME = ObisCode(0, 0, 1, 0, 0, 255)


def denied(result: DataAccessResult):
    return pytest.raises(Denied, match=result.words)


def local(clock: MeterClock) -> str:
    return clock.now().isoformat()


@pytest.fixture
def clock() -> MeterClock:
    return MeterClock(HandClock(), zone_minutes=60)


def test_every_object_has_its_name_and_refuses_what_it_has_not():
    target = CosemObject(NAME)
    assert target.read(1) == octet_string(NAME.octets)
    with denied(DataAccessResult.OBJECT_UNDEFINED):
        target.read(2)
    with denied(DataAccessResult.OBJECT_UNDEFINED):
        target.write(2, unsigned(1))
    with denied(DataAccessResult.READ_WRITE_DENIED):
        target.write(1, octet_string(b"\x00" * 6))
    with denied(DataAccessResult.OBJECT_UNDEFINED):
        target.invoke(1, None)
    with denied(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED):
        target.read(1, EntryDescriptor().to_selective_access())


def test_stored_data_takes_a_value_of_its_own_type_only():
    data = DataObject(NAME, lambda moment: octet_string(b"old"), lambda: NOON, stored=True)
    data.write(2, octet_string(b"new"))
    assert data.read(2) == octet_string(b"new")
    with denied(DataAccessResult.TYPE_UNMATCHED):
        data.write(2, unsigned(3))
    computed = DataObject(NAME, lambda moment: unsigned(1), lambda: NOON, stored=False)
    with denied(DataAccessResult.READ_WRITE_DENIED):
        computed.write(2, unsigned(2))


def test_registers_follow_the_time():
    at = {NOON: 5, NOON + timedelta(hours=1): 9}
    register = Register(NAME, lambda moment: unsigned(at[moment]), ScalerUnit(-1, 30), lambda: NOON)
    assert register.read(2) == unsigned(5)
    assert register.read(3) == ScalerUnit(-1, 30).to_data()
    assert register.captured(2, NOON + timedelta(hours=1)) == unsigned(9)
    assert register.captured(3, NOON) == ScalerUnit(-1, 30).to_data()
    extended = ExtendedRegister(
        NAME, lambda moment: unsigned(1), ScalerUnit(0, 27), lambda: NOON, captured_at=lambda moment: moment
    )
    assert extended.read(5) == date_time(NOON)


# -- the clock ---------------------------------------------------------------------------------------------------------


def test_the_clock_keeps_its_own_time_from_the_moment_it_was_set(clock):
    target = Clock(NAME, clock)
    assert target.read(2) == date_time(datetime.fromisoformat("2026-11-25T12:00:00+01:00"))
    assert target.read(3) == long(-60)
    target.write(2, date_time(datetime.fromisoformat("2027-01-01T00:00:00+01:00")))
    clock.host.advance(minutes=5)
    assert local(clock) == "2027-01-01T00:05:00+01:00"


@pytest.mark.parametrize(
    ("written", "understood"),
    [
        (datetime(2026, 12, 1, 8, 30), "2026-12-01T08:30:00+01:00"),  # no deviation: local
        (datetime(2026, 12, 1, 8, 30, tzinfo=UTC), "2026-12-01T09:30:00+01:00"),
    ],
)
def test_the_clock_understands_deviations(clock, written, understood):
    Clock(NAME, clock).write(2, date_time(written))
    assert local(clock) == understood


def test_the_clock_takes_a_typed_date_time(clock):
    moment = CosemDateTime.from_datetime(datetime(2026, 12, 1, 8, 30))
    Clock(NAME, clock).write(2, Data(DataType.DATE_TIME, moment))
    assert local(clock) == "2026-12-01T08:30:00+01:00"


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (unsigned(3), DataAccessResult.TYPE_UNMATCHED),
        (octet_string(b"short"), DataAccessResult.TYPE_UNMATCHED),
        (octet_string(b"\xff" * 12), DataAccessResult.OTHER_REASON),
        (date_time(datetime(1970, 1, 1)), DataAccessResult.OTHER_REASON),
        (date_time(datetime(2100, 1, 1)), DataAccessResult.OTHER_REASON),
        (date_time(datetime(9999, 12, 31, 23, 59)), DataAccessResult.OTHER_REASON),
    ],
)
def test_the_clock_refuses_what_is_no_time(clock, value, result):
    with denied(result):
        Clock(NAME, clock).write(2, value)
    assert local(clock) == "2026-11-25T12:00:00+01:00"


@pytest.mark.parametrize(
    ("method_id", "parameters", "expected"),
    [
        (1, integer(0), "12:15:00"),
        (2, integer(0), "12:15:00"),
        (3, None, "12:08:00"),
        (6, long(-120), "12:05:43"),
        (6, long(900), "12:22:43"),
    ],
)
def test_the_clock_is_adjusted(clock, method_id, parameters, expected):
    clock.host.advance(minutes=7, seconds=43)
    Clock(NAME, clock).invoke(method_id, parameters)
    assert clock.now().time().isoformat() == expected


@pytest.mark.parametrize(
    ("parameters", "result"),
    [
        (None, DataAccessResult.TYPE_UNMATCHED),
        (integer(5), DataAccessResult.TYPE_UNMATCHED),
        (long(901), DataAccessResult.OTHER_REASON),
        (long(-901), DataAccessResult.OTHER_REASON),
    ],
)
def test_a_shift_has_its_limits(clock, parameters, result):
    with denied(result):
        Clock(NAME, clock).invoke(6, parameters)


# -- disconnect control ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ControlMode)
@pytest.mark.parametrize("state", ControlState)
@pytest.mark.parametrize("method_id", [1, 2])
def test_every_mode_state_and_method_of_the_switch(mode, state, method_id):
    """The Blue Book's chart: b and c disconnect; a reconnects at once, d waits for somebody at the meter."""
    switched: list[bool] = []
    control = DisconnectControl(NAME, switched.append, mode)
    control.state = state
    if mode is ControlMode.NONE:
        with denied(DataAccessResult.OTHER_REASON):
            control.invoke(method_id, integer(0))
        assert control.state is state
        assert switched == []
        return
    control.invoke(method_id, integer(0))
    if method_id == 1:
        expected = ControlState.DISCONNECTED
    elif mode in DIRECT_RECONNECTION or state is ControlState.CONNECTED:
        expected = ControlState.CONNECTED
    else:
        expected = ControlState.READY_FOR_RECONNECTION
    assert control.state is expected
    assert control.read(2) == boolean(expected is ControlState.CONNECTED)
    assert control.read(3) == enum(expected)
    assert switched == [expected is ControlState.CONNECTED]


def test_the_control_mode_is_one_of_the_standard():
    control = DisconnectControl(NAME, lambda closed: None)
    control.write(4, enum(1))
    assert control.read(4) == enum(1)
    with denied(DataAccessResult.OTHER_REASON):
        control.write(4, enum(7))
    with denied(DataAccessResult.TYPE_UNMATCHED):
        control.write(4, unsigned(1))


def test_a_script_works_the_switch():
    control = DisconnectControl(NAME, lambda closed: None)
    table = ScriptTable(ObisCode(0, 0, 10, 0, 106, 255), {1: ScriptAction(control, 1), 2: ScriptAction(control, 2)})
    table.invoke(1, long_unsigned(1))
    assert control.state is ControlState.DISCONNECTED
    table.invoke(1, long_unsigned(2))
    assert control.state is ControlState.CONNECTED
    scripts = table.read(2)
    assert [script[0].value for script in scripts] == [1, 2]
    assert scripts[0][1][0][2] == octet_string(NAME.octets)
    with denied(DataAccessResult.OTHER_REASON):
        table.invoke(1, long_unsigned(3))
    with denied(DataAccessResult.TYPE_UNMATCHED):
        table.invoke(1, None)


# -- addressing and security -------------------------------------------------------------------------------------------


def test_what_can_only_be_read():
    sap = SapAssignment(NAME, {2: b"second", 1: b"first"})
    assert [entry[1].value for entry in sap.read(2)] == [b"first", b"second"]
    hdlc = HdlcSetup(NAME, max_info=256, inactivity_timeout=120, device_address=17)
    assert [hdlc.read(number).value for number in (5, 6, 8, 9)] == [256, 256, 120, 17]
    for target, attribute_id in ((sap, 2), (hdlc, 9)):
        with denied(DataAccessResult.READ_WRITE_DENIED):
            target.write(attribute_id, unsigned(1))
