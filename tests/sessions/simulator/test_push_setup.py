"""A push setup: what its list says, what its method makes the meter say, and how that reaches the client."""

from __future__ import annotations

from typing import Any

import pytest

from meters.cosem.data import Data, octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from sessions.dlms.apdu.descriptors import ActionResult
from sessions.dlms.apdu.notification import DataNotification, DataNotificationConfirm
from sessions.dlms.conformance import Conformance
from sessions.simulator.objects.values import DataObject
from sessions.simulator.push_setup import PushSetup
from sessions.simulator.transfers import ServerTransfers
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import GMAC, LLS, NOON, HandClock, lab_meter

PUSH, CONFIRMED_PUSH, ENERGY = "0-0:25.9.0*255", "0-1:25.9.0*255", "1-0:1.8.0*255"


def test_the_method_sends_what_the_list_names():
    sent: list[Data] = []
    source = DataObject(ObisCode.parse("0-0:96.1.0*255"), lambda moment: unsigned(7), HandClock(), stored=False)
    name = ObisCode.parse(PUSH)
    setup = PushSetup(name, [(source, 2)], sent.append)
    setup.invoke(1, None)
    assert sent == [structure(octet_string(name.octets), unsigned(7))]
    listed = [CaptureObject.from_data(each) for each in setup.read(2)]
    assert listed == [CaptureObject(40, name, 1), CaptureObject(1, source.logical_name, 2)]


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
