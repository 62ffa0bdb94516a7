"""The conformance block: which xDLMS services a side proposes, and which were agreed (IEC 62056-5-3, 7.3.1).

On the wire it is a bit string of 24 bits under the application tag 31 (`5F 1F 04 00 b0 b1 b2`); bit 0 of the standard is the
highest bit of the first octet, and so of the number here.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import IntFlag
from functools import reduce
from operator import or_
from typing import Final

from sessions.dlms.cursor import Reader, Writer
from sessions.dlms.errors import InvalidValueError

APPLICATION_TAG: Final = 0x5F
TAG_NUMBER: Final = 0x1F
CONTENT_OCTETS: Final = 4


class Conformance(IntFlag):
    """The services, by the standard's names. An unassigned bit stays in the number."""

    RESERVED_ZERO = 1 << 23
    GENERAL_PROTECTION = 1 << 22
    GENERAL_BLOCK_TRANSFER = 1 << 21
    READ = 1 << 20
    WRITE = 1 << 19
    UNCONFIRMED_WRITE = 1 << 18
    DELTA_VALUE_ENCODING = 1 << 17
    RESERVED_SEVEN = 1 << 16
    ATTRIBUTE0_SUPPORTED_WITH_SET = 1 << 15
    PRIORITY_MGMT_SUPPORTED = 1 << 14
    ATTRIBUTE0_SUPPORTED_WITH_GET = 1 << 13
    BLOCK_TRANSFER_WITH_GET_OR_READ = 1 << 12
    BLOCK_TRANSFER_WITH_SET_OR_WRITE = 1 << 11
    BLOCK_TRANSFER_WITH_ACTION = 1 << 10
    MULTIPLE_REFERENCES = 1 << 9
    INFORMATION_REPORT = 1 << 8
    DATA_NOTIFICATION = 1 << 7
    ACCESS = 1 << 6
    PARAMETERIZED_ACCESS = 1 << 5
    GET = 1 << 4
    SET = 1 << 3
    SELECTIVE_ACCESS = 1 << 2
    EVENT_NOTIFICATION = 1 << 1
    ACTION = 1 << 0

    @property
    def names(self) -> tuple[str, ...]:
        """The set bits in the standard's order: `("block-transfer-with-get-or-read", "get")`."""
        return tuple((flag.name or "").lower().replace("_", "-") for flag in Conformance if flag in self)

    @classmethod
    def from_names(cls, names: Collection[str]) -> Conformance:
        """The services of these names; ValueError where one is not the standard's."""
        flags = {name: flag for flag in cls for name in flag.names}
        unknown = sorted(set(names) - set(flags))
        if unknown:
            raise ValueError(f"“{unknown[0]}” is no service of the conformance block")
        return reduce(or_, (flags[name] for name in names), cls(0))


def read_conformance(reader: Reader, name: str) -> Conformance:
    """The tagged block; old meters leave the second tag octet out (`5F 04 00 …`), which is accepted."""
    reader.enter(name)
    reader.constant(bytes((APPLICATION_TAG,)), "tag")
    if reader.peek() == TAG_NUMBER:
        reader.take(1, "tag-number")
    at = reader.position
    size = reader.length("length")
    if size != CONTENT_OCTETS:
        raise InvalidValueError(name, at, f"{CONTENT_OCTETS} octets expected, {size} announced")
    reader.u8("unused-bits")
    conformance = Conformance(reader.unsigned(3, "bits"))
    words = ", ".join(conformance.names) or "nothing"
    reader.label(words)
    reader.leave(words)
    return conformance


def write_conformance(writer: Writer, conformance: Conformance) -> None:
    writer.u8(APPLICATION_TAG).u8(TAG_NUMBER).u8(CONTENT_OCTETS).u8(0).unsigned(3, int(conformance))
