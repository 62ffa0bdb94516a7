"""Objects that only hold values: for classes that the simulator gives no behaviour, and for models of other people's meters.

A value that nobody gave is made of its declared type: the least that a meter could answer. Source: Blue Book, the class tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from meters.cosem.data import BitString, CompactArray, Data, DataType, TypeDescription
from meters.cosem.date_time import CosemDate, CosemDateTime, CosemTime
from meters.cosem.interface_class import interface_class
from meters.cosem.obis import ObisCode
from meters.cosem.value_type import FORM_SIZES, Form, ValueType
from sessions.simulator.objects.base import Attribute, CosemObject, require

NEVER: Final = CosemDateTime(CosemDate(), CosemTime(), None, 0xFF)
"""A moment of which nothing is specified."""
MOMENTS: Final[Mapping[Form, bytes]] = {
    Form.DATE_TIME: NEVER.encode(),
    Form.DATE: CosemDate().encode(),
    Form.TIME: CosemTime().encode(),
}
TEXTS: Final = frozenset({DataType.OCTET_STRING, DataType.VISIBLE_STRING, DataType.UTF8_STRING})


def least_value(declared: ValueType) -> Data:
    """The least value of a declared type: zeros, empty strings and arrays, moments of which nothing is specified."""
    if declared.numeric or declared.is_any:
        return Data(DataType.DOUBLE_LONG_UNSIGNED, 0)
    if declared.kind is None:
        return least_value(declared.alternatives[0])
    return Data(declared.kind, _least(declared.kind, declared))


def _least(kind: DataType, declared: ValueType) -> Any:
    if kind is DataType.NULL_DATA or kind is DataType.DONT_CARE:
        return None
    if kind is DataType.STRUCTURE:
        return tuple(least_value(part.type) for part in declared.fields)
    if kind is DataType.ARRAY:
        return ()
    if kind in TEXTS:
        return MOMENTS.get(declared.form) or bytes(declared.size or FORM_SIZES.get(declared.form, 0))
    return _least_scalar(kind, declared)


def _least_scalar(kind: DataType, declared: ValueType) -> Any:
    match kind:
        case DataType.BIT_STRING:
            return BitString(bytes((declared.size + 7) // 8), declared.size)
        case DataType.COMPACT_ARRAY:
            return CompactArray(TypeDescription(DataType.NULL_DATA), ())
        case DataType.BOOLEAN:
            return False
        case DataType.FLOAT32 | DataType.FLOAT64:
            return 0.0
        case DataType.DATE_TIME:
            return NEVER
        case DataType.DATE:
            return CosemDate()
        case DataType.TIME:
            return CosemTime()
    return 0 if declared.bits or not declared.words else min(declared.words)


class PlainObject(CosemObject):
    """Any class: attributes keep what is written to them, methods take their parameters and do nothing.

    `values` by attribute; attributes of the class without one have the least value. Attributes of which the tables know
    nothing exist where a value is given.
    """

    def __init__(
        self, class_id: int, version: int, logical_name: ObisCode, values: Mapping[int, Data] | None = None
    ) -> None:
        super().__init__(logical_name)
        self.class_id = class_id  # type: ignore[misc]  # the class of an instance, not of all
        self.version = version
        known = interface_class(class_id, version)
        declared = {number: each.type for number, each in known.attributes.items()} if known else {}
        self._values = {number: least_value(kind) for number, kind in declared.items() if number != 1}
        self._values |= {number: value for number, value in (values or {}).items() if number != 1}
        self.attributes |= {number: self._attribute_for(number) for number in self._values}
        self.methods = dict.fromkeys(known.methods if known else (), self.accept)

    def _attribute_for(self, number: int) -> Attribute:
        return Attribute(lambda: self._values[number], lambda value: self._store(number, value))

    def _store(self, number: int, value: Data) -> None:
        self._values[number] = require(value, self._values[number].type, DataType.NULL_DATA)

    @staticmethod
    def accept(parameters: Data | None) -> Data | None:
        """A method that succeeds and does nothing."""
        return None
