"""The load profile of a simulated meter (Profile generic, class 7, version 1): computed, not stored.

Rows stand at every full capture period of the meter's clock, as many as `profile_entries` back from now. Entry 1 is the oldest
(FIFO). Selective access by range of the clock and by entry, each with a choice of columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from meters.cosem.data import (
    Data,
    DataType,
    array,
    as_date_time,
    double_long_unsigned,
    enum,
    structure,
)
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.axdr import encode_data
from sessions.dlms.cursor import Writer
from sessions.dlms.selective_access import AccessSelector, EntryDescriptor, RangeDescriptor, SelectiveAccess
from sessions.simulator.load_curve import FIRST_DAY
from sessions.simulator.objects.base import Attribute, CosemObject, Denied, EncodedValue, Value
from sessions.simulator.objects.clock import MeterClock

SORT_FIFO: Final = 1
NO_OBJECT: Final = CaptureObject(0, ObisCode(0, 0, 0, 0, 0, 0), 0)
"""As the sort object: unsorted, in the order of time."""


@dataclass(frozen=True, slots=True)
class Window:
    """The rows that there are at one moment: how many, and when the oldest was captured."""

    oldest: datetime
    count: int


@dataclass(frozen=True, slots=True)
class ProfileColumn:
    """A captured attribute and the object that answers for it."""

    source: CosemObject
    attribute_id: int = 2

    @property
    def capture_object(self) -> CaptureObject:
        return CaptureObject(self.source.class_id, self.source.logical_name, self.attribute_id)

    def at(self, moment: datetime) -> Data:
        return self.source.captured(self.attribute_id, moment)


class LoadProfile(CosemObject):
    """A profile whose rows follow from the time. `capture_period` is in seconds and divides the day."""

    class_id = 7
    version = 1

    def __init__(
        self,
        logical_name: ObisCode,
        columns: Sequence[ProfileColumn],
        clock: MeterClock,
        *,
        capture_period: int = 900,
        profile_entries: int = 35_040,
    ) -> None:
        super().__init__(logical_name)
        self.columns = tuple(columns)
        self.clock = clock
        self.period = timedelta(seconds=capture_period)
        self.profile_entries = profile_entries
        self._reset_at: datetime | None = None
        self.attributes |= {
            2: Attribute(
                self._whole_buffer,
                read_selected=self._selected,
                selectors=(AccessSelector.RANGE, AccessSelector.ENTRY),
            ),
            3: Attribute(lambda: array(*(column.capture_object.to_data() for column in self.columns))),
            4: Attribute(lambda: double_long_unsigned(capture_period)),
            5: Attribute(lambda: enum(SORT_FIFO)),
            6: Attribute(lambda: NO_OBJECT.to_data()),
            7: Attribute(lambda: double_long_unsigned(self.window().count)),
            8: Attribute(lambda: double_long_unsigned(profile_entries)),
        }
        self.methods = {1: self._reset}

    # -- which rows there are ----------------------------------------------------------------------------------------

    def window(self) -> Window:
        """The rows at this moment of the meter's clock."""
        newest = _floor(self.clock.now(), self.period)
        start = datetime.combine(FIRST_DAY, datetime.min.time(), self.clock.zone)
        if self._reset_at is not None:
            start = max(start, self._reset_at)
        captured = (newest - _floor(start, self.period)) // self.period
        count = max(0, min(captured, self.profile_entries))
        return Window(newest - (count - 1) * self.period, count)

    def keep(self) -> Any:
        return None if self._reset_at is None else self._reset_at.isoformat()

    def restore(self, kept: Any) -> None:
        self._reset_at = datetime.fromisoformat(kept)

    def _reset(self, parameters: Data | None) -> None:
        self._reset_at = self.clock.now()

    # -- selective access --------------------------------------------------------------------------------------------

    def _selected(self, selection: SelectiveAccess) -> Value:
        try:
            if selection.access_selector == AccessSelector.RANGE:
                return self._range(RangeDescriptor.from_selective_access(selection))
            if selection.access_selector == AccessSelector.ENTRY:
                return self._entries(EntryDescriptor.from_selective_access(selection))
        except ValueError:
            raise Denied(DataAccessResult.TYPE_UNMATCHED) from None
        raise Denied(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)

    def _range(self, wanted: RangeDescriptor) -> Value:
        """Rows with from <= clock <= to, both included.

        Some clients name the sort object where the standard wants the clock: what stands for the order of time there does here.
        """
        by_clock = wanted.restricting_object.is_clock and self._has(wanted.restricting_object)
        if not by_clock and wanted.restricting_object.class_id != NO_OBJECT.class_id:
            raise Denied(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
        columns = tuple(self._column(column) for column in wanted.selected_values) or self.columns
        return self._between(self._bound(wanted.from_value), self._bound(wanted.to_value), columns)

    def _between(self, first: datetime, last: datetime, columns: tuple[ProfileColumn, ...]) -> Value:
        """Rows that were captured from `first` to `last`, both included."""
        window = self.window()
        start = -((window.oldest - first) // self.period)
        return self._rows(window, start, (last - window.oldest) // self.period + 1, columns)

    def _bound(self, value: Data) -> datetime:
        moment = as_date_time(value)
        if moment is None:
            raise ValueError("not a date-time")
        try:
            return self.clock.local(moment)
        except OverflowError as error:
            raise ValueError(str(error)) from None

    def _has(self, wanted: CaptureObject) -> bool:
        return any(column.capture_object == wanted for column in self.columns)

    def _column(self, wanted: CaptureObject) -> ProfileColumn:
        for column in self.columns:
            if column.capture_object == wanted:
                return column
        raise Denied(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)

    def _entries(self, wanted: EntryDescriptor) -> Value:
        """Rows and columns by number from 1; a last number 0 is the highest there is."""
        window = self.window()
        last_column = wanted.to_selected_value or len(self.columns)
        columns = self.columns[max(1, wanted.from_selected_value) - 1 : last_column]
        return self._rows(window, max(1, wanted.from_entry) - 1, wanted.to_entry or window.count, columns)

    # -- rows --------------------------------------------------------------------------------------------------------

    def _whole_buffer(self) -> EncodedValue:
        window = self.window()
        return self._rows(window, 0, window.count, self.columns)

    def _rows(self, window: Window, start: int, stop: int, columns: tuple[ProfileColumn, ...]) -> EncodedValue:
        """Rows `start` to `stop` - 1, as far as they exist. Their moments are fixed now, however long the transfer takes."""
        start, stop = min(max(0, start), window.count), min(stop, window.count)
        count = max(0, stop - start)
        head = bytes((DataType.ARRAY,)) + Writer().length(count).octets()
        return EncodedValue(self._parts(head, window.oldest + start * self.period, count, columns))

    def _parts(self, head: bytes, first: datetime, count: int, columns: tuple[ProfileColumn, ...]) -> Iterator[bytes]:
        yield head
        for number in range(count):
            moment = first + number * self.period
            yield encode_data(structure(*(column.at(moment) for column in columns)))


def _floor(moment: datetime, step: timedelta) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (moment - midnight) // step * step
