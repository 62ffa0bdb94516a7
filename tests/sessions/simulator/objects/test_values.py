"""Data and registers: what may be written, and how they follow the time."""

from __future__ import annotations

from datetime import timedelta

from meters.cosem.data import (
    date_time,
    octet_string,
    unsigned,
)
from meters.cosem.units import ScalerUnit
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.objects.values import DataObject, ExtendedRegister, Register
from tests.sessions.simulator.objects.refusing import NAME, denied
from tests.sessions.simulator.served import NOON


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
