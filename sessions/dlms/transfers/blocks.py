"""Long values in numbered blocks, in and out: a peer that never ends, repeats a block or sends empty ones is stopped here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sessions.dlms.errors import LocalProtocolError, RemoteProtocolError


@dataclass(frozen=True, slots=True)
class TransferLimits:
    """Where a long answer is cut off. Octets of raw data, blocks, and empty blocks in a row that are not the last."""

    max_octets: int = 16 * 1024 * 1024
    max_blocks: int = 200_000
    max_empty_blocks: int = 2


def largest_contents(room: int) -> int:
    """How many octets fit into `room` together with their own A-XDR length; below 0: not even the length."""
    contents = room - 1
    while contents >= 0 and contents + length_octets(contents) > room:
        contents -= 1
    return contents


def length_octets(number: int) -> int:
    """The size of an A-XDR length."""
    return 1 if number < 0x80 else 1 + (number.bit_length() + 7) // 8


@dataclass(slots=True)
class Outgoing:
    """A long value on its way: `encoded`, of which `sent` octets are out, in blocks 1 … `block_number`."""

    encoded: bytes
    capacity: int
    sent: int = 0
    block_number: int = 0

    def next_block(self, build: Callable[[bool, int, bytes], bytes]) -> tuple[bytes, bool]:
        """The next block's APDU, as full as the server can take it, and whether it is the last."""
        number = self.block_number + 1
        room = largest_contents(self.capacity - (len(build(False, number, b"")) - 1))
        if room < 1:
            raise LocalProtocolError(
                f"The meter receives {self.capacity} octets at most: not one octet of a block fits",
                code="request-too-long",
            )
        contents = self.encoded[self.sent : self.sent + room]
        last = self.sent + len(contents) >= len(self.encoded)
        self.sent, self.block_number = self.sent + len(contents), number
        return build(last, number, contents), last


@dataclass(slots=True)
class Incoming:
    """A long answer so far."""

    limits: TransferLimits
    octets: bytearray = field(default_factory=bytearray)
    block_number: int = 0
    empty_blocks: int = 0

    def add(self, number: int, contents: bytes, last: bool) -> None:
        """Take block `number` in; RemoteProtocolError when it is not the next, or when there is no end to it."""
        if number != self.block_number + 1:
            raise RemoteProtocolError(
                f"Block {number} came where block {self.block_number + 1} is due",
                code="wrong-block-number",
                hint="Read again. If it comes back, the meter's block transfer is faulty: read shorter ranges.",
            )
        self.empty_blocks = 0 if contents else self.empty_blocks + 1
        if not last and self.empty_blocks > self.limits.max_empty_blocks:
            raise _no_end(f"{self.empty_blocks} empty blocks in a row", "empty-blocks")
        size = len(self.octets) + len(contents)
        if number > self.limits.max_blocks or size > self.limits.max_octets:
            raise _no_end(f"{size} octets in {number} blocks and no end", "transfer-too-long")
        self.block_number = number
        self.octets += contents


@dataclass(slots=True)
class Ahead:
    """A value that is handed on while the APDU around it is still arriving: in `blocks` pieces, `octets` of it so far."""

    blocks: int = 0
    octets: int = 0
    began_anew: bool = False
    """The APDU began again after some of it had been handed on: what was said of it is void."""
    _open: bool = False

    def take(self, at: int, piece: bytes, head: int) -> bytes:
        """The octets of the value in a piece that stands `at` there. `head`: where it begins in the first one; 0 if nowhere."""
        if at == 0:
            self.began_anew = self.began_anew or self.blocks > 0
            self._open = head > 0 and not self.began_anew
            piece = piece[head:]
        if not self._open or not piece:
            return b""
        self.blocks += 1
        self.octets += len(piece)
        return piece


def _no_end(message: str, code: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"The meter's long answer does not end: {message}", code=code)
