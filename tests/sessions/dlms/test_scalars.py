import struct

import pytest

from meters.cosem.data import DataType
from sessions.dlms import scalars

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
