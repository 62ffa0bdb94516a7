"""What a client hears instead of the messages it waits for, and what that says about the line."""

from __future__ import annotations

from typing import Final

from sessions.dlms.errors import DlmsError, NoReplyError
from sessions.dlms.iec62056_21.stream import Damaged, Rubbish

HDLC_BEGINNINGS: Final = (b"\x7e\xa0", b"\x7e\xa8")
ECHO: Final = "echo"
REMEMBERED: Final = 256
"""Octets of noise that are looked at."""


class Hearing:
    """Remembers echoes and noise, and explains a silence."""

    def __init__(self, device_address: str) -> None:
        self._whom = f" of device {device_address}" if device_address else ""
        self._noise = bytearray()
        self._noise_octets = 0
        self._echoes = False
        self._error: DlmsError | None = None

    def rubbish(self, item: Rubbish) -> None:
        if item.reason.startswith(ECHO):
            self._echoes = True
        else:
            self._note(item.octets)

    def damaged(self, item: Damaged) -> None:
        self._error = item.error
        self._note(item.octets)

    def _note(self, octets: bytes) -> None:
        self._noise_octets += len(octets)
        self._noise += octets[: max(0, REMEMBERED - len(self._noise))]

    def explain_silence(self) -> NoReplyError:
        """Nobody identified itself."""
        nobody = f"The sign-on request got no identification{self._whom}"
        if any(beginning in self._noise for beginning in HDLC_BEGINNINGS):
            return NoReplyError(
                f"{nobody}: the other side speaks HDLC already.",
                code="wrong-framing",
                hint="Choose the framing “HDLC”, without sign-on; a meter that was just left needs some seconds, too.",
            )
        if self._noise_octets:
            return NoReplyError(
                f"{nobody}: {self._noise_octets} octets came, and none that can be read.",
                code="only-noise",
                hint="Check the first speed (300 baud in most meters) and 7 data bits, even parity; on TCP, how the bridge "
                "is set.",
            )
        if self._echoes:
            return NoReplyError(
                f"{nobody}: only our own octets come back.",
                code="only-echo",
                hint="The line works up to the optical head: check its seat on the meter, and the device address.",
            )
        return NoReplyError(
            f"{nobody}: the line is silent.",
            hint="Check the head's seat on the meter, the device address and the first speed (300 baud in most meters).",
        )

    def explain_quiet(self) -> NoReplyError:
        """No telegram came by itself."""
        if self._error is not None:
            return NoReplyError(
                f"No good telegram came; the last one was damaged: {self._error.message}.",
                code="damaged-telegram",
                hint="Check the wiring: P1 needs the inverted signal, and a resistor to 5 V.",
            )
        if self._noise_octets:
            return NoReplyError(
                f"No telegram came, but {self._noise_octets} octets that are none.",
                code="only-noise",
                hint="Check the speed: P1 has 115200 8N1 (9600 7E1 before version 4), mode D 2400 7E1.",
            )
        return NoReplyError(
            "No telegram came.",
            hint="P1 sends when its data request line is high, mode D when the meter's button is pressed; try a longer time.",
        )

    def explain_stop(self, identification: str) -> NoReplyError:
        """A meter that had signed on stopped in the middle."""
        octets = f", {self._noise_octets} octets that cannot be read" if self._noise_octets else ""
        return NoReplyError(
            f"The meter signed on as {identification}, and then said nothing more{octets}.",
            code="stopped",
            hint="The change of speed may have failed: try a lower highest speed, down to the first one.",
        )
