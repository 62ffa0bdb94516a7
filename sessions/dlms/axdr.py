"""A-XDR: the `Data` CHOICE to and from octets (IEC 61334-6 as IEC 62056-5-3 uses it).

Limits stand before memory is taken: nesting at most `MAX_DEPTH`, a count never above what the remaining octets can hold, and
values that hold others only as many as an honest value of that size has.

An array of structures of simple values is read by `sessions.dlms.rows`, and comes as `Rows`; very many others come as
`Elements`. All lanes read the same.

Octets that are no value raise `DecodeError`s. A value that does not fit its own type, which only our side can make, is a
ValueError.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from meters.cosem.data import CONSTRUCTED, Data, DataType, text
from meters.cosem.rows import Rows, RowType
from sessions.dlms.compact_array import read_compact_array, write_compact_array
from sessions.dlms.cursor import MAX_DEPTH, Reader, Tracer, Writer
from sessions.dlms.elements import MANY, Elements, Joined
from sessions.dlms.errors import LimitExceededError, TruncatedError, UnknownTagError
from sessions.dlms.rows import RowReader, layout_for_writing
from sessions.dlms.scalars import NUMBERS, SMALL, TYPES, read_value, simple_end, write_value

_SEQUENCES: Final = frozenset({DataType.ARRAY, DataType.STRUCTURE})
_TAG_WORDS: Final = {kind: f"{kind} ({kind.asn1_name})" for kind in DataType}
_LEAST_ROWS: Final = 4
"""Fewer rows than these are not worth another lane."""
_ROWS_AT_ONCE: Final = 4096
"""Packed rows take far more memory than their octets, until they are joined."""

LEAST_CONSTRUCTED: Final = 4096
OCTETS_PER_CONSTRUCTED: Final = 8
"""How many values that hold others there may be: some, and more for more octets. Each takes far more memory than its octets
did, and honest ones, but for the rows, have more octets each."""
MOST_CONSTRUCTED: Final = 100_000
"""However many octets there are: the object list of a meter with ten thousand objects has as many."""


# -- decoding ----------------------------------------------------------------------------------------------------------


def read_data(reader: Reader, *, depth: int = 0) -> Data:
    """One tagged value at the cursor; raises the typed decode errors with the offset."""
    at = reader.offset
    if at >= reader.end:
        raise TruncatedError("data", reader.position, "a type tag is expected, nothing is left")
    tag = reader.octets[at]
    kind = TYPES[tag]
    if kind is None:
        raise UnknownTagError("data", reader.position, f"{tag} is not a type tag")
    if reader.tracer is not None:
        return _read_traced(reader, kind, depth)
    reader.offset = at + 1
    return _read_contents(reader, kind, depth)


def _read_traced(reader: Reader, kind: DataType, depth: int) -> Data:
    """The same, with every field named for the inspector."""
    reader.enter(kind.asn1_name)
    reader.take(1, "tag", _TAG_WORDS[kind])
    data = _read_contents(reader, kind, depth)
    reader.leave(f"{len(data)} elements" if data.constructed else text(data))
    return data


def _read_contents(reader: Reader, kind: DataType, depth: int) -> Data:
    if kind not in CONSTRUCTED:
        return read_value(reader, kind)
    _check_limits(reader, depth)
    if kind is DataType.COMPACT_ARRAY:
        return Data(kind, read_compact_array(reader, depth=depth + 1))
    count = reader.count("count")
    if count < _LEAST_ROWS and reader.tracer is None:
        return Data(kind, _read_one_by_one(reader, count, depth + 1))
    return Data(kind, _read_elements(reader, kind, count, depth + 1))


def _read_elements(reader: Reader, kind: DataType, count: int, depth: int) -> Sequence[Data]:
    if reader.tracer is not None:
        return _read_listed(reader, reader.tracer, kind, count, depth)
    if kind is DataType.ARRAY and count >= _LEAST_ROWS and depth < MAX_DEPTH:
        rows = Rows([], [])
        stop = RowReader().read(reader.octets, reader.offset, count, rows)
        if len(rows) == count:
            reader.offset = stop
            return rows
    return _read_many(reader, count, depth) if count >= MANY else _read_one_by_one(reader, count, depth)


def _read_listed(reader: Reader, tracer: Tracer, kind: DataType, count: int, depth: int) -> Sequence[Data]:
    """Elements for the inspector, each in its tree, as long as the tree is wanted to grow."""
    elements: list[Data] = []
    while len(elements) < count and tracer.left > 0:
        elements.append(read_data(reader, depth=depth))
    left = count - len(elements)
    if not left:
        return tuple(elements)
    with reader.unlisted("elements", f"{left} more, not listed"):
        return Joined(elements, _read_elements(reader, kind, left, depth))


def _read_one_by_one(reader: Reader, count: int, depth: int) -> tuple[Data, ...]:
    """Elements of any kind. Numbers, which most are, take no call of their own."""
    octets, at, end = reader.octets, reader.offset, reader.end
    elements = []
    for _ in range(count):
        number = NUMBERS[octets[at]] if at < end else None
        if number is None or at + number[1] > end:
            reader.offset = at
            elements.append(read_data(reader, depth=depth))
            at = reader.offset
            continue
        kind, size, unpack_from = number
        small = SMALL[kind]
        elements.append(Data(kind, unpack_from(octets, at + 1)[0]) if small is None else small[octets[at + 1]])
        at += size
    reader.offset = at
    return tuple(elements)


def _read_many(reader: Reader, count: int, depth: int) -> Sequence[Data]:
    """Elements that are only walked over, unless each of them holds others, as those of a table do."""
    begin, constructed = reader.offset, reader.constructed
    made: list[Data] = []
    while len(made) < count and TYPES[reader.peek() or 0] in CONSTRUCTED:
        made.append(read_data(reader, depth=depth))
    if len(made) == count:
        return tuple(made)
    made.clear()
    reader.offset, reader.constructed = begin, constructed
    starts = array("I")
    for _ in range(count):
        starts.append(reader.offset)
        end = simple_end(reader.octets, reader.offset)
        if end:
            reader.offset = end
        else:
            read_data(reader, depth=depth)  # it holds others; or it is none, and this raises
    return Elements(partial(_read_at, reader.octets, depth), starts)


def _read_at(octets: bytes, depth: int, at: int) -> Data:
    """The value that begins at `at`, and was walked over before."""
    number = NUMBERS[octets[at]]
    if number is not None:
        return Data(number[0], number[2](octets, at + 1)[0])
    reader = Reader(octets)
    reader.offset = at
    return read_data(reader, depth=depth)


def _check_limits(reader: Reader, depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise LimitExceededError("data", reader.position, f"nested deeper than {MAX_DEPTH}")
    reader.constructed += 1
    if reader.constructed <= LEAST_CONSTRUCTED:
        return
    most = min(LEAST_CONSTRUCTED + reader.end // OCTETS_PER_CONSTRUCTED, MOST_CONSTRUCTED)
    if reader.constructed > most:
        raise LimitExceededError("data", reader.position, f"more than {most} values that hold others")


def decode_data(octets: bytes) -> Data:
    """One value that fills the octets."""
    reader = Reader(octets)
    data = read_data(reader)
    reader.finish("data")
    return data


# -- encoding ----------------------------------------------------------------------------------------------------------


def write_data(writer: Writer, data: Data, *, depth: int = 0) -> None:
    """Append one tagged value; ValueError when it does not fit its type, or is nested deeper than any meter would read."""
    kind = data.type
    if kind in _SEQUENCES:
        _write_elements(writer, data, depth)
    elif kind is DataType.COMPACT_ARRAY:
        write_compact_array(writer.u8(kind), data.value)
    else:
        write_value(writer, kind, data.value)


def _write_elements(writer: Writer, data: Data, depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    writer.u8(data.type).length(len(data.value))
    if not isinstance(data.value, Rows):
        for element in data.value:
            write_data(writer, element, depth=depth + 1)
        return
    if data.value and depth + 1 >= MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    for row_type, rows in data.value.runs():
        _write_rows(writer, row_type, rows)


def _write_rows(writer: Writer, row_type: RowType, rows: list[tuple[Any, ...]]) -> None:
    """Rows of one type: all at once where they are of one layout, else value by value."""
    if len(rows) >= _LEAST_ROWS:
        try:
            layout = layout_for_writing(row_type, rows)
            if layout is not None:
                starts = range(0, len(rows), _ROWS_AT_ONCE)
                writer.put(b"".join([layout.write(rows[at : at + _ROWS_AT_ONCE]) for at in starts]))
                return
        except (struct.error, OverflowError, TypeError):
            pass  # a value that does not fit: below it is said which
    for row in rows:
        writer.u8(DataType.STRUCTURE).length(len(row))
        for kind, value in zip(row_type.types, row, strict=True):
            write_value(writer, kind, value)


def encode_data(data: Data) -> bytes:
    """The octets of one value; ValueError as `write_data`."""
    writer = Writer()
    write_data(writer, data)
    return writer.octets()
