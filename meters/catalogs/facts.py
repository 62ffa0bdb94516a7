"""What a catalog says of one object, and each of it as text that is read again. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from meters.catalogs.rights import Rights, check_rights, rights_text
from meters.cosem.interface_class import class_name, known_classes, known_versions
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from meters.cosem.units import Unit

MAX_CLASS_ID: Final = 0xFFFF
MAX_VERSION: Final = 255
MAX_BASE_NAME: Final = 0xFFFF
MAX_SCALER: Final = 30
MAX_UNIT: Final = 255
MAX_TEXT: Final = {"title": 200, "group": 60, "note": 500}
MAX_CAPTURE_OBJECTS: Final = 200
MAX_DIGITS: Final = 30
"""Of a limit, before the point and behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectFacts:
    """What is said of an object. None, or empty: nothing is said.

    `low` and `high` bound the scaled value, in `unit`. `rights`: by client SAP. `base_name`: where the meter is spoken to by
    short names. `capture_objects`: the columns of a profile.
    """

    class_id: int
    logical_name: ObisCode
    version: int | None = None
    title: str = ""
    scaler: int | None = None
    unit: int | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    group: str = ""
    rights: Rights = field(default_factory=dict)
    base_name: int | None = None
    capture_objects: tuple[CaptureObject, ...] = ()
    note: str = ""

    @property
    def key(self) -> tuple[int, ObisCode]:
        """What tells one object of a meter from another."""
        return (self.class_id, self.logical_name)

    @property
    def reference(self) -> str:
        """`3/1-0:1.8.0*255`."""
        return f"{self.class_id}/{self.logical_name}"


FIELDS: Final = (
    "version",
    "title",
    "scaler",
    "unit",
    "low",
    "high",
    "group",
    "rights",
    "base_name",
    "capture_objects",
    "note",
)
"""What is said of an object beside its class and name."""


FIELD_WORDS: Final[Mapping[str, str]] = {
    **{name: name for name in FIELDS},
    "rights": "access",
    "base_name": "short name",
    "capture_objects": "columns",
}
"""What a field is called on pages and in files."""


def says(facts: ObjectFacts, name: str) -> bool:
    """Whether anything is said in this field: 0 is something."""
    value = getattr(facts, name)
    return value is not None and value not in ("", (), {})


def faults(facts: ObjectFacts) -> dict[str, str]:
    """What cannot be, by field."""
    found: dict[str, str] = {}
    for name, least, most in (
        ("class_id", 0, MAX_CLASS_ID),
        ("version", 0, MAX_VERSION),
        ("scaler", -MAX_SCALER, MAX_SCALER),
        ("unit", 0, MAX_UNIT),
        ("base_name", 0, MAX_BASE_NAME),
    ):
        value = getattr(facts, name)
        if value is not None and not least <= value <= most:
            found[name] = f"{value} is outside of {least} to {most}."
    for name, limit in MAX_TEXT.items():
        found |= _text_fault(name, getattr(facts, name), limit)
    for name in ("low", "high"):
        found |= _limit_fault(name, getattr(facts, name))
    if not found.keys() & {"low", "high"} and None not in (facts.low, facts.high) and facts.low >= facts.high:  # type: ignore[operator]
        found["high"] = f"The high limit ({facts.high:f}) is not above the low one ({facts.low:f})."
    if len(facts.capture_objects) > MAX_CAPTURE_OBJECTS:
        found["capture_objects"] = f"{len(facts.capture_objects)} columns are too many: at most {MAX_CAPTURE_OBJECTS}."
    elif any(_out_of_range(column) for column in facts.capture_objects):
        found["capture_objects"] = "A column has a number that is too large."
    try:
        check_rights(facts.rights)
    except ValueError as error:
        found["rights"] = str(error)
    return found


def _out_of_range(column: CaptureObject) -> bool:
    return not (
        0 <= column.class_id <= MAX_CLASS_ID and -128 <= column.attribute_id <= 127 and 0 <= column.data_index <= 0xFFFF
    )


def _text_fault(name: str, text: str, limit: int) -> dict[str, str]:
    if len(text) > limit:
        return {name: f"It has {len(text)} characters: at most {limit}."}
    if any(letter < " " or "\ud800" <= letter <= "\udfff" for letter in text):
        return {name: "It has characters that cannot be kept, such as line breaks."}
    return {}


def _limit_fault(name: str, limit: Decimal | None) -> dict[str, str]:
    if limit is None:
        return {}
    if not limit.is_finite():
        return {name: "A limit is a number."}
    digits, exponent = len(limit.as_tuple().digits), int(limit.as_tuple().exponent)
    if max(digits, digits + exponent, -exponent) > MAX_DIGITS:
        return {name: f"A limit has at most {MAX_DIGITS} digits."}
    return {}


# -- each as text ------------------------------------------------------------------------------------------------------

_UNITS: Final[Mapping[int, Unit]] = {int(unit): unit for unit in Unit}
_SYMBOLS: Final[Mapping[str, Unit]] = {unit.symbol: unit for unit in reversed(Unit) if unit.symbol}
"""Of two units with one symbol the first."""
_SPELLINGS: Final = str.maketrans({"3": "³", "2": "²", "μ": "µ", "*": "·"})
_PREFIXES: Final = {"k": 3, "M": 6, "G": 9, "m": -3, "µ": -6}
_CLASSES: Final[Mapping[str, int]] = {known.name.lower(): known.class_id for known in known_classes()}
_CLASS: Final = re.compile(r"(?:.*\()?\s*([0-9]{1,5})\s*\)?")
_CAPTURE: Final = re.compile(
    r"(?P<class_id>[0-9]{1,5})/(?P<name>[^/\[\];]+)/(?P<attribute>-?[0-9]{1,3})(?:\[(?P<index>[0-9]{1,5})\])?"
)


def unit_text(unit: int | None) -> str:
    """The symbol where it means this unit alone, else its name, else its number; empty for None."""
    if unit is None:
        return ""
    known = _UNITS.get(unit)
    if known is None:
        return str(unit)
    return known.symbol if _SYMBOLS.get(known.symbol) is known else known.name.lower().replace("_", " ")


def parse_unit(text: str) -> int | None:
    """From a symbol, a name or a number; None for nothing, ValueError for what is none."""
    text = text.strip()
    if not text:
        return None
    for spelling in (text, text.translate(_SPELLINGS)):
        if spelling in _SYMBOLS:
            return int(_SYMBOLS[spelling])
    named = text.upper().replace(" ", "_")
    if named in Unit.__members__:
        return int(Unit[named])
    if (number := text.lower().removeprefix("unit ")).isascii() and number.isdecimal() and len(number) < 4:
        if int(number) <= MAX_UNIT:
            return int(number)
        raise ValueError(f"Unit {number} is outside of 0 to {MAX_UNIT}.")
    base, power = text[1:], _PREFIXES.get(text[:1])
    if power is not None and base in _SYMBOLS:
        raise ValueError(f"“{text}” is a unit with a power of ten: write the unit {base} and the scaler {power}.")
    raise ValueError(f"“{text[:20]}” is no unit: write its symbol (Wh, V, m³) or its number (30).")


def class_text(class_id: int) -> str:
    """`Register (3)`; the number alone for a class that is not known."""
    return f"{class_name(class_id)} ({class_id})" if known_versions(class_id) else str(class_id)


def parse_class(text: str) -> int:
    """From a number, a name, or both; ValueError for neither."""
    text = text.strip()
    if text.lower() in _CLASSES:
        return _CLASSES[text.lower()]
    found = _CLASS.fullmatch(text)
    if found is None:
        raise ValueError(f"“{text[:40]}” is no interface class: write its number (3) or its name (Register).")
    if int(found[1]) > MAX_CLASS_ID:
        raise ValueError(f"Class {found[1]} is outside of 0 to {MAX_CLASS_ID}.")
    return int(found[1])


def limit_text(limit: Decimal | None) -> str:
    """Plain digits, no more than needed: `230`, `0.5`, never `2.3E+2`; empty for None."""
    if limit is None:
        return ""
    text = f"{limit:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def parse_limit(text: str) -> Decimal | None:
    """From a number with a point or a comma; None for nothing, ValueError for what is none."""
    text = "".join(text.split()).replace("\u2212", "-")
    if not text:
        return None
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        limit = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"“{text[:20]}” is no number: write it as 253.0.") from None
    if fault := _limit_fault("limit", limit):
        raise ValueError(fault["limit"])
    return Decimal(limit_text(limit))


def capture_objects_text(columns: tuple[CaptureObject, ...]) -> str:
    """`8/0-0:1.0.0*255/2; 3/1-0:1.8.0*255/2[1]`: class, name, attribute, and the part of it where it is not the whole."""
    return "; ".join(capture_object_text(each) for each in columns)


def capture_object_text(column: CaptureObject) -> str:
    index = f"[{column.data_index}]" if column.data_index else ""
    return f"{column.class_id}/{column.logical_name}/{column.attribute_id}{index}"


def parse_capture_objects(text: str) -> tuple[CaptureObject, ...]:
    """From the written form; ValueError says what is wrong with it."""
    return tuple(_capture_object(part) for part in filter(None, (part.strip() for part in text.split(";"))))


def _capture_object(part: str) -> CaptureObject:
    found = _CAPTURE.fullmatch(part)
    if found is None:
        raise ValueError(f"“{part[:40]}” is no column: write it as class/OBIS/attribute, such as 3/1-0:1.8.0*255/2.")
    class_id, attribute_id, index = int(found["class_id"]), int(found["attribute"]), int(found["index"] or 0)
    column = CaptureObject(class_id, ObisCode.parse(found["name"]), attribute_id, index)
    if _out_of_range(column):
        raise ValueError(f"“{part[:40]}” has a number that is too large.")
    return column


def value_text(facts: ObjectFacts, name: str) -> str:
    """A field in words, for pages, files and the change log."""
    value: Any = getattr(facts, name)
    match name:
        case "unit":
            return unit_text(value)
        case "low" | "high":
            return limit_text(value)
        case "rights":
            return rights_text(value)
        case "capture_objects":
            return capture_objects_text(value)
        case "base_name":
            return "" if value is None else f"0x{value:04X}"
    return "" if value is None else str(value)
