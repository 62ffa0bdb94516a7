"""ACCESS on the server's side: mixed requests in their order, what breaks them, and their limits."""

from __future__ import annotations

import pytest

from meters.cosem.data import Data, null, unsigned
from sessions.dlms.apdu.access import AccessKind, AccessRequest, AccessResponse, AccessSpecification
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import InvalidValueError
from sessions.dlms.selective_access import EntryDescriptor
from sessions.simulator.access_service import BREAK_ON_ERROR, SELF_DESCRIPTIVE
from sessions.simulator.device import SERVED_CONFORMANCE
from sessions.simulator.service import MAX_LIST, NOT_NEGOTIATED, PDU_TOO_LONG

from .asked import ECHO, FORBIDDEN, LONG, LONG_VALUE, REFUSED, SHORT, SIZE, Talk

GET = AccessSpecification(AccessKind.GET, SHORT)
GET_REFUSED = AccessSpecification(AccessKind.GET, REFUSED)
GET_LONG = AccessSpecification(AccessKind.GET, LONG)
GET_PART = AccessSpecification(AccessKind.GET_WITH_SELECTION, SHORT, EntryDescriptor().to_selective_access())
SET = AccessSpecification(AccessKind.SET, SHORT)
SET_PART = AccessSpecification(AccessKind.SET_WITH_SELECTION, SHORT, EntryDescriptor().to_selective_access())
ACTION = AccessSpecification(AccessKind.ACTION, ECHO)
ACTION_REFUSED = AccessSpecification(AccessKind.ACTION, FORBIDDEN)
INVOKE = 0x40000007
DENIED = DataAccessResult.READ_WRITE_DENIED
OTHER = DataAccessResult.OTHER_REASON


def request(
    *specifications: AccessSpecification, flags: int = 0, data: tuple[Data, ...] | None = None
) -> AccessRequest:
    values = {AccessKind.SET: unsigned(9), AccessKind.SET_WITH_SELECTION: unsigned(9), AccessKind.ACTION: unsigned(3)}
    default = tuple(values.get(specification.kind, null()) for specification in specifications)
    return AccessRequest(INVOKE | flags, None, specifications, default if data is None else data)


def test_each_item_has_its_value_and_its_result_in_order():
    talk = Talk()
    answer = talk.ask(request(GET, SET, GET_REFUSED, ACTION, ACTION_REFUSED, GET_PART, SET_PART))
    assert answer == AccessResponse(
        INVOKE,
        None,
        None,
        (unsigned(7), null(), null(), unsigned(3), null(), unsigned(7), null()),
        (
            (AccessKind.GET, 0),
            (AccessKind.SET, 0),
            (AccessKind.GET, DENIED),
            (AccessKind.ACTION, 0),
            (AccessKind.ACTION, OTHER),
            (AccessKind.GET, 0),
            (AccessKind.SET, 0),
        ),
    )
    assert talk.device.written == [(2, unsigned(9)), (2, unsigned(9))]


def test_a_request_that_breaks_on_the_first_error():
    talk = Talk()
    answer = talk.ask(request(GET, GET_REFUSED, SET, ACTION, flags=BREAK_ON_ERROR))
    assert answer.data == (unsigned(7), null(), null(), null())
    assert [code for _, code in answer.results] == [0, DENIED, OTHER, OTHER]
    assert talk.device.written == []


def test_a_self_descriptive_answer_repeats_what_was_asked():
    assert Talk().ask(request(GET, ACTION, flags=SELF_DESCRIPTIVE)).specifications == (GET, ACTION)


def test_selections_must_be_agreed_on():
    talk = Talk(SERVED_CONFORMANCE & ~Conformance.SELECTIVE_ACCESS)
    violated = DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    assert [code for _, code in talk.ask(request(GET_PART, SET_PART, GET)).results] == [violated, violated, 0]
    assert talk.device.written == []


def test_an_unconfirmed_request_is_done_and_gets_no_answer():
    talk = Talk()
    assert talk.octets(AccessRequest(7, None, (SET,), (unsigned(9),))) is None
    assert talk.device.written == [(2, unsigned(9))]


def test_the_two_lists_must_match():
    talk = Talk()
    with pytest.raises(InvalidValueError, match="2 expected, 1 came"):
        talk.octets(request(SET, SET, data=(unsigned(1),)))
    assert talk.device.written == []


def test_limits():
    assert Talk().ask(request(*[GET] * (MAX_LIST + 1))) == PDU_TOO_LONG
    assert Talk(SERVED_CONFORMANCE & ~Conformance.ACCESS).ask(request(GET)) == NOT_NEGOTIATED
    assert Talk().ask(request(GET_LONG)) == PDU_TOO_LONG
    assert Talk().ask(request(GET_LONG), SIZE, 2000).data == (LONG_VALUE,)


def test_what_does_not_fit_is_not_done_to_its_end():
    """An answer that is too long already says nothing of what would come after it."""
    talk = Talk()
    assert talk.ask(request(GET_LONG, SET)) == PDU_TOO_LONG
    assert talk.device.written == []
    assert talk.ask(request(*[GET] * 20), 60) == PDU_TOO_LONG
