import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import octet_string, unsigned
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.descriptors import ActionResult, DataAccessResult
from sessions.dlms.apdu.short_name import (
    InformationReport,
    ReadBlock,
    ReadRequest,
    ReadResponse,
    UnconfirmedWriteRequest,
    VariableAccess,
    VariableAccessSpecification,
    WriteRequest,
    WriteResponse,
    action_result,
    method_call,
    method_result,
)
from sessions.dlms.errors import LimitExceededError, UnknownTagError
from tests.sessions.dlms.apdu import strategies as s


def variable(number: int) -> VariableAccessSpecification:
    return VariableAccessSpecification(VariableAccess.VARIABLE_NAME, number)


VARIABLES = s.lists(
    st.builds(variable, s.u16)
    | st.builds(VariableAccessSpecification, st.just(VariableAccess.PARAMETERIZED_ACCESS), s.u16, s.u8, s.data)
    | st.builds(VariableAccessSpecification, st.just(VariableAccess.BLOCK_NUMBER_ACCESS), s.u16)
    | st.builds(
        VariableAccessSpecification,
        st.just(VariableAccess.READ_DATA_BLOCK_ACCESS),
        s.u16,
        last_block=s.flags,
        raw_data=s.octets,
    )
    | st.builds(VariableAccessSpecification, st.just(VariableAccess.WRITE_DATA_BLOCK_ACCESS), s.u16, last_block=s.flags)
)
READ_RESULTS = s.lists(s.get_results | st.builds(ReadBlock, s.flags, s.u16, s.octets) | s.u16)
WRITE_RESULTS = s.lists(s.access_results | s.u16)
APDUS = st.one_of(
    st.builds(ReadRequest, VARIABLES),
    st.builds(ReadResponse, READ_RESULTS),
    st.builds(WriteRequest, VARIABLES, s.lists(s.data)),
    st.builds(UnconfirmedWriteRequest, VARIABLES, s.lists(s.data)),
    st.builds(WriteResponse, WRITE_RESULTS),
    st.builds(InformationReport, s.octets, VARIABLES, s.lists(s.data)),
)


@given(APDUS)
@settings(max_examples=120)
def test_any_goes_round(apdu):
    s.goes_round(apdu)


@pytest.mark.parametrize(
    ("apdu", "summary"),
    [
        (ReadRequest(tuple(variable(n) for n in range(8, 14))), "READ request 0008, 0009, 000A, 000B and 2 more"),
        (
            ReadResponse((unsigned(5), DataAccessResult.OBJECT_UNDEFINED, ReadBlock(False, 2, bytes(9)), 3)),
            "READ response: 5, no such object (object-undefined), block 2, 9 octets, more follow, block 3 received",
        ),
        (
            ReadRequest((VariableAccessSpecification.variable(0x308, 2, unsigned(5)),)),
            "READ request 0308, selector 2",
        ),
        (ReadRequest((VariableAccessSpecification.block_number_access(3),)), "READ request block 3"),
        (WriteRequest((variable(0x208),), (unsigned(5),)), "WRITE request 0208 := 5"),
        (WriteRequest((variable(0x208),), ()), "WRITE request 0208 := nothing"),
        (WriteRequest((variable(0xFA40),), (octet_string(b"secret"),)), "WRITE request FA40 := (not shown)"),
        (UnconfirmedWriteRequest((variable(0x208),), (unsigned(5),)), "unconfirmed WRITE request 0208 := 5"),
        (
            WriteResponse((DataAccessResult.SUCCESS, DataAccessResult.READ_WRITE_DENIED, 4)),
            "WRITE response: success, access denied (read-write-denied), block 4 received",
        ),
        (InformationReport(b"", (variable(0x108),), (unsigned(5),)), "information report: 0108 := 5"),
    ],
)
def test_one_line_says_it(apdu, summary):
    assert apdu.summary() == summary


@pytest.mark.parametrize("wire", ["0501030108", "0c0104", "0d0103"])
def test_choices_that_are_not_assigned_are_refused(wire):
    with pytest.raises(UnknownTagError):
        decode_apdu(bytes.fromhex(wire))


@pytest.mark.parametrize("tag", [0x05, 0x06, 0x0C, 0x0D, 0x16])
def test_a_count_that_cannot_fit_is_refused_before_anything_is_read(tag):
    with pytest.raises(LimitExceededError):
        decode_apdu(bytes((tag, 0x84, 0xFF, 0xFF, 0xFF, 0xFF)))


def test_a_success_in_the_longer_form_is_a_success():
    assert decode_apdu(bytes.fromhex("0d010100")) == WriteResponse((DataAccessResult.SUCCESS,))


def test_a_method_is_called_with_integer_0_where_it_takes_nothing():
    assert ReadRequest((method_call(0xFA50, None),)).encode().hex() == "050104fa50000f00"
    assert ReadRequest((method_call(0xFA58, octet_string(b"ab")),)).encode().hex() == "050104fa580009026162"


@pytest.mark.parametrize("result", DataAccessResult)
def test_what_a_method_answers_by_short_name(result):
    said = action_result(result)
    assert said.value == result.value or said is ActionResult.OTHER_REASON
    assert method_result(result) == (said, None)


def test_what_a_method_returns_by_short_name():
    assert method_result(unsigned(5)) == (ActionResult.SUCCESS, unsigned(5))
    assert method_result(ReadBlock(True, 1, b"")) is None
    assert method_result(3) is None
