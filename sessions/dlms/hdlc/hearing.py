"""What a client hears on the line beside its server: its own echo, noise, others. It explains a silence.

Optical heads and two-wire lines give back what was sent. An echo is told from an answer by its addresses; where client and
server have the same one (client 1, logical device 1, one octet), by its being a copy, on a line that was heard to echo: SNRM
and DISC never come from a server.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from sessions.dlms.errors import NoReplyError
from sessions.dlms.hdlc.address import HdlcAddress
from sessions.dlms.hdlc.frame import DiscFrame, HdlcFrame, SnrmFrame
from sessions.dlms.hdlc.stream import Found

WRAPPER_VERSION: Final = bytes.fromhex("0001")
REMEMBERED: Final = 8
"""Frames sent whose echo may still come: more than a window holds."""


class Hearing:
    """Judges frames and octets that arrive at `client`, who waits for `server`."""

    def __init__(self, client: HdlcAddress, server: HdlcAddress) -> None:
        self._client = client
        self._server = server
        self._sent: deque[bytes] = deque(maxlen=REMEMBERED)
        self._echoes = False
        self._noise = bytearray()
        self._noise_octets = 0
        self._others = ""

    def sent(self, octets: bytes) -> None:
        """A frame goes out."""
        self._sent.append(octets)

    def noise(self, octets: bytes) -> None:
        """Octets that are no good frame."""
        self._noise_octets += len(octets)
        self._noise += octets[: max(0, len(WRAPPER_VERSION) - len(self._noise))]

    def stray(self, found: Found) -> str:
        """Why a frame is not for us; empty where it is."""
        frame = found.frame
        if self._is_echo(frame, found.octets):
            self._echoes = True
            return "echo of our own frame"
        if not self._is_meant(frame.destination):
            self._others = f"server {frame.source} talks with client {frame.destination}"
            return f"for client {frame.destination}, we are {self._client}"
        if not frame.source.matches(self._server):
            self._others = f"server {frame.source} answers"
            return f"from server {frame.source}, we talk with {self._server}"
        return ""

    def _is_meant(self, destination: HdlcAddress) -> bool:
        """A client has one octet; some servers write its address with as many as their own."""
        written_long = destination.upper == 0 and destination.lower == self._client.upper
        return destination.upper == self._client.upper or written_long or destination.is_broadcast

    def _is_echo(self, frame: HdlcFrame, octets: bytes) -> bool:
        if frame.source != self._client or not frame.destination.matches(self._server):
            return False
        if isinstance(frame, SnrmFrame | DiscFrame) or self._server != self._client:
            return True
        if self._echoes and octets in self._sent:
            self._sent.remove(octets)  # it comes back once: the same octets again are an answer
            return True
        return False

    def explain_silence(self) -> NoReplyError:
        """Nobody answered the SNRM: what else was heard says where to look."""
        nobody = f"Nobody answers at HDLC address {self._server} (client {self._client})"
        if self._noise == WRAPPER_VERSION:
            return NoReplyError(
                f"{nobody}: the other side speaks the DLMS wrapper.",
                code="wrong-framing",
                hint="Choose the framing “wrapper”, or the port of the HDLC line.",
            )
        if self._noise_octets:
            return NoReplyError(
                f"{nobody}: {self._noise_octets} octets came, and no good HDLC frame for us.",
                code="only-noise",
                hint="Check baud rate, data bits and parity; on TCP, that the port leads to an HDLC line.",
            )
        if self._others:
            return NoReplyError(
                f"{nobody}, but {self._others}.",
                code="other-station",
                hint="Check the physical address, the server SAP and the client SAP.",
            )
        if self._echoes:
            return NoReplyError(
                f"{nobody}: only our own octets come back.",
                code="only-echo",
                hint="The line works up to the optical head or the bus: check its seat on the meter, the wiring, the "
                "physical address and the baud rate.",
            )
        return NoReplyError(
            f"{nobody}: the line is silent.",
            hint="Check the physical address, the number of address octets and the baud rate; on TCP, that the port "
            "speaks HDLC and not the wrapper. Behind an optical head, choose the framing with the mode E sign-on.",
        )
