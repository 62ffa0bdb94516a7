"""The COSEM `Data` type: a value together with the type that the meter gave it.

A `Data` is lossless: what was decoded encodes to the same octets (but for non-minimal lengths). `native()` is the readable
form for programs, `as_json()` the one for JSON. Source: IEC 62056-6-2 (data types), A-XDR tags of IEC 62056-5-3.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any


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
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class BitString:
    """`length` bits, left-justified in `octets`."""

    octets: bytes
    length: int

    def __str__(self) -> str:
        return "".join(f"{octet:08b}" for octet in self.octets)[: self.length]


@dataclass(frozen=True, slots=True)
class Data:
    """One value. `value` by type:

    null-data and don't-care None; array and structure a tuple of `Data`; compact-array a `CompactArray`; boolean bool;
    bit-string `BitString`; octet-string bytes; visible-string and utf8-string bytes too (meters put anything into them, see
    `text()`); integers, enum and the delta types int; bcd the octet as int; floats float; date-time, date and time their
    `meters.cosem.date_time` objects.
    """

    type: DataType
    value: Any = None
