"""HDLC frames, format type 3 (IEC 62056-46, 6.4): one class for each.

    7E | format, S bit, length | destination | source | control | HCS | information | FCS | 7E

The HCS is there only where there is an information field. There is no stuffing: 7E may stand anywhere inside, the length
field alone says where a frame ends. A frame that passes its checks is read whatever it says: what no station should say
(an unknown control field, information in an RR) is for the links to answer and for the inspector to flag.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Final

from sessions.dlms.cursor import Reader
from sessions.dlms.errors import DecodeError, FrameError, LocalProtocolError
from sessions.dlms.hdlc.address import HdlcAddress, address_of, address_size, read_hdlc_address
from sessions.dlms.hdlc.fcs import fcs16, fcs_is_good
from sessions.dlms.hdlc.reject import decode_frame_reject

FLAG: Final = 0x7E
FORMAT_TYPE: Final = 0xA
SEGMENTATION: Final = 0x0800
MAX_LENGTH: Final = 0x7FF
MIN_LENGTH: Final = 7
POLL_FINAL: Final = 0x10
_SHORT: Final = 17
"""Octets of the longest frame without information, flags and two addresses of four octets included."""
MODULUS: Final = 8
"""Sequence numbers count modulo this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HdlcFrame:
    """What all frames have. `poll_final`: a command asks for the answer, an answer ends its turn.

    `segmented`: others of the same APDU follow. It and `information` have a place in some kinds only, but may stand in all.
    """

    name: ClassVar[str] = "frame"
    destination: HdlcAddress
    source: HdlcAddress
    poll_final: bool = True
    information: bytes = b""
    segmented: bool = False

    @property
    def control(self) -> int:
        """The control field."""
        raise NotImplementedError

    def encode(self) -> bytes:
        """The frame with both flags."""
        head = self.destination.encode() + self.source.encode() + bytes((self.control,))
        information = self.information
        length = 2 + len(head) + 2 + (len(information) + 2 if information else 0)
        if length > MAX_LENGTH:
            raise LocalProtocolError(f"a frame of {length} octets is longer than {MAX_LENGTH}", layer="link")
        format_field = FORMAT_TYPE << 12 | (SEGMENTATION if self.segmented else 0) | length
        octets = format_field.to_bytes(2, "big") + head
        octets += fcs16(octets)
        if information:
            octets += information
            octets += fcs16(octets)
        return bytes((FLAG,)) + octets + bytes((FLAG,))

    def summary(self) -> str:
        return f"HDLC {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InfoFrame(HdlcFrame):
    """Information, numbered and acknowledged."""

    name: ClassVar[str] = "I"
    send_sequence: int
    receive_sequence: int

    @property
    def control(self) -> int:
        return self.receive_sequence << 5 | (POLL_FINAL if self.poll_final else 0) | self.send_sequence << 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisoryFrame(HdlcFrame):
    """RR, RNR and REJ: they acknowledge up to `receive_sequence` - 1, and carry no information."""

    code: ClassVar[int] = 0
    receive_sequence: int

    @property
    def control(self) -> int:
        return self.receive_sequence << 5 | (POLL_FINAL if self.poll_final else 0) | self.code

    def summary(self) -> str:
        return f"HDLC {self.name}, next expected {self.receive_sequence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RrFrame(SupervisoryFrame):
    """Receive ready: asks for more."""

    name: ClassVar[str] = "RR"
    code: ClassVar[int] = 0x01


@dataclass(frozen=True, slots=True, kw_only=True)
class RnrFrame(SupervisoryFrame):
    """Receive not ready: asks to wait."""

    name: ClassVar[str] = "RNR"
    code: ClassVar[int] = 0x05


@dataclass(frozen=True, slots=True, kw_only=True)
class RejFrame(SupervisoryFrame):
    """Reject: outside of the DLMS repertoire, understood as a wish to send again from `receive_sequence`."""

    name: ClassVar[str] = "REJ"
    code: ClassVar[int] = 0x09


@dataclass(frozen=True, slots=True, kw_only=True)
class UnnumberedFrame(HdlcFrame):
    """Commands and answers without a sequence number."""

    code: ClassVar[int] = 0

    @property
    def control(self) -> int:
        return self.code | (POLL_FINAL if self.poll_final else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SnrmFrame(UnnumberedFrame):
    """Set normal response mode: connect. The information field proposes parameters."""

    name: ClassVar[str] = "SNRM"
    code: ClassVar[int] = 0x83


@dataclass(frozen=True, slots=True, kw_only=True)
class UaFrame(UnnumberedFrame):
    """Unnumbered acknowledge: the answer to SNRM (with the negotiated parameters) and DISC."""

    name: ClassVar[str] = "UA"
    code: ClassVar[int] = 0x63


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscFrame(UnnumberedFrame):
    """Disconnect."""

    name: ClassVar[str] = "DISC"
    code: ClassVar[int] = 0x43


@dataclass(frozen=True, slots=True, kw_only=True)
class DmFrame(UnnumberedFrame):
    """Disconnected mode: there is no link, or it is refused."""

    name: ClassVar[str] = "DM"
    code: ClassVar[int] = 0x0F


@dataclass(frozen=True, slots=True, kw_only=True)
class FrmrFrame(UnnumberedFrame):
    """Frame reject: the last frame was not understood; only SNRM or DISC helps."""

    name: ClassVar[str] = "FRMR"
    code: ClassVar[int] = 0x87

    def reason(self) -> str:
        """Why, in words, where the server said it."""
        try:
            return decode_frame_reject(self.information).words() if self.information else "no reason given"
        except DecodeError as error:
            return f"no reason that can be read ({error.reason})"


@dataclass(frozen=True, slots=True, kw_only=True)
class UiFrame(UnnumberedFrame):
    """Unnumbered information: pushes and broadcasts, never acknowledged."""

    name: ClassVar[str] = "UI"
    code: ClassVar[int] = 0x03


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownFrame(HdlcFrame):
    """A frame whose control field DLMS does not use (SABM, XID, TEST, SREJ, …). `octet`: that field as it came."""

    name: ClassVar[str] = "unknown"
    octet: int

    @property
    def control(self) -> int:
        return self.octet

    def summary(self) -> str:
        return f"HDLC frame with the unknown control field {self.octet:02x}"


_SUPERVISORY: Final[dict[int, type[SupervisoryFrame]]] = {kind.code: kind for kind in (RrFrame, RnrFrame, RejFrame)}
_UNNUMBERED: Final[dict[int, type[UnnumberedFrame]]] = {
    kind.code: kind for kind in (SnrmFrame, UaFrame, DiscFrame, DmFrame, FrmrFrame, UiFrame)
}


def read_hdlc_frame(reader: Reader) -> HdlcFrame:
    """The frame between two flags at the cursor; every check that fails is a `FrameError` with its offset."""
    reader.constant(bytes((FLAG,)), "opening-flag")
    start = reader.offset
    length, segmented = _read_format(reader)
    destination = read_hdlc_address(reader, "destination-address")
    source = read_hdlc_address(reader, "source-address")
    control = reader.u8("control")
    if reader.tracer is not None:
        reader.label(_control_words(control))
    header = reader.octets[start : reader.offset]
    _read_check(reader, header, "hcs" if length > len(header) + 2 else "fcs")
    information = b""
    if length > len(header) + 2:
        room = length - len(header) - 4
        if room < 0:
            raise FrameError(
                "information", reader.position, "the length leaves no room for the information field's FCS"
            )
        information = reader.take(room, "information")
        _read_check(reader, reader.octets[start : reader.offset], "fcs")
    reader.constant(bytes((FLAG,)), "closing-flag")
    return _make_frame(control, destination, source, information, segmented)


def _read_format(reader: Reader) -> tuple[int, bool]:
    at = reader.position
    format_field = reader.u16("format")
    length = format_field & MAX_LENGTH
    segmented = bool(format_field & SEGMENTATION)
    if reader.tracer is not None:
        reader.label(f"type 3, length {length}{', segmented' if segmented else ''}")
    if format_field >> 12 != FORMAT_TYPE:
        raise FrameError("format", at, f"frame format type 3 (Axxx) expected, {format_field:04x} found")
    if length < MIN_LENGTH:
        raise FrameError("format", at, f"a length of {length} is too short for a frame")
    return length, segmented


def _read_check(reader: Reader, covered: bytes, name: str) -> None:
    at = reader.position
    got = reader.take(2, name)
    want = fcs16(covered)
    if reader.tracer is not None:
        reader.label(f"{got.hex()} ({'good' if got == want else f'bad, {want.hex()} expected'})")
    if got != want:
        raise FrameError(name, at, f"{want.hex()} expected, {got.hex()} found")


def _control_words(control: int) -> str:
    poll = ", poll/final" if control & POLL_FINAL else ""
    if not control & 1:
        return f"{control:02x} (I, send {control >> 1 & 7}, receive {control >> 5}{poll})"
    if control & 0x0F in _SUPERVISORY:
        return f"{control:02x} ({_SUPERVISORY[control & 0x0F].name}, receive {control >> 5}{poll})"
    known = _UNNUMBERED.get(control & ~POLL_FINAL)
    return f"{control:02x} ({known.name if known is not None else 'unknown'}{poll})"


def _make_frame(
    control: int, destination: HdlcAddress, source: HdlcAddress, information: bytes, segmented: bool
) -> HdlcFrame:
    poll_final = bool(control & POLL_FINAL)
    if not control & 1:
        return InfoFrame(
            destination=destination,
            source=source,
            poll_final=poll_final,
            send_sequence=control >> 1 & 7,
            receive_sequence=control >> 5,
            information=information,
            segmented=segmented,
        )
    supervisory = _SUPERVISORY.get(control & 0x0F)
    if supervisory is not None:
        return supervisory(
            destination=destination,
            source=source,
            poll_final=poll_final,
            receive_sequence=control >> 5,
            information=information,
            segmented=segmented,
        )
    return _make_unnumbered(control, destination, source, information, segmented)


def _make_unnumbered(
    control: int, destination: HdlcAddress, source: HdlcAddress, information: bytes, segmented: bool
) -> HdlcFrame:
    """A frame without a number, known or not."""
    poll_final = bool(control & POLL_FINAL)
    unnumbered = _UNNUMBERED.get(control & ~POLL_FINAL)
    if unnumbered is not None:
        return unnumbered(
            destination=destination,
            source=source,
            poll_final=poll_final,
            information=information,
            segmented=segmented,
        )
    return UnknownFrame(
        destination=destination,
        source=source,
        poll_final=poll_final,
        octet=control,
        information=information,
        segmented=segmented,
    )


def _good_frame(octets: bytes) -> HdlcFrame | None:
    """The frame that fills the octets, if every check holds; None leaves it to `read_hdlc_frame` to say which does not."""
    end = len(octets) - 1
    if end <= MIN_LENGTH or octets[0] != FLAG or octets[end] != FLAG:
        return None
    format_field = octets[1] << 8 | octets[2]
    if format_field >> 12 != FORMAT_TYPE or format_field & MAX_LENGTH != end - 1 or not fcs_is_good(octets[1:end]):
        return None
    source = 3 + address_size(octets, 3)
    control = source + address_size(octets, source)
    information = control + 3
    if source == 3 or control == source or not (information == end or _has_good_header(octets, information, end)):
        return None
    return _make_frame(
        octets[control],
        address_of(octets[3:source]),
        address_of(octets[source:control]),
        octets[information : end - 2],
        bool(format_field & SEGMENTATION),
    )


def _has_good_header(octets: bytes, information: int, end: int) -> bool:
    """Whether there is room for two checks, and the first one is good."""
    return information + 2 <= end and fcs_is_good(octets[1:information])


@lru_cache(maxsize=256)
def _good_short_frame(octets: bytes) -> HdlcFrame | None:
    """The same, remembered: the few RR frames of a transfer come again and again, thousands of times."""
    return _good_frame(octets)


def decode_hdlc_frame(octets: bytes) -> HdlcFrame:
    """The frame that fills the octets, flags included."""
    frame = _good_short_frame(octets) if len(octets) <= _SHORT else _good_frame(octets)
    if frame is not None:
        return frame
    reader = Reader(octets)
    frame = read_hdlc_frame(reader)
    reader.finish("hdlc-frame")
    return frame
