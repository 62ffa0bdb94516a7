"""What SNRM and UA negotiate: information field lengths and window sizes (IEC 62056-46, 6.4.4.4.3.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from sessions.dlms.cursor import Reader, Writer

DEFAULT_INFO: Final = 128
DEFAULT_WINDOW: Final = 1
MIN_INFO: Final = 32
MAX_INFO: Final = 2030
MAX_WINDOW: Final = 7
FORMAT_IDENTIFIER: Final = 0x81
GROUP_IDENTIFIER: Final = 0x80


class ParameterId(IntEnum):
    MAX_INFO_TRANSMIT = 5
    MAX_INFO_RECEIVE = 6
    WINDOW_TRANSMIT = 7
    WINDOW_RECEIVE = 8


_NAMES: Final = {parameter.value: parameter.name.lower().replace("_", " ") for parameter in ParameterId}


@dataclass(frozen=True, slots=True)
class HdlcParameters:
    """From the view of the side that holds them: octets an information field may have, frames in a window."""

    max_info_transmit: int = DEFAULT_INFO
    max_info_receive: int = DEFAULT_INFO
    window_transmit: int = DEFAULT_WINDOW
    window_receive: int = DEFAULT_WINDOW

    def encode(self) -> bytes:
        """The information field of an SNRM or UA; empty where everything is at its default."""
        if self == HdlcParameters():
            return b""
        group = Writer()
        for parameter, value in (
            (ParameterId.MAX_INFO_TRANSMIT, self.max_info_transmit),
            (ParameterId.MAX_INFO_RECEIVE, self.max_info_receive),
        ):
            size = 1 if value <= 0xFF else 2
            group.u8(parameter).u8(size).unsigned(size, value)
        group.u8(ParameterId.WINDOW_TRANSMIT).u8(4).u32(self.window_transmit)
        group.u8(ParameterId.WINDOW_RECEIVE).u8(4).u32(self.window_receive)
        body = group.octets()
        return Writer().u8(FORMAT_IDENTIFIER).u8(GROUP_IDENTIFIER).u8(len(body)).put(body).octets()

    def negotiated_with(self, other: HdlcParameters) -> HdlcParameters:
        """What holds when `other` is the other side's view: the smaller of what one sends and the other takes."""
        return HdlcParameters(
            min(self.max_info_transmit, other.max_info_receive),
            min(self.max_info_receive, other.max_info_transmit),
            min(self.window_transmit, other.window_receive),
            min(self.window_receive, other.window_transmit),
        )

    def as_json(self) -> dict[str, int]:
        return {
            "max_info_transmit": self.max_info_transmit,
            "max_info_receive": self.max_info_receive,
            "window_transmit": self.window_transmit,
            "window_receive": self.window_receive,
        }


def read_hdlc_parameters(reader: Reader) -> HdlcParameters:
    """The information field of an SNRM or UA; what is missing has its default, what is unknown is skipped.

    A zero, or a value beyond its range, is clamped: deployed devices send both.
    """
    found: dict[str, int] = {}
    if reader.remaining == 0:
        return HdlcParameters()
    reader.label(f"{reader.u8('format-identifier'):02x}")
    while reader.remaining:
        group = reader.u8("group-identifier")
        reader.label(f"{group:02x} ({'parameter negotiation' if group == GROUP_IDENTIFIER else 'not of DLMS'})")
        part = reader.sub(min(reader.u8("group-length"), reader.remaining), "group")
        while group == GROUP_IDENTIFIER and part.remaining:
            parameter = part.u8("parameter-id")
            part.label(f"{parameter} ({_NAMES.get(parameter, 'unknown')})")
            size = part.u8("parameter-length")
            value = part.unsigned(size, "parameter-value") if size else 0
            if parameter in _NAMES:
                name = ParameterId(parameter).name.lower()
                found[name] = _clamped(name, value)
                clamped = "" if found[name] == value else f", understood as {found[name]}"
                part.label(f"{value} ({_NAMES[parameter]}{clamped})")
        if part.remaining:
            part.rest("user-data")
    return replace(HdlcParameters(), **found)


def _clamped(name: str, value: int) -> int:
    if name.startswith("window"):
        return min(max(value, 1), MAX_WINDOW)
    # A shorter field than the standard's minimum still works; an empty one never would.
    return min(value, MAX_INFO) if value else DEFAULT_INFO


def parameter_deviations(octets: bytes) -> list[str]:
    """What of an SNRM's or UA's information field is not as the standard writes it, though it can be read."""
    if octets[:2] != bytes((FORMAT_IDENTIFIER, GROUP_IDENTIFIER)):
        return [f"the parameters begin with {octets[:2].hex()} instead of 8180"]
    length, body = octets[2] if len(octets) > 2 else 0, octets[3:]
    said = []
    if not length:
        said.append("a parameter group of length 0")
    elif length > len(body):
        said.append(f"a parameter group of {length} octets, {len(body)} are there")
    seen: list[int] = []
    at, end = 0, min(length, len(body))
    while at + 1 < end:
        parameter, size = body[at], body[at + 1]
        value = int.from_bytes(body[at + 2 : at + 2 + size], "big")
        said += _parameter_deviations(parameter, size, value)
        seen.append(parameter)
        at += 2 + size
    if seen != sorted(set(seen)):
        said.append("parameters in another order, or twice")
    return said


def _parameter_deviations(parameter: int, size: int, value: int) -> list[str]:
    if parameter not in _NAMES:
        return [f"parameter {parameter} is unknown"]
    name, windowed = _NAMES[parameter], parameter in (ParameterId.WINDOW_TRANSMIT, ParameterId.WINDOW_RECEIVE)
    said = []
    if size not in ((4,) if windowed else (1, 2)):
        said.append(f"{name} in {size} octets")
    least, most = (1, MAX_WINDOW) if windowed else (MIN_INFO, MAX_INFO)
    if not least <= value <= most:
        said.append(f"{name} of {value}, outside of {least} to {most}")
    return said


def decode_hdlc_parameters(octets: bytes) -> HdlcParameters:
    return read_hdlc_parameters(Reader(octets))
