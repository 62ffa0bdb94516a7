"""How APDUs travel over numbered information frames: segments, sequence numbers, windows, LLC (IEC 62056-46, 6.4.4).

Both stations count modulo 8 what they send, V(S), and what they expect, V(R). The one whose turn it is sends as many segments
as the window allows; the other's next frame says up to where they arrived, N(R), and what did not is sent again from there
(go back N). A turn is repeated from the first segment that was not acknowledged, so there is no other memory than that.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from sessions.dlms.hdlc.frame import MODULUS, InfoFrame, UiFrame

LLC_REQUEST: Final = bytes.fromhex("e6e600")
LLC_RESPONSE: Final = bytes.fromhex("e6e700")

MAX_APDU: Final = 1 << 20
"""Octets after which an APDU that never ends is given up."""


def strip_llc(information: bytes) -> bytes:
    """Without the LLC octets that begin an APDU; tolerant of the other direction's, and of none."""
    return information[3:] if information[:3] in (LLC_REQUEST, LLC_RESPONSE) else information


def cut(octets: bytes, size: int) -> list[tuple[bytes, bool]]:
    """Information fields of at most `size` octets, each with whether others of the same APDU follow."""
    ends = range(size, len(octets) + size, size)
    return [(octets[end - size : end], end < len(octets)) for end in ends]


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of an APDU. `more`: others of the same APDU follow. `last_of_turn`: the other side's turn begins after it."""

    number: int
    information: bytes
    more: bool
    last_of_turn: bool


class Sender:
    """The segments that were not acknowledged yet."""

    def __init__(self) -> None:
        self._segments: deque[tuple[bytes, bool]] = deque()
        self._first = 0  # the number of the first of them
        self._sent = 0  # how many of them went out at least once

    @property
    def has_segments(self) -> bool:
        """Whether something is to be sent, or to be acknowledged."""
        return bool(self._segments)

    @property
    def has_unacknowledged(self) -> bool:
        return self._sent > 0

    @property
    def next_number(self) -> int:
        """V(S): the number of the segment that is sent next for the first time."""
        return (self._first + self._sent) % MODULUS

    def may_acknowledge(self, receive_sequence: int) -> bool:
        """Whether N(R) is one that the other side can say: from the last acknowledged on to V(S)."""
        return (receive_sequence - self._first) % MODULUS <= self._sent

    def load(self, octets: bytes, size: int) -> None:
        """Cut an APDU with its LLC octets into information fields of at most `size` octets."""
        self._segments.extend(cut(octets, size))

    def turn(self, window: int) -> list[Segment]:
        """What to send now that it is our turn: from the first segment that was not acknowledged."""
        count = min(window, len(self._segments))
        self._sent = max(self._sent, count)
        return [
            Segment((self._first + ahead) % MODULUS, *self._segments[ahead], last_of_turn=ahead == count - 1)
            for ahead in range(count)
        ]

    def acknowledge(self, receive_sequence: int) -> int:
        """How many segments N(R) acknowledges for the first time; 0 as well for a number that cannot be."""
        count = (receive_sequence - self._first) % MODULUS
        return self._drop(count) if count <= self._sent else 0

    def acknowledge_all(self) -> None:
        """Everything that went out has arrived, and what did not is not wanted any more."""
        self._drop(self._sent)
        self._segments.clear()

    def discard(self) -> None:
        """Nothing of it is wanted any more: the next APDU takes the numbers that were not acknowledged."""
        self._segments.clear()
        self._sent = 0

    def _drop(self, count: int) -> int:
        for _ in range(count):
            self._segments.popleft()
        self._first = (self._first + count) % MODULUS
        self._sent -= count
        return count


class Arrival(Enum):
    """What the number of an information frame says."""

    EXPECTED = auto()
    GAP = auto()  # a frame before it was lost
    REPEATED = auto()  # it was here before


class Receiver:
    """Puts an APDU together from segments, each once and in order."""

    def __init__(self) -> None:
        self.expected = 0
        self._octets = bytearray()

    def accept(self, frame: InfoFrame, window: int) -> Arrival:
        """Take the frame's information, if it is the one that is due."""
        ahead = (frame.send_sequence - self.expected) % MODULUS
        if ahead:
            return Arrival.GAP if ahead < window else Arrival.REPEATED
        self.expected = (self.expected + 1) % MODULUS
        self._octets += frame.information
        return Arrival.EXPECTED

    @property
    def is_overfull(self) -> bool:
        return len(self._octets) > MAX_APDU

    def take_apdu(self) -> bytes:
        """What was put together, without LLC octets."""
        apdu = strip_llc(bytes(self._octets))
        self._octets.clear()
        return apdu


class UnnumberedReceiver:
    """Puts an APDU together from UI frames. They have no numbers: only the LLC octets tell where the next one begins."""

    def __init__(self) -> None:
        self._octets = bytearray()

    @property
    def pending(self) -> bool:
        """Whether an APDU was begun."""
        return bool(self._octets)

    def take_rest(self) -> bytes:
        """What was begun and will not end, taken out."""
        rest = bytes(self._octets)
        self._octets.clear()
        return rest

    def begins_anew(self, frame: UiFrame) -> bool:
        """Whether the frame begins another APDU than the one that is being put together."""
        return self.pending and frame.information[: len(LLC_REQUEST)] in (LLC_REQUEST, LLC_RESPONSE)

    def accept(self, frame: UiFrame) -> bytes | None:
        """The APDU without LLC octets, if this frame ends it. What grows over every limit is dropped."""
        self._octets += frame.information
        if len(self._octets) > MAX_APDU:
            self._octets.clear()
            return None
        return None if frame.segmented else strip_llc(self.take_rest())
