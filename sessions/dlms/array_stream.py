"""An array that arrives in pieces: the buffer of a profile, block by block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from meters.cosem.data import Data, DataType
from meters.cosem.rows import Rows
from sessions.dlms.axdr import read_data
from sessions.dlms.boundary import Boundary
from sessions.dlms.cursor import Reader
from sessions.dlms.elements import Joined
from sessions.dlms.errors import DecodeError, TrailingOctetsError, TruncatedError
from sessions.dlms.rows import RowReader

_LONGEST_HEAD: Final = 6
"""Octets of an array's tag and count, at most."""


class ArrayStream:
    """Decodes one array while its octets arrive block by block: each feed gives the elements that became complete.

    Every octet is looked at three times at most, wherever the pieces are cut. Only an array gives its elements early: those of
    a compact-array come with its last octet, and a value that is neither comes as the only element. `total` is None until the
    meter said how many elements there are.
    """

    def __init__(self) -> None:
        self._octets = bytearray()
        self._base = 0
        self._boundary = Boundary()
        self._rows = RowReader()
        self._depth = 1
        self._inside = False
        """Whether the boundary has looked at the beginning of an element that is not complete."""
        self._refused: DecodeError | None = None
        self.total: int | None = None
        self.count = 0

    @property
    def finished(self) -> bool:
        return self.count == self.total

    def feed(self, octets: bytes) -> Sequence[Data]:
        """Add octets; returns the elements that they completed, as `Rows` where that is what they are.

        Garbage raises a `DecodeError`, and does so again.
        """
        if self._refused is not None:
            raise self._refused
        self._octets += octets
        try:
            return self._complete_elements()
        except DecodeError as error:
            self._refused = error
            raise

    def _complete_elements(self) -> Sequence[Data]:
        if self.total is None and not self._read_head():
            return []
        inside = self._inside
        if inside and not self._boundary.advance(self._octets):
            return []
        self._inside = False
        rows = self._take_rows()
        others = self._take_others(int(inside and not rows))
        self._inside = bool(self._octets) and not self.finished
        return Joined(rows, others) if rows and others else others or rows

    def _read_head(self) -> bool:
        """The array's tag and count, once they are here."""
        if not self._octets:
            return False
        if self._octets[0] != DataType.ARRAY:
            self.total, self._depth = 1, 0
            return True
        reader = Reader(self._front(_LONGEST_HEAD), origin=self._base)
        reader.u8("tag")
        try:
            self.total = reader.length("count")
        except TruncatedError:
            return False
        self._drop(reader.offset)
        return True

    def _take_rows(self) -> Sequence[Data]:
        """The elements at the front that are rows."""
        left = (self.total or 0) - self.count
        if self._depth == 0 or not left:
            return []
        rows = Rows([], [])
        stop = self._rows.read(bytes(self._octets), 0, left, rows)
        if stop:
            self.count += len(rows)
            self._drop(stop)
        return rows

    def _take_others(self, complete: int) -> Sequence[Data]:
        """The elements at the front that are something else; the first `complete` ones were walked over already."""
        while self.count + complete < (self.total or 0) and self._boundary.advance(self._octets):
            complete += 1
        if not complete:
            return []
        end = self._boundary.end
        reader = Reader(self._front(end), origin=self._base)
        self._boundary.forget(end)
        self._octets_gone(end)
        elements: Sequence[Data] = [read_data(reader, depth=self._depth) for _ in range(complete)]
        self.count += complete
        if self._depth == 0 and elements[0].type is DataType.COMPACT_ARRAY:
            elements = elements[0].elements
            self.count = self.total = len(elements)
        return elements

    def _front(self, count: int) -> bytes:
        with memoryview(self._octets) as octets, octets[:count] as front:
            return bytes(front)

    def _drop(self, count: int) -> None:
        """Leave `count` octets behind, and look for the next element from there."""
        self._octets_gone(count)
        self._boundary = Boundary(origin=self._base)

    def _octets_gone(self, count: int) -> None:
        del self._octets[:count]
        self._base += count

    def finish(self) -> None:
        """Refuse an array that is not complete, or octets after it."""
        if not self.finished:
            raise TruncatedError("array", self._base, f"{self.count} of {self.total or 'unknown'} elements came")
        if self._octets:
            raise TrailingOctetsError("array", self._base, f"{len(self._octets)} octets follow the last element")
