import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import array, octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, DataAccessResult, InvokeIdAndPriority
from sessions.dlms.apdu.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
    short_text,
)
from sessions.dlms.errors import LimitExceededError, UnknownTagError
from tests.sessions.dlms.apdu import strategies as s

CLOCK = CosemAttributeDescriptor(8, ObisCode.parse("0-0:1.0.0*255"), 2)
APDUS = st.one_of(
    st.builds(GetRequestNormal, s.invocations, s.attributes, s.selections),
    st.builds(GetRequestNext, s.invocations, s.u32),
    st.builds(GetRequestWithList, s.invocations, s.lists(st.tuples(s.attributes, s.selections))),
    st.builds(GetResponseNormal, s.invocations, s.get_results),
    st.builds(GetResponseWithDatablock, s.invocations, s.flags, s.u32, s.octets | s.access_results),
    st.builds(GetResponseWithList, s.invocations, s.lists(s.get_results)),
)


@given(APDUS)
@settings(max_examples=120)
def test_any_goes_round(apdu):
    s.goes_round(apdu)


def test_the_octets_of_a_request():
    apdu = GetRequestNormal(InvokeIdAndPriority(5, confirmed=False, high_priority=False), CLOCK)
    assert apdu.encode().hex() == "c001050008000001000" + "0ff0200"
    assert decode_apdu(apdu.encode()).invoke_id_and_priority == InvokeIdAndPriority(5, False, False)


def test_a_number_of_result_that_is_not_assigned_is_a_refusal():
    assert decode_apdu(bytes.fromhex("c401c10163")).result is DataAccessResult.OTHER_REASON
    assert decode_apdu(bytes.fromhex("c402c10100000001 0163")).result is DataAccessResult.OTHER_REASON


@pytest.mark.parametrize("wire", ["c401c1020600000000", "c402c1010000000102 00", "c403c1020000 0200"])
def test_a_result_is_a_value_or_a_refusal_and_nothing_else(wire):
    with pytest.raises(UnknownTagError) as refused:
        decode_apdu(bytes.fromhex(wire))
    assert "choice" in refused.value.field


@pytest.mark.parametrize("wire", ["c003c184ffffffff", "c403c184ffffffff", "c403c17f0000"])
def test_a_count_that_cannot_fit_is_refused_before_anything_is_read(wire):
    with pytest.raises(LimitExceededError):
        decode_apdu(bytes.fromhex(wire))


@pytest.mark.parametrize("flag", ["01", "ff"])
def test_any_octet_but_zero_is_true(flag):
    assert decode_apdu(bytes.fromhex(f"c402c1{flag}000000010000")).last_block


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (unsigned(5), "5"),
        (octet_string(bytes.fromhex("07ea0b190300000aff800000")), "2026-11-25 00:00:10"),
        (structure(unsigned(1), unsigned(2)), "{1, 2}"),
        (array(*[unsigned(1)] * 5), "5 elements"),
        (octet_string(bytes(100)), "0" * 79 + "…"),
        (DataAccessResult.READ_WRITE_DENIED, "access denied (read-write-denied)"),
        (DataAccessResult.HARDWARE_FAULT, "refused (hardware-fault)"),
        (DataAccessResult.SUCCESS, "success"),
    ],
)
def test_a_result_fits_in_a_line(value, text):
    assert short_text(value) == text


def test_blocks_say_how_much_and_whether_more_follow():
    invocation = InvokeIdAndPriority()
    more = GetResponseWithDatablock(invocation, False, 3, bytes(120))
    assert more.summary() == "GET response block 3, 120 octets, more follow"
    refused = GetResponseWithDatablock(invocation, True, 4, DataAccessResult.LONG_GET_ABORTED)
    assert refused.summary() == "GET response block 4: refused (long-get-aborted)"
