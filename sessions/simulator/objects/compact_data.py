"""Compact data of a simulated meter (62, versions 0 and 1): several attributes in one octet-string, and the template of it.

The first capture object is the object's own template_id, so that a buffer says which template it has. It captures by its
method, or (capture_method 1) whenever the buffer is read. What cannot be captured is null-data. Other capture objects, and
another way to capture, empty the buffer. Source: Blue Book, Compact data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from meters.cosem.data import Data, array, octet_string, structure
from meters.cosem.interface_class import InterfaceClass
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.compact_array import encode_compact_data
from sessions.simulator.objects.base import Attribute, Denied
from sessions.simulator.objects.declared import DeclaredObject
from sessions.simulator.objects.listed_values import Find, ListedValue

BUFFER, CAPTURE_OBJECTS, TEMPLATE_ID, TEMPLATE, CAPTURE_METHOD = 2, 3, 4, 5, 6
IMPLICIT: Final = 1
NOTHING: Final = octet_string(b"")


class CompactData(DeclaredObject):
    """`find` gives the objects that are captured."""

    def __init__(self, known: InterfaceClass, logical_name: ObisCode, values: Mapping[int, Data], find: Find) -> None:
        super().__init__(known, logical_name, values)
        self._find = find
        self.attributes[BUFFER] = Attribute(self._buffer)
        self.attributes[TEMPLATE] = Attribute(self._template)
        self.methods = {1: lambda parameters: self._empty(), 2: lambda parameters: self._capture()}

    def _store(self, number: int, value: Data) -> None:
        if number == CAPTURE_OBJECTS:
            self._check_listed(value)
        super()._store(number, value)
        if number in (CAPTURE_OBJECTS, CAPTURE_METHOD):
            self._empty()

    def _check_listed(self, value: Data) -> None:
        """The template's own number first; nothing that the meter has not."""
        try:
            listed = [ListedValue.from_data(each) for each in value]
        except (ValueError, TypeError, IndexError):
            raise Denied(DataAccessResult.TYPE_UNMATCHED) from None
        own = listed and (listed[0].source.logical_name, listed[0].source.attribute_id)
        if own != (self.logical_name, TEMPLATE_ID) or any(self._missing(each) for each in listed):
            raise Denied(DataAccessResult.OTHER_REASON)

    def _missing(self, listed: ListedValue) -> bool:
        return self._found(listed.source.class_id, listed.source.logical_name) is None

    def _found(self, class_id: int, logical_name: ObisCode) -> Any:
        own = (class_id, logical_name) == (self.class_id, self.logical_name)
        return self if own else self._find(class_id, logical_name)

    # -- the buffer --------------------------------------------------------------------------------------------------

    def _buffer(self) -> Data:
        self._capture_implicitly()
        return self._values[BUFFER]

    def _template(self) -> Data:
        self._capture_implicitly()
        return self._values[TEMPLATE]

    def _capture_implicitly(self) -> None:
        if self._values[CAPTURE_METHOD].value == IMPLICIT:
            self._capture()

    def _capture(self) -> None:
        listed = [ListedValue.from_data(each) for each in self._values[CAPTURE_OBJECTS] or array()]
        try:
            template, buffer = encode_compact_data(structure(*(each.read(self._found) for each in listed)))
        except ValueError:  # an attribute whose value no template describes
            raise Denied(DataAccessResult.OTHER_REASON) from None
        self._values[TEMPLATE], self._values[BUFFER] = octet_string(template), octet_string(buffer)

    def _empty(self) -> None:
        self._values[BUFFER] = self._values[TEMPLATE] = NOTHING
