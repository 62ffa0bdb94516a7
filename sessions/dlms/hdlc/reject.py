"""The information field of an FRMR frame: what was rejected, and why (ISO/IEC 13239, 5.5.3.4.2, modulo 8).

control field of the rejected frame | V(R), C/R, V(S), 0 | 0, Z, Y, X, W
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from sessions.dlms.cursor import Reader

REJECT_OCTETS: Final = 3
_RESPONSE: Final = 0x10


class Fault(IntFlag):
    """The bits W, X, Y, Z, each a reason."""

    CONTROL = 0x01
    INFORMATION = 0x02
    LENGTH = 0x04
    SEQUENCE = 0x08


_WORDS: Final = {
    Fault.CONTROL: "unknown control field",
    Fault.INFORMATION: "information not permitted",
    Fault.LENGTH: "information field too long",
    Fault.SEQUENCE: "invalid sequence number",
}
_LETTERS: Final = dict(zip(Fault, "WXYZ", strict=True))


def fault_words(faults: Fault) -> str:
    """Every reason that is set, in words."""
    return ", ".join(words for fault, words in _WORDS.items() if faults & fault) or "no reason given"


@dataclass(frozen=True, slots=True)
class FrameReject:
    """`control` is the rejected frame's field, `send_sequence` and `receive_sequence` are V(S) and V(R) of who rejects.

    `was_response`: the rejected frame was an answer, not a command.
    """

    control: int
    send_sequence: int
    receive_sequence: int
    faults: Fault
    was_response: bool = False

    def encode(self) -> bytes:
        """The three octets."""
        sequence = self.receive_sequence << 5 | (_RESPONSE if self.was_response else 0) | self.send_sequence << 1
        return bytes((self.control, sequence, self.faults))

    def words(self) -> str:
        return f"{fault_words(self.faults)}; rejected control field {self.control:02x}"


def read_frame_reject(reader: Reader) -> FrameReject:
    """The field at the cursor. Bits without a meaning are ignored; what follows the three octets is left to the caller."""
    control = reader.u8("rejected-control-field")
    reader.label(f"{control:02x}")
    sequence = reader.u8("state-variables")
    response, sent, received = bool(sequence & _RESPONSE), sequence >> 1 & 7, sequence >> 5
    side = "an answer" if response else "a command"
    reader.label(f"{sequence:02x} (V(S) {sent}, V(R) {received}, {side} was rejected)")
    octet = reader.u8("reasons")
    faults = Fault(octet & 0x0F)
    letters = "".join(letter for fault, letter in _LETTERS.items() if faults & fault)
    reader.label(f"{octet:02x} ({f'{letters}: ' if letters else ''}{fault_words(faults)})")
    return FrameReject(control, sent, received, faults, response)


def decode_frame_reject(octets: bytes) -> FrameReject:
    return read_frame_reject(Reader(octets))
