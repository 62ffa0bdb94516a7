"""The value of an element of a push_object_list or of capture_objects: an attribute, all of them, a part, or rows of a profile.

    {class_id, logical_name, attribute_index, data_index [, restriction [, columns]]}

attribute_index 0 is every attribute in a structure. data_index n is the n-th part of a structure or array; of a profile's buffer
0xF00n are its last n rows, as companion specifications have it. A restriction takes rows by time or by number, columns name
those that are wanted. What cannot be read is null-data: every element keeps its place. Source: Blue Book, classes 40 and 62.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from meters.cosem.data import Data, array, null, structure
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from sessions.dlms.axdr import decode_data
from sessions.dlms.selective_access import EntryDescriptor, RangeDescriptor, SelectiveAccess
from sessions.simulator.objects.base import CosemObject, Denied

Find = Callable[[int, ObisCode], CosemObject | None]
"""The object of a class and name."""

ALL_ATTRIBUTES: Final = 0
PROFILE, BUFFER, COLUMNS, ENTRIES_IN_USE = 7, 2, 3, 7
LAST_ROWS: Final = 0xF000
"""The bits of a data_index that mean the last rows of a profile; the others say how many."""
NO_RESTRICTION, BY_DATE, BY_ENTRY = 0, 1, 2


@dataclass(frozen=True, slots=True)
class ListedValue:
    """An element, understood. `columns` empty: all of them."""

    source: CaptureObject
    restriction: SelectiveAccess | None = None
    columns: tuple[CaptureObject, ...] = ()
    by_date: tuple[Data, Data] | None = None

    @classmethod
    def from_data(cls, element: Data) -> ListedValue:
        """ValueError where it is none."""
        source = CaptureObject.from_data(element)
        if len(element) < 5:
            return cls(source)
        kind, value = element[4]
        columns = tuple(CaptureObject.from_data(each) for each in element[5]) if len(element) > 5 else ()
        if kind.value == NO_RESTRICTION:
            return cls(source, columns=columns)
        first, last = value
        if kind.value == BY_DATE:
            return cls(source, columns=columns, by_date=(first, last))
        by_entry = EntryDescriptor(first.value, last.value).to_selective_access()
        return cls(source, by_entry, columns)

    def read(self, find: Find) -> Data:
        """Its value now."""
        target = find(self.source.class_id, self.source.logical_name)
        if target is None:
            return null()
        if self.source.attribute_id == ALL_ATTRIBUTES:
            return structure(*(_read(target, number) for number in sorted(target.attributes)))
        if (self.source.class_id, self.source.attribute_id) == (PROFILE, BUFFER):
            return self._rows(target)
        value = _read(target, self.source.attribute_id)
        return _part(value, self.source.data_index)

    def _rows(self, profile: CosemObject) -> Data:
        listed = [CaptureObject.from_data(each) for each in _read(profile, COLUMNS)]
        rows = _read(profile, BUFFER, self._selection(profile, listed))
        if not self.columns or not rows.constructed:
            return rows
        places = [listed.index(column) for column in self.columns if column in listed]
        return array(*(structure(*(row[place] for place in places)) for row in rows))

    def _selection(self, profile: CosemObject, listed: list[CaptureObject]) -> SelectiveAccess | None:
        if self.by_date is not None:
            clock = next((column for column in listed if column.is_clock), listed[0])
            return RangeDescriptor(clock, *self.by_date).to_selective_access()
        if self.restriction is None and self.source.data_index & LAST_ROWS == LAST_ROWS:
            count, wanted = _read(profile, ENTRIES_IN_USE).value or 0, self.source.data_index & ~LAST_ROWS
            return EntryDescriptor(max(1, count - wanted + 1)).to_selective_access()
        return self.restriction


def _read(target: CosemObject, number: int, selection: SelectiveAccess | None = None) -> Data:
    try:
        value = target.read(number, selection)
    except Denied:
        return null()
    return value if isinstance(value, Data) else decode_data(b"".join(value.parts))


def _part(value: Data, index: int) -> Data:
    """The part with this number, from 1; 0 is the whole."""
    if not index:
        return value
    return value[index - 1] if value.constructed and index <= len(value) else null()
