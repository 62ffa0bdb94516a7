import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import integer, long_unsigned, octet_string
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.action import (
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
from sessions.dlms.apdu.descriptors import ActionResult, CosemMethodDescriptor, InvokeIdAndPriority
from sessions.dlms.errors import LimitExceededError
from tests.sessions.dlms.apdu import strategies as s

ID = InvokeIdAndPriority()
DISCONNECT = CosemMethodDescriptor(70, ObisCode.parse("0-0:96.3.10*255"), 1)
SCRIPT = CosemMethodDescriptor(9, ObisCode.parse("0-0:10.0.100*255"), 1)
UNKNOWN = CosemMethodDescriptor(9999, ObisCode.parse("0-0:96.3.10*255"), 1)
RETURNED = st.none() | s.get_results
METHODS = s.lists(s.methods)
APDUS = st.one_of(
    st.builds(ActionRequestNormal, s.invocations, s.methods, st.none() | s.data),
    st.builds(ActionRequestNextPblock, s.invocations, s.u32),
    st.builds(ActionRequestWithList, s.invocations, METHODS, s.lists(s.data)),
    st.builds(ActionRequestWithFirstPblock, s.invocations, s.methods, s.flags, s.u32, s.octets),
    st.builds(ActionRequestWithListAndFirstPblock, s.invocations, METHODS, s.flags, s.u32, s.octets),
    st.builds(ActionRequestWithPblock, s.invocations, s.flags, s.u32, s.octets),
    st.builds(ActionResponseNormal, s.invocations, s.action_results, RETURNED),
    st.builds(ActionResponseWithPblock, s.invocations, s.flags, s.u32, s.octets),
    st.builds(ActionResponseWithList, s.invocations, s.lists(st.tuples(s.action_results, RETURNED))),
    st.builds(ActionResponseNextPblock, s.invocations, s.u32),
)


@given(APDUS)
@settings(max_examples=150)
def test_any_goes_round(apdu):
    s.goes_round(apdu)


@pytest.mark.parametrize(
    ("apdu", "summary"),
    [
        (ActionRequestNormal(ID, DISCONNECT), "ACTION request 70/0-0:96.3.10*255 method 1 (remote disconnect)"),
        (
            ActionRequestNormal(ID, DISCONNECT, integer(0)),
            "ACTION request 70/0-0:96.3.10*255 method 1 (remote disconnect)",
        ),
        (
            ActionRequestNormal(ID, SCRIPT, long_unsigned(7)),
            "ACTION request 9/0-0:10.0.100*255 method 1 (execute), 7",
        ),
        (ActionRequestNormal(ID, UNKNOWN), "ACTION request 9999/0-0:96.3.10*255 method 1"),
        (ActionRequestNextPblock(ID, 3), "ACTION request, next block after 3"),
        (
            ActionRequestWithFirstPblock(ID, UNKNOWN, False, 1, bytes(8)),
            "ACTION request 9999/0-0:96.3.10*255 method 1, block 1, 8 octets, more follow",
        ),
        (ActionRequestWithPblock(ID, True, 2, bytes(8)), "ACTION request block 2, 8 octets, the last"),
        (ActionResponseNormal(ID, ActionResult.SUCCESS), "ACTION response: success"),
        (ActionResponseNormal(ID, ActionResult.SUCCESS, octet_string(b"\1")), "ACTION response: success, 01"),
        (
            ActionResponseNormal(ID, ActionResult.READ_WRITE_DENIED),
            "ACTION response: access denied (read-write-denied)",
        ),
        (ActionResponseWithPblock(ID, False, 2, bytes(8)), "ACTION response block 2, 8 octets, more follow"),
        (ActionResponseNextPblock(ID, 2), "ACTION response, block 2 received"),
    ],
)
def test_one_line_says_it(apdu, summary):
    assert apdu.summary() == summary


def test_a_refusal_without_the_flag_of_return_parameters_is_read():
    apdu = decode_apdu(bytes.fromhex("c701c103"))
    assert apdu == ActionResponseNormal(ID, ActionResult.READ_WRITE_DENIED)


def test_a_number_of_result_that_is_not_assigned_is_a_refusal():
    assert decode_apdu(bytes.fromhex("c701c16300")).result is ActionResult.OTHER_REASON


@pytest.mark.parametrize("wire", ["c303c184ffffffff", "c305c184ffffffff", "c703c184ffffffff"])
def test_a_count_that_cannot_fit_is_refused_before_anything_is_read(wire):
    with pytest.raises(LimitExceededError):
        decode_apdu(bytes.fromhex(wire))
