"""The simulated meter: every attribute has the Blue Book's type, and every right is kept."""

from __future__ import annotations

from typing import Any

import pytest

from meters.cosem.data import Data, DataType, enum, integer, octet_string, structure
from meters.cosem.interface_class import interface_class
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, CosemMethodDescriptor, DataAccessResult
from sessions.dlms.selective_access import (
    EntryDescriptor,
    ObjectId,
    ObjectListSelection,
    ObjectListSelector,
    SelectiveAccess,
)
from sessions.simulator.association_object import SECRET
from sessions.simulator.device import PUBLIC, SERVED_CONFORMANCE, Caller, Role, ServedClient
from sessions.simulator.meter import ASSOCIATION_NAME, Meter
from sessions.simulator.objects.base import Denied, EncodedValue
from tests.sessions.simulator.served import GMAC, HandClock, lab_meter

SIMPLE = frozenset(DataType) - {DataType.ARRAY, DataType.STRUCTURE, DataType.COMPACT_ARRAY, DataType.NULL_DATA}


def meter() -> Meter:
    device = lab_meter(GMAC, physical_address=17).device
    assert isinstance(device, Meter)
    return device


METER = meter()


def caller(role: Role, *, ciphered: bool = False) -> Caller:
    client = PUBLIC if role is Role.PUBLIC else ServedClient(client_sap=1, role=role)
    return Caller(client=client, conformance=SERVED_CONFORMANCE, client_max_receive_pdu_size=0, ciphered=ciphered)


MANAGER = caller(Role.MANAGER, ciphered=True)


def value(device: Meter, who: Caller, class_id: int, name: ObisCode, attribute_id: int) -> Data:
    found = device.get(who, CosemAttributeDescriptor(class_id, name, attribute_id), None)
    if isinstance(found, EncodedValue):  # a year of rows: its type is enough here
        return Data(DataType(next(iter(found.parts))[0]), ())
    return found


def object_list(device: Meter, who: Caller) -> list[tuple[int, int, ObisCode, dict[int, int], dict[int, int]]]:
    """class, version, name, access modes of attributes and of methods, of each object in the caller's list."""
    entries: Any = value(device, who, 15, ASSOCIATION_NAME, 2)
    return [
        (
            class_id.value,
            version.value,
            ObisCode.from_octets(name.value),
            {attribute[0].value: attribute[1].value for attribute in rights[0]},
            {method[0].value: method[1].value for method in rights[1]},
        )
        for class_id, version, name, rights in entries
    ]


ATTRIBUTES = [
    pytest.param(class_id, version, name, attribute_id, id=f"{class_id}/{name}/{attribute_id}")
    for class_id, version, name, attributes, _ in object_list(METER, MANAGER)
    for attribute_id in attributes
    if (class_id, attribute_id) != (15, SECRET)
]


@pytest.mark.parametrize(("class_id", "version", "name", "attribute_id"), ATTRIBUTES)
def test_every_attribute_has_the_blue_books_type(class_id, version, name, attribute_id):
    known = interface_class(class_id, version)
    assert known is not None
    wanted = known.attributes[attribute_id].type
    found = value(METER, MANAGER, class_id, name, attribute_id)
    unknown = found == octet_string(b"")  # no client has said its system title yet
    assert found.type in SIMPLE if wanted.is_any else wanted.fits(found) or unknown


@pytest.mark.parametrize("name", sorted({parameter.values[2] for parameter in ATTRIBUTES}))
def test_every_object_has_the_attributes_and_methods_of_its_class(name):
    class_id, version, _, attributes, methods = next(each for each in object_list(METER, MANAGER) if each[2] == name)
    known = interface_class(class_id, version)
    assert set(methods) <= set(known.methods)
    assert set(attributes) == set(known.attributes)


def test_the_meter_has_what_a_lab_expects():
    names = {str(name): class_id for class_id, _, name, _, _ in object_list(METER, MANAGER)}
    assert sum(class_id in (3, 4) for class_id in names.values()) >= 20
    assert {
        "0-0:42.0.0*255": 1,
        "0-0:96.1.0*255": 1,
        "0-0:43.1.0*255": 1,
        "0-0:1.0.0*255": 8,
        "1-0:99.1.0*255": 7,
        "0-0:96.3.10*255": 70,
        "0-0:40.0.0*255": 15,
        "0-0:41.0.0*255": 17,
        "0-0:43.0.0*255": 64,
    }.items() <= names.items()


# -- rights ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
def test_the_object_list_tells_the_truth_about_reading(role):
    who = caller(role)
    listed = {(class_id, name): attributes for class_id, _, name, attributes, _ in object_list(METER, who)}
    for class_id, _, name, attributes, _ in object_list(METER, MANAGER):
        for attribute_id in attributes:
            mode = listed.get((class_id, name), {}).get(attribute_id, 0)
            if mode & 1:
                value(METER, who, class_id, name, attribute_id)
            else:
                with pytest.raises(Denied, match=DataAccessResult.READ_WRITE_DENIED.words):
                    value(METER, who, class_id, name, attribute_id)


@pytest.mark.parametrize("role", Role)
def test_the_object_list_tells_the_truth_about_writing_and_invoking(role):
    """What is closed is refused before the value is looked at; what is open refuses a value of a wrong type."""
    who = caller(role)
    listed = {(class_id, name): rights for class_id, _, name, *rights in object_list(METER, who)}
    for class_id, _, name, attributes, methods in object_list(METER, MANAGER):
        own_attributes, own_methods = listed.get((class_id, name), ({}, {}))
        for attribute_id in attributes:
            closed = not own_attributes.get(attribute_id, 0) & 2
            with pytest.raises(Denied) as refused:
                METER.set(who, CosemAttributeDescriptor(class_id, name, attribute_id), None, Data(DataType.NULL_DATA))
            assert (refused.value.result is DataAccessResult.READ_WRITE_DENIED) is closed
        for method_id in methods:
            if not own_methods.get(method_id):
                with pytest.raises(Denied, match=DataAccessResult.READ_WRITE_DENIED.words):
                    METER.action(who, CosemMethodDescriptor(class_id, name, method_id), integer(0))


def test_the_public_client_sees_names_clock_and_counter():
    names = {str(name) for _, _, name, _, _ in object_list(METER, caller(Role.PUBLIC))}
    assert names == {"0-0:40.0.0*255", "0-0:42.0.0*255", "0-0:41.0.0*255", "0-0:43.1.0*255", "0-0:1.0.0*255"}


def test_nobody_reads_the_secret_of_the_association():
    for role in Role:
        with pytest.raises(Denied, match=DataAccessResult.READ_WRITE_DENIED.words):
            value(METER, caller(role), 15, ASSOCIATION_NAME, SECRET)


def test_a_manager_writes_and_invokes():
    device = meter()
    point = ObisCode.parse("0-0:96.1.10*255")
    device.set(MANAGER, CosemAttributeDescriptor(1, point, 2), None, octet_string(b"cellar"))
    assert value(device, MANAGER, 1, point, 2) == octet_string(b"cellar")
    switch = ObisCode.parse("0-0:96.3.10*255")
    before = value(device, MANAGER, 3, ObisCode.parse("1-0:1.7.0*255"), 2)
    device.action(MANAGER, CosemMethodDescriptor(70, switch, 1), integer(0))
    assert value(device, MANAGER, 70, switch, 3) == enum(0)
    assert value(device, MANAGER, 3, ObisCode.parse("1-0:1.7.0*255"), 2).value == 0 < before.value
    device.action(MANAGER, CosemMethodDescriptor(70, switch, 2), None)
    assert value(device, MANAGER, 70, switch, 3) == enum(1)


UNKNOWN = ObisCode(1, 0, 9, 9, 9, 255)
CLOCK = ObisCode(0, 0, 1, 0, 0, 255)


@pytest.mark.parametrize(
    ("class_id", "name", "number", "result"),
    [
        (3, UNKNOWN, 2, DataAccessResult.OBJECT_UNDEFINED),
        (3, CLOCK, 2, DataAccessResult.OBJECT_CLASS_INCONSISTENT),
        (8, CLOCK, 10, DataAccessResult.OBJECT_UNDEFINED),
        (8, CLOCK, 0, DataAccessResult.OBJECT_UNDEFINED),
        (8, CLOCK, -1, DataAccessResult.OBJECT_UNDEFINED),
    ],
)
def test_what_the_meter_has_not(class_id, name, number, result):
    with pytest.raises(Denied, match=result.words):
        METER.get(MANAGER, CosemAttributeDescriptor(class_id, name, number), None)
    with pytest.raises(Denied, match=result.words):
        METER.set(MANAGER, CosemAttributeDescriptor(class_id, name, number), None, enum(1))
    with pytest.raises(Denied, match=result.words):
        METER.action(MANAGER, CosemMethodDescriptor(class_id, name, number), None)


def test_nothing_is_written_in_part():
    with pytest.raises(Denied, match=DataAccessResult.SCOPE_OF_ACCESS_VIOLATED.words):
        METER.set(MANAGER, CosemAttributeDescriptor(8, CLOCK, 2), EntryDescriptor().to_selective_access(), enum(1))


def test_the_proof_is_not_taken_twice():
    with pytest.raises(Denied, match=DataAccessResult.OTHER_REASON.words):
        METER.action(MANAGER, CosemMethodDescriptor(15, ASSOCIATION_NAME, 1), octet_string(b"proof"))


@pytest.mark.parametrize("selector", ObjectListSelector)
def test_a_part_of_the_object_list(selector):
    clock = ObjectId(8, ObisCode.parse("0-0:1.0.0*255"))
    wanted = ObjectListSelection(selector, class_ids=(8, 17), objects=(clock,)).to_selective_access()
    found: Any = METER.get(MANAGER, CosemAttributeDescriptor(15, ASSOCIATION_NAME, 2), wanted)
    whole = list(value(METER, MANAGER, 15, ASSOCIATION_NAME, 2))
    if selector is ObjectListSelector.ALL:
        assert list(found) == [structure(*list(element)[:3]) for element in whole]
    else:
        classes = [8, 17] if selector is ObjectListSelector.CLASS_LIST else [8]
        assert sorted(element[0].value for element in found) == classes
        assert all(element in whole for element in found)


@pytest.mark.parametrize(
    ("selector", "result"), [(2, DataAccessResult.TYPE_UNMATCHED), (9, DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)]
)
def test_a_part_of_the_object_list_that_is_none(selector, result):
    with pytest.raises(Denied) as raised:
        METER.get(
            MANAGER, CosemAttributeDescriptor(15, ASSOCIATION_NAME, 2), SelectiveAccess(selector, octet_string(b""))
        )
    assert raised.value.result is result


def test_the_meter_looks_after_itself_once_in_a_second_and_after_each_change():
    clock = HandClock()
    device = lab_meter(GMAC, clock=clock).device
    looked: list[int] = []
    busy = next(access.target for access in device.objects.values() if access.target.class_id == 20)
    busy.catch_up = lambda: looked.append(1)
    for _ in range(3):
        device.catch_up()
    assert len(looked) == 1
    clock.advance(seconds=1)
    device.catch_up()
    assert len(looked) == 2
    device.action(MANAGER, CosemMethodDescriptor(70, ObisCode.parse("0-0:96.3.10*255"), 1), integer(0))
    device.catch_up()
    assert len(looked) == 3
