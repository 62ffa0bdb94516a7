"""What every line can do, and how it fails."""

from __future__ import annotations

from typing import ClassVar, Final, Protocol

from sessions.dlms.errors import DlmsError
from sessions.dlms.link import LineSettings

MAX_READ: Final = 8192
"""Octets that are taken from a line at once: until they are worked on, nothing else has its turn."""


class LineError(DlmsError):
    """The line could not be opened, or broke. `code` says how."""

    layer = "line"
    code = "line-error"
    retryable: ClassVar[bool] = True


class Line(Protocol):
    """Octets in and out."""

    async def read(self) -> bytes:
        """What has arrived, at least one octet; empty at the end of the line. `LineError` where it broke.

        Cancelling it loses nothing: what arrives meanwhile is there for the next call.
        """

    async def write(self, octets: bytes) -> None:
        """Send all of it."""

    async def change_settings(self, settings: LineSettings) -> None:
        """After all that was written has left: speed, data bits, parity and stop bits. A line without them passes it over."""

    async def close(self) -> None:
        """Let go of the line. Never fails, never hangs."""
