import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.cursor import Reader
from sessions.dlms.errors import DecodeError, FrameError, LocalProtocolError
from sessions.dlms.hdlc.address import (
    HdlcAddress,
    address_of,
    address_size,
    client_address,
    read_hdlc_address,
    server_address,
)


def decode(octets):
    return read_hdlc_address(Reader(octets), "address")


@pytest.mark.parametrize(
    ("address", "octets"),
    [
        (client_address(16), "21"),
        (client_address(1), "03"),
        (server_address(1, None, 1), "03"),
        (server_address(1, 17, 2), "0223"),
        (server_address(1, 17, 4), "00020023"),
        (server_address(1, 0x1234, 4), "00024869"),
        (HdlcAddress(0x7F, 0x7F, 2), "feff"),
    ],
)
def test_the_standards_samples(address, octets):
    assert address.encode() == bytes.fromhex(octets)
    assert decode(bytes.fromhex(octets)) == address


@given(st.sampled_from([2, 4]), st.data())
def test_any_address_goes_round(size, data):
    limit = 0x3FFF if size == 4 else 0x7F
    address = HdlcAddress(data.draw(st.integers(0, limit)), data.draw(st.integers(0, limit)), size)
    assert decode(address.encode()) == address


@pytest.mark.parametrize("octets", ["", "02", "0202", "020202", "02020203"[:6] + "02", "020203", "0202020202"])
def test_cut_three_and_five_octets_are_refused(octets):
    with pytest.raises(DecodeError):
        decode(bytes.fromhex(octets))


def test_three_octets_are_refused_by_name():
    with pytest.raises(FrameError, match="three"):
        decode(bytes.fromhex("020203"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: client_address(128),
        lambda: server_address(128, None, 1),
        lambda: server_address(1, 128, 2),
        lambda: server_address(1, 0x4000, 4),
        lambda: server_address(1, 1, 3),
        lambda: HdlcAddress(1, 1, 1),
        lambda: HdlcAddress(1, None, 2),
    ],
)
def test_what_does_not_fit_is_our_own_mistake(make):
    with pytest.raises(LocalProtocolError):
        make()


def test_stations_match_by_value():
    assert server_address(1, 17, 2).matches(server_address(1, 17, 4))
    assert server_address(1, None, 1).matches(server_address(1, 17, 4))
    assert not server_address(1, 17, 2).matches(server_address(1, 18, 2))
    assert not server_address(1, 17, 2).matches(server_address(2, 17, 2))
    assert HdlcAddress(1, 0x7F, 2).is_broadcast
    assert not HdlcAddress(1, 17, 2).is_broadcast


@pytest.mark.parametrize(
    ("destination", "reached"),
    [
        (HdlcAddress(1, 17, 2), True),
        (HdlcAddress(1, 17, 4), True),
        (HdlcAddress(1), True),
        (HdlcAddress(1, 0x7F, 2), True),
        (HdlcAddress(0x7F, 17, 2), True),
        (HdlcAddress(0x3FFF, 0x3FFF, 4), True),
        (HdlcAddress(0x7F), True),
        (HdlcAddress(2, 0x7F, 2), False),
        (HdlcAddress(0x7F, 18, 2), False),
        (HdlcAddress(1, 0x7F, 4), False),  # 3FFF is everyone there
        (HdlcAddress(2), False),
    ],
)
def test_whom_an_address_reaches(destination, reached):
    assert destination.reaches(server_address(1, 17, 2)) is reached


@given(st.binary(max_size=6))
def test_the_size_is_that_of_what_is_read(octets):
    try:
        expected = decode(octets).size
    except DecodeError:
        expected = 0
    assert address_size(b"\x7e" + octets, 1) == expected
    if expected:
        assert address_of(octets[:expected]) == decode(octets)
