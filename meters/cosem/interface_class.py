"""Interface classes: attributes and methods with types and short-name offsets (Blue Book, clause 4; rows in `class_tables`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeVar

from meters.cosem.class_tables import ALL
from meters.cosem.data import Data
from meters.cosem.value_type import ValueType, parse_type

SHORT_NAME_STEP: Final = 8
"""What two neighbouring attributes, or methods, are apart."""


class Access(Enum):
    """What is done with an attribute as a rule; the association's access rights decide."""

    CONFIGURED = "configured"
    KEPT_BY_METER = "kept by the meter"
    WRITE_ONLY = "written, not read"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute. `offset` is its place above the object's base name, None where a method stands there."""

    attribute_id: int
    name: str
    type: ValueType
    access: Access = Access.CONFIGURED
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """One method; `parameter` None where its type is not known, `offset` likewise."""

    method_id: int
    name: str
    parameter: ValueType | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class InterfaceClass:
    """One version of one class."""

    class_id: int
    version: int
    name: str
    attributes: Mapping[int, Attribute]
    methods: Mapping[int, Method]
    first_method_offset: int | None = None


_MARKS: Final = {"~": Access.KEPT_BY_METER, "!": Access.WRITE_ONLY}
_ITEM: Final = re.compile(r"(?:(?P<number>\d+)(?P<sign>[=-]))?(?P<name>\S*)\s*(?P<type>.*?)\s*(?P<mark>[~!]?)")
_OFFSET: Final = re.compile(r"(?:(?P<gap>[0-9A-F]+)\+)?(?P<first>[0-9A-F]+)")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the tables."""

    class_id: int
    version: int
    name: str
    attributes: str
    methods: str
    offset: str


def _rows(text: str) -> Iterator[_Row]:
    for line in filter(None, text.splitlines()):
        head, attributes, methods, offset = (*(part.strip() for part in line.split("|")), "", "", "")[:4]
        number, _, name = head.partition(" ")
        class_id, version = (int(part) for part in number.split(":"))
        yield _Row(class_id, version, name, attributes, methods, offset)


def _read_rows(text: str) -> dict[int, dict[int, InterfaceClass]]:
    """Every class by its id and version, versions rising."""
    classes: dict[int, dict[int, InterfaceClass]] = {}
    for row in _rows(text):
        versions = classes.setdefault(row.class_id, {})
        versions[row.version] = _read_row(row, versions[max(versions)] if row.name == "+" else None)
    return classes


def _read_row(row: _Row, before: InterfaceClass | None) -> InterfaceClass:
    attributes = dict(before.attributes) if before else {1: Attribute(1, "logical_name", parse_type("ln"), offset=0)}
    methods = dict(before.methods) if before else {}
    _change(attributes, row.attributes, _attribute)
    _change(methods, row.methods, _method)
    found = _OFFSET.fullmatch(row.offset)
    first = int(found["first"], 16) if found else before.first_method_offset if before else None
    gap = int(found["gap"], 16) if found and found["gap"] else None
    name = before.name if before else row.name
    return InterfaceClass(row.class_id, row.version, name, *_placed(attributes, methods, first, gap), first)


def _change(known: dict[int, T], listed: str, make: Callable[[int, re.Match[str]], T]) -> None:
    """Add what a row lists to what the version before it has."""
    number = max(known, default=0)
    for item in _items(listed):
        found = _ITEM.fullmatch(item)
        assert found is not None  # the pattern takes every text
        if found["sign"] == "-":
            del known[int(found["number"])]
        elif found["sign"] == "=":
            known[int(found["number"])] = make(int(found["number"]), found)
        else:
            number += 1
            known[number] = make(number, found)


def _items(listed: str) -> Iterator[str]:
    """The parts between the commas that stand in no bracket."""
    depth = start = 0
    for position, sign in enumerate(listed + ","):
        depth += (sign in "[{(<") - (sign in "]})>")
        if sign == "," and not depth:
            if item := listed[start:position].strip():
                yield item
            start = position + 1


def _attribute(number: int, found: re.Match[str]) -> Attribute:
    return Attribute(number, found["name"], parse_type(found["type"]), _MARKS.get(found["mark"], Access.CONFIGURED))


def _method(number: int, found: re.Match[str]) -> Method:
    return Method(number, found["name"], parse_type(found["type"]) if found["type"] else None)


def _placed(
    attributes: Mapping[int, Attribute], methods: Mapping[int, Method], first: int | None, gap: int | None
) -> tuple[dict[int, Attribute], dict[int, Method]]:
    """With their offsets. An attribute of a later version for which there is no place before the methods has none."""
    places = {} if first is None else {number: first + SHORT_NAME_STEP * (number - 1) for number in methods}
    limit = min(places.values(), default=None)
    placed = {}
    for number, attribute in attributes.items():
        offset = SHORT_NAME_STEP * (number - 1)
        if gap is not None and offset >= gap:
            offset += SHORT_NAME_STEP
        known = limit is None or offset < limit
        placed[number] = Attribute(number, attribute.name, attribute.type, attribute.access, offset if known else None)
    return placed, {
        number: Method(number, method.name, method.parameter, places.get(number)) for number, method in methods.items()
    }


_CLASSES: Final = _read_rows(ALL)


def known_classes() -> Iterator[InterfaceClass]:
    """Every version of every class, the latest version of each class last."""
    for versions in _CLASSES.values():
        yield from versions.values()


def known_versions(class_id: int) -> tuple[InterfaceClass, ...]:
    """The versions that are known of a class, the latest first."""
    return tuple(reversed(_CLASSES.get(class_id, {}).values()))


def interface_class(class_id: int, version: int | None = None) -> InterfaceClass | None:
    """The class as it is known; None for an unknown one.

    Of versions that are not known the highest below counts (later versions mostly add), else the lowest; without a version
    the latest.
    """
    versions = _CLASSES.get(class_id)
    if versions is None:
        return None
    if version is None:
        return versions[max(versions)]
    return versions[max((known for known in versions if known <= version), default=min(versions))]


def attribute_of(
    class_id: int, attribute_id: int, version: int | None = None, value: Data | None = None
) -> Attribute | None:
    """The attribute; None for an unknown one.

    Without a version, `value` may decide: the latest version whose type the value has, else simply the latest.
    """
    if version is None:
        known = [one.attributes[attribute_id] for one in known_versions(class_id) if attribute_id in one.attributes]
        fitting = (one for one in known if value is not None and one.type.fits(value))
        return next(fitting, known[0] if known else None)
    found = interface_class(class_id, version)
    return found.attributes.get(attribute_id) if found else None


def method_of(class_id: int, method_id: int, version: int | None = None) -> Method | None:
    """The method; None for an unknown one."""
    found = interface_class(class_id, version)
    return found.methods.get(method_id) if found else None


def class_name(class_id: int) -> str:
    """`Register`; `class 8192` for an unknown one."""
    known = interface_class(class_id)
    return known.name if known else f"class {class_id}"


def attribute_name(class_id: int, attribute_id: int) -> str:
    """`scaler_unit`; `attribute 9` for an unknown one."""
    attribute = attribute_of(class_id, attribute_id)
    return attribute.name if attribute else f"attribute {attribute_id}"


def method_name(class_id: int, method_id: int) -> str:
    """`remote_disconnect`; `method 9` for an unknown one. Of a method that later versions dropped, the name it had."""
    known = (one.methods[method_id] for one in known_versions(class_id) if method_id in one.methods)
    return next((method.name for method in known), f"method {method_id}")
