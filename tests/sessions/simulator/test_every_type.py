"""Every meter type, over the wire, as each of its clients: what its object list says is what it does.

Every object of every logical device of the lab of types answers every attribute that its client may read, with a value that is
as the Blue Book declares it in every part; what may not be read, written or invoked is refused as such; what may be written
takes its own value; what may be invoked is there. New types and objects are taken up by themselves.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from meters.cosem.data import Data, DataType, array, enum, integer, octet_string, structure, unsigned
from meters.cosem.interface_class import InterfaceClass, interface_class, known_versions
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from meters.cosem.value_faults import faults
from meters.cosem.value_type import Form, ValueType
from sessions.dlms.apdu.descriptors import ActionResult, DataAccessResult
from sessions.dlms.selective_access import EntryDescriptor
from sessions.dlms.short_name_map import ShortNameObject
from sessions.simulator.lab import LABS, WRAPPED, HdlcOptions, Lab, LabLine, LabMeter, load_lab, make_meters
from sessions.simulator.meter import Meter
from sessions.simulator.meter_type import METER_TYPES, load_meter_type
from sessions.simulator.objects.base import Attribute, constant
from sessions.simulator.plain import least_value
from tests.sessions.simulator.lines import associate, clients_of
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import HandClock

CURRENT = "0-0:40.0.0*255"
READ, WRITE = 1, 2
PROFILE, BUFFER = 7, 2
SIMPLE = frozenset(DataType) - {DataType.ARRAY, DataType.STRUCTURE, DataType.COMPACT_ARRAY, DataType.NULL_DATA}
MISSING = {
    ActionResult.OBJECT_UNDEFINED,
    ActionResult.OBJECT_UNAVAILABLE,
    ActionResult.OBJECT_CLASS_INCONSISTENT,
    ActionResult.READ_WRITE_DENIED,
}


@dataclass(frozen=True)
class Listed:
    """One element of an object list: access modes by attribute and by method."""

    class_id: int
    version: int
    name: str
    attributes: Mapping[int, int] = field(hash=False)
    methods: Mapping[int, int] = field(hash=False)

    @property
    def key(self) -> tuple[int, str]:
        return self.class_id, self.name

    @property
    def known(self) -> InterfaceClass:
        known = interface_class(self.class_id, self.version)
        assert known is not None, f"class {self.class_id} is none of the Blue Book"
        assert known.version == self.version, f"class {self.class_id} has no version {self.version}"
        return known

    def __str__(self) -> str:
        return f"{self.class_id}/{self.name}"


LAB = tomllib.loads((LABS / "types.toml").read_text("utf-8"))


@cache
def shared_lab() -> Lab:
    """For tests that only read."""
    return load_lab(LABS / "types.toml", HandClock())


def fresh(serial_number: str) -> tuple[LabLine, LabMeter]:
    """A line that nobody has talked to yet, and one of the logical devices on it."""
    (table,) = (
        line for line in LAB["lines"] if any(serial_number.startswith(each["serial_number"]) for each in line["meters"])
    )
    hdlc = None if table["kind"] in WRAPPED else HdlcOptions()
    meters = tuple(one for each in table["meters"] for one in make_meters(each, HandClock(), hdlc))
    line = LabLine(kind=table["kind"], meters=meters)
    return line, next(meter for meter in meters if meter.serial_number == serial_number)


def places(lab: Lab) -> Iterator[tuple[LabLine, LabMeter]]:
    for line in lab.lines:
        for meter in line.meters:
            yield line, meter


def shared(serial_number: str) -> tuple[LabLine, LabMeter]:
    return next(each for each in places(shared_lab()) if each[1].serial_number == serial_number)


CLIENTS = [
    pytest.param(meter.serial_number, role, id=f"{meter.serial_number}-{meter.type}-{role}")
    for _, meter in places(shared_lab())
    for role in clients_of(meter)
]
every_client = pytest.mark.parametrize(("serial_number", "role"), CLIENTS)


# -- what a client reads -----------------------------------------------------------------------------------------------


def object_list(pair: Pair) -> list[Listed]:
    """What the association in use lists, by logical names or by short names."""
    if pair.association.parameters.referencing.value == "short-names":
        return by_short_names(pair)
    return [
        Listed(class_id.value, version.value, str(ObisCode.from_octets(name.value)), modes(rights[0]), modes(rights[1]))
        for class_id, version, name, rights in got(pair, 15, CURRENT, 2)
    ]


def by_short_names(pair: Pair) -> list[Listed]:
    rights = {each[0].value: (modes(each[1]), modes(each[2])) for each in got(pair, 12, CURRENT, 3)}
    rows = [(row[0].value, ShortNameObject.from_data(row)) for row in got(pair, 12, CURRENT, 2)]
    return [Listed(row.class_id, row.version, str(row.logical_name), *rights[base]) for base, row in rows]


def modes(listed: Any) -> dict[int, int]:
    return {each[0].value: int(each[1].value) for each in listed}


def got(pair: Pair, class_id: int, name: str, attribute_id: int) -> Any:
    value = pair.get(class_id, name, attribute_id)
    assert isinstance(value, Data), (class_id, name, attribute_id, value)
    return value


@cache
def everything(serial_number: str) -> dict[tuple[int, str], Listed]:
    """Every object that any client of the meter finds, with every attribute and method that any of them is told of."""
    line, meter = shared(serial_number)
    found: dict[tuple[int, str], Listed] = {}
    for role in clients_of(meter):
        for each in object_list(associate(line, meter, role)):
            before = found.get(each.key, each)
            attributes, methods = {**before.attributes, **each.attributes}, {**before.methods, **each.methods}
            found[each.key] = Listed(each.class_id, each.version, each.name, attributes, methods)
    return found


def found_by_anybody(line: LabLine, meter: LabMeter, role: str) -> tuple[Pair, list[tuple[Listed, Listed]]]:
    """An association of this client, and every object of the meter beside what this client is told of it.

    By short names a client cannot even ask for what is not in its list.
    """
    everyone = everything(meter.serial_number)
    pair = associate(line, meter, role)
    own = {each.key: each for each in object_list(pair)}
    if pair.association.parameters.referencing.value == "short-names":
        everyone = {key: each for key, each in everyone.items() if key in own}
    nothing = {key: Listed(each.class_id, each.version, each.name, {}, {}) for key, each in everyone.items()}
    return pair, [(each, own.get(key, nothing[key])) for key, each in everyone.items()]


def value_faults(pair: Pair, each: Listed, attribute_id: int, value: Any) -> list[str]:
    """What is wrong with an answer."""
    where = f"{each}/{attribute_id}"
    if not isinstance(value, Data):
        return [f"{where}: {value}"]
    declared = each.known.attributes[attribute_id].type
    if declared.is_any and each.class_id != 1:
        return [] if value.type in SIMPLE else [f"{where}: {value.type} says nothing"]
    found = [f"{where}: {fault}" for fault in faults(value, declared)]
    if (each.class_id, attribute_id) == (PROFILE, BUFFER):
        found += row_faults(pair, each, value)
    return found


def row_faults(pair: Pair, profile: Listed, buffer: Any) -> list[str]:
    """Each column of a profile is of the type of the attribute that it captured."""
    columns = [CaptureObject.from_data(column) for column in got(pair, PROFILE, profile.name, 3)]
    found = []
    for row in buffer:
        if len(row) != len(columns):
            return [f"{profile}: a row of {len(row)} values in {len(columns)} columns"]
        for value, column in zip(row, columns, strict=True):
            known = interface_class(column.class_id)
            assert known is not None
            declared = known.attributes[column.attribute_id].type
            found += [f"{profile}, {column.logical_name}: {fault}" for fault in faults(value, declared)]
    return found


def read(pair: Pair, each: Listed, attribute_id: int) -> Any:
    """The value; of a profile of years only its first rows."""
    if (each.class_id, attribute_id) == (PROFILE, BUFFER):
        return pair.get(PROFILE, each.name, BUFFER, EntryDescriptor(1, 4, 1, 0).to_selective_access())
    return pair.get(each.class_id, each.name, attribute_id)


def least_parameter(declared: ValueType | None) -> Data:
    """Of a logical name the association's: what it names is there."""
    if declared is None:
        return Data(DataType.NULL_DATA)
    return octet_string(ObisCode.parse(CURRENT).octets) if declared.form is Form.LOGICAL_NAME else least_value(declared)


# -- the tests ---------------------------------------------------------------------------------------------------------


def test_the_lab_has_every_type():
    """Those of the folder, and those that are logical devices of others."""
    names = {meter.type for _, meter in places(shared_lab())}
    types = {load_meter_type(path.stem).name: path.stem for path in METER_TYPES.glob("*.toml")}
    assert {types[name] for name in set(types) - names} <= {"three_phase"}  # the demo's


def test_between_them_they_have_what_the_blue_book_gives_a_meter():
    classes = {
        each.class_id for line, meter in places(shared_lab()) for each in object_list(associate(line, meter, "manager"))
    }
    assert classes >= {1, 3, 4, 5, 6, 7, 8, 9, 11, 12, 15, 17, 18, 19, 20, 21, 22, 23, 27, 28, 29, 40}
    assert classes >= {30, 41, 42, 43, 44, 45, 47, 61, 62, 63, 64, 68, 70, 71, 72, 74, 77, 100, 111, 112, 113, 115, 116}


@every_client
def test_every_attribute_that_is_listed_to_be_read_answers_as_the_blue_book_declares_it(serial_number, role):
    line, meter = shared(serial_number)
    pair = associate(line, meter, role)
    listed = object_list(pair)
    assert listed
    found = [
        fault
        for each in listed
        for attribute_id, mode in each.attributes.items()
        if mode & READ
        for fault in value_faults(pair, each, attribute_id, read(pair, each, attribute_id))
    ]
    assert found == []


@every_client
def test_every_object_has_the_attributes_of_its_class_and_no_others(serial_number, role):
    """And only methods of its class. Security setup 1 and others may have fewer methods than there are."""
    line, meter = shared(serial_number)
    wrong = []
    for each in object_list(associate(line, meter, role)):
        if set(each.attributes) != set(each.known.attributes):
            wrong.append(f"{each}: attributes {sorted(each.attributes)}, not {sorted(each.known.attributes)}")
        if not set(each.methods) <= set(each.known.methods):
            wrong.append(f"{each}: methods {sorted(each.methods)}")
    assert wrong == []


@every_client
def test_what_is_not_listed_to_be_read_is_refused(serial_number, role):
    """Attributes that the client may not read, objects that only others find, and what is not there at all."""
    line, meter = shared(serial_number)
    pair, objects = found_by_anybody(line, meter, role)
    wrong = []
    for each, own in objects:
        for attribute_id in each.attributes:
            if not own.attributes.get(attribute_id, 0) & READ:
                answer = pair.get(each.class_id, each.name, attribute_id)
                if answer is not DataAccessResult.READ_WRITE_DENIED:
                    wrong.append(f"{each}/{attribute_id}: {answer}")
        if pair.association.parameters.referencing.value == "logical-names":
            answer = pair.get(each.class_id, each.name, max(each.attributes) + 1)
            if answer is not DataAccessResult.OBJECT_UNDEFINED:
                wrong.append(f"{each}/{max(each.attributes) + 1}: {answer}")
    assert wrong == []


@every_client
def test_what_is_listed_to_be_written_takes_its_own_value_and_nothing_else_is_written(serial_number, role):
    line, meter = fresh(serial_number)
    pair, objects = found_by_anybody(line, meter, role)
    wrong = []
    for each, own in objects:
        for attribute_id in each.attributes:
            mode = own.attributes.get(attribute_id, 0)
            if mode & WRITE and not mode & READ:
                continue  # a secret: what it is, is not known
            if mode & WRITE:
                value, wanted = read(pair, each, attribute_id), DataAccessResult.SUCCESS
            else:
                value, wanted = Data(DataType.NULL_DATA), DataAccessResult.READ_WRITE_DENIED
            answer = pair.set(each.class_id, each.name, attribute_id, value)
            if answer is not wanted:
                wrong.append(f"{each}/{attribute_id}: {answer}, not {wanted}")
    assert wrong == []


@every_client
def test_what_is_listed_to_be_invoked_is_there_and_nothing_else_is_invoked(serial_number, role):
    """With the least parameter of its type. What comes of it is told by the tests of the classes."""
    line, meter = fresh(serial_number)
    pair, objects = found_by_anybody(line, meter, role)
    wrong = []
    for each, own in objects:
        for method_id in each.methods:
            allowed = own.methods.get(method_id, 0)
            parameter = least_parameter(each.known.methods[method_id].parameter)
            answer, _ = pair.action(each.class_id, each.name, method_id, parameter)
            if (answer in MISSING) if allowed else (answer is not ActionResult.READ_WRITE_DENIED):
                wrong.append(f"{each}/{method_id}: {answer}, access {allowed}")
    assert wrong == []


def test_clients_have_rights_of_their_own():
    """What one may do and another may not: in reading, in writing, in invoking."""
    line, meter = shared("60000001")
    told = {}
    for role in clients_of(meter):
        listed = object_list(associate(line, meter, role))
        told[role] = {
            (each.key, kind, number)
            for each in listed
            for kind, modes_of in (("read", each.attributes), ("write", each.attributes), ("invoke", each.methods))
            for number, mode in modes_of.items()
            if (mode & WRITE if kind == "write" else mode & READ)
        }
    kinds = {
        role: {kind: sum(right[1] == kind for right in rights) for kind in ("read", "write", "invoke")}
        for role, rights in told.items()
    }
    assert kinds["public"]["read"] < kinds["reader"]["read"] < kinds["manager"]["read"]
    assert kinds["reader"]["write"] == kinds["public"]["write"] == 0
    assert 0 < kinds["maintenance"]["write"] < kinds["manager"]["write"]
    assert 0 < kinds["maintenance"]["invoke"] < kinds["manager"]["invoke"]
    assert len({frozenset(rights) for rights in told.values()}) == len(told)


def test_the_versions_of_the_blue_book_are_those_that_are_known():
    """The lab of types would not notice a class that the tables do not have: this says that they do."""
    for line, meter in places(shared_lab()):
        for each in object_list(associate(line, meter, "manager")):
            assert each.version in {known.version for known in known_versions(each.class_id)}


# -- the tests can fail ------------------------------------------------------------------------------------------------


def broken(change: Callable[[Meter], None]) -> tuple[LabLine, LabMeter]:
    """The single-phase meter, after something went wrong in it."""
    line, meter = fresh("60000002")
    assert isinstance(meter.device, Meter)
    change(meter.device)
    return line, meter


def answer_with(class_id: int, name: str, attribute_id: int, value: Data) -> Callable[[Meter], None]:
    def change(device: Meter) -> None:
        device.objects[class_id, ObisCode.parse(name)].target.attributes[attribute_id] = constant(value)

    return change


@pytest.mark.parametrize(
    ("class_id", "name", "attribute_id", "value", "fault"),
    [
        (3, "1-0:1.8.0*255", 3, unsigned(1), "unsigned is no scaler unit"),
        (3, "1-0:1.8.0*255", 3, structure(integer(0), enum(200)), "unit: 200 is none of its values"),
        (3, "1-0:1.8.0*255", 2, Data(DataType.NULL_DATA), "says nothing"),
        (70, "0-0:96.3.10*255", 3, enum(3), "3 is none of its values"),
        (17, "0-0:41.0.0*255", 2, array(structure(unsigned(1), octet_string(b""))), "[1].SAP: unsigned"),
        (8, "0-0:1.0.0*255", 2, octet_string(b"\xff" * 11), "is no octet-string (date-time)"),
    ],
)
def test_a_wrong_value_is_found(class_id, name, attribute_id, value, fault):
    line, meter = broken(answer_with(class_id, name, attribute_id, value))
    pair = associate(line, meter, "manager")
    (listed,) = (each for each in object_list(pair) if each.key == (class_id, name))
    (found,) = value_faults(pair, listed, attribute_id, read(pair, listed, attribute_id))
    assert fault in found


def test_an_attribute_that_does_not_answer_is_found():
    def refuse(device: Meter) -> None:
        target = device.objects[8, ObisCode.parse("0-0:1.0.0*255")].target
        target.attributes[9] = Attribute(lambda: target.read(99))

    line, meter = broken(refuse)
    pair = associate(line, meter, "manager")
    (clock,) = (each for each in object_list(pair) if each.class_id == 8)
    (found,) = value_faults(pair, clock, 9, read(pair, clock, 9))
    assert found.endswith(f": {DataAccessResult.OBJECT_UNDEFINED}")
