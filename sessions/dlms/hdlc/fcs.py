"""The frame check sequence: CRC-16/X-25 (ISO/IEC 13239), low octet first."""

from __future__ import annotations

import binascii
from typing import Final

_REVERSED: Final = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))


_RESIDUE: Final = 0x1D0F
"""The register behind octets whose check octets are good."""


def fcs_is_good(octets: bytes) -> bool:
    """Whether the last two octets are the check octets of those before."""
    return binascii.crc_hqx(octets.translate(_REVERSED), 0xFFFF) == _RESIDUE


def fcs16(octets: bytes) -> bytes:
    """The two check octets as they stand in a frame.

    X-25 is the reflected form of the CRC that `binascii.crc_hqx` computes: mirror the octets before and the result after.
    """
    register = binascii.crc_hqx(octets.translate(_REVERSED), 0xFFFF)
    high, low = register >> 8, register & 0xFF
    # The mirrored register has its octets swapped: its low octet is the mirror of our high one.
    return bytes((_REVERSED[high] ^ 0xFF, _REVERSED[low] ^ 0xFF))
