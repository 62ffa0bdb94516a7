"""How long the client waits for an answer, beside the link's own reply timer.

Plain silence is the link's to time. What it cannot see is a peer that keeps talking and never answers: octets that trickle in,
frames that say "not yet", APDUs that answer something else. Each wait has its end here. Times are seconds of the owner's clock.
"""

from __future__ import annotations

from typing import Final

from sessions.dlms.errors import RemoteProtocolError

EXCHANGE_FACTOR: Final = 12
"""How many reply timeouts may pass without a valid frame while octets keep trickling in, if the link has not more patience."""

MAX_IGNORED: Final = 64
"""APDUs in a row that answer nothing, before the peer is taken for a babbler."""

BARE_FRAME_OCTETS: Final = 16
"""A frame without information is not longer than this in any framing."""


class Patience:
    """One wait after the other. `deadline` is when the current one ends, None while nothing is awaited.

    `link_patience` is how long the link may ask on by itself, a busy meter say: it ends its own waits, and says why.
    """

    def __init__(self, reply_timeout: float, link_patience: float = 0.0) -> None:
        self.reply_timeout = reply_timeout
        self._exchange = max(EXCHANGE_FACTOR * reply_timeout, link_patience)
        self.deadline: float | None = None
        self._ignored = 0
        self._fixed = False

    def begin(self, now: float, *, at_most: float | None = None) -> None:
        """Something was sent that wants an answer, within `at_most` seconds if that is given."""
        self._ignored, self._fixed = 0, at_most is not None
        self.deadline = now + (self._exchange if at_most is None else at_most)

    def extend(self, now: float, frame: bytes) -> None:
        """A part of a long answer gives the rest more time; a bare "ready" of the link gives none."""
        if self.deadline is not None and not self._fixed and len(frame) > BARE_FRAME_OCTETS:
            self.deadline = now + self._exchange

    def pass_over(self, now: float) -> None:
        """An APDU that is no answer: the first of them starts the last reply timeout, too many of them are an error."""
        if self.deadline is None:
            return
        self._ignored += 1
        if self._ignored > MAX_IGNORED:
            raise RemoteProtocolError(f"{self._ignored} APDUs in a row answer nothing that was asked", code="babbling")
        if not self._fixed:
            self._fixed, self.deadline = True, now + self.reply_timeout

    def end(self) -> None:
        """The answer is here, or nobody waits for it any more."""
        self.deadline = None

    def is_over(self, now: float) -> bool:
        return self.deadline is not None and now >= self.deadline
