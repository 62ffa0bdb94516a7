import struct

import pytest

from meters.cosem.data import DataType
from sessions.dlms import scalars
from sessions.dlms.cursor import Reader
from sessions.dlms.scalars import STRINGS, read_value, simple_end

CONSTRUCTED = {DataType.ARRAY, DataType.STRUCTURE, DataType.COMPACT_ARRAY}
SIZED = scalars.STRINGS | {DataType.BIT_STRING}


def test_the_tables_know_every_type():
    assert {kind for kind in scalars.TYPES if kind is not None} == set(DataType)
    assert set(DataType) == scalars.FIXED_OCTETS.keys() | SIZED | CONSTRUCTED
    assert scalars.TYPES[7] is None


@pytest.mark.parametrize("kind", sorted(scalars.CODES))
def test_one_number_is_packed_as_it_is_unpacked(kind):
    named, size, unpack_from = scalars.NUMBERS[kind]
    octets = scalars.PACKERS[kind](kind, 1)
    assert (named, size) == (kind, len(octets))
    assert unpack_from(octets, 1) == (1,)
    assert scalars.FIXED_OCTETS[kind] == struct.calcsize(f">{scalars.CODES[kind]}") == size - 1


@pytest.mark.parametrize("kind", [kind for kind in DataType if scalars.SMALL[kind]])
def test_values_of_one_octet_are_made_once(kind):
    for octet, data in enumerate(scalars.SMALL[kind]):
        assert data.type is kind
        assert data.value == scalars.LAYOUTS[kind].unpack(bytes((octet,)))[0]


@pytest.mark.parametrize("kind", DataType)
def test_where_a_value_ends_is_known_without_making_it(kind):
    octets = bytes((kind,)) + (b"\x02ab" if kind in STRINGS or kind is DataType.BIT_STRING else bytes(12))
    end = simple_end(b"\x00" + octets, 1)
    if kind in CONSTRUCTED:
        assert end == 0
        return
    reader = Reader(octets)
    reader.offset = 1
    read_value(reader, kind)
    assert end == 1 + reader.offset
    for cut in range(reader.offset):
        assert simple_end(octets[:cut], 0) == 0


@pytest.mark.parametrize("octets", ["", "1e", "0980", "0985", "098401000000", "04ff", "12", "1200"])
def test_what_is_not_whole_has_no_end(octets):
    assert simple_end(bytes.fromhex(octets), 0) == 0
