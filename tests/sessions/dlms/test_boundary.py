import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import DataType
from sessions.dlms.axdr import encode_data, read_data
from sessions.dlms.boundary import Boundary
from sessions.dlms.cursor import Reader
from sessions.dlms.errors import DecodeError, InvalidValueError, LimitExceededError, UnknownTagError
from sessions.dlms.scalars import FIXED_OCTETS
from tests.sessions.dlms.test_axdr import WIRE, compact_arrays, values


@pytest.mark.parametrize("wire", WIRE, ids=lambda wire: wire.hex())
def test_a_value_is_complete_with_its_last_octet(wire):
    boundary, octets = Boundary(), bytearray()
    for octet in wire[:-1]:
        octets.append(octet)
        assert not boundary.advance(octets)
    octets.append(wire[-1])
    assert boundary.advance(octets)
    assert boundary.end == len(wire)
    assert not boundary.advance(octets)


@given(st.one_of(values, compact_arrays()))
@settings(max_examples=100)
def test_it_ends_where_the_decoder_ends(data):
    octets = bytearray(encode_data(data) + b"\xaa")
    boundary = Boundary()
    assert boundary.advance(octets)
    assert boundary.end == len(octets) - 1


@given(st.binary(max_size=60))
@settings(max_examples=200)
def test_garbage_ends_where_the_decoder_ends_or_is_refused(octets):
    reader, boundary = Reader(octets), Boundary()
    try:
        read_data(reader)
    except DecodeError:
        try:
            boundary.advance(bytearray(octets))
        except DecodeError as error:
            assert 0 <= error.offset <= len(octets)
    else:
        assert boundary.advance(bytearray(octets))
        assert boundary.end == reader.offset


def test_values_in_a_row_and_what_is_forgotten():
    boundary, octets = Boundary(origin=100), bytearray.fromhex("1105 0203 00")
    assert boundary.advance(octets)
    assert boundary.end == 2
    boundary.forget(2)
    del octets[:2]
    assert boundary.end == 0
    assert not boundary.advance(octets)
    octets += bytes.fromhex("0f01 22")
    with pytest.raises(UnknownTagError) as refused:
        boundary.advance(octets)
    assert refused.value.offset == 107


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        ("07", UnknownTagError),
        ("1307", UnknownTagError),
        ("0980", InvalidValueError),
        ("0985", InvalidValueError),
        ("01" * 70, LimitExceededError),
        ("13" + "01ffff" * 70, LimitExceededError),
    ],
)
def test_what_can_be_no_value_is_refused_each_time(octets, error):
    boundary = Boundary()
    for _ in range(2):
        with pytest.raises(error):
            boundary.advance(bytearray.fromhex(octets))


def test_every_type_is_walked_over():
    others = {
        DataType.ARRAY,
        DataType.STRUCTURE,
        DataType.BIT_STRING,
        DataType.OCTET_STRING,
        DataType.VISIBLE_STRING,
        DataType.UTF8_STRING,
        DataType.COMPACT_ARRAY,
    }
    assert set(DataType) == FIXED_OCTETS.keys() | others
