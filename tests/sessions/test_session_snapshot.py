"""The snapshot of a session's rows: the newest of each attribute, refusals, no secret, and a meter that can be served."""

from __future__ import annotations

from typing import Any

import pytest

from meters.cosem.data import (
    Data,
    array,
    date_time,
    double_long_unsigned,
    enum,
    integer,
    long_unsigned,
    null,
    octet_string,
    structure,
    unsigned,
)
from meters.cosem.obis import ObisCode
from sessions.models import DlmsSession, Step
from sessions.session_snapshot import session_snapshot
from sessions.simulator.snapshot import snapshot_meter
from sessions.snapshot_file import Snapshot, SnapshotObject, parse_snapshot, snapshot_text
from tests.meters.builders import make_meter
from tests.sessions.builders import make_read, make_session
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import NOON, HandClock

pytestmark = pytest.mark.django_db

OWN, REGISTER, CLOCK = "0-0:40.0.0*255", "1-0:1.8.0*255", "0-0:1.0.0*255"


def row(class_id: int, name: str, modes: dict[int, int], version: int = 0) -> Data:
    rights = structure(array(*(structure(integer(n), enum(mode), null()) for n, mode in modes.items())), array())
    return structure(long_unsigned(class_id), unsigned(version), octet_string(ObisCode.parse(name).octets), rights)


OBJECTS = array(
    row(15, OWN, {1: 1, 2: 1, 7: 2}, version=1), row(3, REGISTER, {1: 1, 2: 1, 3: 1}), row(8, CLOCK, {2: 3, 3: 0})
)


@pytest.fixture
def dlms_session() -> DlmsSession:
    return make_session(meter=make_meter(secrets={"LLS_SECRET": b"a secret of mine"}))


def taken(dlms_session: DlmsSession) -> Snapshot:
    snapshot = session_snapshot(dlms_session)
    assert snapshot is not None
    return snapshot


def found(snapshot: Snapshot, class_id: int) -> SnapshotObject:
    return next(each for each in snapshot.objects if each.class_id == class_id)


def refused(dlms_session: DlmsSession, class_id: int, name: str, attribute_id: int, **error: Any) -> None:
    step = make_read(dlms_session, class_id, name, attribute_id, null())
    Step.objects.filter(pk=step.pk).update(state=Step.State.FAILED, result=None, error=error)


def test_without_an_object_list_there_is_none(dlms_session):
    assert session_snapshot(dlms_session) is None
    make_read(dlms_session, 3, REGISTER, 2, double_long_unsigned(1))
    assert session_snapshot(dlms_session) is None
    make_read(dlms_session, 15, OWN, 2, array(null()))
    assert session_snapshot(dlms_session) is None


def test_without_a_meter_of_the_inventory_there_is_none(dlms_session):
    make_read(dlms_session, 15, OWN, 2, OBJECTS)
    dlms_session.meter = None
    assert session_snapshot(dlms_session) is None


def test_the_newest_value_of_each_attribute(dlms_session):
    make_read(dlms_session, 15, OWN, 2, OBJECTS)
    for value in (1, 2):
        make_read(dlms_session, 3, REGISTER, 2, double_long_unsigned(value))
    make_read(dlms_session, 3, "1-0:2.8.0*255", 2, double_long_unsigned(9))  # not in the list
    refused(dlms_session, 3, REGISTER, 3, code="hardware-fault")
    refused(dlms_session, 3, REGISTER, 1, code="no-reply")
    make_read(dlms_session, 8, CLOCK, 2, date_time(NOON))
    snapshot = taken(dlms_session)
    register = found(snapshot, 3).attributes
    assert (register[2].value, register[3].refused) == (double_long_unsigned(2), "hardware-fault")
    assert not register[1].known
    assert found(snapshot, 8).attributes[2].at is not None
    assert found(snapshot, 8).attributes[3].refused == "read-write-denied"
    assert found(snapshot, 15).attributes[2].is_list
    assert snapshot.secrets == [f"15/{OWN}/7"]
    assert not snapshot.finished
    assert snapshot.broken is not None
    assert len(snapshot.objects) == 3


def test_no_secret_is_in_it(dlms_session):
    make_read(dlms_session, 15, OWN, 2, OBJECTS)
    text = "".join(snapshot_text(taken(dlms_session)))
    assert "a secret of mine" not in text
    assert b"a secret of mine".hex() not in text.lower()
    assert '"authentication": "lls"' in text


def test_a_whole_one_is_served(dlms_session):
    make_read(dlms_session, 15, OWN, 2, OBJECTS)
    make_read(dlms_session, 15, OWN, 1, octet_string(ObisCode.parse(OWN).octets))
    for number, value in (
        (1, octet_string(ObisCode.parse(REGISTER).octets)),
        (2, double_long_unsigned(7)),
        (3, null()),
    ):
        make_read(dlms_session, 3, REGISTER, number, value)
    make_read(dlms_session, 8, CLOCK, 2, date_time(NOON))
    snapshot = parse_snapshot("".join(snapshot_text(taken(dlms_session))).encode())
    assert snapshot.finished
    assert snapshot.broken is None
    pair = Pair(snapshot_meter(snapshot, "10000001", HandClock(), snapshot.association))
    pair.open()
    assert pair.get(3, REGISTER, 2) == double_long_unsigned(7)
    assert pair.get(15, OWN, 2) == OBJECTS
