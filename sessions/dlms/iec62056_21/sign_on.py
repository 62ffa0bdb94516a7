"""The sign-on messages of IEC 62056-21, 6.3: who is asked, who answers, and how to go on.

    request          / ? device address ! CR LF
    identification   / X X X Z [ \\ W ]... identification CR LF
    acknowledgement  ACK V Z Y CR LF

XXX is the maker's FLAG; a third letter in lower case promises a reaction time of 20 ms. Z says the mode and the highest speed:
A to F mode B, 0 to 6 mode C, or E where `\\2` follows; any other character mode A.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from sessions.dlms.cursor import Reader
from sessions.dlms.errors import InvalidValueError, LocalProtocolError, TruncatedError
from sessions.dlms.iec62056_21.characters import (
    ACK,
    BAUD_OF_MODE_B,
    BAUD_OF_MODE_C,
    CR,
    CRLF,
    END_MARK,
    LF,
    RESERVED_BAUD,
    START_BAUD,
)

MAX_ADDRESS: Final = 32
MAX_IDENTIFICATION: Final = 16
MAX_LINE: Final = 128
"""Characters of a line that is still taken for a sign-on message: several meters say more than the standard allows."""
REACTION_TIME: Final = 0.2
SHORT_REACTION_TIME: Final = 0.02
"""Seconds that each side waits before it answers."""

NORMAL_PROTOCOL: Final = "0"
HDLC_PROTOCOL: Final = "2"
DATA_READOUT: Final = "0"
PROGRAMMING_MODE: Final = "1"
BINARY_MODE: Final = "2"
PROTOCOLS: Final = {"0": "normal", "1": "secondary", "2": "HDLC"}
MODES_OF_CONTROL: Final = {"0": "data readout", "1": "programming mode", "2": "binary mode"}

_ADDRESS: Final = re.compile(r"[0-9A-Za-z ]*")
_LINE_END: Final = re.compile(rb"\r*\n")


class Mode(Enum):
    """What an identification offers."""

    A = "A"
    B = "B"
    C = "C"
    E = "E"


@dataclass(frozen=True, slots=True)
class RequestMessage:
    """`device_address`: digits, letters and blanks, at most 32; without one every meter on the line is meant."""

    device_address: str = ""

    def encode(self) -> bytes:
        if len(self.device_address) > MAX_ADDRESS or not _ADDRESS.fullmatch(self.device_address):
            raise LocalProtocolError(
                f"a device address has at most {MAX_ADDRESS} digits, letters and blanks", layer="link"
            )
        return b"/?" + self.device_address.encode("ascii") + b"!" + CRLF

    def means(self, device_address: str) -> bool:
        """Whether a meter with this address is asked. Zeros in front do not count."""
        asked = self.device_address.strip()
        return not asked or asked.lstrip("0") == device_address.strip().lstrip("0")

    def summary(self) -> str:
        return f"sign-on request for device {self.device_address}" if self.device_address else "sign-on request"


@dataclass(frozen=True, slots=True)
class IdentificationMessage:
    """`enhanced`: the characters behind backslashes. `identification` is what the maker wants to say of the meter."""

    manufacturer: str
    baud_identification: str
    identification: str = ""
    enhanced: str = ""

    @property
    def mode(self) -> Mode:
        if self.baud_identification.isdigit():
            return Mode.E if HDLC_PROTOCOL in self.enhanced else Mode.C
        return Mode.B if self.baud_identification in BAUD_OF_MODE_B else Mode.A

    @property
    def baud(self) -> int:
        """The highest speed that is offered; in mode A the one that is used already. A reserved digit offers all we know."""
        z = self.baud_identification
        if self.mode is Mode.A:
            return START_BAUD
        return BAUD_OF_MODE_B[z] if self.mode is Mode.B else BAUD_OF_MODE_C.get(z, max(BAUD_OF_MODE_C.values()))

    @property
    def reaction_time(self) -> float:
        """Seconds that each side waits at least before it answers."""
        return SHORT_REACTION_TIME if self.manufacturer[2:3].islower() else REACTION_TIME

    def encode(self) -> bytes:
        enhanced = "".join(f"\\{character}" for character in self.enhanced)
        text = f"/{self.manufacturer}{self.baud_identification}{enhanced}{self.identification}"
        if len(self.manufacturer) != 3 or len(self.baud_identification) != 1 or not text.isascii():
            raise LocalProtocolError("an identification begins with three letters and one character", layer="link")
        return text.encode("ascii") + CRLF

    def __str__(self) -> str:
        enhanced = "".join(f"\\{character}" for character in self.enhanced)
        return printable(f"/{self.manufacturer}{self.baud_identification}{enhanced}{self.identification}")

    def summary(self) -> str:
        offer = f"mode {self.mode.value}"
        if self.mode is not Mode.A:
            offer += f", up to {self.baud} Bd"
        return f"identification {self}: {offer}"


@dataclass(frozen=True, slots=True)
class AcknowledgementMessage:
    """Acknowledgement and option select: protocol V, speed Z, what is wanted Y."""

    protocol_control: str
    baud_identification: str
    mode_control: str

    def encode(self) -> bytes:
        text = self.protocol_control + self.baud_identification + self.mode_control
        if len(text) != 3 or not text.isascii():
            raise LocalProtocolError("an option select has three characters", layer="link")
        return bytes((ACK,)) + text.encode("ascii") + CRLF

    @property
    def baud(self) -> int | None:
        return BAUD_OF_MODE_C.get(self.baud_identification)

    def summary(self) -> str:
        wanted = MODES_OF_CONTROL.get(self.mode_control, f"manufacturer's mode {self.mode_control}")
        protocol = PROTOCOLS.get(self.protocol_control, self.protocol_control)
        speed = "an unknown speed" if self.baud is None else f"{self.baud} Bd"
        return f"acknowledgement: {wanted}, {protocol} protocol, {speed}"


def printable(text: str) -> str:
    """Without characters that would steer a terminal."""
    return "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in text)


def read_request_message(reader: Reader) -> RequestMessage:
    reader.constant(b"/?", "start")
    end = reader.octets.find(END_MARK, reader.offset)
    if end < 0:
        raise TruncatedError("device-address", reader.position, "no exclamation mark ends it")
    at = reader.position
    address = reader.take(end - reader.offset, "device-address").decode("latin-1")
    reader.label(address or "(every meter)")
    if len(address) > MAX_ADDRESS or not _ADDRESS.fullmatch(address):
        raise InvalidValueError("device-address", at, f"at most {MAX_ADDRESS} digits, letters and blanks are allowed")
    reader.constant(b"!", "end")
    _read_line_end(reader)
    return RequestMessage(address)


def read_identification_message(reader: Reader) -> IdentificationMessage:
    reader.constant(b"/", "start")
    at = reader.position
    manufacturer = reader.take(3, "manufacturer").decode("latin-1")
    if not (manufacturer.isascii() and manufacturer.isalpha()):
        raise InvalidValueError("manufacturer", at, f"three letters expected, {manufacturer!r} found")
    reader.label(f"{manufacturer} (reaction time 20 ms)" if manufacturer[2].islower() else manufacturer)
    at = reader.position
    z = reader.take(1, "baud-identification").decode("latin-1")
    if z.encode("latin-1") in CRLF or z < " ":
        raise InvalidValueError("baud-identification", at, f"a printable character expected, {ord(z):02x} found")
    reader.label(_baud_words(z))
    enhanced = _read_enhanced(reader)
    # Some meters write characters that cannot be printed (STX for `\\2`): whose meter it is, they do not change.
    identification = reader.take(_line_length(reader), "identification").decode("latin-1")
    reader.label(printable(identification))
    _read_line_end(reader)
    return IdentificationMessage(manufacturer, z, identification, enhanced)


def _read_enhanced(reader: Reader) -> str:
    """`\\W`, any number of them. A backslash before a line end is part of nothing."""
    found = ""
    while reader.peek() == 0x5C and reader.peek(1) not in (None, CR, LF) and len(found) < MAX_IDENTIFICATION:
        w = reader.take(2, "enhanced-identification")[1:].decode("latin-1")
        reader.label(f"{w} (HDLC, mode E)" if w == HDLC_PROTOCOL else w)
        found += w
    return found


def _baud_words(z: str) -> str:
    if z in BAUD_OF_MODE_C:
        return f"{z} ({BAUD_OF_MODE_C[z]} Bd)"
    if z in BAUD_OF_MODE_B:
        return f"{z} ({BAUD_OF_MODE_B[z]} Bd, mode B)"
    return f"{z} (reserved)" if z in RESERVED_BAUD else f"{z} (mode A: no change of speed)"


def read_acknowledgement_message(reader: Reader) -> AcknowledgementMessage:
    reader.constant(bytes((ACK,)), "ack")
    at = reader.position
    parts = []
    for name, words in (
        ("protocol-control", PROTOCOLS),
        ("baud-identification", {z: f"{baud} Bd" for z, baud in BAUD_OF_MODE_C.items()}),
        ("mode-control", MODES_OF_CONTROL),
    ):
        character = reader.take(1, name).decode("latin-1")
        reader.label(f"{character} ({words[character]})" if character in words else character)
        parts.append(character)
    if any(not character.isalnum() or not character.isascii() for character in parts):
        raise InvalidValueError("option-select", at, "three digits or letters expected")
    _read_line_end(reader)
    return AcknowledgementMessage(*parts)


def _line_length(reader: Reader) -> int:
    """Characters up to the line's end."""
    found = _LINE_END.search(reader.octets, reader.offset, min(reader.end, reader.offset + MAX_LINE))
    if found is None:
        if reader.remaining >= MAX_LINE:
            raise InvalidValueError(
                "identification", reader.position, f"the line has no end within {MAX_LINE} characters"
            )
        raise TruncatedError("line-end", reader.position + reader.remaining, "CR LF expected, nothing is left")
    return found.start() - reader.offset


def _read_line_end(reader: Reader) -> None:
    """CR LF; lines that lost one of the two, or doubled CR, are read as well."""
    found = _LINE_END.match(reader.octets, reader.offset)
    if found is None:
        if reader.remaining == 0:
            raise TruncatedError("line-end", reader.position, "CR LF expected, nothing is left")
        raise InvalidValueError(
            "line-end", reader.position, f"CR LF expected, {reader.octets[reader.offset]:02x} found"
        )
    reader.take(found.end() - found.start(), "line-end", "CR LF")


def decode_request_message(octets: bytes) -> RequestMessage:
    reader = Reader(octets)
    message = read_request_message(reader)
    reader.finish("request-message")
    return message


def decode_identification_message(octets: bytes) -> IdentificationMessage:
    reader = Reader(octets)
    message = read_identification_message(reader)
    reader.finish("identification-message")
    return message


def decode_acknowledgement_message(octets: bytes) -> AcknowledgementMessage:
    reader = Reader(octets)
    message = read_acknowledgement_message(reader)
    reader.finish("acknowledgement-message")
    return message
