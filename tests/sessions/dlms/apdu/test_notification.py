import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import unsigned
from meters.cosem.date_time import CosemDateTime
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.notification import DataNotification, DataNotificationConfirm, EventNotificationRequest
from sessions.dlms.errors import InvalidValueError
from tests.sessions.dlms.apdu import strategies as s

MOMENT = "07ea0b19030a0000ff800000"
ATTRIBUTE = "00080000010000ff02"
APDUS = st.one_of(
    st.builds(DataNotification, s.u32, s.moments, s.data),
    st.builds(DataNotificationConfirm, s.u32, s.moments),
    st.builds(EventNotificationRequest, s.moments, s.attributes, s.data),
)


@given(APDUS)
@settings(max_examples=80)
def test_any_goes_round(apdu):
    s.goes_round(apdu)


@pytest.mark.parametrize("before", ["0c", "090c"])
def test_a_superfluous_type_tag_before_the_date_time_is_read(before):
    apdu = decode_apdu(bytes.fromhex(f"0f40000000{before}{MOMENT}1105"))
    assert apdu == DataNotification(0x40000000, CosemDateTime.decode(bytes.fromhex(MOMENT)), unsigned(5))
    assert apdu.summary() == "data notification of 2026-11-25 10:00:00: 5"


@pytest.mark.parametrize("before", ["0c", ""])
def test_an_event_whose_time_has_no_length_is_read(before):
    apdu = decode_apdu(bytes.fromhex(f"c201{before}{MOMENT}{ATTRIBUTE}1105"))
    assert apdu.time == CosemDateTime.decode(bytes.fromhex(MOMENT))
    assert apdu.summary() == "event notification 8/0-0:1.0.0*255 attribute 2: 5"


@pytest.mark.parametrize("size", [1, 5, 11, 13])
def test_a_date_time_of_another_length_is_refused(size):
    with pytest.raises(InvalidValueError, match="0 or 12 octets"):
        decode_apdu(bytes.fromhex(f"0f40000000{size:02x}{'00' * size}1105"))


def test_a_confirmation_has_a_line():
    assert DataNotificationConfirm(1).summary() == "data notification confirmed"
