"""Reading the trace: one line for each frame while it passes, and the whole tree when somebody looks at it later.

Secrets are masked before a frame goes anywhere. The inspector knows where they stand in what it understands; whatever it does
not (an echo, a damaged frame) is searched for the session's secrets as octets.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sessions.dlms.inspector import DissectionKeys, Dissector, mask
from sessions.storable import storable

logger = logging.getLogger(__name__)

MASK_OCTET = b"\x2a"
MIN_SECRET_OCTETS = 4
"""Shorter ones would hit innocent octets everywhere."""
MAX_TEXT = 300


@dataclass(frozen=True, slots=True)
class TracedFrame:
    """A frame as it may be stored. `starts_apdu`: it can be understood without the frames before it."""

    octets: bytes
    summary: str
    error: str = ""
    starts_apdu: bool = True


@dataclass(slots=True)
class Trace:
    """Follows one conversation, frame by frame. A new conversation needs a new trace."""

    keys: DissectionKeys | None = field(default=None, repr=False)
    secrets: Sequence[bytes] = field(default=(), repr=False)
    _dissector: Dissector = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._dissector = Dissector(self.keys)

    def read(self, octets: bytes, direction: str) -> TracedFrame:
        """A frame that was `sent` or `received`. Never raises: a frame that cannot be read is still recorded."""
        try:
            found = self._dissector.feed(octets, "sent" if direction == "sent" else "received")
        except Exception:
            logger.exception("the inspector failed on a frame")
            return TracedFrame(self.scrub(octets), f"{len(octets)} octets", "The inspector failed on this frame.")
        error = str(found.error) if found.error else ""
        masked = self.scrub(mask(octets, found))
        deviates = "".join(f" · deviates: {text}" for text in found.deviations)
        return TracedFrame(masked, _short(found.summary + deviates), _short(error), found.starts_apdu)

    def read_discarded(self, octets: bytes, reason: str) -> TracedFrame:
        """Octets that are no frame for us."""
        return TracedFrame(self.scrub(octets), f"{len(octets)} octets discarded", _short(reason))

    def scrub(self, octets: bytes) -> bytes:
        """The octets without the session's secrets, wherever they stand."""
        for secret in self.secrets:
            if len(secret) >= MIN_SECRET_OCTETS:
                octets = octets.replace(secret, MASK_OCTET * len(secret))
        return octets


def _short(text: str) -> str:
    return storable(text)[:MAX_TEXT]


def with_dedicated_key(keys: DissectionKeys, frames: Iterable[tuple[bytes, str]]) -> DissectionKeys:
    """The keys, and the dedicated one that the frames of an AARQ bring: it is stored nowhere else."""
    dissector = Dissector(keys)
    for octets, direction in frames:
        dissector.feed(octets, "sent" if direction == "sent" else "received")
    return keys if dissector.dedicated_key is None else replace(keys, dedicated_key=dissector.dedicated_key)


def redissect(frames: Iterable[tuple[bytes, str]], keys: DissectionKeys | None) -> dict[str, Any]:
    """The last of some frames (octets and direction, in order), read with what the ones before it say."""
    dissector = Dissector(keys)
    found = None
    for octets, direction in frames:
        found = dissector.feed(octets, "sent" if direction == "sent" else "received")
    if found is None:
        raise ValueError("there is no frame to dissect")
    return found.as_json()
