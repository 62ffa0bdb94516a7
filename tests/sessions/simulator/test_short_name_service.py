"""READ and WRITE on the server's side: names, blocks in both directions, what is refused and how."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import Data, array, integer, null, octet_string, unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu import Apdu, decode_apdu
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, CosemMethodDescriptor, DataAccessResult
from sessions.dlms.apdu.errors import ConfirmedServiceError, ExceptionResponse, ExceptionServiceError, StateError
from sessions.dlms.apdu.get import GetRequestNext
from sessions.dlms.apdu.short_name import (
    ReadBlock,
    ReadRequest,
    ReadResponse,
    UnconfirmedWriteRequest,
    VariableAccess,
    VariableAccessSpecification,
    WriteRequest,
    WriteResponse,
    method_call,
)
from sessions.dlms.axdr import encode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.short_name_map import ShortNameMap, ShortNameObject
from sessions.simulator.device import SERVED_SHORT_NAME_CONFORMANCE, Caller, ServedClient
from sessions.simulator.objects.base import Denied, EncodedValue
from sessions.simulator.service import MAX_LIST, Room
from sessions.simulator.short_name_service import ShortNameService, State, service_error

from .asked import I

VARIABLE = VariableAccessSpecification.variable
NAME = ObisCode(0, 0, 96, 1, 0, 255)
CONTROL = ObisCode(0, 0, 96, 3, 10, 255)
NAMES = ShortNameMap([ShortNameObject(0x1000, 4, 0, NAME), ShortNameObject(0x2000, 70, 0, CONTROL)])
SHORT, LONG, REFUSED = 0x1008, 0x1010, 0x1018
RESET, DISCONNECT, CHALLENGE = 0x1038, 0x2020, 0xFA50
NOTHING = (0x0500, 0x1001, 0x1048, 0xFC00)
LONG_VALUE = array(*(octet_string(bytes([number]) * 20) for number in range(30)))
SIZE = 200
OK, DENIED, UNDEFINED = DataAccessResult.SUCCESS, DataAccessResult.READ_WRITE_DENIED, DataAccessResult.OBJECT_UNDEFINED


class Device:
    """Attributes 2 (short), 3 (long), 4 (refused) of class 4; methods give back what they get, that of class 4 is refused."""

    def __init__(self) -> None:
        self.written: list[tuple[int, Data, Any]] = []
        self.invoked: list[tuple[int, int, Data | None]] = []

    def get(self, caller: Any, descriptor: CosemAttributeDescriptor, selection: Any) -> Any:
        if descriptor.attribute_id == 4:
            raise Denied(DENIED)
        if descriptor.attribute_id == 3:
            octets = encode_data(LONG_VALUE)
            return EncodedValue(octets[at : at + 11] for at in range(0, len(octets), 11))
        return unsigned(7) if selection is None else selection.access_parameters

    def set(self, caller: Any, descriptor: CosemAttributeDescriptor, selection: Any, value: Data) -> None:
        if descriptor.attribute_id == 4:
            raise Denied(DENIED)
        self.written.append((descriptor.attribute_id, value, selection))

    def action(self, caller: Any, descriptor: CosemMethodDescriptor, parameters: Data | None) -> Data | None:
        if descriptor.class_id == 4:
            raise Denied(DENIED)
        self.invoked.append((descriptor.class_id, descriptor.method_id, parameters))
        return parameters


class Talk:
    """Requests to the service, and the answers decoded."""

    def __init__(self, conformance: Conformance = SERVED_SHORT_NAME_CONFORMANCE) -> None:
        self.device = Device()
        caller = Caller(client=ServedClient(client_sap=1), conformance=conformance, client_max_receive_pdu_size=0)
        self.service = ShortNameService(self.device, caller, NAMES)  # type: ignore[arg-type]

    def ask(self, request: Apdu, capacity: int = SIZE, whole: int = 0) -> Any:
        octets = self.service.answer(request, Room(capacity, whole))
        assert octets is not None
        assert len(octets) <= max(capacity, whole, 12)
        return decode_apdu(octets)

    def read(self, *variables: VariableAccessSpecification, **room: int) -> Any:
        return self.ask(ReadRequest(variables), **room)

    def write(self, *pairs: tuple[VariableAccessSpecification, Data]) -> Any:
        return self.ask(WriteRequest(tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)))


def without(*services: Conformance) -> Talk:
    agreed = SERVED_SHORT_NAME_CONFORMANCE
    for service in services:
        agreed &= ~service
    return Talk(agreed)


def read_block(number: int, contents: bytes, last: bool) -> ReadRequest:
    kind = VariableAccess.READ_DATA_BLOCK_ACCESS
    return ReadRequest((VariableAccessSpecification(kind, number, last_block=last, raw_data=contents),))


def write_block(number: int, contents: bytes, last: bool) -> WriteRequest:
    kind = VariableAccess.WRITE_DATA_BLOCK_ACCESS
    return WriteRequest((VariableAccessSpecification(kind, number, last_block=last),), (octet_string(contents),))


def unsupported(service: int) -> ConfirmedServiceError:
    return ConfirmedServiceError(service, 3, 2)


# -- one variable ------------------------------------------------------------------------------------------------------


def test_an_attribute_is_read():
    assert Talk().read(VARIABLE(SHORT)) == ReadResponse((unsigned(7),))


def test_a_part_of_an_attribute_is_read():
    assert Talk().read(VARIABLE(SHORT, 2, integer(-3))) == ReadResponse((integer(-3),))


def test_a_part_is_not_had_without_parameterised_access():
    answer = without(Conformance.PARAMETERIZED_ACCESS).read(VARIABLE(SHORT, 2, integer(-3)))
    assert answer == ReadResponse((DataAccessResult.SCOPE_OF_ACCESS_VIOLATED,))


@pytest.mark.parametrize("name", NOTHING)
def test_a_name_that_nothing_has(name):
    assert Talk().read(VARIABLE(name)) == ReadResponse((UNDEFINED,))
    assert Talk().write((VARIABLE(name), null())) == WriteResponse((UNDEFINED,))


def test_an_attribute_is_written():
    talk = Talk()
    assert talk.write((VARIABLE(SHORT), unsigned(9))) == WriteResponse((OK,))
    assert talk.device.written == [(2, unsigned(9), None)]


def test_a_part_of_an_attribute_is_written():
    talk = Talk()
    assert talk.write((VARIABLE(SHORT, 2, integer(1)), unsigned(9))) == WriteResponse((OK,))
    ((_, _, selection),) = talk.device.written
    assert (selection.access_selector, selection.access_parameters) == (2, integer(1))


def test_refusals_are_answers():
    assert Talk().read(VARIABLE(REFUSED)) == ReadResponse((DENIED,))
    assert Talk().write((VARIABLE(REFUSED), null())) == WriteResponse((DENIED,))
    assert Talk().write((VARIABLE(RESET), integer(0))) == WriteResponse((DENIED,))


def test_a_method_is_called_by_write():
    talk = Talk()
    assert talk.write((VARIABLE(DISCONNECT), integer(0))) == WriteResponse((OK,))
    assert talk.device.invoked == [(70, 1, integer(0))]


def test_a_method_that_returns_something_is_called_by_read():
    talk = Talk()
    assert talk.read(method_call(CHALLENGE, octet_string(b"abc"))) == ReadResponse((octet_string(b"abc"),))
    assert talk.read(VARIABLE(CHALLENGE)) == ReadResponse((null(),))
    assert talk.device.invoked == [(12, 7, octet_string(b"abc")), (12, 7, None)]


def test_who_only_reads_a_methods_name_calls_no_method():
    talk = Talk()
    assert talk.read(VARIABLE(DISCONNECT)) == ReadResponse((DENIED,))
    assert talk.device.invoked == []


# -- several -----------------------------------------------------------------------------------------------------------


def test_several_variables_in_one_read():
    answer = Talk().read(VARIABLE(SHORT), VARIABLE(REFUSED), VARIABLE(0x0500))
    assert answer == ReadResponse((unsigned(7), DENIED, UNDEFINED))


def test_several_variables_in_one_write():
    talk = Talk()
    answer = talk.write((VARIABLE(SHORT), unsigned(1)), (VARIABLE(REFUSED), null()), (VARIABLE(LONG), unsigned(2)))
    assert answer == WriteResponse((OK, DENIED, OK))
    assert [number for number, _, _ in talk.device.written] == [2, 3]


def test_a_write_with_more_variables_than_values():
    answer = Talk().ask(WriteRequest((VARIABLE(SHORT), VARIABLE(LONG)), (unsigned(1),)))
    assert answer == ConfirmedServiceError(6, 10, 0)


def test_lists_need_multiple_references_and_have_an_end():
    talk = without(Conformance.MULTIPLE_REFERENCES)
    assert talk.read(VARIABLE(SHORT), VARIABLE(SHORT)) == unsupported(5)
    assert talk.write((VARIABLE(SHORT), null()), (VARIABLE(SHORT), null())) == unsupported(6)
    assert Talk().read(*[VARIABLE(SHORT)] * (MAX_LIST + 1)) == unsupported(5)
    assert len(Talk().read(*[VARIABLE(SHORT)] * MAX_LIST, capacity=1000).results) == MAX_LIST


def test_an_unconfirmed_write_is_done_and_not_answered():
    talk = Talk()
    request = UnconfirmedWriteRequest((VARIABLE(SHORT), VARIABLE(DISCONNECT)), (unsigned(1), integer(0)))
    assert talk.service.answer(request, Room(SIZE)) is None
    assert talk.device.written == [(2, unsigned(1), None)]
    assert talk.device.invoked == [(70, 1, integer(0))]
    refusing = without(Conformance.UNCONFIRMED_WRITE)
    assert refusing.service.answer(request, Room(SIZE)) is None
    assert refusing.device.written == []


@pytest.mark.parametrize(
    ("service", "request_", "number"),
    [
        (Conformance.READ, ReadRequest((VARIABLE(SHORT),)), 5),
        (Conformance.WRITE, WriteRequest((VARIABLE(SHORT),), (null(),)), 6),
    ],
)
def test_what_was_not_agreed_on_is_not_served(service, request_, number):
    assert without(service).ask(request_) == unsupported(number)


def test_services_of_logical_names_are_not_known():
    assert Talk().ask(GetRequestNext(I, 1)) == unsupported(5)


# -- long answers ------------------------------------------------------------------------------------------------------


@given(capacity=st.integers(12, 900))
@settings(max_examples=60, deadline=None)
def test_a_long_answer_comes_in_blocks_that_fit(capacity):
    talk = Talk()
    answer = talk.read(VARIABLE(LONG), VARIABLE(REFUSED), capacity=capacity)
    whole = ReadResponse((LONG_VALUE, DENIED))
    if not isinstance(answer.results[0], ReadBlock):
        assert answer == whole
        return
    raw, number = b"", 1
    while True:
        (block,) = answer.results
        assert block.block_number == number
        raw += block.raw_data
        if block.last_block:
            break
        assert talk.service.state is State.READ_SENDING
        answer = talk.read(VariableAccessSpecification.block_number_access(number), capacity=capacity)
        number += 1
    assert talk.service.state is State.IDLE
    assert raw == whole.encode()[1:]


def test_blocks_are_full():
    octets = Talk().service.answer(ReadRequest((VARIABLE(LONG),)), Room(SIZE))
    assert octets is not None
    assert len(octets) == SIZE


def test_without_blocks_a_long_answer_does_not_fit():
    talk = without(Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ)
    assert talk.read(VARIABLE(LONG)) == ConfirmedServiceError(5, 3, 1)
    assert talk.read(VARIABLE(LONG), whole=1000) == ReadResponse((LONG_VALUE,))


def test_a_client_without_room_for_one_octet():
    assert Talk().read(VARIABLE(LONG), capacity=7) == ConfirmedServiceError(5, 3, 1)


def test_a_next_block_that_nobody_waits_for():
    following = VariableAccessSpecification.block_number_access(1)
    assert Talk().read(following) == ReadResponse((DataAccessResult.NO_LONG_GET_IN_PROGRESS,))


@pytest.mark.parametrize("number", [0, 2])
def test_a_wrong_block_number_ends_it(number):
    talk = Talk()
    talk.read(VARIABLE(LONG))
    following = VariableAccessSpecification.block_number_access
    assert talk.read(following(number)) == ReadResponse((DataAccessResult.DATA_BLOCK_NUMBER_INVALID,))
    assert talk.service.state is State.IDLE
    assert talk.read(following(1)) == ReadResponse((DataAccessResult.NO_LONG_GET_IN_PROGRESS,))


def test_a_new_request_takes_the_place_of_an_unfinished_one():
    talk = Talk()
    talk.read(VARIABLE(LONG))
    assert talk.read(VARIABLE(SHORT)) == ReadResponse((unsigned(7),))
    following = VariableAccessSpecification.block_number_access(1)
    assert talk.read(following) == ReadResponse((DataAccessResult.NO_LONG_GET_IN_PROGRESS,))


# -- long requests -----------------------------------------------------------------------------------------------------


def pieces(octets: bytes, size: int) -> list[bytes]:
    return [octets[at : at + size] for at in range(0, len(octets), size)]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_long_write_comes_in_blocks(size):
    talk = Talk()
    whole = WriteRequest((VARIABLE(SHORT), VARIABLE(REFUSED)), (octet_string(bytes(50)), null()))
    parts = pieces(whole.encode()[1:], size)
    for number, part in enumerate(parts[:-1], 1):
        assert talk.ask(write_block(number, part, last=False)) == WriteResponse((number,))
        assert talk.service.state is State.WRITE_RECEIVING
    assert talk.ask(write_block(len(parts), parts[-1], last=True)) == WriteResponse((OK, DENIED))
    assert talk.device.written == [(2, octet_string(bytes(50)), None)]
    assert talk.service.state is State.IDLE


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_long_read_comes_in_blocks(size):
    talk = Talk()
    whole = ReadRequest((VARIABLE(SHORT), VARIABLE(REFUSED), VARIABLE(SHORT, 1, octet_string(bytes(50)))))
    parts = pieces(whole.encode()[1:], size)
    for number, part in enumerate(parts[:-1], 1):
        assert talk.ask(read_block(number, part, last=False)) == ReadResponse((number,))
        assert talk.service.state is State.READ_RECEIVING
    answer = talk.ask(read_block(len(parts), parts[-1], last=True))
    assert answer == ReadResponse((unsigned(7), DENIED, octet_string(bytes(50))))


BLOCKS = {
    "read": (read_block, ReadResponse, DataAccessResult.NO_LONG_GET_IN_PROGRESS, DataAccessResult.LONG_GET_ABORTED),
    "write": (write_block, WriteResponse, DataAccessResult.NO_LONG_SET_IN_PROGRESS, DataAccessResult.LONG_SET_ABORTED),
}


@pytest.mark.parametrize("kind", BLOCKS)
def test_blocks_that_have_no_place(kind):
    block, response, not_in_progress, aborted = BLOCKS[kind]
    talk = Talk()
    assert talk.ask(block(2, b"x", last=False)) == response((not_in_progress,))
    talk.ask(block(1, b"x", last=False))
    assert talk.ask(block(3, b"x", last=False)) == response((aborted,))
    assert talk.service.state is State.IDLE
    assert talk.ask(block(2, b"x", last=True)) == response((not_in_progress,))


@pytest.mark.parametrize("kind", BLOCKS)
def test_a_request_without_end_is_refused(kind):
    block, response, _, aborted = BLOCKS[kind]
    talk = Talk()
    number = 1
    while (answer := talk.ask(block(number, bytes(5000), last=False))) == response((number,)):
        number += 1
    assert answer == response((aborted,))
    assert number < 20


@pytest.mark.parametrize("kind", BLOCKS)
def test_blocks_that_hold_no_request(kind):
    block, response, _, aborted = BLOCKS[kind]
    assert Talk().ask(block(1, b"\xff\xff", last=True)) == response((aborted,))


def test_blocks_that_were_not_agreed_on():
    talk = without(Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ, Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE)
    assert talk.ask(read_block(1, b"x", last=False)) == unsupported(5)
    assert talk.ask(write_block(1, b"x", last=False)) == unsupported(6)


@pytest.mark.parametrize("values", [(), (unsigned(1),), (octet_string(b"x"), octet_string(b"y"))])
def test_a_block_of_a_write_is_one_octet_string(values):
    request = WriteRequest(write_block(1, b"", last=False).variables, values)
    assert Talk().ask(request) == WriteResponse((DataAccessResult.TYPE_UNMATCHED,))


@given(st.binary(max_size=40), st.sampled_from([b"\x05", b"\x06", b"\x16"]))
@settings(max_examples=150, deadline=None)
def test_whatever_can_be_read_is_answered(tail, tag):
    try:
        request = decode_apdu(tag + tail)
    except Exception:
        return
    octets = Talk().service.answer(request, Room(SIZE))
    assert octets is None or decode_apdu(octets)


# -- errors of a whole service -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "error", "said"),
    [
        (StateError.SERVICE_NOT_ALLOWED, ExceptionServiceError.OPERATION_NOT_POSSIBLE, (2, 1)),
        (StateError.SERVICE_NOT_ALLOWED, ExceptionServiceError.SERVICE_NOT_SUPPORTED, (3, 2)),
        (StateError.SERVICE_UNKNOWN, ExceptionServiceError.SERVICE_NOT_SUPPORTED, (3, 2)),
        (StateError.SERVICE_NOT_ALLOWED, ExceptionServiceError.OTHER_REASON, (10, 0)),
        (StateError.SERVICE_NOT_ALLOWED, ExceptionServiceError.PDU_TOO_LONG, (3, 1)),
        (StateError.SERVICE_NOT_ALLOWED, ExceptionServiceError.DECIPHERING_ERROR, (0, 6)),
        (StateError.SERVICE_NOT_ALLOWED, ExceptionServiceError.INVOCATION_COUNTER_ERROR, (0, 6)),
    ],
)
@pytest.mark.parametrize(
    ("tag", "service"), [(0x05, 5), (0x25, 5), (0x06, 6), (0x26, 6), (0x46, 6), (0x16, 6), (0xFF, 5)]
)
def test_what_is_said_instead_of_an_exception_response(state, error, said, tag, service):
    assert service_error(ExceptionResponse(state, error), tag) == ConfirmedServiceError(service, *said)
