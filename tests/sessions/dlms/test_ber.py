"""The BER of ACSE."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.data import BitString
from sessions.dlms import ber
from sessions.dlms.cursor import Reader
from sessions.dlms.errors import DecodeError, InvalidValueError, LimitExceededError, UnknownTagError


def test_the_long_form_of_tags_is_refused():
    with pytest.raises(UnknownTagError):
        ber.read_tag(Reader(b"\x1f\x20"))
    assert ber.read_tag(Reader(b"\xa1")) == 0xA1


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_are_the_shortest_and_come_back(number):
    octets = ber.encode_integer(number)
    assert ber.read_integer(Reader(octets), "n") == number
    if len(octets) > 1:
        redundant = (octets[0], octets[1] >> 7)
        assert redundant not in ((0x00, 0), (0xFF, 1))


@pytest.mark.parametrize("octets", [b"", bytes(9)])
def test_integers_have_one_to_eight_octets(octets):
    with pytest.raises(LimitExceededError):
        ber.read_integer(Reader(octets), "n")


def test_a_tagged_integer_needs_its_tag():
    assert ber.read_tagged_integer(Reader(b"\x02\x01\x0d"), "n") == 13
    with pytest.raises(InvalidValueError):
        ber.read_tagged_integer(Reader(b"\x04\x01\x0d"), "n")


def test_bit_strings_both_ways():
    bits = BitString(b"\x80", 1)
    assert ber.read_bit_string(Reader(b"\x07\x80"), "bits") == bits
    assert ber.encode_bit_string(bits) == b"\x07\x80"
    assert ber.read_bit_string(Reader(b"\x00"), "bits") == BitString(b"", 0)


@pytest.mark.parametrize("octets", [b"\x08\x80", b"\x01", b""])
def test_impossible_bit_strings_are_refused(octets):
    with pytest.raises(DecodeError):
        ber.read_bit_string(Reader(octets), "bits")


def test_octet_strings_with_and_without_their_tag():
    assert ber.read_octet_string(Reader(b"\x04\x02ab"), "title") == b"ab"
    assert ber.read_octet_string(Reader(b"MMM"), "title") == b"MMM"
    with pytest.raises(DecodeError):
        ber.read_octet_string(Reader(b"\x04\x03ab"), "title")


def test_object_identifiers_with_and_without_their_tag():
    plain = bytes.fromhex("60857405080201")
    assert ber.read_object_identifier(Reader(plain), "name") == plain
    assert ber.read_object_identifier(Reader(b"\x06\x07" + plain), "name") == plain


def test_tlvs_use_the_shortest_length():
    assert ber.encode_tlv(0xA1, b"x") == b"\xa1\x01x"
    assert ber.encode_tlv(0xBE, bytes(200))[:3] == b"\xbe\x81\xc8"
