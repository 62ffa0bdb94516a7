"""One cursor for all codecs: symmetric readers and writers.

Every read names its field with the ASN.1 name, so that a single pass gives the value, the offset of an error and, when a
`Tracer` listens, the spans that the frame inspector highlights. Without a tracer the names cost nothing but their mention.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from enum import IntEnum
from struct import Struct
from typing import Any, Final, TypeVar

from sessions.dlms.errors import (
    InvalidValueError,
    LimitExceededError,
    TrailingOctetsError,
    TruncatedError,
    UnknownTagError,
)

E = TypeVar("E", bound=IntEnum)

MAX_DEPTH = 32
"""Nesting of constructed values and of APDUs inside APDUs."""

MAX_FIELDS = 8192
"""Fields of one tree, which nobody reads further, and which take most of the time: 700 rows of a profile. After them the
elements of arrays are read, but not listed: their octets stay in one field that says how many they are."""

_UNTRACED: Final = nullcontext()
"""The group of a reader that nobody watches."""


@dataclass(slots=True)
class Field:
    """A span of octets and what it says: one row of the inspector's tree.

    `offset` and `length` count octets of `source`: "frame" for the octets on the line, or the name of octets that exist only
    after a step (such as "plaintext" after deciphering, "apdu" after reassembly).
    """

    name: str
    offset: int
    length: int
    value: str = ""
    source: str = "frame"
    error: str = ""
    secret: bool = False
    children: list[Field] = field(default_factory=list)
    masked: bool = False
    """Shown as a secret is, but kept: what travelled was wrapped already."""


class Tracer:
    """Collects the fields that a `Reader` passes, as a tree. `left`: how many more are wanted before long lists are cut."""

    __slots__ = ("left", "root", "source", "stack")

    def __init__(self, name: str = "", source: str = "frame") -> None:
        self.root = Field(name, 0, 0, source=source)
        self.source = source
        self.stack: list[Field] = [self.root]
        self.left = MAX_FIELDS

    def add(self, name: str, offset: int, length: int, value: str) -> None:
        self.left -= 1
        self.stack[-1].children.append(Field(name, offset, length, value, self.source, "", False, []))

    def enter(self, name: str, offset: int) -> None:
        child = Field(name, offset, 0, "", self.source, "", False, [])
        self.left -= 1
        self.stack[-1].children.append(child)
        self.stack.append(child)

    def leave(self, offset: int, value: str) -> None:
        top = self.stack.pop()
        top.length = offset - top.offset
        if value:
            top.value = value

    def last(self) -> Field:
        """The field added last (or the open group where it has none yet)."""
        top = self.stack[-1]
        return top.children[-1] if top.children else top


class Reader:
    """Reads big-endian fields from octets; raises the typed `DecodeError`s with field name and offset.

    `origin` is added to every offset, so that a reader over a part speaks of positions in the whole.
    """

    __slots__ = ("constructed", "end", "octets", "offset", "origin", "tracer")

    def __init__(self, octets: bytes, *, tracer: Tracer | None = None, origin: int = 0) -> None:
        self.octets = octets
        self.offset = 0
        self.end = len(octets)
        self.origin = origin
        self.tracer = tracer
        self.constructed = 0
        """Values that hold others, as far as they were read: what the decoder of `Data` counts against bombs."""

    # -- positions ---------------------------------------------------------------------------------------------------

    @property
    def remaining(self) -> int:
        return self.end - self.offset

    @property
    def position(self) -> int:
        """The offset in the whole input."""
        return self.origin + self.offset

    def peek(self, ahead: int = 0) -> int | None:
        """The octet `ahead` of the cursor, or None after the end; nothing is consumed."""
        at = self.offset + ahead
        return self.octets[at] if at < self.end else None

    # -- fields ------------------------------------------------------------------------------------------------------

    def take(self, count: int, name: str, value: str | None = None) -> bytes:
        """The next `count` octets."""
        start = self.offset
        stop = start + count
        if count < 0 or stop > self.end:
            raise TruncatedError(name, self.position, f"{count} octets expected, {self.remaining} are left")
        self.offset = stop
        octets = self.octets[start:stop]
        if self.tracer is not None:
            self.tracer.add(name, self.origin + start, count, octets.hex() if value is None else value)
        return octets

    def rest(self, name: str) -> bytes:
        """Everything that is left."""
        return self.take(self.remaining, name)

    def unsigned(self, size: int, name: str) -> int:
        """An unsigned integer of `size` octets."""
        start = self.offset
        stop = start + size
        if stop > self.end:
            raise TruncatedError(name, self.position, f"{size} octets expected, {self.remaining} are left")
        self.offset = stop
        number = int.from_bytes(self.octets[start:stop], "big")
        if self.tracer is not None:
            self.tracer.add(name, self.origin + start, size, str(number))
        return number

    def signed(self, size: int, name: str) -> int:
        """A two's complement integer of `size` octets."""
        start = self.offset
        stop = start + size
        if stop > self.end:
            raise TruncatedError(name, self.position, f"{size} octets expected, {self.remaining} are left")
        self.offset = stop
        number = int.from_bytes(self.octets[start:stop], "big", signed=True)
        if self.tracer is not None:
            self.tracer.add(name, self.origin + start, size, str(number))
        return number

    def number(self, layout: Struct, name: str) -> Any:
        """One value, as `layout` reads it."""
        start = self.offset
        stop = start + layout.size
        if stop > self.end:
            raise TruncatedError(name, self.position, f"{layout.size} octets expected, {self.remaining} are left")
        self.offset = stop
        (value,) = layout.unpack_from(self.octets, start)
        if self.tracer is not None:
            self.tracer.add(name, self.origin + start, layout.size, str(value))
        return value

    def u8(self, name: str) -> int:
        return self.unsigned(1, name)

    def u16(self, name: str) -> int:
        return self.unsigned(2, name)

    def u32(self, name: str) -> int:
        return self.unsigned(4, name)

    def enum(self, enum_type: type[E], name: str) -> E:
        """One octet as a member of `enum_type`; an unassigned number is an `UnknownTagError`."""
        number = self.unsigned(1, name)
        try:
            member = enum_type(number)
        except ValueError:
            at = self.position - 1
            raise UnknownTagError(name, at, f"{number} is not assigned in {enum_type.__name__}") from None
        if self.tracer is not None:
            self.label(f"{number} ({member.name.lower().replace('_', '-')})")
        return member

    def constant(self, octets: bytes, name: str) -> None:
        """Octets that must stand here."""
        got = self.take(len(octets), name)
        if got != octets:
            at = self.position - len(octets)
            raise InvalidValueError(name, at, f"{octets.hex()} expected, {got.hex()} found")

    def flag(self, name: str) -> bool:
        """An A-XDR BOOLEAN or presence flag: 00 is false, anything else true (01 and FF are both in the field)."""
        return self.unsigned(1, name) != 0

    def length(self, name: str) -> int:
        """An A-XDR or BER definite length, at most four octets of it; a non-minimal one is accepted, as meters send it."""
        start = self.offset
        if start >= self.end:
            raise TruncatedError(name, self.position, "a length is expected, nothing is left")
        number = self.octets[start]
        if number < 0x80:
            self.offset = start + 1
        else:
            number = self._long_length(name, number & 0x7F)
        if self.tracer is not None:
            self.tracer.add(name, self.origin + start, self.offset - start, str(number))
        return number

    def _long_length(self, name: str, size: int) -> int:
        """A length whose first octet counts the `size` octets behind it."""
        start = self.offset + 1
        if size == 0 or size > 4:
            raise InvalidValueError(name, self.position, f"a length of {size} octets is not allowed")
        if start + size > self.end:
            raise TruncatedError(name, self.position, f"a length of {size} octets is cut")
        self.offset = start + size
        return int.from_bytes(self.octets[start : start + size], "big")

    def count(self, name: str, *, least: int = 1) -> int:
        """A length that counts elements of at least `least` octets each: a count that cannot fit is refused at once."""
        start = self.offset
        number = self.length(name)
        if number * least > self.end - self.offset:
            raise LimitExceededError(
                name, self.origin + start, f"{number} elements cannot fit in {self.remaining} octets"
            )
        return number

    def octet_string(self, name: str) -> bytes:
        """A length and that many octets."""
        self.enter(name)
        size = self.length("length")
        octets = self.take(size, "contents")
        self.leave(octets.hex())
        return octets

    def finish(self, name: str = "end") -> None:
        """Refuse octets that are left over."""
        if self.offset != self.end:
            raise TrailingOctetsError(name, self.position, f"{self.remaining} octets are left over")

    # -- the tree ----------------------------------------------------------------------------------------------------

    def enter(self, name: str) -> None:
        """Open a group of fields; close it with `leave`. Nothing happens without a tracer."""
        if self.tracer is not None:
            self.tracer.enter(name, self.position)

    def leave(self, value: str = "") -> None:
        if self.tracer is not None:
            self.tracer.leave(self.position, value)

    def group(self, name: str) -> AbstractContextManager[None]:
        """`enter` and `leave` as a block. An error leaves the group open, and so visible."""
        return _UNTRACED if self.tracer is None else self._traced_group(name)

    @contextmanager
    def _traced_group(self, name: str) -> Iterator[None]:
        self.enter(name)
        yield
        self.leave()

    @contextmanager
    def unlisted(self, name: str, value: str) -> Iterator[None]:
        """What is read inside becomes one field."""
        tracer, start = self.tracer, self.offset
        self.tracer = None
        try:
            yield
        finally:
            self.tracer = tracer
            if tracer is not None:
                tracer.add(name, self.origin + start, self.offset - start, value)

    def label(self, value: str, *, secret: bool = False) -> None:
        """Say in words what the last field holds; `secret` marks it for masking."""
        if self.tracer is not None:
            last = self.tracer.last()
            last.value = value
            last.secret = last.secret or secret

    def sub(self, count: int, name: str) -> Reader:
        """A reader over the next `count` octets, with the same tracer and offsets of the whole."""
        if count > self.remaining:
            raise TruncatedError(name, self.position, f"{count} octets expected, {self.remaining} are left")
        part = Reader(self.octets[self.offset : self.offset + count], tracer=self.tracer, origin=self.position)
        self.offset += count
        return part


class Writer:
    """The mirror of `Reader`: appends big-endian fields, `octets()` gives the result."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts = bytearray()

    def __len__(self) -> int:
        return len(self._parts)

    def octets(self) -> bytes:
        return bytes(self._parts)

    def put(self, octets: bytes) -> Writer:
        self._parts += octets
        return self

    def unsigned(self, size: int, number: int) -> Writer:
        self._parts += number.to_bytes(size, "big")
        return self

    def signed(self, size: int, number: int) -> Writer:
        self._parts += number.to_bytes(size, "big", signed=True)
        return self

    def u8(self, number: int) -> Writer:
        self._parts.append(number)
        return self

    def u16(self, number: int) -> Writer:
        return self.unsigned(2, number)

    def u32(self, number: int) -> Writer:
        return self.unsigned(4, number)

    def flag(self, value: bool) -> Writer:
        return self.u8(1 if value else 0)

    def length(self, number: int) -> Writer:
        """The shortest definite length."""
        if number < 0x80:
            self._parts.append(number)
        else:
            size = (number.bit_length() + 7) // 8
            self._parts.append(0x80 | size)
            self._parts += number.to_bytes(size, "big")
        return self

    def octet_string(self, octets: bytes) -> Writer:
        return self.length(len(octets)).put(octets)
