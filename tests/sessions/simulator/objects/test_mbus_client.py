"""The M-Bus client: the device is found and forgotten, captured by the clock and by hand, and its key has a state."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from meters.cosem.data import (
    double_long_unsigned,
    enum,
    integer,
    long_unsigned,
    octet_string,
    unsigned,
)
from meters.cosem.interface_class import interface_class
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.objects.mbus_client import (
    ACCESS_NUMBER,
    ALARM,
    CAPTURE_PERIOD,
    DEVICE_TYPE,
    IDENTIFICATION_NUMBER,
    KEY_STATUS,
    PRIMARY_ADDRESS,
    MbusClient,
)
from tests.sessions.simulator.objects.refusing import NAME, denied

MOMENT = datetime(2026, 7, 1, 10, 20)
KEY = octet_string(bytes(16))


def client(version: int = 1, moment: datetime = MOMENT) -> MbusClient:
    values = {
        CAPTURE_PERIOD: double_long_unsigned(3600),
        PRIMARY_ADDRESS: unsigned(3),
        IDENTIFICATION_NUMBER: double_long_unsigned(12345678),
        7: long_unsigned(0x36E2),
        DEVICE_TYPE: unsigned(3),
        ALARM: unsigned(4),
    }
    return MbusClient(interface_class(72, version), NAME, values, lambda: moment)


def test_a_device_is_forgotten_and_found_again():
    target = client()
    target.invoke(2, integer(0))
    assert [target.read(number).value for number in (PRIMARY_ADDRESS, IDENTIFICATION_NUMBER, DEVICE_TYPE)] == [0, 0, 0]
    for method_id in (2, 3, 8):
        with denied(DataAccessResult.OTHER_REASON):
            target.invoke(method_id, KEY if method_id == 8 else integer(0))
    target.invoke(1, unsigned(7))
    assert [target.read(number).value for number in (PRIMARY_ADDRESS, IDENTIFICATION_NUMBER)] == [7, 12345678]


def test_address_0_finds_it_where_it_is():
    target = client()
    target.invoke(2, integer(0))
    target.invoke(1, unsigned(0))
    assert target.read(PRIMARY_ADDRESS) == unsigned(3)


@pytest.mark.parametrize("parameter", [unsigned(7), unsigned(251)])
def test_what_is_installed_or_no_address_is_refused(parameter):
    target = client()
    if parameter.value > 250:
        target.invoke(2, integer(0))
    with denied(DataAccessResult.OTHER_REASON):
        target.invoke(1, parameter)
    with denied(DataAccessResult.TYPE_UNMATCHED):
        target.invoke(1, integer(7))


@pytest.mark.parametrize(
    ("period", "moment", "captured"),
    [
        (3600, "2026-07-01T10:20:00", "2026-07-01T10:00:00"),
        (3600, "2026-07-01T10:00:00", "2026-07-01T10:00:00"),
        (900, "2026-07-01T10:20:00", "2026-07-01T10:15:00"),
        (86400, "2026-07-01T10:20:00", "2026-07-01T00:00:00"),
        (0, "2026-07-01T10:20:00", "2026-07-01T00:00:00"),
    ],
)
def test_values_are_those_of_the_last_full_period(period, moment, captured):
    target = client()
    target.write(CAPTURE_PERIOD, double_long_unsigned(period))
    assert target.captured_at(datetime.fromisoformat(moment)) == datetime.fromisoformat(captured)


def test_a_capture_by_hand_counts_until_the_next_period():
    target = client()
    target.invoke(3, integer(0))
    assert target.read(ACCESS_NUMBER) == unsigned(1)
    assert target.captured_at(MOMENT - timedelta(minutes=1)) == MOMENT.replace(minute=0)
    assert target.captured_at(MOMENT + timedelta(minutes=1)) == MOMENT
    assert target.captured_at(MOMENT + timedelta(hours=1)) == MOMENT.replace(hour=11, minute=0)


def test_alarms_are_reset():
    target = client()
    target.invoke(4, integer(0))
    assert target.read(ALARM) == unsigned(0)


@pytest.mark.parametrize(
    ("methods", "status"), [([7], 1), ([8], 2), ([7, 8], 3), ([8, 7], 3), ([7, 7], 1), ([8, 8], 2), ([7, 8, 7], 3)]
)
def test_the_state_of_the_key(methods, status):
    target = client()
    for method_id in methods:
        target.invoke(method_id, KEY)
    assert target.read(KEY_STATUS) == enum(status)
    target.invoke(7, octet_string(b""))
    assert target.read(KEY_STATUS) == enum(0)


@pytest.mark.parametrize("key", [octet_string(b"short"), octet_string(bytes(17))])
def test_a_key_has_sixteen_octets(key):
    for method_id in (7, 8):
        with denied(DataAccessResult.OTHER_REASON):
            client().invoke(method_id, key)
        with denied(DataAccessResult.TYPE_UNMATCHED):
            client().invoke(method_id, None)
    with denied(DataAccessResult.OTHER_REASON):
        client().invoke(8, octet_string(b""))


def test_version_0_has_no_state_of_the_key():
    target = client(0)
    assert KEY_STATUS not in target.attributes
    target.invoke(7, KEY)
    target.invoke(2, integer(0))
    assert target.read(PRIMARY_ADDRESS) == unsigned(0)
