"""Requests and answers, in one APDU or in blocks: every state with every event, all block sizes, hostile peers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import Data, array, double_long_unsigned, long_unsigned, null, octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.action import (
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithPblock,
)
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
    DataAccessResult,
    InvokeIdAndPriority,
)
from sessions.dlms.apdu.get import (
    GetRequestNext,
    GetRequestNormal,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
)
from sessions.dlms.apdu.set import (
    SetRequestNormal,
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseNormal,
    SetResponseWithList,
)
from sessions.dlms.axdr import decode_data, encode_data
from sessions.dlms.errors import DecodeError, LocalProtocolError, RemoteProtocolError
from sessions.dlms.events import ActionFinished, BlockReceived, BlockSent, GetFinished, SetFinished
from sessions.dlms.transfer import (
    OURS,
    TRANSITIONS,
    Transfer,
    TransferEvent,
    TransferLimits,
    TransferState,
    classify,
    decode_action_result,
    largest_contents,
    length_octets,
)

CLOCK = CosemAttributeDescriptor(8, ObisCode(0, 0, 1, 0, 0, 255), 2)
EXECUTE = CosemMethodDescriptor(9, ObisCode(0, 0, 10, 0, 100, 255), 1)
INVOCATION = InvokeIdAndPriority(1)
LONG = array(*(structure(octet_string(bytes(12)), double_long_unsigned(n)) for n in range(9)))
OK = DataAccessResult.SUCCESS
DENIED = DataAccessResult.READ_WRITE_DENIED


# -- the table ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", TransferState)
@pytest.mark.parametrize("event", TransferEvent)
def test_every_state_with_every_event(state, event):
    transfer = Transfer()
    transfer.state = state
    expected = TRANSITIONS[state].get(event)
    if expected is None:
        with pytest.raises(LocalProtocolError if event in OURS else RemoteProtocolError):
            transfer._fire(event)
        assert transfer.state is state
    else:
        transfer._fire(event)
        assert transfer.state is expected


def test_every_state_has_a_row_and_every_transfer_can_be_aborted():
    assert set(TRANSITIONS) == set(TransferState)
    assert all(row[TransferEvent.ABORT] is TransferState.IDLE for row in TRANSITIONS.values())


@pytest.mark.parametrize(
    ("apdu", "event"),
    [
        (GetResponseNormal(INVOCATION, null()), TransferEvent.GET_VALUE),
        (GetResponseNormal(INVOCATION, DENIED), TransferEvent.GET_REFUSAL),
        (GetResponseNormal(INVOCATION, OK), TransferEvent.GET_REFUSAL),
        (GetResponseWithDatablock(INVOCATION, False, 1, b"\x01"), TransferEvent.GET_BLOCK),
        (GetResponseWithDatablock(INVOCATION, True, 1, b"\x01"), TransferEvent.GET_LAST_BLOCK),
        (GetResponseWithDatablock(INVOCATION, False, 1, DENIED), TransferEvent.GET_REFUSAL),
        (GetResponseWithDatablock(INVOCATION, True, 1, DENIED), TransferEvent.GET_REFUSAL),
        (SetResponseNormal(INVOCATION, OK), TransferEvent.SET_RESULT),
        (SetResponseNormal(INVOCATION, DENIED), TransferEvent.SET_REFUSAL),
        (SetResponseDatablock(INVOCATION, 1), TransferEvent.SET_ACKNOWLEDGED),
        (SetResponseLastDatablock(INVOCATION, OK, 1), TransferEvent.SET_RESULT),
        (SetResponseLastDatablock(INVOCATION, DENIED, 1), TransferEvent.SET_REFUSAL),
        (ActionResponseNormal(INVOCATION, ActionResult.SUCCESS), TransferEvent.ACTION_RESULT),
        (ActionResponseNormal(INVOCATION, ActionResult.OTHER_REASON), TransferEvent.ACTION_REFUSAL),
        (ActionResponseNextPblock(INVOCATION, 1), TransferEvent.ACTION_ACKNOWLEDGED),
        (ActionResponseWithPblock(INVOCATION, False, 1, b"\x00"), TransferEvent.ACTION_BLOCK),
        (ActionResponseWithPblock(INVOCATION, True, 1, b"\x00"), TransferEvent.ACTION_LAST_BLOCK),
        (GetResponseWithList(INVOCATION, (null(),)), TransferEvent.UNRELATED),
        (SetResponseWithList(INVOCATION, (OK,)), TransferEvent.UNRELATED),
        (ActionResponseWithList(INVOCATION, ()), TransferEvent.UNRELATED),
        (GetRequestNext(INVOCATION, 1), TransferEvent.UNRELATED),
    ],
)
def test_what_an_answer_means(apdu, event):
    assert classify(apdu) is event


# -- GET ---------------------------------------------------------------------------------------------------------------


def get(transfer: Transfer, request: int = 1) -> GetRequestNormal:
    return decode_apdu(transfer.get(request, CLOCK, None, capacity=1000))


def blocks_of(data: Data, size: int) -> list[GetResponseWithDatablock]:
    encoded = encode_data(data)
    slices = [encoded[at : at + size] for at in range(0, len(encoded), size)]
    return [
        GetResponseWithDatablock(INVOCATION, number == len(slices), number, part)
        for number, part in enumerate(slices, start=1)
    ]


def test_a_value_in_one_answer():
    transfer = Transfer()
    assert get(transfer) == GetRequestNormal(INVOCATION, CLOCK, None)
    assert transfer.receive(GetResponseNormal(INVOCATION, unsigned(5))) == ([GetFinished(1, unsigned(5))], None)
    assert transfer.idle


def test_a_refusal_is_a_value():
    transfer = Transfer()
    get(transfer)
    assert transfer.receive(GetResponseNormal(INVOCATION, DENIED)) == ([GetFinished(1, DENIED)], None)


@pytest.mark.parametrize("size", range(1, len(encode_data(LONG)) + 2))
def test_a_long_answer_in_blocks_of_every_size(size):
    transfer = Transfer()
    get(transfer)
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
    assert transfer.idle


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_refusal_instead_of_a_block(before, last):
    transfer = Transfer()
    get(transfer)
    for block in blocks_of(LONG, 20)[:before]:
        transfer.receive(block)
    aborted = DataAccessResult.LONG_GET_ABORTED
    answer = GetResponseWithDatablock(INVOCATION, last, before + 1, aborted)
    assert transfer.receive(answer) == ([GetFinished(1, aborted)], None)
    assert transfer.idle


def test_a_plain_refusal_in_the_middle_of_blocks():
    transfer = Transfer()
    get(transfer)
    transfer.receive(blocks_of(LONG, 20)[0])
    invalid = DataAccessResult.DATA_BLOCK_NUMBER_INVALID
    assert transfer.receive(GetResponseNormal(INVOCATION, invalid)) == ([GetFinished(1, invalid)], None)


@pytest.mark.parametrize("number", [0, 2, 3, 0xFFFFFFFF])
def test_a_first_block_that_is_not_the_first(number):
    transfer = Transfer()
    get(transfer)
    with pytest.raises(RemoteProtocolError, match=f"Block {number} came where block 1 is due") as raised:
        transfer.receive(GetResponseWithDatablock(INVOCATION, False, number, b"\x00"))
    assert raised.value.code == "wrong-block-number"
    transfer.abort()
    assert transfer.idle


@pytest.mark.parametrize("number", [0, 1, 2, 4, 99])
def test_a_block_that_is_not_the_next(number):
    transfer = Transfer()
    get(transfer)
    for block in blocks_of(LONG, 20)[:2]:
        transfer.receive(block)
    with pytest.raises(RemoteProtocolError, match="where block 3 is due"):
        transfer.receive(GetResponseWithDatablock(INVOCATION, True, number, b"\x00"))


def test_a_value_that_does_not_decode():
    transfer = Transfer()
    get(transfer)
    with pytest.raises(DecodeError):
        transfer.receive(GetResponseWithDatablock(INVOCATION, True, 1, encode_data(LONG)[:-1]))
    assert transfer.idle


def flood(transfer: Transfer, contents: bytes) -> None:
    """Blocks that are in order, and never end."""
    for number in range(1, 1000):
        transfer.receive(GetResponseWithDatablock(INVOCATION, False, number, contents))


def test_blocks_without_an_end_are_cut_off_by_octets():
    transfer = Transfer(TransferLimits(max_octets=100))
    get(transfer)
    with pytest.raises(RemoteProtocolError, match="does not end") as raised:
        flood(transfer, bytes(10))
    assert raised.value.code == "transfer-too-long"
    assert "110 octets in 11 blocks" in raised.value.message


def test_blocks_without_an_end_are_cut_off_by_their_number():
    transfer = Transfer(TransferLimits(max_blocks=7))
    get(transfer)
    with pytest.raises(RemoteProtocolError, match="in 8 blocks and no end"):
        flood(transfer, b"\x00")


def test_empty_blocks_are_cut_off_but_a_few_are_borne():
    transfer = Transfer()
    get(transfer)
    encoded = encode_data(LONG)
    for number, part in enumerate([b"", b"", encoded[:50], b"", b"", encoded[50:]], start=1):
        transfer.receive(GetResponseWithDatablock(INVOCATION, False, number, part))
    outcomes, _ = transfer.receive(GetResponseWithDatablock(INVOCATION, True, 7, b""))
    assert outcomes[1] == GetFinished(1, LONG)
    get(transfer, 2)
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
    transfer = Transfer()
    get(transfer)
    with pytest.raises(RemoteProtocolError):
        transfer.receive(answer)


def test_a_get_that_does_not_fit_is_refused_here():
    transfer = Transfer()
    with pytest.raises(LocalProtocolError, match="13 octets long, the meter receives 12") as raised:
        transfer.get(1, CLOCK, None, capacity=12)
    assert raised.value.code == "request-too-long"
    assert transfer.idle
    transfer.get(1, CLOCK, None, capacity=13)


def test_one_request_at_a_time():
    transfer = Transfer()
    get(transfer)
    for again in (
        lambda: transfer.get(2, CLOCK, None, capacity=100),
        lambda: transfer.set(2, CLOCK, null(), None, capacity=100, blocks=True),
        lambda: transfer.action(2, EXECUTE, None, capacity=100, blocks=True),
    ):
        with pytest.raises(LocalProtocolError, match="waiting") as raised:
            again()
        assert raised.value.code == "busy"
    assert transfer.request == 1


def test_invoke_ids_go_round():
    transfer = Transfer()
    seen = []
    for request in range(1, 34):
        get(transfer, request)
        seen.append(transfer.invoke_id)
        transfer.receive(GetResponseNormal(INVOCATION, null()))
    assert seen == [*range(1, 16), *range(1, 16), 1, 2, 3]


# -- SET ---------------------------------------------------------------------------------------------------------------


def serve_set(transfer: Transfer, octets: bytes, capacity: int) -> tuple[Data, list[object]]:
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
    transfer = Transfer()
    octets = transfer.set(1, CLOCK, LONG, None, capacity=capacity, blocks=True)
    value, outcomes = serve_set(transfer, octets, capacity)
    assert value == LONG
    assert outcomes[-1] == SetFinished(1, OK)
    assert transfer.idle


def test_blocks_are_as_full_as_the_meter_can_take_them():
    transfer = Transfer()
    first = transfer.set(1, CLOCK, LONG, None, capacity=50, blocks=True)
    _, second = transfer.receive(SetResponseDatablock(INVOCATION, 1))
    assert (len(first), len(second)) == (50, 50)


@pytest.mark.parametrize("capacity", [0, 12, 18])
def test_a_meter_that_cannot_even_take_one_octet_of_a_block(capacity):
    transfer = Transfer()
    with pytest.raises(LocalProtocolError) as raised:
        transfer.set(1, CLOCK, LONG, None, capacity=capacity, blocks=True)
    assert raised.value.code == "request-too-long"
    assert transfer.idle


def test_a_long_set_without_blocks_agreed_is_refused_here():
    transfer = Transfer()
    with pytest.raises(LocalProtocolError, match="agreed to no blocks"):
        transfer.set(1, CLOCK, LONG, None, capacity=50, blocks=False)
    assert transfer.idle


@pytest.mark.parametrize("answer", [SetResponseNormal, SetResponseLastDatablock])
@pytest.mark.parametrize("acknowledged", [0, 1])
def test_a_set_may_be_refused_in_the_middle(answer, acknowledged):
    transfer = Transfer()
    transfer.set(1, CLOCK, LONG, None, capacity=50, blocks=True)
    for number in range(1, acknowledged + 1):
        transfer.receive(SetResponseDatablock(INVOCATION, number))
    aborted = DataAccessResult.LONG_SET_ABORTED
    refusal = answer(INVOCATION, aborted) if answer is SetResponseNormal else answer(INVOCATION, aborted, 1)
    assert transfer.receive(refusal) == ([SetFinished(1, aborted)], None)
    assert transfer.idle


def test_success_before_all_was_sent_is_not_believed():
    transfer = Transfer()
    transfer.set(1, CLOCK, LONG, None, capacity=50, blocks=True)
    with pytest.raises(RemoteProtocolError):
        transfer.receive(SetResponseLastDatablock(INVOCATION, OK, 1))


@pytest.mark.parametrize("number", [0, 2, 77])
def test_an_acknowledgement_of_another_block(number):
    transfer = Transfer()
    transfer.set(1, CLOCK, LONG, None, capacity=50, blocks=True)
    with pytest.raises(RemoteProtocolError, match=f"Block {number} is acknowledged where block 1 was sent") as raised:
        transfer.receive(SetResponseDatablock(INVOCATION, number))
    assert raised.value.code == "wrong-block-number"


def test_an_acknowledgement_of_a_set_that_was_short():
    transfer = Transfer()
    transfer.set(1, CLOCK, null(), None, capacity=50, blocks=True)
    with pytest.raises(RemoteProtocolError):
        transfer.receive(SetResponseDatablock(INVOCATION, 1))


# -- ACTION ------------------------------------------------------------------------------------------------------------


def test_an_action_in_one_answer():
    transfer = Transfer()
    octets = transfer.action(1, EXECUTE, long_unsigned(1), capacity=100, blocks=True)
    assert octets == bytes.fromhex("c301c1000900000a0064ff0101120001")
    answer = ActionResponseNormal(INVOCATION, ActionResult.SUCCESS, unsigned(7))
    assert transfer.receive(answer) == ([ActionFinished(1, ActionResult.SUCCESS, unsigned(7))], None)


def test_an_action_without_parameters():
    transfer = Transfer()
    octets = transfer.action(1, EXECUTE, None, capacity=100, blocks=True)
    assert decode_apdu(octets) == ActionRequestNormal(INVOCATION, EXECUTE, None)


@pytest.mark.parametrize("capacity", [*range(20, 45), 127, 128, 129, 200, 1000])
def test_long_parameters_arrive_whole_at_every_capacity(capacity):
    transfer = Transfer()
    octets = transfer.action(1, EXECUTE, LONG, capacity=capacity, blocks=True)
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
    transfer = Transfer()
    transfer.action(1, EXECUTE, None, capacity=100, blocks=True)
    raw = bytes((ActionResult.SUCCESS, 1, 0)) + encode_data(LONG)
    slices = [raw[at : at + size] for at in range(0, len(raw), size)]
    for number, part in enumerate(slices, start=1):
        last = number == len(slices)
        outcomes, following = transfer.receive(ActionResponseWithPblock(INVOCATION, last, number, part))
        if not last:
            assert decode_apdu(following) == ActionRequestNextPblock(INVOCATION, number)
    assert outcomes[-1] == ActionFinished(1, ActionResult.SUCCESS, LONG)
    assert transfer.idle


def test_blocks_out_then_blocks_back():
    transfer = Transfer()
    request = decode_apdu(transfer.action(1, EXECUTE, LONG, capacity=60, blocks=True))
    while not request.last_block:
        _, octets = transfer.receive(ActionResponseNextPblock(INVOCATION, request.block_number))
        request = decode_apdu(octets)
    raw = encode_data(LONG)
    _, following = transfer.receive(ActionResponseWithPblock(INVOCATION, False, 1, raw[:30]))
    assert decode_apdu(following) == ActionRequestNextPblock(INVOCATION, 1)
    outcomes, _ = transfer.receive(ActionResponseWithPblock(INVOCATION, True, 2, raw[30:]))
    assert outcomes[-1] == ActionFinished(1, ActionResult.SUCCESS, LONG)


def test_a_long_action_may_be_refused_in_the_middle():
    transfer = Transfer()
    transfer.action(1, EXECUTE, LONG, capacity=50, blocks=True)
    refusal = ActionResponseNormal(INVOCATION, ActionResult.LONG_ACTION_ABORTED)
    assert transfer.receive(refusal) == ([ActionFinished(1, ActionResult.LONG_ACTION_ABORTED, None)], None)


def test_a_long_action_without_blocks_agreed_is_refused_here():
    with pytest.raises(LocalProtocolError, match="agreed to no blocks"):
        Transfer().action(1, EXECUTE, LONG, capacity=50, blocks=False)


def test_a_wrong_block_of_return_parameters():
    transfer = Transfer()
    transfer.action(1, EXECUTE, None, capacity=100, blocks=True)
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


# -- sizes -------------------------------------------------------------------------------------------------------------


@given(room=st.integers(-3, 70_000))
@settings(max_examples=200)
def test_the_largest_contents_fit_and_one_more_octet_would_not(room):
    contents = largest_contents(room)
    if contents < 0:
        assert room < 1
        return
    assert contents + length_octets(contents) <= room
    assert contents + 1 + length_octets(contents + 1) > room


@pytest.mark.parametrize(("number", "octets"), [(0, 1), (127, 1), (128, 2), (255, 2), (256, 3), (65_536, 4)])
def test_length_octets(number, octets):
    assert length_octets(number) == octets
