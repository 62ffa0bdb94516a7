"""ACTION: parameters and return parameters in one APDU or in blocks, and both forms of the latter."""

from __future__ import annotations

import pytest

from meters.cosem.data import array, long_unsigned, null, structure, unsigned
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.action import (
    NO_PARAMETER,
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
from sessions.dlms.apdu.descriptors import ActionResult, DataAccessResult, encode_data_list
from sessions.dlms.apdu.get import GetResponseNormal
from sessions.dlms.axdr import decode_data, encode_data
from sessions.dlms.errors import DecodeError, ListRefusedError, LocalProtocolError, RemoteProtocolError
from sessions.dlms.events import ActionFinished, ActionOutcome, ListFinished
from sessions.dlms.transfers.action import ActionListTransfer, ActionTransfer, decode_action_result
from sessions.dlms.transfers.items import ActionItem

from .asked import EXECUTE, INVOCATION, LONG, NO_BLOCKS, terms


def test_an_action_in_one_answer():
    transfer = ActionTransfer(terms(100), EXECUTE, long_unsigned(1))
    octets = transfer.begin()
    assert octets == bytes.fromhex("c301c1000900000a0064ff0101120001")
    answer = ActionResponseNormal(INVOCATION, ActionResult.SUCCESS, unsigned(7))
    assert transfer.receive(answer) == ([ActionFinished(1, ActionResult.SUCCESS, unsigned(7))], None)


def test_an_action_without_parameters():
    transfer = ActionTransfer(terms(100), EXECUTE, None)
    octets = transfer.begin()
    assert decode_apdu(octets) == ActionRequestNormal(INVOCATION, EXECUTE, None)


@pytest.mark.parametrize("capacity", [*range(20, 45), 127, 128, 129, 200, 1000])
def test_long_parameters_arrive_whole_at_every_capacity(capacity):
    transfer = ActionTransfer(terms(capacity), EXECUTE, LONG)
    octets = transfer.begin()
    request = decode_apdu(octets)
    if isinstance(request, ActionRequestNormal):
        assert request.method_invocation_parameters == LONG
        return
    assert isinstance(request, ActionRequestWithFirstPblock)
    raw = request.raw_data
    while not request.last_block:
        _, octets = transfer.receive(ActionResponseNextPblock(INVOCATION, request.block_number))
        assert len(octets) <= capacity
        request = decode_apdu(octets)
        assert isinstance(request, ActionRequestWithPblock)
        raw += request.raw_data
    assert decode_data(raw) == LONG
    answer = ActionResponseNormal(INVOCATION, ActionResult.SUCCESS)
    assert transfer.receive(answer) == ([ActionFinished(1, ActionResult.SUCCESS, None)], None)


@pytest.mark.parametrize("size", [1, 2, 7, 40, 500])
def test_long_return_parameters(size):
    transfer = ActionTransfer(terms(100), EXECUTE, None)
    transfer.begin()
    raw = bytes((ActionResult.SUCCESS, 1, 0)) + encode_data(LONG)
    slices = [raw[at : at + size] for at in range(0, len(raw), size)]
    for number, part in enumerate(slices, start=1):
        last = number == len(slices)
        outcomes, following = transfer.receive(ActionResponseWithPblock(INVOCATION, last, number, part))
        if not last:
            assert decode_apdu(following) == ActionRequestNextPblock(INVOCATION, number)
    assert outcomes[-1] == ActionFinished(1, ActionResult.SUCCESS, LONG)
    assert transfer.done


def test_blocks_out_then_blocks_back():
    transfer = ActionTransfer(terms(60), EXECUTE, LONG)
    request = decode_apdu(transfer.begin())
    while not request.last_block:
        _, octets = transfer.receive(ActionResponseNextPblock(INVOCATION, request.block_number))
        request = decode_apdu(octets)
    raw = encode_data(LONG)
    _, following = transfer.receive(ActionResponseWithPblock(INVOCATION, False, 1, raw[:30]))
    assert decode_apdu(following) == ActionRequestNextPblock(INVOCATION, 1)
    outcomes, _ = transfer.receive(ActionResponseWithPblock(INVOCATION, True, 2, raw[30:]))
    assert outcomes[-1] == ActionFinished(1, ActionResult.SUCCESS, LONG)


def test_a_long_action_may_be_refused_in_the_middle():
    transfer = ActionTransfer(terms(50), EXECUTE, LONG)
    transfer.begin()
    refusal = ActionResponseNormal(INVOCATION, ActionResult.LONG_ACTION_ABORTED)
    assert transfer.receive(refusal) == ([ActionFinished(1, ActionResult.LONG_ACTION_ABORTED, None)], None)


def test_a_long_action_without_blocks_agreed_is_refused_here():
    with pytest.raises(LocalProtocolError, match="agreed to no blocks"):
        ActionTransfer(terms(50, conformance=NO_BLOCKS), EXECUTE, LONG).begin()


def test_a_wrong_block_of_return_parameters():
    transfer = ActionTransfer(terms(100), EXECUTE, None)
    transfer.begin()
    with pytest.raises(RemoteProtocolError, match="Block 2 came"):
        transfer.receive(ActionResponseWithPblock(INVOCATION, True, 2, b"\x00\x00"))


@pytest.mark.parametrize(
    ("raw", "result", "returned"),
    [
        (b"\x00\x00", ActionResult.SUCCESS, None),
        (b"\xfa\x00", ActionResult.OTHER_REASON, None),
        (b"\x00\x01\x00\x11\x07", ActionResult.SUCCESS, unsigned(7)),
        (b"\x00\x01\x01\x04", ActionResult.SUCCESS, DataAccessResult.OBJECT_UNDEFINED),
        (b"\x11\x07", ActionResult.SUCCESS, unsigned(7)),
        (b"\x02\x01\x11\x07", ActionResult.SUCCESS, structure(unsigned(7))),
        (b"\x01\x01\x00", ActionResult.SUCCESS, array(null())),
        (b"\x00", ActionResult.SUCCESS, null()),
    ],
)
def test_both_forms_of_long_return_parameters(raw, result, returned):
    assert decode_action_result(raw) == (result, returned)


@pytest.mark.parametrize("raw", [b"", b"\x00\x01", b"\x00\x01\x02\x00", b"\x00\x00\x00", b"\xff\xff\xff"])
def test_return_parameters_in_no_form(raw):
    with pytest.raises(DecodeError):
        decode_action_result(raw)


# -- lists -------------------------------------------------------------------------------------------------------------

ITEMS = (ActionItem(EXECUTE, LONG), ActionItem(EXECUTE))
RESPONSES = ((ActionResult.SUCCESS, LONG), (ActionResult.READ_WRITE_DENIED, None))
OUTCOMES = tuple(ActionOutcome(*response) for response in RESPONSES)


def test_a_list_in_one_request_and_one_answer():
    transfer = ActionListTransfer(terms(), ITEMS)
    assert decode_apdu(transfer.begin()) == ActionRequestWithList(INVOCATION, (EXECUTE, EXECUTE), (LONG, NO_PARAMETER))
    assert transfer.receive(ActionResponseWithList(INVOCATION, RESPONSES)) == ([ListFinished(1, OUTCOMES)], None)


@pytest.mark.parametrize(("capacity", "size"), [(40, 1), (60, 7), (127, 40), (130, 500)])
def test_a_list_in_blocks_both_ways(capacity, size):
    transfer = ActionListTransfer(terms(capacity), ITEMS)
    request = decode_apdu(transfer.begin())
    assert isinstance(request, ActionRequestWithListAndFirstPblock)
    assert request.cosem_method_descriptor_list == (EXECUTE, EXECUTE)
    raw = request.raw_data
    while not request.last_block:
        _, octets = transfer.receive(ActionResponseNextPblock(INVOCATION, request.block_number))
        assert len(octets) <= capacity
        request = decode_apdu(octets)
        raw += request.raw_data
    assert raw == encode_data_list((LONG, NO_PARAMETER))
    answer = ActionResponseWithList(INVOCATION, RESPONSES).encode()[3:]
    slices = [answer[at : at + size] for at in range(0, len(answer), size)]
    for number, part in enumerate(slices, start=1):
        outcomes, _ = transfer.receive(ActionResponseWithPblock(INVOCATION, number == len(slices), number, part))
    assert outcomes[-1] == ListFinished(1, OUTCOMES)
    assert transfer.done


def test_a_list_that_is_refused_as_a_whole():
    transfer = ActionListTransfer(terms(), ITEMS)
    transfer.begin()
    with pytest.raises(ListRefusedError, match="long-action-aborted"):
        transfer.receive(ActionResponseNormal(INVOCATION, ActionResult.LONG_ACTION_ABORTED))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_another_number_of_results_belongs_to_nothing(count):
    answer = ActionResponseWithList(INVOCATION, RESPONSES[:1] * count)
    for received in (answer, ActionResponseWithPblock(INVOCATION, True, 1, answer.encode()[3:])):
        transfer = ActionListTransfer(terms(), ITEMS)
        transfer.begin()
        with pytest.raises(RemoteProtocolError, match=f"{count} results for a list of 2"):
            transfer.receive(received)


def test_no_answer_to_a_list():
    transfer = ActionListTransfer(terms(), ITEMS)
    transfer.begin()
    with pytest.raises(RemoteProtocolError):
        transfer.receive(GetResponseNormal(INVOCATION, null()))


def test_a_long_list_without_blocks_agreed_is_refused_here():
    with pytest.raises(LocalProtocolError, match="agreed to no blocks"):
        ActionListTransfer(terms(100, conformance=NO_BLOCKS), ITEMS).begin()
