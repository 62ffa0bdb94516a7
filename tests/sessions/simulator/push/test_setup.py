"""A push setup: what its list says, what its method makes the meter say, and how that reaches the client."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from meters.cosem.data import (
    Data,
    array,
    as_date_time,
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
from meters.cosem.interface_class import interface_class
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from meters.cosem.value_faults import faults
from sessions.dlms.apdu.descriptors import ActionResult, DataAccessResult
from sessions.dlms.apdu.notification import DataNotification, DataNotificationConfirm
from sessions.dlms.axdr import decode_data
from sessions.dlms.conformance import Conformance
from sessions.simulator.device import ServedClient
from sessions.simulator.meter import Meter
from sessions.simulator.objects.base import Denied
from sessions.simulator.push.setup import PushSetup
from sessions.simulator.transfers import ServerTransfers
from tests.sessions.simulator.builders.building import ENERGY as REGISTER
from tests.sessions.simulator.builders.building import meter_of
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import GMAC, LLS, NOON, lab_meter

PUSH, CONFIRMED_PUSH, ENERGY = "0-0:25.9.0*255", "0-1:25.9.0*255", "1-0:1.8.0*255"


CLOCK = {"class_id": 8, "logical_name": "0-0:1.0.0*255"}
PROFILE = {
    "class_id": 7,
    "logical_name": "1-0:99.1.0*255",
    "columns": ["0-0:1.0.0*255", ENERGY],
    "capture_period": 3600,
    "profile_entries": 1000,
}
TO_LOOPBACK = structure(enum(0), octet_string(b"127.0.0.1:4061"), enum(0))
SETUP = {"class_id": 40, "logical_name": PUSH, "columns": ["0-0:1.0.0*255", ENERGY]}


def setup_of(version: int = 0, **entry: Any) -> tuple[PushSetup, Meter]:
    """A setup of a meter with a clock, an energy and a profile."""
    meter = meter_of(CLOCK, REGISTER, PROFILE, {**SETUP, "version": version, **entry})
    target = meter.objects[40, ObisCode.parse(PUSH)].target
    assert isinstance(target, PushSetup)
    return target, meter


def pushed(meter: Meter) -> list[Data]:
    return [each.notification_body for each in meter.take_notifications()]


@pytest.mark.parametrize("version", range(4))
def test_the_method_sends_what_the_list_names(version):
    target, meter = setup_of(version)
    target.invoke(1, integer(0))
    (body,) = pushed(meter)
    assert [each.value for each in (body[0], body[2])] == [target.logical_name.octets, meter_value(meter, ENERGY)]
    assert meter.outbox.next_due() is None
    assert [faults_of(target, number) for number in target.attributes] == [[]] * len(target.attributes)


def meter_value(meter: Meter, name: str) -> Any:
    return meter.named(ObisCode.parse(name)).read(2).value  # type: ignore[union-attr]


def faults_of(target: PushSetup, number: int) -> list[str]:
    known = interface_class(40, target.version)
    assert known is not None
    value = target.read(number)
    assert isinstance(value, Data)
    return [str(each) for each in faults(value, known.attributes[number].type)]


# -- what the list may name --------------------------------------------------------------------------------------------


def element(class_id: int, name: str, attribute: int, index: int = 0, *more: Data) -> Data:
    return structure(*CaptureObject(class_id, ObisCode.parse(name), attribute, index).to_data(), *more)


ROWS = "1-0:99.1.0*255"
BY_ENTRY = structure(enum(2), structure(double_long_unsigned(2), double_long_unsigned(4)))
BY_DATE = structure(enum(1), structure(date_time(NOON - timedelta(hours=3)), date_time(NOON - timedelta(hours=1))))
UNRESTRICTED = structure(enum(0), null())


def test_parts_and_all_attributes():
    target, meter = setup_of()
    target.write(2, array(element(3, ENERGY, 3, 2), element(3, ENERGY, 0), element(3, ENERGY, 2, 1)))
    target.invoke(1, None)
    (body,) = pushed(meter)
    unit, everything, no_part = body
    assert unit.value == 30
    assert [len(everything), everything[0].value] == [3, ObisCode.parse(ENERGY).octets]
    assert no_part == null()


@pytest.mark.parametrize(
    ("version", "more", "rows", "columns"),
    [(1, (BY_ENTRY,), 3, 2), (1, (BY_DATE,), 3, 2), (2, (BY_ENTRY, array(element(3, ENERGY, 2))), 3, 1)],
)
def test_rows_of_a_profile(version, more, rows, columns):
    target, meter = setup_of(version)
    target.write(2, array(element(7, ROWS, 2, 0, *more)))
    target.invoke(1, None)
    ((buffer,),) = pushed(meter)
    assert [len(row) for row in buffer] == [columns] * rows


@pytest.mark.parametrize("version", [0, 2])
def test_the_last_rows(version):
    target, meter = setup_of(version)
    target.write(2, array(element(7, ROWS, 2, 0xF002, *((UNRESTRICTED, array()) if version else ()))))
    target.invoke(1, None)
    ((buffer,),) = pushed(meter)
    profile: Any = meter.named(ObisCode.parse(ROWS))
    whole = decode_data(b"".join(profile.read(2).parts))
    assert list(buffer) == list(whole)[-2:]


# -- what is written ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "number", "value"),
    [
        (0, 3, structure(enum(4), octet_string(b"+41000000000"), enum(0))),  # SMS
        (0, 3, structure(enum(0), octet_string(b"127.0.0.1:4061"), enum(1))),  # XML
        (0, 3, structure(enum(0), octet_string(b"a/b"), enum(0))),
        (0, 3, structure(enum(0), octet_string(b"\xff\xfe"), enum(0))),
        (0, 2, array(element(3, "1-0:9.9.9*255", 2))),
        (0, 4, array(structure(octet_string(bytes(12)), octet_string(b"\xff" * 3 + b"\x20" + b"\xff" * 8)))),
        (2, 10, array(structure(enum(0), structure(*[octet_string(b"")] * 4, structure(enum(0), structure(enum(1))))))),
        (
            2,
            10,
            array(structure(enum(0), structure(*[octet_string(b"x")] * 4, structure(enum(0), structure(enum(0)))))),
        ),
        (2, 11, enum(9)),
    ],
)
def test_what_the_meter_could_not_do_is_refused_and_changes_nothing(version, number, value):
    target, _ = setup_of(version)
    before = target.read(number)
    with pytest.raises(Denied) as refused:
        target.write(number, value)
    assert refused.value.result in (DataAccessResult.OTHER_REASON, DataAccessResult.TYPE_UNMATCHED)
    assert target.read(number) == before


def test_a_destination_of_its_own_is_taken_with_all_that_belongs_to_it():
    target, meter = setup_of(2)
    target.write(3, TO_LOOPBACK)
    target.write(5, long_unsigned(60))
    target.write(6, unsigned(4))
    target.write(7, structure(long_unsigned(10), long_unsigned(2), long_unsigned(60)))
    target.write(9, integer(102))
    target.write(11, enum(2))
    target.invoke(1, None)
    assert pushed(meter) == []
    (delivery,) = meter.outbox._deliveries
    rules = delivery.push.rules
    assert (str(rules.destination), rules.client_sap, rules.randomisation, rules.retries, rules.confirmed) == (
        "tcp://127.0.0.1:4061",
        102,
        60,
        4,
        True,
    )
    assert [rules.delay.before(number) for number in (1, 2, 3, 4)] == [10, 20, 40, 60]
    assert delivery.push.notification.wants_confirmation
    assert meter.next_due() == delivery.due


def test_the_last_confirmation_is_told_and_forgotten():
    target, meter = setup_of(2)
    target.write(3, TO_LOOPBACK)
    target.invoke(1, None)
    never = target.read(13)
    meter.outbox._deliveries[0].push.rules.was_confirmed(NOON)
    told = as_date_time(target.read(13))  # type: ignore[arg-type]
    assert told is not None
    assert told.to_datetime() == NOON
    target.invoke(2, integer(0))
    assert target.read(13) == never


def test_a_client_sap_that_the_version_has_no_place_for_is_the_first_clients():
    client = ServedClient(client_sap=200)
    meter = meter_of(CLOCK, REGISTER, SETUP, clients=(client,))
    target = meter.objects[40, ObisCode.parse(PUSH)].target
    target.write(3, TO_LOOPBACK)
    target.invoke(1, None)
    (delivery,) = meter.outbox._deliveries
    assert delivery.push.rules.client_sap == 200


# -- the client that is served next ------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", [{}, {"physical_address": 17}], ids=["wrapper", "hdlc"])
@pytest.mark.parametrize("association", [LLS, GMAC], ids=["clear", "ciphered"])
@pytest.mark.parametrize("size", [0, 60], ids=["whole", "general blocks"])
@pytest.mark.parametrize("name", [PUSH, CONFIRMED_PUSH])
def test_a_push_reaches_the_client_and_is_confirmed_where_it_asks_for_it(name, size, association, line, monkeypatch):
    confirmed: list[DataNotificationConfirm] = []
    original = ServerTransfers.answer

    def answer(self: ServerTransfers, request: Any, within: Any) -> Any:
        if isinstance(request, DataNotificationConfirm):
            confirmed.append(request)
        return original(self, request, within)

    monkeypatch.setattr(ServerTransfers, "answer", answer)
    pair = Pair(lab_meter(association, max_pdu_size=size, **line))
    pair.open()
    assert pair.action(40, name, 1) == (ActionResult.SUCCESS, None)
    energy = pair.get(3, ENERGY, 2)
    pair.get(3, ENERGY, 2)
    (notification,) = pair.notifications
    assert notification.protected == (association is GMAC)
    push = notification.apdu
    assert isinstance(push, DataNotification)
    assert push.date_time is not None
    clock = push.date_time.to_datetime()
    assert clock == NOON
    assert list(push.notification_body)[2] == energy
    wanted = [DataNotificationConfirm(push.long_invoke_id_and_priority)] if name == CONFIRMED_PUSH else []
    assert confirmed == wanted


def test_a_client_that_did_not_agree_is_told_nothing():
    meter = lab_meter(LLS)
    meter.device.conformance &= ~Conformance.DATA_NOTIFICATION
    pair = Pair(meter)
    pair.open()
    pair.action(40, PUSH, 1)
    pair.get(3, ENERGY, 2)
    assert pair.notifications == []
    assert meter.device.take_notifications() == []


def test_notifications_are_numbered_and_the_oldest_make_room():
    meter = lab_meter(LLS).device
    for number in range(20):
        meter.push(unsigned(number), NOON, confirmed=number % 2 == 0)
    taken = meter.take_notifications()
    assert [each.long_invoke_id_and_priority & 0xFFFFFF for each in taken] == list(range(5, 21))
    assert [each.wants_confirmation for each in taken][:2] == [True, False]
    assert meter.take_notifications() == []
