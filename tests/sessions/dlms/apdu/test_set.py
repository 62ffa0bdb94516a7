from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import date_time, null
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, DataAccessResult, InvokeIdAndPriority
from sessions.dlms.apdu.set import (
    SetRequestNormal,
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetRequestWithList,
    SetRequestWithListAndFirstDatablock,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseLastDatablockWithList,
    SetResponseNormal,
    SetResponseWithList,
)
from sessions.dlms.errors import LimitExceededError
from tests.sessions.dlms.apdu import strategies as s

ID = InvokeIdAndPriority()
CLOCK = CosemAttributeDescriptor(8, ObisCode.parse("0-0:1.0.0*255"), 2)
TARGETS = s.lists(st.tuples(s.attributes, s.selections))
RESULTS = s.lists(s.access_results)
DENIED, DONE = DataAccessResult.READ_WRITE_DENIED, DataAccessResult.SUCCESS
APDUS = st.one_of(
    st.builds(SetRequestNormal, s.invocations, s.attributes, s.selections, s.data),
    st.builds(SetRequestWithFirstDatablock, s.invocations, s.attributes, s.selections, s.flags, s.u32, s.octets),
    st.builds(SetRequestWithDatablock, s.invocations, s.flags, s.u32, s.octets),
    st.builds(SetRequestWithList, s.invocations, TARGETS, s.lists(s.data)),
    st.builds(SetRequestWithListAndFirstDatablock, s.invocations, TARGETS, s.flags, s.u32, s.octets),
    st.builds(SetResponseNormal, s.invocations, s.access_results),
    st.builds(SetResponseDatablock, s.invocations, s.u32),
    st.builds(SetResponseLastDatablock, s.invocations, s.access_results, s.u32),
    st.builds(SetResponseLastDatablockWithList, s.invocations, RESULTS, s.u32),
    st.builds(SetResponseWithList, s.invocations, RESULTS),
)


@given(APDUS)
@settings(max_examples=150)
def test_any_goes_round(apdu):
    s.goes_round(apdu)


@pytest.mark.parametrize(
    ("apdu", "summary"),
    [
        (
            SetRequestNormal(ID, CLOCK, None, date_time(datetime(2026, 11, 25, 10))),
            "SET request 8/0-0:1.0.0*255 attribute 2 := 2026-11-25 10:00:00",
        ),
        (
            SetRequestWithFirstDatablock(ID, CLOCK, None, False, 1, bytes(9)),
            "SET request 8/0-0:1.0.0*255 attribute 2, block 1, 9 octets, more follow",
        ),
        (SetRequestWithDatablock(ID, True, 2, bytes(3)), "SET request block 2, 3 octets, the last"),
        (SetRequestWithList(ID, ((CLOCK, None),), (null(),)), "SET request, list of 1 attribute"),
        (SetResponseNormal(ID, DONE), "SET response: success"),
        (SetResponseNormal(ID, DENIED), "SET response: access denied (read-write-denied)"),
        (SetResponseDatablock(ID, 7), "SET response, block 7 received"),
        (SetResponseLastDatablock(ID, DENIED, 7), "SET response after block 7: access denied (read-write-denied)"),
        (SetResponseLastDatablockWithList(ID, (DONE, DENIED), 7), "SET response after block 7: 1 of 2 written"),
        (SetResponseWithList(ID, (DONE, DENIED, DONE)), "SET response: 2 of 3 written"),
    ],
)
def test_one_line_says_it(apdu, summary):
    assert apdu.summary() == summary


@pytest.mark.parametrize("wire", ["c104c184ffffffff", "c505c105000000", "c504c184ffffffff"])
def test_a_count_that_cannot_fit_is_refused_before_anything_is_read(wire):
    with pytest.raises(LimitExceededError):
        decode_apdu(bytes.fromhex(wire))
