"""HDLC addresses: seven bits an octet, the lowest bit marks the last octet (IEC 62056-46, 6.4.2.2).

A client has one octet. A server has an upper address (the logical device) and, on a shared line, a lower one (the physical
device): one, two or four octets in all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sessions.dlms.cursor import Reader
from sessions.dlms.errors import FrameError, LocalProtocolError

ALL_STATION: Final = {1: 0x7F, 2: 0x7F, 4: 0x3FFF}
"""The broadcast address, upper or lower, by total address length."""


@dataclass(frozen=True, slots=True)
class HdlcAddress:
    """`size` is the number of octets: 1 (upper only), 2 or 4 (upper and lower)."""

    upper: int
    lower: int | None = None
    size: int = 1

    def __post_init__(self) -> None:
        if self.size not in (1, 2, 4):
            raise LocalProtocolError(f"an HDLC address has 1, 2 or 4 octets, not {self.size}", layer="link")
        if (self.lower is None) != (self.size == 1):
            raise LocalProtocolError(
                "an HDLC address has a lower part exactly if it is longer than one octet", layer="link"
            )
        limit = 0x3FFF if self.size == 4 else 0x7F
        for name, part in (("upper (logical)", self.upper), ("lower (physical)", self.lower or 0)):
            if not 0 <= part <= limit:
                raise LocalProtocolError(
                    f"{name} address {part} does not fit into {self.size} address octets (at most {limit})",
                    layer="link",
                    hint="Choose four address octets.",
                )

    def encode(self) -> bytes:
        if self.size == 1:
            return bytes((self.upper << 1 | 1,))
        lower = self.lower or 0
        if self.size == 2:
            return bytes((self.upper << 1, lower << 1 | 1))
        return bytes((self.upper >> 7 << 1, (self.upper & 0x7F) << 1, lower >> 7 << 1, (lower & 0x7F) << 1 | 1))

    def matches(self, other: HdlcAddress) -> bool:
        """Whether both name the same station; the length may differ, a missing lower part fits any."""
        return self.upper == other.upper and (self.lower is None or other.lower is None or self.lower == other.lower)

    @property
    def is_broadcast(self) -> bool:
        return ALL_STATION[self.size] in (self.upper, self.lower)

    def reaches(self, station: HdlcAddress) -> bool:
        """Whether a frame to this address is for `station`, alone or with others."""
        everyone = ALL_STATION[self.size]
        upper = station.upper if self.upper == everyone else self.upper
        lower = station.lower if self.lower == everyone else self.lower
        return upper == station.upper and (lower is None or station.lower is None or lower == station.lower)

    def __str__(self) -> str:
        return str(self.upper) if self.lower is None else f"{self.upper}/{self.lower}"


def read_hdlc_address(reader: Reader, name: str) -> HdlcAddress:
    """One address at the cursor; three octets, or more than four, are a `FrameError`."""
    at = reader.position
    size = 1
    while (octet := reader.peek(size - 1)) is not None and not octet & 1 and size < 4:
        size += 1
    octets = reader.take(size, name)
    if not octets[-1] & 1:
        raise FrameError(name, at, "an address of more than four octets")
    if size == 3:
        raise FrameError(name, at, "an address of three octets is not allowed")
    address = address_of(octets)
    if reader.tracer is not None:
        reader.label(f"{address} ({size} octet{'s' if size > 1 else ''})")
    return address


def address_size(octets: bytes, at: int) -> int:
    """How many octets the address at `at` has; 0 where it is none, or not whole."""
    for size, octet in enumerate(octets[at : at + 4], 1):
        if octet & 1:
            return size if size != 3 else 0
    return 0


@lru_cache(maxsize=256)
def address_of(octets: bytes) -> HdlcAddress:
    """The address that these 1, 2 or 4 octets are. The same few stations talk all the time: each is made once."""
    parts = [octet >> 1 for octet in octets]
    if len(parts) == 1:
        return HdlcAddress(parts[0])
    if len(parts) == 2:
        return HdlcAddress(parts[0], parts[1], 2)
    return HdlcAddress(parts[0] << 7 | parts[1], parts[2] << 7 | parts[3], 4)


@lru_cache(maxsize=128)
def client_address(client_sap: int) -> HdlcAddress:
    """A client's address: one octet, so at most 127."""
    if not 0 <= client_sap <= 0x7F:
        raise LocalProtocolError(f"client SAP {client_sap} does not fit into HDLC: at most 127", layer="link")
    return HdlcAddress(client_sap)


def server_address(logical_device: int, physical_address: int | None, address_octets: int) -> HdlcAddress:
    """A server's address. One octet holds the logical device alone."""
    if address_octets == 1:
        return HdlcAddress(logical_device)
    return HdlcAddress(logical_device, physical_address or 0, address_octets)
