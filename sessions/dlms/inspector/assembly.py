"""Put together what arrives in pieces: HDLC segments, general blocks, and the blocks of GET, SET and ACTION.

    segments  an APDU over several I or UI frames; all but the last have the S bit; a repeated frame has the same N(S)
    general   an APDU over several general-block-transfer APDUs; block 1 starts anew, whatever was begun before
    service   a value over several blocks of one service, numbered from 1

Each keeps its own state for each direction of each conversation.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

MAX_ASSEMBLED: Final = 4 * 1024 * 1024
"""A limit for what a peer, or a file, can make us keep."""
GENERAL: Final = "general"
"""The kind of general block transfers; the others are named after their service."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One segment: its part of the APDU, the frame's N(S) (None for UI) and the whole information field."""

    octets: bytes
    number: int | None
    information: bytes


@dataclass(slots=True)
class Segments:
    """The pieces of one APDU so far."""

    pieces: list[Piece] = field(default_factory=list)
    size: int = 0
    title: str = "an APDU"

    def repeats(self, number: int | None, information: bytes) -> bool:
        """Whether this very frame came already: the sender did not see our acknowledgement. Numbers count modulo 8."""
        return self.repeated(number, information) is not None

    def repeated(self, number: int | None, information: bytes) -> int | None:
        """Where the piece that this frame repeats begins in the APDU; None where it repeats none."""
        begin = self.size
        for piece in reversed(self.pieces[-7:] if number is not None else []):
            begin -= len(piece.octets)
            if (piece.number, piece.information) == (number, information):
                return begin
        return None

    def add(self, number: int | None, octets: bytes, information: bytes | None = None) -> int:
        """Append; returns where this piece begins in the APDU."""
        begin = self.size
        self.pieces.append(Piece(octets, number, octets if information is None else information))
        self.size += len(octets)
        return begin

    @property
    def octets(self) -> bytes:
        return b"".join(piece.octets for piece in self.pieces)


class Step(Enum):
    """What a block means for its transfer."""

    STARTED = auto()
    CONTINUED = auto()
    REPEATED = auto()
    OUT_OF_ORDER = auto()
    UNKNOWN_START = auto()
    TOO_LONG = auto()


@dataclass(slots=True)
class Blocks:
    """One transfer: the octets so far and the number of the last block that fitted."""

    octets: bytearray = field(default_factory=bytearray)
    number: int = 0
    last: bytes = b""

    def add(self, number: int, octets: bytes) -> Step:
        if number == 1:
            self.octets, self.number, self.last = bytearray(octets), 1, octets
            return Step.STARTED
        if self.number == 0:
            return Step.UNKNOWN_START
        if number <= self.number:
            return Step.REPEATED if number < self.number or octets == self.last else Step.OUT_OF_ORDER
        if number != self.number + 1:
            return Step.OUT_OF_ORDER
        if len(self.octets) + len(octets) > MAX_ASSEMBLED:
            return Step.TOO_LONG
        self.octets += octets
        self.number, self.last = number, octets
        return Step.CONTINUED

    def pass_over(self, number: int) -> None:
        """A block without octets: it has a number all the same, where the sender counts those."""
        if not self.octets or number == self.number + 1:
            self.number = max(self.number, number)


class Shelf:
    """The open transfers of a conversation: segments by channel, blocks by channel and kind."""

    def __init__(self) -> None:
        self._segments: dict[Hashable, Segments] = {}
        self._ended: dict[Hashable, Segments] = {}
        self._blocks: dict[tuple[Hashable, str], Blocks] = {}

    def segments(self, key: Hashable) -> Segments | None:
        return self._segments.get(key)

    def ended_segments(self, key: Hashable) -> Segments | None:
        """The last APDU that came in segments here, until another one begins: its last ones may come again."""
        return self._ended.get(key)

    def begin_segments(self, key: Hashable) -> Segments:
        segments = self._segments[key] = Segments()
        return segments

    def end_segments(self, key: Hashable) -> None:
        segments = self._segments.pop(key, None)
        if segments is not None and len(segments.pieces) > 1:
            self._ended[key] = segments

    def forget_segments(self, key: Hashable) -> None:
        """Another APDU begins."""
        self.end_segments(key)
        self._ended.pop(key, None)

    def blocks(self, key: tuple[Hashable, str]) -> Blocks:
        return self._blocks.setdefault(key, Blocks())

    def end_blocks(self, key: tuple[Hashable, str]) -> None:
        self._blocks.pop(key, None)

    def end_services(self) -> None:
        """End every block transfer but the general ones."""
        for key in [key for key in self._blocks if key[1] != GENERAL]:
            del self._blocks[key]

    @property
    def busy(self) -> bool:
        """Whether something is begun and not complete."""
        return bool(self._segments) or any(blocks.number for blocks in self._blocks.values())

    def clear(self) -> None:
        self._segments.clear()
        self._ended.clear()
        self._blocks.clear()
