"""The types whose values hold no other values: what `struct` knows of them, and how one of them is read and written.

The decoders and encoders of A-XDR share it: values with their tags, rows, compact-arrays.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from meters.cosem.data import CONSTRUCTED, BitString, Data, DataType
from meters.cosem.date_time import CosemDate, CosemDateTime, CosemTime
from sessions.dlms.cursor import Reader, Writer

CODES: Final[Mapping[int, str]] = {
    DataType.BOOLEAN: "?",
    DataType.DOUBLE_LONG: "i",
    DataType.DOUBLE_LONG_UNSIGNED: "I",
    DataType.BCD: "B",
    DataType.INTEGER: "b",
    DataType.LONG: "h",
    DataType.UNSIGNED: "B",
    DataType.LONG_UNSIGNED: "H",
    DataType.LONG64: "q",
    DataType.LONG64_UNSIGNED: "Q",
    DataType.ENUM: "B",
    DataType.FLOAT32: "f",
    DataType.FLOAT64: "d",
    DataType.DELTA_INTEGER: "b",
    DataType.DELTA_LONG: "h",
    DataType.DELTA_DOUBLE_LONG: "i",
    DataType.DELTA_UNSIGNED: "B",
    DataType.DELTA_LONG_UNSIGNED: "H",
    DataType.DELTA_DOUBLE_LONG_UNSIGNED: "I",
}
"""Numbers and the boolean: the letter of `struct`."""

Moment = CosemDateTime | CosemDate | CosemTime
MOMENTS: Final[Mapping[int, tuple[int, type[Moment]]]] = {
    DataType.DATE_TIME: (12, CosemDateTime),
    DataType.DATE: (5, CosemDate),
    DataType.TIME: (4, CosemTime),
}
STRINGS: Final = frozenset({DataType.OCTET_STRING, DataType.VISIBLE_STRING, DataType.UTF8_STRING})
EMPTY: Final = frozenset({DataType.NULL_DATA, DataType.DONT_CARE})
"""Nothing follows the tag."""

LAYOUTS: Final[Mapping[int, struct.Struct]] = {tag: struct.Struct(f">{code}") for tag, code in CODES.items()}
FIXED_OCTETS: Final[Mapping[int, int]] = {
    **{tag: layout.size for tag, layout in LAYOUTS.items()},
    **{tag: size for tag, (size, _) in MOMENTS.items()},
    **dict.fromkeys(EMPTY, 0),
}
"""Octets after the tag, for the types whose size the tag settles."""

TYPES: Final[tuple[DataType | None, ...]] = tuple(
    DataType(tag) if tag in DataType._value2member_map_ else None for tag in range(256)
)
"""By tag."""

Unpack = Callable[..., tuple[Any, ...]]
NUMBERS: Final[tuple[tuple[DataType, int, Unpack] | None, ...]] = tuple(
    (DataType(tag), 1 + LAYOUTS[tag].size, LAYOUTS[tag].unpack_from) if tag in CODES else None for tag in range(256)
)
"""By tag: type, octets with the tag, and how to unpack the value. A lane of its own: most values are numbers."""


def _every_value(kind: DataType) -> tuple[Data, ...]:
    unpack = LAYOUTS[kind].unpack
    return tuple(Data(kind, unpack(bytes((octet,)))[0]) for octet in range(256))


SMALL: Final[tuple[tuple[Data, ...] | None, ...]] = tuple(
    _every_value(DataType(tag)) if tag in CODES and LAYOUTS[tag].size == 1 else None for tag in range(256)
)
"""By tag and octet: every value of the types of one octet, made once. Long arrays of them cost no memory."""

PACKERS: Final[Mapping[int, Callable[..., bytes]]] = {
    tag: struct.Struct(f">B{code}").pack for tag, code in CODES.items()
}
"""Tag and number in one go."""


# -- one value ---------------------------------------------------------------------------------------------------------

_WITHOUT_CONTENTS: Final = {kind: Data(kind) for kind in EMPTY} | {kind: Data(kind, b"") for kind in STRINGS}
"""One object for each type: octets that say nothing take no memory of their own."""
_ONE_OCTET: Final = 8


def read_value(reader: Reader, kind: DataType) -> Data:
    """The contents of one value that holds no others, behind its tag or where a description tells its type."""
    layout = LAYOUTS.get(kind)
    if layout is not None:
        return Data(kind, reader.number(layout, "value"))
    if kind in STRINGS:
        contents = reader.take(reader.length("length"), "contents")
        return Data(kind, contents) if contents else _WITHOUT_CONTENTS[kind]
    if kind in EMPTY:
        return _WITHOUT_CONTENTS[kind]
    if kind is DataType.BIT_STRING:
        bits = reader.length("bits")
        contents = reader.take((bits + 7) // 8, "contents")
        return _short_bit_string(contents, bits) if bits <= _ONE_OCTET else Data(kind, BitString(contents, bits))
    size, moment = MOMENTS[kind]
    return Data(kind, moment.decode(reader.take(size, "value")))


_LONG: Final = 0x80
"""Lengths below are one octet."""
_LONGEST_LENGTH: Final = 4


def behind_sized(octets: bytes, at: int, kind: DataType) -> int:
    """Where the contents of a string or of bits end, whose length stands at `at`; IndexError where the length is none.

    The contents themselves may lack octets.
    """
    length = octets[at]
    at += 1
    if length >= _LONG:
        size = length - _LONG
        if not 1 <= size <= _LONGEST_LENGTH:
            raise IndexError
        length = int.from_bytes(octets[at : at + size], "big")
        at += size
    return at + ((length + 7) // 8 if kind is DataType.BIT_STRING else length)


def simple_end(octets: bytes, at: int) -> int:
    """Where the value ends whose tag stands at `at`; 0 where it holds others, is not whole, or is none."""
    try:
        kind = TYPES[octets[at]]
        if kind is None or kind in CONSTRUCTED:
            return 0
        size = FIXED_OCTETS.get(kind)
        end = behind_sized(octets, at + 1, kind) if size is None else at + 1 + size
    except IndexError:
        return 0
    return end if end <= len(octets) else 0


@lru_cache(maxsize=1024)
def _short_bit_string(octets: bytes, bits: int) -> Data:
    return Data(DataType.BIT_STRING, BitString(octets, bits))


def write_value(writer: Writer, kind: DataType, value: Any) -> None:
    """Tag and contents of a value that holds no others; ValueError where it does not fit its type."""
    try:
        pack = PACKERS.get(kind)
        if pack is not None:
            writer.put(pack(kind, value))
        else:
            _write_contents(writer.u8(kind), kind, value)
    except (struct.error, OverflowError, TypeError, AttributeError):
        raise ValueError(f"{value!r} does not fit into {kind.asn1_name}") from None


def write_untagged_value(writer: Writer, kind: DataType, value: Any) -> None:
    """The contents alone."""
    try:
        if kind in LAYOUTS:
            writer.put(LAYOUTS[kind].pack(value))
        else:
            _write_contents(writer, kind, value)
    except (struct.error, OverflowError, TypeError, AttributeError):
        raise ValueError(f"{value!r} does not fit into {kind.asn1_name}") from None


def _write_contents(writer: Writer, kind: DataType, value: Any) -> None:
    if kind in STRINGS:
        writer.octet_string(value)
    elif kind is DataType.BIT_STRING:
        writer.length(value.length).put(value.octets)
    elif kind in MOMENTS:
        writer.put(value.encode())
