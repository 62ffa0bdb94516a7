"""What one frame says that the standard does not allow, where it can be understood all the same (IEC 62056-46, 6.4).

A receiver that is strict would drop or reject such a frame. We read it, because meters in the field send it, and say what is
wrong with it: these sentences are for the trace and the inspector.
"""

from __future__ import annotations

from collections.abc import Iterator

from sessions.dlms.errors import DecodeError
from sessions.dlms.hdlc.address import HdlcAddress
from sessions.dlms.hdlc.frame import (
    DiscFrame,
    DmFrame,
    FrmrFrame,
    HdlcFrame,
    InfoFrame,
    RejFrame,
    SnrmFrame,
    SupervisoryFrame,
    UaFrame,
    UiFrame,
    UnknownFrame,
)
from sessions.dlms.hdlc.parameters import MAX_INFO, parameter_deviations
from sessions.dlms.hdlc.reject import REJECT_OCTETS, decode_frame_reject


def frame_deviations(frame: HdlcFrame) -> list[str]:
    """One sentence for each; empty for a frame that is as it should be."""
    return [*_control(frame), *_addresses(frame), *_information(frame)]


def _control(frame: HdlcFrame) -> Iterator[str]:
    if isinstance(frame, UnknownFrame):
        yield f"control field {frame.octet:02x} is none that DLMS uses"
    if isinstance(frame, RejFrame):
        yield "REJ is outside of the DLMS repertoire"
    if isinstance(frame, SnrmFrame | DiscFrame | UaFrame | DmFrame | FrmrFrame) and not frame.poll_final:
        yield f"{frame.name} without the poll/final bit"
    if frame.segmented and not isinstance(frame, InfoFrame | UiFrame):
        yield f"the segmentation bit is set in a frame that carries no APDU ({frame.name})"


def _addresses(frame: HdlcFrame) -> Iterator[str]:
    if min(frame.source.size, frame.destination.size) > 1:
        yield "neither address has one octet, as a client's has"
    if _is_nobody(frame.source):
        yield "the source is NO_STATION"
    if frame.destination.is_broadcast and not isinstance(frame, UiFrame) and _is_command(frame):
        yield f"{frame.name} to all stations: only UI may be a broadcast"


def _is_command(frame: HdlcFrame) -> bool:
    """Whether only a client sends it; a client 127 gets answers as any other."""
    return isinstance(frame, SnrmFrame | DiscFrame) or frame.destination.size > 1


def _is_nobody(address: HdlcAddress) -> bool:
    return address.upper == 0 and not address.lower


def _information(frame: HdlcFrame) -> Iterator[str]:
    octets = frame.information
    if octets and isinstance(frame, SupervisoryFrame | DiscFrame | DmFrame):
        yield f"information in a frame that has none ({frame.name})"
    if not octets and isinstance(frame, InfoFrame | UiFrame):
        yield f"{frame.name} without information"
    if len(octets) > MAX_INFO:
        yield f"{len(octets)} octets of information, at most {MAX_INFO} are allowed"
    if octets and isinstance(frame, SnrmFrame | UaFrame):
        yield from parameter_deviations(octets)
    if isinstance(frame, FrmrFrame):
        yield from _reject(octets)


def _reject(octets: bytes) -> Iterator[str]:
    if not octets:
        return  # many servers give no reason
    try:
        reject = decode_frame_reject(octets)
    except DecodeError:
        yield f"an FRMR has {REJECT_OCTETS} octets of information, not {len(octets)}"
        return
    if reject.encode() != octets:
        yield "the FRMR's information has bits or octets without a meaning"
