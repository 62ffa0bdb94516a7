"""Wired M-Bus frames that carry DLMS APDUs (EN 13757-2, EN 13757-3; IEC 62056-7-3).

    long frame   68 L L 68 C A CI data CS 16      L counts C to the end of the data
    short frame  10 C A CS 16
    E5           acknowledgement

CS is the sum of C to the end of the data, modulo 256. CI says what the data are: 00 to 1F a segment of an APDU (bits 0 to 3 its
number, bit 4 set on the last), with the addresses STSAP and DTSAP before it; 60, 61, 7C and 7D an APDU behind a header of the
transport layer. Long pushes wrap L modulo 256: the frame's end is where stop and checksum agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sessions.dlms.cursor import Reader, Writer
from sessions.dlms.errors import FrameError, LocalProtocolError, TruncatedError, UnknownTagError

LONG_START: Final = 0x68
SHORT_START: Final = 0x10
STOP: Final = 0x16
ACKNOWLEDGEMENT: Final = 0xE5
HEAD_OCTETS: Final = 4
FIXED_OCTETS: Final = 3
"""C, A and CI."""
FOOT_OCTETS: Final = 2
SHORT_OCTETS: Final = 5
MAX_BODY: Final = 0x1000
"""Octets of a body that are looked for behind an L that wrapped."""

SEGMENT_CI: Final = 0x20
"""Below it CI numbers the segments of an APDU."""
FINAL: Final = 0x10
SEQUENCE: Final = 0x0F
SAP_OCTETS: Final = 2

APDU_CI: Final = {0x60: "to the meter, long header", 0x61: "to the meter, short header"} | {
    0x7C: "from the meter, long header",
    0x7D: "from the meter, short header",
}
CI_WORDS: Final = APDU_CI | {
    0x50: "application reset",
    0x51: "data to the meter",
    0x52: "selection of a meter",
    0x5A: "command, short header",
    0x5B: "command, long header",
    0x70: "application error",
    0x71: "alarm",
    0x72: "response, long header",
    0x78: "response without a header",
    0x7A: "response, short header",
    0x8A: "header alone, short",
    0x8B: "header alone, long",
}
LONG_HEADERS: Final = frozenset((0x5B, 0x60, 0x72, 0x7C, 0x8B))
SHORT_HEADERS: Final = frozenset((0x5A, 0x61, 0x7A, 0x7D, 0x8A))
CONTROL_WORDS: Final = {
    0x40: "SND-NKE",
    0x53: "SND-UD",
    0x73: "SND-UD",
    0x5A: "REQ-UD1",
    0x7A: "REQ-UD1",
    0x5B: "REQ-UD2",
    0x7B: "REQ-UD2",
    0x08: "RSP-UD",
    0x18: "RSP-UD",
    0x28: "RSP-UD",
    0x38: "RSP-UD",
}
ADDRESS_WORDS: Final = {0xFD: "by secondary address", 0xFE: "broadcast, answered", 0xFF: "broadcast"}


@dataclass(frozen=True, slots=True)
class LongFrame:
    """`wrapped`: L was counted modulo 256, the body is longer."""

    control: int
    address: int
    control_information: int
    data: bytes
    wrapped: bool = False

    @property
    def is_segment(self) -> bool:
        """Whether the data are a segment of an APDU, its addresses first."""
        return self.control_information < SEGMENT_CI

    @property
    def sequence(self) -> int:
        return self.control_information & SEQUENCE

    @property
    def final(self) -> bool:
        return bool(self.control_information & FINAL)

    def encode(self) -> bytes:
        size = FIXED_OCTETS + len(self.data)
        if size > 0xFF and not self.wrapped:
            raise LocalProtocolError(f"{len(self.data)} octets do not fit into an M-Bus frame", layer="link")
        body = bytes((self.control, self.address, self.control_information)) + self.data
        head = bytes((LONG_START, size & 0xFF, size & 0xFF, LONG_START))
        return head + body + bytes((sum(body) & 0xFF, STOP))

    def summary(self) -> str:
        kind = CONTROL_WORDS.get(self.control, f"control {self.control:02x}")
        return f"M-Bus {kind}, {_ci_words(self.control_information)}, {len(self.data)} octets"


@dataclass(frozen=True, slots=True)
class ShortFrame:
    """A request without data."""

    control: int
    address: int

    def encode(self) -> bytes:
        return bytes((SHORT_START, self.control, self.address, (self.control + self.address) & 0xFF, STOP))

    def summary(self) -> str:
        return f"M-Bus {CONTROL_WORDS.get(self.control, f'control {self.control:02x}')}"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """One octet."""

    def encode(self) -> bytes:
        return bytes((ACKNOWLEDGEMENT,))

    def summary(self) -> str:
        return "M-Bus acknowledgement"


MbusFrame = LongFrame | ShortFrame | Acknowledgement


@dataclass(frozen=True, slots=True)
class TransportHeader:
    """The header before an APDU or a list of records. The identification only stands in the long one."""

    access_number: int
    status: int
    configuration: int
    identification: str = ""
    manufacturer: str = ""
    version: int = 0
    device_type: int = 0

    @property
    def security_mode(self) -> int:
        """Bits 8 to 12: 0 none, 5 and 7 AES-CBC, 13 TLS."""
        return self.configuration >> 8 & 0x1F


def looks_like_mbus(octets: bytes) -> bool:
    """Whether these octets begin with an M-Bus frame."""
    if len(octets) >= HEAD_OCTETS and octets[0] == octets[3] == LONG_START and octets[1] == octets[2]:
        return True
    short = len(octets) >= SHORT_OCTETS and octets[0] == SHORT_START and octets[4] == STOP
    return octets == bytes((ACKNOWLEDGEMENT,)) or (short and (octets[1] + octets[2]) & 0xFF == octets[3])


def frame_size(octets: bytes, at: int = 0) -> int:
    """Octets of the frame that begins at `at`; 0 where none begins, or none ends."""
    rest = len(octets) - at
    if rest >= 1 and octets[at] == ACKNOWLEDGEMENT:
        return 1
    if rest >= SHORT_OCTETS and octets[at] == SHORT_START and octets[at + SHORT_OCTETS - 1] == STOP:
        return SHORT_OCTETS
    if rest < HEAD_OCTETS or octets[at] != LONG_START:
        return 0
    size = _body_size(octets, at)
    return HEAD_OCTETS + size + FOOT_OCTETS if size else 0


def _body_size(octets: bytes, at: int) -> int:
    """Octets from C to the end of the data: L, or L and some wraps of it; 0 where no end fits."""
    size = octets[at + 1]
    begin = at + HEAD_OCTETS
    while size <= MAX_BODY and begin + size + FOOT_OCTETS <= len(octets):
        end = begin + size
        if size >= FIXED_OCTETS and octets[end + 1] == STOP and sum(octets[begin:end]) & 0xFF == octets[end]:
            return size
        size += 0x100
    return 0


def read_mbus_frame(reader: Reader) -> MbusFrame:
    """One frame at the cursor; what fails its checks is a `FrameError`."""
    start = reader.peek()
    if start == ACKNOWLEDGEMENT:
        reader.u8("acknowledgement")
        return Acknowledgement()
    if start == SHORT_START:
        return _read_short(reader)
    if start is not None and start != LONG_START:
        raise FrameError("start", reader.position, f"68, 10 or e5 expected, {start:02x} found")
    return _read_long(reader)


def _read_short(reader: Reader) -> ShortFrame:
    reader.constant(bytes((SHORT_START,)), "start")
    begin = reader.offset
    control, address = _read_control(reader), _read_address(reader)
    _read_foot(reader, begin)
    return ShortFrame(control, address)


def _read_long(reader: Reader) -> LongFrame:
    at = reader.offset
    reader.constant(bytes((LONG_START,)), "start")
    first, place = reader.u8("length"), reader.position
    second = reader.u8("length-repeated")
    if first != second:
        raise FrameError("length-repeated", place, f"{first} expected, {second} found")
    reader.constant(bytes((LONG_START,)), "start-repeated")
    size = _body_size(reader.octets, at) or first
    if size < FIXED_OCTETS:
        raise FrameError("length", place - 1, f"{size} octets are less than a frame has")
    begin = reader.offset
    control, address, ci = _read_control(reader), _read_address(reader), reader.u8("control-information")
    reader.label(f"{ci:02x} ({_ci_words(ci)})")
    data = reader.take(size - FIXED_OCTETS, "data")
    reader.label(f"{len(data)} octets")
    _read_foot(reader, begin)
    return LongFrame(control, address, ci, data, wrapped=size > 0xFF)


def _read_control(reader: Reader) -> int:
    control = reader.u8("control")
    reader.label(f"{control:02x} ({CONTROL_WORDS[control]})" if control in CONTROL_WORDS else f"{control:02x}")
    return control


def _read_address(reader: Reader) -> int:
    address = reader.u8("address")
    reader.label(f"{address} ({ADDRESS_WORDS[address]})" if address in ADDRESS_WORDS else str(address))
    return address


def _read_foot(reader: Reader, begin: int) -> None:
    body = reader.octets[begin : reader.offset]
    at = reader.position
    found, wanted = reader.u8("checksum"), sum(body) & 0xFF
    reader.label(f"{found:02x} (good)" if found == wanted else f"{found:02x} (bad, {wanted:02x} expected)")
    if found != wanted:
        raise FrameError("checksum", at, f"{wanted:02x} expected, {found:02x} found")
    at = reader.position
    stop = reader.u8("stop")
    reader.label(f"{stop:02x}")
    if stop != STOP:
        raise FrameError("stop", at, f"16 expected, {stop:02x} found")


def _ci_words(ci: int) -> str:
    if ci < SEGMENT_CI:
        number = ci & SEQUENCE
        return f"segment {number}, the last" if ci & FINAL else f"segment {number}"
    return CI_WORDS.get(ci, f"CI {ci:02x}")


def read_saps(reader: Reader) -> tuple[int, int]:
    """STSAP and DTSAP: who speaks, and to whom."""
    return reader.u8("stsap"), reader.u8("dtsap")


def read_transport_header(reader: Reader, ci: int) -> TransportHeader:
    """The header that CI announces."""
    if ci not in LONG_HEADERS | SHORT_HEADERS:
        raise UnknownTagError("control-information", reader.position, f"{ci:02x} announces no header")
    identification, manufacturer, version, device_type = "", "", 0, 0
    if ci in LONG_HEADERS:
        identification = reader.take(4, "identification")[::-1].hex()
        reader.label(identification)
        manufacturer = manufacturer_letters(int.from_bytes(reader.take(2, "manufacturer"), "little"))
        reader.label(manufacturer)
        version, device_type = reader.u8("version"), reader.u8("device-type")
    access_number, status = reader.u8("access-number"), reader.u8("status")
    configuration = int.from_bytes(reader.take(2, "configuration"), "little")
    header = TransportHeader(access_number, status, configuration, identification, manufacturer, version, device_type)
    reader.label(f"{configuration:04x} (security mode {header.security_mode})")
    return header


def manufacturer_letters(number: int) -> str:
    """Three letters of five bits each, A is 1."""
    return "".join(chr(64 + (number >> shift & 0x1F)) for shift in (10, 5, 0))


def decode_mbus_frame(octets: bytes) -> MbusFrame:
    """The frame that fills the octets."""
    if not octets:
        raise TruncatedError("start", 0, "a frame is expected, nothing is left")
    reader = Reader(octets)
    frame = read_mbus_frame(reader)
    reader.finish("mbus-frame")
    return frame


def encode_segments(
    apdu: bytes, *, stsap: int, dtsap: int, control: int = 0x53, address: int = 0xFF, most: int = 0xF5
) -> list[bytes]:
    """An APDU as long frames, each with at most `most` octets of it; sixteen segments are all that CI can count."""
    parts = [apdu[at : at + most] for at in range(0, len(apdu), most)] or [b""]
    if len(parts) > SEQUENCE + 1:
        raise LocalProtocolError(f"an APDU of {len(apdu)} octets needs more than {SEQUENCE + 1} segments", layer="link")
    saps = Writer().u8(stsap).u8(dtsap).octets()
    last = len(parts) - 1
    return [
        LongFrame(control, address, number | (FINAL if number == last else 0), saps + part).encode()
        for number, part in enumerate(parts)
    ]
