"""READ and WRITE from the client's side: whole and in blocks, with the list of short names before or without."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.data import Data, array, null, octet_string, unsigned
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.descriptors import (
    DataAccessResult,
    InvokeIdAndPriority,
)
from sessions.dlms.apdu.get import GetResponseNormal
from sessions.dlms.apdu.short_name import (
    ReadBlock,
    ReadRequest,
    ReadResponse,
    UnconfirmedWriteRequest,
    VariableAccess,
    WriteRequest,
    WriteResponse,
)
from sessions.dlms.axdr import encode_data
from sessions.dlms.errors import DecodeError, LocalProtocolError, RemoteProtocolError
from sessions.dlms.events import BlockReceived, BlockSent, GetFinished, SetFinished
from sessions.dlms.transfers.blocks import TransferLimits
from sessions.dlms.transfers.named import (
    get_transfer,
    set_transfer,
)
from sessions.dlms.transfers.short_name import ReadTransfer, decode_results
from sessions.dlms.transfers.transfer import TransferState

from .asked import CLOCK, DENIED, LONG, OK
from .asked_by_short_name import (
    BUFFER,
    NO_BLOCKS,
    VARIABLE,
    answer_in_blocks,
    names,
    reading,
    sn_terms,
    writing,
)

# -- several variables -------------------------------------------------------------------------------------------------


def test_several_variables_in_one_read():
    transfer = reading(0x108, 0x110)
    assert transfer.begin().hex() == "0502020108020110"
    assert transfer.receive(ReadResponse((unsigned(1), DENIED))) == ([(unsigned(1), DENIED)], None)


def test_several_variables_in_one_write():
    transfer = writing([0x108, 0x110], [unsigned(1), unsigned(2)])
    assert transfer.begin().hex() == "06020201080201100211011102"
    assert transfer.receive(WriteResponse((OK, DENIED))) == ([(OK, DENIED)], None)


def test_one_refusal_is_for_all_of_a_request():
    transfer = reading(0x108, 0x110)
    transfer.begin()
    assert transfer.receive(ReadResponse((DENIED,)))[0] == [(DENIED, DENIED)]
    transfer = writing([0x108, 0x110], [unsigned(1), unsigned(2)])
    transfer.begin()
    assert transfer.receive(WriteResponse((DENIED,)))[0] == [(DENIED, DENIED)]


@pytest.mark.parametrize(
    ("transfer", "answer"),
    [
        (reading(0x108, 0x110), ReadResponse((unsigned(1),))),
        (reading(0x108), ReadResponse(())),
        (reading(0x108), ReadResponse((unsigned(1), unsigned(2)))),
        (reading(0x108, 0x110), ReadResponse((unsigned(1), 2))),
        (writing([0x108, 0x110], [null(), null()]), WriteResponse((OK,))),
        (writing([0x108], [null()]), WriteResponse(())),
        (writing([0x108, 0x110], [null(), null()]), WriteResponse((OK, 2))),
    ],
)
def test_results_that_do_not_fit_the_request(transfer, answer):
    transfer.begin()
    with pytest.raises(RemoteProtocolError):
        transfer.receive(answer)
    transfer.abort()
    assert transfer.done


# -- long answers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 7, 40, 10_000])
def test_a_long_answer_comes_in_blocks(size):
    transfer = get_transfer(sn_terms(), names(), BUFFER)
    transfer.begin()
    raw = ReadResponse((LONG,)).encode()[1:]
    outcomes, requests = answer_in_blocks(transfer, raw, size)
    assert outcomes[-1] == GetFinished(1, LONG)
    assert all(isinstance(outcome, BlockReceived) for outcome in outcomes[:-1])
    assert outcomes[-2].received_so_far == len(raw)
    assert requests == [
        bytes((0x05, 0x01, VariableAccess.BLOCK_NUMBER_ACCESS)) + number.to_bytes(2, "big")
        for number in range(1, len(outcomes) - 1)
    ]
    assert transfer.done


def test_the_blocks_of_a_value_are_told_without_what_stands_before_it():
    transfer = get_transfer(sn_terms(), names(), BUFFER)
    transfer.begin()
    raw = ReadResponse((LONG,)).encode()[1:]
    outcomes, _ = answer_in_blocks(transfer, raw, 40)
    assert b"".join(block.octets for block in outcomes[:-1]) == raw[2:]


def test_a_long_answer_to_several_variables():
    transfer = reading(0x108, 0x110, 0x118)
    transfer.begin()
    raw = ReadResponse((LONG, DENIED, unsigned(1))).encode()[1:]
    outcomes, _ = answer_in_blocks(transfer, raw, 30)
    assert outcomes[-1] == (LONG, DENIED, unsigned(1))
    assert outcomes[0].octets == raw[:30]


def test_the_vector_of_a_block():
    transfer = reading(0x108)
    transfer.begin()
    outcomes, octets = transfer.receive(decode_apdu(bytes.fromhex("0C010200000104AABBCCDD")))
    assert outcomes == [BlockReceived(1, 1, bytes.fromhex("AABBCCDD"), 4)]
    assert octets.hex() == "0501050001"


@pytest.mark.parametrize("number", [0, 2, 7])
def test_a_block_out_of_turn(number):
    transfer = reading(0x108)
    transfer.begin()
    with pytest.raises(RemoteProtocolError, match="where block 1 is due"):
        transfer.receive(ReadResponse((ReadBlock(False, number, b"x"),)))


def test_a_server_that_gives_up_in_the_middle():
    transfer = get_transfer(sn_terms(), names(), BUFFER)
    transfer.begin()
    transfer.receive(ReadResponse((ReadBlock(False, 1, b"x"),)))
    aborted = DataAccessResult.LONG_GET_ABORTED
    assert transfer.receive(ReadResponse((aborted,))) == ([GetFinished(1, aborted)], None)


def test_an_answer_without_end_is_cut_off():
    transfer = reading(0x108, limits=TransferLimits(max_octets=100))
    transfer.begin()
    with pytest.raises(RemoteProtocolError, match="does not end"):
        for number in range(1, 100):
            transfer.receive(ReadResponse((ReadBlock(False, number, bytes(30)),)))


def test_blocks_that_hold_no_value():
    transfer = reading(0x108)
    transfer.begin()
    with pytest.raises(DecodeError):
        transfer.receive(ReadResponse((ReadBlock(True, 1, b"\xff\xff"),)))


@given(st.sampled_from([LONG, unsigned(5), octet_string(b"abc"), array(null(), null(), null())]))
def test_three_forms_of_one_result_in_blocks(value: Data):
    standard = ReadResponse((value,)).encode()[1:]
    for raw in (standard, standard[1:], standard[2:]):
        assert decode_results(raw, 1) == [value]


def test_a_refusal_in_blocks():
    assert decode_results(bytes.fromhex("010103"), 1) == [DENIED]
    assert decode_results(bytes.fromhex("0103"), 1) == [DENIED]


def test_several_results_have_one_form():
    with pytest.raises(RemoteProtocolError):
        decode_results(ReadResponse((unsigned(5),)).encode()[1:], 2)
    with pytest.raises(RemoteProtocolError):
        decode_results(ReadResponse((unsigned(5), 3)).encode()[1:], 2)


# -- long requests -----------------------------------------------------------------------------------------------------


def test_a_long_write_goes_out_in_blocks():
    value = octet_string(bytes(range(100)))
    transfer = set_transfer(sn_terms(30), names(), CLOCK, value)
    octets, raw, outcomes = transfer.begin(), b"", []
    while octets is not None:
        assert len(octets) <= 30
        request = decode_apdu(octets)
        (block,), (contents,) = request.variables, request.values
        assert block.kind is VariableAccess.WRITE_DATA_BLOCK_ACCESS
        raw += contents.value
        answer = WriteResponse((OK if block.last_block else block.number,))
        new, octets = transfer.receive(answer)
        outcomes += new
    assert raw == WriteRequest((VARIABLE(0x2BC8),), (value,)).encode()[1:]
    assert outcomes[-1] == SetFinished(1, OK)
    assert [block.block_number for block in outcomes[:-1]] == list(range(1, len(outcomes)))
    assert all(isinstance(block, BlockSent) and block.total == len(raw) for block in outcomes[:-1])


def test_a_long_read_goes_out_in_blocks():
    transfer = reading(*range(0, 800, 8), capacity=40)
    octets, raw = transfer.begin(), b""
    while (request := decode_apdu(octets)).variables[0].last_block is False:
        assert len(octets) <= 40
        (block,) = request.variables
        raw += block.raw_data
        _, octets = transfer.receive(ReadResponse((block.number,)))
    (block,) = request.variables
    assert block.kind is VariableAccess.READ_DATA_BLOCK_ACCESS
    raw += block.raw_data
    assert raw == ReadRequest(transfer.variables).encode()[1:]
    assert transfer.state is TransferState.PENDING
    values = (unsigned(1),) * 100
    assert transfer.receive(ReadResponse(values)) == ([values], None)


@pytest.mark.parametrize(
    "transfer",
    [reading(*range(0, 800, 8), capacity=40), writing([0x108], [octet_string(bytes(100))], capacity=40)],
)
@pytest.mark.parametrize("number", [0, 2])
def test_an_acknowledgement_out_of_turn(transfer, number):
    transfer.state = TransferState.PENDING
    transfer.begin()
    answer = ReadResponse if isinstance(transfer, ReadTransfer) else WriteResponse
    with pytest.raises(RemoteProtocolError, match="acknowledged where block 1 was sent"):
        transfer.receive(answer((number,)))


@pytest.mark.parametrize(
    ("transfer", "answer"),
    [(reading(0x108), ReadResponse((1,))), (writing([0x108], [null()]), WriteResponse((1,)))],
)
def test_an_acknowledgement_of_a_short_request(transfer, answer):
    transfer.begin()
    with pytest.raises(RemoteProtocolError, match="illegal"):
        transfer.receive(answer)


def test_a_write_that_is_refused_before_its_last_block():
    transfer = set_transfer(sn_terms(30), names(), CLOCK, octet_string(bytes(100)))
    transfer.begin()
    assert transfer.receive(WriteResponse((DENIED,))) == ([SetFinished(1, DENIED)], None)


def test_a_write_that_is_done_before_its_last_block_is_a_fault():
    transfer = set_transfer(sn_terms(30), names(), CLOCK, octet_string(bytes(100)))
    transfer.begin()
    with pytest.raises(RemoteProtocolError):
        transfer.receive(WriteResponse((OK,)))


def test_long_requests_need_blocks_that_were_agreed():
    with pytest.raises(LocalProtocolError, match="octets long"):
        reading(*range(0, 800, 8), capacity=40, conformance=NO_BLOCKS).begin()
    with pytest.raises(LocalProtocolError, match="octets long"):
        set_transfer(sn_terms(30, conformance=NO_BLOCKS), names(), CLOCK, octet_string(bytes(100))).begin()


# -- whose answer it is ------------------------------------------------------------------------------------------------


def test_whose_answer_it_is():
    read = get_transfer(sn_terms(), names(), CLOCK)
    read.begin()
    written = set_transfer(sn_terms(), names(), CLOCK, null())
    written.begin()
    assert read.stray(ReadResponse((null(),))) == ""
    assert written.stray(WriteResponse((OK,))) == ""
    assert read.stray(WriteResponse((OK,))) == "WRITE response: success, but a ReadResponse is due"
    assert written.stray(ReadResponse((OK,))) == "READ response: success, but a WriteResponse is due"
    for transfer in (read, written):
        with pytest.raises(RemoteProtocolError):
            transfer.stray(GetResponseNormal(InvokeIdAndPriority(1), null()))


@pytest.mark.parametrize("transfer", [reading(0x108), writing([0x108], [null()])])
def test_what_is_no_answer_is_refused(transfer):
    transfer.begin()
    with pytest.raises(RemoteProtocolError):
        transfer.receive(UnconfirmedWriteRequest((), ()))


# -- pieces of an answer in general blocks -----------------------------------------------------------------------------


def test_the_value_of_one_variable_is_handed_on_while_the_rest_is_still_to_come():
    transfer, answer = reading(0x108), ReadResponse((LONG,))
    transfer.begin()
    octets = answer.encode()
    events = [event for at in range(0, 60, 20) for event in transfer.look_ahead(at, octets[at : at + 20])]
    assert [type(event) for event in events] == [BlockReceived] * 3
    assert b"".join(event.octets for event in events) == encode_data(LONG)[:57]
    assert transfer.receive(answer) == ([(LONG,)], None)


def test_values_of_several_variables_and_refusals_are_handed_on_at_the_end():
    several = reading(0x108, 0x110)
    assert several.look_ahead(0, ReadResponse((LONG, LONG)).encode()[:20]) == []
    assert reading(0x108).look_ahead(0, ReadResponse((DENIED,)).encode()) == []


def test_the_list_of_short_names_is_nobodys_who_waits_for_an_attribute():
    piece = ReadResponse((LONG,)).encode()[:20]
    for known, told in ((names(None), 0), (names(), 1)):
        transfer = get_transfer(sn_terms(), known, BUFFER)
        transfer.begin()
        assert len(transfer.look_ahead(0, piece)) == told
