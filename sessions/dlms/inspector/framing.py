"""Recognise what carries an APDU, or stands in its place, and cut octets that hold several frames into frames.

The cut is driven by the length fields, as flags may stand inside a frame: a check octet may equal `7E`, one flag may close a
frame and open the next, the last flag may be missing. What fits nothing becomes a piece of its own, so that nothing is lost.
"""

from __future__ import annotations

from typing import Final

from sessions.dlms.hdlc.fcs import fcs_is_good
from sessions.dlms.iec62056_21.recognition import looks_like_iec62056_21, split_messages
from sessions.dlms.inspector.dissection import Framing
from sessions.dlms.mbus import frame_size, looks_like_mbus

FLAG: Final = 0x7E
HDLC_TYPE: Final = 0xA
HDLC_LENGTH: Final = 0x7FF
HDLC_MIN_LENGTH: Final = 7
WRAPPER_VERSION: Final = b"\x00\x01"
WRAPPER_HEADER: Final = 8
FREE_CHECKS: Final = 1 << 18
CHECKS_AN_OCTET: Final = 4
LLC_HEADERS: Final = (b"\xe6\xe6\x00", b"\xe6\xe7\x00")


def recognise(octets: bytes) -> Framing:
    """What these octets begin with."""
    if not octets:
        return Framing.UNKNOWN
    if octets[0] == FLAG or lacks_flags(octets):
        return Framing.HDLC
    if looks_like_mbus(octets):
        return Framing.MBUS
    if looks_like_iec62056_21(octets):
        return Framing.IEC62056_21
    # No APDU begins with 00.
    if octets[:2] == WRAPPER_VERSION or (octets[0] == 0 and len(octets) >= WRAPPER_HEADER):
        return Framing.WRAPPER
    if octets[:3] in LLC_HEADERS:
        return Framing.LLC
    return Framing.APDU


def lacks_flags(octets: bytes) -> bool:
    """Whether these octets are one HDLC frame that a logger stripped of its opening flag, or of both."""
    head = int.from_bytes(octets[:2], "big")
    length = head & HDLC_LENGTH
    ends = len(octets) == length or (len(octets) == length + 1 and octets[-1] == FLAG)
    return head >> 12 == HDLC_TYPE and length >= HDLC_MIN_LENGTH and ends


def split_frames(octets: bytes, framing: Framing | None = None) -> list[bytes]:
    """The frames in these octets, in order; joined again they are the octets, but for flags that two frames share."""
    framing = framing or recognise(octets)
    if not octets:
        return []
    if framing is Framing.HDLC:
        return _split_hdlc(octets)
    if framing is Framing.WRAPPER:
        return _split_wrapper(octets)
    if framing is Framing.MBUS:
        return _split_mbus(octets)
    return split_messages(octets) if framing is Framing.IEC62056_21 else [octets]


def _split_mbus(octets: bytes) -> list[bytes]:
    pieces, at = [], 0
    while at < len(octets):
        # A frame that never ends keeps what follows it.
        size = frame_size(octets, at) or len(octets) - at
        pieces.append(octets[at : at + size])
        at += size
    return pieces


def _split_wrapper(octets: bytes) -> list[bytes]:
    pieces, at = [], 0
    while at < len(octets):
        size = WRAPPER_HEADER + int.from_bytes(octets[at + 6 : at + 8], "big")
        following = octets[at + size : at + size + 2]
        # Octets behind a frame that begin no frame belong to it: its length, or what follows, is wrong.
        if octets[at : at + 2] != WRAPPER_VERSION or (following and following != WRAPPER_VERSION[: len(following)]):
            size = len(octets) - at
        pieces.append(octets[at : at + size])
        at += size
    return pieces


class FrameEnds:
    """Where frames without flags between them end: by their check sequences, as many octets of them as is worth the look.

    Honest octets are checked once, and again behind a false flag here and there; rubbish in which every third octet begins the
    longest frame would be checked six hundred times.
    """

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._left = FREE_CHECKS + CHECKS_AN_OCTET * len(octets)

    def behind(self, at: int) -> int | None:
        """Where the HDLC frame whose flag stands at `at` ends, by its length and its flag or check; None if nowhere."""
        octets = self._octets
        if at + 3 > len(octets):
            return None
        head = int.from_bytes(octets[at + 1 : at + 3], "big")
        length = head & HDLC_LENGTH
        end = at + 1 + length
        if head >> 12 != HDLC_TYPE or length < HDLC_MIN_LENGTH or end > len(octets):
            return None
        if end < len(octets) and octets[end] == FLAG:
            return end + 1
        self._left -= length
        return end if self._left >= 0 and fcs_is_good(octets[at + 1 : end]) else None


def _split_hdlc(octets: bytes) -> list[bytes]:
    if lacks_flags(octets):
        return [octets]
    pieces: list[bytes] = []
    ends = FrameEnds(octets)
    at = rest = 0
    while (at := octets.find(FLAG, at)) >= 0:
        end = ends.behind(at)
        if end is None:
            at += 1
            continue
        if octets[rest:at].strip(bytes((FLAG,))):
            pieces.append(octets[rest:at])
        pieces.append(octets[at:end])
        rest = end
        # A closing flag may open the next frame.
        shared = octets[end - 1] == FLAG and end < len(octets) and octets[end] != FLAG
        at = end - 1 if shared and ends.behind(end - 1) is not None else end
    if octets[rest:].strip(bytes((FLAG,))) or not pieces:
        pieces.append(octets[rest:])
    return pieces
