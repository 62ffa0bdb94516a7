"""HDLC frames, format type 3 (IEC 62056-46, 6.4): one class for each, and the reader that finds them in a stream.

    7E | format, S bit, length | destination | source | control | HCS | information | FCS | 7E

The HCS is there only where there is an information field. There is no stuffing: 7E may stand anywhere inside, the length
field alone says where a frame ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from sessions.dlms.cursor import Reader
from sessions.dlms.errors import DecodeError, FrameError, LocalProtocolError
from sessions.dlms.hdlc.address import HdlcAddress, read_hdlc_address
from sessions.dlms.hdlc.fcs import fcs16

FLAG: Final = 0x7E
FORMAT_TYPE: Final = 0xA
SEGMENTATION: Final = 0x0800
MAX_LENGTH: Final = 0x7FF
MIN_LENGTH: Final = 7
POLL_FINAL: Final = 0x10


@dataclass(frozen=True, slots=True, kw_only=True)
class HdlcFrame:
    """What all frames have. `poll_final`: a command asks for the answer, an answer ends its turn."""

    name: ClassVar[str] = "frame"
    destination: HdlcAddress
    source: HdlcAddress
    poll_final: bool = True

    @property
    def control(self) -> int:
        raise NotImplementedError

    @property
    def information_field(self) -> bytes:
        return b""

    @property
    def is_segmented(self) -> bool:
        return False

    def encode(self) -> bytes:
        """The frame with both flags."""
        head = self.destination.encode() + self.source.encode() + bytes((self.control,))
        information = self.information_field
        length = 2 + len(head) + 2 + (len(information) + 2 if information else 0)
        if length > MAX_LENGTH:
            raise LocalProtocolError(f"a frame of {length} octets is longer than {MAX_LENGTH}", layer="link")
        format_field = FORMAT_TYPE << 12 | (SEGMENTATION if self.is_segmented else 0) | length
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
    information: bytes
    segmented: bool = False

    @property
    def control(self) -> int:
        return self.receive_sequence << 5 | (POLL_FINAL if self.poll_final else 0) | self.send_sequence << 1

    @property
    def information_field(self) -> bytes:
        return self.information

    @property
    def is_segmented(self) -> bool:
        return self.segmented


@dataclass(frozen=True, slots=True, kw_only=True)
class RrFrame(HdlcFrame):
    """Receive ready: acknowledges up to `receive_sequence` - 1, asks for more."""

    name: ClassVar[str] = "RR"
    receive_sequence: int

    @property
    def control(self) -> int:
        return self.receive_sequence << 5 | (POLL_FINAL if self.poll_final else 0) | 0x01

    def summary(self) -> str:
        return f"HDLC {self.name}, next expected {self.receive_sequence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RnrFrame(HdlcFrame):
    """Receive not ready: acknowledges, and asks to wait."""

    name: ClassVar[str] = "RNR"
    receive_sequence: int

    @property
    def control(self) -> int:
        return self.receive_sequence << 5 | (POLL_FINAL if self.poll_final else 0) | 0x05


@dataclass(frozen=True, slots=True, kw_only=True)
class RejFrame(HdlcFrame):
    """Reject: outside of the DLMS repertoire, understood as a wish to send again from `receive_sequence`."""

    name: ClassVar[str] = "REJ"
    receive_sequence: int

    @property
    def control(self) -> int:
        return self.receive_sequence << 5 | (POLL_FINAL if self.poll_final else 0) | 0x09


@dataclass(frozen=True, slots=True, kw_only=True)
class _UnnumberedFrame(HdlcFrame):
    code: ClassVar[int] = 0
    information: bytes = b""

    @property
    def control(self) -> int:
        return self.code | (POLL_FINAL if self.poll_final else 0)

    @property
    def information_field(self) -> bytes:
        return self.information


@dataclass(frozen=True, slots=True, kw_only=True)
class SnrmFrame(_UnnumberedFrame):
    """Set normal response mode: connect. The information field proposes parameters."""

    name: ClassVar[str] = "SNRM"
    code: ClassVar[int] = 0x83


@dataclass(frozen=True, slots=True, kw_only=True)
class UaFrame(_UnnumberedFrame):
    """Unnumbered acknowledge: the answer to SNRM (with the negotiated parameters) and DISC."""

    name: ClassVar[str] = "UA"
    code: ClassVar[int] = 0x63


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscFrame(_UnnumberedFrame):
    """Disconnect."""

    name: ClassVar[str] = "DISC"
    code: ClassVar[int] = 0x43


@dataclass(frozen=True, slots=True, kw_only=True)
class DmFrame(_UnnumberedFrame):
    """Disconnected mode: there is no link, or it is refused."""

    name: ClassVar[str] = "DM"
    code: ClassVar[int] = 0x0F


@dataclass(frozen=True, slots=True, kw_only=True)
class FrmrFrame(_UnnumberedFrame):
    """Frame reject: the last frame was not understood; only SNRM or DISC helps."""

    name: ClassVar[str] = "FRMR"
    code: ClassVar[int] = 0x87

    def reason(self) -> str:
        """The W, X, Y, Z bits in words, where the server sent them."""
        if len(self.information) < 3:
            return "no reason given"
        bits = self.information[2]
        words = (
            (0x01, "unknown control field"),
            (0x02, "information not permitted"),
            (0x04, "information field too long"),
            (0x08, "invalid sequence number"),
        )
        said = [word for bit, word in words if bits & bit] or ["no reason given"]
        return f"{', '.join(said)}; rejected control field {self.information[0]:02x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UiFrame(_UnnumberedFrame):
    """Unnumbered information: pushes and broadcasts, never acknowledged."""

    name: ClassVar[str] = "UI"
    code: ClassVar[int] = 0x03
    segmented: bool = False

    @property
    def is_segmented(self) -> bool:
        return self.segmented


_SUPERVISORY: Final = {0x01: RrFrame, 0x05: RnrFrame, 0x09: RejFrame}
_UNNUMBERED: Final[dict[int, type[_UnnumberedFrame]]] = {
    frame.code: frame for frame in (SnrmFrame, UaFrame, DiscFrame, DmFrame, FrmrFrame)
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
    return _make_frame(reader, control, destination, source, information, segmented)


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
    code = control & ~POLL_FINAL
    name = "UI" if code == UiFrame.code else getattr(_UNNUMBERED.get(code), "name", "unknown")
    return f"{control:02x} ({name}{poll})"


def _make_frame(
    reader: Reader, control: int, destination: HdlcAddress, source: HdlcAddress, information: bytes, segmented: bool
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
        return supervisory(destination=destination, source=source, poll_final=poll_final, receive_sequence=control >> 5)
    code = control & ~POLL_FINAL
    if code == UiFrame.code:
        return UiFrame(
            destination=destination,
            source=source,
            poll_final=poll_final,
            information=information,
            segmented=segmented,
        )
    unnumbered = _UNNUMBERED.get(code)
    if unnumbered is None:
        raise FrameError("control", reader.position, f"{control:02x} is not a DLMS control field")
    return unnumbered(destination=destination, source=source, poll_final=poll_final, information=information)


def decode_hdlc_frame(octets: bytes) -> HdlcFrame:
    """The frame that fills the octets, flags included."""
    reader = Reader(octets)
    frame = read_hdlc_frame(reader)
    reader.finish("hdlc-frame")
    return frame


# -- a stream ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """A good frame and its octets, flags included."""

    frame: HdlcFrame
    octets: bytes


@dataclass(frozen=True, slots=True)
class Rubbish:
    """Octets that are no good frame, and why."""

    octets: bytes
    reason: str


def _frame_end(octets: bytes | bytearray, at: int) -> int:
    """Where the frame ends whose flag stands at `at`, its closing flag included; 0 where no frame begins so."""
    format_field = int.from_bytes(octets[at + 1 : at + 3], "big")
    length = format_field & MAX_LENGTH
    return at + length + 2 if format_field >> 12 == FORMAT_TYPE and length >= MIN_LENGTH else 0


def _find_good_frame(octets: bytes | bytearray, start: int, stop: int) -> int:
    """The first flag from `start` on, and before `stop`, at which a whole good frame begins; -1 where none does."""
    at = octets.find(FLAG, start, stop)
    while at >= 0:
        end = _frame_end(octets, at)
        if 0 < end <= len(octets) and octets[end - 1] == FLAG:
            try:
                decode_hdlc_frame(bytes(octets[at:end]))
            except DecodeError:
                pass
            else:
                return at
        at = octets.find(FLAG, at + 1, stop)
    return -1


class FrameReader:
    """Finds frames in a stream: driven by the length field, back in step after rubbish, linear in the octets."""

    def __init__(self) -> None:
        self._octets = bytearray()
        self._rubbish = bytearray()

    @property
    def pending(self) -> int:
        """Octets of a frame that is not complete; a lone flag does not count."""
        return len(self._octets) if len(self._octets) > 1 else 0

    def feed(self, octets: bytes) -> list[Found | Rubbish]:
        """Add octets; what they completed, in order."""
        self._octets += octets
        found: list[Found | Rubbish] = []
        at = self._scan(found)
        del self._octets[:at]
        # Rubbish is told when a frame follows it; until then it may go on.
        if not self._octets:
            self._flush(found)
        return found

    def look_inside(self) -> list[Found | Rubbish]:
        """The line pauses inside a frame: what is clear by now.

        Slow lines do pause, so an unfinished frame may still be completed, unless a good frame lies in what follows its flag:
        then its beginning was a false one.
        """
        found: list[Found | Rubbish] = []
        if not self.pending or self._unclosed(found):
            return found
        inner = _find_good_frame(self._octets, 1, len(self._octets))
        if inner < 0:
            return found
        self._rubbish += self._octets[:inner]
        del self._octets[:inner]
        return self.feed(b"")

    def give_up(self) -> list[Found | Rubbish]:
        """Nothing came for too long: the frame that was begun is none; look for others inside what is there."""
        found: list[Found | Rubbish] = []
        while self.pending:
            if self._unclosed(found):
                continue
            self._rubbish.append(self._octets[0])
            del self._octets[0]
            at = self._scan(found)
            del self._octets[:at]
        self._octets.clear()
        self._flush(found)
        return found

    def _unclosed(self, found: list[Found | Rubbish]) -> bool:
        """Take a frame that is whole but for its closing flag, which some line swallowed."""
        octets = bytes(self._octets)
        if len(octets) + 1 != _frame_end(octets, 0):
            return False
        try:
            frame = decode_hdlc_frame(octets + bytes((FLAG,)))
        except DecodeError:
            return False
        self._flush(found)
        found.append(Found(frame, octets))
        self._octets.clear()
        return True

    def _scan(self, found: list[Found | Rubbish]) -> int:
        """Take frames from the buffer; returns how many octets are done with."""
        octets, at = self._octets, 0
        while True:
            flag = octets.find(FLAG, at)
            if flag < 0:
                self._rubbish += octets[at:]
                return len(octets)
            self._rubbish += octets[at:flag]
            at = flag
            while at + 1 < len(octets) and octets[at + 1] == FLAG:
                at += 1
            if at + 3 > len(octets):
                return at
            end = _frame_end(octets, at)
            if end == 0:
                at = self._skip(at, bool(self._rubbish))
            elif end > len(octets):
                return at
            elif octets[end - 1] != FLAG:
                at = self._skip(at, True)
            else:
                at = self._take(at, end, found)

    def _skip(self, at: int, told: bool) -> int:
        """Step over a flag that opens nothing. Alone it is the closing flag of the frame before, and no rubbish."""
        if told:
            self._rubbish.append(FLAG)
        return at + 1

    def _take(self, at: int, end: int, found: list[Found | Rubbish]) -> int:
        """The octets between two flags; returns where to go on. A closing flag may open the next frame."""
        self._flush(found)
        octets = bytes(self._octets[at:end])
        try:
            found.append(Found(decode_hdlc_frame(octets), octets))
        except DecodeError as error:
            # Where octets were lost, the length reaches into the next frame: that one shall not be lost as well.
            inner = _find_good_frame(self._octets, at + 1, end - 1)
            if inner >= 0:
                octets, end = octets[: inner - at], inner + 1
            found.append(Rubbish(octets, f"damaged frame: {error.field}: {error.reason}"))
        return end - 1

    def _flush(self, found: list[Found | Rubbish]) -> None:
        if self._rubbish:
            found.append(Rubbish(bytes(self._rubbish), "octets between frames"))
            self._rubbish.clear()
