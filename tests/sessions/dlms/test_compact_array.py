import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem import data as d
from meters.cosem.data import BitString, CompactArray, Data, DataType, TypeDescription
from sessions.dlms import compact_array as module
from sessions.dlms.axdr import decode_data, encode_data, read_data
from sessions.dlms.compact_array import decode_compact_data, encode_compact_data
from sessions.dlms.cursor import Reader, Tracer
from sessions.dlms.elements import Elements
from sessions.dlms.errors import (
    DecodeError,
    InvalidValueError,
    LimitExceededError,
    TrailingOctetsError,
    TruncatedError,
    UnknownTagError,
)
from tests.sessions.dlms.test_axdr import compact_arrays, scalars

SIMPLE = [kind for kind in DataType if kind not in d.CONSTRUCTED and kind is not DataType.DONT_CARE]


def test_a_long_compact_array_is_no_bomb():
    row = TypeDescription(DataType.STRUCTURE, (TypeDescription(DataType.UNSIGNED),) * 10)
    elements = (d.structure(*(d.unsigned(n) for n in range(10))),) * 12_000
    value = Data(DataType.COMPACT_ARRAY, CompactArray(row, elements))
    assert decode_data(encode_data(value)) == value


def test_columns_of_null_data_fit_the_budget_and_multiplied_ones_do_not():
    null = TypeDescription(DataType.NULL_DATA)
    row = TypeDescription(DataType.STRUCTURE, (TypeDescription(DataType.UNSIGNED), null, null, null, null, null))
    rows = Data(DataType.COMPACT_ARRAY, CompactArray(row, (d.structure(d.unsigned(7), *[d.null()] * 5),) * 5000))
    assert decode_data(encode_data(rows)) == rows
    nulls = TypeDescription(DataType.ARRAY, (null,), 60_000)
    bomb = TypeDescription(DataType.STRUCTURE, (TypeDescription(DataType.UNSIGNED), nulls))
    octets = encode_data(Data(DataType.COMPACT_ARRAY, CompactArray(bomb, ())))[:-1] + bytes.fromhex("0401020304")
    with pytest.raises(LimitExceededError, match="more than"):
        decode_data(octets)


@pytest.mark.parametrize("tag", ["13", "ff", "07", "22"])
def test_what_describes_no_type_is_refused(tag):
    with pytest.raises(UnknownTagError, match="type description") as refused:
        decode_data(bytes.fromhex(f"130201{tag}00"))
    assert refused.value.offset == 3


def test_a_remainder_in_a_compact_array_is_refused():
    with pytest.raises(TruncatedError) as refused:
        decode_data(bytes.fromhex("1312030001ff"))
    assert refused.value.offset == 5


@given(compact_arrays())
@settings(max_examples=100)
def test_any_compact_array_goes_round_and_no_truncation_passes(data):
    octets = encode_data(data)
    assert decode_data(octets) == data
    for cut in range(len(octets)):
        with pytest.raises(DecodeError):
            decode_data(octets[:cut])


@pytest.mark.parametrize(
    ("description", "element"),
    [
        (TypeDescription(DataType.UNSIGNED), d.long_unsigned(5)),
        (TypeDescription(DataType.STRUCTURE, (TypeDescription(DataType.UNSIGNED),)), d.structure()),
        (TypeDescription(DataType.ARRAY, (TypeDescription(DataType.UNSIGNED),), 2), d.array(d.unsigned(1))),
        (TypeDescription(DataType.ARRAY, (TypeDescription(DataType.UNSIGNED),), 1), d.structure(d.unsigned(1))),
    ],
)
def test_an_element_that_its_description_does_not_describe_is_refused(description, element):
    with pytest.raises(ValueError, match="described"):
        encode_data(Data(DataType.COMPACT_ARRAY, CompactArray(description, (element,))))


@given(scalars.filter(lambda data: data.type is not DataType.NULL_DATA), st.integers(1, 5))
@settings(max_examples=200)
def test_every_type_may_be_an_element(value, count):
    alone = Data(DataType.COMPACT_ARRAY, CompactArray(TypeDescription(value.type), (value,) * count))
    inside = TypeDescription(DataType.ARRAY, (TypeDescription(value.type),), count)
    row = TypeDescription(DataType.STRUCTURE, (inside, TypeDescription(value.type)))
    rows = CompactArray(row, (d.structure(d.array(*[value] * count), value),) * 2)
    for data in (alone, Data(DataType.COMPACT_ARRAY, rows)):
        octets = encode_data(data)
        assert encode_data(decode_data(octets)) == octets
        assert repr(decode_data(octets).value.elements) == repr(data.value.elements)


def test_the_test_knows_every_type():
    assert set(SIMPLE) | d.CONSTRUCTED | {DataType.DONT_CARE} == set(DataType)


def elements_of(hexed):
    return decode_data(bytes.fromhex(hexed)).value.elements


def test_elements_are_made_when_they_are_looked_at():
    elements = elements_of("130202 1211 06 00010A 00020B")
    assert isinstance(elements, Elements)
    first, second = d.structure(d.long_unsigned(1), d.unsigned(10)), d.structure(d.long_unsigned(2), d.unsigned(11))
    assert (len(elements), elements[0], elements[-1]) == (2, first, second)
    assert elements[1:] == (second,)
    assert list(elements) == [first, second]
    assert elements == (first, second)
    assert elements != (first,)
    assert hash(elements) == hash((first, second))
    with pytest.raises(IndexError):
        elements[2]


@pytest.mark.parametrize(
    ("hexed", "error", "offset"),
    [
        ("1309 04 02AAAA02", TruncatedError, 7),  # the second string is cut
        ("1309 02 8600", InvalidValueError, 3),  # a length of six octets
        ("1309 02 80AA", InvalidValueError, 3),
        ("1309 03 820001", TruncatedError, 6),  # a long length, and nothing behind it
        ("1304 02 09FF", TruncatedError, 4),  # nine bits in one octet
        ("130202 0911 04 01AA0502", TruncatedError, 10),
        ("1301000209 04 01AA02AA", TruncatedError, 9),
        ("1302021211 04 00010A00", TruncatedError, 9),
    ],
)
def test_what_is_cut_is_refused_where_it_stands(hexed, error, offset):
    octets = bytes.fromhex(hexed.replace(" ", ""))
    for reader in (Reader(octets), Reader(octets, tracer=Tracer())):
        with pytest.raises(error) as refused:
            read_data(reader)
        assert refused.value.offset == offset


def test_lengths_of_several_octets_are_walked_over():
    strings = [d.octet_string(bytes(size)) for size in (0, 127, 128, 300)]
    bits = [Data(DataType.BIT_STRING, BitString(bytes(size), size * 8)) for size in (0, 1, 20)]
    for kind, elements in ((DataType.OCTET_STRING, strings), (DataType.BIT_STRING, bits)):
        data = Data(DataType.COMPACT_ARRAY, CompactArray(TypeDescription(kind), tuple(elements)))
        assert decode_data(encode_data(data)) == data


BOMBS = {
    "arrays of arrays of nulls": "1301ffff01ffff00 01 00",
    "arrays of arrays of numbers": "1301ffff01ffff11 01 00",
    "thirty arrays of arrays": "13" + "01ffff" * 30 + "11 01 00",
    "arrays of arrays of strings": "1301ffff01ffff09 01 00",
    "nothing, many times": "130200 04 00000000",
    "a description that never ends": "13" + "0200" * 4097,
    "a description that widens": "13" + "02827fff" * 20,
    "four thousand types and more": "130282 1001" + "11" * 4097 + "8210010000",
}


@pytest.mark.parametrize("hexed", BOMBS.values(), ids=BOMBS)
def test_bombs_are_refused_before_memory_is_taken(hexed):
    octets = bytes.fromhex(hexed.replace(" ", ""))
    tracemalloc.start()
    try:
        with pytest.raises(DecodeError):
            decode_data(octets)
        assert tracemalloc.get_traced_memory()[1] < (1 << 20) + 16 * len(octets)
    finally:
        tracemalloc.stop()


def test_a_bomb_is_refused_after_few_steps(monkeypatch):
    """What bounds the time: values are counted by their description, and the walk ends with the octets."""
    walked = []

    def counted(octets, at, kind):
        walked.append(at)
        return behind_sized(octets, at, kind)

    behind_sized = module.behind_sized
    monkeypatch.setattr(module, "behind_sized", counted)
    for hexed in BOMBS.values():
        with pytest.raises(DecodeError):
            decode_data(bytes.fromhex(hexed.replace(" ", "")))
    assert len(walked) < 10


def test_the_inspector_lists_the_elements_until_its_tree_is_full():
    octets = bytes.fromhex("1312 06 000100020003")
    tracer = Tracer()
    assert len(read_data(Reader(octets, tracer=tracer))) == 3
    assert [field.value for field in tracer.root.children[0].children[-3:]] == ["1", "2", "3"]
    tracer = Tracer()
    tracer.left = 5
    assert len(read_data(Reader(octets, tracer=tracer))) == 3
    rest = tracer.root.children[0].children[-1]
    assert (rest.value, rest.offset, rest.length) == ("2 more, not listed", 5, 4)


def test_compact_data_has_description_and_contents_apart():
    compact = decode_compact_data(bytes.fromhex("02021211"), bytes.fromhex("00010a00020b"))
    assert compact.elements == elements_of("130202 1211 06 00010A00020B")
    assert compact.description.members[0].type is DataType.LONG_UNSIGNED
    with pytest.raises(TrailingOctetsError):
        decode_compact_data(bytes.fromhex("1100"), b"")
    with pytest.raises(TruncatedError):
        decode_compact_data(bytes.fromhex("12"), b"\x00")


# -- compact data --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "template", "buffer"),
    [
        (d.structure(d.unsigned(3), d.long_unsigned(10)), "02021112", "03000a"),
        (d.structure(d.unsigned(3), d.array(d.unsigned(1), d.unsigned(2)), d.null()), "0203110100021100", "030102"),
        (d.structure(d.octet_string(b"ab"), d.array()), "02020901000000", "026162"),
    ],
)
def test_one_value_is_described_and_read_again(value, template, buffer):
    described, contents = encode_compact_data(value)
    assert (described.hex(), contents.hex()) == (template, buffer)
    (again,) = decode_compact_data(described, contents).elements
    assert again == value


@pytest.mark.parametrize(
    "value",
    [
        d.array(d.unsigned(1), d.long_unsigned(2)),
        d.array(d.array(d.unsigned(1)), d.array()),
        d.structure(Data(DataType.COMPACT_ARRAY, CompactArray(TypeDescription(DataType.UNSIGNED), ()))),
    ],
)
def test_what_no_description_has(value):
    with pytest.raises(ValueError):
        encode_compact_data(value)
