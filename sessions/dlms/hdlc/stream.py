"""Finds HDLC frames in a stream of octets: driven by the length field, back in step after rubbish.

A flag may stand anywhere inside a frame (in the information, in a check sequence), so it never ends one by itself. What is
found between good frames is told, with the reason, and never costs the frame after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sessions.dlms.errors import DecodeError
from sessions.dlms.hdlc.fcs import fcs16
from sessions.dlms.hdlc.frame import FLAG, FORMAT_TYPE, MAX_LENGTH, MIN_LENGTH, HdlcFrame, decode_hdlc_frame

MAX_RUBBISH: Final = 2 * MAX_LENGTH
"""Octets between frames that are kept to be told together."""


@dataclass(frozen=True, slots=True)
class Found:
    """A good frame and its octets, flags included."""

    frame: HdlcFrame
    octets: bytes


@dataclass(frozen=True, slots=True)
class Rubbish:
    """Octets that are no good frame, and why."""

    octets: bytes
    reason: str


def _frame_end(octets: bytes | bytearray, at: int) -> int:
    """Where the frame ends whose flag stands at `at`, its closing flag included; 0 where no frame begins so."""
    format_field = int.from_bytes(octets[at + 1 : at + 3], "big")
    length = format_field & MAX_LENGTH
    return at + length + 2 if format_field >> 12 == FORMAT_TYPE and length >= MIN_LENGTH else 0


def _find_good_frame(octets: bytes | bytearray, start: int, stop: int) -> int:
    """The first flag from `start` on, and before `stop`, at which a whole good frame begins; -1 where none does."""
    at = octets.find(FLAG, start, stop)
    while at >= 0:
        end = _frame_end(octets, at)
        if 0 < end <= len(octets) and octets[end - 1] == FLAG:
            try:
                decode_hdlc_frame(bytes(octets[at:end]))
            except DecodeError:
                pass
            else:
                return at
        at = octets.find(FLAG, at + 1, stop)
    return -1


class FrameReader:
    """Finds frames in a stream: driven by the length field, back in step after rubbish, linear in the octets."""

    def __init__(self) -> None:
        self._octets = bytearray()
        self._at = 0
        """Octets before it are done with."""
        self._rubbish = bytearray()

    @property
    def pending(self) -> int:
        """Octets of a frame that is not complete; a lone flag does not count."""
        left = len(self._octets) - self._at
        return left if left > 1 else 0

    @property
    def waiting(self) -> bool:
        """Whether a pause would tell something: a frame that is not complete, or rubbish that may go on."""
        return self.pending > 0 or bool(self._rubbish)

    def feed(self, octets: bytes) -> Iterator[Found | Rubbish]:
        """Add octets; what they completed, in order, and each item made when it is asked for.

        A frame of eight octets makes objects of some hundred: a list of them would cost many times what came in.
        """
        self._forget()
        self._octets += octets
        return self._scan()

    def look_inside(self) -> list[Found | Rubbish]:
        """The line pauses inside a frame: what is clear by now.

        Slow lines do pause, so an unfinished frame may still be completed, unless a good frame lies in what follows its flag:
        then its beginning was a false one.
        """
        found = list(self._scan())
        if self.pending and not self._unclosed(found):
            inner = _find_good_frame(self._octets, 1, len(self._octets))
            if inner > 0:
                self._rubbish += self._octets[:inner]
                self._at = inner
                found += self._scan()
        if not self.pending:
            found += self._flush()
        return found

    def give_up(self) -> list[Found | Rubbish]:
        """Nothing came for too long: the frame that was begun is none; look for others inside what is there."""
        found = list(self._scan())
        while self.pending:
            if self._unclosed(found):
                continue
            self._rubbish.append(self._octets[0])
            self._at = 1
            found += self._scan()
        self._octets.clear()
        found += self._flush()
        return found

    def _unclosed(self, found: list[Found | Rubbish]) -> bool:
        """Take a frame that is whole but for its closing flag, which some line swallowed."""
        if len(self._octets) + 1 != _frame_end(self._octets, 0):
            return False
        octets = bytes(self._octets)
        try:
            frame = decode_hdlc_frame(octets + bytes((FLAG,)))
        except DecodeError:
            return False
        found += self._flush()
        found.append(Found(frame, octets))
        self._octets.clear()
        return True

    def _forget(self) -> None:
        """Drop the octets that are done with."""
        del self._octets[: self._at]
        self._at = 0

    def _scan(self) -> Iterator[Found | Rubbish]:
        """What stands complete in the buffer."""
        while self._find_frame():
            # Rubbish is told when a frame or a pause follows it: a noisy line shall not be told octet by octet.
            yield from self._flush()
            yield self._take()
        self._forget()
        if len(self._rubbish) >= MAX_RUBBISH:
            yield from self._flush()

    def _find_frame(self) -> bool:
        """Go on to the next octets that stand between two flags, as long as their length says; False where none do yet."""
        octets = self._octets
        while True:
            flag = octets.find(FLAG, self._at)
            if flag < 0:
                self._rubbish += octets[self._at :]
                self._at = len(octets)
                return False
            self._rubbish += octets[self._at : flag]
            while flag + 1 < len(octets) and octets[flag + 1] == FLAG:
                flag += 1
            self._at = flag
            if flag + 3 > len(octets):
                return False
            end = _frame_end(octets, flag)
            if end == 0:
                self._skip(bool(self._rubbish))
            elif end > len(octets):
                return False
            elif octets[end - 1] != FLAG:
                self._skip(True)
            else:
                return True

    def _skip(self, told: bool) -> None:
        """Step over a flag that opens nothing. Alone it is the closing flag of the frame before, and no rubbish."""
        if told:
            self._rubbish.append(FLAG)
        self._at += 1

    def _take(self) -> Found | Rubbish:
        """The octets between two flags. A closing flag may open the next frame."""
        at, end = self._at, _frame_end(self._octets, self._at)
        self._at = end - 1
        octets = bytes(self._octets[at:end])
        try:
            return Found(decode_hdlc_frame(octets), octets)
        except DecodeError as error:
            # Where octets were lost, the length reaches into the next frame: that one shall not be lost as well.
            inner = _find_good_frame(self._octets, at + 1, end - 1)
            if inner >= 0:
                octets, self._at = octets[: inner - at], inner
            return Rubbish(octets, f"damaged frame: {error.field}: {error.reason}")

    def _flush(self) -> Iterator[Rubbish]:
        """The rubbish that was kept, if there is some."""
        if self._rubbish:
            octets = bytes(self._rubbish)
            self._rubbish.clear()
            yield Rubbish(octets, _what_is_wrong(octets))


def _what_is_wrong(octets: bytes) -> str:
    """Why octets between two frames are none: almost one, or nothing at all."""
    body = octets.removeprefix(bytes((FLAG,))).removesuffix(bytes((FLAG,)))
    format_field = int.from_bytes(body[:2], "big")
    length = format_field & MAX_LENGTH
    if len(body) < MIN_LENGTH:
        return "octets between frames"
    if fcs16(body[:-2]) != body[-2:]:
        return "octets between frames"
    if format_field >> 12 != FORMAT_TYPE:
        return f"frame format {format_field:04x}: type 3 (Axxx) expected"
    return f"the length field says {length}, the frame has {len(body)} octets"
