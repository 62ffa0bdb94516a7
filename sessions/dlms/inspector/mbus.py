"""Wired M-Bus in the inspector: frames, transport headers, and the segments of an APDU."""

from __future__ import annotations

from collections.abc import Hashable

from sessions.dlms.cursor import Field
from sessions.dlms.errors import DecodeError, FrameError
from sessions.dlms.inspector.application import open_apdu, preview_apdu
from sessions.dlms.inspector.link import hide_secret
from sessions.dlms.inspector.sense import is_apdu
from sessions.dlms.inspector.sheet import FRAME, Sheet, find_field
from sessions.dlms.inspector.state import Conversation
from sessions.dlms.mbus import (
    APDU_CI,
    LONG_HEADERS,
    SAP_OCTETS,
    SHORT_HEADERS,
    LongFrame,
    MbusFrame,
    read_mbus_frame,
    read_saps,
    read_transport_header,
)


def mbus_layer(sheet: Sheet, talk: Conversation, octets: bytes) -> None:
    """The frame, and what its data hold."""
    try:
        frame = _read_frame(sheet, octets)
    except DecodeError as error:
        sheet.fail(error)
        sheet.summary = f"M-Bus frame, damaged: {error.field}: {error.reason}"
        return
    sheet.summary = frame.summary()
    if not isinstance(frame, LongFrame):
        return
    if frame.wrapped:
        sheet.deviate("the length field counts modulo 256: the body is longer")
    field = find_field(sheet.root, "data")
    if field is None:
        return
    try:
        if frame.is_segment:
            _segment(sheet, talk, frame, field)
        elif frame.control_information in LONG_HEADERS | SHORT_HEADERS:
            _behind_header(sheet, talk, frame, field)
    except DecodeError as error:
        sheet.fail(error)


def _read_frame(sheet: Sheet, octets: bytes) -> MbusFrame:
    with sheet.layer(octets, FRAME) as reader, reader.group("mbus-frame"):
        frame = read_mbus_frame(reader)
        reader.finish("mbus-frame")
    return frame


def _segment(sheet: Sheet, talk: Conversation, frame: LongFrame, field: Field) -> None:
    """A segment of an APDU, or all of it."""
    with sheet.layer(frame.data, FRAME, origin=field.offset, under=field) as reader:
        stations = read_saps(reader)
    sheet.stations = stations
    part, origin = frame.data[SAP_OCTETS:], field.offset + SAP_OCTETS
    channel: Hashable = (frame.address, *stations)
    segments = talk.shelf.segments(channel)
    if frame.sequence == 0:
        talk.shelf.end_segments(channel)
        if frame.final:
            sheet.apdu_octets = part
            open_apdu(sheet, talk, part, FRAME, origin=origin, channel=channel)
            return
        segments = talk.shelf.begin_segments(channel)
        segments.add(0, part)
        segments.title = preview_apdu(sheet, part, FRAME, origin=origin)
        hide_secret(sheet, talk, segments, 0, origin, channel)
        sheet.summary = f"segment 1 of {segments.title}…"
        return
    sheet.starts_apdu = False
    if segments is None or frame.sequence > len(segments.pieces):
        talk.shelf.end_segments(channel)
        raise FrameError(
            "control-information", field.offset - 1, f"segment {frame.sequence} without the ones before it"
        )
    if (begin := segments.repeated(frame.sequence, part)) is not None:
        hide_secret(sheet, talk, segments, begin, origin, channel)
        sheet.summary = f"{frame.summary()}, a repeated segment"
        return
    hide_secret(sheet, talk, segments, segments.add(frame.sequence, part), origin, channel)
    if not frame.final:
        sheet.summary = f"segment {len(segments.pieces)} of {segments.title}…"
        return
    talk.shelf.end_segments(channel)
    _whole(sheet, talk, segments.octets, len(segments.pieces), channel)


def _whole(sheet: Sheet, talk: Conversation, apdu: bytes, count: int, channel: Hashable) -> None:
    sheet.apdu_octets = apdu
    open_apdu(sheet, talk, apdu, sheet.add_source("apdu", apdu), channel=channel)
    sheet.summary = f"{sheet.summary} (segment {count} of {count})"


def _behind_header(sheet: Sheet, talk: Conversation, frame: LongFrame, field: Field) -> None:
    """A header of the transport layer, and an APDU where CI announces one. Records (DIF and VIF) are no DLMS."""
    with sheet.layer(frame.data, FRAME, origin=field.offset, under=field) as reader:
        with reader.group("transport-header"):
            header = read_transport_header(reader, frame.control_information)
        taken = reader.offset
    rest = frame.data[taken:]
    if header.security_mode and rest:
        sheet.note(f"encrypted by M-Bus security mode {header.security_mode}: not opened")
        return
    if frame.control_information not in APDU_CI:
        if rest:
            sheet.note("M-Bus records, which are no DLMS: not opened")
        return
    # Whether the addresses stand before the APDU differs from profile to profile.
    if not is_apdu(rest) and is_apdu(rest[SAP_OCTETS:]):
        with sheet.layer(rest, FRAME, origin=field.offset + taken, under=field) as reader:
            sheet.stations = read_saps(reader)
        taken += SAP_OCTETS
    sheet.apdu_octets = frame.data[taken:]
    open_apdu(sheet, talk, sheet.apdu_octets, FRAME, origin=field.offset + taken, channel=sheet.stations)
