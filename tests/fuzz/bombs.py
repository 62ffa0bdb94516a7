"""Inputs that promise more than they hold: small octets that ask a careless decoder for time or memory without end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sessions.dlms.hdlc.fcs import fcs16

SIZE: Final = 64 * 1024

GET_RESPONSE: Final = bytes.fromhex("C401C100")
FLAG: Final = b"\x7e"


def data_bombs() -> Iterator[tuple[str, bytes]]:
    """A-XDR: counts, lengths, depths and type descriptions."""
    for tag, name in (
        (0x01, "array"),
        (0x02, "structure"),
        (0x09, "octet-string"),
        (0x04, "bit-string"),
        (0x0A, "text"),
    ):
        for length in ("FF", "82FFFF", "84FFFFFFFF", "88FFFFFFFFFFFFFFFF", "FF" + "FF" * 127):
            yield f"{name} of {length[:18]}", bytes((tag,)) + bytes.fromhex(length)
    yield "arrays in arrays", b"\x01\x01" * (SIZE // 2)
    yield "structures in structures", b"\x02\x01" * (SIZE // 2)
    yield "arrays that widen", b"".join(b"\x01\x82\xff\xff" for _ in range(SIZE // 4))
    yield "an array of nulls", b"\x01\x82\xff\xff" + bytes(0xFFFF)
    yield "an array of empty structures", b"\x01\x82\x7f\xff" + b"\x02\x00" * 0x7FFF
    yield "an array of empty strings", b"\x01\x82\x7f\xff" + b"\x09\x00" * 0x7FFF
    yield "rows of one null", b"\x01\x82\x55\x55" + b"\x02\x01\x00" * 0x5555
    yield "long numbers", b"\x01\x82\x55\x55" + b"".join(b"\x12" + _big(n) for n in range(0x5555))
    yield "a structure of long numbers", b"\x02\x82\x55\x55" + b"".join(b"\x12" + _big(n) for n in range(0x5555))
    yield "short strings", b"\x01\x82\x3f\xff" + b"".join(b"\x09\x02" + _big(n) for n in range(0x3FFF))
    yield "times", b"\x01\x82\x33\x33" + b"".join(b"\x1b" + _big(n) * 2 for n in range(0x3333))
    yield "empty bit-strings", b"\x01\x82\x7f\xff" + b"\x04\x00" * 0x7FFF
    yield "bit-strings of an octet", b"\x01\x82\x55\x55" + b"\x04\x08\xa5" * 0x5555
    yield (
        "small values, nested",
        b"\x01\x82\x1f\xff" + b"".join(b"\x02\x01\x01\x01\x09\x02" + _big(n) for n in range(0x1FFF)),
    )
    yield "chains", b"\x01\x82\x06\x00" + (b"\x01\x01" * 20 + b"\x00") * 0x600
    yield "rows that differ", b"\x01\x82\x08\x00" + b"".join(_row(n) for n in range(0x800))
    yield "a compact array of nulls", bytes.fromhex("130084FFFFFFFF")
    yield "a compact array of arrays of nulls", bytes.fromhex("1301FFFF0082FFFF") + bytes(SIZE)
    yield "a compact array of nested descriptions", b"\x13" + b"\x01\xff\xff" * (SIZE // 3) + b"\x00\x01\x00"
    yield "a compact array of long numbers", b"\x13\x12\x82\xff\xfe" + b"".join(map(_big, range(0x7FFF)))
    yield "a compact array of narrow rows", b"\x13\x02\x02\x12\x11\x82\xff\xff" + bytes(0xFFFF)
    yield "a compact array of strings", b"\x13\x09\x82\xff\xff" + b"".join(b"\x02" + _big(n) for n in range(0x5555))
    yield "a compact array of mostly nulls", bytes.fromhex("13020611000000000082ffff") + bytes(0xFFFF)
    yield (
        "a compact array of nested structures",
        bytes.fromhex("1302010201020182ffff")[:-3] + b"\x11\x82\xff\xff" + bytes(0xFFFF),
    )
    yield "a long description", b"\x13\x02\x82\xff\xf0" + b"\x11" * 0xFFF0 + b"\x00"
    yield "a compact array of empty structures", bytes.fromhex("130200") + b"\x82\xff\xff" + bytes(SIZE)


def long_data() -> Iterator[tuple[str, bytes]]:
    """A megabyte of values, as blocks may bring it: of what takes the most memory for its octets."""
    size = 1 << 20
    numbers = b"".join(b"\x12" + _big(n) for n in range(size // 3))
    small = b"".join(b"\x02\x01\x01\x01\x09\x02" + _big(n) for n in range(size // 8))
    count = b"\x01\x83" + (size // 3 + 1).to_bytes(3, "big")
    yield "long numbers and a structure", count + numbers + b"\x02\x00"
    yield "a structure and long numbers", count + b"\x02\x00" + numbers
    yield "long numbers, cut", count + numbers + b"\x12\x00"
    yield "small values, nested, a megabyte", b"\x01\x83" + (size // 8).to_bytes(3, "big") + small


def _big(number: int) -> bytes:
    """A number of two octets that Python has not made already."""
    return ((number * 7919 + 1000) % 0x10000).to_bytes(2, "big")


def _row(number: int) -> bytes:
    """A row whose tags no other row has."""
    bits = [(number >> bit) & 1 for bit in range(11)]
    return bytes((2, len(bits))) + b"".join(b"\x11\x07" if bit else b"\x00" for bit in bits)


def apdu_bombs() -> Iterator[tuple[str, bytes]]:
    """APDUs around such data, and lists and blocks of their own."""
    for name, octets in data_bombs():
        yield f"GET response with {name}", GET_RESPONSE + octets
    for tag in (
        "C003C1",
        "C403C1",
        "C104C1",
        "C303C1",
        "C503C1",
        "C703C1",
        "D9C1000000",
        "DAC1000000",
        "05",
        "06",
        "0C",
        "0D",
    ):
        for count in ("FF", "82FFFF", "84FFFFFFFF"):
            yield f"{tag} with {count} items", bytes.fromhex(tag + count) + bytes(64)
    yield from full_lists()
    for tag in ("60", "61", "62", "63", "A1"):
        yield f"BER {tag} of 4 GB", bytes.fromhex(tag + "84FFFFFFFF") + bytes(64)
        yield f"BER {tag} nested", bytes.fromhex(tag) + b"\xa1\x80" * (SIZE // 2)
    for tag in ("C8", "D0", "DB08" + "00" * 8, "DC08" + "00" * 8, "DD00000000", "DF00000000"):
        yield f"ciphered {tag[:2]} of 4 GB", bytes.fromhex(tag + "84FFFFFFFF") + bytes(64)
    yield "a general block of 64 KiB", bytes.fromhex("E0C00001000082FFFF") + bytes(0xFFFF)
    yield "a data notification of nulls", bytes.fromhex("0F0000000100") + b"\x01\x82\xff\xff" + bytes(0xFFFF)


def frame_bombs() -> Iterator[tuple[str, bytes]]:
    """What the inspector is shown: APDUs bare and in the longest frame that there is, streams, and texts."""
    for name, octets in apdu_bombs():
        apdu = octets[:0xFFFF]
        yield name, octets
        yield f"{name}, in a wrapper frame", bytes.fromhex("000100010010") + len(apdu).to_bytes(2, "big") + apdu
    yield from stream_bombs()
    yield from text_bombs()


def full_lists() -> Iterator[tuple[str, bytes]]:
    """Lists that hold as many items as they say, in APDUs that only general blocks can carry."""
    count, number = bytes.fromhex("82FFFF"), 0xFFFF
    name = bytes.fromhex("00080000010000FF02")
    nulls = count + bytes(number)
    lists = {
        "GET request": ("C003C1", (name + b"\x00") * number),
        "GET response": ("C403C1", bytes(2 * number)),
        "SET request": ("C104C1", (name + b"\x00") * number + nulls),
        "SET response": ("C505C1", bytes(number)),
        "ACTION request": ("C303C1", name * number + nulls),
        "ACTION response": ("C703C1", bytes(2 * number)),
        "ACCESS request": ("D90000000100", (b"\x01" + name) * number + nulls),
        "ACCESS response": ("DA000000010000", bytes(number) + count + b"\x01\x00" * number),
    }
    for what, (head, items) in lists.items():
        yield f"{what} with a full list of 65535", bytes.fromhex(head) + count + items


def stream_bombs() -> Iterator[tuple[str, bytes]]:
    """Octets of a line that never become a frame, or become very many."""
    yield "flags", FLAG * SIZE
    yield "flags and format fields", b"\x7e\xa0" * (SIZE // 2)
    yield "the longest frame, begun again and again", b"\x7e\xa7\xff" * (SIZE // 3)
    yield "the shortest frame, always wrong", b"\x7e\xa0\x07\x03\x21\x93\x0f\x00" * (SIZE // 8)
    yield "frames of 2 KiB in 7E", (b"\x7e\xa7\xfd" + FLAG * 2045) * (SIZE // 2048)
    yield "zeros", bytes(SIZE)
    yield "wrapper headers of 64 KiB", bytes.fromhex("000100010010FFFF") * (SIZE // 8)
    yield "empty wrapper frames", bytes.fromhex("0001000100100000") * (SIZE // 8)


def plain_inputs() -> Iterator[tuple[str, bytes]]:
    """What honest meters send, and much of it at once."""
    register = bytes.fromhex("C401C1000600012345")
    rows = b"".join(b"\x02\x03\x09\x0c" + bytes(12) + b"\x06" + 2 * _big(n) + b"\x12" + _big(n) for n in range(2621))
    yield "a register", register
    yield "a profile", GET_RESPONSE + b"\x01\x82\x0a\x3d" + rows
    yield "a profile's buffer", b"\x01\x82\x0a\x3d" + rows
    for address, what in ((b"\x03\x21", "of clients"), (b"\x21\x03", "of meters")):
        ready = b"\xa0\x07" + address + b"\x11"
        long = b"\xaf\xfa" + address + b"\x10"
        long += fcs16(long) + bytes(0x7FA - 9)
        yield f"ready frames {what}", (FLAG + ready + fcs16(ready)) * (SIZE // 8)
        yield f"long frames {what}", (FLAG + long + fcs16(long) + FLAG) * (SIZE // 0x7FC)
    yield "wrapper frames", (bytes.fromhex("0001000100100009") + register) * (SIZE // 17)
    yield "a readout", b"\x02" + b"1.8.0(000123.4*kWh)\r\n" * (SIZE // 21 - 1) + b"!\r\n\x03\x00"


def text_bombs() -> Iterator[tuple[str, bytes]]:
    """Data lines, messages and telegrams in characters."""
    yield "empty brackets", b"()" * (SIZE // 2)
    yield "brackets of a digit", b"(1)" * (SIZE // 3)
    yield "short lines", b"1(2)\r\n" * (SIZE // 6)
    yield "usual lines", b"1.8.0(000123.4*kWh)\r\n" * (SIZE // 21)
    yield "rows", b"(0.12345)(0.54321)\r\n" * (SIZE // 20)
    yield "open brackets", b"(" * SIZE
    yield "closing brackets", b")" * SIZE
    yield "brackets and something that cannot be printed", b"1" + b"(1)" * (SIZE // 3) + b"\x00"
    yield "line ends", b"\r" * SIZE
    yield "end marks", b"!\r\n" * (SIZE // 3)
    yield "messages of nothing", b"\x02\x03\x01" * (SIZE // 3)
    yield "beginnings", b"\x02" * SIZE
    yield "commands", b"\x01R1\x02" * (SIZE // 4)
    yield "identifications", b"/ABC5\r\n" * (SIZE // 7)
    yield "identifications and letters", b"/ABC5\r\nx" * (SIZE // 8)
    yield "letters and end marks", b"a!\n" * (SIZE // 3)
    yield "replies", b"\x06\x15" * (SIZE // 2)
    yield "a telegram without an end", b"/ABC5\r\n\r\n" + b"1.8.0(5)\r\n" * (SIZE // 10)
    yield "profiles", b"P.01(1)(2)(15)(64)" * (SIZE // 18)
    yield "frames that wrap", b"\x68\x01\x01\x68" * (SIZE // 4)
    yield "frames that are almost some", b"\x68\x03\x03\x68\x16\x16\x16" * (SIZE // 7)
