import pytest

from meters.cosem.interface_class import _CLASSES as KNOWN
from meters.cosem.short_names import (
    _RETURNING,
    Element,
    attribute_offset,
    element_at,
    method_offset,
    returns_something,
)

VERSIONS = [(class_id, version) for class_id, versions in KNOWN.items() for version in versions]


@pytest.mark.parametrize(
    ("class_id", "version", "element", "offset"),
    [
        (1, 0, Element(2), 0x08),
        (3, 0, Element(1), 0x00),
        (3, 0, Element(2), 0x08),
        (3, 0, Element(3), 0x10),
        (3, 0, Element(1, is_method=True), 0x28),
        (4, 0, Element(1, is_method=True), 0x38),
        (5, 0, Element(9), 0x40),
        (5, 0, Element(2, is_method=True), 0x50),
        (7, 1, Element(2), 0x08),
        (7, 1, Element(1, is_method=True), 0x58),
        (7, 0, Element(3, is_method=True), 0x68),
        (8, 0, Element(9), 0x40),
        (8, 0, Element(6, is_method=True), 0x88),
        (12, 0, Element(2), 0x08),
        (12, 2, Element(4), 0x18),
        (12, 0, Element(3, is_method=True), 0x30),
        (12, 0, Element(5, is_method=True), 0x40),
        (12, 0, Element(8, is_method=True), 0x58),
        (12, 3, Element(10, is_method=True), 0x68),
        (17, 0, Element(1, is_method=True), 0x20),
        (18, 0, Element(2, is_method=True), 0x48),
        (64, 0, Element(1, is_method=True), 0x28),
        (64, 1, Element(1, is_method=True), 0x30),
        (70, 0, Element(2, is_method=True), 0x28),
    ],
)
def test_offsets_both_ways(class_id, version, element, offset):
    offset_of = method_offset if element.is_method else attribute_offset
    assert offset_of(class_id, version, element.number) == offset
    assert element_at(class_id, version, offset) == element


@pytest.mark.parametrize(("class_id", "version"), VERSIONS, ids=str)
def test_no_two_elements_of_a_class_share_a_place(class_id, version):
    known = KNOWN[class_id][version]
    places = [attribute_offset(class_id, version, number) for number in known.attributes]
    places += [method_offset(class_id, version, number) for number in known.methods]
    taken = [place for place in places if place is not None]
    assert len(set(taken)) == len(taken)
    for number in known.attributes:
        place = attribute_offset(class_id, version, number)
        assert place is None or element_at(class_id, version, place) == Element(number)
    for number in known.methods:
        place = method_offset(class_id, version, number)
        assert place is None or element_at(class_id, version, place) == Element(number, is_method=True)


def test_attributes_that_would_lie_under_the_methods_have_no_place():
    assert attribute_offset(12, 0, 5) is None
    assert attribute_offset(3, 0, 6) is None


def test_attributes_that_are_not_known_have_their_regular_place():
    assert attribute_offset(3, 0, 4) == 0x18
    assert attribute_offset(1, 0, 7) == 0x30


def test_unknown_classes_have_attributes_only():
    assert attribute_offset(8192, 0, 9) == 0x40
    assert method_offset(8192, 0, 1) is None
    assert element_at(8192, 0, 0x40) == Element(9)


@pytest.mark.parametrize("offset", [-8, 3, 0x18, 0x30])
def test_between_and_beyond_the_elements_stands_nothing(offset):
    assert element_at(3, 0, offset) is None


@pytest.mark.parametrize("number", [0, -1])
def test_numbers_below_one_have_no_place(number):
    assert attribute_offset(3, 0, number) is None
    assert method_offset(3, 0, number) is None


def test_what_returns_something_is_a_known_method():
    for class_id, method_id in _RETURNING:
        assert any(method_id in version.methods for version in KNOWN[class_id].values())
    assert returns_something(12, 8)
    assert not returns_something(3, 1)
