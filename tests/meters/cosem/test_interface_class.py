import pytest

from meters.cosem.class_structures import STRUCTURES
from meters.cosem.class_tables import ALL
from meters.cosem.class_words import BITS, WORDS
from meters.cosem.data import array, integer, long_unsigned, octet_string, structure, unsigned
from meters.cosem.interface_class import (
    Access,
    attribute_name,
    attribute_of,
    class_name,
    interface_class,
    known_classes,
    known_versions,
    method_name,
    method_of,
)

# The Blue Book's list of classes (edition 17): class, current version, and of that version the number of attributes, of the
# last method, and the hexadecimal offset of the first method where the class tables print one.
BLUE_BOOK = """
1:0 2 0 -     3:0 3 1 28    4:0 5 1 38    5:0 9 2 48    6:0 4 3 30    7:1 8 2 58    8:0 9 6 60    9:0 2 1 20    10:0 2 3 20
11:0 2 2 10   12:4 6 10 20  15:3 11 6 60  17:0 2 1 20   18:0 7 4 40   19:1 9 0 -    20:0 10 1 50  21:0 4 0 -    22:0 4 0 -
23:1 9 0 -    24:1 5 0 -    25:0 5 0 -    26:0 4 0 -    27:1 4 0 -    28:2 7 0 -    29:2 6 1 -    30:0 6 3 -    40:3 13 2 38
41:0 6 0 -    42:0 10 3 60  43:0 2 0 -    44:0 5 0 -    45:0 4 0 -    46:0 6 0 -    47:2 8 0 -    48:0 10 2 -   50:1 15 0 -
51:0 2 1 -    52:0 5 0 -    53:0 8 1 -    55:1 3 0 -    56:0 2 0 -    57:0 2 0 -    58:0 9 0 -    59:0 6 0 -    61:0 4 2 28
62:1 6 2 30   63:0 3 0 -    64:1 6 8 30   65:1 8 2 -    66:0 9 2 48   67:0 15 1 80  68:0 6 2 -    70:2 4 2 20   71:0 11 0 -
72:2 14 8 -   73:1 4 0 -    74:0 2 0 -    76:0 11 0 -   77:0 9 1 -    80:0 3 1 -    81:0 5 1 -    82:0 8 0 -    83:0 14 0 -
84:0 7 1 -    85:0 6 1 -    86:0 4 0 -    90:1 10 1 -   91:4 26 2 -   92:4 23 0 -   95:0 15 1 -   96:0 1 0 -    97:0 9 1 48
98:0 13 1 70  100:0 7 3 -   101:0 12 0 -  102:0 5 0 -   103:0 3 0 -   104:0 4 11 20 105:0 5 0 -   111:0 19 3 -  112:0 11 3 -
113:0 13 5 -  115:0 6 1 -   116:0 12 0 -  122:0 3 3 -   123:0 2 5 -   124:0 10 1 -  126:0 4 0 -   127:0 7 1 -   128:0 11 3 -
129:0 1 0 -   130:0 6 0 -   131:0 2 0 -   132:1 11 1 70 133:1 9 1 60  140:0 9 0 -   141:0 4 0 -   142:0 3 0 -   143:0 2 0 -
151:1 3 0 -   152:0 13 0 -  153:0 5 1 -   160:0 1 0 -   161:1 1 0 -   162:1 1 0 -   170:0 1 0 -
"""
_CELLS = BLUE_BOOK.split()
LISTED = [_CELLS[start : start + 4] for start in range(0, len(_CELLS), 4)]
_EARLIER = """
7:0 12:0 12:1 12:2 12:3 15:0 15:1 15:2 23:0 28:0 29:1 40:0 40:1 40:2 47:0 47:1 62:0 64:0 65:0 70:0 70:1
72:0 72:1 91:0 91:2 91:3 92:0 92:2 92:3 132:0 133:0 151:0
"""
EARLIER_VERSIONS = _EARLIER.split()
GUIDE = {1, 3, 4, 5, 7, 8, 9, 11, 15, 17, 20, 21, 40, 64, 70, 71}
NAME_ONLY = {96, 129, 160, 161, 162, 170}
"""Classes of which the sources give no more than number, version and name."""
KNOWN = {(known.class_id, known.version): known for known in known_classes()}


def numbers(text: str) -> tuple[int, int]:
    class_id, version = text.split(":")
    return int(class_id), int(version)


def test_the_classes_of_the_guide_are_here():
    assert GUIDE.issubset({class_id for class_id, _ in KNOWN})


@pytest.mark.parametrize(("listed", "attributes", "methods", "offset"), LISTED, ids=[row[0] for row in LISTED])
def test_every_class_of_the_blue_book_is_here_as_it_lists_it(listed, attributes, methods, offset):
    known = KNOWN[numbers(listed)]
    assert known is interface_class(known.class_id), "the current version is the latest one"
    assert len(known.attributes) == int(attributes)
    assert max(known.methods, default=0) == int(methods)
    assert known.first_method_offset == (None if offset == "-" else int(offset, 16))


def test_the_earlier_versions_are_here_and_nothing_else():
    assert set(KNOWN) == {numbers(row[0]) for row in LISTED} | {numbers(text) for text in EARLIER_VERSIONS}


@pytest.mark.parametrize(("class_id", "version"), KNOWN, ids=lambda number: str(number))
def test_classes_are_whole(class_id, version):
    known = KNOWN[class_id, version]
    assert (known.class_id, known.version) == (class_id, version)
    assert known.name
    assert list(known.attributes) == list(range(1, len(known.attributes) + 1))
    assert known.attributes[1].name == "logical_name"
    assert len({attribute.name for attribute in known.attributes.values()}) == len(known.attributes)
    assert (len(known.attributes) > 1) is (class_id not in NAME_ONLY)
    for number, attribute in known.attributes.items():
        assert attribute.attribute_id == number
        assert attribute.name.strip(" ,|~!=")
        assert str(attribute.type)
    for number, method in known.methods.items():
        assert method.method_id == number
        assert method.name
        assert " " not in method.name


def test_no_words_and_no_structure_stand_unused():
    notations = ALL + " ".join(STRUCTURES.values())
    for name in (*WORDS, *BITS):
        assert f"({name})" in notations, name
    for name in STRUCTURES:
        assert f" {name}" in notations or f"[{name}]" in notations or f"/{name}" in notations, name


# -- short names -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("class_id", "version"), KNOWN, ids=lambda number: str(number))
def test_no_two_elements_of_an_object_have_one_short_name(class_id, version):
    known = KNOWN[class_id, version]
    elements = [*known.attributes.values(), *known.methods.values()]
    offsets = [element.offset for element in elements if element.offset is not None]
    assert len(set(offsets)) == len(offsets)
    assert all(offset % 8 == 0 for offset in offsets)


@pytest.mark.parametrize(
    ("class_id", "version", "attribute_id", "offset"),
    [
        (3, 0, 1, 0x00),
        (3, 0, 2, 0x08),
        (3, 0, 3, 0x10),
        (8, 0, 9, 0x40),
        (12, 0, 2, 0x08),
        (12, 3, 5, 0x20),  # where older versions have a method
        (12, 3, 6, 0x28),
        (40, 2, 7, 0x30),
        (40, 2, 8, None),  # would stand where the methods begin
        (98, 0, 2, 0x08),
        (98, 0, 3, 0x18),  # x + 10 is left out
        (98, 0, 13, 0x68),
    ],
)
def test_attributes_are_eight_apart(class_id, version, attribute_id, offset):
    assert interface_class(class_id, version).attributes[attribute_id].offset == offset


@pytest.mark.parametrize(
    ("class_id", "version", "method_id", "offset"),
    [
        (3, 0, 1, 0x28),
        (8, 0, 6, 0x88),
        (12, 0, 1, 0x20),
        (12, 0, 5, 0x40),
        (12, 0, 8, 0x58),
        (12, 3, 8, 0x58),
        (12, 3, 10, 0x68),
        (64, 0, 2, 0x30),
        (64, 1, 2, 0x38),
        (70, 0, 2, 0x28),
        (72, 1, 1, None),
    ],
)
def test_methods_begin_where_the_class_says(class_id, version, method_id, offset):
    assert interface_class(class_id, version).methods[method_id].offset == offset


# -- attributes and methods --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("class_id", "attribute_id", "name", "kind"),
    [
        (1, 2, "value", "any"),
        (5, 8, "period", "double-long-unsigned"),
        (7, 2, "buffer", "array of structure or compact-array"),
        (7, 3, "capture_objects", "array of capture object"),
        (7, 5, "sort_method", "enum"),
        (8, 2, "time", "octet-string (date-time)"),
        (8, 3, "time_zone", "long"),
        (9, 2, "scripts", "array of script"),
        (15, 4, "application_context_name", "octet-string (object identifier) or context name"),
        (15, 9, "security_setup_reference", "octet-string (logical name)"),
        (20, 10, "activate_passive_calendar_time", "octet-string (date-time)"),
        (21, 2, "thresholds", "array of any"),
        (42, 3, "IP_address", "double-long-unsigned (IPv4 address)"),
        (47, 8, "capture_time", "octet-string (date-time)"),
        (63, 3, "mapping_table", "mapping table"),
        (64, 6, "certificates", "array of certificate"),
        (68, 4, "weightings_table", "array of array of long-unsigned"),
        (70, 2, "output_state", "boolean"),
        (71, 10, "emergency_profile_active", "boolean"),
        (111, 4, "current_credit_status", "bit-string (8 bits)"),
    ],
)
def test_attributes(class_id, attribute_id, name, kind):
    attribute = attribute_of(class_id, attribute_id)
    assert (attribute.name, str(attribute.type)) == (name, kind)


@pytest.mark.parametrize(
    ("class_id", "version", "method_id", "name", "parameter"),
    [
        (3, 0, 1, "reset", "integer (always 0)"),
        (7, 0, 3, "get_buffer_by_range", "None"),
        (8, 0, 5, "preset_adjusting_time", "preset time"),
        (8, 0, 6, "shift_time", "long"),
        (10, 0, 1, "enable/disable", "schedule ranges"),
        (12, 0, 4, "get_attributes&methods", "None"),
        (15, 0, 3, "add_object", "object"),
        (64, 0, 2, "global_key_transfer", "array of wrapped key"),
        (64, 1, 7, "export_certificate", "certificate identification"),
        (70, 0, 1, "remote_disconnect", "integer (always 0)"),
    ],
)
def test_methods(class_id, version, method_id, name, parameter):
    method = method_of(class_id, method_id, version)
    assert (method.name, str(method.parameter)) == (name, parameter)


def test_what_is_done_with_an_attribute():
    assert attribute_of(7, 7).access is Access.KEPT_BY_METER
    assert attribute_of(7, 8).access is Access.CONFIGURED
    assert attribute_of(15, 7).access is Access.WRITE_ONLY


def test_names():
    assert class_name(7) == "Profile generic"
    assert attribute_name(3, 3) == "scaler_unit"
    assert attribute_name(7, 8) == "profile_entries"
    assert method_name(70, 1) == "remote_disconnect"
    assert method_name(7, 3) == "get_buffer_by_range"  # of the first version only


def test_the_unknown_still_has_a_name():
    assert interface_class(9999) is None
    assert known_versions(9999) == ()
    assert class_name(9999) == "class 9999"
    assert attribute_name(9999, 2) == "attribute 2"
    assert attribute_name(3, 77) == "attribute 77"
    assert method_name(1, 1) == "method 1"
    assert attribute_of(9999, 2) is None
    assert attribute_of(3, 77, 0) is None
    assert method_of(9999, 1) is None
    assert method_of(3, 9) is None


# -- versions ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("class_id", "version", "found"),
    [
        (64, 0, 0),
        (64, 1, 1),
        (64, 9, 1),  # newer than known
        (28, 1, 0),  # between: the highest below
        (40, 3, 3),
        (23, 0, 0),
        (19, 0, 1),  # older than known
        (15, None, 3),
    ],
)
def test_a_version_decides_and_the_highest_below_helps(class_id, version, found):
    assert interface_class(class_id, version).version == found


def test_a_later_version_takes_over_what_stays():
    first, later = interface_class(91, 0), interface_class(91, 3)
    assert later.name == first.name
    assert [later.attributes[number] for number in first.attributes] == list(first.attributes.values())
    assert later.methods[1] == first.methods[1]


def test_a_later_version_may_change_a_type():
    assert str(attribute_of(23, 5, 0).type) == "unsigned"
    assert str(attribute_of(23, 5, 1).type) == "long-unsigned"
    assert attribute_of(64, 2, 0).type.words[3] == "all messages authenticated and encrypted"
    assert attribute_of(64, 2, 1).type.words[2] == "authenticated request"


def test_without_a_version_the_value_may_tell_it():
    four = array(structure(long_unsigned(3), octet_string(bytes(6)), integer(2), long_unsigned(0)))
    assert len(attribute_of(40, 2).type.element.fields) == 6
    assert len(attribute_of(40, 2, value=four).type.element.fields) == 4
    assert str(attribute_of(23, 5, value=unsigned(128)).type) == "unsigned"
    assert str(attribute_of(23, 5, value=octet_string(b"")).type) == "long-unsigned"  # none fits: the latest
