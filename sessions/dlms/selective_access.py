"""Selective access: a part of an attribute instead of all of it (IEC 62056-6-2, class 7 and class 15, attribute 2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from meters.cosem.data import (
    Data,
    DataType,
    array,
    as_date_time,
    double_long_unsigned,
    long_unsigned,
    null,
    octet_string,
    structure,
    text,
)
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from sessions.dlms.axdr import read_data, write_data
from sessions.dlms.cursor import Reader, Writer


class AccessSelector(IntEnum):
    """Selectors of a profile's buffer."""

    RANGE = 1
    ENTRY = 2


class ObjectListSelector(IntEnum):
    """Selectors of an association's object list."""

    ALL = 1
    CLASS_LIST = 2
    OBJECT_ID_LIST = 3
    OBJECT_ID = 4


@dataclass(frozen=True, slots=True)
class SelectiveAccess:
    """The Selective-Access-Descriptor as it stands in a request."""

    access_selector: int
    access_parameters: Data

    def summary(self, class_id: int) -> str:
        """`, range 2026-11-01 00:00 … 2026-11-02 00:00` where it is one, else the selector."""
        if class_id == 7:
            try:
                if self.access_selector == AccessSelector.RANGE:
                    return f", {RangeDescriptor.from_selective_access(self).summary()}"
                if self.access_selector == AccessSelector.ENTRY:
                    return f", {EntryDescriptor.from_selective_access(self).summary()}"
            except ValueError:
                pass
        if class_id == 15:
            try:
                return f", {ObjectListSelection.from_selective_access(self).summary()}"
            except ValueError:
                pass
        return f", selector {self.access_selector}"


def read_selective_access(reader: Reader) -> SelectiveAccess:
    with reader.group("selective-access-descriptor"):
        selector = reader.u8("access-selector")
        with reader.group("access-parameters"):
            return SelectiveAccess(selector, read_data(reader))


def read_optional_selection(reader: Reader) -> SelectiveAccess | None:
    """The OPTIONAL selection after an attribute descriptor."""
    return read_selective_access(reader) if reader.flag("access-selection") else None


def write_optional_selection(writer: Writer, selection: SelectiveAccess | None) -> None:
    if selection is None:
        writer.u8(0)
    else:
        writer.u8(1).u8(selection.access_selector)
        write_data(writer, selection.access_parameters)


def _moment(value: Data) -> str:
    """A bound as people write it: seconds only where there are any, the deviation left out."""
    moment = as_date_time(value)
    if moment is None:
        return text(value)
    return f"{moment.date} {str(moment.time).removesuffix(':00').removesuffix(':**')}"


@dataclass(frozen=True, slots=True)
class RangeDescriptor:
    """Rows whose `restricting_object` lies between two values, both included; no `selected_values` means all columns."""

    restricting_object: CaptureObject
    from_value: Data
    to_value: Data
    selected_values: tuple[CaptureObject, ...] = ()

    def to_selective_access(self) -> SelectiveAccess:
        columns = array(*(column.to_data() for column in self.selected_values))
        parameters = structure(self.restricting_object.to_data(), self.from_value, self.to_value, columns)
        return SelectiveAccess(AccessSelector.RANGE, parameters)

    @classmethod
    def from_selective_access(cls, selection: SelectiveAccess) -> RangeDescriptor:
        """ValueError where the parameters are no range descriptor."""
        parameters = selection.access_parameters
        if selection.access_selector != AccessSelector.RANGE or parameters.type is not DataType.STRUCTURE:
            raise ValueError("not a range descriptor")
        if len(parameters) != 4 or not parameters[3].constructed:
            raise ValueError("a range descriptor has four elements, the last an array")
        return cls(
            CaptureObject.from_data(parameters[0]),
            parameters[1],
            parameters[2],
            tuple(CaptureObject.from_data(column) for column in parameters[3]),
        )

    def summary(self) -> str:
        count = len(self.selected_values)
        columns = f", {count} column{'s' if count > 1 else ''}" if count else ""
        return f"range {_moment(self.from_value)} … {_moment(self.to_value)}{columns}"


@dataclass(frozen=True, slots=True)
class EntryDescriptor:
    """Rows by their number, from 1; `to_entry` 0 is the last one. Columns likewise, by number."""

    from_entry: int = 1
    to_entry: int = 0
    from_selected_value: int = 1
    to_selected_value: int = 0

    def to_selective_access(self) -> SelectiveAccess:
        return SelectiveAccess(
            AccessSelector.ENTRY,
            structure(
                double_long_unsigned(self.from_entry),
                double_long_unsigned(self.to_entry),
                long_unsigned(self.from_selected_value),
                long_unsigned(self.to_selected_value),
            ),
        )

    @classmethod
    def from_selective_access(cls, selection: SelectiveAccess) -> EntryDescriptor:
        """ValueError where the parameters are no entry descriptor."""
        parameters = selection.access_parameters
        if selection.access_selector != AccessSelector.ENTRY or parameters.type is not DataType.STRUCTURE:
            raise ValueError("not an entry descriptor")
        numbers = [element.value for element in parameters]
        if len(numbers) != 4 or not all(isinstance(number, int) for number in numbers):
            raise ValueError("an entry descriptor has four numbers")
        return cls(*numbers)

    def summary(self) -> str:
        last = self.to_entry or "last"
        columns = ""
        if (self.from_selected_value, self.to_selected_value) not in ((1, 0), (0, 0)):
            columns = f", columns {self.from_selected_value} … {self.to_selected_value or 'last'}"
        return f"entries {self.from_entry} … {last}{columns}"


@dataclass(frozen=True, slots=True)
class ObjectId:
    """An object by its class and name."""

    class_id: int
    logical_name: ObisCode

    def to_data(self) -> Data:
        return structure(long_unsigned(self.class_id), octet_string(self.logical_name.octets))

    @classmethod
    def from_data(cls, data: Data) -> ObjectId:
        """ValueError where the value is none."""
        if data.type is not DataType.STRUCTURE or len(data) != 2:
            raise ValueError("an object id has a class and a logical name")
        class_id, name = data
        if class_id.type is not DataType.LONG_UNSIGNED or name.type is not DataType.OCTET_STRING:
            raise ValueError("an object id has a class and a logical name")
        return cls(class_id.value, ObisCode.from_octets(name.value))

    def __str__(self) -> str:
        return f"{self.class_id}/{self.logical_name}"


@dataclass(frozen=True, slots=True)
class ObjectListSelection:
    """Some elements of an association's object list.

    Selector 1 gives all of them without their rights, 2 those of the `class_ids`, 3 those of the `objects`, 4 a single one.
    """

    selector: ObjectListSelector
    class_ids: tuple[int, ...] = ()
    objects: tuple[ObjectId, ...] = ()

    def to_selective_access(self) -> SelectiveAccess:
        match self.selector:
            case ObjectListSelector.ALL:
                parameters = null()
            case ObjectListSelector.CLASS_LIST:
                parameters = array(*(long_unsigned(class_id) for class_id in self.class_ids))
            case ObjectListSelector.OBJECT_ID_LIST:
                parameters = array(*(each.to_data() for each in self.objects))
            case ObjectListSelector.OBJECT_ID:
                parameters = self.objects[0].to_data()
        return SelectiveAccess(self.selector, parameters)

    @classmethod
    def from_selective_access(cls, selection: SelectiveAccess) -> ObjectListSelection:
        """ValueError where the parameters do not fit the selector."""
        selector, parameters = ObjectListSelector(selection.access_selector), selection.access_parameters
        match selector, parameters.type:
            case ObjectListSelector.ALL, _:  # some clients send another placeholder than null-data
                return cls(selector)
            case ObjectListSelector.CLASS_LIST, DataType.ARRAY:
                if any(each.type is not DataType.LONG_UNSIGNED for each in parameters):
                    raise ValueError("a class list has class ids")
                return cls(selector, class_ids=tuple(each.value for each in parameters))
            case ObjectListSelector.OBJECT_ID_LIST, DataType.ARRAY:
                return cls(selector, objects=tuple(ObjectId.from_data(each) for each in parameters))
            case ObjectListSelector.OBJECT_ID, _:
                return cls(selector, objects=(ObjectId.from_data(parameters),))
        raise ValueError(f"selector {selector} takes an array")

    @property
    def with_rights(self) -> bool:
        """Whether the elements keep their access rights."""
        return self.selector is not ObjectListSelector.ALL

    def takes(self, class_id: int, logical_name: ObisCode) -> bool:
        """Whether an object is one of them."""
        if self.selector is ObjectListSelector.ALL:
            return True
        return class_id in self.class_ids or ObjectId(class_id, logical_name) in self.objects

    def summary(self) -> str:
        match self.selector:
            case ObjectListSelector.ALL:
                return "all objects without rights"
            case ObjectListSelector.CLASS_LIST:
                return f"classes {', '.join(map(str, self.class_ids)) or 'none'}"
            case ObjectListSelector.OBJECT_ID_LIST:
                return f"{len(self.objects)} objects by name"
            case ObjectListSelector.OBJECT_ID:
                return f"object {self.objects[0]}"
