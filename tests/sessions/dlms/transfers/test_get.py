"""GET: values in one answer or in blocks of every size, refusals, hostile peers."""

from __future__ import annotations

from typing import Any

import pytest

from meters.cosem.data import Data, null, unsigned
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.action import ActionResponseNormal
from sessions.dlms.apdu.descriptors import ActionResult, DataAccessResult
from sessions.dlms.apdu.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
)
from sessions.dlms.apdu.set import SetResponseDatablock, SetResponseNormal
from sessions.dlms.axdr import encode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import DecodeError, ListRefusedError, LocalProtocolError, RemoteProtocolError
from sessions.dlms.events import BlockReceived, GetFinished, ListFinished
from sessions.dlms.selective_access import EntryDescriptor
from sessions.dlms.transfers.blocks import TransferLimits
from sessions.dlms.transfers.get import GetListTransfer, GetTransfer
from sessions.dlms.transfers.items import GetItem
from sessions.dlms.transfers.transfer import Transfer

from .asked import CLOCK, DENIED, INVOCATION, LONG, NO_BLOCKS, OK, terms


def asked(**changes: Any) -> GetTransfer:
    """A GET that is out."""
    transfer = GetTransfer(terms(**changes), CLOCK)
    assert decode_apdu(transfer.begin()) == GetRequestNormal(INVOCATION, CLOCK, None)
    return transfer


def blocks_of(data: Data, size: int) -> list[GetResponseWithDatablock]:
    encoded = encode_data(data)
    slices = [encoded[at : at + size] for at in range(0, len(encoded), size)]
    return [
        GetResponseWithDatablock(INVOCATION, number == len(slices), number, part)
        for number, part in enumerate(slices, start=1)
    ]


def test_a_value_in_one_answer():
    transfer = asked()
    assert transfer.receive(GetResponseNormal(INVOCATION, unsigned(5))) == ([GetFinished(1, unsigned(5))], None)
    assert transfer.done


def test_a_refusal_is_a_value():
    transfer = asked()
    assert transfer.receive(GetResponseNormal(INVOCATION, DENIED)) == ([GetFinished(1, DENIED)], None)


@pytest.mark.parametrize("size", range(1, len(encode_data(LONG)) + 2))
def test_a_long_answer_in_blocks_of_every_size(size):
    transfer = asked()
    received = 0
    blocks = blocks_of(LONG, size)
    for block in blocks:
        outcomes, following = transfer.receive(block)
        received += len(block.result)
        assert outcomes[0] == BlockReceived(1, block.block_number, block.result, received)
        if block is not blocks[-1]:
            assert outcomes[1:] == []
            assert decode_apdu(following) == GetRequestNext(INVOCATION, block.block_number)
    assert outcomes[1:] == [GetFinished(1, LONG)]
    assert following is None
    assert transfer.done


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_refusal_instead_of_a_block(before, last):
    transfer = asked()
    for block in blocks_of(LONG, 20)[:before]:
        transfer.receive(block)
    aborted = DataAccessResult.LONG_GET_ABORTED
    answer = GetResponseWithDatablock(INVOCATION, last, before + 1, aborted)
    assert transfer.receive(answer) == ([GetFinished(1, aborted)], None)
    assert transfer.done


def test_a_plain_refusal_in_the_middle_of_blocks():
    transfer = asked()
    transfer.receive(blocks_of(LONG, 20)[0])
    invalid = DataAccessResult.DATA_BLOCK_NUMBER_INVALID
    assert transfer.receive(GetResponseNormal(INVOCATION, invalid)) == ([GetFinished(1, invalid)], None)


@pytest.mark.parametrize("number", [0, 2, 3, 0xFFFFFFFF])
def test_a_first_block_that_is_not_the_first(number):
    transfer = asked()
    with pytest.raises(RemoteProtocolError, match=f"Block {number} came where block 1 is due") as raised:
        transfer.receive(GetResponseWithDatablock(INVOCATION, False, number, b"\x00"))
    assert raised.value.code == "wrong-block-number"
    transfer.abort()
    assert transfer.done


@pytest.mark.parametrize("number", [0, 1, 2, 4, 99])
def test_a_block_that_is_not_the_next(number):
    transfer = asked()
    for block in blocks_of(LONG, 20)[:2]:
        transfer.receive(block)
    with pytest.raises(RemoteProtocolError, match="where block 3 is due"):
        transfer.receive(GetResponseWithDatablock(INVOCATION, True, number, b"\x00"))


def test_a_value_that_does_not_decode():
    transfer = asked()
    with pytest.raises(DecodeError):
        transfer.receive(GetResponseWithDatablock(INVOCATION, True, 1, encode_data(LONG)[:-1]))
    assert transfer.done


def flood(transfer: GetTransfer, contents: bytes) -> None:
    """Blocks that are in order, and never end."""
    for number in range(1, 1000):
        transfer.receive(GetResponseWithDatablock(INVOCATION, False, number, contents))


def test_blocks_without_an_end_are_cut_off_by_octets():
    transfer = asked(limits=TransferLimits(max_octets=100))
    with pytest.raises(RemoteProtocolError, match="does not end") as raised:
        flood(transfer, bytes(10))
    assert raised.value.code == "transfer-too-long"
    assert "110 octets in 11 blocks" in raised.value.message


def test_blocks_without_an_end_are_cut_off_by_their_number():
    transfer = asked(limits=TransferLimits(max_blocks=7))
    with pytest.raises(RemoteProtocolError, match="in 8 blocks and no end"):
        flood(transfer, b"\x00")


def test_empty_blocks_are_cut_off_but_a_few_are_borne():
    transfer = asked()
    encoded = encode_data(LONG)
    for number, part in enumerate([b"", b"", encoded[:50], b"", b"", encoded[50:]], start=1):
        transfer.receive(GetResponseWithDatablock(INVOCATION, False, number, part))
    outcomes, _ = transfer.receive(GetResponseWithDatablock(INVOCATION, True, 7, b""))
    assert outcomes[1] == GetFinished(1, LONG)
    transfer = asked()
    with pytest.raises(RemoteProtocolError, match="3 empty blocks in a row") as raised:
        flood(transfer, b"")
    assert raised.value.code == "empty-blocks"


@pytest.mark.parametrize(
    "answer",
    [
        SetResponseNormal(INVOCATION, OK),
        ActionResponseNormal(INVOCATION, ActionResult.SUCCESS),
        SetResponseDatablock(INVOCATION, 1),
        GetResponseWithList(INVOCATION, (null(),)),
        GetRequestNext(INVOCATION, 1),
    ],
)
def test_an_answer_to_another_service(answer):
    transfer = asked()
    with pytest.raises(RemoteProtocolError):
        transfer.receive(answer)


def test_a_get_that_does_not_fit_is_refused_here():
    with pytest.raises(LocalProtocolError, match="13 octets long, the meter receives 12") as raised:
        GetTransfer(terms(12, conformance=NO_BLOCKS), CLOCK).begin()
    assert raised.value.code == "request-too-long"
    assert len(GetTransfer(terms(13), CLOCK).begin()) == 13


# -- lists -------------------------------------------------------------------------------------------------------------

SELECTION = EntryDescriptor(1, 2).to_selective_access()
ITEMS = (GetItem(CLOCK), GetItem(CLOCK, SELECTION))
RESULTS = (LONG, DENIED)


def listed(**changes: Any) -> GetListTransfer:
    """A GET with list that is out."""
    transfer = GetListTransfer(terms(**changes), ITEMS)
    request = decode_apdu(transfer.begin())
    assert request == GetRequestWithList(INVOCATION, ((CLOCK, None), (CLOCK, SELECTION)))
    return transfer


def test_a_list_in_one_answer():
    transfer = listed()
    assert transfer.receive(GetResponseWithList(INVOCATION, RESULTS)) == ([ListFinished(1, RESULTS)], None)
    assert transfer.done


@pytest.mark.parametrize("size", [1, 2, 3, 50, 1000])
def test_a_list_in_blocks(size):
    transfer = listed()
    raw = GetResponseWithList(INVOCATION, RESULTS).encode()[3:]
    slices = [raw[at : at + size] for at in range(0, len(raw), size)]
    for number, part in enumerate(slices, start=1):
        last = number == len(slices)
        outcomes, following = transfer.receive(GetResponseWithDatablock(INVOCATION, last, number, part))
        if not last:
            assert decode_apdu(following) == GetRequestNext(INVOCATION, number)
    assert outcomes[1] == ListFinished(1, RESULTS)
    assert transfer.done


@pytest.mark.parametrize(
    "answer",
    [
        GetResponseNormal(INVOCATION, DENIED),
        GetResponseWithDatablock(INVOCATION, True, 1, DENIED),
        GetResponseWithDatablock(INVOCATION, False, 1, DENIED),
    ],
)
def test_a_list_that_is_refused_as_a_whole(answer):
    with pytest.raises(ListRefusedError, match="read-write-denied") as raised:
        listed().receive(answer)
    assert (raised.value.code, raised.value.result) == ("list-refused", DENIED)


def test_an_abort_in_the_middle_of_a_list_is_a_refusal():
    transfer = listed()
    transfer.receive(GetResponseWithDatablock(INVOCATION, False, 1, b"\x02"))
    with pytest.raises(ListRefusedError, match="long-get-aborted"):
        transfer.receive(GetResponseWithDatablock(INVOCATION, True, 2, DataAccessResult.LONG_GET_ABORTED))


@pytest.mark.parametrize("results", [(), (LONG,), (LONG, LONG, LONG)])
def test_another_number_of_results_belongs_to_nothing(results):
    answer = GetResponseWithList(INVOCATION, results)
    with pytest.raises(RemoteProtocolError, match=f"{len(results)} results for a list of 2") as raised:
        listed().receive(answer)
    assert raised.value.code == "wrong-result-count"
    with pytest.raises(RemoteProtocolError, match=f"{len(results)} results for a list of 2"):
        listed().receive(GetResponseWithDatablock(INVOCATION, True, 1, answer.encode()[3:]))


@pytest.mark.parametrize("raw", [b"", b"\x02\x01", b"\x02\x00\x11\x01\x00\x11\x01\x00", b"\x83\xff\xff\xff\x00"])
def test_blocks_that_hold_no_list(raw):
    with pytest.raises(DecodeError):
        listed().receive(GetResponseWithDatablock(INVOCATION, True, 1, raw))


@pytest.mark.parametrize("answer", [GetResponseNormal(INVOCATION, null()), SetResponseNormal(INVOCATION, OK)])
def test_no_answer_to_a_list(answer):
    with pytest.raises(RemoteProtocolError):
        listed().receive(answer)


def test_a_list_that_does_not_fit_is_refused_here():
    with pytest.raises(LocalProtocolError) as raised:
        GetListTransfer(terms(40, conformance=NO_BLOCKS), ITEMS).begin()
    assert raised.value.code == "request-too-long"


def test_general_blocks_carry_any_request():
    octets = GetListTransfer(terms(12, conformance=Conformance.GENERAL_BLOCK_TRANSFER), ITEMS).begin()
    assert isinstance(decode_apdu(octets), GetRequestWithList)


# -- pieces of an answer in general blocks -----------------------------------------------------------------------------


def ahead(transfer: Transfer, octets: bytes, size: int) -> list[Any]:
    """What the pieces before the last one bring."""
    starts = range(0, len(octets) - size, size)
    return [event for at in starts for event in transfer.look_ahead(at, octets[at : at + size])]


@pytest.mark.parametrize("size", [4, 5, 17, 64])
def test_a_value_is_handed_on_while_the_rest_of_its_answer_is_still_to_come(size):
    transfer, answer = asked(), GetResponseNormal(INVOCATION, LONG)
    events = ahead(transfer, answer.encode(), size)
    assert [event.block_number for event in events] == list(range(1, len(events) + 1))
    told = b"".join(event.octets for event in events)
    assert encode_data(LONG).startswith(told)
    assert len(encode_data(LONG)) - len(told) <= size
    assert events[-1].received_so_far == len(told)
    assert transfer.receive(answer) == ([GetFinished(1, LONG)], None)


@pytest.mark.parametrize(
    "beginning",
    [
        "C401C1",  # the value does not begin in the first piece
        "C401C101",  # a result code
        "C402C100",  # blocks of the service's own
        "C403C101",
        "C401C200",  # the answer to something else
        "C501C100",
        "0C0100",
    ],
)
def test_what_is_no_value_of_ours_is_handed_on_at_its_end_only(beginning):
    transfer = asked()
    assert transfer.look_ahead(0, bytes.fromhex(beginning)) == []
    assert transfer.look_ahead(len(beginning) // 2, bytes(50)) == []


def test_an_answer_that_begins_anew_after_some_of_it_was_handed_on_is_refused():
    transfer, answer = asked(), GetResponseNormal(INVOCATION, LONG)
    octets = answer.encode()
    assert len(transfer.look_ahead(0, octets[:20])) == 1
    assert transfer.look_ahead(0, octets[:20]) == transfer.look_ahead(20, octets[20:40]) == []
    with pytest.raises(RemoteProtocolError) as raised:
        transfer.receive(answer)
    assert raised.value.code == "began-anew"
    assert raised.value.hint


def test_an_answer_may_begin_anew_before_anything_was_handed_on():
    transfer, answer = asked(), GetResponseNormal(INVOCATION, LONG)
    assert transfer.look_ahead(0, answer.encode()[:4]) == []
    assert ahead(transfer, answer.encode(), 30)
    assert transfer.receive(answer) == ([GetFinished(1, LONG)], None)


def test_a_list_is_handed_on_at_its_end():
    transfer = GetListTransfer(terms(), [GetItem(CLOCK)])
    assert transfer.look_ahead(0, GetResponseNormal(INVOCATION, LONG).encode()[:40]) == []
