"""A value of a declared type as a person reads it: field names, the words of enumerations and bits, objects by their meaning.

A value that does not have the declared type is shown too, by what it is, with a remark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from meters.cosem.data import INTEGERS, Data, DataType, as_date_time, text
from meters.cosem.date_time import CosemDate, CosemTime
from meters.cosem.interface_class import attribute_name, class_name, method_name
from meters.cosem.obis import ObisCode
from meters.cosem.obis_names import describe
from meters.cosem.value_type import Field, Form, ValueType, parse_type

MAX_PARTS: Final = 4000
"""More values than these are not looked at one by one."""
MAX_SUMMARY: Final = 200
ANY: Final = ValueType()
_TIME: Final = parse_type("ti")
_UNIT: Final = parse_type("e(unit)")
ALL_BITS: Final = {DataType.UNSIGNED: 0xFF}
"""Where every bit is set the value is "not specified"."""

_CONTEXTS: Final = {
    1: "logical names, no ciphering",
    2: "short names, no ciphering",
    3: "logical names, ciphering",
    4: "short names, ciphering",
}
_MECHANISMS: Final = {
    0: "no authentication",
    1: "LLS",
    2: "HLS, the maker's own",
    3: "HLS-MD5",
    4: "HLS-SHA1",
    5: "HLS-GMAC",
    6: "HLS-SHA256",
    7: "HLS-ECDSA",
}
_NAMED_ARCS: Final = {"2.16.756.5.8.1": _CONTEXTS, "2.16.756.5.8.2": _MECHANISMS}


@dataclass(frozen=True, slots=True)
class Shown:
    """One value: the field's name or the element's number, its text, the type that the meter gave, and what it is made of."""

    name: str
    text: str
    type: str
    parts: tuple[Shown, ...] = ()
    remark: str = ""
    """What is odd about it: `declared as enum`."""

    def lines(self, indent: str = "") -> Iterator[str]:
        """As plain text, a line for each value."""
        named = f"{self.name}: " if self.name else ""
        yield f"{indent}{named}{self.text}{f' ({self.remark})' if self.remark else ''}"
        for part in self.parts:
            yield from part.lines(indent + "  ")


class Budget:
    """How many values may still be shown."""

    def __init__(self, parts: int = MAX_PARTS) -> None:
        self.left = parts

    @property
    def used_up(self) -> bool:
        return self.left <= 0


def show(data: Data, declared: ValueType = ANY, name: str = "", *, budget: Budget | None = None) -> Shown:
    """The whole value; once the budget is used up the rest of its parts are left out."""
    return _show(data, declared, name, {}, budget or Budget())


def words(data: Data, declared: ValueType = ANY) -> str:
    """The value in one line: `connected (1)`, `Active energy import (+A), total (1-0:1.8.0*255), value`."""
    return show(data, declared, budget=Budget(0)).text


def _show(data: Data, declared: ValueType, name: str, siblings: Mapping[str, Data], budget: Budget) -> Shown:
    budget.left -= 1
    meant = declared.alternative_for(data)
    same_kind = meant.kind is None or data.type is meant.kind or meant.fits(data)
    remark = "" if same_kind else f"declared as {declared}"
    if data.constructed:
        parts = tuple(_parts(data, meant, siblings, budget))
        return Shown(name, _summary(data, meant, siblings), data.type.asn1_name, parts, remark or _missing(data, meant))
    return Shown(name, _leaf(data, meant if same_kind else ANY, siblings), data.type.asn1_name, (), remark)


def _missing(data: Data, declared: ValueType) -> str:
    wanted = len(declared.fields)
    if data.type is DataType.STRUCTURE and wanted and len(data) != wanted:
        return f"{wanted} fields are declared, {len(data)} came"
    return ""


def _parts(data: Data, declared: ValueType, outer: Mapping[str, Data], budget: Budget) -> Iterator[Shown]:
    pairs = _named_fields(data, declared)
    siblings = _siblings(pairs, outer)
    for field, value in pairs:
        if budget.used_up:
            return
        yield _show(value, field.type, field.name, siblings, budget)


def _siblings(pairs: list[tuple[Field, Data]], outer: Mapping[str, Data]) -> dict[str, Data]:
    """What a field may need to know of the fields beside it; the class also from further out."""
    inherited = {name: value for name, value in outer.items() if name == "class_id"}
    return inherited | {field.name: value for field, value in pairs}


def _named_fields(data: Data, declared: ValueType) -> list[tuple[Field, Data]]:
    """The parts of a value, each with its name and declared type; what is beyond the declaration gets a number."""
    if data.type is DataType.STRUCTURE:
        fields = declared.fields if data.type is declared.kind else ()
        return [
            (fields[index] if index < len(fields) else Field(str(index + 1), ANY), value)
            for index, value in enumerate(data)
        ]
    element = declared.element or ANY
    return [(Field(str(index + 1), element), value) for index, value in enumerate(data)]


# -- one line for a constructed value ----------------------------------------------------------------------------------


def _summary(data: Data, declared: ValueType, outer: Mapping[str, Data]) -> str:
    if data.type is not DataType.STRUCTURE:
        return f"{len(data)} element{'' if len(data) == 1 else 's'}"
    pairs = _named_fields(data, declared)
    named = _siblings(pairs, outer)
    teller = _TELLERS.get(declared.title)
    if teller is not None and len(declared.fields) == len(data):
        return teller(named)
    told = ""
    if declared.fields:
        told = ", ".join(
            f"{field.name} {_leaf(value, field.type.alternative_for(value), named)}" for field, value in pairs
        )
    if not told or len(told) > MAX_SUMMARY:
        return f"{len(data)} field{'' if len(data) == 1 else 's'}"
    return told


def _object_words(named: Mapping[str, Data]) -> str:
    """`Active energy import (+A), total (1-0:1.8.0*255), value`; with class and version where there is no attribute."""
    told, class_id = _logical_name_words(named["logical_name"]), _int(named["class_id"])
    attribute = named.get("attribute_index")
    if attribute is None:
        version = f" version {text(named['version'])}" if "version" in named else ""
        return f"{told}, {class_name(class_id)}{version}"
    number = _int(attribute)
    told += ", all attributes" if number == 0 else f", {attribute_name(class_id, number)}"
    index = named.get("data_index")
    return f"{told}, element {text(index)}" if index is not None and _int(index) else told


def _script_words(named: Mapping[str, Data]) -> str:
    """`script 2 of Disconnect control script table (0-0:10.0.106*255)`, with the time where there is one."""
    time, table = named.get("start_time"), named["script_logical_name"]
    when = f"{_leaf(time, _TIME, {})} " if time is not None else ""
    if table.type is DataType.OCTET_STRING and not any(table.value):
        return f"{when}no script"
    return f"{when}script {text(named['script_selector'])} of {_logical_name_words(table)}"


def _action_words(named: Mapping[str, Data]) -> str:
    """`execute remote_disconnect of Disconnect control (0-0:96.3.10*255) with 0`."""
    class_id, index, service = (_int(named[name]) for name in ("class_id", "index", "service_id"))
    member = (method_name if service == _EXECUTE else attribute_name)(class_id, index)
    verb = {1: "write", _EXECUTE: "execute"}.get(service, f"service {service} on")
    target = _logical_name_words(named["logical_name"])
    return f"{verb} {member} of {target} with {text(named['parameter'])}"


def _scaler_words(named: Mapping[str, Data]) -> str:
    return f"scaler {text(named['scaler'])}, unit {_word(_int(named['unit']), _UNIT.words)}"


def _int(data: Data) -> int:
    """The number; -1, which no class and no attribute has, where there is none."""
    return data.value if isinstance(data.value, int) else -1


_EXECUTE: Final = 2
_TELLERS: Final[Mapping[str, Callable[[Mapping[str, Data]], str]]] = {
    "scaler unit": _scaler_words,
    "script action": _action_words,
    "script reference": _script_words,
    "day action": _script_words,
    **dict.fromkeys(
        ("object", "object definition", "attribute reference", "capture object", "push object", "protected object"),
        _object_words,
    ),
}
"""Structures that are told in a sentence, by their titles."""


# -- one value ---------------------------------------------------------------------------------------------------------


def _leaf(data: Data, declared: ValueType, siblings: Mapping[str, Data]) -> str:
    if data.constructed:
        return _summary(data, declared, siblings)
    told = _by_form(data, declared.form, siblings)
    if told is None and declared.words:
        told = _by_words(data, declared)
    if told is None:
        told = text(data)
    return f"{told} {declared.unit}" if declared.unit and data.type in INTEGERS else told


def _by_form(data: Data, form: Form, siblings: Mapping[str, Data]) -> str | None:
    """By what the octets or the number mean; None where they mean nothing more, or cannot."""
    value = data.value
    if form is Form.CLASS_ID and isinstance(value, int):
        return f"{value} {class_name(value)}"
    if form in (Form.ATTRIBUTE_ID, Form.METHOD_ID) and isinstance(value, int):
        return _member_words(value, form, siblings)
    if form is Form.IPV4 and data.type is DataType.DOUBLE_LONG_UNSIGNED:
        return str(IPv4Address(value))
    if form is Form.LOGICAL_NAME:
        return _logical_name_words(data)
    teller = _OCTET_TELLERS.get(form)
    if teller is None or data.type is not DataType.OCTET_STRING:
        return None
    try:
        return teller(data)
    except ValueError:
        return None


def _member_words(number: int, form: Form, siblings: Mapping[str, Data]) -> str:
    class_id = siblings.get("class_id")
    service = siblings.get("service_id")
    if class_id is None or not isinstance(class_id.value, int):
        return str(number)
    if number == 0:
        return "0 all"
    of_method = form is Form.METHOD_ID or (service is not None and _int(service) == _EXECUTE)
    return f"{number} {(method_name if of_method else attribute_name)(class_id.value, number)}"


def _logical_name_words(data: Data) -> str:
    if data.type is not DataType.OCTET_STRING or len(data.value) != 6:
        return text(data)
    if not any(data.value):
        return "none (0-0:0.0.0*0)"
    obis = ObisCode.from_octets(data.value)
    return f"{describe(obis)} ({obis})"


def _moment_words(data: Data) -> str:
    moment = as_date_time(data)
    if moment is None:
        raise ValueError("no date-time")
    return f"{moment} daylight saving" if moment.daylight_saving else str(moment)


def _text_words(data: Data) -> str:
    octets: bytes = data.value
    letters = octets.rstrip(b"\x00")
    if letters and all(0x20 <= octet < 0x7F for octet in letters):
        return f"“{letters.decode('ascii')}”"
    return octets.hex() if octets else "(empty)"


def _identifier_words(data: Data) -> str:
    """An object identifier: dotted, and what it names. Some meters leave tag and length before it."""
    octets: bytes = data.value
    if octets[:1] == b"\x06" and octets[1:2] == bytes((len(octets[2:]),)):
        octets = octets[2:]
    arcs, number = [], 0
    for octet in octets:
        number = number << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(number)
            number = 0
    if not arcs or number:
        raise ValueError("no object identifier")
    first = min(arcs[0] // 40, 2)
    dotted = ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))
    named = _NAMED_ARCS.get(dotted.rpartition(".")[0], {}).get(arcs[-1])
    return f"{named} ({dotted})" if named else dotted


_OCTET_TELLERS: Final[Mapping[Form, Callable[[Data], str]]] = {
    Form.DATE_TIME: _moment_words,
    Form.DATE: lambda data: str(CosemDate.decode(data.value)),
    Form.TIME: lambda data: str(CosemTime.decode(data.value)),
    Form.TEXT: _text_words,
    Form.OBJECT_IDENTIFIER: _identifier_words,
    Form.IPV6: lambda data: str(IPv6Address(data.value)) if len(data.value) == 16 else data.value.hex(),
}


def _by_words(data: Data, declared: ValueType) -> str | None:
    if not declared.bits:
        return _word(data.value, declared.words) if isinstance(data.value, int) else None
    if data.type is DataType.BIT_STRING:
        digits = str(data.value)
        named = [declared.words.get(index, f"bit {index}") for index, digit in enumerate(digits) if digit == "1"]
        return f"{', '.join(named) or 'none'} ({digits or 'no bits'})"
    if not isinstance(data.value, int):
        return None
    if data.value == ALL_BITS.get(data.type):
        return f"not specified ({data.value})"
    set_bits = (bit for bit in range(data.value.bit_length()) if data.value >> bit & 1)
    return f"{', '.join(declared.words.get(bit, f'bit {bit}') for bit in set_bits) or 'none'} ({data.value})"


def _word(value: int, named: Mapping[int, str]) -> str:
    return f"{named[value]} ({int(value)})" if value in named else f"{int(value)}"
