"""A meter's object list as it comes over the line, and back: what objects there are, and what may be done with each.

By logical names it is attribute 2 of the current association (class 15): {class, version, logical name, access rights}. By
short names (class 12) it is {base name, class, version, logical name}, and attribute 3 has the rights: {base name, attributes,
methods}.
Source: Blue Book, classes 12 and 15.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from meters.cosem.data import (
    Data,
    DataType,
    array,
    enum,
    integer,
    long_unsigned,
    null,
    octet_string,
    structure,
    unsigned,
)
from meters.cosem.obis import ObisCode
from sessions.dlms.short_name_map import CURRENT, ShortNameObject

ASSOCIATION_LN: Final = 15
ASSOCIATION_SN: Final = CURRENT.class_id
OBJECT_LIST: Final = 2
ACCESS_RIGHTS: Final = 3
OWN_NAME: Final = CURRENT.logical_name
"""The current association, whatever its class."""
RIGHTS_ARE_BITS: Final = 3
"""From this version of the association on the access modes are bits."""
READABLE: Final = frozenset({1, 3, 4, 6})
WRITABLE: Final = frozenset({2, 3, 5, 6})
"""Access modes of the versions before."""


@dataclass(frozen=True, slots=True)
class AttributeRight:
    """The access mode of an attribute, as the meter's version of the association counts; the selectors where it tells some."""

    mode: int
    selectors: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class ListedObject:
    """One object. The rights are None where the meter does not tell them."""

    class_id: int
    version: int
    logical_name: ObisCode
    base_name: int | None = None
    attributes: Mapping[int, AttributeRight] | None = None
    methods: Mapping[int, int] | None = None


def may_read(mode: int, *, bits: bool) -> bool:
    """Whether an access mode allows to read."""
    return bool(mode & 1) if bits else mode in READABLE


def may_write(mode: int, *, bits: bool) -> bool:
    """Whether an access mode allows to write."""
    return bool(mode & 2) if bits else mode in WRITABLE


def rights_are_bits(objects: Sequence[ListedObject]) -> bool:
    """Whether the association itself, which is in its own list, is of a version whose modes are bits."""
    return any(each.class_id == ASSOCIATION_LN and each.version >= RIGHTS_ARE_BITS for each in objects)


# -- reading -----------------------------------------------------------------------------------------------------------


def read_by_logical_names(data: Data) -> list[ListedObject]:
    """From attribute 2 of class 15; ValueError where it is no such list. What stands twice counts once."""
    return _once(_object(row) for row in _rows(data))


def read_by_short_names(data: Data, rights: Data | None) -> list[ListedObject]:
    """From attributes 2 and 3 (None: not to be had) of class 12; ValueError where it is no such list."""
    told = {} if rights is None else {_number(row[0]) & 0xFFFF: row for row in _rows(rights)}
    objects = []
    for row in map(ShortNameObject.from_data, _rows(data)):
        listed = ListedObject(row.class_id, row.version, row.logical_name, row.base_name)
        its = told.get(row.base_name)
        objects.append(listed if its is None else _with_rights(listed, its[1], its[2]))
    return _once(objects)


def _once(objects: Iterable[ListedObject]) -> list[ListedObject]:
    found: dict[tuple[int, ObisCode], ListedObject] = {}
    for each in objects:
        found.setdefault((each.class_id, each.logical_name), each)
    return list(found.values())


def _rows(data: Data) -> Sequence[Data]:
    if data.type is not DataType.ARRAY or not all(row.type is DataType.STRUCTURE and len(row) >= 3 for row in data):
        raise ValueError("an object list is an array of structures")
    return data.elements


def _object(row: Data) -> ListedObject:
    class_id, version, name = _number(row[0]), _number(row[1]), row[2]
    if name.type is not DataType.OCTET_STRING:
        raise ValueError("a logical name is an octet-string")
    listed = ListedObject(class_id, version, ObisCode.from_octets(name.value))
    if len(row) < 4 or not row[3].constructed or len(row[3]) != 2:
        return listed
    return _with_rights(listed, row[3][0], row[3][1])


def _with_rights(listed: ListedObject, attributes: Data, methods: Data) -> ListedObject:
    if not attributes.constructed or not methods.constructed:
        raise ValueError("access rights are two arrays")
    if not all(row.constructed and len(row) >= 2 for each in (attributes, methods) for row in each):
        raise ValueError("an access right is a structure")
    return replace(
        listed,
        attributes={_number(row[0]): AttributeRight(_number(row[1]), _selectors(row)) for row in attributes},
        methods={_number(row[0]): _number(row[1]) for row in methods},
    )


def _selectors(row: Data) -> tuple[int, ...] | None:
    if len(row) < 3 or not row[2].constructed:
        return None
    return tuple(_number(each) for each in row[2])


def _number(data: Data) -> int:
    """A number; version 0 of class 15 says of methods false and true."""
    if not isinstance(data.value, int):
        raise ValueError(f"a number is due, this is {data.type.asn1_name}")
    return int(data.value)


# -- writing -----------------------------------------------------------------------------------------------------------


def write_by_logical_names(objects: Sequence[ListedObject]) -> Data:
    """As class 15 writes it from version 1 on."""
    return array(*(_row(each) for each in objects))


def write_by_short_names(objects: Sequence[ListedObject]) -> Data:
    """As class 12 writes it; ValueError for an object without a base name."""
    return array(*(_short_row(each).to_data() for each in objects))


def write_rights(objects: Sequence[ListedObject]) -> Data:
    """As class 12 writes its access_rights_list."""
    return array(*(structure(_short_row(each).to_data()[0], *_rights_data(each)) for each in objects))


def _short_row(listed: ListedObject) -> ShortNameObject:
    if listed.base_name is None:
        raise ValueError(f"{listed.logical_name} has no base name")
    return ShortNameObject(listed.base_name, listed.class_id, listed.version, listed.logical_name)


def _row(listed: ListedObject) -> Data:
    head = (
        long_unsigned(listed.class_id),
        unsigned(listed.version),
        octet_string(listed.logical_name.octets),
    )
    return structure(*head, structure(*_rights_data(listed)))


def _rights_data(listed: ListedObject) -> tuple[Data, Data]:
    attributes = array(
        *(
            structure(integer(number), enum(right.mode), _selectors_data(right))
            for number, right in (listed.attributes or {}).items()
        )
    )
    return attributes, array(*(structure(integer(n), enum(mode)) for n, mode in (listed.methods or {}).items()))


def _selectors_data(right: AttributeRight) -> Data:
    return null() if right.selectors is None else array(*(integer(each) for each in right.selectors))
