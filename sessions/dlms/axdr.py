"""A-XDR: the `Data` CHOICE to and from octets (IEC 61334-6 as IEC 62056-5-3 uses it).

Limits stand before memory is taken: nesting at most `MAX_DEPTH`, a count never above what the remaining octets can hold, and
for compact-arrays, whose description may multiply, a budget of values that grows with the octets of the contents.

An array of structures of simple values is read by `sessions.dlms.rows`, and comes as `Rows`; both lanes read the same.

Octets that are no value raise `DecodeError`s. A value that does not fit its own type, which only our side can make, is a
ValueError.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from meters.cosem.data import BitString, CompactArray, Data, DataType, TypeDescription, text
from meters.cosem.rows import Rows, RowType
from sessions.dlms.cursor import MAX_DEPTH, Reader, Tracer, Writer
from sessions.dlms.errors import InvalidValueError, LimitExceededError, TruncatedError, UnknownTagError
from sessions.dlms.rows import RowReader, layout_for_writing
from sessions.dlms.scalars import EMPTY, LAYOUTS, MOMENTS, NUMBERS, PACKERS, SMALL, STRINGS, TYPES

_SEQUENCES: Final = frozenset({DataType.ARRAY, DataType.STRUCTURE})
_NULL: Final = Data(DataType.NULL_DATA)
_DONT_CARE: Final = Data(DataType.DONT_CARE)
_EMPTY_STRINGS: Final = {kind: Data(kind, b"") for kind in STRINGS}
"""One object for each type, as for null-data: octets that say nothing take no memory of their own."""
_LEAST_ROWS: Final = 4
"""Fewer rows than these are not worth another lane."""

LEAST_COMPACT_VALUES: Final = 4096
COMPACT_VALUES_PER_OCTET: Final = 8
MOST_COMPACT_VALUES: Final = 1_000_000
"""The budget of a compact-array: values of no octets (null-data, the structures around) are in any honest one, but few."""


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
    reader.take(1, "tag", f"{kind} ({kind.asn1_name})")
    data = _read_contents(reader, kind, depth)
    reader.leave(f"{len(data)} elements" if data.constructed else text(data))
    return data


def _read_contents(reader: Reader, kind: DataType, depth: int) -> Data:
    layout = LAYOUTS.get(kind)
    if layout is not None:
        return Data(kind, reader.number(layout, "value"))
    if kind in STRINGS:
        contents = reader.take(reader.length("length"), "contents")
        return Data(kind, contents) if contents else _EMPTY_STRINGS[kind]
    if kind in _SEQUENCES:
        _check_depth(reader, depth)
        return Data(kind, _read_elements(reader, kind, reader.count("count"), depth + 1))
    if kind in EMPTY:
        return _NULL if kind is DataType.NULL_DATA else _DONT_CARE
    if kind is DataType.COMPACT_ARRAY:
        _check_depth(reader, depth)
        return Data(kind, _read_compact_array(reader, depth))
    return Data(kind, _read_rare(reader, kind))


def _read_elements(reader: Reader, kind: DataType, count: int, depth: int) -> tuple[Data, ...] | Rows:
    if reader.tracer is not None:
        return _read_listed(reader, reader.tracer, count, depth)
    if kind is DataType.ARRAY and count >= _LEAST_ROWS and depth < MAX_DEPTH:
        rows = Rows([], [])
        stop = RowReader().read(reader.octets, reader.offset, count, rows)
        if len(rows) == count:
            reader.offset = stop
            return rows
    return _read_one_by_one(reader, count, depth)


def _read_listed(reader: Reader, tracer: Tracer, count: int, depth: int) -> tuple[Data, ...]:
    """Elements for the inspector, each in its tree, as long as the tree is wanted to grow."""
    elements: list[Data] = []
    while len(elements) < count and tracer.left > 0:
        elements.append(read_data(reader, depth=depth))
    if left := count - len(elements):
        with reader.unlisted("elements", f"{left} more, not listed"):
            elements += _read_one_by_one(reader, left, depth)
    return tuple(elements)


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


def _read_rare(reader: Reader, kind: DataType) -> Any:
    if kind is DataType.BIT_STRING:
        bits = reader.length("bits")
        return BitString(reader.take((bits + 7) // 8, "contents"), bits)
    size, moment = MOMENTS[kind]
    return moment.decode(reader.take(size, "value"))


def _check_depth(reader: Reader, depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise LimitExceededError("data", reader.position, f"nested deeper than {MAX_DEPTH}")


def decode_data(octets: bytes) -> Data:
    """One value that fills the octets."""
    reader = Reader(octets)
    data = read_data(reader)
    reader.finish("data")
    return data


# -- compact-arrays ----------------------------------------------------------------------------------------------------


def read_type_description(reader: Reader, *, depth: int = 0) -> TypeDescription:
    """The type-description of a compact-array, or of a template_description of class 62."""
    at = reader.position
    tag = reader.u8("type-description")
    kind = TYPES[tag]
    if kind is None or kind in (DataType.COMPACT_ARRAY, DataType.DONT_CARE):
        raise UnknownTagError("type-description", at, f"{tag} cannot stand in a type description")
    reader.label(f"{tag} ({kind.asn1_name})")
    if kind not in _SEQUENCES:
        return TypeDescription(kind)
    _check_depth(reader, depth)
    if kind is DataType.ARRAY:
        count = reader.u16("number-of-elements")
        return TypeDescription(kind, (read_type_description(reader, depth=depth + 1),), count)
    members = reader.count("count")
    return TypeDescription(kind, tuple([read_type_description(reader, depth=depth + 1) for _ in range(members)]))


def _read_compact_array(reader: Reader, depth: int) -> CompactArray:
    description = read_type_description(reader, depth=depth + 1)
    contents = reader.sub(reader.length("length"), "contents")
    return CompactArray(description, read_untagged_elements(contents, description))


class _Budget:
    """How many values may still be made: an array of 65535 arrays of 65535 stays an error, not a memory hog."""

    __slots__ = ("allowed", "left")

    def __init__(self, octets: int) -> None:
        self.allowed = min(LEAST_COMPACT_VALUES + COMPACT_VALUES_PER_OCTET * octets, MOST_COMPACT_VALUES)
        self.left = self.allowed

    def spend(self, reader: Reader) -> None:
        self.left -= 1
        if self.left < 0:
            raise LimitExceededError("compact-array", reader.position, f"more than {self.allowed} elements")


def read_untagged_elements(contents: Reader, description: TypeDescription) -> tuple[Data, ...]:
    """Elements until the contents are used up (compact-array, compact data)."""
    budget = _Budget(contents.remaining)
    elements = []
    while contents.remaining:
        before = contents.offset
        elements.append(_read_untagged(contents, description, budget))
        if contents.offset == before:
            raise InvalidValueError(
                "compact-array", contents.position, "elements without octets, but contents are left"
            )
    return tuple(elements)


def _read_untagged(reader: Reader, description: TypeDescription, budget: _Budget) -> Data:
    budget.spend(reader)
    kind = description.type
    if kind is DataType.ARRAY:
        element = description.members[0]
        return Data(kind, tuple([_read_untagged(reader, element, budget) for _ in range(description.count)]))
    if kind is DataType.STRUCTURE:
        return Data(kind, tuple([_read_untagged(reader, member, budget) for member in description.members]))
    return _read_contents(reader, kind, MAX_DEPTH)


# -- encoding ----------------------------------------------------------------------------------------------------------


def write_data(writer: Writer, data: Data, *, depth: int = 0) -> None:
    """Append one tagged value; ValueError when it does not fit its type, or is nested deeper than any meter would read."""
    kind = data.type
    if kind in _SEQUENCES:
        _write_elements(writer, data, depth)
    elif kind is DataType.COMPACT_ARRAY:
        _write_compact_array(writer.u8(kind), data.value)
    else:
        _write_value(writer, kind, data.value)


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
                writer.put(layout.write(rows))
                return
        except (struct.error, OverflowError, TypeError):
            pass  # a value that does not fit: below it is said which
    for row in rows:
        writer.u8(DataType.STRUCTURE).length(len(row))
        for kind, value in zip(row_type.types, row, strict=True):
            _write_value(writer, kind, value)


def _write_value(writer: Writer, kind: DataType, value: Any) -> None:
    """Tag and octets of a value that holds no other values."""
    try:
        pack = PACKERS.get(kind)
        if pack is not None:
            writer.put(pack(kind, value))
        else:
            _write_rare(writer.u8(kind), kind, value)
    except (struct.error, OverflowError, TypeError, AttributeError):
        raise ValueError(f"{value!r} does not fit into {kind.asn1_name}") from None


def _write_untagged_value(writer: Writer, kind: DataType, value: Any) -> None:
    """The octets of a value that holds no other values."""
    try:
        if kind in LAYOUTS:
            writer.put(LAYOUTS[kind].pack(value))
        else:
            _write_rare(writer, kind, value)
    except (struct.error, OverflowError, TypeError, AttributeError):
        raise ValueError(f"{value!r} does not fit into {kind.asn1_name}") from None


def _write_rare(writer: Writer, kind: DataType, value: Any) -> None:
    if kind in STRINGS:
        writer.octet_string(value)
    elif kind is DataType.BIT_STRING:
        writer.length(value.length).put(value.octets)
    elif kind in MOMENTS:
        writer.put(value.encode())


def write_type_description(writer: Writer, description: TypeDescription) -> None:
    """The mirror of `read_type_description`."""
    writer.u8(description.type)
    if description.type is DataType.ARRAY:
        writer.u16(description.count)
    elif description.type is DataType.STRUCTURE:
        writer.length(len(description.members))
    for member in description.members:
        write_type_description(writer, member)


def _write_compact_array(writer: Writer, value: CompactArray) -> None:
    write_type_description(writer, value.description)
    contents = Writer()
    for element in value.elements:
        _write_untagged(contents, element, value.description)
    writer.octet_string(contents.octets())


def _write_untagged(writer: Writer, data: Data, description: TypeDescription) -> None:
    kind = description.type
    if data.type is not kind:
        raise ValueError(f"{data.type.asn1_name} in a compact-array where {kind.asn1_name} is described")
    if kind not in _SEQUENCES:
        _write_untagged_value(writer, kind, data.value)
        return
    members = description.members * description.count if kind is DataType.ARRAY else description.members
    if len(data.value) != len(members):
        raise ValueError(f"{len(data.value)} elements in a compact-array where {len(members)} are described")
    for element, member in zip(data.value, members, strict=True):
        _write_untagged(writer, element, member)


def encode_data(data: Data) -> bytes:
    """The octets of one value; ValueError as `write_data`."""
    writer = Writer()
    write_data(writer, data)
    return writer.octets()
