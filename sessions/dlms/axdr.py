"""A-XDR: the `Data` CHOICE to and from octets (IEC 61334-6 as IEC 62056-5-3 uses it).

Limits stand before memory is taken: nesting at most `MAX_DEPTH`, a count never above what the remaining octets can hold.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from meters.cosem.data import BitString, CompactArray, Data, DataType, TypeDescription
from meters.cosem.date_time import CosemDate, CosemDateTime, CosemTime
from sessions.dlms.cursor import MAX_DEPTH, Reader, Writer
from sessions.dlms.errors import (
    DecodeError,
    InvalidValueError,
    LimitExceededError,
    TruncatedError,
    UnknownTagError,
)

MAX_COMPACT_ELEMENTS = 100_000

# Fixed-width integers: octets and sign.
_INTEGERS: dict[DataType, tuple[int, bool]] = {
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
_FLOATS: dict[DataType, tuple[int, str]] = {DataType.FLOAT32: (4, ">f"), DataType.FLOAT64: (8, ">d")}
_MOMENTS: dict[DataType, tuple[int, Callable[[bytes], Any]]] = {
    DataType.DATE_TIME: (12, CosemDateTime.decode),
    DataType.DATE: (5, CosemDate.decode),
    DataType.TIME: (4, CosemTime.decode),
}
_STRINGS = frozenset({DataType.OCTET_STRING, DataType.VISIBLE_STRING, DataType.UTF8_STRING})
_EMPTY = frozenset({DataType.NULL_DATA, DataType.DONT_CARE})
_TAGS: dict[int, DataType] = {int(member): member for member in DataType}
_NULL = Data(DataType.NULL_DATA)


# -- decoding ----------------------------------------------------------------------------------------------------------


def read_data(reader: Reader, *, depth: int = 0) -> Data:
    """One tagged value at the cursor; raises the typed decode errors with the offset."""
    at = reader.position
    octet = reader.peek()
    if octet is None:
        raise TruncatedError("data", at, "a type tag is expected, nothing is left")
    kind = _TAGS.get(octet)
    if kind is None:
        raise UnknownTagError("data", at, f"{octet} is not a type tag")
    if reader.tracer is None:
        reader.offset += 1
        return _read_contents(reader, kind, depth)
    reader.enter(kind.asn1_name)
    reader.take(1, "tag", f"{octet} ({kind.asn1_name})")
    data = _read_contents(reader, kind, depth)
    reader.leave(_shown(data))
    return data


def _shown(data: Data) -> str:
    from meters.cosem.data import text

    return f"{len(data)} elements" if data.constructed else text(data)


def _read_contents(reader: Reader, kind: DataType, depth: int) -> Data:
    width = _INTEGERS.get(kind)
    if width is not None:
        size, signed = width
        return Data(kind, reader.signed(size, "value") if signed else reader.unsigned(size, "value"))
    if kind in _STRINGS:
        return Data(kind, reader.take(reader.length("length"), "contents"))
    if kind is DataType.STRUCTURE or kind is DataType.ARRAY:
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
        return _read_bits(reader)
    if kind in _FLOATS:
        size, layout = _FLOATS[kind]
        return struct.unpack(layout, reader.take(size, "value"))[0]
    if kind in _MOMENTS:
        size, decode = _MOMENTS[kind]
        return decode(reader.take(size, "value"))
    _check_depth(reader, depth)
    return _read_compact_array(reader, depth)


def _check_depth(reader: Reader, depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise LimitExceededError("data", reader.position, f"nested deeper than {MAX_DEPTH}")


def _read_bits(reader: Reader) -> BitString:
    bits = reader.length("bits")
    return BitString(reader.take((bits + 7) // 8, "contents"), bits)


def read_type_description(reader: Reader, *, depth: int = 0) -> TypeDescription:
    """The type-description of a compact-array, or of a template_description of class 62."""
    at = reader.position
    tag = reader.u8("type-description")
    kind = _TAGS.get(tag)
    if kind is None or kind in (DataType.COMPACT_ARRAY, DataType.DONT_CARE):
        raise UnknownTagError("type-description", at, f"{tag} cannot stand in a type description")
    reader.label(f"{tag} ({kind.asn1_name})")
    _check_depth(reader, depth)
    if kind is DataType.ARRAY:
        count = reader.u16("number-of-elements")
        return TypeDescription(kind, (read_type_description(reader, depth=depth + 1),), count)
    if kind is DataType.STRUCTURE:
        members = reader.count("count")
        return TypeDescription(kind, tuple(read_type_description(reader, depth=depth + 1) for _ in range(members)))
    return TypeDescription(kind)


class _Budget:
    """How many elements may still be made: an array of 65535 arrays of 65535 stays an error, not a memory hog."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, reader: Reader) -> None:
        self.left -= 1
        if self.left < 0:
            raise LimitExceededError("compact-array", reader.position, f"more than {MAX_COMPACT_ELEMENTS} elements")


def _read_compact_array(reader: Reader, depth: int) -> CompactArray:
    description = read_type_description(reader, depth=depth + 1)
    contents = reader.sub(reader.length("length"), "contents")
    return CompactArray(description, read_untagged_elements(contents, description))


def read_untagged_elements(contents: Reader, description: TypeDescription) -> tuple[Data, ...]:
    """Elements until the contents are used up (compact-array, compact data)."""
    budget = _Budget(MAX_COMPACT_ELEMENTS)
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
        return Data(kind, tuple(_read_untagged(reader, element, budget) for _ in range(description.count)))
    if kind is DataType.STRUCTURE:
        return Data(kind, tuple(_read_untagged(reader, member, budget) for member in description.members))
    return _read_contents(reader, kind, MAX_DEPTH)


def decode_data(octets: bytes) -> Data:
    """One value that fills the octets."""
    reader = Reader(octets)
    data = read_data(reader)
    reader.finish("data")
    return data


# -- encoding ----------------------------------------------------------------------------------------------------------


def write_data(writer: Writer, data: Data) -> None:
    """Append one tagged value. A value that does not fit its type is a ValueError."""
    writer.u8(int(data.type))
    _write_contents(writer, data)


def _write_contents(writer: Writer, data: Data) -> None:
    kind, value = data.type, data.value
    if kind in _INTEGERS:
        size, signed = _INTEGERS[kind]
        try:
            writer.put(int(value).to_bytes(size, "big", signed=signed))
        except OverflowError:
            raise ValueError(f"{value} does not fit into {kind.asn1_name}") from None
    elif kind in _STRINGS:
        writer.octet_string(value)
    elif kind in (DataType.ARRAY, DataType.STRUCTURE):
        writer.length(len(value))
        for element in value:
            write_data(writer, element)
    elif kind is DataType.BOOLEAN:
        writer.flag(value)
    elif kind is DataType.BIT_STRING:
        writer.length(value.length).put(value.octets)
    elif kind in _FLOATS:
        writer.put(struct.pack(_FLOATS[kind][1], value))
    elif kind in _MOMENTS:
        writer.put(value.encode())
    elif kind is DataType.COMPACT_ARRAY:
        _write_compact_array(writer, value)


def write_type_description(writer: Writer, description: TypeDescription) -> None:
    writer.u8(int(description.type))
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
        _write_untagged(contents, element)
    writer.octet_string(contents.octets())


def _write_untagged(writer: Writer, data: Data) -> None:
    if data.type in (DataType.ARRAY, DataType.STRUCTURE):
        for element in data.value:
            _write_untagged(writer, element)
    else:
        _write_contents(writer, data)


def encode_data(data: Data) -> bytes:
    writer = Writer()
    write_data(writer, data)
    return writer.octets()


# -- an array that arrives in pieces -----------------------------------------------------------------------------------


class ArrayStream:
    """Decodes one array while its octets arrive block by block: each feed gives the elements that became complete.

    A compact-array has no element boundaries before its contents are complete: its elements come with the last feed. A
    value that is no array comes as the only element.
    """

    def __init__(self) -> None:
        self._octets = bytearray()
        self._base = 0
        self._started = False
        self._whole = False
        self.total: int | None = None
        self.count = 0

    @property
    def finished(self) -> bool:
        return self._started and self.count == self.total

    def feed(self, octets: bytes) -> list[Data]:
        """Add octets; returns the elements that they completed. Garbage raises a `DecodeError`."""
        self._octets += octets
        if not self._started and not self._start():
            return []
        reader = Reader(bytes(self._octets), origin=self._base)
        elements: list[Data] = []
        while self.total is not None and self.count < self.total:
            mark = reader.offset
            try:
                elements.append(read_data(reader, depth=1))
            except TruncatedError:
                reader.offset = mark
                break
            except LimitExceededError as error:
                # A count that does not fit yet may fit with the next block; finish() has the last word.
                if "cannot fit" not in error.reason:
                    raise
                reader.offset = mark
                break
            self.count += 1
        self._base += reader.offset
        del self._octets[: reader.offset]
        if self._whole and elements and elements[0].type is DataType.COMPACT_ARRAY:
            return list(elements[0])
        return elements

    def _start(self) -> bool:
        """Read the array's head once it is complete."""
        if not self._octets:
            return False
        if self._octets[0] != DataType.ARRAY:
            self._started = self._whole = True
            self.total = 1
            return True
        reader = Reader(bytes(self._octets[:6]))
        reader.u8("tag")
        try:
            self.total = reader.length("count")
        except TruncatedError:
            return False
        del self._octets[: reader.offset]
        self._base = reader.offset
        self._started = True
        return True

    def finish(self) -> None:
        """Refuse an array that is not complete, or octets after it."""
        if not self.finished:
            raise TruncatedError("array", self._base, f"{self.count} of {self.total} elements came")
        if self._octets:
            raise DecodeError("array", self._base, f"{len(self._octets)} octets follow the last element")
