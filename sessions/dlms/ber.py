"""The little BER that ACSE needs: one-octet tags, definite lengths, object identifiers, integers, bit and octet strings.

Source: ITU-T X.690 (definite form, low tag numbers).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from meters.cosem.data import BitString
from sessions.dlms.cursor import Reader, Writer
from sessions.dlms.errors import InvalidValueError, LimitExceededError, UnknownTagError

MAX_INTEGER_OCTETS: Final = 8
HIGH_TAG_NUMBER: Final = 0x1F


class BerTag(IntEnum):
    """Universal tags."""

    INTEGER = 0x02
    BIT_STRING = 0x03
    OCTET_STRING = 0x04
    OBJECT_IDENTIFIER = 0x06


def read_tag(reader: Reader, name: str = "tag") -> int:
    """One tag octet; the long form of tags does not exist in ACSE."""
    at = reader.position
    tag = reader.u8(name)
    reader.label(f"{tag:02x}")
    if tag & 0x1F == HIGH_TAG_NUMBER:
        raise UnknownTagError(name, at, f"{tag:02x} is not a tag of one octet")
    return tag


def read_contents(reader: Reader, name: str) -> Reader:
    """A length, and a reader over that many octets."""
    return reader.sub(reader.length("length"), name)


def read_object_identifier(contents: Reader, name: str) -> bytes:
    """The octets of an object identifier. In an IMPLICIT place some meters send the universal tag all the same."""
    if contents.peek() == BerTag.OBJECT_IDENTIFIER and contents.peek(1) == contents.remaining - 2:
        read_tag(contents)
        contents.length("length")
    return contents.rest(name)


def read_integer(contents: Reader, name: str) -> int:
    """The signed contents of an INTEGER, at most eight octets."""
    at = contents.position
    if not 1 <= contents.remaining <= MAX_INTEGER_OCTETS:
        raise LimitExceededError(name, at, f"an integer of {contents.remaining} octets")
    return contents.signed(contents.remaining, name)


def read_tagged_integer(contents: Reader, name: str) -> int:
    """An INTEGER with its universal tag."""
    contents.constant(bytes((BerTag.INTEGER,)), "tag")
    return read_integer(read_contents(contents, name), name)


def read_bit_string(contents: Reader, name: str) -> BitString:
    """The contents of a BIT STRING: the number of unused bits, then the bits."""
    at = contents.position
    unused = contents.u8("unused-bits")
    octets = contents.rest(name)
    if unused > 7 or (unused and not octets):
        raise InvalidValueError(name, at, f"{unused} unused bits in {len(octets)} octets")
    bits = BitString(octets, len(octets) * 8 - unused)
    contents.label(str(bits))
    return bits


def read_octet_string(contents: Reader, name: str) -> bytes:
    """An OCTET STRING with its universal tag; bare octets, as some meters send them, are taken as they are."""
    if contents.peek() == BerTag.OCTET_STRING:
        read_tag(contents)
        return contents.take(contents.length("length"), name)
    return contents.rest(name)


def write_tlv(writer: Writer, tag: int, contents: bytes) -> None:
    """Tag, shortest length, contents."""
    writer.u8(tag).octet_string(contents)


def encode_tlv(tag: int, contents: bytes) -> bytes:
    writer = Writer()
    write_tlv(writer, tag, contents)
    return writer.octets()


def encode_integer(number: int) -> bytes:
    """The shortest contents of an INTEGER."""
    return number.to_bytes((number + (number < 0)).bit_length() // 8 + 1, "big", signed=True)


def encode_bit_string(bits: BitString) -> bytes:
    """The contents of a BIT STRING."""
    return bytes((len(bits.octets) * 8 - bits.length,)) + bits.octets
