"""Selective access: a part of an attribute instead of all of it (IEC 62056-6-2, class 7 attribute 2)."""

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
    structure,
    text,
)
from meters.cosem.profile import CaptureObject
from sessions.dlms.axdr import read_data, write_data
from sessions.dlms.cursor import Reader, Writer


class AccessSelector(IntEnum):
    """Selectors of a profile's buffer."""

    RANGE = 1
    ENTRY = 2


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
        return f"entries {self.from_entry} … {last}"
