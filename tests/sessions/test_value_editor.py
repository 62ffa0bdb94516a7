"""The fields in which values of every declared type are entered."""

from __future__ import annotations

import json

import pytest
from django import forms

from meters.cosem.data import BitString, Data, DataType, array, boolean, enum, integer, null, octet_string, unsigned
from meters.cosem.interface_class import known_classes
from meters.cosem.value_entry import EntryError
from meters.cosem.value_type import Form, parse_type
from sessions.value_editor import TYPE_NAMES, BitsField, ValueEditor, hint, set_bits


def editor(notation: str, **options: object) -> ValueEditor:
    return ValueEditor(parse_type(notation), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("type_name", TYPE_NAMES)
def test_every_type_has_a_field_where_nothing_is_declared(type_name: str) -> None:
    nothing = ValueEditor(None)
    assert nothing.field(type_name).label == "Value"
    assert nothing.initial(type_name) is None
    assert nothing.outline(type_name) == []
    assert not nothing.has_meaning(type_name)


def test_what_is_any_is_as_good_as_nothing() -> None:
    assert editor("any").declared is None
    assert editor("num").declared is None


@pytest.mark.parametrize(
    ("notation", "names"),
    [
        ("u8", ("unsigned",)),
        ("bs/u8/u16", ("bit-string", "unsigned", "long-unsigned")),
        ("null/{a u8}/{b u16}", ("null-data", "structure")),
    ],
)
def test_the_declared_types_come_first(notation: str, names: tuple[str, ...]) -> None:
    found = editor(notation)
    assert found.declared_names == names
    (_, declared), (_, others) = found.type_choices()
    assert [name for name, _ in declared] == list(names)
    assert {name for name, _ in others} == set(TYPE_NAMES) - set(names)
    assert found.type_choices("none")[0] == ("", "none")
    assert found.initial_type == names[0]


def test_a_type_of_several_shapes_keeps_them_all() -> None:
    found = editor("null/{a u8}/{b u16}")
    assert found.read("structure", '{"b": 5}') == Data(DataType.STRUCTURE, (Data(DataType.LONG_UNSIGNED, 5),))
    assert [line.strip() for line in found.outline("structure")].count("a: unsigned") == 1


@pytest.mark.parametrize(
    ("notation", "type_name", "widget"),
    [
        ("u8", "unsigned", forms.TextInput),
        ("e", "enum", forms.TextInput),
        ("e(control_state)", "enum", forms.Select),
        ("b", "boolean", forms.Select),
        ("u8(clock_status)", "unsigned", forms.CheckboxSelectMultiple),
        ("bs:7(weekdays)", "bit-string", forms.CheckboxSelectMultiple),
        ("u16(validity_window)<min>", "long-unsigned", forms.TextInput),
        ("script", "structure", forms.Textarea),
        ("[u8]", "array", forms.Textarea),
        ("dt", "octet-string", forms.TextInput),
        ("e(control_state)", "unsigned", forms.TextInput),
    ],
)
def test_the_declaration_decides_the_field(notation: str, type_name: str, widget: type) -> None:
    assert type(editor(notation).field(type_name).widget) is widget
    plain = editor(notation, plain=True).field(type_name).widget
    assert isinstance(plain, forms.Textarea | forms.TextInput) or type_name == "boolean"


@pytest.mark.parametrize(
    ("notation", "words"),
    [
        ("u16<s>", "0 to 65535 s."),
        ("i8", "-128 to 127."),
        ("u16(validity_window)<min>", "0 to 65535 min. 65535 any time."),
        ("os", "Octets in hex such as 00ff, characters as text:…, or a time such as 2026-11-25T10:00+01:00."),
        ("os:16", "16 octets, in hex."),
        ("bs:24", "24 bits."),
        ("ln", "An OBIS code, such as 0-0:1.0.0*255."),
        ("text", "Characters, or hex:00ff for octets."),
        ("zero", "Always 0."),
        ("f32", ""),
        ("e(control_state)", ""),
        ("script", "JSON: structures as objects of their fields, arrays as lists."),
        ("st", 'JSON, a list such as [{"type": "unsigned", "value": 1}].'),
        ("null", "It has no value."),
    ],
)
def test_the_hint_says_what_may_stand_there(notation: str, words: str) -> None:
    assert hint(parse_type(notation)) == words


@pytest.mark.parametrize(
    ("notation", "current", "value"),
    [
        ("u8", unsigned(5), "5"),
        ("e(control_state)", enum(1), "1"),
        ("b", boolean(True), "true"),
        ("u8(clock_status)", unsigned(0x81), ["0", "7"]),
        ("bs:7(weekdays)", Data(DataType.BIT_STRING, BitString(b"\xc0", 7)), ["0", "1"]),
        ("ln", octet_string(bytes.fromhex("0000010000ff")), "0-0:1.0.0*255"),
        ("text", octet_string(b"lab"), "lab"),
        ("[u8]", array(unsigned(1), unsigned(2)), "[\n 1,\n 2\n]"),
        ("any", unsigned(5), "5"),
        ("u8", enum(5), "5"),  # not as declared: of its own type
    ],
)
def test_the_current_value_stands_in_the_field_and_is_read_again(notation: str, current: Data, value: object) -> None:
    found = editor(notation, current=current)
    assert found.initial_type == current.type.asn1_name
    assert found.initial(found.initial_type) == value
    assert found.read(found.initial_type, found.initial(found.initial_type)) == current


def test_a_parameter_that_is_always_0_is_filled_in() -> None:
    assert editor("zero").initial("integer") == "0"
    assert editor("zero").read("integer", "0") == integer(0)
    assert editor("u8").initial("unsigned") is None


def test_a_current_value_of_another_type_is_no_beginning_for_this_one() -> None:
    assert editor("u8/u16", current=unsigned(5)).initial("long-unsigned") is None


def test_a_current_value_that_cannot_be_entered_is_left_out() -> None:
    assert editor("u8", current=Data(DataType.DONT_CARE)).initial_type == "unsigned"


def test_a_word_that_is_missing_is_kept() -> None:
    choices = editor("e(control_state)", current=enum(99)).field("enum").widget.choices
    assert ("99", "99") in choices


def test_bits_without_names_are_there_to_tick() -> None:
    field = editor("bs:8(current_credit_status)").field("bit-string")
    assert isinstance(field, BitsField)
    assert ("7", "bit 7") in field.choices


@pytest.mark.parametrize(
    ("notation", "type_name", "bits", "data"),
    [
        ("u8(clock_status)", "unsigned", ["0", "7"], unsigned(0x81)),
        ("u8(clock_status)", "unsigned", [], unsigned(0)),
        ("bs:7(weekdays)", "bit-string", ["0"], Data(DataType.BIT_STRING, BitString(b"\x80", 7))),
        ("bs(weekdays)", "bit-string", ["6"], Data(DataType.BIT_STRING, BitString(b"\x02", 7))),
    ],
)
def test_ticked_bits_become_the_value(notation: str, type_name: str, bits: list[str], data: Data) -> None:
    assert editor(notation).read(type_name, bits) == data


def test_a_bit_string_keeps_the_length_that_was_read() -> None:
    current = Data(DataType.BIT_STRING, BitString(b"\x00\x00", 12))
    assert editor("bs(weekdays)", current=current).read("bit-string", ["1"]).value.length == 12


@pytest.mark.parametrize("text", ["", "{", "[1", "[" * 3000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(EntryError, match=r"JSON|inside each other"):
        editor("[u8]").read("array", text)


def test_plainly_octets_mean_nothing() -> None:
    plain = editor("dt", plain=True)
    assert plain.read("octet-string", "00ff") == octet_string(b"\x00\xff")
    assert plain.option("octet-string").form is Form.PLAIN
    assert editor("dt").has_meaning("octet-string")
    assert not editor("script").has_meaning("structure")
    assert editor("script", plain=True).option("structure").fields  # a structure keeps its names


def test_every_declared_type_of_every_class_has_a_field() -> None:
    for known in known_classes():
        types = [attribute.type for attribute in known.attributes.values()]
        types += [method.parameter for method in known.methods.values() if method.parameter is not None]
        for declared in types:
            found = ValueEditor(declared)
            for name in found.declared_names:
                if name in TYPE_NAMES:
                    assert found.field(name).label == "Value"
                    assert found.outline(name) or not declared.fields


@pytest.mark.parametrize(
    ("data", "bits"),
    [(unsigned(5), [0, 2]), (enum(0), []), (Data(DataType.BIT_STRING, BitString(b"\xa0", 4)), [0, 2]), (null(), [])],
)
def test_set_bits(data: Data, bits: list[int]) -> None:
    assert set_bits(data) == bits


def test_what_is_drawn_for_a_structure_is_json() -> None:
    current = array(unsigned(1))
    assert json.loads(editor("[u8]", current=current).initial("array")) == [1]
