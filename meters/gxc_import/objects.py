"""The objects of a device file as a meter type's catalog has them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from meters.catalogs.facts import MAX_SCALER, MAX_TEXT, ObjectFacts, faults
from meters.catalogs.rights import LEAST, MOST, ClientRights, mode_of
from meters.gxc import DeviceFile, FileObject
from meters.gxc_import.words import Left

TITLE_LENGTH: Final = MAX_TEXT["title"]
EMPTY: Final[dict[str, Any]] = {"rights": {}, "capture_objects": (), "title": "", "note": "", "group": ""}
"""What a field holds when nothing is said; of the others None."""
SHOWN: Final = 20
"""Faults of objects that are told one by one."""


def catalog_objects(device: DeviceFile, left: list[Left]) -> tuple[ObjectFacts, ...]:
    """What the file says of each object; what the catalog has no room for is told in `left`."""
    found: dict[Any, ObjectFacts] = {}
    twice: list[str] = []
    troubles: list[Left] = []
    for each in device.objects:
        facts = _facts(each, device, troubles)
        if facts.key in found:
            if facts != found[facts.key]:
                twice.append(facts.reference)
            continue
        found[facts.key] = facts
    if twice:
        left.append(
            Left("Objects", ", ".join(twice[:SHOWN]), "Listed twice, and otherwise the second time: the first counts.")
        )
    left += troubles[:SHOWN]
    if len(troubles) > SHOWN:
        left.append(Left("Objects", f"{len(troubles) - SHOWN} more", "As the objects before."))
    left += _left_of_attributes(device)
    return tuple(found.values())


def _facts(each: FileObject, device: DeviceFile, troubles: list[Left]) -> ObjectFacts:
    title = " ".join("".join(letter if letter.isprintable() else " " for letter in each.description).split())
    scaler = _scaler(each)
    facts = ObjectFacts(
        class_id=each.class_id,
        logical_name=each.logical_name,
        version=each.version,
        title=title[:TITLE_LENGTH],
        scaler=scaler,
        unit=int(each.unit) if each.unit.isascii() and each.unit.isdecimal() and len(each.unit) < 6 else None,
        rights={device.client_sap: _rights(each, device)},
        base_name=each.short_name,
        capture_objects=tuple(column for column in each.capture_objects if column.data_index <= 0xFFFF),
    )
    troubles += _troubles(each, facts, title)
    wrong = faults(facts)
    troubles += [Left(f"Object {facts.reference}", name.replace("_", " "), why) for name, why in wrong.items()]
    emptied: dict[str, Any] = {name: EMPTY.get(name) for name in wrong}
    return replace(facts, **emptied)


def _troubles(each: FileObject, facts: ObjectFacts, title: str) -> Iterator[Left]:
    what = f"Object {facts.reference}"
    if len(title) > TITLE_LENGTH:
        yield Left(what, "description", f"Cut after {TITLE_LENGTH} characters.")
    if each.scaler and facts.scaler is None:
        yield Left(what, f"scaler {each.scaler[:20]}", "It is no power of ten.")
    if each.unit and facts.unit is None:
        yield Left(what, f"unit {each.unit[:20]}", "It is no number of a unit.")
    if len(facts.capture_objects) < len(each.capture_objects):
        yield Left(what, "a column", "Its data index is too large.")
    numbers = [number for number in (*each.attributes, *each.methods) if not LEAST <= number <= MOST]
    if numbers:
        yield Left(what, f"attribute or method {numbers[0]}", f"They are numbered {LEAST} to {MOST}.")


def _scaler(each: FileObject) -> int | None:
    """The file has the scaler as a factor, and leaves out that of 1."""
    if not each.scaler:
        return 0 if each.unit else None
    try:
        factor = Decimal(each.scaler)
    except InvalidOperation:
        return None
    exponent = factor.adjusted() if factor.is_finite() and factor > 0 else 0
    return exponent if abs(exponent) <= MAX_SCALER and factor == Decimal(1).scaleb(exponent) else None


def _rights(each: FileObject, device: DeviceFile) -> ClientRights:
    """By short names no meter tells rights: what the tool has there are its own defaults."""
    if not device.logical_names:
        return ClientRights()
    return ClientRights(
        {
            number: mode_of(readable=attribute.readable, writable=attribute.writable)
            for number, attribute in each.attributes.items()
            if LEAST <= number <= MOST
        },
        {number: bool(access) for number, access in each.methods.items() if LEAST <= number <= MOST},
    )


def _left_of_attributes(device: DeviceFile) -> Iterator[Left]:
    """What the file says of attributes that the catalog has no place for."""
    attributes = [attribute for each in device.objects for attribute in each.attributes.values()]
    if not device.logical_names and attributes:
        why = "Meters with short names do not tell them: what the file has is the tool's own guess."
        yield Left("Access rights", f"of {len(attributes)} attributes", why)
    named = Counter(
        {"Names": sum(bool(each.name) for each in attributes), "Types": sum(bool(each.type) for each in attributes)}
    )
    for what, count in (+named).items():
        yield Left(
            f"{what} of attributes", str(count), "They are those of the class, which the workbench knows itself."
        )
