"""Reading the trace: one line for each frame while it passes, and the whole tree when somebody looks at it later.

Secrets are masked before a frame goes anywhere. The inspector knows where they stand in what it understands; whatever it does
not (an echo, a damaged or repeated frame, a part of one) is searched for the session's secrets as octets, and for what was masked
before: a secret that was sent once comes back no other way.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from meters.cosem.data import Data
from sessions.dlms.inspector import DissectionKeys, Dissector, mask
from sessions.storable import storable

logger = logging.getLogger(__name__)

MASK_OCTET = b"\x2a"
MIN_SECRET_OCTETS = 4
"""Shorter ones would hit innocent octets everywhere."""
MIN_PIECE_OCTETS = 6
"""A part of a secret that is masked wherever it stands: a frame may hold no more of it."""
MAX_LEARNED = 32
"""Secrets that were masked, and are searched for from then on; the oldest are forgotten."""
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
    _learned: deque[bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._dissector = Dissector(self.keys)
        self._learned = deque(maxlen=MAX_LEARNED)

    def learn(self, secret: bytes) -> None:
        """A secret that is about to pass, or has passed."""
        if len(secret) >= MIN_SECRET_OCTETS and secret not in self._learned and len(set(secret)) > 1:
            self._learned.append(secret)

    def learn_value(self, value: Data) -> None:
        """The same of what a value holds."""
        if value.constructed:
            for element in value:
                self.learn_value(element)
        elif isinstance(value.value, bytes):
            self.learn(value.value)
        elif isinstance(value.value, str):
            self.learn(value.value.encode())

    def read(self, octets: bytes, direction: str) -> TracedFrame:
        """A frame that was `sent` or `received`. Never raises: a frame that cannot be read is still recorded."""
        try:
            found = self._dissector.feed(octets, "sent" if direction == "sent" else "received")
        except Exception:
            logger.exception("the inspector failed on a frame")
            return TracedFrame(self.scrub(octets), f"{len(octets)} octets", "The inspector failed on this frame.")
        error = str(found.error) if found.error else ""
        masked = self.scrub(mask(octets, found))
        for offset, length in found.secrets:
            self.learn(octets[offset : offset + length])
        deviates = "".join(f" · deviates: {text}" for text in found.deviations)
        return TracedFrame(masked, _short(found.summary + deviates), _short(error), found.starts_apdu)

    def read_discarded(self, octets: bytes, reason: str) -> TracedFrame:
        """Octets that are no frame for us."""
        return TracedFrame(self.scrub(octets), f"{len(octets)} octets discarded", _short(reason))

    def scrub(self, octets: bytes) -> bytes:
        """The octets without the session's secrets, or parts of them, wherever they stand."""
        known = [secret for secret in (*self.secrets, *self._learned) if len(secret) >= MIN_SECRET_OCTETS]
        for secret in known:
            octets = octets.replace(secret, MASK_OCTET * len(secret))
        for secret in known:
            octets = _without_parts(octets, secret)
        return octets


def _without_parts(octets: bytes, secret: bytes) -> bytes:
    """The octets without runs of a secret that have `MIN_PIECE_OCTETS` or more; runs of one octet repeated say nothing."""
    step = MIN_PIECE_OCTETS - MIN_SECRET_OCTETS + 1  # every such run holds a seed that begins at a multiple of this
    for at in range(0, len(secret) - MIN_SECRET_OCTETS + 1, step):
        seed = secret[at : at + MIN_SECRET_OCTETS]
        if len(set(seed)) == 1:
            continue
        found = octets.find(seed)
        while found >= 0:
            first, stop = _longest_run(octets, found, secret, at)
            if stop - first >= MIN_PIECE_OCTETS:
                octets = octets[:first] + MASK_OCTET * (stop - first) + octets[stop:]
            found = octets.find(seed, found + 1)
    return octets


def _longest_run(octets: bytes, found: int, secret: bytes, at: int) -> tuple[int, int]:
    """Where the part of the secret that the seed at `at` belongs to begins and ends in the octets."""
    first, begin = found, at
    while first > 0 and begin > 0 and octets[first - 1] == secret[begin - 1]:
        first, begin = first - 1, begin - 1
    stop, end = found, at
    while stop < len(octets) and end < len(secret) and octets[stop] == secret[end]:
        stop, end = stop + 1, end + 1
    return first, stop


def _short(text: str) -> str:
    return storable(text)[:MAX_TEXT]


def with_dedicated_key(keys: DissectionKeys, frames: Iterable[tuple[bytes, str]]) -> DissectionKeys:
    """The keys, and the dedicated one that the frames of an AARQ bring: it is stored nowhere else."""
    dissector = Dissector(keys, stored=True)
    for octets, direction in frames:
        dissector.feed(octets, "sent" if direction == "sent" else "received")
    return keys if dissector.dedicated_key is None else replace(keys, dedicated_key=dissector.dedicated_key)


def redissect(frames: Iterable[tuple[bytes, str]], keys: DissectionKeys | None) -> dict[str, Any]:
    """The last of some frames (octets and direction, in order), read with what the ones before it say."""
    dissector = Dissector(keys, stored=True)
    found = None
    for octets, direction in frames:
        found = dissector.feed(octets, "sent" if direction == "sent" else "received")
    if found is None:
        raise ValueError("there is no frame to dissect")
    return found.as_json()
