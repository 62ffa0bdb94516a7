import pytest

from meters.cosem.data import DataType
from meters.cosem.interface_class import _CLASSES as KNOWN
from meters.cosem.interface_class import attribute_name, class_name, interface_class, method_name

GUIDE = {1, 3, 4, 5, 7, 8, 9, 11, 15, 17, 20, 21, 40, 64, 70, 71}
VERSIONS = [(class_id, version) for class_id, versions in KNOWN.items() for version in versions]


def test_the_classes_of_the_guide_are_here():
    assert GUIDE.issubset(KNOWN)


@pytest.mark.parametrize(("class_id", "version"), VERSIONS, ids=lambda number: str(number))
def test_classes_are_whole(class_id, version):
    known = interface_class(class_id, version)
    assert (known.class_id, known.version) == (class_id, version)
    assert known.name
    assert list(known.attributes) == list(range(1, len(known.attributes) + 1))
    assert known.attributes[1].name == "logical_name"
    assert len({attribute.name for attribute in known.attributes.values()}) == len(known.attributes)
    for number, attribute in known.attributes.items():
        assert attribute.attribute_id == number
        assert attribute.name.strip()
        assert attribute.type == "any" or DataType[attribute.type.upper().replace("-", "_")]
    assert list(known.methods) == list(range(1, len(known.methods) + 1))
    assert all(name.strip() and " " not in name for name in known.methods.values())


@pytest.mark.parametrize(
    ("class_id", "version", "attributes", "methods"),
    [
        (1, 0, 2, 0),
        (3, 0, 3, 1),
        (4, 0, 5, 1),
        (5, 0, 9, 2),
        (7, 0, 8, 4),
        (7, 1, 8, 2),
        (8, 0, 9, 6),
        (9, 0, 2, 1),
        (11, 0, 2, 2),
        (12, 3, 6, 10),
        (15, 0, 8, 4),
        (15, 1, 9, 4),
        (15, 2, 11, 6),
        (15, 3, 11, 6),
        (17, 0, 2, 1),
        (18, 0, 7, 4),
        (20, 0, 10, 1),
        (21, 0, 4, 0),
        (40, 0, 7, 1),
        (40, 2, 13, 2),
        (64, 0, 5, 2),
        (64, 1, 6, 8),
        (70, 0, 4, 2),
        (71, 0, 11, 0),
        (72, 1, 14, 8),
        (91, 3, 26, 2),
        (92, 3, 23, 0),
        (111, 0, 19, 3),
        (113, 0, 13, 5),
    ],
)
def test_how_many_attributes_and_methods_the_standard_gives(class_id, version, attributes, methods):
    known = interface_class(class_id, version)
    assert (len(known.attributes), len(known.methods)) == (attributes, methods)


@pytest.mark.parametrize(
    ("class_id", "attribute_id", "name", "kind"),
    [
        (5, 8, "period", "double-long-unsigned"),
        (7, 5, "sort_method", "enum"),
        (8, 3, "time_zone", "long"),
        (15, 9, "security_setup_reference", "octet-string"),
        (20, 10, "activate_passive_calendar_time", "octet-string"),
        (64, 6, "certificates", "array"),
        (70, 2, "output_state", "boolean"),
        (71, 10, "emergency_profile_active", "boolean"),
        (47, 8, "capture_time", "date-time"),
    ],
)
def test_attributes(class_id, attribute_id, name, kind):
    attribute = interface_class(class_id).attributes[attribute_id]
    assert (attribute.name, attribute.type) == (name, kind)


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


@pytest.mark.parametrize(
    ("class_id", "version", "found"),
    [
        (64, 0, 0),
        (64, 1, 1),
        (64, 9, 1),  # newer than known
        (40, 1, 0),  # between: the highest below
        (40, 3, 2),
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
