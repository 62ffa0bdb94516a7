"""Messages between STX or SOH and the block check (IEC 62056-21, 6.3.10 to 6.3.14).

    data message     STX text ETX|EOT BCC
    command message  SOH C D [ STX text ] ETX|EOT BCC

EOT says that more blocks follow. One character alone is a reply: ACK, done; NAK, say it again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from sessions.dlms.cursor import Reader
from sessions.dlms.errors import FrameError, InvalidValueError, LocalProtocolError, TruncatedError
from sessions.dlms.iec62056_21.characters import (
    ACK,
    EOT,
    ETX,
    NAK,
    SOH,
    STX,
    BlockCheck,
    block_check,
    kind_of_check,
)
from sessions.dlms.iec62056_21.data_set import DataBlock, decode_data_block
from sessions.dlms.iec62056_21.sign_on import AcknowledgementMessage, IdentificationMessage, RequestMessage

MAX_MESSAGE: Final = 1024 * 1024
"""Octets of one message that are awaited."""
_ENDS: Final = re.compile(rb"[\x03\x04]")
COMMANDS: Final = {
    "P0": "operand for the secure algorithm",
    "P1": "password",
    "P2": "result of the secure algorithm",
    "W1": "write",
    "W2": "write, formatted",
    "W3": "write a partial block",
    "W4": "write a partial block, formatted",
    "R1": "read",
    "R2": "read, formatted",
    "R3": "read in partial blocks",
    "R4": "read in partial blocks, formatted",
    "E2": "execute",
    "B0": "break",
}
OPERAND: Final = "P0"
PASSWORD_COMMANDS: Final = ("P1", "P2")
"""Their data are secret."""
WRITES: Final = frozenset("WE")
"""The letters of commands that change something."""
ERROR_PREFIX: Final = "ER"


@dataclass(frozen=True, slots=True)
class DataMessage:
    """A readout, or the answer to a command. `last`: no block follows. The text has no parity bits."""

    text: bytes
    last: bool = True
    check: BlockCheck = BlockCheck.XOR

    def encode(self) -> bytes:
        return _closed(bytes((STX,)) + self.text, self.last, self.check)

    def block(self) -> DataBlock:
        return decode_data_block(self.text)

    @property
    def error(self) -> str:
        """The meter's error message, without its brackets; empty where it says something else."""
        text = self.text.decode("latin-1").strip()
        inner = text[1:-1] if text[:1] == "(" and text[-1:] == ")" else text
        return inner if inner.startswith(ERROR_PREFIX) and "(" not in inner else ""

    def summary(self) -> str:
        more = "" if self.last else ", more blocks follow"
        if self.error:
            return f"error message: {self.error}"
        return f"data message, {len(self.text)} characters{more}"


@dataclass(frozen=True, slots=True)
class CommandMessage:
    """`command` is two characters such as `R1`; `text` its data, None where it has none. A password is never printed."""

    command: str
    text: bytes | None = None
    last: bool = True
    check: BlockCheck = BlockCheck.XOR

    def encode(self) -> bytes:
        if len(self.command) != 2 or not self.command.isascii() or not self.command.isprintable():
            raise LocalProtocolError("a command is a letter and a digit", layer="link")
        body = bytes((SOH,)) + self.command.encode("ascii")
        return _closed(body if self.text is None else body + bytes((STX,)) + self.text, self.last, self.check)

    @property
    def is_secret(self) -> bool:
        return self.command in PASSWORD_COMMANDS

    def __repr__(self) -> str:
        shown = "…" if self.is_secret else repr(self.text)
        return f"CommandMessage({self.command!r}, {shown}, last={self.last}, check={self.check})"

    def summary(self) -> str:
        words = COMMANDS.get(self.command, "manufacturer's command")
        data = f" {self.text.decode('latin-1')}" if self.text and not self.is_secret else ""
        return f"{self.command} ({words}){data}"


class Reply(Enum):
    """A message of one character."""

    ACK = ACK
    NAK = NAK

    def encode(self) -> bytes:
        return bytes((self.value,))

    def summary(self) -> str:
        return "ACK (accepted)" if self is Reply.ACK else "NAK (say it again)"


BREAK: Final = CommandMessage("B0")

Message = RequestMessage | IdentificationMessage | AcknowledgementMessage | DataMessage | CommandMessage | Reply


def _closed(body: bytes, last: bool, check: BlockCheck) -> bytes:
    characters = body + bytes((ETX if last else EOT,))
    return characters if check is BlockCheck.ABSENT else characters + bytes((block_check(characters, check),))


def read_data_message(reader: Reader) -> DataMessage:
    """One message at the cursor. Its characters have no parity bits; a block check that fits no way is a `FrameError`."""
    begin = reader.offset
    reader.constant(bytes((STX,)), "stx")
    text = _read_text(reader)
    last = _read_end(reader)
    return DataMessage(text, last, _read_check(reader, begin))


def read_command_message(reader: Reader) -> CommandMessage:
    begin = reader.offset
    reader.constant(bytes((SOH,)), "soh")
    at = reader.position
    command = reader.take(2, "command").decode("latin-1")
    if not (command.isascii() and command[0].isalpha() and command[1].isdigit()):
        raise InvalidValueError("command", at, f"a letter and a digit expected, {command!r} found")
    reader.label(f"{command} ({COMMANDS.get(command, 'manufacturer')})")
    text = None
    if reader.peek() == STX:
        reader.take(1, "stx", "STX")
        text = _read_text(reader)
        if command in PASSWORD_COMMANDS:
            reader.label("secret", secret=True)
    last = _read_end(reader)
    check = _read_check(reader, begin)
    if command in PASSWORD_COMMANDS and check is not BlockCheck.ABSENT:
        reader.label("secret", secret=True)  # it is made of the password, and would narrow it down
    return CommandMessage(command, text, last, check)


def _read_text(reader: Reader) -> bytes:
    """The characters up to ETX or EOT."""
    end = find_end(reader.octets, reader.offset)
    if end < 0:
        raise TruncatedError("text", reader.position, "neither ETX nor EOT ends it")
    text = reader.take(end - reader.offset, "text")
    reader.label(f"{len(text)} characters")
    return text


def find_end(octets: bytes | bytearray, start: int) -> int:
    """Where ETX or EOT stands, from `start` on; -1 where neither does."""
    found = _ENDS.search(octets, start)
    return found.start() if found else -1


def _read_end(reader: Reader) -> bool:
    at = reader.position
    end = reader.u8("end")
    if end not in (ETX, EOT):
        raise InvalidValueError("end", at, f"ETX or EOT expected, {end:02x} found")
    reader.label("ETX" if end == ETX else "EOT (more blocks follow)")
    return end == ETX


def _read_check(reader: Reader, begin: int) -> BlockCheck:
    """The block check behind the characters from `begin` on; a message may end without one."""
    if reader.remaining == 0:
        return BlockCheck.ABSENT
    characters = reader.octets[begin : reader.offset]
    at = reader.position
    found = reader.u8("bcc")
    kind = kind_of_check(characters, found)
    if kind is None:
        wanted = block_check(characters)
        reader.label(f"{found:02x} (bad, {wanted:02x} expected)")
        raise FrameError("bcc", at, f"{wanted:02x} expected, {found:02x} found")
    reader.label(f"{found:02x} (good)" if kind is BlockCheck.XOR else f"{found:02x} (good as {kind.value})")
    return kind


def read_reply(reader: Reader) -> Reply:
    at = reader.position
    character = reader.u8("reply")
    if character not in (ACK, NAK):
        raise InvalidValueError("reply", at, f"ACK or NAK expected, {character:02x} found")
    reply = Reply(character)
    reader.label(reply.summary())
    return reply


def decode_data_message(octets: bytes) -> DataMessage:
    reader = Reader(octets)
    message = read_data_message(reader)
    reader.finish("data-message")
    return message


def decode_command_message(octets: bytes) -> CommandMessage:
    reader = Reader(octets)
    message = read_command_message(reader)
    reader.finish("command-message")
    return message
