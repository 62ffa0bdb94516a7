import pytest

from meters.cosem.interface_class import attribute_name, class_name, interface_class, method_name

GUIDE = [1, 3, 4, 5, 7, 8, 9, 11, 15, 17, 20, 21, 40, 70, 71]
TYPES = {
    "any",
    "array",
    "structure",
    "boolean",
    "bit-string",
    "double-long-unsigned",
    "octet-string",
    "visible-string",
    "integer",
    "long",
    "unsigned",
    "long-unsigned",
    "enum",
    "date-time",
}


@pytest.mark.parametrize("class_id", [*GUIDE, 18, 23, 41, 64])
def test_classes_are_whole(class_id):
    known = interface_class(class_id)
    assert known is not None
    assert list(known.attributes) == list(range(1, len(known.attributes) + 1))
    assert known.attributes[1].name == "logical_name"
    assert all(attribute.name and attribute.type in TYPES for attribute in known.attributes.values())
    assert all(number > 0 and name for number, name in known.methods.items())


def test_names():
    assert class_name(7) == "Profile generic"
    assert attribute_name(3, 3) == "scaler_unit"
    assert attribute_name(7, 8) == "profile_entries"
    assert method_name(70, 1) == "remote_disconnect"


def test_the_unknown_still_has_a_name():
    assert interface_class(9999) is None
    assert class_name(9999) == "class 9999"
    assert attribute_name(9999, 2) == "attribute 2"
    assert attribute_name(3, 77) == "attribute 77"
    assert method_name(1, 1) == "method 1"


def test_a_version_decides_and_the_nearest_helps():
    assert len(interface_class(64, 0).methods) == 2
    assert len(interface_class(64, 1).methods) == 8
    assert interface_class(15, 3).version == 2
