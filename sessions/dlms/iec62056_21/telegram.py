"""Telegrams that a meter sends by itself: mode D of IEC 62056-21, and P1 (DSMR companion standard, e-MUCS).

    / X X X Z identification CR LF CR LF  data block  ! [CRC] CR LF

P1 from version 4 on checks everything from the slash to the exclamation mark with CRC-16/ARC, printed as four hex digits. The
same form, without STX and block check, is what some meters answer in modes A to C.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from sessions.dlms.cursor import Reader
from sessions.dlms.errors import FrameError, TruncatedError
from sessions.dlms.iec62056_21.characters import CRLF, END_MARK
from sessions.dlms.iec62056_21.data_set import DataBlock, read_data_block
from sessions.dlms.iec62056_21.sign_on import IdentificationMessage, read_identification_message

CRC_DIGITS: Final = 4

_CRC: Final = re.compile(rb"[0-9A-Fa-f]{1,4}(?=[\r\n\x00]|$)")
_END: Final = re.compile(rb"(?:^|[\r\n)])(!)(?=[\r\n\x00]|$|[0-9A-Fa-f]{1,4}(?:[\r\n\x00]|$))")


def crc16_arc(octets: bytes) -> int:
    """CRC-16/ARC: x^16 + x^15 + x^2 + 1, least significant bit first, from 0."""
    remainder = 0
    for octet in octets:
        remainder = remainder >> 8 ^ _TABLE[(remainder ^ octet) & 0xFF]
    return remainder


def _table() -> tuple[int, ...]:
    table = []
    for remainder in range(0x100):
        for _ in range(8):
            remainder = remainder >> 1 ^ (0xA001 if remainder & 1 else 0)
        table.append(remainder)
    return tuple(table)


_TABLE: Final = _table()


@dataclass(frozen=True, slots=True)
class Telegram:
    """`crc`: what the telegram prints behind its end, None where it prints nothing; `remark`: what is odd and no error."""

    identification: IdentificationMessage
    block: DataBlock
    crc: int | None = None
    remark: str = ""

    def encode(self, *, with_crc: bool = False) -> bytes:
        body = self.identification.encode() + CRLF + self.block.encode().removesuffix(CRLF)
        return body + (b"%04X" % crc16_arc(body) if with_crc else b"") + CRLF

    def summary(self) -> str:
        return f"P1 telegram: {self.identification}"


def find_telegram_end(octets: bytes | bytearray, start: int = 0) -> int:
    """Where the exclamation mark stands that ends a telegram; -1 where none does."""
    found = _END.search(octets, start)
    return found.start(1) if found else -1


def read_telegram(reader: Reader) -> Telegram:
    """One telegram, and whatever the line added behind it. A CRC that does not fit is a `FrameError`, with the fields read."""
    begin = reader.offset
    with reader.group("identification-message"):
        identification = read_identification_message(reader)
    end = find_telegram_end(reader.octets, reader.offset)
    if end < 0:
        raise TruncatedError("data-block", reader.position, "no exclamation mark ends it")
    with reader.group("data-block"):
        block = read_data_block(reader.sub(end - reader.offset, "data-block"), lenient=True)
    reader.constant(bytes((END_MARK,)), "end-mark")
    crc, error, remark = _read_crc(reader, reader.octets[begin : reader.offset])
    remarks = (block.oddity, remark, _read_rest(reader))
    if error is not None:
        raise error
    return Telegram(identification, replace(block, ended=True), crc, "; ".join(filter(None, remarks)))


def _read_crc(reader: Reader, covered: bytes) -> tuple[int | None, FrameError | None, str]:
    found = _CRC.match(reader.octets, reader.offset)
    if found is None:
        return None, None, ""
    at = reader.position
    text = reader.take(len(found[0]), "crc").decode("ascii")
    crc, wanted = int(text, 16), crc16_arc(covered)
    reader.label(f"{text} (good)" if crc == wanted else f"{text} (bad, {wanted:04X} expected)")
    error = None if crc == wanted else FrameError("crc", at, f"{wanted:04X} expected, {text} found")
    short = len(text) < CRC_DIGITS
    return crc, error, f"the CRC is printed with {len(text)} digits instead of {CRC_DIGITS}" if short else ""


def _read_rest(reader: Reader) -> str:
    """Line ends, padding, or what else stands behind the end."""
    rest = reader.octets[reader.offset :]
    ends = len(rest) - len(rest.lstrip(CRLF))
    if ends:
        reader.take(ends, "line-end", "CR LF")
    if reader.remaining == 0:
        return ""
    padding = not rest.strip(b"\r\n\x00")
    octets = reader.rest("padding" if padding else "rest")
    return f"{len(octets)} octets of padding follow" if padding else f"{len(octets)} octets follow the telegram"


def decode_telegram(octets: bytes) -> Telegram:
    """The telegram in the octets (characters without parity)."""
    return read_telegram(Reader(octets))
