"""Characters of IEC 62056-21: control characters, parity, speeds, the block check.

A character has seven bits and an even parity bit. Where a line is set to eight bits the parity bit arrives as the highest bit
of the octet; it is taken off here, and told. The block check is the XOR (ISO 1155) of all characters behind the first SOH or
STX up to and including ETX or EOT; meters in the field have other ideas, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import reduce
from operator import xor
from typing import Final

from sessions.dlms.link import LineSettings

SOH: Final = 0x01
STX: Final = 0x02
ETX: Final = 0x03
EOT: Final = 0x04
ACK: Final = 0x06
NAK: Final = 0x15
CR: Final = 0x0D
LF: Final = 0x0A
NUL: Final = 0x00
CRLF: Final = b"\r\n"
SLASH: Final = 0x2F
QUERY: Final = 0x3F
END_MARK: Final = 0x21
"""An exclamation mark ends a data block and the request."""

NAMES: Final[Mapping[int, str]] = {SOH: "SOH", STX: "STX", ETX: "ETX", EOT: "EOT", ACK: "ACK", NAK: "NAK"}

START_BAUD: Final = 300
MODE_D_BAUD: Final = 2400
BAUD_OF_MODE_B: Final[Mapping[str, int]] = {"A": 600, "B": 1200, "C": 2400, "D": 4800, "E": 9600, "F": 19200}
BAUD_OF_MODE_C: Final[Mapping[str, int]] = {
    "0": 300,
    "1": 600,
    "2": 1200,
    "3": 2400,
    "4": 4800,
    "5": 9600,
    "6": 19200,
}
RESERVED_BAUD: Final = frozenset("GHI789")

_EVEN: Final = bytes(octet | (octet.bit_count() & 1) << 7 for octet in range(0x80)) * 2
_STRIPPED: Final = bytes(range(0x80)) * 2
_HIGH: Final = bytes(range(0x80, 0x100))


def seven_even(baud: int) -> LineSettings:
    """7E1, as modes A to D, and the sign-on of mode E, want it."""
    return LineSettings(baud, data_bits=7, parity="E", stop_bits=1)


def without_parity(octets: bytes) -> bytes:
    """The characters, each in an octet whose highest bit is 0."""
    return octets.translate(_STRIPPED)


def with_even_parity(octets: bytes) -> bytes:
    """The characters with their parity bit: what 7E1 looks like on a line of eight bits."""
    return octets.translate(_EVEN)


def carries_parity(octets: bytes) -> bool:
    """Whether any octet has its highest bit set: no character has."""
    return len(octets.translate(None, _HIGH)) != len(octets)


def parity_is_even(octets: bytes) -> bool:
    return with_even_parity(octets) == octets


class BlockCheck(Enum):
    """How the octet behind ETX was made. Only XOR is the standard's."""

    XOR = "XOR"
    XOR_WITH_START = "XOR that includes the first STX or SOH"
    SUM = "sum modulo 128"
    ABSENT = "no block check"


CHECKED: Final = (BlockCheck.XOR, BlockCheck.XOR_WITH_START, BlockCheck.SUM)


def block_check(characters: bytes, kind: BlockCheck = BlockCheck.XOR) -> int:
    """The check of the characters from the first SOH or STX to ETX or EOT, both included."""
    if kind is BlockCheck.SUM:
        return sum(characters[1:]) & 0x7F
    begin = 0 if kind is BlockCheck.XOR_WITH_START else 1
    return reduce(xor, characters[begin:], 0) & 0x7F


def kind_of_check(characters: bytes, found: int) -> BlockCheck | None:
    """Which kind of check `found` is; None where it is none: the characters are damaged."""
    return next((kind for kind in CHECKED if block_check(characters, kind) == found & 0x7F), None)
