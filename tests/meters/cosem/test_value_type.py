import pytest

from meters.cosem.class_structures import STRUCTURES
from meters.cosem.data import (
    BitString,
    Data,
    DataType,
    array,
    boolean,
    enum,
    integer,
    long_unsigned,
    null,
    octet_string,
    structure,
    unsigned,
    visible_string,
)
from meters.cosem.date_time import CosemDateTime
from meters.cosem.value_type import Form, legend, outline, parse_type

MOMENT = CosemDateTime.decode(bytes.fromhex("07ea0b19030a000000ffc400"))


@pytest.mark.parametrize(
    ("notation", "shown"),
    [
        ("u8", "unsigned"),
        ("i64", "long64"),
        ("utf8", "utf8-string"),
        ("any", "any"),
        ("num", "any number"),
        ("ln", "octet-string (logical name)"),
        ("dt", "octet-string (date-time)"),
        ("os:16", "octet-string (16 octets)"),
        ("bs:24", "bit-string (24 bits)"),
        ("bs:24(conformance)", "bit-string (24 bits)"),
        ("e(sort_method)", "enum"),
        ("u32<s>", "double-long-unsigned"),
        ("[u8]", "array of unsigned"),
        ("[[u16]]", "array of array of long-unsigned"),
        ("{a u8, b [vs]}", "structure of a, b"),
        ("null/[i8]", "null-data or array of integer"),
        ("[st]/ca", "array of structure or compact-array"),
        ("script", "script"),
        ("[object_3]", "array of object"),
    ],
)
def test_the_notation_is_read(notation, shown):
    assert str(parse_type(notation)) == shown


@pytest.mark.parametrize("notation", ["", "u9", "[u8", "{a}", "{a u8", "u8)", "e(nothing)", "u8 u8", "u8/", "[]", "{}"])
def test_what_is_no_notation_is_refused(notation):
    with pytest.raises(ValueError):
        parse_type(notation)


@pytest.mark.parametrize("name", STRUCTURES)
def test_every_structure_has_fields_with_names_of_their_own(name):
    declared = parse_type(name)
    names = [part.name for part in declared.fields]
    assert declared.kind is DataType.STRUCTURE
    assert names
    assert len(set(names)) == len(names)
    assert declared.title


def test_words_units_and_lengths():
    assert parse_type("e(sort_method)").words[1] == "FIFO"
    assert not parse_type("e(sort_method)").bits
    assert parse_type("bs:7(weekdays)").bits
    assert parse_type("u32<s>").unit == "s"
    assert parse_type("ln").size == 6
    assert parse_type("ln").form is Form.LOGICAL_NAME


@pytest.mark.parametrize(
    ("notation", "data", "fits"),
    [
        ("any", structure(), True),
        ("num", unsigned(1), True),
        ("num", visible_string("1"), False),
        ("u8", unsigned(1), True),
        ("u8", enum(1), False),
        ("ln", octet_string(bytes(6)), True),
        ("ln", octet_string(bytes(5)), False),
        ("os", octet_string(b""), True),
        ("dt", octet_string(bytes(12)), True),
        ("dt", Data(DataType.DATE_TIME, MOMENT), True),
        ("da", Data(DataType.DATE_TIME, MOMENT), False),
        ("da", Data(DataType.DATE, MOMENT.date), True),
        ("ti", Data(DataType.TIME, MOMENT.time), True),
        ("bs:2", Data(DataType.BIT_STRING, BitString(b"\x80", 2)), True),
        ("bs:2", Data(DataType.BIT_STRING, BitString(b"\x80", 3)), False),
        ("[u8]", array(unsigned(1), unsigned(2)), True),
        ("[u8]", array(unsigned(1), enum(2)), False),
        ("[u8]", structure(unsigned(1)), False),
        ("{a u8, b e}", structure(unsigned(1), enum(2)), True),
        ("{a u8, b e}", structure(unsigned(1)), False),
        ("{a u8, b e}", structure(unsigned(1), enum(2), enum(3)), False),
        ("st", structure(unsigned(1)), True),
        ("null/[i8]", null(), True),
        ("null/[i8]", array(integer(1)), True),
        ("null/[i8]", array(unsigned(1)), False),
        ("b/e", boolean(True), True),
    ],
)
def test_whether_a_value_has_the_type(notation, data, fits):
    assert parse_type(notation).fits(data) is fits


def test_a_choice_takes_the_alternative_of_the_value():
    choice = parse_type("null/{a u8, b u8}/{a u16, b u16}/[u8]")
    second = structure(long_unsigned(1), long_unsigned(2))
    assert choice.alternative_for(second).fields[0].type.kind is DataType.LONG_UNSIGNED
    assert choice.alternative_for(structure(unsigned(1))).fields  # none fits: one of the same kind
    assert choice.alternative_for(enum(1)) is choice
    assert parse_type("u8").alternative_for(enum(1)) == parse_type("u8")


def test_what_one_may_choose_from():
    assert [str(option) for option in parse_type("null/u8/[i8]").options] == [
        "null-data",
        "unsigned",
        "array of integer",
    ]
    assert parse_type("any").options == ()
    assert parse_type("u8").options == (parse_type("u8"),)


@pytest.mark.parametrize(
    ("notation", "constructed"), [("u8", False), ("[u8]", True), ("st", True), ("null/[i8]", True), ("any", False)]
)
def test_what_is_made_of_others(notation, constructed):
    assert parse_type(notation).constructed is constructed


def test_the_outline_says_what_is_expected():
    assert list(outline(parse_type("[script]"))) == [
        "array, each element:",
        "  script_identifier: long-unsigned",
        "  actions: array of script action",
        "    service_id: enum (1 write attribute, 2 execute method)",
        "    class_id: long-unsigned (class)",
        "    logical_name: octet-string (logical name)",
        "    index: integer (attribute)",
        "    parameter: any",
    ]


def test_the_outline_names_every_alternative():
    lines = list(outline(parse_type("restriction")))
    assert lines[0] == "restriction_type: enum (0 none, 1 by date, 2 by entry)"
    assert lines.count("    from_date: octet-string (date-time)") == 1
    assert lines.count("    from_entry: double-long-unsigned") == 1


def test_the_legend_is_short_or_left_out():
    assert legend(parse_type("e(control_state)")) == "0 disconnected, 1 connected, 2 ready for reconnection"
    assert legend(parse_type("bs:3(collection_configuration)")).startswith("bit 0 collect when disconnected, ")
    assert legend(parse_type("e(unit)")) == ""
