"""GET, SET and ACTION on the server's side: blocks to the client's size, and every request in every state."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import Data, array, octet_string, unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu import Apdu, decode_apdu
from sessions.dlms.apdu.action import (
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseNormal,
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
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
)
from sessions.dlms.apdu.set import (
    SetRequestNormal,
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetRequestWithList,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseNormal,
)
from sessions.dlms.axdr import decode_data, encode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.selective_access import EntryDescriptor
from sessions.dlms.transfers.action import decode_action_result
from sessions.simulator.device import SERVED_CONFORMANCE, Caller, ServedClient
from sessions.simulator.objects import Denied, EncodedValue
from sessions.simulator.transfers import (
    MAX_INCOMING,
    MAX_LIST,
    NOT_NEGOTIATED,
    NOT_SUPPORTED,
    PDU_TOO_LONG,
    OutgoingOctets,
    ServerTransfers,
    TransferState,
)

NAME = ObisCode(0, 0, 96, 1, 0, 255)
SHORT, LONG, CUT, REFUSED = (CosemAttributeDescriptor(1, NAME, number) for number in (2, 3, 4, 5))
ECHO = CosemMethodDescriptor(1, NAME, 1)
FORBIDDEN = CosemMethodDescriptor(1, NAME, 2)
LONG_VALUE = array(*(octet_string(bytes([number]) * 20) for number in range(30)))
I = InvokeIdAndPriority(3)
SIZE = 200


class Device:
    """Attributes 2 (short), 3 (long), 4 (recorded in blocks of 7) and 5 (refused); method 1 gives back what it gets."""

    def __init__(self) -> None:
        self.written: list[tuple[int, Data]] = []

    def get(self, caller: Any, descriptor: CosemAttributeDescriptor, selection: Any) -> Any:
        if descriptor == REFUSED:
            raise Denied(DataAccessResult.READ_WRITE_DENIED)
        if descriptor == LONG:
            octets = encode_data(LONG_VALUE)
            return EncodedValue(octets[at : at + 11] for at in range(0, len(octets), 11))
        if descriptor == CUT:
            return EncodedValue((encode_data(octet_string(bytes(18))),), (7, 7, 6))
        return unsigned(7)

    def set(self, caller: Any, descriptor: CosemAttributeDescriptor, selection: Any, value: Data) -> None:
        if descriptor == REFUSED:
            raise Denied(DataAccessResult.READ_WRITE_DENIED)
        self.written.append((descriptor.attribute_id, value))

    def action(self, caller: Any, descriptor: CosemMethodDescriptor, parameters: Data | None) -> Data | None:
        if descriptor == FORBIDDEN:
            raise Denied(DataAccessResult.DATA_BLOCK_NUMBER_INVALID)
        return parameters


class Talk:
    """Requests to a device, and the answers decoded."""

    def __init__(self, conformance: Conformance = SERVED_CONFORMANCE) -> None:
        self.device = Device()
        caller = Caller(client=ServedClient(client_sap=1), conformance=conformance, client_max_receive_pdu_size=0)
        self.transfers = ServerTransfers(self.device, caller)  # type: ignore[arg-type]

    def ask(self, request: Apdu, capacity: int = SIZE) -> Any:
        octets = self.transfers.answer(request, capacity)
        assert octets is not None
        assert len(octets) <= max(capacity, 12)
        return decode_apdu(octets)

    @property
    def state(self) -> TransferState:
        return self.transfers.state


# -- GET ---------------------------------------------------------------------------------------------------------------


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
    answer = Talk().transfers.answer(GetRequestNormal(I, LONG), SIZE)
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
    assert Talk().transfers.answer(GetRequestNormal(I, LONG), 10) == PDU_TOO_LONG.encode()


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


# -- SET ---------------------------------------------------------------------------------------------------------------


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


# -- ACTION ------------------------------------------------------------------------------------------------------------


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
    assert Talk().transfers.answer(ActionRequestNormal(I, ECHO, octet_string(b"123456")), 8) == PDU_TOO_LONG.encode()


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


# -- services ----------------------------------------------------------------------------------------------------------


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
    [SetRequestWithList(I, ((SHORT, None),), (unsigned(1),)), GetResponseNormal(I, unsigned(1)), NOT_SUPPORTED],
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
    assert talk.transfers.answer(request_(*arguments), SIZE) is None
    assert talk.device.written == ([(2, unsigned(4))] if request_ is SetRequestNormal else [])


@given(parts=st.lists(st.binary(max_size=9), max_size=9), size=st.integers(1, 12))
@settings(max_examples=60)
def test_octets_are_taken_in_slices(parts, size):
    whole, outgoing = b"".join(parts), OutgoingOctets(parts)
    assert OutgoingOctets(parts).fits(len(whole))
    assert not whole or not OutgoingOctets(parts).fits(len(whole) - 1)
    taken, last = [], False
    while not last:
        octets, last = outgoing.take(size)
        taken.append(octets)
    assert b"".join(taken) == whole
    assert all(len(octets) == size for octets in taken[:-1])
