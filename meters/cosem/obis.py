"""OBIS codes: the six value groups that name every COSEM object (IEC 62056-6-1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_SHORT = re.compile(r"^\s*(\d{1,3})\s*-\s*(\d{1,3})\s*:\s*(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\s*[*&]\s*(\d{1,3}))?\s*$")
_DOTTED = re.compile(r"^\s*(\d{1,3})((?:[.,]\d{1,3}){5})\s*$")
_HEX = re.compile(r"^\s*(?:0[xX])?([0-9A-Fa-f]{12})\s*$")


@dataclass(frozen=True, slots=True, order=True)
class ObisCode:
    """A logical name. `str()` gives `1-0:1.8.0*255`, `octets` the six octets of the wire."""

    a: int
    b: int
    c: int
    d: int
    e: int
    f: int = 255

    def __post_init__(self) -> None:
        for name, group in zip("ABCDEF", self.groups, strict=True):
            if not 0 <= group <= 255:
                raise ValueError(f"value group {name} is {group}: each group of an OBIS code is 0 to 255")

    @property
    def groups(self) -> tuple[int, int, int, int, int, int]:
        return (self.a, self.b, self.c, self.d, self.e, self.f)

    @property
    def octets(self) -> bytes:
        return bytes(self.groups)

    @classmethod
    def from_octets(cls, octets: bytes) -> ObisCode:
        """From the six octets of a logical_name; ValueError for any other length."""
        return _from_octets(octets)

    @classmethod
    def parse(cls, text: str) -> ObisCode:
        """From `1-0:1.8.0*255`, `1-0:1.8.0` (F is 255), `1.0.1.8.0.255` or twelve hex digits; ValueError says what is wrong."""
        if found := _SHORT.match(text):
            return cls(*(255 if group is None else int(group) for group in found.groups()))
        if found := _DOTTED.match(text):
            return cls(*(int(group) for group in re.split("[.,]", text.strip())))
        if found := _HEX.match(text):
            return cls.from_octets(bytes.fromhex(found[1]))
        raise ValueError(f"“{text}” is not an OBIS code: write it as 1-0:1.8.0*255 or 1.0.1.8.0.255")

    def __str__(self) -> str:
        return f"{self.a}-{self.b}:{self.c}.{self.d}.{self.e}*{self.f}"


@lru_cache(maxsize=4096)
def _from_octets(octets: bytes) -> ObisCode:
    """The same few names come again and again: every request, every frame that the inspector opens."""
    if len(octets) != 6:
        raise ValueError(f"a logical name has 6 octets, these are {len(octets)}")
    return ObisCode(*octets)
