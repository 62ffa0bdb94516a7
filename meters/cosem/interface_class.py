"""Interface classes: the names of their attributes and methods, and the types (Blue Book, clause 4; rows in `class_tables`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from meters.cosem.class_tables import ALL, TYPES


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute; `type` is the standard's name of its type, `any` where it is a CHOICE."""

    attribute_id: int
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class InterfaceClass:
    """One version of one class."""

    class_id: int
    version: int
    name: str
    attributes: Mapping[int, Attribute]
    methods: Mapping[int, str]


_LOGICAL_NAME: Final = Attribute(1, "logical_name", TYPES["os"])


def _read_rows(text: str) -> dict[int, dict[int, InterfaceClass]]:
    """Every class by its id and version, versions rising."""
    classes: dict[int, dict[int, InterfaceClass]] = {}
    for row in filter(None, text.splitlines()):
        head, attributes, methods = (*(part.strip() for part in row.split("|")), "", "")[:3]
        number, _, name = head.partition(" ")
        class_id, version = (int(part) for part in number.split(":"))
        versions = classes.setdefault(class_id, {})
        before = (
            versions[max(versions)] if name == "+" else InterfaceClass(class_id, version, name, {1: _LOGICAL_NAME}, {})
        )
        versions[version] = InterfaceClass(
            class_id,
            version,
            before.name,
            {**before.attributes, **_attributes(attributes, max(before.attributes) + 1)},
            {**before.methods, **dict(enumerate(_items(methods), max(before.methods, default=0) + 1))},
        )
    return classes


def _items(listed: str) -> list[str]:
    return [item.strip() for item in listed.split(",") if item.strip()]


def _attributes(listed: str, first: int) -> dict[int, Attribute]:
    rows = [item.rsplit(" ", 1) for item in _items(listed)]
    return {number: Attribute(number, name, TYPES[short]) for number, (name, short) in enumerate(rows, first)}


_CLASSES: Final = _read_rows(ALL)


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


def class_name(class_id: int) -> str:
    """`Register`; `class 8192` for an unknown one."""
    known = interface_class(class_id)
    return known.name if known else f"class {class_id}"


def attribute_name(class_id: int, attribute_id: int) -> str:
    """`scaler_unit`; `attribute 9` for an unknown one."""
    known = interface_class(class_id)
    attribute = known.attributes.get(attribute_id) if known else None
    return attribute.name if attribute else f"attribute {attribute_id}"


def method_name(class_id: int, method_id: int) -> str:
    """`remote_disconnect`; `method 9` for an unknown one."""
    known = interface_class(class_id)
    return known.methods.get(method_id, f"method {method_id}") if known else f"method {method_id}"
