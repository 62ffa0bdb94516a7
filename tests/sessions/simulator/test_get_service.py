"""GET on the server's side: blocks to the client's size, lists, selections."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import octet_string, unsigned
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.apdu.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
)
from sessions.dlms.axdr import decode_data, encode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.selective_access import EntryDescriptor
from sessions.simulator.device import SERVED_CONFORMANCE
from sessions.simulator.service import MAX_LIST, NOT_NEGOTIATED, PDU_TOO_LONG, TransferState

from .asked import CUT, LONG, LONG_VALUE, REFUSED, SHORT, SIZE, I, Talk


def test_a_short_value_comes_at_once():
    assert Talk().ask(GetRequestNormal(I, SHORT)) == GetResponseNormal(I, unsigned(7))


def test_a_refusal_is_an_answer():
    assert Talk().ask(GetRequestNormal(I, REFUSED)) == GetResponseNormal(I, DataAccessResult.READ_WRITE_DENIED)


@given(capacity=st.integers(12, 800))
@settings(max_examples=60, deadline=None)
def test_a_long_value_comes_in_blocks_that_fit(capacity):
    talk = Talk()
    answer = talk.ask(GetRequestNormal(I, LONG), capacity)
    if isinstance(answer, GetResponseNormal):
        assert answer.result == LONG_VALUE
        assert 4 + len(encode_data(LONG_VALUE)) <= capacity
        return
    octets, number = answer.result, 1
    while not answer.last_block:
        assert talk.state is TransferState.GET_SENDING
        answer = talk.ask(GetRequestNext(I, number), capacity)
        number += 1
        assert answer.block_number == number
        octets += answer.result
    assert talk.state is TransferState.IDLE
    assert decode_data(octets) == LONG_VALUE


def test_blocks_are_full():
    answer = Talk().octets(GetRequestNormal(I, LONG))
    assert answer is not None
    assert len(answer) == SIZE


def test_a_recorded_value_is_cut_as_it_was():
    talk = Talk()
    sizes = [len(talk.ask(GetRequestNormal(I, CUT)).result)]
    sizes += [len(talk.ask(GetRequestNext(I, number)).result) for number in (1, 2)]
    assert sizes == [7, 7, 6]
    assert talk.state is TransferState.IDLE


def test_a_recorded_cut_bows_to_the_clients_size():
    talk = Talk()
    answer = talk.ask(GetRequestNormal(I, CUT), 15)
    octets, count = answer.result, 1
    while not answer.last_block:
        answer = talk.ask(GetRequestNext(I, count), 15)
        count += 1
        octets += answer.result
    assert decode_data(octets) == octet_string(bytes(18))
    assert count > 3


def test_no_octet_fits():
    assert Talk().octets(GetRequestNormal(I, LONG), 10) == PDU_TOO_LONG.encode()


def test_without_block_transfer_a_long_value_is_too_long():
    talk = Talk(SERVED_CONFORMANCE & ~Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ)
    assert talk.ask(GetRequestNormal(I, LONG)) == PDU_TOO_LONG


def test_selections_must_be_agreed_on():
    talk = Talk(SERVED_CONFORMANCE & ~Conformance.SELECTIVE_ACCESS)
    answer = talk.ask(GetRequestNormal(I, SHORT, EntryDescriptor().to_selective_access()))
    assert answer.result is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED


def test_a_list_gives_a_result_for_each():
    talk = Talk()
    wanted = ((SHORT, None), (REFUSED, None), (SHORT, None))
    assert talk.ask(GetRequestWithList(I, wanted)) == GetResponseWithList(
        I, (unsigned(7), DataAccessResult.READ_WRITE_DENIED, unsigned(7))
    )
    answer = talk.ask(GetRequestWithList(I, ((LONG, None), (SHORT, None))))
    assert isinstance(answer, GetResponseWithDatablock)
    octets, number = answer.result, 1
    while not answer.last_block:
        answer = talk.ask(GetRequestNext(I, number))
        number += 1
        octets += answer.result
    assert octets == b"\x02\x00" + encode_data(LONG_VALUE) + b"\x00\x11\x07"


def test_lists_have_limits():
    assert Talk().ask(GetRequestWithList(I, ((SHORT, None),) * (MAX_LIST + 1))) == PDU_TOO_LONG
    talk = Talk(SERVED_CONFORMANCE & ~Conformance.MULTIPLE_REFERENCES)
    assert talk.ask(GetRequestWithList(I, ((SHORT, None),))) == NOT_NEGOTIATED


@pytest.mark.parametrize("number", [0, 2, 0xFFFFFFFF])
def test_a_wrong_block_number_ends_the_transfer(number):
    talk = Talk()
    talk.ask(GetRequestNormal(I, LONG))
    answer = talk.ask(GetRequestNext(I, number))
    assert answer == GetResponseWithDatablock(I, True, number, DataAccessResult.DATA_BLOCK_NUMBER_INVALID)
    assert talk.ask(GetRequestNext(I, 1)).result is DataAccessResult.NO_LONG_GET_IN_PROGRESS


def test_where_only_general_blocks_were_agreed_a_long_value_is_left_whole_for_them():
    talk = Talk(SERVED_CONFORMANCE & ~Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ)
    assert talk.ask(GetRequestNormal(I, LONG), 40, 1000) == GetResponseNormal(I, LONG_VALUE)
    assert talk.ask(GetRequestNormal(I, LONG), 40, 400) == PDU_TOO_LONG
