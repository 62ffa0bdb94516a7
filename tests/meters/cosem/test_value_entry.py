import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.data import (
    BitString,
    CompactArray,
    Data,
    DataType,
    TypeDescription,
    array,
    boolean,
    double_long_unsigned,
    enum,
    integer,
    long_unsigned,
    null,
    octet_string,
    structure,
    unsigned,
    visible_string,
)
from meters.cosem.interface_class import attribute_of, known_classes
from meters.cosem.obis import ObisCode
from meters.cosem.value_entry import EntryError, entry_text, from_json, parse_entry, to_json, typed_json
from meters.cosem.value_type import RANGES, ValueType, parse_type
from sessions.dlms.axdr import encode_data
from tests.sessions.dlms.test_axdr import compact_arrays, scalars, values

CLOCK = octet_string(ObisCode(0, 0, 1, 0, 0, 255).octets)


def kind(notation: str) -> ValueType:
    return parse_type(notation)


@pytest.mark.parametrize(
    ("notation", "text", "data"),
    [
        ("u8", "255", unsigned(255)),
        ("u8", " 0x10 ", unsigned(16)),
        ("i8", "-128", integer(-128)),
        ("u16<s>", "900", long_unsigned(900)),
        ("e(control_state)", "1", enum(1)),
        ("e(control_state)", "Connected", enum(1)),
        ("b", "true", boolean(True)),
        ("b", "0", boolean(False)),
        ("os", "00ff", octet_string(b"\x00\xff")),
        ("os", "00 FF", octet_string(b"\x00\xff")),
        ("os", "", octet_string(b"")),
        ("os", "text:Push", octet_string(b"Push")),
        ("os", "hex:00ff", octet_string(b"\x00\xff")),
        ("os", "2026-11-25T10:00:00+01:00", octet_string(bytes.fromhex("07ea0b19030a000000ffc400"))),
        ("text", "lab.example:4059", octet_string(b"lab.example:4059")),
        ("text", "hex:01ff", octet_string(b"\x01\xff")),
        ("text", "text:hex:01", octet_string(b"hex:01")),
        ("text", " two words ", octet_string(b" two words ")),
        ("ln", "0-0:1.0.0*255", CLOCK),
        ("ln", "0000010000FF", CLOCK),
        ("dt", "*-03-last Sun 02:00:00", octet_string(bytes.fromhex("ffff03fe0702000000800000"))),
        ("dt", "ffff03fe0702000000800000", octet_string(bytes.fromhex("ffff03fe0702000000800000"))),
        ("da", "*-12-25", octet_string(bytes.fromhex("ffff0c19ff"))),
        ("ti", "06:30:00", octet_string(bytes.fromhex("061e0000"))),
        ("ip4", "192.168.0.1", double_long_unsigned(0xC0A80001)),
        ("ip4", "1", double_long_unsigned(1)),
        ("ip6", "fe80::1", octet_string(bytes.fromhex("fe80" + "00" * 13 + "01"))),
        ("vs", "a b", visible_string("a b")),
        ("vs", "hex:80", visible_string(b"\x80")),
        ("utf8", "é", Data(DataType.UTF8_STRING, "é".encode())),
        ("bs", "10100", Data(DataType.BIT_STRING, BitString(b"\xa0", 5))),
        ("bs", "", Data(DataType.BIT_STRING, BitString(b"", 0))),
        ("bcd", "12", Data(DataType.BCD, 0x12)),
        ("f32", "1.5", Data(DataType.FLOAT32, 1.5)),
        ("null", "", null()),
    ],
)
def test_single_values_are_read_and_written_again(notation, text, data):
    declared = kind(notation)
    assert parse_entry(text, declared) == data
    assert parse_entry(entry_text(data, declared), declared) == data


@pytest.mark.parametrize(
    ("notation", "text", "reason"),
    [
        ("u8", "256", "256 is out of range: unsigned is 0 to 255"),
        ("u8", "-1", "out of range"),
        ("i8", "128", "out of range"),
        ("u8", "1.5", "“1.5” is no whole number"),
        ("u8", "", "is no whole number"),
        ("u8", "9" * 5000, "no whole number|out of range"),
        ("e(control_state)", "open", "“open” is no whole number"),
        ("b", "maybe", "neither true nor false"),
        ("os", "0f0", "is not hex"),
        ("os", "hex:zz", "is not hex"),
        ("os:8", "00ff", "8 octets are needed, these are 2"),
        ("ln", "clock", "not an OBIS code"),
        ("ln", "hex:00", "6 octets are needed, these are 1"),
        ("dt", "yesterday", "is no date-time: write it as"),
        ("da", "2026-13-01", "the month is 13"),
        ("ti", "25:00", "the hour is 25"),
        ("ip4", "192.168.0.256", "192.168.0.256"),
        ("ip6", "fe80", "fe80"),
        ("bs", "102", "only the digits 0 and 1"),
        ("bs:7", "101", "7 bits are needed, these are 3"),
        ("bcd", "123", "two decimal digits"),
        ("f64", "much", "is no number"),
        ("f32", "1e40", "too large for a float32"),
        ("null", "1", "has no value"),
        ("[u8]", "1", "is not written as text"),
        ("any", "1", "is not written as text"),
    ],
)
def test_what_is_wrong_with_a_single_value_is_said(notation, text, reason):
    with pytest.raises(EntryError, match=reason):
        parse_entry(text, kind(notation))


SCRIPTS = array(
    structure(
        long_unsigned(1),
        array(structure(enum(1), long_unsigned(8), CLOCK, integer(2), octet_string(bytes(12)))),
    )
)


def test_a_declared_structure_is_an_object_of_its_fields():
    declared = attribute_of(9, 2).type
    written = to_json(SCRIPTS, declared)
    assert written == [
        {
            "script_identifier": 1,
            "actions": [
                {
                    "service_id": 1,
                    "class_id": 8,
                    "logical_name": "0-0:1.0.0*255",
                    "index": 2,
                    "parameter": {"type": "octet-string", "value": "00" * 12},
                }
            ],
        }
    ]
    assert from_json(json.loads(json.dumps(written)), declared) == SCRIPTS


def test_a_structure_may_be_a_list_of_its_fields_too():
    assert from_json([1, 2], kind("{a u8, b u16}")) == structure(unsigned(1), long_unsigned(2))


def test_what_is_not_declared_carries_its_type():
    assert to_json(unsigned(1)) == {"type": "unsigned", "value": 1}
    assert to_json(null()) == {"type": "null-data"}
    assert to_json(structure(unsigned(1), array(boolean(True)))) == {
        "type": "structure",
        "value": [{"type": "unsigned", "value": 1}, {"type": "array", "value": [{"type": "boolean", "value": True}]}],
    }


def test_what_is_not_as_declared_carries_its_type():
    assert to_json(unsigned(1), kind("e(control_state)")) == {"type": "unsigned", "value": 1}
    assert to_json(structure(unsigned(1)), kind("{a u8, b u8}"))["type"] == "structure"


@pytest.mark.parametrize(
    ("notation", "data", "written"),
    [
        ("null/[i8]", null(), None),
        ("null/[i8]", array(integer(1)), [1]),
        ("u16/u32", long_unsigned(5), 5),
        ("u16/u32", double_long_unsigned(5), {"type": "double-long-unsigned", "value": 5}),
        ("u16/u32", double_long_unsigned(70000), 70000),
        ("b/e(method_access)", boolean(True), True),
        ("b/e(method_access)", enum(2), 2),
        ("b/e(method_access)", enum(1), {"type": "enum", "value": 1}),
    ],
)
def test_a_choice_says_its_type_only_where_it_must(notation, data, written):
    assert to_json(data, kind(notation)) == written
    assert from_json(written, kind(notation)) == data


@pytest.mark.parametrize(
    ("value", "notation", "reason"),
    [
        ({"a": 1}, "{a u8, b u8}", "b is missing"),
        ({"a": 1, "b": 2, "c": 3}, "{a u8, b u8}", "c is no field of"),
        ([1], "{a u8, b u8}", "has 2 fields, these are 1"),
        (5, "{a u8, b u8}", "is an object of its fields"),
        (5, "st", "is a list of values"),
        (5, "[u8]", "array of unsigned is a list"),
        ([1, 256], "[u8]", r"^\[2\]: 256 is out of range"),
        ([{"a": [1, "x"]}], "[{a [u8]}]", r"^\[1\].a\[2\]: “x” is no whole number"),
        ({"a": "x"}, "{a u8}", "^a: “x”"),
        (1, "any", "a type is needed"),
        ({"type": "octet"}, "any", "“octet” is no type"),
        ({"type": ["x"]}, "any", "is no type"),
        ({"type": "unsigned"}, "any", "needs a value"),
        ({"type": "null-data", "value": 1}, "any", "has no value"),
        ({"type": "compact-array", "value": []}, "any", "is entered with"),
        ({"type": "structure", "value": [1]}, "any", "a type is needed"),
        (True, "u8", "true is no unsigned"),
        (1.5, "u8", "1.5 is no unsigned"),
        ([1], "u8", "is a single value"),
        ("x", "null/[i8]", "it is no null-data or array of integer"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(value, notation, reason):
    with pytest.raises(EntryError, match=reason):
        from_json(value, kind(notation))


def test_depth_is_limited():
    deep: object = {"type": "null-data"}
    for _ in range(40):
        deep = {"type": "array", "value": [deep]}
    with pytest.raises(EntryError, match="inside each other"):
        from_json(deep)


def test_a_compact_array_carries_its_description():
    rows = Data(DataType.COMPACT_ARRAY, CompactArray(TypeDescription(DataType.UNSIGNED), (unsigned(1),)))
    told = {"type": "compact-array", "description": "unsigned", "value": [{"type": "unsigned", "value": 1}]}
    assert typed_json(rows) == told
    assert from_json(told) == rows


@pytest.mark.parametrize(
    "description",
    [
        None,
        5,
        "compact-array",
        "dont-care",
        "array",
        "gibberish",
        {},
        {"array": 65536, "of": "unsigned"},
        {"array": "3", "of": "unsigned"},
        {"array": 3},
        {"structure": "unsigned"},
        {"structure": ["gibberish"]},
    ],
)
def test_what_describes_no_type_is_refused(description):
    with pytest.raises(EntryError, match=r"description.*is described as"):
        from_json({"type": "compact-array", "description": description, "value": []})


def test_a_description_has_an_end():
    deep: object = "unsigned"
    for _ in range(40):
        deep = {"structure": [deep]}
    with pytest.raises(EntryError, match="inside each other"):
        from_json({"type": "compact-array", "description": deep, "value": []})


@given(values | compact_arrays())
def test_any_value_of_any_type_goes_round_through_json(data):
    assert encode_data(from_json(json.loads(json.dumps(typed_json(data))))) == encode_data(data)


@given(scalars)
def test_every_type_of_a_single_value_goes_round_through_json(data):
    assert from_json(json.loads(json.dumps(typed_json(data)))) == data


def test_no_declared_structure_looks_like_a_typed_value():
    for known in known_classes():
        for attribute in known.attributes.values():
            for names in field_names(attribute.type):
                assert not {"type"} <= names <= {"type", "value", "description"}


def field_names(declared: ValueType):
    if declared.fields:
        yield {field.name for field in declared.fields}
    inner = [field.type for field in declared.fields] + list(declared.alternatives)
    for part in inner + ([declared.element] if declared.element else []):
        yield from field_names(part)


# -- whatever the value ------------------------------------------------------------------------------------------------

OCTETS = st.binary(max_size=20)
LEAVES = st.one_of(
    st.just(null()),
    st.booleans().map(boolean),
    st.sampled_from(sorted(RANGES)).flatmap(
        lambda one: st.integers(*RANGES[one]).map(lambda number: Data(one, number))
    ),
    st.sampled_from([DataType.OCTET_STRING, DataType.VISIBLE_STRING, DataType.UTF8_STRING]).flatmap(
        lambda one: OCTETS.map(lambda octets: Data(one, octets))
    ),
    st.text("01", max_size=20).map(lambda digits: parse_entry(digits, kind("bs"))),
    st.floats(allow_nan=False).map(lambda number: Data(DataType.FLOAT64, number)),
    st.floats(allow_nan=False, width=32).map(lambda number: Data(DataType.FLOAT32, number)),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        Data, st.sampled_from([DataType.ARRAY, DataType.STRUCTURE]), st.lists(inner, max_size=4).map(tuple)
    ),
    max_leaves=12,
)
DECLARED = st.sampled_from(
    [attribute.type for known in known_classes() for attribute in known.attributes.values()] + [ValueType()]
)


@given(VALUES, DECLARED)
def test_every_value_goes_round_under_every_declaration(data, declared):
    assert from_json(json.loads(json.dumps(to_json(data, declared))), declared) == data


def valid(declared: ValueType) -> st.SearchStrategy[Data]:
    """Values that have the declared type."""
    if declared.is_any:
        return LEAVES if not declared.numeric else st.integers(0, 255).map(unsigned)
    if declared.alternatives:
        return st.one_of([valid(option) for option in declared.alternatives])
    one = declared.kind
    if one is DataType.STRUCTURE:
        parts = st.tuples(*(valid(field.type) for field in declared.fields))
        return parts.map(lambda values: structure(*values))
    if one is DataType.ARRAY:
        return st.lists(valid(declared.element or ValueType()), max_size=3).map(lambda values: array(*values))
    if one in RANGES:
        return st.integers(*RANGES[one]).map(lambda number: Data(one, number))
    if one is DataType.BIT_STRING:
        least, most = (declared.size, declared.size) if declared.size else (0, 24)
        return st.text("01", min_size=least, max_size=most).map(lambda digits: parse_entry(digits, declared))
    if one in (DataType.OCTET_STRING, DataType.VISIBLE_STRING, DataType.UTF8_STRING):
        size = {"min_size": declared.size, "max_size": declared.size} if declared.size else {"max_size": 20}
        return st.binary(**size).map(lambda octets: Data(one, octets))
    return {DataType.NULL_DATA: st.just(null()), DataType.BOOLEAN: st.booleans().map(boolean)}.get(one, LEAVES)


@given(DECLARED.flatmap(lambda declared: st.tuples(st.just(declared), valid(declared))))
def test_every_value_of_a_declared_type_goes_round(pair):
    declared, data = pair
    assert from_json(json.loads(json.dumps(to_json(data, declared))), declared) == data


@given(st.text(max_size=30), DECLARED)
def test_any_text_is_a_value_or_an_error_with_a_sentence(text, declared):
    for option in declared.options:
        try:
            parse_entry(text, option)
        except EntryError as error:
            assert error.reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "value", "a"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON, DECLARED)
def test_any_json_is_a_value_or_an_error_with_a_sentence(value, declared):
    try:
        from_json(value, declared)
    except EntryError as error:
        assert error.reason


def test_a_float_that_is_no_number_can_be_written():
    assert math.isnan(from_json({"type": "float64", "value": "nan"}).value)
