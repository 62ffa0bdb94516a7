"""Which service answers: every request in every state, services that were not agreed to, silence."""

from __future__ import annotations

from typing import Any

import pytest

from meters.cosem.data import octet_string, unsigned
from sessions.dlms.apdu.action import (
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseWithPblock,
)
from sessions.dlms.apdu.contract import Apdu
from sessions.dlms.apdu.descriptors import ActionResult, DataAccessResult, InvokeIdAndPriority
from sessions.dlms.apdu.get import GetRequestNext, GetRequestNormal, GetResponseNormal, GetResponseWithDatablock
from sessions.dlms.apdu.set import (
    SetRequestNormal,
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetResponseDatablock,
)
from sessions.dlms.conformance import Conformance
from sessions.simulator.device import SERVED_CONFORMANCE
from sessions.simulator.service import NOT_NEGOTIATED, NOT_SUPPORTED, TransferState

from .asked import ECHO, LONG, SHORT, I, Talk

# -- every request in every state --------------------------------------------------------------------------------------

BEGINNINGS: dict[TransferState, list[Apdu]] = {
    TransferState.IDLE: [],
    TransferState.GET_SENDING: [GetRequestNormal(I, LONG)],
    TransferState.SET_RECEIVING: [SetRequestWithFirstDatablock(I, LONG, None, False, 1, b"\x09")],
    TransferState.ACTION_RECEIVING: [ActionRequestWithFirstPblock(I, ECHO, False, 1, b"\x09")],
    TransferState.ACTION_SENDING: [ActionRequestNormal(I, ECHO, octet_string(bytes(300)))],
}
S = TransferState
CONTINUATIONS: dict[str, tuple[Apdu, TransferState, type, Any]] = {
    "get next": (
        GetRequestNext(I, 1),
        S.GET_SENDING,
        GetResponseWithDatablock,
        DataAccessResult.NO_LONG_GET_IN_PROGRESS,
    ),
    "set block": (
        SetRequestWithDatablock(I, False, 2, b"\x01"),
        S.SET_RECEIVING,
        SetResponseDatablock,
        DataAccessResult.NO_LONG_SET_IN_PROGRESS,
    ),
    "action block": (
        ActionRequestWithPblock(I, False, 2, b"\x01"),
        S.ACTION_RECEIVING,
        ActionResponseNextPblock,
        ActionResult.NO_LONG_ACTION_IN_PROGRESS,
    ),
    "action next": (
        ActionRequestNextPblock(I, 1),
        S.ACTION_SENDING,
        ActionResponseWithPblock,
        ActionResult.NO_LONG_ACTION_IN_PROGRESS,
    ),
}


@pytest.mark.parametrize("state", TransferState)
@pytest.mark.parametrize("name", CONTINUATIONS)
def test_a_continuation_fits_one_state_only(state, name):
    request, own, kind, refusal = CONTINUATIONS[name]
    talk = Talk()
    for beginning in BEGINNINGS[state]:
        talk.ask(beginning)
    assert talk.state is state
    answer = talk.ask(request)
    if state is own:
        assert isinstance(answer, kind)
        assert getattr(answer, "result", None) not in (refusal,)
    else:
        assert answer.result is refusal
        assert talk.state is TransferState.IDLE


@pytest.mark.parametrize("state", TransferState)
@pytest.mark.parametrize("beginning", TransferState)
def test_a_new_request_takes_the_place_of_an_old_one(state, beginning):
    talk = Talk()
    for request in [*BEGINNINGS[state], GetRequestNormal(I, SHORT), *BEGINNINGS[state], *BEGINNINGS[beginning]]:
        talk.ask(request)
    if beginning is not TransferState.IDLE:
        assert talk.state is beginning


@pytest.mark.parametrize(
    ("service", "request_"),
    [
        (Conformance.GET, GetRequestNormal(I, SHORT)),
        (Conformance.SET, SetRequestNormal(I, SHORT, None, unsigned(1))),
        (Conformance.ACTION, ActionRequestNormal(I, ECHO)),
        (
            Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE,
            SetRequestWithFirstDatablock(I, SHORT, None, True, 1, b"\x11\x01"),
        ),
        (Conformance.BLOCK_TRANSFER_WITH_ACTION, ActionRequestWithFirstPblock(I, ECHO, True, 1, b"\x11\x01")),
    ],
)
def test_a_service_must_be_agreed_on(service, request_):
    talk = Talk(SERVED_CONFORMANCE & ~service)
    assert talk.ask(request_) == NOT_NEGOTIATED
    assert talk.device.written == []


@pytest.mark.parametrize(
    "request_",
    [GetResponseNormal(I, unsigned(1)), NOT_SUPPORTED],
)
def test_what_is_no_request_of_ours(request_):
    assert Talk().ask(request_) == NOT_SUPPORTED


@pytest.mark.parametrize("request_", [GetRequestNormal, SetRequestNormal, ActionRequestNormal])
def test_an_unconfirmed_request_gets_no_answer(request_):
    silent = InvokeIdAndPriority(1, confirmed=False)
    arguments = {
        GetRequestNormal: (silent, SHORT),
        SetRequestNormal: (silent, SHORT, None, unsigned(4)),
        ActionRequestNormal: (silent, ECHO),
    }[request_]
    talk = Talk()
    assert talk.octets(request_(*arguments)) is None
    assert talk.device.written == ([(2, unsigned(4))] if request_ is SetRequestNormal else [])
