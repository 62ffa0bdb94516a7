"""OBIS codes: the six value groups that name every COSEM object (IEC 62056-6-1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

NOT_SPECIFIED: Final = 255
ELECTRICITY: Final = 1
MAX_SHOWN: Final = 40
LETTERS: Final = {"C": 96, "F": 97, "L": 98, "P": 99}
"""What stands for a group in reduced codes: service, error, list and profile entries."""

ABSTRACT_LETTERS: Final = frozenset("CF")

_GROUP: Final = r"[0-9]{1,3}"
_SHORT: Final = re.compile(
    rf"(?:(?:(?P<a>{_GROUP})\s*-\s*)?(?P<b>{_GROUP})\s*:\s*)?"
    rf"(?P<c>{_GROUP}|[CFLP])\s*\.\s*(?P<d>{_GROUP}|[CFLP])(?:\s*\.\s*(?P<e>{_GROUP}))?(?:\s*[*&.]\s*(?P<f>{_GROUP}))?",
    re.IGNORECASE,
)
_DOTTED: Final = re.compile(rf"{_GROUP}(?:[.,]{_GROUP}){{5}}")
_HEX: Final = re.compile(r"(?:0x)?([0-9a-f]{2}(?:[ :-]?[0-9a-f]{2}){5})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class ObisCode:
    """A logical name. `str()` gives `1-0:1.8.0*255`, `octets` the six octets of the wire."""

    a: int
    b: int
    c: int
    d: int
    e: int
    f: int = NOT_SPECIFIED

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

    @property
    def dotted(self) -> str:
        """`1.0.1.8.0.255`."""
        return ".".join(str(group) for group in self.groups)

    @property
    def reduced(self) -> str:
        """As meters print it where the medium is known: `1.8.0`, with `*5` where F says something."""
        return f"{self.c}.{self.d}.{self.e}" + ("" if self.f == NOT_SPECIFIED else f"*{self.f}")

    @classmethod
    def from_octets(cls, octets: bytes) -> ObisCode:
        """From the six octets of a logical_name; ValueError for any other length."""
        return _from_octets(octets)

    @classmethod
    def parse(cls, text: str) -> ObisCode:
        """From a code that names all it means; ValueError says what is wrong.

        `1-0:1.8.0*255` (also `&255` and `.255`), `1-0:1.8.0` (F is 255), `1.0.1.8.0.255`, twelve hex digits. A letter may
        stand for a group, as in `0-0:C.1.0`.
        """
        code = cls._read(text, None)
        if code is None:
            raise ValueError(f"“{text[:MAX_SHOWN]}” is not an OBIS code: write it as 1-0:1.8.0*255 or 1.0.1.8.0.255")
        return code

    @classmethod
    def parse_reduced(cls, text: str, *, medium: int = ELECTRICITY, channel: int = 0) -> ObisCode:
        """From any notation, the reduced ones of IEC 62056-21 among them; ValueError says what is wrong.

        `1.8.0`, `1.8.0*01`, `1.8` (E is 0), `1:1.8.0` (B is 1), `F.F`: what is left out is taken from `medium` and `channel`;
        service and error entries (C, F) are abstract objects.
        """
        code = cls._read(text, (medium, channel))
        if code is None:
            raise ValueError(f"“{text[:MAX_SHOWN]}” is not an OBIS code: write it as 1-0:1.8.0*255 or 1.8.0")
        return code

    @classmethod
    def _read(cls, text: str, left_out: tuple[int, int] | None) -> ObisCode | None:
        """None for what is no code; without `left_out` a code has to say its medium, channel and E."""
        shown = text.strip()
        if _DOTTED.fullmatch(shown):
            return cls(*(int(group) for group in re.split("[.,]", shown)))
        if found := _HEX.fullmatch(shown):
            return cls.from_octets(bytes.fromhex(re.sub("[ :-]", "", found[1])))
        short = _SHORT.fullmatch(shown)
        if short is None or (left_out is None and None in (short["a"], short["e"])):
            return None
        medium, channel = left_out or (0, 0)
        if short["c"].upper() in ABSTRACT_LETTERS:
            medium = 0
        defaults = (medium, channel, 0, 0, 0, NOT_SPECIFIED)
        return cls(*(_group(short, name, default) for name, default in zip("abcdef", defaults, strict=True)))

    def __str__(self) -> str:
        return f"{self.a}-{self.b}:{self.c}.{self.d}.{self.e}*{self.f}"


@lru_cache(maxsize=4096)
def _from_octets(octets: bytes) -> ObisCode:
    """The same few names come again and again: with every request, and every frame that the inspector opens."""
    if len(octets) != 6:
        raise ValueError(f"a logical name has 6 octets, these are {len(octets)}")
    return ObisCode(*octets)


def _group(found: re.Match[str], name: str, default: int) -> int:
    text = found[name]
    if text is None:
        return default
    return LETTERS[text.upper()] if text.upper() in LETTERS else int(text)
