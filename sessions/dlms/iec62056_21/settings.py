"""How to sign on to a meter: what the owner of the line chooses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sessions.dlms.iec62056_21.characters import BAUD_OF_MODE_C, START_BAUD, BlockCheck, seven_even
from sessions.dlms.iec62056_21.sign_on import IdentificationMessage
from sessions.dlms.link import LineSettings

BINARY_DATA_BITS: Final = 8
SWITCH_PAUSE: Final = 0.3
"""Seconds that a meter of mode E is given to change over into HDLC: at least its reaction time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOnSettings:
    """Seconds and baud. `max_baud`: no higher speed is proposed, whatever the meter offers.

    `reaction_time` None: as the identification says. `parity_in_octets`: the line carries eight bits (a bridge that is set to
    8N1, say), so the parity bit is written into each octet. `wake_up`: NULs before the request, for meters that sleep.
    `block_check` None: the standard's; another one is believed when it comes a second time.
    """

    device_address: str = ""
    initial_baud: int = START_BAUD
    max_baud: int = 19200
    reaction_time: float | None = None
    switch_pause: float = SWITCH_PAUSE
    parity_in_octets: bool = False
    wake_up: int = 0
    block_check: BlockCheck | None = None

    def text_line(self, baud: int) -> LineSettings:
        """The line for characters."""
        return LineSettings(baud) if self.parity_in_octets else seven_even(baud)

    def proposal(self, identification: IdentificationMessage) -> str:
        """The speed Z of the acknowledgement: the highest that both sides take, else the lowest there is."""
        most = min(identification.baud, self.max_baud)
        return max((z for z, baud in BAUD_OF_MODE_C.items() if baud <= most), default="0")
