"""Event logs of a simulated meter (Profile generic, class 7, version 1): a row for each event, as many as there is room for.

Unlike the rows of a load profile these are stored, since nobody can compute what happened. Entry 1 is the oldest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from meters.cosem.data import Data, DataType, double_long_unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.axdr import decode_data, encode_data
from sessions.dlms.cursor import Writer
from sessions.simulator.objects.base import Attribute, EncodedValue
from sessions.simulator.objects.clock import MeterClock
from sessions.simulator.profile import LoadProfile, ProfileColumn, Window

Row = tuple[datetime, tuple[bytes, ...]]
"""When it was captured, and its cells as they are on the wire."""


class EventLog(LoadProfile):
    """`cleared` is told that the log was emptied by its reset."""

    def __init__(
        self,
        logical_name: ObisCode,
        columns: Sequence[ProfileColumn],
        clock: MeterClock,
        *,
        profile_entries: int,
        cleared: Callable[[], None],
    ) -> None:
        super().__init__(logical_name, columns, clock, profile_entries=profile_entries)
        self.rows: list[Row] = []
        self._cleared = cleared
        self.attributes[4] = Attribute(lambda: double_long_unsigned(0))

    def capture(self) -> None:
        """The columns as they are now."""
        moment = self.clock.now()
        cells = tuple(encode_data(column.at(moment)) for column in self.columns)
        self.rows = [*self.rows, (moment, cells)][-self.profile_entries :]

    def _reset(self, parameters: Data | None) -> None:
        self.rows = []
        self._cleared()

    def window(self) -> Window:
        return Window(self.rows[0][0] if self.rows else self.clock.now(), len(self.rows))

    def _between(self, first: datetime, last: datetime, columns: tuple[ProfileColumn, ...]) -> EncodedValue:
        """By their times: a clock that was set back puts them out of order."""
        return self._encoded([row for row in self.rows if first <= row[0] <= last], columns)

    def _rows(self, window: Window, start: int, stop: int, columns: tuple[ProfileColumn, ...]) -> EncodedValue:
        return self._encoded(self.rows[max(0, start) : max(0, stop)], columns)

    def _encoded(self, rows: list[Row], columns: tuple[ProfileColumn, ...]) -> EncodedValue:
        wanted = [self.columns.index(column) for column in columns]
        head = bytes((DataType.STRUCTURE, len(wanted)))

        def parts() -> Iterator[bytes]:
            yield bytes((DataType.ARRAY,)) + Writer().length(len(rows)).octets()
            for _, cells in rows:
                yield head + b"".join(cells[at] for at in wanted)

        return EncodedValue(parts())

    def keep(self) -> Any:
        return [[moment.isoformat(), [cell.hex() for cell in cells]] for moment, cells in self.rows]

    def restore(self, kept: Any) -> None:
        rows = [
            (datetime.fromisoformat(moment), tuple(bytes.fromhex(cell) for cell in cells)) for moment, cells in kept
        ]
        for _, cells in rows:
            if len(cells) != len(self.columns):
                raise ValueError("a row of another log")
            for cell in cells:
                decode_data(cell)
        self.rows = rows[-self.profile_entries :]
