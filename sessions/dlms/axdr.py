"""A-XDR: the `Data` CHOICE to and from octets (IEC 61334-6 as IEC 62056-5-3 uses it).

Limits stand before memory is taken: nesting at most `MAX_DEPTH`, a count never above what the remaining octets can hold, and
for compact-arrays, whose description may multiply, a budget of values that grows with the octets of the contents.

Octets that are no value raise `DecodeError`s. A value that does not fit its own type, which only our side can make, is a
ValueError.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

from meters.cosem.data import BitString, CompactArray, Data, DataType, TypeDescription, text
from meters.cosem.date_time import CosemDate, CosemDateTime, CosemTime
from sessions.dlms.boundary import Boundary
from sessions.dlms.cursor import MAX_DEPTH, Reader, Writer
from sessions.dlms.errors import (
    DecodeError,
    InvalidValueError,
    LimitExceededError,
    TrailingOctetsError,
    TruncatedError,
    UnknownTagError,
)

_INTEGERS: Final[Mapping[int, tuple[int, bool]]] = {
    DataType.DOUBLE_LONG: (4, True),
    DataType.DOUBLE_LONG_UNSIGNED: (4, False),
    DataType.INTEGER: (1, True),
    DataType.LONG: (2, True),
    DataType.UNSIGNED: (1, False),
    DataType.LONG_UNSIGNED: (2, False),
    DataType.LONG64: (8, True),
    DataType.LONG64_UNSIGNED: (8, False),
    DataType.ENUM: (1, False),
    DataType.BCD: (1, False),
    DataType.DELTA_INTEGER: (1, True),
    DataType.DELTA_LONG: (2, True),
    DataType.DELTA_DOUBLE_LONG: (4, True),
    DataType.DELTA_UNSIGNED: (1, False),
    DataType.DELTA_LONG_UNSIGNED: (2, False),
    DataType.DELTA_DOUBLE_LONG_UNSIGNED: (4, False),
}
"""Octets and sign."""

_FLOATS: Final[Mapping[int, struct.Struct]] = {
    DataType.FLOAT32: struct.Struct(">f"),
    DataType.FLOAT64: struct.Struct(">d"),
}
_MOMENTS: Final[Mapping[int, tuple[int, type[CosemDateTime] | type[CosemDate] | type[CosemTime]]]] = {
    DataType.DATE_TIME: (12, CosemDateTime),
    DataType.DATE: (5, CosemDate),
    DataType.TIME: (4, CosemTime),
}
_STRINGS: Final = frozenset({DataType.OCTET_STRING, DataType.VISIBLE_STRING, DataType.UTF8_STRING})
_SEQUENCES: Final = frozenset({DataType.ARRAY, DataType.STRUCTURE})
_EMPTY: Final = frozenset({DataType.NULL_DATA, DataType.DONT_CARE})
_TAGS: Final[Mapping[int, DataType]] = {int(member): member for member in DataType}
_NULL: Final = Data(DataType.NULL_DATA)
_LONGEST_HEAD: Final = 6
"""Octets of an array's tag and count, at most."""

LEAST_COMPACT_VALUES: Final = 4096
COMPACT_VALUES_PER_OCTET: Final = 8
MOST_COMPACT_VALUES: Final = 1_000_000
"""The budget of a compact-array: values of no octets (null-data, the structures around) are in any honest one, but few."""


_CODES: Final = {1: "bB", 2: "hH", 4: "iI", 8: "qQ"}
"""What `struct` calls integers of so many octets, with and without sign."""


def _layouts() -> dict[int, tuple[DataType, int, Callable[..., tuple[Any, ...]]]]:
    layouts = {tag: struct.Struct(f">{_CODES[size][not signed]}") for tag, (size, signed) in _INTEGERS.items()}
    return {tag: (_TAGS[tag], 1 + one.size, one.unpack_from) for tag, one in {**layouts, **_FLOATS}.items()}


_FAST: Final = _layouts()
"""Numbers: type, octets with the tag, and how to unpack them. What profiles are made of, so it has a lane of its own."""


# -- decoding ----------------------------------------------------------------------------------------------------------


def read_data(reader: Reader, *, depth: int = 0) -> Data:
    """One tagged value at the cursor; raises the typed decode errors with the offset."""
    at = reader.offset
    if at >= reader.end:
        raise TruncatedError("data", reader.position, "a type tag is expected, nothing is left")
    tag = reader.octets[at]
    if reader.tracer is not None:
        return _read_traced(reader, tag, depth)
    fast = _FAST.get(tag)
    if fast is not None:
        kind, size, unpack_from = fast
        if at + size <= reader.end:
            reader.offset = at + size
            return Data(kind, unpack_from(reader.octets, at + 1)[0])
    kind = _kind(reader, tag)
    reader.offset = at + 1
    return _read_contents(reader, kind, depth)


def _kind(reader: Reader, tag: int) -> DataType:
    kind = _TAGS.get(tag)
    if kind is None:
        raise UnknownTagError("data", reader.position, f"{tag} is not a type tag")
    return kind


def _read_traced(reader: Reader, tag: int, depth: int) -> Data:
    """The same, with every field named for the inspector."""
    kind = _kind(reader, tag)
    reader.enter(kind.asn1_name)
    reader.take(1, "tag", f"{tag} ({kind.asn1_name})")
    data = _read_contents(reader, kind, depth)
    reader.leave(f"{len(data)} elements" if data.constructed else text(data))
    return data


def _read_contents(reader: Reader, kind: DataType, depth: int) -> Data:
    width = _INTEGERS.get(kind)
    if width is not None:
        size, signed = width
        return Data(kind, reader.signed(size, "value") if signed else reader.unsigned(size, "value"))
    if kind in _STRINGS:
        return Data(kind, reader.take(reader.length("length"), "contents"))
    if kind in _SEQUENCES:
        _check_depth(reader, depth)
        count = reader.count("count")
        return Data(kind, tuple([read_data(reader, depth=depth + 1) for _ in range(count)]))
    if kind in _EMPTY:
        return _NULL if kind is DataType.NULL_DATA else Data(kind)
    return Data(kind, _read_rare(reader, kind, depth))


def _read_rare(reader: Reader, kind: DataType, depth: int) -> Any:
    if kind is DataType.BOOLEAN:
        return reader.flag("value")
    if kind is DataType.BIT_STRING:
        bits = reader.length("bits")
        return BitString(reader.take((bits + 7) // 8, "contents"), bits)
    if kind in _FLOATS:
        layout = _FLOATS[kind]
        return layout.unpack(reader.take(layout.size, "value"))[0]
    if kind in _MOMENTS:
        size, moment = _MOMENTS[kind]
        return moment.decode(reader.take(size, "value"))
    _check_depth(reader, depth)
    return _read_compact_array(reader, depth)


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
    kind = _TAGS.get(tag)
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
    writer.u8(data.type)
    if data.type in _SEQUENCES:
        if depth >= MAX_DEPTH:
            raise ValueError(f"nested deeper than {MAX_DEPTH}")
        writer.length(len(data.value))
        for element in data.value:
            write_data(writer, element, depth=depth + 1)
    elif data.type is DataType.COMPACT_ARRAY:
        _write_compact_array(writer, data.value)
    else:
        _write_contents(writer, data)


def _write_contents(writer: Writer, data: Data) -> None:
    """The octets of a value that holds no other values."""
    try:
        _write_scalar(writer, data.type, data.value)
    except (struct.error, OverflowError, TypeError, AttributeError):
        raise ValueError(f"{data.value!r} does not fit into {data.type.asn1_name}") from None


def _write_scalar(writer: Writer, kind: DataType, value: Any) -> None:
    if kind in _INTEGERS:
        size, signed = _INTEGERS[kind]
        writer.put(int.to_bytes(value, size, "big", signed=signed))
    elif kind in _STRINGS:
        writer.octet_string(value)
    elif kind is DataType.BOOLEAN:
        writer.flag(value)
    elif kind is DataType.BIT_STRING:
        writer.length(value.length).put(value.octets)
    elif kind in _FLOATS:
        writer.put(_FLOATS[kind].pack(value))
    elif kind in _MOMENTS:
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
        _write_contents(writer, data)
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


# -- an array that arrives in pieces -----------------------------------------------------------------------------------


class ArrayStream:
    """Decodes one array while its octets arrive block by block: each feed gives the elements that became complete.

    Every octet is looked at twice at most, wherever the pieces are cut. Only an array gives its elements early: those of a
    compact-array come with its last octet, and a value that is neither comes as the only element. `total` is None until the
    meter said how many elements there are.
    """

    def __init__(self) -> None:
        self._octets = bytearray()
        self._base = 0
        self._boundary = Boundary()
        self._depth = 1
        self._refused: DecodeError | None = None
        self.total: int | None = None
        self.count = 0

    @property
    def finished(self) -> bool:
        return self.count == self.total

    def feed(self, octets: bytes) -> list[Data]:
        """Add octets; returns the elements that they completed. Garbage raises a `DecodeError`, and does so again."""
        if self._refused is not None:
            raise self._refused
        self._octets += octets
        try:
            return self._complete_elements()
        except DecodeError as error:
            self._refused = error
            raise

    def _complete_elements(self) -> list[Data]:
        if self.total is None and not self._read_head():
            return []
        complete = 0
        while self.count + complete < (self.total or 0) and self._boundary.advance(self._octets):
            complete += 1
        return self._decode(complete) if complete else []

    def _read_head(self) -> bool:
        """The array's tag and count, once they are here."""
        if not self._octets:
            return False
        if self._octets[0] != DataType.ARRAY:
            self.total, self._depth = 1, 0
            return True
        reader = Reader(bytes(self._octets[:_LONGEST_HEAD]), origin=self._base)
        reader.u8("tag")
        try:
            self.total = reader.length("count")
        except TruncatedError:
            return False
        self._drop(reader.offset)
        self._boundary = Boundary(origin=self._base)
        return True

    def _decode(self, complete: int) -> list[Data]:
        end = self._boundary.end
        reader = Reader(bytes(self._octets[:end]), origin=self._base)
        elements = [read_data(reader, depth=self._depth) for _ in range(complete)]
        self.count += complete
        self._boundary.forget(end)
        self._drop(end)
        if self._depth == 0 and elements[0].type is DataType.COMPACT_ARRAY:
            elements = list(elements[0])
            self.count = self.total = len(elements)
        return elements

    def _drop(self, count: int) -> None:
        del self._octets[:count]
        self._base += count

    def finish(self) -> None:
        """Refuse an array that is not complete, or octets after it."""
        if not self.finished:
            raise TruncatedError("array", self._base, f"{self.count} of {self.total or 'unknown'} elements came")
        if self._octets:
            raise TrailingOctetsError("array", self._base, f"{len(self._octets)} octets follow the last element")
