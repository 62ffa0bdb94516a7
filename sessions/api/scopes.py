"""What the endpoints of sessions ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SCOPES: Final[Mapping[str, str]] = {
    "sessions:read": "See sessions: steps, values, profile rows, frames.",
    "sessions:run": "Open, close and cancel sessions; read from meters.",
    "sessions:change": "Write attributes and invoke methods: relays, resets, keys.",
}
"""In words for the page of tokens."""
