import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.errors import ConfirmedServiceError, ExceptionResponse, ExceptionServiceError
from tests.sessions.dlms.apdu import strategies as s

WITHOUT_COUNTER = s.u8.filter(lambda number: number != ExceptionServiceError.INVOCATION_COUNTER_ERROR)


@given(
    st.builds(ExceptionResponse, s.u8, WITHOUT_COUNTER)
    | st.builds(ExceptionResponse, s.u8, st.just(6), st.none() | s.u32)
    | st.builds(ConfirmedServiceError, s.u8, s.u8, s.u8)
)
def test_any_goes_round(apdu):
    s.goes_round(apdu)


@pytest.mark.parametrize(
    ("wire", "summary"),
    [
        ("d80101", "exception response: service-not-allowed, operation-not-possible"),
        ("d80105", "exception response: service-not-allowed, deciphering-error"),
        ("d801060000000a", "exception response: service-not-allowed, invocation-counter-error, counter 10 expected"),
        ("d80106", "exception response: service-not-allowed, invocation-counter-error"),
        ("d80909", "exception response: number 9, number 9"),
        ("0e010604", "confirmed service error: initiate: initiate refused-by-the-VDE-handler"),
        ("0e050006", "confirmed service error: read: application-reference deciphering-error"),
        ("0e060501", "confirmed service error: write: access scope-of-access-violated"),
        ("0e0d0703", "confirmed service error: make-usable: load-data-set dataset-size-too-large"),
        ("0e130904", "confirmed service error: terminate-up-load: task ti-unusable"),
        ("0e010800", "confirmed service error: initiate: change-scope number 0"),
        ("0e00ff63", "confirmed service error: service 0: choice 255 number 99"),
    ],
)
def test_one_line_says_it(wire, summary):
    assert decode_apdu(bytes.fromhex(wire)).summary() == summary


def test_only_a_counter_error_carries_a_counter():
    assert decode_apdu(bytes.fromhex("d80106ffffffff")).invocation_counter == 0xFFFFFFFF
    assert decode_apdu(bytes.fromhex("d80105")).invocation_counter is None
