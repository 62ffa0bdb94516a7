"""The COSEM `Data` type: a value together with the type that the meter gave it.

A `Data` is lossless: what was decoded encodes to the same octets, but for non-minimal lengths and the bits that fill a
bit-string up. `native()` is the readable form for programs, `as_json()` the one for JSON, `text()` the one for people.
Source: IEC 62056-6-2 (data types), A-XDR tags of IEC 62056-5-3.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, Final

from meters.cosem.date_time import CosemDateTime, looks_like_date_time


class DataType(IntEnum):
    """The tags of the `Data` CHOICE."""

    NULL_DATA = 0
    ARRAY = 1
    STRUCTURE = 2
    BOOLEAN = 3
    BIT_STRING = 4
    DOUBLE_LONG = 5
    DOUBLE_LONG_UNSIGNED = 6
    OCTET_STRING = 9
    VISIBLE_STRING = 10
    UTF8_STRING = 12
    BCD = 13
    INTEGER = 15
    LONG = 16
    UNSIGNED = 17
    LONG_UNSIGNED = 18
    COMPACT_ARRAY = 19
    LONG64 = 20
    LONG64_UNSIGNED = 21
    ENUM = 22
    FLOAT32 = 23
    FLOAT64 = 24
    DATE_TIME = 25
    DATE = 26
    TIME = 27
    DELTA_INTEGER = 28
    DELTA_LONG = 29
    DELTA_DOUBLE_LONG = 30
    DELTA_UNSIGNED = 31
    DELTA_LONG_UNSIGNED = 32
    DELTA_DOUBLE_LONG_UNSIGNED = 33
    DONT_CARE = 255

    @property
    def asn1_name(self) -> str:
        """The standard's name: `double-long-unsigned`."""
        return _ASN1_NAMES[self]


_ASN1_NAMES: Final = {kind: name.lower().replace("_", "-") for name, kind in DataType.__members__.items()}


@dataclass(frozen=True, slots=True)
class BitString:
    """`length` bits, left-justified in `octets`; the bits that fill the last octet are no part of the value and become 0."""

    octets: bytes
    length: int

    def __post_init__(self) -> None:
        spare = len(self.octets) * 8 - self.length
        if not 0 <= spare <= 7:
            raise ValueError(f"{self.length} bits do not fill {len(self.octets)} octets")
        if spare:
            octets = self.octets[:-1] + bytes((self.octets[-1] >> spare << spare,))
            object.__setattr__(self, "octets", octets)

    def __str__(self) -> str:
        return "".join(f"{octet:08b}" for octet in self.octets)[: self.length]


@dataclass(frozen=True, slots=True)
class Data:
    """One value. `value` by type:

    null-data and don't-care None; array and structure a sequence of `Data`, a tuple or a `DataSequence`;
    compact-array a `CompactArray`; boolean bool;
    bit-string `BitString`; octet-string bytes; visible-string and utf8-string bytes too (meters put anything into them, see
    `text()`); integers, enum and the delta types int; bcd the octet as int; floats float; date-time, date and time their
    `meters.cosem.date_time` objects.
    """

    type: DataType
    value: Any = None

    def __init__(self, type: DataType, value: Any = None) -> None:
        # What a frozen dataclass generates takes half as long again, and profiles are made of these.
        _set_type(self, type)
        _set_value(self, value)

    def __bool__(self) -> bool:
        """A value is there, even where it holds no elements."""
        return True

    @property
    def elements(self) -> Sequence[Data]:
        """What an array, structure or compact-array holds."""
        elements: Sequence[Data] = self.value.elements if self.type is DataType.COMPACT_ARRAY else self.value
        return elements

    def __iter__(self) -> Iterator[Data]:
        return iter(self.elements)

    def __len__(self) -> int:
        return len(self.elements)

    def __getitem__(self, index: int) -> Data:
        return self.elements[index]

    @property
    def constructed(self) -> bool:
        return self.type in CONSTRUCTED


_set_type: Final = Data.__dict__["type"].__set__
_set_value: Final = Data.__dict__["value"].__set__

CONSTRUCTED = frozenset({DataType.ARRAY, DataType.STRUCTURE, DataType.COMPACT_ARRAY})
INTEGERS = frozenset(
    {
        DataType.DOUBLE_LONG,
        DataType.DOUBLE_LONG_UNSIGNED,
        DataType.INTEGER,
        DataType.LONG,
        DataType.UNSIGNED,
        DataType.LONG_UNSIGNED,
        DataType.LONG64,
        DataType.LONG64_UNSIGNED,
        DataType.ENUM,
    }
)
DELTAS = frozenset(
    {
        DataType.DELTA_INTEGER,
        DataType.DELTA_LONG,
        DataType.DELTA_DOUBLE_LONG,
        DataType.DELTA_UNSIGNED,
        DataType.DELTA_LONG_UNSIGNED,
        DataType.DELTA_DOUBLE_LONG_UNSIGNED,
    }
)
STRINGS = frozenset({DataType.OCTET_STRING, DataType.VISIBLE_STRING, DataType.UTF8_STRING})


class DataSequence(Sequence[Data]):
    """Elements of an array that are made when they are looked at. Equal to any sequence of the same `Data`."""

    __slots__ = ()

    def native(self) -> list[Any]:
        """Each element as plain Python."""
        return [native(element) for element in self]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DataSequence | tuple | list):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


@dataclass(frozen=True, slots=True)
class TypeDescription:
    """What the elements of a compact-array look like: a type, the count and element of an array, or a structure's members."""

    type: DataType
    members: tuple[TypeDescription, ...] = ()
    count: int = 0
    """Number of elements, for an array inside a compact-array; its only member describes the element."""


@dataclass(frozen=True, slots=True)
class CompactArray:
    """A compact-array: one description, and the elements that the untagged contents hold."""

    description: TypeDescription
    elements: Sequence[Data]


# -- making values -----------------------------------------------------------------------------------------------------


def null() -> Data:
    return Data(DataType.NULL_DATA)


def array(*elements: Data) -> Data:
    return Data(DataType.ARRAY, elements)


def structure(*elements: Data) -> Data:
    return Data(DataType.STRUCTURE, elements)


def boolean(value: bool) -> Data:
    return Data(DataType.BOOLEAN, value)


def octet_string(octets: bytes) -> Data:
    return Data(DataType.OCTET_STRING, bytes(octets))


def visible_string(value: bytes | str) -> Data:
    return Data(DataType.VISIBLE_STRING, value.encode("latin-1") if isinstance(value, str) else value)


def integer(value: int) -> Data:
    return Data(DataType.INTEGER, value)


def long(value: int) -> Data:
    return Data(DataType.LONG, value)


def double_long(value: int) -> Data:
    return Data(DataType.DOUBLE_LONG, value)


def unsigned(value: int) -> Data:
    return Data(DataType.UNSIGNED, value)


def long_unsigned(value: int) -> Data:
    return Data(DataType.LONG_UNSIGNED, value)


def double_long_unsigned(value: int) -> Data:
    return Data(DataType.DOUBLE_LONG_UNSIGNED, value)


def long64_unsigned(value: int) -> Data:
    return Data(DataType.LONG64_UNSIGNED, value)


def enum(value: int) -> Data:
    return Data(DataType.ENUM, value)


def date_time(moment: CosemDateTime | datetime, *, reverse_deviation: bool = False) -> Data:
    """An octet-string that holds a date-time, as most attributes carry it."""
    if isinstance(moment, datetime):
        moment = CosemDateTime.from_datetime(moment, reverse_deviation=reverse_deviation)
    return Data(DataType.OCTET_STRING, moment.encode())


# -- reading values ----------------------------------------------------------------------------------------------------


def as_date_time(data: Data) -> CosemDateTime | None:
    """The date-time that a value holds, typed or as an octet-string of twelve octets; None where it holds none."""
    if data.type is DataType.DATE_TIME:
        moment: CosemDateTime = data.value
        return moment
    if data.type is DataType.OCTET_STRING and len(data.value) == 12:
        return CosemDateTime.decode(data.value)
    return None


_LEAST_LETTERS: Final = 3
"""Fewer printable octets than these are letters by chance."""
_FLOAT32_DIGITS: Final = 10
"""Nine significant digits tell any two float32 apart."""


def native(data: Data) -> Any:
    """As plain Python: None, bool, int, float, bytes, str, list, or a COSEM date or time.

    A bcd of two decimal digits is their number, any other the octet in hex.
    """
    if data.constructed:
        elements = data.elements
        return elements.native() if isinstance(elements, DataSequence) else [native(element) for element in elements]
    if data.type in (DataType.VISIBLE_STRING, DataType.UTF8_STRING):
        return _string(data)
    if data.type is DataType.BIT_STRING:
        return str(data.value)
    if data.type is DataType.BCD:
        digits = f"{data.value:02x}"
        return int(digits) if digits.isdecimal() else digits
    return data.value


def as_json(data: Data) -> Any:
    """As JSON: octet-strings in hex, dates and times as text, what JSON has no number for as text."""
    if data.constructed:
        return [as_json(element) for element in data]
    value = native(data)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        return _float(data) if math.isfinite(value) else str(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def text(data: Data, *, reverse_deviation: bool = False) -> str:
    """As a technician reads it: `230.1`, `“LGZ1030…” (4c475a…)`, `2026-11-25 10:00:00`.

    An octet-string is shown in hex; letters are shown beside it, and twelve octets that `looks_like_date_time` as the
    moment that they are. `reverse_deviation`: as `CosemDateTime.text` takes it.
    """
    if data.type in INTEGERS:
        return str(data.value)
    if data.type in (DataType.NULL_DATA, DataType.DONT_CARE):
        return data.type.asn1_name
    if data.constructed:
        inner = ", ".join(text(element, reverse_deviation=reverse_deviation) for element in data)
        return f"{{{inner}}}" if data.type is DataType.STRUCTURE else f"[{inner}]"
    if data.type is DataType.OCTET_STRING:
        return _octets_text(data.value, reverse_deviation)
    if data.type is DataType.DATE_TIME:
        shown: str = data.value.text(reverse_deviation=reverse_deviation)
        return shown
    if data.type in STRINGS:
        return f"“{_printable(_string(data))}”"
    if data.type is DataType.BOOLEAN:
        return "true" if data.value else "false"
    if data.type is DataType.BCD:
        return f"{data.value:02x}"
    return str(_float(data) if data.type is DataType.FLOAT32 else data.value)


def _float(data: Data) -> float:
    """The shortest number that means the same float32: 230.1, not 230.10000610351562."""
    value: float = data.value
    if data.type is not DataType.FLOAT32 or not math.isfinite(value):
        return value
    shorter = (float(f"{value:.{digits}g}") for digits in range(1, _FLOAT32_DIGITS))
    return next((number for number in shorter if _as_float32(number) == value), value)


def _as_float32(number: float) -> float | None:
    try:
        rounded: float = struct.unpack(">f", struct.pack(">f", number))[0]
    except OverflowError:
        return None
    return rounded


def _string(data: Data) -> str:
    """Meters put anything into their strings: what does not decode is shown as Latin-1."""
    octets: bytes = data.value
    try:
        return octets.decode("utf-8" if data.type is DataType.UTF8_STRING else "ascii")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _printable(shown: str) -> str:
    """Control characters as `\\x1b`: they must not steer what shows them."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in shown)


def _octets_text(octets: bytes, reverse_deviation: bool) -> str:
    if looks_like_date_time(octets):
        return CosemDateTime.decode(octets).text(reverse_deviation=reverse_deviation)
    letters = octets.rstrip(b"\x00")
    if len(letters) >= _LEAST_LETTERS and all(0x20 <= octet < 0x7F for octet in letters):
        return f"“{letters.decode('ascii')}” ({octets.hex()})"
    return octets.hex() if octets else "(empty)"
