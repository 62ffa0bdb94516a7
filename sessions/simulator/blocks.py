"""Long values on the server's side: made part by part, taken in blocks, and put together from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, CosemMethodDescriptor
from sessions.dlms.selective_access import SelectiveAccess
from sessions.dlms.transfers.blocks import largest_contents

MAX_INCOMING: Final = 64 * 1024
"""Octets of a long request that a meter takes before it gives up."""

MAX_WHOLE: Final = 4 * 1024 * 1024
"""Octets of an answer that is made whole, to travel in general blocks."""

Target = tuple[CosemAttributeDescriptor | CosemMethodDescriptor, SelectiveAccess | None]
"""What a long request is for: an attribute with its selection, or a method."""


class OutgoingOctets:
    """Octets made part by part, taken in slices."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts: Iterator[bytes] = iter(parts)
        self._ready = bytearray()
        self._dry = False

    def fits(self, size: int) -> bool:
        """Whether everything that is left has at most `size` octets."""
        self._fill(size + 1)
        return len(self._ready) <= size

    def take(self, size: int) -> tuple[bytes, bool]:
        """The next `size` octets, and whether they are the last."""
        self._fill(size + 1)
        octets = bytes(self._ready[:size])
        del self._ready[:size]
        return octets, self._dry and not self._ready

    def _fill(self, size: int) -> None:
        while len(self._ready) < size and not self._dry:
            part = next(self._parts, None)
            if part is None:
                self._dry = True
            else:
                self._ready += part


@dataclass(slots=True)
class Outgoing:
    """A long answer on its way, in blocks 1 … `block_number`."""

    octets: OutgoingOctets
    block_sizes: tuple[int, ...] = ()
    block_number: int = 0

    def next_block(self, room: int) -> tuple[int, bytes, bool]:
        """Number, octets and whether they are the last; as a recorded meter cut them where it is one."""
        recorded = self.block_sizes[self.block_number] if self.block_number < len(self.block_sizes) else room
        octets, last = self.octets.take(max(1, min(recorded, room)))
        self.block_number += 1
        return self.block_number, octets, last


@dataclass(slots=True)
class Incoming:
    """A long request so far. `listed`: it is one with list, however few its `targets` are."""

    targets: tuple[Target, ...] = ()
    listed: bool = False
    octets: bytearray = field(default_factory=bytearray)
    block_number: int = 0

    def add(self, number: int, octets: bytes) -> bool:
        """Take a block in; False where it is not the next one, or where the request grows without end."""
        if number != self.block_number + 1 or len(self.octets) + len(octets) > MAX_INCOMING:
            return False
        self.block_number = number
        self.octets += octets
        return True


def room(empty: bytes, capacity: int) -> int:
    """How many octets of contents a block APDU can carry; `empty` is one with none."""
    return largest_contents(capacity - (len(empty) - 1))
