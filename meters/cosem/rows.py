"""Many structures of simple values, such as the buffer of a profile, held without an object for each value.

`Rows` is what the decoder puts in the place of an array's tuple where every element is a structure of values that hold no
other values. Whoever looks at it as at any sequence of `Data` gets `Data`; whoever has thousands of rows to handle takes the
values as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import starmap
from typing import Any, Final, overload

from meters.cosem.data import CONSTRUCTED, DELTAS, Data, DataSequence, DataType, native

GAPS: Final = DELTAS | {DataType.NULL_DATA}
"""Types whose value follows from the row before."""
_AS_THEY_ARE: Final = (
    frozenset(DataType)
    - CONSTRUCTED
    - {
        DataType.VISIBLE_STRING,
        DataType.UTF8_STRING,
        DataType.BIT_STRING,
        DataType.BCD,
    }
)
"""Types whose value is plain Python already."""


class RowType:
    """The types of one row's values, a type for each column. Rows that are alike share one object: compare with `is`."""

    __slots__ = ("gaps", "types")

    def __init__(self, types: Sequence[DataType]) -> None:
        self.types = tuple(types)
        self.gaps = tuple(n for n, kind in enumerate(self.types) if kind in GAPS)

    def __repr__(self) -> str:
        return f"RowType({', '.join(kind.asn1_name for kind in self.types)})"


class Rows(DataSequence):
    """Structures, one for each row. `row_types[n]` and `values[n]` tell of row `n`: the types, and the values as `Data.value`.

    Not to be changed once it is made.
    """

    __slots__ = ("row_types", "values")

    def __init__(self, row_types: list[RowType], values: list[tuple[Any, ...]]) -> None:
        self.row_types = row_types
        self.values = values

    @classmethod
    def uniform(cls, types: Sequence[DataType], values: Sequence[Sequence[Any]]) -> Rows:
        """Rows of one type; ValueError where a row has not one value for each type."""
        rows = list(map(tuple, values))
        if any(len(row) != len(types) for row in rows):
            raise ValueError(f"a row has not {len(types)} values")
        return cls([RowType(types)] * len(rows), rows)

    def runs(self) -> Iterator[tuple[RowType, list[tuple[Any, ...]]]]:
        """The rows in order, neighbours of one type together."""
        start = 0
        for stop, row_type in enumerate(self.row_types):
            if row_type is not self.row_types[start]:
                yield self.row_types[start], self.values[start:stop]
                start = stop
        if self.values:
            yield self.row_types[start], self.values[start:]

    def native(self) -> list[Any]:
        made: list[Any] = []
        for row_type, rows in self.runs():
            if _AS_THEY_ARE.issuperset(row_type.types):
                made += map(list, rows)
            else:
                made += (
                    [native(Data(kind, value)) for kind, value in zip(row_type.types, row, strict=True)] for row in rows
                )
        return made

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, index: int) -> Data: ...
    @overload
    def __getitem__(self, index: slice) -> Rows: ...
    def __getitem__(self, index: int | slice) -> Data | Rows:
        if isinstance(index, slice):
            return Rows(self.row_types[index], self.values[index])
        return _structure(self.row_types[index], self.values[index])

    def __iter__(self) -> Iterator[Data]:
        return starmap(_structure, zip(self.row_types, self.values, strict=True))


def _structure(row_type: RowType, values: tuple[Any, ...]) -> Data:
    return Data(DataType.STRUCTURE, tuple(map(Data, row_type.types, values)))
