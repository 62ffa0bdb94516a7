"""Billing profiles of a simulated meter (Profile generic, class 7, version 1): a row for each end of a period, years at once.

The rows of the calendar's ends are computed, as those of the load profile; an end by hand (`capture`, or the script MDI reset
that invokes it) adds one. Entry 1 is the oldest.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime

from meters.cosem.data import Data, DataType, double_long_unsigned, structure
from meters.cosem.obis import ObisCode
from sessions.dlms.axdr import encode_data
from sessions.dlms.cursor import Writer
from sessions.simulator.closings import Closings
from sessions.simulator.objects.base import Attribute, EncodedValue
from sessions.simulator.profile import LoadProfile, ProfileColumn, Window


class BillingProfile(LoadProfile):
    """A profile whose rows stand where periods ended. capture_period is 0: somebody else says when."""

    def __init__(
        self, logical_name: ObisCode, columns: Sequence[ProfileColumn], closings: Closings, *, profile_entries: int
    ) -> None:
        super().__init__(logical_name, columns, closings.clock, profile_entries=profile_entries)
        self._closings = closings
        self.attributes[4] = Attribute(lambda: double_long_unsigned(0))
        self.methods[2] = self._capture

    def _capture(self, parameters: Data | None) -> None:
        """The period ends now."""
        self._closings.close()

    def moments(self) -> list[datetime]:
        """When the rows that there are were captured."""
        return self._closings.last(self.clock.now(), self.profile_entries, since=self._reset_at)

    def window(self) -> Window:
        moments = self.moments()
        return Window(moments[0] if moments else self.clock.now(), len(moments))

    def _between(self, first: datetime, last: datetime, columns: tuple[ProfileColumn, ...]) -> EncodedValue:
        moments = self.moments()
        return self._rows_at(moments[bisect_left(moments, first) : bisect_right(moments, last)], columns)

    def _rows(self, window: Window, start: int, stop: int, columns: tuple[ProfileColumn, ...]) -> EncodedValue:
        return self._rows_at(self.moments()[max(0, start) : max(0, stop)], columns)

    @staticmethod
    def _rows_at(moments: list[datetime], columns: tuple[ProfileColumn, ...]) -> EncodedValue:
        def parts() -> Iterator[bytes]:
            yield bytes((DataType.ARRAY,)) + Writer().length(len(moments)).octets()
            for moment in moments:
                yield encode_data(structure(*(column.at(moment) for column in columns)))

        return EncodedValue(parts())
