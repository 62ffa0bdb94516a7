"""Quirks of what a meter says in IEC 62056-21, before HDLC or without it: block checks, parity bits, check sums of telegrams."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, cast

from sessions.dlms.iec62056_21.characters import BlockCheck, block_check, with_even_parity
from sessions.simulator.quirks.quirk import Quirk

if TYPE_CHECKING:
    from sessions.simulator.stations import Station

SEVEN_BITS: Final = 7
"""Data bits of text; HDLC has eight."""
_BLOCK: Final = re.compile(rb"[\x01\x02].*[\x03\x04].", re.DOTALL)
_CRC: Final = re.compile(rb"!0+(?=[0-9A-F]+\r\n$)")


def _sum(octets: bytes) -> bytes:
    """The octet behind ETX or EOT as a sum, in a block that has one."""
    if not _BLOCK.fullmatch(octets):
        return octets
    return octets[:-1] + bytes((block_check(octets[:-1], BlockCheck.SUM),))


TEXT_QUIRKS: Final = (
    Quirk(name="block-check-is-sum", words="the block check is a sum of seven bits, and no XOR", text=_sum),
    Quirk(
        name="parity-in-octets",
        words="octets come with their parity bit, as 7E1 on a line of 8N1",
        text=with_even_parity,
    ),
    Quirk(
        name="crc-without-zeros",
        words="a telegram's CRC is printed without leading zeros",
        text=lambda octets: _CRC.sub(b"!", octets),
    ),
)
"""Source: captures of real meters."""


class TextStation:
    """A station whose text goes through hooks; what it says in HDLC does not."""

    def __init__(self, station: Station, hooks: Iterable[Callable[[bytes], bytes]]) -> None:
        self._station = station
        self._hooks = list(hooks)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._station, name)

    def octets_to_send(self) -> bytes:
        octets = self._station.octets_to_send()
        spoken = getattr(self._station, "spoken_at", None)
        if octets and (spoken is None or spoken.data_bits == SEVEN_BITS):
            for hook in self._hooks:
                octets = hook(octets)
        return octets


def text_station(station: Station, hooks: Iterable[Callable[[bytes], bytes]]) -> Station:
    """The station, behind hooks where there are some."""
    hooks = list(hooks)
    return cast("Station", TextStation(station, hooks)) if hooks else station
