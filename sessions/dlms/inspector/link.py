"""The link layers of the inspector: HDLC, the TCP wrapper, and what stands between them and the APDU."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.cursor import Field, Reader
from sessions.dlms.errors import DecodeError, FrameError
from sessions.dlms.hdlc.frame import (
    FLAG,
    FrmrFrame,
    HdlcFrame,
    InfoFrame,
    SnrmFrame,
    UaFrame,
    UiFrame,
    read_hdlc_frame,
)
from sessions.dlms.hdlc.parameters import HdlcParameters, read_hdlc_parameters
from sessions.dlms.hdlc.reject import read_frame_reject
from sessions.dlms.inspector.application import open_apdu, preview_apdu
from sessions.dlms.inspector.assembly import Segments
from sessions.dlms.inspector.framing import HDLC_LENGTH, HDLC_MIN_LENGTH, LLC_HEADERS, lacks_flags
from sessions.dlms.inspector.pieces import ANSWERS, inside_of, piece_spans
from sessions.dlms.inspector.sheet import FRAME, Sheet, find_field
from sessions.dlms.inspector.state import Conversation
from sessions.dlms.inspector.stations import name_hdlc_stations, name_wrapper_ports
from sessions.dlms.wrapper import WrapperFrame, read_wrapper_frame

LLC_OCTETS: Final = 3
BEGINNINGS_WITH_SECRETS: Final = frozenset(
    (
        ApduTag.AARQ,
        ApduTag.READ_REQUEST,
        ApduTag.WRITE_REQUEST,
        ApduTag.UNCONFIRMED_WRITE_REQUEST,
        ApduTag.SET_REQUEST,
        ApduTag.ACTION_REQUEST,
        ApduTag.ACCESS_REQUEST,
        ApduTag.GENERAL_BLOCK_TRANSFER,
    )
)
"""First octets of the APDUs whose segments are looked into; the others are too long, and too many, for that."""
PIECES_OF_A_HEAD: Final = 8
"""As many segments hold all that stands before an APDU's contents, in whatever envelopes."""


def strip_llc(sheet: Sheet, octets: bytes, source: str, origin: int, under: Field | None = None) -> int:
    """Show the LLC header and return its octets; some meters send it twice, some not at all."""
    taken = 0
    while octets[taken : taken + LLC_OCTETS] in LLC_HEADERS:
        with sheet.layer(octets[taken:], source, origin=origin + taken, under=under) as reader, reader.group("llc"):
            _read_llc(reader)
        taken += LLC_OCTETS
    if taken > LLC_OCTETS:
        sheet.deviate("the LLC header stands twice")
    return taken


def _read_llc(reader: Reader) -> None:
    reader.u8("destination-lsap")
    reader.label("e6")
    command = reader.u8("source-lsap") == 0xE6
    reader.label("e6 (command)" if command else "e7 (response)")
    reader.u8("quality")


# -- wrapper -----------------------------------------------------------------------------------------------------------


def wrapper_layer(sheet: Sheet, talk: Conversation, octets: bytes) -> None:
    """Header and APDU. Octets behind the announced length are an error; the APDU is shown all the same."""
    try:
        with sheet.layer(octets, FRAME) as reader:
            frame = read_wrapper_frame(reader)
            end = reader.offset
            reader.finish("wrapper-frame")
    except DecodeError as error:
        sheet.fail(error)
        if error.code != "trailing-octets":
            sheet.summary = f"wrapper frame, damaged: {error.reason}"
            return
    sheet.stations = (frame.source, frame.destination)
    _ports(sheet, talk, frame)
    name_wrapper_ports(sheet.root)
    sheet.apdu_octets = frame.apdu
    field = find_field(sheet.root, "apdu")
    if field is not None:
        field.value = f"{len(frame.apdu)} octets"
    if not frame.apdu:
        sheet.deviate("a wrapper frame without an APDU")
        sheet.summary = "wrapper frame without an APDU"
        return
    origin = end - len(frame.apdu)
    open_apdu(sheet, talk, frame.apdu, FRAME, origin=origin, channel=(frame.source, frame.destination))


def _ports(sheet: Sheet, talk: Conversation, frame: WrapperFrame) -> None:
    """An answer has the ports of its request swapped; where the direction is known, another one is told."""
    ports = (frame.source, frame.destination)
    if sheet.direction == "sent":
        talk.wrapper_ports = ports
    elif sheet.direction == "received" and talk.wrapper_ports is not None:
        client, server = talk.wrapper_ports
        if ports == (client, server) and client != server:
            sheet.deviate("the ports of the answer are not swapped")
        elif frame.source != server:
            sheet.deviate(f"answered by wPort {frame.source}, {server} was asked")


# -- HDLC --------------------------------------------------------------------------------------------------------------


def hdlc_layer(sheet: Sheet, talk: Conversation, octets: bytes) -> None:
    """The frame, and what its information field holds."""
    try:
        frame = _read_frame(sheet, octets)
    except DecodeError as error:
        sheet.fail(error)
        _damaged(sheet, error)
        return
    sheet.stations = (frame.source, frame.destination)
    for text in talk.watch.see(frame):
        sheet.deviate(text)
    name_hdlc_stations(sheet.root, frame)
    if isinstance(frame, InfoFrame | UiFrame):
        _information(sheet, talk, frame)
        return
    sheet.starts_apdu = not talk.shelf.busy
    sheet.summary = frame.summary()
    if isinstance(frame, SnrmFrame | UaFrame):
        if isinstance(frame, SnrmFrame):
            talk.shelf.clear()
            sheet.starts_apdu = True
        _parameters(sheet, frame)
    elif isinstance(frame, FrmrFrame):
        sheet.summary = f"{frame.summary()}: {frame.reason()}"
        _reject(sheet, frame)


def _read_frame(sheet: Sheet, octets: bytes) -> HdlcFrame:
    """Read a frame whose flags may be missing: the length says where it ends, the check sequence that it is whole."""
    flag = bytes((FLAG,))
    before = b"" if octets[:1] == flag or not lacks_flags(octets) else flag
    length = int.from_bytes((before + octets)[1:3], "big") & HDLC_LENGTH
    after = flag if length >= HDLC_MIN_LENGTH and len(before + octets) == length + 1 else b""
    group = Field("hdlc-frame", 0, len(octets))
    sheet.root.children.append(group)
    try:
        with sheet.layer(before + octets + after, FRAME, origin=-len(before), under=group) as reader:
            frame = read_hdlc_frame(reader)
            reader.finish("hdlc-frame")
    finally:
        if before:
            group.children[0] = Field("opening-flag", 0, 0, "missing")
            sheet.note("the opening flag is missing")
        if after and group.children[-1].name == "closing-flag":
            group.children[-1] = Field("closing-flag", len(octets), 0, "missing")
            sheet.note("the closing flag is missing")
    return frame


def _damaged(sheet: Sheet, error: DecodeError) -> None:
    """Say what is wrong; where only the last check fails, show what the frame holds, for what it is worth."""
    sheet.summary = f"HDLC frame, damaged: {error.field} {error.reason}"
    field = find_field(sheet.root, "information")
    if field is None or not isinstance(error, FrameError) or error.field != "fcs":
        return
    octets = sheet.sources[FRAME][field.offset : field.offset + field.length]
    taken = strip_llc(sheet, octets, FRAME, field.offset, field)
    if taken and octets[taken:]:
        preview_apdu(sheet, octets[taken:], FRAME, origin=field.offset + taken)


def _parameters(sheet: Sheet, frame: SnrmFrame | UaFrame) -> None:
    field = find_field(sheet.root, "information")
    if field is None:
        if isinstance(frame, SnrmFrame):
            sheet.summary = f"{frame.summary()} max info {HdlcParameters().max_info_receive}"
        return
    try:
        with sheet.layer(frame.information, FRAME, origin=field.offset, under=field) as reader:
            parameters = read_hdlc_parameters(reader)
    except DecodeError as error:
        sheet.fail(error)
        sheet.summary = f"{frame.summary()}, parameters damaged: {error.reason}"
        return
    field.value = ""
    window = parameters.window_receive
    more = f", window {window}" if window > 1 else ""
    sheet.summary = f"{frame.summary()} max info {parameters.max_info_receive}{more}"


def _reject(sheet: Sheet, frame: FrmrFrame) -> None:
    """What an FRMR's information field says, octet by octet."""
    field = find_field(sheet.root, "information")
    if field is None:
        return
    field.value = frame.reason()
    try:
        with sheet.layer(frame.information, FRAME, origin=field.offset, under=field) as reader:
            read_frame_reject(reader)
    except DecodeError:
        pass  # the fields that are there are shown; that others are missing is a deviation


def _information(sheet: Sheet, talk: Conversation, frame: InfoFrame | UiFrame) -> None:
    """One frame's part of an APDU: all of it, or a segment."""
    field = find_field(sheet.root, "information")
    octets = frame.information
    sheet.summary = frame.summary()
    if field is None:
        sheet.summary = f"{frame.summary()} without information"
        return
    field.value = f"{len(octets)} octets"
    number = frame.send_sequence if isinstance(frame, InfoFrame) else None
    channel = (frame.source, frame.destination)
    segments = talk.shelf.segments(channel)
    came = segments or talk.shelf.ended_segments(channel)
    if came is not None and (begin := came.repeated(number, octets)) is not None:
        sheet.starts_apdu = False
        sheet.summary = f"{frame.summary()}, a repeated segment"
        llc = 0 if begin else len(octets) - len(came.pieces[0].octets)
        hide_secret(sheet, talk, came, begin, field.offset + llc, channel)
        return
    if segments is None or (number is None and octets[:LLC_OCTETS] in LLC_HEADERS):
        _first(sheet, talk, frame, octets, field)
        return
    sheet.starts_apdu = False
    begin = segments.add(number, octets)
    hide_secret(sheet, talk, segments, begin, field.offset, channel)
    if frame.segmented:
        sheet.summary = f"segment {len(segments.pieces)} of {segments.title}…"
    else:
        talk.shelf.end_segments(channel)
        _last(sheet, talk, segments, channel)


def _first(sheet: Sheet, talk: Conversation, frame: InfoFrame | UiFrame, octets: bytes, field: Field) -> None:
    """A frame that begins an APDU. One side talks at a time: what either had begun before will not go on."""
    channel = (frame.source, frame.destination)
    talk.shelf.forget_segments(channel)
    talk.shelf.forget_segments((frame.destination, frame.source))
    taken = strip_llc(sheet, octets, FRAME, field.offset, field)
    apdu, origin = octets[taken:], field.offset + taken
    if not frame.segmented:
        sheet.apdu_octets = apdu
        open_apdu(sheet, talk, apdu, FRAME, origin=origin, channel=channel)
        return
    segments = talk.shelf.begin_segments(channel)
    # A repetition is recognised by the whole field: the LLC header counts.
    segments.add(frame.send_sequence if isinstance(frame, InfoFrame) else None, apdu, octets)
    segments.title = preview_apdu(sheet, apdu, FRAME, origin=origin)
    hide_secret(sheet, talk, segments, 0, origin, channel)
    sheet.summary = f"segment 1 of {segments.title}…"


def _last(sheet: Sheet, talk: Conversation, segments: Segments, channel: Hashable) -> None:
    whole, count = segments.octets, len(segments.pieces)
    sheet.apdu_octets = whole
    open_apdu(sheet, talk, whole, sheet.add_source("apdu", whole), channel=channel)
    sheet.summary = f"{sheet.summary} (segment {count} of {count})"


def hide_secret(
    sheet: Sheet, talk: Conversation, segments: Segments, begin: int, offset: int, channel: Hashable
) -> None:
    """Hide the part of a password, or of a secret that is written or read, that stands in this segment."""
    head = b"".join(piece.octets for piece in segments.pieces[:PIECES_OF_A_HEAD])
    start = inside_of(head)
    if start is None or start >= len(head):
        return
    if head[start] not in BEGINNINGS_WITH_SECRETS and not (talk.secret_answer and head[start] in ANSWERS):
        return
    apdu = segments.octets
    for at, length in piece_spans(talk, apdu, channel):
        first, stop = max(at, begin), min(at + length, len(apdu))
        if stop > first:
            sheet.hidden.append((offset + first - begin, stop - first))
