"""What every line can do, and how it fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final, Protocol, runtime_checkable

from sessions.dlms.errors import DlmsError
from sessions.dlms.link import LineSettings

MAX_READ: Final = 8192
"""Octets that are taken from a line at once: until they are worked on, nothing else has its turn."""


class LineError(DlmsError):
    """The line could not be opened, or broke. `code` says how."""

    layer = "line"
    code = "line-error"
    retryable: ClassVar[bool] = True


TakeAtOnce = Callable[[bytes], bytes | None]
"""Handles octets the moment they come, without waking the task that reads; what it gives back wakes it."""


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


@runtime_checkable
class PromptLine(Line, Protocol):
    """A line whose owner may answer the moment octets come. `take_at_once` is asked while somebody reads, and only then."""

    take_at_once: TakeAtOnce | None
    congested: bool
    """The other side does not take what is written: wait for `write`."""

    def send_at_once(self, octets: bytes) -> None:
        """Send, and do not wait for room."""
