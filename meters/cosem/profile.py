"""Profile generic (class 7): capture objects and the rows of the buffer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, repeat
from typing import Any, Final

from meters.cosem.data import DELTAS, INTEGERS, Data, DataType, integer, long_unsigned, octet_string, structure
from meters.cosem.date_time import CosemDateTime, steps_of_moment
from meters.cosem.obis import ObisCode
from meters.cosem.rows import GAPS, Rows, RowType

CLOCK_CLASS_ID = 8


@dataclass(frozen=True, slots=True)
class CaptureObject:
    """One column: an attribute of an object, or with `data_index` a part of it (0 is the whole)."""

    class_id: int
    logical_name: ObisCode
    attribute_id: int
    data_index: int = 0

    @property
    def is_clock(self) -> bool:
        return self.class_id == CLOCK_CLASS_ID and self.attribute_id == 2

    def to_data(self) -> Data:
        return structure(
            long_unsigned(self.class_id),
            octet_string(self.logical_name.octets),
            integer(self.attribute_id),
            long_unsigned(self.data_index),
        )

    @classmethod
    def from_data(cls, data: Data) -> CaptureObject:
        """From {class_id, logical_name, attribute_index, data_index}; ValueError for anything else."""
        if data.type is not DataType.STRUCTURE or len(data) < 3:
            raise ValueError("a capture object is a structure of four elements")
        class_id, name, attribute_id = data[0].value, data[1].value, data[2].value
        data_index = data[3].value if len(data) > 3 else 0
        if not all(isinstance(number, int) for number in (class_id, attribute_id, data_index)):
            raise ValueError("a capture object's class, attribute and index are numbers")
        if not isinstance(name, bytes):
            raise ValueError("a capture object's logical name is an octet-string")
        return cls(class_id, ObisCode.from_octets(name), attribute_id, data_index)

    def __str__(self) -> str:
        part = f", element {self.data_index}" if self.data_index else ""
        return f"{self.class_id}/{self.logical_name}/{self.attribute_id}{part}"


def decode_capture_objects(data: Data) -> list[CaptureObject]:
    """The columns from attribute 3 of a profile; ValueError says what is wrong with it."""
    if data.type is not DataType.ARRAY:
        raise ValueError(f"capture_objects is an array, this is {data.type.asn1_name}")
    return [CaptureObject.from_data(element) for element in data]


class RowExpander:
    """Fills the null-data of a compressed buffer, row after row.

    A null in the clock column means "previous plus capture period" (seconds), in another column "as in the row before", in
    the first row nothing that could be known. Delta types add to the row before and take its type.
    """

    def __init__(self, columns: Sequence[CaptureObject], *, capture_period: int = 0) -> None:
        self.columns = tuple(columns)
        self.capture_period = capture_period
        self._clocks = {n for n, column in enumerate(self.columns) if column.is_clock and capture_period}
        self._before: tuple[RowType, tuple[Any, ...]] = (RowType(()), ())
        self._row_types: dict[tuple[DataType, ...], RowType] = {}

    def expand(self, row: Data) -> list[Data]:
        """One row's values, as many as the meter sent."""
        return list(self.expand_all([row])[0])

    def expand_all(self, rows: Sequence[Data]) -> Rows:
        """The rows with their gaps filled. A row that is no structure is taken for its only column."""
        filled = Rows([], [])
        for part in _parts_of_one_width(rows if isinstance(rows, Rows) else _as_rows(rows)):
            if any(row_type.gaps for row_type in set(part.row_types)):
                part = self._fill(part)
            filled.row_types += part.row_types
            filled.values += part.values
            self._before = part.row_types[-1], part.values[-1]
        return filled

    def _fill(self, rows: Rows) -> Rows:
        """Rows of as many columns each, filled column by column."""
        before_type, before = self._before
        kinds: list[Kinds] = []
        columns: list[Sequence[Any]] = []
        for n, column in enumerate(zip(*rows.values, strict=True)):
            start = (before_type.types[n], before[n]) if n < len(before) else None
            period = self.capture_period if n in self._clocks else 0
            kind, filled = _fill_column([row_type.types[n] for row_type in rows.row_types], column, start, period)
            kinds.append(kind)
            columns.append(filled)
        return Rows(self._types_of(kinds, len(rows)), list(zip(*columns, strict=True)))

    def _types_of(self, kinds: Sequence[Kinds], count: int) -> list[RowType]:
        if all(isinstance(kind, DataType) for kind in kinds):
            return [self._row_type(tuple(kinds))] * count  # type: ignore[arg-type]
        each = [repeat(kind, count) if isinstance(kind, DataType) else kind for kind in kinds]
        return [self._row_type(types) for types in zip(*each, strict=True)]

    def _row_type(self, types: tuple[DataType, ...]) -> RowType:
        row_type = self._row_types.get(types)
        if row_type is None:
            if len(self._row_types) >= _MOST_ROW_TYPES:
                self._row_types.clear()
            row_type = self._row_types[types] = RowType(types)
        return row_type


Kinds = DataType | list[DataType]
"""What is in a column: one type, or a type for each row."""
_MOST_ROW_TYPES: Final = 1024
_MOMENTS: Final = (DataType.OCTET_STRING, DataType.DATE_TIME)
"""How a clock is captured."""


def _as_rows(rows: Sequence[Data]) -> Rows:
    """Rows of whatever the elements of a buffer are."""
    made = Rows([], [])
    row_type = RowType(())
    for row in rows:
        elements = tuple(row) if row.constructed else (row,)
        types = tuple(element.type for element in elements)
        row_type = row_type if types == row_type.types else RowType(types)
        made.row_types.append(row_type)
        made.values.append(tuple(element.value for element in elements))
    return made


def _parts_of_one_width(rows: Rows) -> Iterator[Rows]:
    start = 0
    for _, group in groupby(map(len, rows.values)):
        stop = start + sum(1 for _ in group)
        yield rows[start:stop]
        start = stop


def _fill_column(
    kinds: list[DataType], column: Sequence[Any], before: tuple[DataType, Any] | None, period: int
) -> tuple[Kinds, Sequence[Any]]:
    """Types and values of one column with its gaps filled; `before` is what the row before has there.

    Nulls are stepped by `period` seconds where it is not 0, and repeat what was before them otherwise.
    """
    present = set(kinds)
    if present.isdisjoint(GAPS):
        return (kinds[0] if len(present) == 1 else kinds), column
    start = before or (kinds[0], column[0])
    if present <= {start[0], DataType.NULL_DATA} and (before is not None or start[0] not in GAPS):
        # One type, and null-data between: what compressed buffers are made of.
        if period and start[0] in _MOMENTS:
            return start[0], list(_step_nulls(column, start[1], period))
        value = start[1]
        return start[0], [(value := value if one is None else one) for one in column]
    filled = [start := _filled(kind, value, start, period) for kind, value in zip(kinds, column, strict=True)]
    return [kind for kind, _ in filled], [value for _, value in filled]


def _filled(kind: DataType, value: Any, before: tuple[DataType, Any], period: int) -> tuple[DataType, Any]:
    """One value, told or filled."""
    if kind is DataType.NULL_DATA:
        stepped = period and before[0] in _MOMENTS
        return before[0], next(_later(before[1], period)) if stepped else before[1]
    if kind in DELTAS and before[0] in INTEGERS:
        return before[0], before[1] + value
    return kind, value


def _step_nulls(column: Iterable[Any], clock: Any, period: int) -> Iterator[Any]:
    steps = None
    for value in column:
        if value is None:
            steps = steps or _later(clock, period)
            clock = next(steps)
        else:
            clock, steps = value, None
        yield clock


def _later(clock: Any, period: int) -> Iterator[Any]:
    """A captured clock, step by step; the same again and again where it is no moment."""
    try:
        if isinstance(clock, CosemDateTime):
            for octets in steps_of_moment(clock.encode(), period):
                yield (clock := CosemDateTime.decode(octets))
        else:
            for octets in steps_of_moment(clock, period):
                yield (clock := octets)
    except (ValueError, OverflowError):
        yield from repeat(clock)
