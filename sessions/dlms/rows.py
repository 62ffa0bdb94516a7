"""Rows: the structures of simple values that a profile's buffer is made of, read and written many at a time.

A meter sends its rows in one layout, or in a few: the tags and lengths stand at the same places, only the values differ. Such
rows are read through one compiled `struct`. Whether they are of the layout is asked of all of them at once, octet by octet of
the layout: `octets[offset::size]` must be one octet repeated. Where the layout changes from row to row, the tags of a row are
followed through a tree to the layout that they make.

Only what is beyond doubt is read here. A row that is cut, nested or wrong is left to `sessions.dlms.axdr`, which knows the
errors; both read the same.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from itertools import starmap
from operator import itemgetter
from typing import Any, Final

from meters.cosem.data import BitString, DataType
from meters.cosem.rows import Rows, RowType
from sessions.dlms.scalars import CODES, EMPTY, FIXED_OCTETS, MOMENTS, NUMBERS, STRINGS, TYPES

MAX_ROW_TYPES: Final = 1024
"""Rows that differ more than that are no profile, and the types must not outgrow the rows."""
LEAST_LAYOUTS: Final = 64
OCTETS_PER_LAYOUT: Final = 512
MOST_LAYOUTS: Final = 256
"""How many layouts one reader remembers: a few, and more for more octets. Rows of others are read value by value, which is
cheaper than a layout that is used once."""
_SHORT: Final = 0x80
"""Lengths and counts below are one octet."""
_FIRST_WINDOW: Final = 8
"""Rows that are compared at first; four times as many after each success: rows that alternate cost no long look ahead."""
_NOTHING: Final = (None,)

Shape = tuple[tuple[DataType, int], ...]
"""The type of each column, and the length that stands before its contents (0 where none does)."""
Row = tuple[Any, ...]


class Layout:
    """One shape of a row: `size` octets, some of them tags and lengths at fixed places, the rest values."""

    __slots__ = ("_finish", "_struct", "marks", "row_type", "size")

    def __init__(self, shape: Shape, row_type: RowType) -> None:
        self.row_type = row_type
        self.marks = [(0, bytes((DataType.STRUCTURE,))), (1, bytes((len(shape),)))]
        """Where a tag, count or length stands, and the octet that it is."""
        codes = [">2x"]
        size = 2
        for kind, length in shape:
            head = bytes((kind, length)) if _is_sized(kind) else bytes((kind,))
            self.marks += [(size + n, head[n : n + 1]) for n in range(len(head))]
            contents = _contents_octets(kind, length)
            code = "" if kind in EMPTY else CODES.get(kind, f"{contents}s")
            codes.append(f"{len(head)}x{code}")
            size += len(head) + contents
        self.size = size
        self._struct = struct.Struct("".join(codes))
        self._finish = _finisher(shape)

    def count(self, octets: bytes, at: int, most: int) -> int:
        """How many rows of this layout stand at `at`, one after the other: `most` at most, and only whole ones."""
        size = self.size
        most = min(most, (len(octets) - at) // size)
        counted, window = 0, _FIRST_WINDOW
        while counted < most:
            wanted = same = min(window, most - counted)
            for place, mark in self.marks:
                column = octets[at + place : at + same * size : size]
                same -= len(column.lstrip(mark))
                if not same:
                    return counted
            counted += same
            if same < wanted:
                break
            at += same * size
            window *= 4
        return counted

    def read(self, octets: bytes, at: int, count: int) -> list[Row]:
        """The values of `count` rows, which were counted before."""
        rows = self._struct.iter_unpack(memoryview(octets)[at : at + count * self.size])
        return list(rows if self._finish is None else map(self._finish, rows))

    def read_one(self, octets: bytes, at: int) -> Row:
        """The values of one row whose tags were looked at before; struct.error where it is cut."""
        row = self._struct.unpack_from(octets, at)
        return row if self._finish is None else self._finish(row)

    def write(self, rows: Iterable[Sequence[Any]]) -> bytes:
        """The octets of rows of numbers and strings; struct.error where a value does not fit."""
        octets = bytearray().join(starmap(self._struct.pack, rows))
        count = len(octets) // self.size
        for place, mark in self.marks:
            octets[place :: self.size] = mark * count
        return bytes(octets)


def _is_sized(kind: DataType) -> bool:
    return kind in STRINGS or kind is DataType.BIT_STRING


def _contents_octets(kind: DataType, length: int) -> int:
    if kind is DataType.BIT_STRING:
        return (length + 7) // 8
    return FIXED_OCTETS.get(kind, length)


def _converter(kind: DataType, length: int) -> Callable[[bytes], Any] | None:
    """What makes the value of its octets, where they are not the value."""
    if kind in MOMENTS:
        return MOMENTS[kind][1].decode
    if kind is DataType.BIT_STRING:
        return lambda octets: BitString(octets, length)
    return None


def _finisher(shape: Shape) -> Callable[[Row], Row] | None:
    """What makes a row of the values that `struct` gives: puts None where nothing stands, and converts the rest."""
    converters = [(n, convert) for n, column in enumerate(shape) if (convert := _converter(*column)) is not None]
    place = _placer([kind in EMPTY for kind, _ in shape])
    if not converters:
        return place

    def finish(values: Row) -> Row:
        row = list(values if place is None else place(values))
        for index, convert in converters:
            row[index] = convert(row[index])
        return tuple(row)

    return finish


def _placer(empty: list[bool]) -> Callable[[Row], Row] | None:
    """What puts None into the columns that are `empty`."""
    if not any(empty):
        return None
    if len(empty) == 1:
        return lambda values: _NOTHING
    full = empty.count(False)
    pick = itemgetter(*(full if hole else empty[:n].count(False) for n, hole in enumerate(empty)))
    return lambda values: pick(values + _NOTHING)


class RowReader:
    """Reads rows, and remembers what they were like: one reader for one array, however many pieces it comes in."""

    __slots__ = ("_allowance", "_last", "_remembered", "_row_types", "_tree")

    def __init__(self) -> None:
        self._last: Layout | None = None
        self._tree: dict[int, tuple[int, Any]] = {}
        """By an octet at a mark: how far it is to the next mark, and the like for that one, or at the last one the `Layout`."""
        self._allowance = LEAST_LAYOUTS
        self._remembered = 0
        self._row_types: dict[bytes, RowType] = {}

    def read(self, octets: bytes, at: int, most: int, rows: Rows) -> int:
        """Append up to `most` rows that stand at `at`, as far as they are whole and simple; returns where they end."""
        values, row_types = rows.values, rows.row_types
        stop = len(values) + most
        self._allowance = min(self._allowance + len(octets) // OCTETS_PER_LAYOUT, MOST_LAYOUTS - self._remembered)
        while len(values) < stop:
            layout = self._layout_at(octets, at)
            if layout is None:
                end = self._learn(octets, at, rows)
                if end is None:
                    break
                at = end
            elif layout is not self._last:
                try:
                    values.append(layout.read_one(octets, at))
                except struct.error:  # the row is cut
                    break
                row_types.append(layout.row_type)
                at += layout.size
                self._last = layout
            else:
                count = layout.count(octets, at, stop - len(values))
                if not count:  # the row is cut
                    break
                values += layout.read(octets, at, count)
                row_types += [layout.row_type] * count
                at += count * layout.size
        return at

    def _layout_at(self, octets: bytes, at: int) -> Layout | None:
        """The layout of the row at `at` by its tags, where it is known. The row may be cut."""
        node: Any = self._tree
        try:
            while node.__class__ is dict:
                skip, node = node[octets[at]]
                at += skip
        except (KeyError, IndexError):
            return None
        found: Layout = node
        return found

    def _learn(self, octets: bytes, at: int, rows: Rows) -> int | None:
        """Read one row value by value, and remember its layout; None where it is cut, or not for this lane."""
        found = _read_row(octets, at)
        if found is None:
            return None
        shape, values, end = found
        row_type = self._row_type(shape)
        if row_type is None:
            return None
        rows.values.append(values)
        rows.row_types.append(row_type)
        if self._allowance:
            self._allowance -= 1
            self._remembered += 1
            self._last = Layout(shape, row_type)
            self._plant(self._last)
        return end

    def _row_type(self, shape: Shape) -> RowType | None:
        tags = bytes(kind for kind, _ in shape)
        row_type = self._row_types.get(tags)
        if row_type is None and len(self._row_types) < MAX_ROW_TYPES:
            row_type = self._row_types[tags] = RowType([kind for kind, _ in shape])
        return row_type

    def _plant(self, layout: Layout) -> None:
        """Add the layout to the tree, mark by mark."""
        places = [place for place, _ in layout.marks]
        steps = [stop - start for start, stop in zip(places, [*places[1:], layout.size], strict=True)]
        node: Any = self._tree
        for (_, mark), step in zip(layout.marks[:-1], steps, strict=False):
            node = node.setdefault(mark[0], (step, {}))[1]
        node[layout.marks[-1][1][0]] = (steps[-1], layout)


def _read_row(octets: bytes, at: int) -> tuple[Shape, Row, int] | None:
    """Shape and values of the row at `at`, and where it ends; None where it is cut, or not for this lane."""
    try:
        if octets[at] != DataType.STRUCTURE or octets[at + 1] >= _SHORT:
            return None
        shape, values = [], []
        columns = octets[at + 1]
        at += 2
        for _ in range(columns):
            found = _read_value(octets, at)
            if found is None:
                return None
            column, value, at = found
            shape.append(column)
            values.append(value)
    except (IndexError, struct.error):
        return None
    return tuple(shape), tuple(values), at


def _read_value(octets: bytes, at: int) -> tuple[tuple[DataType, int], Any, int] | None:
    """Type, length and value at `at`, and where it ends."""
    kind = TYPES[octets[at]]
    number = NUMBERS[octets[at]]
    if number is not None:
        return (number[0], 0), number[2](octets, at + 1)[0], at + number[1]
    if kind is None or not (_is_sized(kind) or kind in FIXED_OCTETS):
        return None
    length = octets[at + 1] if _is_sized(kind) else 0
    start = at + 1 + _is_sized(kind)
    end = start + _contents_octets(kind, length)
    if length >= _SHORT or end > len(octets):
        return None
    convert = _converter(kind, length)
    contents = octets[start:end]
    value = None if kind in EMPTY else convert(contents) if convert else contents
    return (kind, length), value, end


# -- writing -----------------------------------------------------------------------------------------------------------


def layout_for_writing(row_type: RowType, rows: Sequence[Sequence[Any]]) -> Layout | None:
    """One layout for all rows, which are of one type; None where their strings differ in length, or other types occur."""
    shape = []
    for index, kind in enumerate(row_type.types):
        length = 0
        if kind in STRINGS:
            lengths = {len(row[index]) for row in rows}
            if len(lengths) != 1 or (length := lengths.pop()) >= _SHORT:
                return None
        elif kind not in CODES:
            return None
        shape.append((kind, length))
    return Layout(tuple(shape), row_type) if len(shape) < _SHORT else None
