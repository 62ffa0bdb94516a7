from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.block_transfer import GeneralBlockTransfer
from tests.sessions.dlms.apdu import strategies as s
from tests.vectors import octets


@given(st.builds(GeneralBlockTransfer, s.flags, s.flags, st.integers(0, 63), s.u16, s.u16, s.octets))
def test_any_goes_round(apdu):
    s.goes_round(apdu)


def test_the_block_control():
    assert decode_apdu(bytes.fromhex("e0c50001000200")) == GeneralBlockTransfer(True, True, 5, 1, 2, b"")
    assert decode_apdu(octets("gbt-ack")).window == 4


def test_one_line_says_it():
    apdu = GeneralBlockTransfer(False, True, 0, 3, 0, bytes(112))
    assert apdu.summary() == "general block 3, 112 octets, more follow"
