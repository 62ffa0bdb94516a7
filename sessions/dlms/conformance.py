"""The conformance block: which services and features a side supports (IEC 62056-5-3, xDLMS-Initiate)."""

from __future__ import annotations

from enum import IntFlag
from typing import Final

from sessions.dlms.cursor import Reader, Writer
from sessions.dlms.errors import InvalidValueError

# An APPLICATION 31 tag in BER form, a length of four, and no unused bits.
_TAG: Final = bytes.fromhex("5f1f")
_OLD_TAG: Final = bytes.fromhex("5f")
_HEAD: Final = bytes.fromhex("0400")


class Conformance(IntFlag):
    """24 bits; bit 0 of the standard is the highest one."""

    GENERAL_PROTECTION = 0x400000
    GENERAL_BLOCK_TRANSFER = 0x200000
    READ = 0x100000
    WRITE = 0x080000
    UNCONFIRMED_WRITE = 0x040000
    DELTA_VALUE_ENCODING = 0x020000
    ATTRIBUTE0_SUPPORTED_WITH_SET = 0x008000
    PRIORITY_MGMT_SUPPORTED = 0x004000
    ATTRIBUTE0_SUPPORTED_WITH_GET = 0x002000
    BLOCK_TRANSFER_WITH_GET_OR_READ = 0x001000
    BLOCK_TRANSFER_WITH_SET_OR_WRITE = 0x000800
    BLOCK_TRANSFER_WITH_ACTION = 0x000400
    MULTIPLE_REFERENCES = 0x000200
    INFORMATION_REPORT = 0x000100
    DATA_NOTIFICATION = 0x000080
    ACCESS = 0x000040
    PARAMETERIZED_ACCESS = 0x000020
    GET = 0x000010
    SET = 0x000008
    SELECTIVE_ACCESS = 0x000004
    EVENT_NOTIFICATION = 0x000002
    ACTION = 0x000001

    def names(self) -> list[str]:
        """The standard's names of the bits that are set."""
        return [flag.name.lower().replace("_", "-") for flag in Conformance if flag in self and flag.name]

    def __str__(self) -> str:
        return ", ".join(self.names()) or "nothing"


ALL: Final = 0xFFFFFF


def read_conformance(reader: Reader, name: str) -> Conformance:
    """The block with its tag; some old meters leave out the second octet of the tag."""
    reader.enter(name)
    at = reader.position
    if reader.octets[reader.offset : reader.offset + 2] == _TAG:
        reader.take(2, "tag")
    elif reader.peek() == _OLD_TAG[0]:
        reader.take(1, "tag")
    else:
        raise InvalidValueError(name, at, "the tag 5F 1F of the conformance block is missing")
    reader.constant(_HEAD, "length")
    conformance = Conformance(reader.unsigned(3, "bits"))
    reader.label(str(conformance))
    reader.leave(f"{int(conformance):06x}")
    return conformance


def write_conformance(writer: Writer, conformance: Conformance) -> None:
    writer.put(_TAG).put(_HEAD).unsigned(3, int(conformance) & ALL)
