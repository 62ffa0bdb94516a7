"""READ and WRITE from the client's side: whole and in blocks, with the list of short names before or without."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.data import Data, array, integer, long_unsigned, null, octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
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
    VariableAccessSpecification,
    WriteRequest,
    WriteResponse,
)
from sessions.dlms.association import PROPOSED_SHORT_NAME_CONFORMANCE
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import DecodeError, LocalProtocolError, RefusedError, RemoteProtocolError
from sessions.dlms.events import ActionFinished, BlockReceived, BlockSent, GetFinished, SetFinished
from sessions.dlms.selective_access import EntryDescriptor
from sessions.dlms.short_name_map import OBJECT_LIST_NAME, ShortNameMap, ShortNameObject
from sessions.dlms.transfers.blocks import TransferLimits
from sessions.dlms.transfers.short_name import (
    NamedTransfer,
    ReadTransfer,
    ShortNames,
    WriteTransfer,
    action_transfer,
    decode_results,
    get_transfer,
    set_transfer,
)
from sessions.dlms.transfers.transfer import TransferState

from .asked import CLOCK, DENIED, LONG, OK, terms

VARIABLE = VariableAccessSpecification.variable
CLOCK_NAME = 0x2BC0
OBJECTS = (
    ShortNameObject(CLOCK_NAME, 8, 0, CLOCK.instance_id),
    ShortNameObject(0x6270, 7, 1, ObisCode(1, 0, 99, 1, 0, 255)),
    ShortNameObject(0xC000, 70, 0, ObisCode(0, 0, 96, 3, 10, 255)),
)
KNOWN = ShortNameMap(OBJECTS)
OBJECT_LIST = array(*(each.to_data() for each in OBJECTS))
BUFFER = CosemAttributeDescriptor(7, OBJECTS[1].logical_name, 2)
DISCONNECT = CosemMethodDescriptor(70, OBJECTS[2].logical_name, 1)
CHALLENGE = CosemMethodDescriptor(12, ObisCode(0, 0, 40, 0, 0, 255), 7)
NO_BLOCKS = PROPOSED_SHORT_NAME_CONFORMANCE & ~(
    Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
)


def sn_terms(capacity=1000, **changes):
    return terms(capacity, **{"conformance": PROPOSED_SHORT_NAME_CONFORMANCE, **changes})


def names(known=KNOWN):
    return ShortNames(known)


def reading(*numbers, **changes):
    """A READ whose outcome is its results."""
    return ReadTransfer(sn_terms(**changes), [VARIABLE(number) for number in numbers], tuple)


def writing(numbers, values, **changes):
    return WriteTransfer(sn_terms(**changes), [VARIABLE(number) for number in numbers], values, tuple)


# -- attributes and methods --------------------------------------------------------------------------------------------


def test_an_attribute_is_read_under_its_short_name():
    transfer = get_transfer(sn_terms(), names(), CLOCK)
    assert transfer.begin().hex() == "0501022bc8"
    assert transfer.receive(decode_apdu(bytes.fromhex("0c01001105"))) == ([GetFinished(1, unsigned(5))], None)
    assert transfer.done


def test_a_refusal_of_one_attribute_is_a_value():
    transfer = get_transfer(sn_terms(), names(), CLOCK)
    transfer.begin()
    assert transfer.receive(ReadResponse((DENIED,))) == ([GetFinished(1, DENIED)], None)


def test_a_part_of_an_attribute_is_read_with_parameterised_access():
    transfer = get_transfer(sn_terms(), names(), BUFFER, EntryDescriptor(1, 10).to_selective_access())
    assert transfer.begin().hex() == "050104627802020406000000010600" + "00000a120001120000"


def test_an_attribute_is_written_under_its_short_name():
    transfer = set_transfer(sn_terms(), names(), CLOCK, octet_string(b"now"))
    assert transfer.begin().hex() == "0601022bc80109036e6f77"
    assert transfer.receive(WriteResponse((OK,))) == ([SetFinished(1, OK)], None)
    assert transfer.done


def test_a_part_of_an_attribute_is_written_with_parameterised_access():
    selection = EntryDescriptor(1, 10).to_selective_access()
    transfer = set_transfer(sn_terms(), names(), BUFFER, null(), selection)
    request = decode_apdu(transfer.begin())
    assert request.variables == (VARIABLE(0x6278, 2, selection.access_parameters),)


@pytest.mark.parametrize(
    ("parameters", "written"), [(None, integer(0)), (integer(0), integer(0)), (long_unsigned(7), long_unsigned(7))]
)
def test_a_method_that_returns_nothing_is_called_by_write(parameters, written):
    transfer = action_transfer(sn_terms(), names(), DISCONNECT, parameters)
    assert decode_apdu(transfer.begin()) == WriteRequest((VARIABLE(0xC020),), (written,))
    assert transfer.receive(WriteResponse((OK,))) == ([ActionFinished(1, ActionResult.SUCCESS, None)], None)


@pytest.mark.parametrize("result", [result for result in DataAccessResult if result is not OK])
def test_a_method_that_is_refused(result):
    transfer = action_transfer(sn_terms(), names(), DISCONNECT)
    transfer.begin()
    ([finished], octets) = transfer.receive(WriteResponse((result,)))
    known = ActionResult.__members__.get(result.name)
    numbered = ActionResult(result) if result.value in set(ActionResult) else ActionResult.OTHER_REASON
    assert finished == ActionFinished(1, known or numbered, None)
    assert octets is None


def test_a_method_that_returns_something_is_called_by_read():
    transfer = action_transfer(sn_terms(), names(), CHALLENGE)
    assert transfer.begin().hex() == "050104fa50000f00"
    finished = ActionFinished(1, ActionResult.SUCCESS, octet_string(b"challenge"))
    assert transfer.receive(ReadResponse((octet_string(b"challenge"),))) == ([finished], None)


def test_a_method_that_should_return_something_is_refused():
    transfer = action_transfer(sn_terms(), names(), CHALLENGE)
    transfer.begin()
    finished = ActionFinished(1, ActionResult.READ_WRITE_DENIED, None)
    assert transfer.receive(ReadResponse((DENIED,))) == ([finished], None)


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


def answer_in_blocks(transfer, raw, size):
    """Feed an answer block by block; the events, and the requests for further blocks."""
    outcomes, requests = [], []
    slices = [raw[at : at + size] for at in range(0, len(raw), size)]
    for number, contents in enumerate(slices, 1):
        new, octets = transfer.receive(ReadResponse((ReadBlock(number == len(slices), number, contents),)))
        outcomes += new
        if octets is not None:
            requests.append(octets)
    return outcomes, requests


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


# -- the list of short names -------------------------------------------------------------------------------------------


def test_the_list_is_read_before_the_first_request_and_then_kept():
    kept = names(None)
    transfer = get_transfer(sn_terms(), kept, CLOCK)
    assert transfer.begin().hex() == f"050102{OBJECT_LIST_NAME:04x}"
    outcomes, octets = transfer.receive(ReadResponse((OBJECT_LIST,)))
    assert (outcomes, octets.hex()) == ([], "0501022bc8")
    assert not transfer.done
    assert transfer.receive(ReadResponse((unsigned(5),))) == ([GetFinished(1, unsigned(5))], None)
    assert kept.known == KNOWN
    assert get_transfer(sn_terms(), kept, CLOCK).begin().hex() == "0501022bc8"


@pytest.mark.parametrize("size", [1, 9, 60])
def test_the_blocks_of_the_list_are_not_those_of_the_attribute(size):
    transfer = get_transfer(sn_terms(), names(None), CLOCK)
    transfer.begin()
    outcomes, requests = answer_in_blocks(transfer, ReadResponse((OBJECT_LIST,)).encode()[1:], size)
    assert outcomes == []
    assert requests[-1].hex() == "0501022bc8"


def test_a_write_and_a_method_read_the_list_too():
    for transfer in (
        set_transfer(sn_terms(), names(None), CLOCK, null()),
        action_transfer(sn_terms(), names(None), DISCONNECT),
    ):
        assert transfer.begin().hex() == "050102fa08"
        _, octets = transfer.receive(ReadResponse((OBJECT_LIST,)))
        assert isinstance(decode_apdu(octets), WriteRequest)
        assert transfer.stray(WriteResponse((OK,))) == ""
        assert transfer.receive(WriteResponse((OK,)))[1] is None
        assert transfer.done


def test_who_asks_for_the_list_gets_it_and_it_is_kept():
    kept = names(None)
    descriptor = CosemAttributeDescriptor(12, ObisCode(0, 0, 40, 0, 0, 255), 2)
    transfer = get_transfer(sn_terms(), kept, descriptor)
    assert transfer.begin().hex() == "050102fa08"
    assert transfer.receive(ReadResponse((OBJECT_LIST,))) == ([GetFinished(1, OBJECT_LIST)], None)
    assert kept.known == KNOWN


@pytest.mark.parametrize("value", [null(), array(structure()), DENIED])
def test_a_list_that_is_none_is_shown_to_who_asked_for_it(value):
    kept = names(None)
    transfer = get_transfer(sn_terms(), kept, CosemAttributeDescriptor(12, ObisCode(0, 0, 40, 0, 0, 255), 2))
    transfer.begin()
    assert transfer.receive(ReadResponse((value,))) == ([GetFinished(1, value)], None)
    assert kept.known is None


def test_a_meter_that_does_not_tell_its_list():
    transfer = get_transfer(sn_terms(), names(None), CLOCK)
    transfer.begin()
    with pytest.raises(RefusedError, match="does not tell its short names") as caught:
        transfer.receive(ReadResponse((DENIED,)))
    assert (caught.value.layer, caught.value.code) == ("access", "no-object-list")
    transfer.abort()
    assert transfer.done


@pytest.mark.parametrize("value", [null(), array(structure())])
def test_a_list_that_cannot_be_used(value):
    transfer = get_transfer(sn_terms(), names(None), CLOCK)
    transfer.begin()
    with pytest.raises(RemoteProtocolError, match="cannot be used"):
        transfer.receive(ReadResponse((value,)))


def test_an_object_that_is_not_in_the_list_of_the_meter():
    unknown = CosemAttributeDescriptor(3, ObisCode(1, 0, 1, 8, 0, 255), 2)
    with pytest.raises(LocalProtocolError, match="not in the list"):
        get_transfer(sn_terms(), names(), unknown).begin()
    transfer = get_transfer(sn_terms(), names(None), unknown)
    transfer.begin()
    with pytest.raises(LocalProtocolError, match="not in the list"):
        transfer.receive(ReadResponse((OBJECT_LIST,)))
    transfer.abort()
    assert transfer.done


def test_a_request_that_was_not_begun_can_be_forgotten():
    transfer = NamedTransfer(sn_terms(), names(None), lambda known: reading(0x108))
    transfer.abort()
    assert not transfer.done
