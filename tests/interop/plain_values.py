"""Values of both stacks in one plain form, in which they can be compared.

An array is a list, a structure a tuple; octets are bytes, integers int. The peer gives null for an array without elements, so
that both are None here. What it makes of a date-time says nothing of unspecified fields: these compare by their kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gurux_dlms import GXBitString, GXDate, GXDateTime, GXStructure, GXTime

from meters.cosem.data import Data, DataType

TIMES: Final = {DataType.DATE_TIME: "date-time", DataType.DATE: "date", DataType.TIME: "time"}


def _text(value: bytes) -> str:
    """The peer shows a string that is not ASCII as hexadecimal pairs."""
    printable = all(0x20 <= octet < 0x7F for octet in value)
    return value.decode("ascii") if printable else value.hex(" ").upper()


def _list(elements: Any) -> list[Any] | None:
    return [plain(each) for each in elements] or None


_OURS: Final[dict[DataType, Callable[[Any], Any]]] = {
    DataType.NULL_DATA: lambda _: None,
    DataType.DONT_CARE: lambda _: None,
    DataType.ARRAY: _list,
    DataType.STRUCTURE: lambda value: tuple(plain(each) for each in value),
    DataType.COMPACT_ARRAY: lambda value: _list(value.elements),
    DataType.BIT_STRING: str,
    DataType.VISIBLE_STRING: _text,
    DataType.UTF8_STRING: _text,
}


def plain(value: Data) -> Any:
    """What our own client read."""
    if value.type in TIMES:
        return TIMES[value.type]
    return _OURS.get(value.type, lambda same: same)(value.value)


def peers_plain(value: Any) -> Any:
    """What the peer read. Its integers are of classes of its own, which are ints all the same."""
    match value:
        case GXTime():
            return "time"
        case GXDate():
            return "date"
        case GXDateTime():
            return "date-time"
        case GXStructure():
            return tuple(peers_plain(each) for each in value)
        case list():
            return [peers_plain(each) for each in value] or None
        case bytes() | bytearray():
            return bytes(value)
        case GXBitString():
            return str(value)
        case bool() | None | str():
            return value
        case float():
            return float(value)
        case _:
            return int(value)
