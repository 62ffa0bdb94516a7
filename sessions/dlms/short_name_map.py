"""Which objects a meter has under which short names, and back: what a short name means.

The meter says it itself: attribute 2 of the current association (class 12, base name FA00) is an array of
{base_name, class_id, version, logical_name}. Source: Blue Book, class Association SN; Green Book, short-name referencing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from meters.cosem.data import Data, DataType, long, long_unsigned, octet_string, structure, unsigned
from meters.cosem.interface_class import attribute_name, class_name, method_name
from meters.cosem.obis import ObisCode
from meters.cosem.short_names import CURRENT_ASSOCIATION, Element, attribute_offset, element_at, method_offset
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, CosemMethodDescriptor
from sessions.dlms.errors import LocalProtocolError

ASSOCIATION_SN: Final = 12
OBJECT_LIST: Final = 2
REPLY_TO_HLS: Final = 8
"""Class, attribute and method of the current association that every conversation by short names needs."""

OBJECT_LIST_NAME: Final = CURRENT_ASSOCIATION + (attribute_offset(ASSOCIATION_SN, 0, OBJECT_LIST) or 0)
REPLY_TO_HLS_NAME: Final = CURRENT_ASSOCIATION + (method_offset(ASSOCIATION_SN, 0, REPLY_TO_HLS) or 0)
"""Their variable names, FA08 and FA58: reserved, and so known before the meter says any other."""

ELEMENTS: Final = 4
BASE_NAMES: Final = 1 << 16
FURTHEST: Final = 0x100
"""No class spreads wider above its base name: what stands further above one belongs to an object that is not in the list."""


@dataclass(frozen=True, slots=True)
class ShortNameObject:
    """One row of an object list. `base_name` is 0 to FFFF."""

    base_name: int
    class_id: int
    version: int
    logical_name: ObisCode

    def to_data(self) -> Data:
        """The row as class 12 writes it: the base name as a signed long."""
        signed = self.base_name - BASE_NAMES if self.base_name >= BASE_NAMES // 2 else self.base_name
        return structure(
            long(signed),
            long_unsigned(self.class_id),
            unsigned(self.version),
            octet_string(self.logical_name.octets),
        )

    @classmethod
    def from_data(cls, row: Data) -> ShortNameObject:
        """ValueError where the row is none. Some meters write the base name unsigned."""
        if row.type is not DataType.STRUCTURE or len(row) < ELEMENTS:
            raise ValueError("a row of the object list has base name, class, version and logical name")
        numbers = [element.value for element in row.value[:3]]
        name = row[3]
        if not all(type(number) is int for number in numbers) or name.type is not DataType.OCTET_STRING:
            raise ValueError("base name, class and version are numbers, the logical name is an octet-string")
        return cls(numbers[0] % BASE_NAMES, numbers[1], numbers[2], ObisCode.from_octets(name.value))


CURRENT: Final = ShortNameObject(CURRENT_ASSOCIATION, ASSOCIATION_SN, 0, ObisCode(0, 0, 40, 0, 0, 255))
"""The association in use, whatever the list says of it."""


@dataclass(frozen=True, slots=True)
class VariableMeaning:
    """What a variable name stands for."""

    target: ShortNameObject
    element: Element

    @property
    def attribute(self) -> CosemAttributeDescriptor | None:
        if self.element.is_method:
            return None
        return CosemAttributeDescriptor(self.target.class_id, self.target.logical_name, self.element.number)

    @property
    def method(self) -> CosemMethodDescriptor | None:
        if not self.element.is_method:
            return None
        return CosemMethodDescriptor(self.target.class_id, self.target.logical_name, self.element.number)

    @property
    def variable_name(self) -> int:
        offset = _offset_of(self.target, self.element)
        return self.target.base_name + (offset or 0)

    def __str__(self) -> str:
        """`25D8 + 08: 3/1-0:1.8.0*255 attribute 2 (value)`."""
        base, number = self.target.base_name, self.element.number
        if self.element.is_method:
            words, name = f"method {number}", method_name(self.target.class_id, number)
        else:
            words, name = f"attribute {number}", attribute_name(self.target.class_id, number)
        shown = "" if name == words else f" ({name.replace('_', ' ')})"
        where = f"{base:04X} + {self.variable_name - base:02X}"
        return f"{where}: {self.target.class_id}/{self.target.logical_name} {words}{shown}"


class ShortNameMap:
    """The objects of one association by name. The current association is always one of them."""

    def __init__(self, objects: Iterable[ShortNameObject] = ()) -> None:
        by_base = {CURRENT.base_name: CURRENT} | {each.base_name: each for each in objects}
        self._by_base = dict(sorted(by_base.items()))
        self._bases = list(self._by_base)
        self._by_name = {(each.class_id, each.logical_name): each for each in reversed(self._by_base.values())}

    @classmethod
    def from_object_list(cls, data: Data) -> ShortNameMap:
        """From the value of attribute 2 of a class 12 object; ValueError where it is no list of objects."""
        if data.type is not DataType.ARRAY:
            raise ValueError(f"the object list is {data.type.asn1_name}, not an array")
        return cls(ShortNameObject.from_data(row) for row in data)

    @classmethod
    def from_json(cls, rows: Iterable[tuple[int, int, int, str]]) -> ShortNameMap:
        """From what `as_json` gave."""
        return cls(
            ShortNameObject(base, class_id, version, ObisCode.parse(name)) for base, class_id, version, name in rows
        )

    def as_json(self) -> list[tuple[int, int, int, str]]:
        """JSON-ready rows: base name, class, version, logical name."""
        return [(each.base_name, each.class_id, each.version, str(each.logical_name)) for each in self]

    def __iter__(self) -> Iterator[ShortNameObject]:
        return iter(self._by_base.values())

    def __len__(self) -> int:
        return len(self._by_base)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ShortNameMap) and self._by_base == other._by_base

    def __hash__(self) -> int:
        return hash(tuple(self._by_base.values()))

    # -- an object's short names -------------------------------------------------------------------------------------

    def attribute(self, descriptor: CosemAttributeDescriptor) -> int:
        """The variable name of an attribute; LocalProtocolError where there is none."""
        target = self._find(descriptor.class_id, descriptor.instance_id)
        return _named(target, Element(descriptor.attribute_id), str(descriptor))

    def method(self, descriptor: CosemMethodDescriptor) -> int:
        """The variable name of a method; LocalProtocolError where there is none."""
        target = self._find(descriptor.class_id, descriptor.instance_id)
        return _named(target, Element(descriptor.method_id, is_method=True), str(descriptor))

    def knows(self, class_id: int, logical_name: ObisCode) -> bool:
        return (class_id, logical_name) in self._by_name

    def _find(self, class_id: int, logical_name: ObisCode) -> ShortNameObject:
        found = self._by_name.get((class_id, logical_name))
        if found is not None:
            return found
        other = next((each for each in self if each.logical_name == logical_name), None)
        if other is not None:
            raise LocalProtocolError(
                f"{logical_name} is class {other.class_id} ({class_name(other.class_id)}) in this meter's list, "
                f"not class {class_id}",
                layer="access",
                code="object-class-inconsistent",
                hint=f"Ask for class {other.class_id}.",
            )
        raise LocalProtocolError(
            f"{class_id}/{logical_name} is not in the list of short names of this association",
            layer="access",
            code="object-undefined",
            hint="The meter has no such object for this client: read attribute 2 of 12/0-0:40.0.0*255 to see what it has.",
        )

    # -- and back ----------------------------------------------------------------------------------------------------

    def meaning(self, variable_name: int) -> VariableMeaning | None:
        """What a variable name stands for; None where nothing that is known can have it."""
        at = bisect_right(self._bases, variable_name)
        if at == 0:
            return None
        target = self._by_base[self._bases[at - 1]]
        offset = variable_name - target.base_name
        element = element_at(target.class_id, target.version, offset) if offset < FURTHEST else None
        return None if element is None else VariableMeaning(target, element)


def _offset_of(target: ShortNameObject, element: Element) -> int | None:
    offset_of = method_offset if element.is_method else attribute_offset
    return offset_of(target.class_id, target.version, element.number)


def _named(target: ShortNameObject, element: Element, words: str) -> int:
    offset = _offset_of(target, element)
    if offset is None or target.base_name + offset >= BASE_NAMES:
        raise LocalProtocolError(
            f"{words} has no short name that is known here",
            layer="access",
            code="no-short-name",
            hint=f"The place of it in class {target.class_id}, version {target.version}, is not known to this workbench.",
        )
    return target.base_name + offset
