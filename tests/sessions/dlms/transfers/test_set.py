"""SET: values in one request or in blocks at every capacity, refusals in the middle."""

from __future__ import annotations

import pytest

from meters.cosem.data import Data, null
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.descriptors import DataAccessResult, encode_data_list
from sessions.dlms.apdu.get import GetResponseNormal
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
from sessions.dlms.axdr import decode_data, encode_data
from sessions.dlms.errors import ListRefusedError, LocalProtocolError, RemoteProtocolError
from sessions.dlms.events import BlockSent, ListFinished, SetFinished
from sessions.dlms.selective_access import EntryDescriptor
from sessions.dlms.transfers.items import SetItem
from sessions.dlms.transfers.set import SetListTransfer, SetTransfer, unconfirmed_set

from .asked import CLOCK, DENIED, INVOCATION, LONG, NO_BLOCKS, OK, terms


def serve_set(transfer: SetTransfer, octets: bytes, capacity: int) -> tuple[Data, list[object]]:
    """The meter's side of a SET: the value that arrived, and the client's outcomes."""
    outcomes: list[object] = []
    request = decode_apdu(octets)
    assert len(octets) <= capacity
    if isinstance(request, SetRequestNormal):
        outcomes, following = transfer.receive(SetResponseNormal(INVOCATION, OK))
        assert following is None
        return request.value, outcomes
    assert isinstance(request, SetRequestWithFirstDatablock)
    assert (request.cosem_attribute_descriptor, request.access_selection) == (CLOCK, None)
    raw, number = request.raw_data, 1
    assert request.block_number == 1
    while not request.last_block:
        some, following = transfer.receive(SetResponseDatablock(INVOCATION, number))
        outcomes += some
        assert some == [BlockSent(1, number, len(raw), len(encode_data(LONG)))]
        assert len(following) <= capacity
        request, number = decode_apdu(following), number + 1
        assert isinstance(request, SetRequestWithDatablock)
        assert request.block_number == number
        raw += request.raw_data
    some, following = transfer.receive(SetResponseLastDatablock(INVOCATION, OK, number))
    assert following is None
    return decode_data(raw), outcomes + some


@pytest.mark.parametrize("capacity", [*range(21, 60), 127, 128, 129, 130, 150, 199, 200, 201, 240, 1000])
def test_a_set_arrives_whole_at_every_capacity(capacity):
    transfer = SetTransfer(terms(capacity), CLOCK, LONG)
    octets = transfer.begin()
    value, outcomes = serve_set(transfer, octets, capacity)
    assert value == LONG
    assert outcomes[-1] == SetFinished(1, OK)
    assert transfer.done


def test_blocks_are_as_full_as_the_meter_can_take_them():
    transfer = SetTransfer(terms(50), CLOCK, LONG)
    first = transfer.begin()
    _, second = transfer.receive(SetResponseDatablock(INVOCATION, 1))
    assert (len(first), len(second)) == (50, 50)


@pytest.mark.parametrize("capacity", [0, 12, 18])
def test_a_meter_that_cannot_even_take_one_octet_of_a_block(capacity):
    with pytest.raises(LocalProtocolError) as raised:
        SetTransfer(terms(capacity), CLOCK, LONG).begin()
    assert raised.value.code == "request-too-long"


def test_a_long_set_without_blocks_agreed_is_refused_here():
    with pytest.raises(LocalProtocolError, match="agreed to no blocks"):
        SetTransfer(terms(50, conformance=NO_BLOCKS), CLOCK, LONG).begin()


@pytest.mark.parametrize("answer", [SetResponseNormal, SetResponseLastDatablock])
@pytest.mark.parametrize("acknowledged", [0, 1])
def test_a_set_may_be_refused_in_the_middle(answer, acknowledged):
    transfer = SetTransfer(terms(50), CLOCK, LONG)
    transfer.begin()
    for number in range(1, acknowledged + 1):
        transfer.receive(SetResponseDatablock(INVOCATION, number))
    aborted = DataAccessResult.LONG_SET_ABORTED
    refusal = answer(INVOCATION, aborted) if answer is SetResponseNormal else answer(INVOCATION, aborted, 1)
    assert transfer.receive(refusal) == ([SetFinished(1, aborted)], None)
    assert transfer.done


def test_success_before_all_was_sent_is_not_believed():
    transfer = SetTransfer(terms(50), CLOCK, LONG)
    transfer.begin()
    with pytest.raises(RemoteProtocolError):
        transfer.receive(SetResponseLastDatablock(INVOCATION, OK, 1))


@pytest.mark.parametrize("number", [0, 2, 77])
def test_an_acknowledgement_of_another_block(number):
    transfer = SetTransfer(terms(50), CLOCK, LONG)
    transfer.begin()
    with pytest.raises(RemoteProtocolError, match=f"Block {number} is acknowledged where block 1 was sent") as raised:
        transfer.receive(SetResponseDatablock(INVOCATION, number))
    assert raised.value.code == "wrong-block-number"


def test_an_acknowledgement_of_a_set_that_was_short():
    transfer = SetTransfer(terms(50), CLOCK, null())
    transfer.begin()
    with pytest.raises(RemoteProtocolError):
        transfer.receive(SetResponseDatablock(INVOCATION, 1))


# -- lists -------------------------------------------------------------------------------------------------------------

SELECTION = EntryDescriptor(1, 2).to_selective_access()
ITEMS = (SetItem(CLOCK, LONG), SetItem(CLOCK, null(), SELECTION))
ATTRIBUTES = ((CLOCK, None), (CLOCK, SELECTION))
RESULTS = (OK, DENIED)


def test_a_list_in_one_request():
    transfer = SetListTransfer(terms(), ITEMS)
    assert decode_apdu(transfer.begin()) == SetRequestWithList(INVOCATION, ATTRIBUTES, (LONG, null()))
    assert transfer.receive(SetResponseWithList(INVOCATION, RESULTS)) == ([ListFinished(1, RESULTS)], None)
    assert transfer.done


@pytest.mark.parametrize("capacity", [71, 75, 80, 127, 128, 129, 200])
def test_a_list_in_blocks_at_every_capacity(capacity):
    transfer = SetListTransfer(terms(capacity), ITEMS)
    octets = transfer.begin()
    request = decode_apdu(octets)
    assert isinstance(request, SetRequestWithListAndFirstDatablock)
    assert request.attribute_descriptor_list == ATTRIBUTES
    raw, number = request.raw_data, 1
    while not request.last_block:
        assert len(octets) <= capacity
        _, octets = transfer.receive(SetResponseDatablock(INVOCATION, number))
        request, number = decode_apdu(octets), number + 1
        raw += request.raw_data
    assert raw == encode_data_list((LONG, null()))
    answer = SetResponseLastDatablockWithList(INVOCATION, RESULTS, number)
    assert transfer.receive(answer) == ([ListFinished(1, RESULTS)], None)


@pytest.mark.parametrize(
    "answer", [SetResponseNormal(INVOCATION, DENIED), SetResponseLastDatablock(INVOCATION, DENIED, 1)]
)
@pytest.mark.parametrize("capacity", [80, 1000], ids=["blocks", "whole"])
def test_a_list_that_is_refused_as_a_whole(answer, capacity):
    transfer = SetListTransfer(terms(capacity), ITEMS)
    transfer.begin()
    with pytest.raises(ListRefusedError, match="read-write-denied") as raised:
        transfer.receive(answer)
    assert raised.value.result == DENIED


@pytest.mark.parametrize("results", [(), (OK,), (OK, OK, OK)])
@pytest.mark.parametrize("last", [False, True])
def test_another_number_of_results_belongs_to_nothing(results, last):
    transfer = SetListTransfer(terms(), ITEMS)
    transfer.begin()
    answer = (
        SetResponseLastDatablockWithList(INVOCATION, results, 1) if last else SetResponseWithList(INVOCATION, results)
    )
    with pytest.raises(RemoteProtocolError, match="for a list of 2"):
        transfer.receive(answer)


def test_no_answer_to_a_list():
    transfer = SetListTransfer(terms(), ITEMS)
    transfer.begin()
    with pytest.raises(RemoteProtocolError):
        transfer.receive(GetResponseNormal(INVOCATION, null()))


def test_a_long_list_without_blocks_agreed_is_refused_here():
    with pytest.raises(LocalProtocolError, match="agreed to no blocks"):
        SetListTransfer(terms(100, conformance=NO_BLOCKS), ITEMS).begin()


def test_a_set_without_an_answer():
    request = decode_apdu(unconfirmed_set(terms(), SetItem(CLOCK, null())))
    assert isinstance(request, SetRequestNormal)
    assert not request.invoke_id_and_priority.confirmed
    assert (request.cosem_attribute_descriptor, request.value) == (CLOCK, null())
    with pytest.raises(LocalProtocolError, match="octets long"):
        unconfirmed_set(terms(50), SetItem(CLOCK, LONG))
