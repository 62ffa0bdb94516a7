import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem import data as d
from meters.cosem.data import BitString, CompactArray, Data, DataType, TypeDescription, text
from meters.cosem.date_time import CosemDate, CosemDateTime, CosemTime
from sessions.dlms.axdr import decode_data, encode_data, read_data
from sessions.dlms.cursor import MAX_DEPTH, Reader, Tracer
from sessions.dlms.elements import MANY
from sessions.dlms.errors import (
    DecodeError,
    InvalidValueError,
    LimitExceededError,
    TrailingOctetsError,
    TruncatedError,
    UnknownTagError,
)
from tests.vectors import by_id, of_kind

SAMPLES = [
    ("00", "null-data"),
    ("01021105 1106", "[5, 6]"),
    ("02020FFF161E", "{-1, 30}"),
    ("0301", "true"),
    ("040AA5C0", "1010010111"),
    ("05FFFFFFFE", "-2"),
    ("06000012D6", "4822"),
    ("09060100010800FF", "0100010800ff"),
    ("0A03414243", "“ABC”"),
    ("0C03C3A941", "“éA”"),
    ("0D12", "12"),
    ("0FFE", "-2"),
    ("10FFFE", "-2"),
    ("1105", "5"),
    ("12000A", "10"),
    ("14FFFFFFFFFFFFFFFE", "-2"),
    ("150000000000000005", "5"),
    ("161E", "30"),
    ("1741200000", "10.0"),
    ("184024000000000000", "10.0"),
    ("1907E801010100000000800 0FF", "2024-01-01 00:00:00"),
    ("1A07E8010101", "2024-01-01"),
    ("1B0C1E0000", "12:30:00"),
    ("1CFF", "-1"),
    ("1DFFFE", "-2"),
    ("1EFFFFFFFE", "-2"),
    ("1F05", "5"),
    ("200005", "5"),
    ("2100000005", "5"),
    ("FF", "dont-care"),
    ("1312 04 00010002", "[1, 2]"),
    ("130202 1211 06 00010A00020B", "[{1, 10}, {2, 11}]"),
    ("1309 09 03AABBCC0401020304", "[aabbcc, 01020304]"),
    ("13010003 11 06 010203040506", "[[1, 2, 3], [4, 5, 6]]"),
    ("1302020100021112 08 0102000304050006", "[{[1, 2], 3}, {[4, 5], 6}]"),
]
WIRE = [bytes.fromhex(hexed.replace(" ", "")) for hexed, _ in SAMPLES]


@pytest.mark.parametrize(("hexed", "shown"), SAMPLES, ids=[hexed for hexed, _ in SAMPLES])
def test_every_type_both_ways(hexed, shown):
    octets = bytes.fromhex(hexed.replace(" ", ""))
    data = decode_data(octets)
    assert text(data) == shown
    assert encode_data(data) == octets


@pytest.mark.parametrize("vector", of_kind("axdr"), ids=by_id)
def test_vectors(vector):
    octets = bytes.fromhex(vector["hex"])
    assert encode_data(decode_data(octets)) == octets


@pytest.mark.parametrize("wire", WIRE, ids=[hexed for hexed, _ in SAMPLES])
def test_every_truncation_and_any_extra_octet_is_refused(wire):
    for cut in range(len(wire)):
        with pytest.raises((TruncatedError, LimitExceededError)):
            decode_data(wire[:cut])
    with pytest.raises(TrailingOctetsError):
        decode_data(wire + b"\x00")


@pytest.mark.parametrize("tag", [7, 8, 11, 14, *range(34, 255)])
def test_unassigned_tags_are_refused_with_their_offset(tag):
    with pytest.raises(UnknownTagError) as refused:
        decode_data(bytes((1, 1, tag)))
    assert refused.value.offset == 2


def test_a_non_minimal_length_is_read():
    assert decode_data(bytes.fromhex("09820003aabbcc")).value == bytes.fromhex("aabbcc")


def test_bombs_are_refused_before_memory_is_taken():
    with pytest.raises(LimitExceededError, match="cannot fit"):
        decode_data(bytes.fromhex("0184ffffffff"))
    with pytest.raises(LimitExceededError, match="nested"):
        decode_data(b"\x01\x01" * (MAX_DEPTH + 1) + b"\x00")
    decode_data(b"\x01\x01" * MAX_DEPTH + b"\x00")
    # An array of 65535 arrays of 65535 empty structures, from a dozen octets.
    with pytest.raises(LimitExceededError, match="elements"):
        decode_data(bytes.fromhex("1301ffff01ffff020001 00".replace(" ", "")))
    with pytest.raises(InvalidValueError, match="without octets"):
        decode_data(bytes.fromhex("13000100"))


def test_values_that_hold_others_are_as_many_as_honest_ones_are():
    honest = d.array(*[d.structure(d.unsigned(1), d.structure(d.octet_string(bytes(6))))] * 5000)
    assert decode_data(encode_data(honest)) == honest
    with pytest.raises(LimitExceededError, match="hold others"):
        decode_data(encode_data(d.array(*[d.array(d.array())] * 5000)))


@given(st.binary(max_size=80))
@settings(max_examples=300)
def test_garbage_is_decoded_or_refused_with_a_typed_error(octets):
    try:
        data = decode_data(octets)
    except DecodeError as error:
        assert 0 <= error.offset <= len(octets)
    else:
        assert decode_data(encode_data(data)) == data or "nan" in text(data)


@pytest.mark.parametrize(
    ("octets", "again"),
    [("0404ff", "0404f0"), ("040aa5ff", "040aa5c0"), ("0400", "0400"), ("0408ff", "0408ff")],
)
def test_the_bits_that_fill_an_octet_up_are_ignored_and_sent_as_zero(octets, again):
    assert encode_data(decode_data(bytes.fromhex(octets))).hex() == again


integers = {
    DataType.DOUBLE_LONG: (-(2**31), 2**31 - 1),
    DataType.DOUBLE_LONG_UNSIGNED: (0, 2**32 - 1),
    DataType.INTEGER: (-128, 127),
    DataType.LONG: (-(2**15), 2**15 - 1),
    DataType.UNSIGNED: (0, 255),
    DataType.LONG_UNSIGNED: (0, 2**16 - 1),
    DataType.LONG64: (-(2**63), 2**63 - 1),
    DataType.LONG64_UNSIGNED: (0, 2**64 - 1),
    DataType.ENUM: (0, 255),
    DataType.BCD: (0, 255),
    DataType.DELTA_INTEGER: (-128, 127),
    DataType.DELTA_LONG: (-(2**15), 2**15 - 1),
    DataType.DELTA_DOUBLE_LONG: (-(2**31), 2**31 - 1),
    DataType.DELTA_UNSIGNED: (0, 255),
    DataType.DELTA_LONG_UNSIGNED: (0, 2**16 - 1),
    DataType.DELTA_DOUBLE_LONG_UNSIGNED: (0, 2**32 - 1),
}
scalars = st.one_of(
    *(
        st.integers(low, high).map(lambda number, kind=kind: Data(kind, number))
        for kind, (low, high) in integers.items()
    ),
    st.just(d.null()),
    st.booleans().map(d.boolean),
    st.binary(max_size=200).map(d.octet_string),
    st.binary(max_size=20).map(d.visible_string),
    st.text("01", max_size=40).map(
        lambda bits: Data(
            DataType.BIT_STRING,
            BitString(
                int(bits.ljust(-(-len(bits) // 8) * 8, "0") or "0", 2).to_bytes(-(-len(bits) // 8), "big"), len(bits)
            ),
        )
    ),
    st.floats(width=32, allow_nan=False).map(lambda number: Data(DataType.FLOAT32, number)),
    st.floats(allow_nan=False).map(lambda number: Data(DataType.FLOAT64, number)),
    st.binary(min_size=12, max_size=12).map(lambda octets: Data(DataType.DATE_TIME, CosemDateTime.decode(octets))),
    st.binary(min_size=5, max_size=5).map(lambda octets: Data(DataType.DATE, CosemDate.decode(octets))),
    st.binary(min_size=4, max_size=4).map(lambda octets: Data(DataType.TIME, CosemTime.decode(octets))),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5).map(lambda items: d.structure(*items))
        | st.lists(inner, max_size=5).map(lambda items: d.array(*items))
    ),
    max_leaves=20,
)


@given(values)
@settings(max_examples=150)
def test_any_value_goes_round(data):
    assert decode_data(encode_data(data)) == data


@st.composite
def compact_arrays(draw):
    """A description of fixed layout, and elements that follow it."""

    def described(depth):
        kinds = [*integers, DataType.BOOLEAN, DataType.OCTET_STRING]
        kind = draw(st.sampled_from([*kinds, DataType.ARRAY, DataType.STRUCTURE] if depth < 3 else kinds))
        if kind is DataType.ARRAY:
            return TypeDescription(kind, (described(depth + 1),), draw(st.integers(1, 3)))
        if kind is DataType.STRUCTURE:
            return TypeDescription(kind, tuple(described(depth + 1) for _ in range(draw(st.integers(1, 3)))))
        return TypeDescription(kind)

    def element(description):
        kind = description.type
        if kind is DataType.ARRAY:
            return d.array(*(element(description.members[0]) for _ in range(description.count)))
        if kind is DataType.STRUCTURE:
            return d.structure(*(element(member) for member in description.members))
        if kind is DataType.BOOLEAN:
            return d.boolean(draw(st.booleans()))
        if kind is DataType.OCTET_STRING:
            return d.octet_string(draw(st.binary(max_size=5)))
        return Data(kind, draw(st.integers(*integers[kind])))

    description = described(0)
    elements = tuple(element(description) for _ in range(draw(st.integers(0, 4))))
    return Data(DataType.COMPACT_ARRAY, CompactArray(description, elements))


@given(values)
@settings(max_examples=100)
def test_the_traced_pass_gives_the_same_value(data):
    octets = encode_data(data)
    assert read_data(Reader(octets, tracer=Tracer())) == data


@given(st.binary(max_size=60))
@settings(max_examples=150)
def test_the_traced_pass_refuses_the_same_garbage_at_the_same_place(octets):
    outcomes = []
    for reader in (Reader(octets), Reader(octets, tracer=Tracer())):
        try:
            outcomes.append(encode_data(read_data(reader)))
        except DecodeError as error:
            outcomes.append((type(error), error.offset))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    "wrong",
    [
        d.unsigned(256),
        d.integer(-129),
        Data(DataType.UNSIGNED, 1.5),
        Data(DataType.UNSIGNED, None),
        Data(DataType.OCTET_STRING, None),
        Data(DataType.BIT_STRING, b"\x80"),
        Data(DataType.FLOAT32, 1e300),
        Data(DataType.FLOAT64, "1"),
        Data(DataType.DATE_TIME, bytes(12)),
        Data(DataType.DATE, CosemDate(2026, 300, 1, 1)),
    ],
    ids=str,
)
def test_a_value_that_does_not_fit_its_type_is_refused(wrong):
    with pytest.raises(ValueError, match=r"fit|range|bytes"):
        encode_data(wrong)


def test_what_nobody_would_read_is_not_sent():
    deep = d.null()
    for _ in range(MAX_DEPTH):
        deep = d.array(deep)
    assert decode_data(encode_data(deep)) == deep
    with pytest.raises(ValueError, match="nested"):
        encode_data(d.array(deep))


def test_the_tracer_sees_every_octet():
    octets = bytes.fromhex("0202090312345611ff")
    tracer = Tracer()
    read_data(Reader(octets, tracer=tracer))
    leaves = []

    def walk(field):
        if not field.children:
            leaves.append((field.offset, field.length))
        for child in field.children:
            walk(child)

    walk(tracer.root)
    assert sorted(leaves) == [(0, 1), (1, 1), (2, 1), (3, 1), (4, 3), (7, 1), (8, 1)]


def test_a_tree_that_is_large_enough_lists_no_further_elements():
    tracer = Tracer()
    tracer.left = 20
    octets = bytes.fromhex("010A") + bytes.fromhex("1101") * 10
    value = read_data(Reader(octets, tracer=tracer))
    assert value == decode_data(octets)
    elements = tracer.root.children[0].children
    assert (elements[-1].name, elements[-1].value) == ("elements", "4 more, not listed")
    assert elements[-1].offset + elements[-1].length == len(octets)


@pytest.mark.parametrize("row", ["0202110112 0203", "00", "0904DEADBEEF", "01010100"])
def test_what_is_not_listed_is_read_as_it_is_without_a_tree(row):
    count = 2 * MANY
    octets = b"\x01\x82" + count.to_bytes(2, "big") + bytes.fromhex(row) * count
    tracer = Tracer()
    tracer.left = 50
    value = read_data(Reader(octets, tracer=tracer))
    assert value == decode_data(octets)
    assert encode_data(value) == octets
    rest = tracer.root.children[0].children[-1]
    assert rest.value.endswith("more, not listed")
    assert rest.offset + rest.length == len(octets)
