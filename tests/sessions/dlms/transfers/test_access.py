"""ACCESS on the client's side: mixed requests, and answers that fit or do not."""

from __future__ import annotations

import pytest

from meters.cosem.data import null, unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.access import AccessKind, AccessRequest, AccessResponse, AccessSpecification
from sessions.dlms.apdu.action import NO_PARAMETER
from sessions.dlms.apdu.descriptors import ActionResult, CosemAttributeDescriptor
from sessions.dlms.apdu.get import GetResponseNormal
from sessions.dlms.apdu.notification import DataNotificationConfirm
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import LocalProtocolError, RemoteProtocolError
from sessions.dlms.events import ActionOutcome, ListFinished
from sessions.dlms.selective_access import EntryDescriptor
from sessions.dlms.transfers.access import AccessTransfer
from sessions.dlms.transfers.items import ActionItem, GetItem, SetItem

from .asked import CLOCK, DENIED, EXECUTE, INVOCATION, LONG, NO_BLOCKS, OK, terms

SELECTION = EntryDescriptor(1, 2).to_selective_access()
ITEMS = (
    GetItem(CLOCK),
    GetItem(CLOCK, SELECTION),
    SetItem(CLOCK, unsigned(1)),
    SetItem(CLOCK, unsigned(2), SELECTION),
    ActionItem(EXECUTE, unsigned(3)),
    ActionItem(EXECUTE),
)
INVOKE = 0xC000_0001
KINDS = (AccessKind.GET, AccessKind.GET, AccessKind.SET, AccessKind.SET, AccessKind.ACTION, AccessKind.ACTION)


def asked(items=ITEMS, **changes) -> AccessTransfer:
    transfer = AccessTransfer(terms(**changes), items)
    transfer.begin()
    return transfer


def response(data, codes, *, invoke=INVOKE, specifications=None) -> AccessResponse:
    return AccessResponse(invoke, None, specifications, data, tuple(zip(KINDS, codes, strict=False)))


def test_what_goes_out():
    request = decode_apdu(AccessTransfer(terms(), ITEMS).begin())
    assert request == AccessRequest(
        INVOKE,
        None,
        (
            AccessSpecification(AccessKind.GET, CLOCK),
            AccessSpecification(AccessKind.GET_WITH_SELECTION, CLOCK, SELECTION),
            AccessSpecification(AccessKind.SET, CLOCK),
            AccessSpecification(AccessKind.SET_WITH_SELECTION, CLOCK, SELECTION),
            AccessSpecification(AccessKind.ACTION, EXECUTE),
            AccessSpecification(AccessKind.ACTION, EXECUTE),
        ),
        (null(), null(), unsigned(1), unsigned(2), unsigned(3), NO_PARAMETER),
    )


def test_the_published_request():
    register = CosemAttributeDescriptor(3, ObisCode(1, 0, 1, 8, 0, 255), 2)
    octets = AccessTransfer(terms(), [GetItem(register)]).begin()
    assert octets == bytes.fromhex("d9c0000001000101000301000108 00ff02 01 00")


def test_each_item_has_its_result():
    transfer = asked()
    data = (LONG, null(), null(), null(), unsigned(9), null())
    outcomes, octets = transfer.receive(response(data, (0, DENIED, 0, DENIED, 0, 0)))
    assert octets is None
    assert outcomes == [
        ListFinished(
            1,
            (
                LONG,
                DENIED,
                OK,
                DENIED,
                ActionOutcome(ActionResult.SUCCESS, unsigned(9)),
                ActionOutcome(ActionResult.SUCCESS),
            ),
        )
    ]
    assert transfer.done


def test_a_refused_method_returns_nothing_whatever_stands_in_its_place():
    transfer = asked([ActionItem(EXECUTE), ActionItem(EXECUTE)])
    outcomes, _ = transfer.receive(response((unsigned(1), null()), (ActionResult.TEMPORARY_FAILURE, 19)))
    assert outcomes[0].results == (
        ActionOutcome(ActionResult.TEMPORARY_FAILURE),
        ActionOutcome(ActionResult.OTHER_REASON),
    )


def test_a_self_descriptive_answer_is_taken():
    transfer = asked([GetItem(CLOCK)])
    specifications = (AccessSpecification(AccessKind.GET, CLOCK),)
    outcomes, _ = transfer.receive(response((LONG,), (0,), specifications=specifications))
    assert outcomes == [ListFinished(1, (LONG,))]


@pytest.mark.parametrize(("values", "codes"), [(0, 0), (1, 2), (2, 1), (3, 3)])
def test_another_number_of_results_belongs_to_nothing(values, codes):
    with pytest.raises(RemoteProtocolError, match="for a list of 2") as raised:
        asked(ITEMS[:2]).receive(response((null(),) * values, (0,) * codes))
    assert raised.value.code == "wrong-result-count"


def test_whose_answer_it_is():
    transfer = asked()
    assert transfer.stray(response((), ())) == ""
    assert transfer.stray(response((), (), invoke=1)) == ""
    assert transfer.stray(response((), (), invoke=2)) == "invoke-id 2, but 1 is asked"
    assert transfer.stray(GetResponseNormal(INVOCATION, null())) == "an ACCESS is asked"
    with pytest.raises(RemoteProtocolError):
        transfer.stray(DataNotificationConfirm(1))
    with pytest.raises(RemoteProtocolError):
        transfer.receive(GetResponseNormal(INVOCATION, null()))


def test_a_request_that_does_not_fit_is_refused_here():
    with pytest.raises(LocalProtocolError) as raised:
        AccessTransfer(terms(50, conformance=NO_BLOCKS), ITEMS).begin()
    assert raised.value.code == "request-too-long"
    assert len(AccessTransfer(terms(50, conformance=Conformance.GENERAL_BLOCK_TRANSFER), ITEMS).begin()) > 50
