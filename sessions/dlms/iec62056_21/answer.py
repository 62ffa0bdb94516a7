"""An answer while it comes, block by block, and how far its block checks are believed."""

from __future__ import annotations

from typing import Final

from sessions.dlms.iec62056_21.characters import BlockCheck
from sessions.dlms.iec62056_21.message import MAX_MESSAGE, DataMessage

MAX_TEXT: Final = 4 * MAX_MESSAGE
MAX_REPEATS: Final = 2
"""How often one message is asked for again."""


class Answer:
    """`believed` is the block check that this meter makes; `suspect` a message that another one would prove."""

    def __init__(self, believed: BlockCheck | None = None) -> None:
        self.believed = believed or BlockCheck.XOR
        self.suspect: DataMessage | None = None
        self._text = bytearray()
        self._repeats = 0

    def begin(self) -> None:
        """Another answer is awaited; what is known of the meter's block check stays known."""
        self._text.clear()
        self.suspect = None
        self._repeats = 0

    @property
    def begun(self) -> bool:
        return bool(self._text)

    @property
    def is_overfull(self) -> bool:
        return len(self._text) > MAX_TEXT

    @property
    def message(self) -> DataMessage:
        """All blocks as one message."""
        return DataMessage(bytes(self._text))

    def believes(self, message: DataMessage) -> bool:
        """Whether the block check is the standard's, none at all, the one that is known, or one that comes a second time.

        A damaged message fits another kind of check by chance, once in a hundred: twice running it does not.
        """
        if message.check in (BlockCheck.XOR, BlockCheck.ABSENT, self.believed):
            return True
        again = self.suspect is not None and self.suspect.check is message.check
        self.suspect = message
        if again:
            self.believed = message.check
        return again

    def add(self, message: DataMessage) -> None:
        self.suspect = None
        self._repeats = 0
        self._text += message.text

    def may_repeat(self) -> bool:
        """Ask for the same message again; False where that was done often enough."""
        self._repeats += 1
        return self._repeats <= MAX_REPEATS
