import binascii

from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.hdlc.fcs import fcs16, fcs_is_good


def bit_by_bit(octets: bytes) -> bytes:
    """The standard's definition: polynomial 8408 (mirrored), start and end with ones."""
    register = 0xFFFF
    for octet in octets:
        register ^= octet
        for _ in range(8):
            register = register >> 1 ^ (0x8408 if register & 1 else 0)
    return (register ^ 0xFFFF).to_bytes(2, "little")


def test_the_check_value():
    assert fcs16(b"123456789") == bytes.fromhex("6e90")
    assert binascii.crc_hqx(b"", 0) == 0


@given(st.binary(max_size=300))
def test_it_is_the_standards_crc(octets):
    assert fcs16(octets) == bit_by_bit(octets)


@given(st.binary(max_size=300), st.binary(min_size=2, max_size=2))
def test_good_octets_are_told_from_others(octets, check):
    assert fcs_is_good(octets + fcs16(octets))
    assert fcs_is_good(octets + check) == (check == fcs16(octets))
