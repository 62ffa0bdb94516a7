"""How a person names what to read: `class/obis/attribute`, for a profile with a part of its buffer.

8/0-0:1.0.0*255/2
7/1-0:99.1.0*255/2[2026-11-01T00:00..2026-11-02T00:00]      by time; either end may carry an offset (+01:00, Z)
7/1-0:99.1.0*255/2[#1..10]                                  by entry; the last one may be 0 or absent: to the end
3/1.8.0/2                                                   any notation of OBIS codes; a reduced one means electricity
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor

PROFILE_GENERIC: Final = 7
COMPACT_DATA: Final = 62
BUFFER: Final = 2
MAX_ENTRY: Final = 0xFFFFFFFF
MAX_CLASS_ID: Final = 0xFFFF

_REFERENCE: Final = re.compile(r"(?P<class_id>\d+)/(?P<name>[^/\[\]]+)/(?P<attribute>-?\d+)(?:\[(?P<part>[^\[\]]*)\])?")


class ObjectReferenceError(ValueError):
    """A reference that cannot be read; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Rows from one moment to another, both included. Naive moments are in the meter's own time."""

    from_time: datetime
    to_time: datetime

    def __str__(self) -> str:
        return f"[{_moment(self.from_time)}..{_moment(self.to_time)}]"


@dataclass(frozen=True, slots=True)
class EntryRange:
    """Rows by number, from 1; `to_entry` 0 means the last one."""

    from_entry: int
    to_entry: int = 0

    def __str__(self) -> str:
        return f"[#{self.from_entry}..{self.to_entry or ''}]"


@dataclass(frozen=True, slots=True)
class ObjectReference:
    """One attribute of one object, `part` of it when it is a profile's buffer."""

    class_id: int
    logical_name: ObisCode
    attribute_id: int
    part: TimeRange | EntryRange | None = None

    @classmethod
    def parse(cls, text: str) -> ObjectReference:
        """From the written form; ObjectReferenceError says what is wrong."""
        found = _REFERENCE.fullmatch(text.strip())
        if found is None:
            raise ObjectReferenceError(f"{text!r} is not class/obis/attribute, such as 8/0-0:1.0.0*255/2")
        class_id, attribute_id = int(found["class_id"]), int(found["attribute"])
        if class_id > MAX_CLASS_ID:
            raise ObjectReferenceError(f"{text!r}: class {class_id} is more than {MAX_CLASS_ID}")
        if not -128 <= attribute_id <= 127:
            raise ObjectReferenceError(f"{text!r}: attribute {attribute_id} is not between -128 and 127")
        try:
            logical_name = ObisCode.parse_reduced(found["name"])
        except ValueError as error:
            raise ObjectReferenceError(f"{text!r}: {error}") from None
        part = None if found["part"] is None else _parse_part(text, found["part"])
        reference = cls(class_id, logical_name, attribute_id, part)
        if part is not None and not reference.is_buffer:
            raise ObjectReferenceError(f"{text!r}: only a profile's buffer (7/…/2) can be read in part")
        return reference

    @property
    def is_buffer(self) -> bool:
        """Whether this is the buffer of a profile generic."""
        return self.class_id == PROFILE_GENERIC and self.attribute_id == BUFFER

    @property
    def attribute(self) -> CosemAttributeDescriptor:
        """As the protocol names it, the part aside."""
        return CosemAttributeDescriptor(self.class_id, self.logical_name, self.attribute_id)

    @property
    def is_compact_buffer(self) -> bool:
        """Whether this is the buffer of Compact data: contents whose types another attribute tells."""
        return self.class_id == COMPACT_DATA and self.attribute_id == BUFFER

    @property
    def is_table(self) -> bool:
        """Whether this is read as rows, with what other attributes say of them."""
        return self.is_buffer or self.is_compact_buffer

    def sibling(self, attribute_id: int) -> ObjectReference:
        """Another attribute of the same object."""
        return ObjectReference(self.class_id, self.logical_name, attribute_id)

    def __str__(self) -> str:
        return f"{self.class_id}/{self.logical_name}/{self.attribute_id}{self.part or ''}"


def _parse_part(text: str, part: str) -> TimeRange | EntryRange:
    first, dots, last = part.partition("..")
    if not dots:
        raise ObjectReferenceError(f"{text!r}: a part is [from..to] or [#first..last]")
    if first.startswith("#"):
        return _parse_entries(text, first[1:], last.removeprefix("#"))
    from_time, to_time = _parse_moment(text, first), _parse_moment(text, last)
    if (from_time.tzinfo is None) != (to_time.tzinfo is None):
        raise ObjectReferenceError(f"{text!r}: give both times an offset, or neither")
    if from_time > to_time:
        raise ObjectReferenceError(f"{text!r}: the range ends before it begins")
    return TimeRange(from_time, to_time)


def _parse_entries(text: str, first: str, last: str) -> EntryRange:
    if not first.isdecimal() or not (last.isdecimal() or last == ""):
        raise ObjectReferenceError(f"{text!r}: entries are whole numbers, such as [#1..10]")
    from_entry, to_entry = int(first), int(last or 0)
    if not 1 <= from_entry <= MAX_ENTRY or to_entry > MAX_ENTRY:
        raise ObjectReferenceError(f"{text!r}: entries count from 1 to {MAX_ENTRY}")
    if to_entry and to_entry < from_entry:
        raise ObjectReferenceError(f"{text!r}: the range ends before it begins")
    return EntryRange(from_entry, to_entry)


def _parse_moment(text: str, moment: str) -> datetime:
    try:
        return datetime.fromisoformat(moment.strip())
    except ValueError:
        raise ObjectReferenceError(f"{text!r}: {moment!r} is not an ISO 8601 time, such as 2026-11-01T00:00") from None


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds" if moment.second else "minutes")
