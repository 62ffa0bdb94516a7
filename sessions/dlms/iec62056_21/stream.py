"""Finds the messages of IEC 62056-21 in a stream of octets, whichever side speaks.

Parity bits are taken off first: what is told is the message in characters and the octets as they came. A message is complete
with its line end or its block check; one that lacks its block check is taken when the line pauses (`give_up`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sessions.dlms.cursor import Reader
from sessions.dlms.errors import DecodeError
from sessions.dlms.iec62056_21.characters import (
    ACK,
    CR,
    ETX,
    LF,
    NAK,
    NUL,
    QUERY,
    SLASH,
    SOH,
    STX,
    BlockCheck,
    without_parity,
)
from sessions.dlms.iec62056_21.data_set import read_data_block
from sessions.dlms.iec62056_21.message import (
    MAX_MESSAGE,
    DataMessage,
    Message,
    find_end,
    read_command_message,
    read_data_message,
    read_reply,
)
from sessions.dlms.iec62056_21.sign_on import (
    MAX_LINE,
    read_acknowledgement_message,
    read_identification_message,
    read_request_message,
)
from sessions.dlms.iec62056_21.telegram import Telegram, find_telegram_end, read_telegram

BETWEEN: Final = frozenset((CR, LF, NUL))
"""What may stand between messages and means nothing: line ends, and the NULs that wake a meter up."""
LONGEST_END: Final = 16
"""Characters in which the end of a telegram may be hidden while it has not come whole."""
_BEGINNINGS: Final = frozenset((SOH, STX, ACK, NAK, SLASH))


@dataclass(frozen=True, slots=True)
class Found:
    """A good message, and its octets as they came."""

    message: Message | Telegram
    octets: bytes


@dataclass(frozen=True, slots=True)
class Damaged:
    """A message that fails a check. What it is good for: to ask for it again."""

    octets: bytes
    error: DecodeError


@dataclass(frozen=True, slots=True)
class Rubbish:
    """Octets that are no message, or only our own ones coming back, and why."""

    octets: bytes
    reason: str


class MessageReader:
    """Cuts a stream into messages.

    `unframed`: a data block may come without STX, as some meters send it, up to its exclamation mark.
    `telegrams`: a slash begins a whole telegram (mode D, P1), not an identification alone.
    `option_selects`: an ACK begins the three characters of an option select (the meter's side expects that).
    """

    def __init__(self) -> None:
        self.unframed = False
        self.telegrams = False
        self.option_selects = False
        self._raw = bytearray()
        self._characters = bytearray()
        self._echo = b""
        self._looked = 0

    @property
    def pending(self) -> int:
        """Octets that belong to nothing complete."""
        return len(self._raw)

    def expect_echo(self, octets: bytes) -> None:
        """These octets were sent: an optical head may give them back, before anything else comes."""
        self._echo += without_parity(octets)

    def feed(self, octets: bytes) -> None:
        self._raw += octets
        self._characters += without_parity(octets)

    def next(self) -> Found | Damaged | Rubbish | None:
        """What comes next in the stream; None while it is not complete."""
        if self._echo and self._characters:
            size = min(len(self._echo), len(self._characters))
            if self._characters[:size] != self._echo[:size]:
                self._echo = b""
            elif size < len(self._echo):
                return None
            else:
                self._echo = b""
                return Rubbish(self._take(size), "echo of our own octets")
        size = self._between()
        if size:
            del self._raw[:size], self._characters[:size]
            self._looked = 0
        if not self._characters:
            return None
        if not self._may_begin():
            return self._rubbish()
        return self._take_message()

    def give_up(self) -> Found | Damaged | Rubbish | None:
        """The line has paused: a message without its block check is one; anything else that was begun is none."""
        self._echo = b""
        if not self._raw:
            return None
        if self._characters[-1] == ETX and self._characters[0] in (STX, SOH):
            return self._decode(len(self._characters))
        if (self.unframed or self.telegrams) and find_telegram_end(self._characters) >= 0:
            return self._decode(len(self._characters))
        return Rubbish(self.take_rest(), "a message that was not completed")

    def take_rest(self) -> bytes:
        """What is left, taken out."""
        rest = bytes(self._raw)
        self._raw.clear()
        self._characters.clear()
        self._looked = 0
        return rest

    # -- pieces ------------------------------------------------------------------------------------------------------

    def _between(self) -> int:
        size = 0
        while size < len(self._characters) and self._characters[size] in BETWEEN:
            size += 1
        return size

    def _may_begin(self) -> bool:
        first = self._characters[0]
        if first in _BEGINNINGS:
            return True
        # Noise in front of a framed message is not the beginning of an unframed one.
        framed = any(start in self._characters[:MAX_LINE] for start in (SOH, STX))
        return self.unframed and not framed and 0x20 <= first < 0x7F

    def _rubbish(self) -> Rubbish:
        """Octets up to the next one that may begin something."""
        size = next(
            (at for at, character in enumerate(self._characters) if at and character in _BEGINNINGS),
            len(self._characters),
        )
        return Rubbish(self._take(size), "no message of IEC 62056-21")

    def _take_message(self) -> Found | Damaged | Rubbish | None:
        end = self._end()
        if end > MAX_MESSAGE or (end == 0 and len(self._characters) > MAX_MESSAGE):
            return Rubbish(self.take_rest(), f"a message of more than {MAX_MESSAGE} octets")
        return self._decode(end) if end else None

    def _end(self) -> int:
        """Where the message ends that begins the stream; 0 while its end has not come."""
        first = self._characters[0]
        if first == NAK or (first == ACK and not self.option_selects):
            return 1
        if first in (SOH, STX):
            return self._end_of_block()
        if first == SLASH and self.telegrams and self._characters[1:2] != b"?":
            return self._end_of_telegram()
        if first in (SLASH, ACK):
            return self._end_of_line()
        return self._end_of_text(0)

    def _end_of_block(self) -> int:
        """Behind the block check."""
        end = find_end(self._characters, max(1, self._looked))
        self._looked = len(self._characters)
        if end < 0:
            return 0
        self._looked = end
        return end + 2 if end + 2 <= len(self._characters) else 0

    def _end_of_line(self) -> int:
        """Behind the line feed; a line that has none within reason ends there, and will be refused."""
        end = self._characters.find(LF) + 1
        return end or (MAX_LINE if len(self._characters) >= MAX_LINE else 0)

    def _end_of_telegram(self) -> int:
        """Behind the line of its exclamation mark; behind the identification where a framed message follows it."""
        line_end = self._end_of_line()
        following = bytes(self._characters[line_end : line_end + MAX_LINE]).lstrip(b"\r\n")
        if not line_end or not following:
            return 0
        return line_end if following[0] in (STX, SLASH) else self._end_of_text(line_end)

    def _end_of_text(self, start: int) -> int:
        end = find_telegram_end(self._characters, max(start, self._looked))
        if end < 0:
            self._looked = max(0, len(self._characters) - LONGEST_END)
            return 0
        return self._characters.find(LF, end) + 1

    def _decode(self, size: int) -> Found | Damaged:
        characters = bytes(self._characters[:size])
        octets = self._take(size)
        try:
            return Found(_message(characters, self.telegrams), octets)
        except DecodeError as error:
            return Damaged(octets, error)

    def _take(self, size: int) -> bytes:
        octets = bytes(self._raw[:size])
        del self._raw[:size], self._characters[:size]
        self._looked = 0
        return octets


def _message(characters: bytes, telegrams: bool) -> Message | Telegram:
    """The message that fills the characters."""
    reader = Reader(characters)
    if telegrams and characters[0] == SLASH and find_telegram_end(characters) >= 0:
        return read_telegram(reader)
    message = read_message(reader)
    reader.finish("message")
    return message


def read_message(reader: Reader) -> Message:
    """The message at the cursor, whichever it is; a data block without STX is read to the end."""
    first, second = reader.peek(), reader.peek(1)
    if first == SLASH:
        return read_request_message(reader) if second == QUERY else read_identification_message(reader)
    if first == SOH:
        return read_command_message(reader)
    if first == STX:
        return read_data_message(reader)
    if first == ACK and reader.remaining > 1:
        return read_acknowledgement_message(reader)
    if first in (ACK, NAK):
        return read_reply(reader)
    return _read_unframed(reader)


def _read_unframed(reader: Reader) -> DataMessage:
    text = reader.octets[reader.offset :]
    read_data_block(reader, lenient=True)
    return DataMessage(text, check=BlockCheck.ABSENT)
