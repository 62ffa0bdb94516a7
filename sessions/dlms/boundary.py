"""Where a `Data` value ends, found while its octets still arrive.

A value says only by its contents how long it is. To try the decoder again with every block would read a long value as many
times as it has blocks; a `Boundary` keeps what it knows of the value and looks at every octet once.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from meters.cosem.data import DataType
from sessions.dlms.cursor import MAX_DEPTH
from sessions.dlms.errors import InvalidValueError, LimitExceededError, UnknownTagError
from sessions.dlms.scalars import FIXED_OCTETS, STRINGS

_TAGS: Final = frozenset(int(kind) for kind in DataType)
_ARRAY_HEAD: Final = 3
"""An array in a type description: its tag and a count of two octets."""


class _Next(Enum):
    """What stands at the cursor."""

    VALUE = "a tagged value"
    DESCRIPTION = "a type description of a compact-array"
    CONTENTS = "the length and contents of a compact-array"


class Boundary:
    """Walks over one value after the other. `end` is where the last complete one ended, in octets of the buffer.

    The buffer is the caller's: it grows at its end, and what was walked over may go with `forget`. `origin` is added to the
    offsets of errors.
    """

    __slots__ = ("_at", "_expected", "_origin", "end")

    def __init__(self, *, origin: int = 0) -> None:
        self.end = 0
        self._at = 0
        self._origin = origin
        self._expected: list[tuple[_Next, int]] = [(_Next.VALUE, 1)]

    def advance(self, octets: bytearray) -> bool:
        """Whether the next value is complete, `end` is then behind it. Raises decode errors for what can be no value."""
        while self._expected:
            kind, remaining = self._expected[-1]
            if remaining == 0:
                self._expected.pop()
            elif kind is _Next.VALUE and (passed := self._pass_fixed(octets, remaining)):
                self._expected[-1] = (kind, remaining - passed)
            elif not self._step(octets, kind, remaining):
                return False
        if self._at > len(octets):
            return False
        self.end = self._at
        self._expected.append((_Next.VALUE, 1))
        return True

    def forget(self, count: int) -> None:
        """The first `count` octets left the buffer."""
        self.end -= count
        self._at -= count
        self._origin += count

    def _pass_fixed(self, octets: bytearray, most: int) -> int:
        """Pass up to `most` values whose size their tag settles, and count them: the bulk of any profile in one go."""
        at, end, passed = self._at, len(octets), 0
        while passed < most and at < end:
            size = FIXED_OCTETS.get(octets[at])
            if size is None:
                break
            at += 1 + size
            passed += 1
        self._at = at
        return passed

    def _step(self, octets: bytearray, kind: _Next, remaining: int) -> bool:
        """Pass one tag, count or length; False when it is not here yet."""
        at, depth = self._at, len(self._expected) - 1
        if at >= len(octets):
            return False
        if kind is _Next.VALUE:
            passed = self._pass_value(octets, octets[at])
        elif kind is _Next.DESCRIPTION:
            passed = self._pass_description(octets, octets[at])
        else:
            passed = self._pass_sized(octets, at)
        if passed:
            self._expected[depth] = (kind, remaining - 1)
        return passed

    def _pass_value(self, octets: bytearray, tag: int) -> bool:
        """A value whose size stands in its contents."""
        if tag in STRINGS:
            return self._pass_sized(octets, self._at + 1)
        if tag == DataType.BIT_STRING:
            return self._pass_sized(octets, self._at + 1, bits=True)
        if tag == DataType.COMPACT_ARRAY:
            self._at += 1
            self._expect(_Next.CONTENTS, 1)
            self._expect(_Next.DESCRIPTION, 1)
            return True
        if tag not in _TAGS:
            raise UnknownTagError("data", self._origin + self._at, f"{tag} is not a type tag")
        return self._pass_count(octets, _Next.VALUE)

    def _pass_description(self, octets: bytearray, tag: int) -> bool:
        if tag == DataType.ARRAY:
            self._at += _ARRAY_HEAD
            self._expect(_Next.DESCRIPTION, 1)
            return True
        if tag == DataType.STRUCTURE:
            return self._pass_count(octets, _Next.DESCRIPTION)
        if tag not in _TAGS:
            raise UnknownTagError("type-description", self._origin + self._at, f"{tag} is not a type tag")
        self._at += 1
        return True

    def _pass_count(self, octets: bytearray, kind: _Next) -> bool:
        """A tag with a count, behind which that many of `kind` follow."""
        found = self._length(octets, self._at + 1)
        if found is None:
            return False
        count, self._at = found
        self._expect(kind, count)
        return True

    def _pass_sized(self, octets: bytearray, at: int, *, bits: bool = False) -> bool:
        """A length at `at`, and the octets (or bits) that it counts."""
        found = self._length(octets, at)
        if found is None:
            return False
        size, start = found
        self._at = start + ((size + 7) // 8 if bits else size)
        return True

    def _length(self, octets: bytearray, at: int) -> tuple[int, int] | None:
        """The length at `at` and where it ends, None when it is not complete."""
        if at >= len(octets):
            return None
        first = octets[at]
        if first < 0x80:
            return first, at + 1
        size = first & 0x7F
        if not 1 <= size <= 4:
            raise InvalidValueError("length", self._origin + at, f"a length of {size} octets is not allowed")
        stop = at + 1 + size
        return None if stop > len(octets) else (int.from_bytes(octets[at + 1 : stop], "big"), stop)

    def _expect(self, kind: _Next, count: int) -> None:
        if len(self._expected) > MAX_DEPTH + 1:
            raise LimitExceededError("data", self._origin + self._at, f"nested deeper than {MAX_DEPTH}")
        self._expected.append((kind, count))
