"""What every APDU can do."""

from __future__ import annotations

from typing import Protocol


class Apdu(Protocol):
    """A value with its octets and its line in a frame list."""

    def encode(self) -> bytes:
        """The octets, tag included."""

    def summary(self) -> str:
        """One line for a technician."""
