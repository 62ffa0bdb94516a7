"""The memory of a simulated meter in a file: `DIR/<serial number>.json`, replaced as a whole or not at all.

    {"checksum": SHA-256 of the state as it stands, "state": {"format": 1, "serial_number": "…", "parts": {…}}}

A file that is cut short, changed by hand or another meter's is refused, not repaired: a meter that forgot its counters would use
them again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class StateError(ValueError):
    """A state file that cannot be used; the message names it, and what to do."""


class StateFile:
    """A `Store` of one meter."""

    def __init__(self, directory: Path, serial_number: str) -> None:
        self.path = directory / f"{serial_number}.json"

    def load(self) -> dict[str, Any] | None:
        """What was saved last; None without a file, `StateError` where it is damaged."""
        try:
            text = self.path.read_text("utf-8")
            table = json.loads(text)
            state: dict[str, Any] = table["state"]
            intact = table["checksum"] == _checksum(state) and isinstance(state, dict)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StateError(f"{self.path} cannot be read: {error.strerror or error}") from None
        except (ValueError, KeyError, TypeError, RecursionError):
            intact = False
        if not intact:
            raise self.damaged("it is cut short or was changed")
        return state

    def damaged(self, reason: str) -> StateError:
        """The error for a file whose content cannot be."""
        return StateError(
            f"{self.path} is damaged: {reason}. Put an intact copy in its place, or remove it, and the meter is as new: "
            "its keys and counters begin again."
        )

    def save(self, kept: Mapping[str, Any]) -> None:
        """Replace the file; `StateError` where that fails."""
        octets = json.dumps({"checksum": _checksum(kept), "state": kept}, indent=1).encode()
        temporary = self.path.with_suffix(".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(octets)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
            _sync_directory(self.path.parent)
        except OSError as error:
            raise StateError(f"{self.path} cannot be written: {error.strerror or error}") from None


def _sync_directory(directory: Path) -> None:
    """The new name survives, too."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _checksum(state: Any) -> str:
    canonical = json.dumps(state, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
