"""Open frames, one after the other, with all that the earlier ones said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from sessions.dlms.acse import Aarq
from sessions.dlms.errors import DlmsError, FrameError
from sessions.dlms.iec62056_21.recognition import is_reply
from sessions.dlms.inspector.application import open_apdu
from sessions.dlms.inspector.dissection import Dissection, Framing
from sessions.dlms.inspector.framing import recognise, split_frames
from sessions.dlms.inspector.iec62056_21 import iec62056_21_layer
from sessions.dlms.inspector.keys import DissectionKeys
from sessions.dlms.inspector.link import hdlc_layer, strip_llc, wrapper_layer
from sessions.dlms.inspector.mbus import mbus_layer
from sessions.dlms.inspector.readable import make_readable
from sessions.dlms.inspector.secrets import likely_secret_spans
from sessions.dlms.inspector.sheet import FRAME, Sheet
from sessions.dlms.inspector.state import Conversation

Direction = Literal["sent", "received"]

MAX_FRAME: Final = 1024 * 1024
"""Octets of one frame or APDU that are still opened."""


class Dissector:
    """One conversation. Feed it each frame in the order of the line.

    `framing` says how frames are carried; None recognises it anew for each. Segments and blocks are put together over the
    frames, system titles and the dedicated key are learned from the association's APDUs. `stored`: the frames are as they were
    recorded, with their secrets masked.
    """

    def __init__(
        self, keys: DissectionKeys | None = None, framing: Framing | str | None = None, *, stored: bool = False
    ) -> None:
        self._talk = Conversation(keys or DissectionKeys(), stored=stored)
        self._framing = Framing(framing) if framing is not None else None
        self._last: Framing | None = None

    @property
    def dedicated_key(self) -> bytes | None:
        """The key that the last InitiateRequest brought, where it could be opened."""
        return self._talk.dedicated_key

    def feed(self, octets: bytes, direction: Direction | None = None) -> Dissection:
        """One frame, or octets that should be one. What is wrong with it is in the result's `error`: nothing is raised."""
        framing = self._framing or recognise(octets)
        if self._last is Framing.IEC62056_21 and is_reply(octets):
            framing = Framing.IEC62056_21
        self._last = framing
        sheet = Sheet(octets, framing, direction)
        try:
            self._open(sheet, octets)
            make_readable(sheet.root, sheet.sources)
        except DlmsError as error:
            sheet.fail(error)
        except Exception as error:
            sheet.fail(
                DlmsError(f"the inspector failed: {type(error).__name__}", layer="inspector", code="inspector-fault")
            )
        if sheet.error is not None:
            sheet.hidden += likely_secret_spans(octets)
        sheet.summary = sheet.summary or f"{len(octets)} octets"
        return sheet.dissection()

    def feed_all(self, octets: bytes, direction: Direction | None = None) -> Iterator[Dissection]:
        """Octets that may hold several frames; each is opened when it is asked for."""
        for piece in split_frames(octets, self._framing) or [b""]:
            yield self.feed(piece, direction)

    def _open(self, sheet: Sheet, octets: bytes) -> None:
        if not octets:
            raise FrameError("frame", 0, "there are no octets")
        if len(octets) > MAX_FRAME:
            raise FrameError("frame", MAX_FRAME, f"{len(octets)} octets are more than one frame can have")
        if sheet.framing is Framing.HDLC:
            hdlc_layer(sheet, self._talk, octets)
        elif sheet.framing is Framing.WRAPPER:
            wrapper_layer(sheet, self._talk, octets)
        elif sheet.framing is Framing.MBUS:
            mbus_layer(sheet, self._talk, octets)
        elif sheet.framing is Framing.IEC62056_21:
            iec62056_21_layer(sheet, self._talk, octets)
        else:
            taken = strip_llc(sheet, octets, FRAME, 0)
            sheet.apdu_octets = octets[taken:]
            open_apdu(sheet, self._talk, octets[taken:], FRAME, origin=taken, channel=sheet.direction)
        if isinstance(sheet.apdu, Aarq) and sheet.stations is not None:
            sheet.summary += f", client {sheet.stations[0]}"  # who asks for an association is the client


def dissect(octets: bytes, *, keys: DissectionKeys | None = None) -> Dissection:
    """One frame by itself."""
    return Dissector(keys).feed(octets)
