"""Very many values, made when somebody looks: an object for each would take ten times the memory of its octets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, overload

from meters.cosem.data import Data, DataSequence

MANY: Final = 1024
"""Fewer than these are made at once."""


class Elements(DataSequence):
    """Values by where they begin. `make` gives the one that begins there, and cannot fail: all were walked over."""

    __slots__ = ("_make", "_starts")

    def __init__(self, make: Callable[[int], Data], starts: Sequence[int]) -> None:
        self._make = make
        self._starts = starts

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, index: int) -> Data: ...
    @overload
    def __getitem__(self, index: slice) -> Elements: ...
    def __getitem__(self, index: int | slice) -> Data | Elements:
        if isinstance(index, slice):
            return Elements(self._make, self._starts[index])
        return self._make(self._starts[index])

    def __iter__(self) -> Iterator[Data]:
        return map(self._make, self._starts)
