"""What a bad line does to octets, by a seed: the same octets meet the same faults, in whatever pieces they come.

`FaultyLine.carry(direction, octets, now)` says what leaves, when, and in which direction; `take_happened` what was done to it.
There is no I/O and no clock here. Each kind of fault draws from a sequence of its own, which the seed, the connection and the
direction begin, one draw for each octet (or turn) of that direction: another kind more or less changes nothing for the others.

A turn begins with an octet after the other side spoke, or after a pause. On a line of datagrams each is lost, doubled or late as
a whole, and one that is late may be overtaken.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, Final

TURN_PAUSE: Final = 0.25
"""Seconds of silence after which a side that goes on begins another turn: a repetition, say."""
MAX_GARBAGE: Final = 12
"""Octets of noise before a turn, at most."""
MAX_SECONDS: Final = 3600.0
CHANCES: Final = ("bit_errors", "lost", "doubled", "delayed", "silence", "garbage")
SECONDS: Final = ("delay", "slow")


class Direction(Enum):
    """Which way octets go; the values are the words of the lab file."""

    TO_METER = "to-meter"
    FROM_METER = "from-meter"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFaults:
    """What a line does to octets.

    Chances, 0 to 1: of each bit to be turned (`bit_errors`), of each octet to be `lost`, to come twice (`doubled`), to be late by
    `delay` seconds with all that follow (`delayed`); of each turn to vanish (`silence`), or to follow on noise (`garbage`).
    `slow`: seconds that each answer of the meter is late. `echo`: what the client sends comes back to it. `cut_after`: the line
    ends behind so many octets of a direction. `direction` None: both.
    """

    seed: int = 0
    direction: Direction | None = None
    bit_errors: float = 0.0
    lost: float = 0.0
    doubled: float = 0.0
    delayed: float = 0.0
    delay: float = 0.5
    silence: float = 0.0
    garbage: float = 0.0
    slow: float = 0.0
    echo: bool = False
    cut_after: int | None = None

    def __post_init__(self) -> None:
        """ValueError says which value is none."""
        for name in CHANCES:
            _check(name, getattr(self, name), 1.0, "a chance from 0 to 1")
        for name in SECONDS:
            _check(name, getattr(self, name), MAX_SECONDS, f"seconds, from 0 to {MAX_SECONDS:g}")
        for name, least in (("seed", 0), ("cut_after", 0)):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < least):
                raise ValueError(f"faults: {name} is a whole number, {least} or more, not {value!r}")
        if not isinstance(self.echo, bool):
            raise ValueError(f"faults: echo is true or false, not {self.echo!r}")


def _check(name: str, value: object, most: float, what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ValueError(f"faults: {name} is {what}, not {value!r}")


def read_faults(table: Mapping[str, Any]) -> LineFaults:
    """The faults of a lab file's table; ValueError names the entry that is none."""
    known = {field.name for field in fields(LineFaults)}
    if unknown := sorted(set(table) - known):
        raise ValueError(f"faults: there is no {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    given = dict(table)
    word = given.pop("direction", "both")
    words = {"both": None} | {direction.value: direction for direction in Direction}
    if word not in words:
        raise ValueError(f"faults: direction is {', '.join(words)}, not {word!r}")
    return LineFaults(direction=words[word], **given)


@dataclass(frozen=True, slots=True)
class Departure:
    """Octets that leave the line, and when: seconds of the caller's clock."""

    direction: Direction
    octets: bytes
    at: float


@dataclass(frozen=True, slots=True)
class Fault:
    """What was done, when, and to which octet of its direction, counted from 0 for each connection."""

    time: float
    connection: int
    direction: Direction
    offset: int
    kind: str
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "time": round(self.time, 6),
            "connection": self.connection,
            "direction": self.direction.value,
            "offset": self.offset,
            "fault": self.kind,
            **({"detail": self.detail} if self.detail else {}),
        }


class Chance:
    """A sequence of trials, each of which strikes with the same chance: it is told how far away the next stroke is."""

    def __init__(self, chance: float, seed: str) -> None:
        self._random = random.Random(seed)
        self._chance = chance
        self._gap = self._draw()

    def _draw(self) -> int:
        """Trials that pass before the next stroke; -1: there is none."""
        if self._chance <= 0.0:
            return -1
        if self._chance >= 1.0:
            return 0
        return int(math.log1p(-self._random.random()) / math.log1p(-self._chance))

    def strokes(self, trials: int) -> list[int]:
        """Which of the next `trials` strike."""
        struck, at = [], 0
        while 0 <= self._gap < trials - at:
            at += self._gap
            struck.append(at)
            at += 1
            self._gap = self._draw()
        if self._gap >= 0:
            self._gap -= trials - at
        return struck

    def strikes(self) -> bool:
        """Whether the next one does."""
        return bool(self.strokes(1))


class _Way:
    """One direction of a connection."""

    def __init__(self, faults: LineFaults, direction: Direction, seed: str) -> None:
        self.direction = direction
        self.offset = 0
        self.ready = -math.inf
        self.silent = False
        self.noise = random.Random(f"{seed}:noise")
        applies = faults.direction in (None, direction)
        self.chances = {name: Chance(getattr(faults, name) * applies, f"{seed}:{name}") for name in CHANCES}
        self.left = faults.cut_after if applies else None
        """Octets until the line ends here."""


class FaultyLine:
    """One connection over a bad line. `cut`: it has ended. `datagrams`: what enters at once stays together."""

    def __init__(self, faults: LineFaults, connection: int = 0, *, datagrams: bool = False) -> None:
        self.cut = False
        self._datagrams = datagrams
        self.happened: list[Fault] = []
        self._faults = faults
        self._connection = connection
        seed = f"{faults.seed}:{connection}"
        self._ways = {direction: _Way(faults, direction, f"{seed}:{direction.value}") for direction in Direction}
        self._speaker: Direction | None = None
        self._heard = -math.inf

    def carry(self, direction: Direction, octets: bytes, now: float) -> list[Departure]:
        """What becomes of octets that enter now, in the order in which it leaves."""
        if self.cut or not octets:
            return []
        way = self._ways[direction]
        leaves: list[Departure] = []
        if self._faults.echo and direction is Direction.TO_METER:
            leaves.append(Departure(Direction.FROM_METER, octets, now))
            self._note(way, 0, "echo", f"{len(octets)} octets", now)
        if self._speaker is not direction or now - self._heard > TURN_PAUSE:
            leaves += self._begin_turn(way, now)
        self._speaker, self._heard = direction, now
        if way.left is not None and len(octets) >= way.left:
            octets = octets[: way.left]
            self.cut = True
            self._note(way, len(octets), "cut", "", now)
        leaves += self._damage_whole(way, octets, now) if self._datagrams else self._damage(way, octets, now)
        way.offset += len(octets)
        way.left = None if way.left is None else way.left - len(octets)
        return leaves

    def take_happened(self) -> list[Fault]:
        """What was done since the last call."""
        happened, self.happened = self.happened, []
        return happened

    def _begin_turn(self, way: _Way, now: float) -> list[Departure]:
        way.silent = way.chances["silence"].strikes()
        if way.silent:
            self._note(way, 0, "silence", "", now)
        slow = self._faults.slow if way.direction is Direction.FROM_METER else 0.0
        if slow:
            way.ready = max(way.ready, now) + slow
            self._note(way, 0, "slow", f"{slow:g} s", now)
        if not way.chances["garbage"].strikes():
            return []
        garbage = way.noise.randbytes(way.noise.randint(1, MAX_GARBAGE))
        self._note(way, 0, "garbage", garbage.hex(), now)
        return [Departure(way.direction, garbage, max(way.ready, now))]

    def _damage(self, way: _Way, octets: bytes, now: float) -> list[Departure]:
        """Octet by octet only where something strikes; each kind draws for every octet, whatever became of it."""
        struck = {name: set(way.chances[name].strokes(len(octets))) for name in ("lost", "doubled", "delayed")}
        flips: dict[int, int] = {}
        for bit in way.chances["bit_errors"].strokes(8 * len(octets)):
            flips[bit // 8] = flips.get(bit // 8, 0) | 1 << bit % 8
        if way.silent:
            return []
        leaves: list[Departure] = []
        begun = 0
        piece = bytearray()
        for at in sorted(struck["lost"] | struck["doubled"] | struck["delayed"] | set(flips)):
            piece += octets[begun:at]
            begun = at + 1
            if at in struck["lost"]:
                self._note(way, at, "lost", f"{octets[at]:02x}", now)
                continue
            octet = octets[at] ^ flips.get(at, 0)
            if at in flips:
                self._note(way, at, "bit-error", f"{octets[at]:02x} became {octet:02x}", now)
            if at in struck["delayed"]:
                leaves.append(Departure(way.direction, bytes(piece), max(way.ready, now)))
                piece.clear()
                way.ready = max(way.ready, now) + self._faults.delay
                self._note(way, at, "delayed", f"{self._faults.delay:g} s", now)
            piece.append(octet)
            if at in struck["doubled"]:
                piece.append(octet)
                self._note(way, at, "doubled", f"{octet:02x}", now)
        piece += octets[begun:]
        leaves.append(Departure(way.direction, bytes(piece), max(way.ready, now)))
        return [departure for departure in leaves if departure.octets]

    def _damage_whole(self, way: _Way, octets: bytes, now: float) -> list[Departure]:
        """A datagram: each kind draws once for it, bit errors for each of its bits."""
        lost, doubled, delayed = (way.chances[name].strikes() for name in ("lost", "doubled", "delayed"))
        damaged = bytearray(octets)
        for bit in way.chances["bit_errors"].strokes(8 * len(octets)):
            damaged[bit // 8] ^= 1 << bit % 8
            self._note(way, bit // 8, "bit-error", f"{octets[bit // 8]:02x} became {damaged[bit // 8]:02x}", now)
        if way.silent or lost or not octets:
            if lost:
                self._note(way, 0, "lost", f"{len(octets)} octets", now)
            return []
        if delayed:
            self._note(way, 0, "delayed", f"{self._faults.delay:g} s", now)
        if doubled:
            self._note(way, 0, "doubled", f"{len(octets)} octets", now)
        leaves = Departure(way.direction, bytes(damaged), max(way.ready, now) + self._faults.delay * delayed)
        return [leaves, leaves] if doubled else [leaves]

    def _note(self, way: _Way, at: int, kind: str, detail: str, now: float) -> None:
        self.happened.append(Fault(now, self._connection, way.direction, way.offset + at, kind, detail))
