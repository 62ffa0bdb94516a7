"""Whether octets are messages of IEC 62056-21, and where one ends and the next begins, without a conversation around them."""

from __future__ import annotations

import re
from typing import Final

from sessions.dlms.iec62056_21.characters import (
    ACK,
    CR,
    LF,
    NAK,
    NUL,
    SLASH,
    SOH,
    STX,
    carries_parity,
    parity_is_even,
    without_parity,
)
from sessions.dlms.iec62056_21.message import find_end
from sessions.dlms.iec62056_21.telegram import find_telegram_end

_PRINTABLE: Final = rb"[\x20-\x7e\r\n]"
_BEGINNINGS: Final = re.compile(
    rb"\x00*/\?[0-9A-Za-z ]{0,32}!\r*\n"
    rb"|/[A-Za-z]{3}[\x20-\x7e][\x02\x20-\x7e]{0,120}\r*\n"
    rb"|\x06[0-9A-Za-z]{3}\r*\n"
    rb"|\x01[A-Z][0-9][\x02\x03]"
    rb"|\x02" + _PRINTABLE + rb"*\("
)
_DATA_LINES: Final = re.compile(rb"[0-9A-Z][0-9A-Za-z.:*&-]{0,31}\([^)]{0,1024}\)")
_TEXT: Final = bytes((*range(0x20, 0x7F), CR, LF))
_BETWEEN: Final = bytes((CR, LF, NUL))
_STARTS: Final = re.compile(rb"[\x01\x02]|/\?|/[A-Za-z]{3}[\x20-\x7e]")
_OPTION_SELECT: Final = re.compile(rb"\x06[0-9A-Za-z]{3}\r*\n")


def characters_of(octets: bytes) -> bytes:
    """The octets without parity bits, where they carry even ones, or begin as a message all the same; else as they are."""
    if not carries_parity(octets):
        return octets
    characters = without_parity(octets)
    return characters if parity_is_even(octets) or _BEGINNINGS.match(characters) else octets


def looks_like_iec62056_21(octets: bytes) -> bool:
    """Whether these octets begin with a message, or are data lines."""
    characters = characters_of(octets)
    if _BEGINNINGS.match(characters):
        return True
    return _DATA_LINES.match(characters) is not None and not characters.translate(None, _TEXT)


def is_reply(octets: bytes) -> bool:
    """Whether these octets are an ACK or a NAK alone; only what was said before tells that they are one."""
    return len(octets) == 1 and octets[0] & 0x7F in (ACK, NAK)


def split_messages(octets: bytes) -> list[bytes]:
    """The messages in these octets, in order; joined again they are the octets."""
    characters = characters_of(octets)
    pieces: list[bytes] = []
    at = 0
    while at < len(characters):
        end = _message_end(characters, at)
        while end < len(characters) and characters[end] in _BETWEEN:
            end += 1
        pieces.append(octets[at:end])
        at = end
    return pieces


def _message_end(characters: bytes, at: int) -> int:
    """Behind the message that begins at `at`."""
    while at < len(characters) - 1 and characters[at] in _BETWEEN:
        at += 1
    first = characters[at]
    if first in (SOH, STX):
        end = find_end(characters, at + 1)
        return min(end + 2, len(characters)) if end >= 0 else len(characters)
    if first == SLASH:
        return _line_or_telegram(characters, at)
    if (option := _OPTION_SELECT.match(characters, at)) is not None:
        return option.end()
    if first in (ACK, NAK):
        return at + 1
    following = _STARTS.search(characters, at + 1)
    return following.start() if following else len(characters)


def _line_or_telegram(characters: bytes, at: int) -> int:
    """A request or identification; a telegram where data lines follow it without a frame."""
    line_end = characters.find(LF, at) + 1
    if not line_end or characters[at + 1 : at + 2] == b"?":
        return line_end or len(characters)
    begin = line_end
    while begin < len(characters) and characters[begin] in _BETWEEN:
        begin += 1
    if begin == len(characters) or characters[begin] in (SOH, STX, ACK, NAK, SLASH):
        return line_end
    end = find_telegram_end(characters, begin)
    line_end = characters.find(LF, end) + 1 if end >= 0 else 0
    following = _STARTS.search(characters, line_end) if line_end else None
    return following.start() if following else len(characters)
