import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.access import AccessKind, AccessRequest, AccessResponse, AccessSpecification
from sessions.dlms.errors import LimitExceededError, UnknownTagError
from sessions.dlms.selective_access import SelectiveAccess
from tests.sessions.dlms.apdu import strategies as s

SPECIFICATIONS = s.lists(
    st.builds(AccessSpecification, st.sampled_from([AccessKind.GET, AccessKind.SET]), s.attributes)
    | st.builds(AccessSpecification, st.just(AccessKind.ACTION), s.methods)
    | st.builds(
        AccessSpecification,
        st.sampled_from([AccessKind.GET_WITH_SELECTION, AccessKind.SET_WITH_SELECTION]),
        s.attributes,
        st.builds(SelectiveAccess, s.u8, s.data),
    )
)
KINDS = st.sampled_from([AccessKind.GET, AccessKind.SET, AccessKind.ACTION])
RESULTS = s.lists(st.tuples(KINDS, s.access_results.map(int)))
APDUS = st.one_of(
    st.builds(AccessRequest, s.u32, s.moments, SPECIFICATIONS, s.lists(s.data)),
    st.builds(AccessResponse, s.u32, s.moments, st.none() | SPECIFICATIONS, s.lists(s.data), RESULTS),
)


@given(APDUS)
@settings(max_examples=80)
def test_any_goes_round(apdu):
    s.goes_round(apdu)


@pytest.mark.parametrize("kind", [0, 6, 255])
def test_a_kind_of_access_that_is_not_assigned_is_refused(kind):
    with pytest.raises(UnknownTagError):
        decode_apdu(bytes.fromhex(f"d9000000010001{kind:02x}00030100010800ff020100"))


@pytest.mark.parametrize("wire", ["d9000000010084ffffffff", "da0000000100000084ffffffff"])
def test_a_count_that_cannot_fit_is_refused_before_anything_is_read(wire):
    with pytest.raises(LimitExceededError):
        decode_apdu(bytes.fromhex(wire))


def test_a_response_counts_what_succeeded():
    results = ((AccessKind.GET, 0), (AccessKind.SET, 3))
    assert AccessResponse(1, None, None, (), results).summary() == "ACCESS response, 1 of 2 succeeded"
