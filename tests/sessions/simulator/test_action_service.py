"""ACTION on the server's side: lists, blocks in both directions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import octet_string, unsigned
from sessions.dlms.apdu.action import (
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithPblock,
)
from sessions.dlms.apdu.descriptors import ActionResult, encode_data_list
from sessions.dlms.axdr import encode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.transfers.action import decode_action_result
from sessions.simulator.blocks import MAX_INCOMING
from sessions.simulator.device import SERVED_CONFORMANCE
from sessions.simulator.service import MAX_LIST, NOT_NEGOTIATED, PDU_TOO_LONG, TransferState

from .asked import ECHO, FORBIDDEN, I, Talk


def test_a_short_action():
    talk = Talk()
    assert talk.ask(ActionRequestNormal(I, ECHO)) == ActionResponseNormal(I, ActionResult.SUCCESS)
    assert talk.ask(ActionRequestNormal(I, ECHO, unsigned(1))).return_parameters == unsigned(1)
    assert talk.ask(ActionRequestNormal(I, FORBIDDEN)).result is ActionResult.OTHER_REASON


@given(size=st.integers(20, 100), capacity=st.integers(20, 60))
@settings(max_examples=40, deadline=None)
def test_long_parameters_and_a_long_answer(size, capacity):
    talk, octets = Talk(), encode_data(octet_string(bytes(size)))
    assert talk.ask(ActionRequestWithFirstPblock(I, ECHO, False, 1, octets[:10]), capacity) == ActionResponseNextPblock(
        I, 1
    )
    answer = talk.ask(ActionRequestWithPblock(I, True, 2, octets[10:]), capacity)
    if isinstance(answer, ActionResponseNormal):
        assert answer.return_parameters == octet_string(bytes(size))
        return
    assert isinstance(answer, ActionResponseWithPblock)
    raw, number = answer.raw_data, 1
    while not answer.last_block:
        answer = talk.ask(ActionRequestNextPblock(I, number), capacity)
        number += 1
        raw += answer.raw_data
    assert decode_action_result(raw) == (ActionResult.SUCCESS, octet_string(bytes(size)))
    assert talk.state is TransferState.IDLE


@pytest.mark.parametrize(
    ("block", "result"),
    [
        (ActionRequestWithPblock(I, False, 3, b""), ActionResult.LONG_ACTION_ABORTED),
        (ActionRequestWithPblock(I, False, 2, bytes(MAX_INCOMING)), ActionResult.LONG_ACTION_ABORTED),
        (ActionRequestWithPblock(I, True, 2, b"\x99\x99"), ActionResult.TYPE_UNMATCHED),
    ],
)
def test_a_long_action_that_goes_wrong(block, result):
    talk = Talk()
    talk.ask(ActionRequestWithFirstPblock(I, ECHO, False, 1, b"\x09\x01"))
    assert talk.ask(block) == ActionResponseNormal(I, result)
    assert talk.state is TransferState.IDLE


def test_a_wrong_block_number_ends_a_long_answer():
    talk = Talk()
    talk.ask(ActionRequestNormal(I, ECHO, octet_string(bytes(100))), 40)
    assert talk.state is TransferState.ACTION_SENDING
    assert talk.ask(ActionRequestNextPblock(I, 7), 40).result is ActionResult.LONG_ACTION_ABORTED
    assert talk.state is TransferState.IDLE


def test_a_long_answer_without_blocks_is_too_long():
    talk = Talk(SERVED_CONFORMANCE & ~Conformance.BLOCK_TRANSFER_WITH_ACTION)
    assert talk.ask(ActionRequestNormal(I, ECHO, octet_string(bytes(100))), 40) == PDU_TOO_LONG
    assert Talk().octets(ActionRequestNormal(I, ECHO, octet_string(b"123456")), 8) == PDU_TOO_LONG.encode()


# -- lists -------------------------------------------------------------------------------------------------------------

PAIR = (ECHO, FORBIDDEN)
LONG_PARAMETERS = (octet_string(bytes(80)), unsigned(1))
OUTCOMES = ((ActionResult.SUCCESS, octet_string(bytes(80))), (ActionResult.OTHER_REASON, None))


def test_a_list_gives_a_result_for_each():
    assert Talk().ask(ActionRequestWithList(I, PAIR, LONG_PARAMETERS)) == ActionResponseWithList(I, OUTCOMES)


@pytest.mark.parametrize("capacity", [20, 30, 60])
def test_a_list_in_blocks_both_ways(capacity):
    talk, octets = Talk(), encode_data_list(LONG_PARAMETERS)
    first = ActionRequestWithListAndFirstPblock(I, PAIR, False, 1, octets[:40])
    assert talk.ask(first, capacity) == ActionResponseNextPblock(I, 1)
    answer = talk.ask(ActionRequestWithPblock(I, True, 2, octets[40:]), capacity)
    raw, number = answer.raw_data, 1
    while not answer.last_block:
        answer = talk.ask(ActionRequestNextPblock(I, number), capacity)
        number += 1
        raw += answer.raw_data
    assert raw == ActionResponseWithList(I, OUTCOMES).encode()[3:]


def test_nothing_is_invoked_where_parameters_and_methods_do_not_match():
    unmatched = ((ActionResult.TYPE_UNMATCHED, None),) * 2
    assert Talk().ask(ActionRequestWithList(I, PAIR, (unsigned(1),))) == ActionResponseWithList(I, unmatched)
    last = ActionRequestWithListAndFirstPblock(I, PAIR, True, 1, encode_data_list([unsigned(1)]))
    assert Talk().ask(last) == ActionResponseWithList(I, unmatched)


def test_a_list_in_blocks_that_is_no_list():
    last = ActionRequestWithListAndFirstPblock(I, PAIR, True, 1, b"\x02\x11\x01")
    assert Talk().ask(last) == ActionResponseNormal(I, ActionResult.TYPE_UNMATCHED)


def test_lists_must_be_agreed_on_and_have_limits():
    requests = [
        ActionRequestWithList(I, PAIR * MAX_LIST, LONG_PARAMETERS * MAX_LIST),
        ActionRequestWithListAndFirstPblock(I, PAIR * MAX_LIST, True, 1, b"\x00"),
    ]
    strict = Talk(SERVED_CONFORMANCE & ~Conformance.MULTIPLE_REFERENCES)
    for request in requests:
        assert Talk().ask(request) == PDU_TOO_LONG
        assert strict.ask(request) == NOT_NEGOTIATED


def test_where_only_general_blocks_were_agreed_a_long_answer_is_left_whole_for_them():
    talk = Talk(SERVED_CONFORMANCE & ~Conformance.BLOCK_TRANSFER_WITH_ACTION)
    answer = talk.ask(ActionRequestNormal(I, ECHO, octet_string(bytes(100))), 40, 1000)
    assert answer.return_parameters == octet_string(bytes(100))
