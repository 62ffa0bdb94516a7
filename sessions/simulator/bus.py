"""How long octets occupy a line that has a speed, and who spoke over whom; without I/O.

A serial line carries one octet in the time of its bits. On a half-duplex line (RS-485, an optical head) whoever speaks occupies
it: octets that two senders put on it at once reach nobody as they were. Sources: EIA-485; IEC 62056-46, response and inter-octet
time-outs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from sessions.dlms.link import LineSettings

MIN_BAUD: Final = 50
MAX_BAUD: Final = 4_000_000
PARITIES: Final = ("N", "E", "O")
MAX_SECONDS: Final = 60.0
REMEMBERED: Final = 60.0
"""Seconds after which nobody asks any more who spoke."""
SPOILT: Final = 0xA5


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTiming:
    """The speed of a line, and how its meters keep time, in seconds: `response_time` passes before a meter answers, after
    `inter_octet_timeout` a meter does not await the rest of a frame any more. `half_duplex`: one may speak at a time.
    """

    baud: int
    data_bits: int = 8
    parity: str = "N"
    stop_bits: int = 1
    response_time: float = 0.02
    inter_octet_timeout: float = 1.0
    half_duplex: bool = True

    def __post_init__(self) -> None:
        """ValueError says which value is none."""
        if not _is_number(self.baud) or not MIN_BAUD <= self.baud <= MAX_BAUD:
            raise ValueError(f"timing: baud is {MIN_BAUD} to {MAX_BAUD}, not {self.baud!r}")
        if self.data_bits not in (7, 8) or self.stop_bits not in (1, 2) or self.parity not in PARITIES:
            raise ValueError("timing: data_bits is 7 or 8, stop_bits 1 or 2, parity N, E or O")
        for name in ("response_time", "inter_octet_timeout"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_SECONDS:
                raise ValueError(f"timing: {name} is seconds, from 0 to {MAX_SECONDS:g}, not {value!r}")
        if not isinstance(self.half_duplex, bool):
            raise ValueError(f"timing: half_duplex is true or false, not {self.half_duplex!r}")

    @property
    def settings(self) -> LineSettings:
        return LineSettings(self.baud, self.data_bits, self.parity, self.stop_bits)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def read_timing(table: Mapping[str, Any]) -> LineTiming:
    """The timing of a lab file's table; ValueError names the entry that is none."""
    known = {field.name for field in fields(LineTiming)}
    if unknown := sorted(set(table) - known):
        raise ValueError(f"timing: there is no {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    if "baud" not in table:
        raise ValueError("timing: baud is missing")
    return LineTiming(**table)


@dataclass(frozen=True, slots=True)
class Spoken:
    """Octets on the line: who put them there, and from when to when."""

    sender: object
    begin: float
    end: float


class Bus:
    """The medium, shared by all that send on it: each connection's client and its meters."""

    def __init__(self, timing: LineTiming) -> None:
        self.timing = timing
        self._spoken: deque[Spoken] = deque()
        self._ends: dict[object, float] = {}
        """When each sender's last octet is out."""

    def place(self, sender: object, count: int, at: float, settings: LineSettings | None = None) -> Spoken:
        """`count` octets on the line, at `at` or when the sender's last ones are out; at the line's speed or another."""
        begin = max(at, self._ends.get(sender, at))
        spoken = Spoken(sender, begin, begin + count * (settings or self.timing.settings).octet_time)
        while self._spoken and self._spoken[0].end <= at - REMEMBERED:
            old = self._spoken.popleft()
            if self._ends[old.sender] == old.end:
                del self._ends[old.sender]
        self._ends[sender] = spoken.end
        self._spoken.append(spoken)
        return spoken

    def heard(self, spoken: Spoken, octets: bytes) -> bytes:
        """What the others make of octets that are out: nothing good, where somebody else spoke at the same time."""
        if not self.timing.half_duplex:
            return octets
        collided = any(
            each.sender is not spoken.sender and each.begin < spoken.end and spoken.begin < each.end
            for each in self._spoken
        )
        return spoilt(octets) if collided else octets


def spoilt(octets: bytes) -> bytes:
    """Octets that somebody spoke over."""
    return bytes(octet ^ SPOILT for octet in octets)
