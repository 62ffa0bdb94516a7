"""Very many values, made when somebody looks: an object for each would take ten times the memory of its octets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
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


class Joined(DataSequence):
    """Some elements that were made, and others behind them that are not yet."""

    __slots__ = ("_first", "_rest")

    def __init__(self, first: Sequence[Data], rest: Sequence[Data]) -> None:
        self._first = first
        self._rest = rest

    def __len__(self) -> int:
        return len(self._first) + len(self._rest)

    @overload
    def __getitem__(self, index: int) -> Data: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Data, ...]: ...
    def __getitem__(self, index: int | slice) -> Data | tuple[Data, ...]:
        if isinstance(index, slice):
            return tuple(self[at] for at in range(*index.indices(len(self))))
        at = index + len(self) if index < 0 else index
        if not 0 <= at < len(self):
            raise IndexError(index)
        split = len(self._first)
        return self._first[at] if at < split else self._rest[at - split]

    def __iter__(self) -> Iterator[Data]:
        return chain(self._first, self._rest)
