"""Whether octets make sense: as an APDU, as text."""

from __future__ import annotations

from typing import Final

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.errors import DecodeError

LEAST_TEXT: Final = 4
_PRINTABLE: Final = frozenset((*range(0x20, 0x7F), 0x09, 0x0A, 0x0D))


def looks_like_text(octets: bytes) -> bool:
    """At least four octets, all of them printable ASCII or line ends."""
    return len(octets) >= LEAST_TEXT and _PRINTABLE.issuperset(octets)


def is_apdu(octets: bytes) -> bool:
    """Whether octets are one whole APDU."""
    try:
        decode_apdu(octets)
    except DecodeError:
        return False
    return True


def makes_sense(octets: bytes) -> bool:
    """An APDU, or the text that some meters protect instead of one."""
    return looks_like_text(octets) or is_apdu(octets)
