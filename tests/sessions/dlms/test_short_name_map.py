import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.data import array, long, long_unsigned, null, octet_string, structure, unsigned
from meters.cosem.interface_class import interface_class
from meters.cosem.obis import ObisCode
from meters.gxc import read_gxc
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, CosemMethodDescriptor
from sessions.dlms.errors import LocalProtocolError
from sessions.dlms.short_name_map import (
    CURRENT,
    OBJECT_LIST_NAME,
    REPLY_TO_HLS_NAME,
    ShortNameMap,
    ShortNameObject,
)
from tests.conftest import ROOT

DEVICE_FILES = ROOT.parent / "shared" / "gxc"
CLOCK = ObisCode(0, 0, 1, 0, 0, 255)
ENERGY = ObisCode(1, 1, 1, 8, 0, 255)
ASSOCIATION = ObisCode(0, 0, 40, 0, 0, 255)
# Base names as a real meter has them.
OBJECTS = (
    ShortNameObject(0x25D8, 3, 0, ENERGY),
    ShortNameObject(0x2BC0, 8, 0, CLOCK),
    ShortNameObject(0x6270, 7, 1, ObisCode(1, 0, 99, 1, 0, 255)),
    ShortNameObject(0xC670, 22, 0, ObisCode(0, 0, 15, 0, 0, 255)),
    ShortNameObject(0xFA00, 12, 1, ASSOCIATION),
    ShortNameObject(0xFD00, 1, 0, ObisCode(0, 0, 42, 0, 0, 255)),
)
NAMES = ShortNameMap(OBJECTS)


def test_the_names_that_are_needed_before_any_other_is_known():
    assert (OBJECT_LIST_NAME, REPLY_TO_HLS_NAME) == (0xFA08, 0xFA58)


@pytest.mark.parametrize(
    ("descriptor", "variable_name", "words"),
    [
        (CosemAttributeDescriptor(3, ENERGY, 2), 0x25E0, "25D8 + 08: 3/1-1:1.8.0*255 attribute 2 (value)"),
        (CosemAttributeDescriptor(8, CLOCK, 1), 0x2BC0, "2BC0 + 00: 8/0-0:1.0.0*255 attribute 1 (logical name)"),
        (
            CosemAttributeDescriptor(12, ASSOCIATION, 2),
            0xFA08,
            "FA00 + 08: 12/0-0:40.0.0*255 attribute 2 (object list)",
        ),
    ],
)
def test_attributes_both_ways(descriptor, variable_name, words):
    assert NAMES.attribute(descriptor) == variable_name
    meaning = NAMES.meaning(variable_name)
    assert meaning.attribute == descriptor
    assert meaning.method is None
    assert meaning.variable_name == variable_name
    assert str(meaning) == words


@pytest.mark.parametrize(
    ("descriptor", "variable_name", "words"),
    [
        (CosemMethodDescriptor(3, ENERGY, 1), 0x2600, "25D8 + 28: 3/1-1:1.8.0*255 method 1 (reset)"),
        (CosemMethodDescriptor(8, CLOCK, 6), 0x2C48, "2BC0 + 88: 8/0-0:1.0.0*255 method 6 (shift time)"),
        (
            CosemMethodDescriptor(12, ASSOCIATION, 8),
            0xFA58,
            "FA00 + 58: 12/0-0:40.0.0*255 method 8 (reply to HLS authentication)",
        ),
    ],
)
def test_methods_both_ways(descriptor, variable_name, words):
    assert NAMES.method(descriptor) == variable_name
    meaning = NAMES.meaning(variable_name)
    assert meaning.method == descriptor
    assert meaning.attribute is None
    assert meaning.variable_name == variable_name
    assert str(meaning) == words


@pytest.mark.parametrize("variable_name", [0x0000, 0x25D7, 0x25D9, 0x25F0, 0x2BB8, 0xC6A0, 0xFB00, 0xFFFF])
def test_names_that_nothing_known_can_have(variable_name):
    assert NAMES.meaning(variable_name) is None


def test_the_current_association_is_known_without_a_list():
    assert list(ShortNameMap()) == [CURRENT]
    assert ShortNameMap().attribute(CosemAttributeDescriptor(12, ASSOCIATION, 2)) == 0xFA08
    assert list(NAMES)[4].version == 1


# -- what has no short name --------------------------------------------------------------------------------------------


def refused(ask, *descriptor):
    with pytest.raises(LocalProtocolError) as caught:
        ask(*descriptor)
    assert caught.value.layer == "access"
    assert caught.value.hint
    return caught.value


def test_an_object_that_is_not_in_the_list():
    error = refused(NAMES.attribute, CosemAttributeDescriptor(3, ObisCode(1, 0, 2, 8, 0, 255), 2))
    assert error.code == "object-undefined"
    assert "3/1-0:2.8.0*255" in error.message


def test_an_object_of_another_class_is_told_apart():
    error = refused(NAMES.attribute, CosemAttributeDescriptor(15, ASSOCIATION, 2))
    assert error.code == "object-class-inconsistent"
    assert error.hint == "Ask for class 12."


@pytest.mark.parametrize(
    ("ask", "descriptor"),
    [
        (NAMES.attribute, CosemAttributeDescriptor(8, CLOCK, 0)),
        (NAMES.attribute, CosemAttributeDescriptor(12, ASSOCIATION, 5)),
        (NAMES.method, CosemMethodDescriptor(22, ObisCode(0, 0, 15, 0, 0, 255), 1)),
        (ShortNameMap([ShortNameObject(0xFFF8, 3, 0, ENERGY)]).attribute, CosemAttributeDescriptor(3, ENERGY, 2)),
    ],
)
def test_an_element_without_a_place(ask, descriptor):
    assert refused(ask, descriptor).code == "no-short-name"


# -- the list as the meter sends it ------------------------------------------------------------------------------------


@given(
    st.lists(
        st.builds(
            ShortNameObject,
            st.integers(0, 0xFFFF),
            st.integers(0, 0xFFFF),
            st.integers(0, 255),
            st.builds(ObisCode.from_octets, st.binary(min_size=6, max_size=6)),
        ),
        unique_by=lambda each: each.base_name,
    )
)
def test_a_list_goes_round(objects):
    names = ShortNameMap.from_object_list(array(*(each.to_data() for each in objects)))
    assert names == ShortNameMap(objects)
    assert {each.base_name: each for each in names} | {each.base_name: each for each in objects} == {
        each.base_name: each for each in names
    }


def test_base_names_are_signed_on_the_wire_and_taken_unsigned_too():
    assert OBJECTS[4].to_data()[0] == long(-0x600)
    row = structure(long_unsigned(0xFA00), long_unsigned(12), unsigned(1), octet_string(ASSOCIATION.octets))
    assert ShortNameObject.from_data(row) == OBJECTS[4]


NAME = octet_string(CLOCK.octets)


@pytest.mark.parametrize(
    "object_list",
    [
        null(),
        structure(),
        array(null()),
        array(structure(long(8), long_unsigned(8), unsigned(0))),
        array(structure(long(8), null(), unsigned(0), NAME)),
        array(structure(long(8), long_unsigned(8), unsigned(0), unsigned(1))),
        array(structure(long(8), long_unsigned(8), unsigned(0), octet_string(bytes(5)))),
    ],
)
def test_what_is_no_list_is_refused(object_list):
    with pytest.raises(ValueError):
        ShortNameMap.from_object_list(object_list)


def test_maps_are_compared_by_what_they_hold():
    assert ShortNameMap(OBJECTS) == NAMES
    assert hash(ShortNameMap(OBJECTS)) == hash(NAMES)
    assert ShortNameMap() != NAMES
    assert NAMES != OBJECTS
    assert len(NAMES) == len(OBJECTS)
    assert NAMES.knows(8, CLOCK)
    assert not NAMES.knows(3, CLOCK)


def test_a_map_as_json():
    rows = NAMES.as_json()
    assert rows[0] == (0x25D8, 3, 0, "1-1:1.8.0*255")
    assert ShortNameMap.from_json(json.loads(json.dumps(rows))) == NAMES


def test_the_offsets_fit_between_the_base_names_of_real_meters():
    """Every attribute and method of every object in two published object models has a short name of its own."""
    files = sorted(DEVICE_FILES.glob("*-sn.gxc"))
    if not files:
        pytest.skip("the published device files are not here (gxc, beside the captures)")
    seen = 0
    for device in (device for file in files for device in read_gxc(file.read_bytes())):
        names = ShortNameMap(
            ShortNameObject(each.short_name or 0, each.class_id, each.version, each.logical_name)
            for each in device.objects
        )
        assert len(names) == len(device.objects)
        for row in names:
            known = interface_class(row.class_id, row.version)
            for number in known.attributes:
                descriptor = CosemAttributeDescriptor(row.class_id, row.logical_name, number)
                assert names.meaning(names.attribute(descriptor)).attribute == descriptor
            for number in known.methods:
                method = CosemMethodDescriptor(row.class_id, row.logical_name, number)
                assert names.meaning(names.method(method)).method == method
            seen += len(known.attributes) + len(known.methods)
    assert seen > 1300
