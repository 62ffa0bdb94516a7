"""Say in words what only its shape tells: logical names, dates and times, certificates inside octet-strings."""

from __future__ import annotations

from typing import Final

from meters.cosem.date_time import CosemDate, CosemTime
from meters.cosem.obis import ObisCode
from meters.cosem.obis_names import describe
from meters.cosem.units import unit_symbol
from sessions.dlms.certificates import in_words
from sessions.dlms.cursor import Field

OBIS_OCTETS: Final = 6
DATE_OCTETS: Final = 5
TIME_OCTETS: Final = 4
_TAG_COUNT_SCALER_UNIT: Final = 4
"""Fields of a structure of two."""


def make_readable(root: Field, sources: dict[str, bytes]) -> None:
    """Relabel the octet-strings below `root`, and give the tags of APDUs in hex, as the standard does."""
    before: Field | None = None
    for child in root.children:
        if child.name == "tag" and child.value.isdigit() and child.length == 1:
            child.value = sources.get(child.source, b"")[child.offset : child.offset + 1].hex()
        if (
            child.name == "octet-string"
            and child.children
            and not any(part.secret or part.masked for part in child.children)
        ):
            _relabel(child, before, sources)
        elif child.children:
            make_readable(child, sources)
            _name_unit(child)
        before = child


def _name_unit(field: Field) -> None:
    """A structure of an integer and an enum is a scaler and a unit, wherever one is known by that number."""
    if field.name != "structure" or len(field.children) != _TAG_COUNT_SCALER_UNIT:
        return
    if field.children[2].name != "integer" or field.children[3].name != "enum":
        return
    scaler, unit = field.children[2].value, field.children[3].value
    symbol = unit_symbol(int(unit)) if unit.isdigit() else ""
    # A number without a unit comes back as it is, or as nothing.
    if symbol and unit not in symbol:
        field.value = f"scaler {scaler}, unit {symbol}"


def _contents(field: Field | None, sources: dict[str, bytes]) -> bytes:
    if field is None or field.name != "octet-string" or not field.children:
        return b""
    part = field.children[-1]
    return sources.get(part.source, b"")[part.offset : part.offset + part.length]


def _relabel(field: Field, before: Field | None, sources: dict[str, bytes]) -> None:
    octets = _contents(field, sources)
    if len(octets) == OBIS_OCTETS and octets[-1] == 0xFF:
        obis = ObisCode.from_octets(octets)
        field.value = f"{obis} ({describe(obis)})"
    elif len(octets) == DATE_OCTETS and _is_date(octets):
        field.value = f"{CosemDate.decode(octets)} ({octets.hex()})"
        previous = _contents(before, sources)
        # A time beside a date: four octets alone could be anything.
        if before is not None and len(previous) == TIME_OCTETS and _is_time(previous):
            before.value = f"{CosemTime.decode(previous)} ({previous.hex()})"
    elif certificate := in_words(octets):
        field.value = certificate


def _is_date(octets: bytes) -> bool:
    year = int.from_bytes(octets[:2], "big")
    month, day, weekday = octets[2:]
    return (
        (1990 <= year <= 2100 or year == 0xFFFF)
        and (1 <= month <= 12 or month >= 0xFD)
        and (1 <= day <= 31 or day >= 0xFD)
        and (1 <= weekday <= 7 or weekday == 0xFF)
    )


def _is_time(octets: bytes) -> bool:
    return all(octet <= limit or octet == 0xFF for octet, limit in zip(octets, (23, 59, 59, 99), strict=True))
