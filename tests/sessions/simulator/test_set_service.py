"""SET on the server's side: lists, blocks, and blocks that go wrong."""

from __future__ import annotations

import pytest

from meters.cosem.data import octet_string, unsigned
from sessions.dlms.apdu.descriptors import DataAccessResult, encode_data_list
from sessions.dlms.apdu.set import (
    SetRequestNormal,
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetRequestWithList,
    SetRequestWithListAndFirstDatablock,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseLastDatablockWithList,
    SetResponseNormal,
    SetResponseWithList,
)
from sessions.dlms.axdr import encode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.selective_access import EntryDescriptor
from sessions.simulator.blocks import MAX_INCOMING
from sessions.simulator.device import SERVED_CONFORMANCE
from sessions.simulator.service import MAX_LIST, NOT_NEGOTIATED, PDU_TOO_LONG, TransferState

from .asked import LONG, LONG_VALUE, REFUSED, SHORT, I, Talk


def test_a_short_set():
    talk = Talk()
    assert talk.ask(SetRequestNormal(I, SHORT, None, unsigned(9))) == SetResponseNormal(I, DataAccessResult.SUCCESS)
    assert talk.device.written == [(2, unsigned(9))]
    assert talk.ask(SetRequestNormal(I, REFUSED, None, unsigned(9))).result is DataAccessResult.READ_WRITE_DENIED


def test_a_long_set():
    talk, octets = Talk(), encode_data(LONG_VALUE)
    assert talk.ask(SetRequestWithFirstDatablock(I, LONG, None, False, 1, octets[:100])) == SetResponseDatablock(I, 1)
    assert talk.ask(SetRequestWithDatablock(I, False, 2, octets[100:200])) == SetResponseDatablock(I, 2)
    assert talk.device.written == []
    last = talk.ask(SetRequestWithDatablock(I, True, 3, octets[200:]))
    assert last == SetResponseLastDatablock(I, DataAccessResult.SUCCESS, 3)
    assert talk.device.written == [(3, LONG_VALUE)]


def test_a_long_set_of_one_block():
    talk = Talk()
    answer = talk.ask(SetRequestWithFirstDatablock(I, SHORT, None, True, 1, encode_data(unsigned(1))))
    assert answer == SetResponseLastDatablock(I, DataAccessResult.SUCCESS, 1)


@pytest.mark.parametrize(
    ("block", "result"),
    [
        (SetRequestWithDatablock(I, False, 3, b""), DataAccessResult.LONG_SET_ABORTED),
        (SetRequestWithDatablock(I, False, 1, b""), DataAccessResult.LONG_SET_ABORTED),
        (SetRequestWithDatablock(I, False, 2, bytes(MAX_INCOMING)), DataAccessResult.LONG_SET_ABORTED),
        (SetRequestWithDatablock(I, True, 2, b"\x99\x99"), DataAccessResult.TYPE_UNMATCHED),
    ],
)
def test_a_long_set_that_goes_wrong(block, result):
    talk = Talk()
    talk.ask(SetRequestWithFirstDatablock(I, LONG, None, False, 1, b"\x09\x01"))
    assert talk.ask(block) == SetResponseLastDatablock(I, result, block.block_number)
    assert talk.device.written == []
    assert talk.state is TransferState.IDLE


# -- lists -------------------------------------------------------------------------------------------------------------

PAIR = ((SHORT, None), (REFUSED, None))
RESULTS = (DataAccessResult.SUCCESS, DataAccessResult.READ_WRITE_DENIED)
VALUES = (unsigned(1), octet_string(bytes(50)))


def test_a_list_gives_a_result_for_each():
    talk = Talk()
    assert talk.ask(SetRequestWithList(I, PAIR, VALUES)) == SetResponseWithList(I, RESULTS)
    assert talk.device.written == [(2, unsigned(1))]


def test_a_list_in_blocks():
    talk, octets = Talk(), encode_data_list(VALUES)
    first = SetRequestWithListAndFirstDatablock(I, PAIR, False, 1, octets[:20])
    assert talk.ask(first) == SetResponseDatablock(I, 1)
    assert talk.ask(SetRequestWithDatablock(I, False, 2, octets[20:40])) == SetResponseDatablock(I, 2)
    assert talk.device.written == []
    answer = talk.ask(SetRequestWithDatablock(I, True, 3, octets[40:]))
    assert answer == SetResponseLastDatablockWithList(I, RESULTS, 3)
    assert talk.device.written == [(2, unsigned(1))]
    assert talk.state is TransferState.IDLE


@pytest.mark.parametrize(
    ("block", "result"),
    [
        (SetRequestWithDatablock(I, False, 3, b""), DataAccessResult.LONG_SET_ABORTED),
        (SetRequestWithDatablock(I, True, 2, b"\x11\x01\x99"), DataAccessResult.TYPE_UNMATCHED),
        (SetRequestWithDatablock(I, True, 2, b""), DataAccessResult.TYPE_UNMATCHED),
    ],
)
def test_a_list_in_blocks_that_goes_wrong(block, result):
    talk = Talk()
    talk.ask(SetRequestWithListAndFirstDatablock(I, PAIR, False, 1, b"\x02"))
    assert talk.ask(block) == SetResponseLastDatablockWithList(I, (result, result), block.block_number)
    assert talk.device.written == []


def test_nothing_is_written_where_values_and_attributes_do_not_match():
    talk = Talk()
    unmatched = (DataAccessResult.TYPE_UNMATCHED,) * 2
    assert talk.ask(SetRequestWithList(I, PAIR, VALUES[:1])) == SetResponseWithList(I, unmatched)
    last = SetRequestWithListAndFirstDatablock(I, PAIR, True, 1, encode_data_list(VALUES[:1]))
    assert talk.ask(last) == SetResponseLastDatablockWithList(I, unmatched, 1)
    assert talk.device.written == []


def test_lists_must_be_agreed_on_and_have_limits():
    requests = [
        SetRequestWithList(I, PAIR * MAX_LIST, VALUES * MAX_LIST),
        SetRequestWithListAndFirstDatablock(I, PAIR * MAX_LIST, True, 1, b"\x00"),
    ]
    strict = Talk(SERVED_CONFORMANCE & ~Conformance.MULTIPLE_REFERENCES)
    for request in requests:
        assert Talk().ask(request) == PDU_TOO_LONG
        assert strict.ask(request) == NOT_NEGOTIATED


def test_a_selection_must_be_agreed_on():
    talk = Talk(SERVED_CONFORMANCE & ~Conformance.SELECTIVE_ACCESS)
    answer = talk.ask(SetRequestNormal(I, SHORT, EntryDescriptor().to_selective_access(), unsigned(1)))
    assert answer.result is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    assert talk.device.written == []
