"""Values as a person writes them, without loss: what is written here for a value is read as the same value.

Single values are text (`parse_entry`, `entry_text`): numbers, true and false, OBIS codes, dates and times in the notation of
`date_time_text`, octets in hex (or `text:…`), characters of text-like octet-strings as they are (or `hex:…`), bits as 0 and 1.

Constructed values are JSON (`from_json`, `to_json`): a declared structure is an object of its fields, an array a list. What is
not declared, or is not what was declared, carries its type: `{"type": "unsigned", "value": 1}`; a compact-array its description
as well: `"unsigned"`, `{"array": 3, "of": …}` or `{"structure": […]}`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final

from meters.cosem.data import CONSTRUCTED, INTEGERS, BitString, CompactArray, Data, DataType, TypeDescription, as_json
from meters.cosem.date_time import CosemDate, CosemDateTime, CosemTime
from meters.cosem.date_time_text import (
    date_text,
    date_time_text,
    parse_date,
    parse_date_time,
    parse_time,
    time_text,
)
from meters.cosem.obis import ObisCode
from meters.cosem.value_type import RANGES, Form, ValueType

MAX_DEPTH: Final = 32
MAX_SHOWN: Final = 40
TYPES_BY_NAME: Final = {kind.asn1_name: kind for kind in DataType}
INTEGRAL: Final = INTEGERS | {kind for kind in DataType if kind.name.startswith("DELTA_")}
DELTA_RANGES: Final = {kind: RANGES[DataType[kind.name.removeprefix("DELTA_")]] for kind in INTEGRAL - INTEGERS}
EMPTY: Final = frozenset({DataType.NULL_DATA, DataType.DONT_CARE})
NOT_DESCRIBED: Final = CONSTRUCTED | {DataType.DONT_CARE}
MAX_COUNT: Final = 0xFFFF
HEX, TEXT = "hex:", "text:"
ANY: Final = ValueType()


class EntryError(ValueError):
    """What was written is no value of the type. `path` says where, as `[1].actions[2].index`; empty for the whole."""

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(f"{path.removeprefix('.')}: {reason}" if path else reason)
        self.reason = reason
        self.path = path


# -- single values -----------------------------------------------------------------------------------------------------


def parse_entry(text: str, declared: ValueType) -> Data:
    """A single value from its text; EntryError says what is wrong. `declared.kind` must be a single type."""
    kind = declared.kind
    if kind is None or declared.constructed:
        raise EntryError(f"{declared} is not written as text")
    if kind in EMPTY:
        if text.strip():
            raise EntryError(f"{kind.asn1_name} has no value")
        return Data(kind)
    try:
        data = Data(kind, _READERS.get(kind, _read_number)(text, declared))
    except (ValueError, OverflowError) as error:
        raise EntryError(str(error)) from None
    _check_size(data, declared)
    return data


def entry_text(data: Data, declared: ValueType = ANY) -> str:
    """What `parse_entry` reads as this value, where the value has the declared type."""
    value = data.value
    if data.type in EMPTY:
        return ""
    if data.type is DataType.OCTET_STRING:
        return _octets_text(value, declared.form)
    if data.type is DataType.DOUBLE_LONG_UNSIGNED and declared.form is Form.IPV4:
        return str(IPv4Address(value))
    if data.type in (DataType.VISIBLE_STRING, DataType.UTF8_STRING):
        return _characters_text(value)
    if data.type in _PRINTERS:
        return _PRINTERS[data.type](value)
    if data.type is DataType.BOOLEAN:
        return "true" if value else "false"
    return str(as_json(data))


def _check_size(data: Data, declared: ValueType) -> None:
    if not declared.size or not isinstance(data.value, bytes | BitString):
        return
    is_bits = isinstance(data.value, BitString)
    length = data.value.length if isinstance(data.value, BitString) else len(data.value)
    if length != declared.size:
        unit = "bits" if is_bits else "octets"
        raise EntryError(f"{declared.size} {unit} are needed, these are {length}")


def _read_number(text: str, declared: ValueType) -> int:
    """A whole number in its range, or the word that stands for one."""
    assert declared.kind is not None
    shown = text.strip()
    by_word = {word.lower(): value for value, word in declared.words.items()} if not declared.bits else {}
    if shown.lower() in by_word:
        return by_word[shown.lower()]
    if declared.form is Form.IPV4 and "." in shown:
        return int(IPv4Address(shown))
    try:
        number = int(shown, 16 if shown[:2].lower() == "0x" else 10)
    except ValueError:
        raise ValueError(f"“{shown[:MAX_SHOWN]}” is no whole number") from None
    least, most = RANGES.get(declared.kind) or DELTA_RANGES[declared.kind]
    if not least <= number <= most:
        raise ValueError(f"{shown[:MAX_SHOWN]} is out of range: {declared.kind.asn1_name} is {least} to {most}")
    return number


def _read_float(text: str, declared: ValueType) -> float:
    try:
        number = float(text.strip())
    except ValueError:
        raise ValueError(f"“{text.strip()[:MAX_SHOWN]}” is no number") from None
    if declared.kind is DataType.FLOAT64:
        return number
    try:
        rounded: float = struct.unpack(">f", struct.pack(">f", number))[0]
    except OverflowError:
        raise ValueError(f"{text.strip()[:MAX_SHOWN]} is too large for a float32") from None
    return rounded


def _read_boolean(text: str, declared: ValueType) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if text.strip().lower() not in words:
        raise ValueError(f"“{text.strip()[:MAX_SHOWN]}” is neither true nor false")
    return words[text.strip().lower()]


def _read_bits(text: str, declared: ValueType) -> BitString:
    digits = "".join(text.split())
    if set(digits) - {"0", "1"}:
        raise ValueError("only the digits 0 and 1 may stand here")
    padded = digits.ljust(-(-len(digits) // 8) * 8, "0")
    return BitString(int(padded or "0", 2).to_bytes(len(padded) // 8, "big"), len(digits))


def _read_bcd(text: str, declared: ValueType) -> int:
    digits = text.strip().removeprefix(HEX)
    if len(digits) > 2 or not digits.isalnum():
        raise ValueError("a bcd is two decimal digits")
    return int(digits, 16)


def _read_characters(text: str, declared: ValueType) -> bytes:
    if text.startswith(HEX):
        return _from_hex(text.removeprefix(HEX))
    return text.removeprefix(TEXT).encode("utf-8")


def _read_octets(text: str, declared: ValueType) -> bytes:
    shown = text.strip()
    if shown.startswith(HEX):
        return _from_hex(shown.removeprefix(HEX))
    if text.startswith(TEXT):
        return text.removeprefix(TEXT).encode("utf-8")
    reader = _OCTET_READERS.get(declared.form)
    if declared.form is Form.TEXT:
        return text.encode("utf-8")
    if reader is not None and not (len(shown) == 2 * declared.size and _is_hex(shown)):
        return reader(shown)
    if _is_hex(shown):
        return bytes.fromhex(shown)
    if declared.form is Form.PLAIN and ":" in shown and "-" in shown:
        return parse_date_time(shown).encode()
    return _from_hex(shown)


def _is_hex(text: str) -> bool:
    try:
        bytes.fromhex(text)
    except ValueError:
        return False
    return True


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError(
            f"“{text.strip()[:MAX_SHOWN]}” is not hex: write octets as 00ff, or characters as text:…"
        ) from None


_OCTET_READERS: Final[Mapping[Form, Callable[[str], bytes]]] = {
    Form.LOGICAL_NAME: lambda text: ObisCode.parse(text).octets,
    Form.DATE_TIME: lambda text: parse_date_time(text).encode(),
    Form.DATE: lambda text: parse_date(text).encode(),
    Form.TIME: lambda text: parse_time(text).encode(),
    Form.IPV6: lambda text: IPv6Address(text).packed,
}
_READERS: Final[Mapping[DataType, Callable[[str, ValueType], Any]]] = {
    DataType.BOOLEAN: _read_boolean,
    DataType.BIT_STRING: _read_bits,
    DataType.BCD: _read_bcd,
    DataType.OCTET_STRING: _read_octets,
    DataType.VISIBLE_STRING: _read_characters,
    DataType.UTF8_STRING: _read_characters,
    DataType.FLOAT32: _read_float,
    DataType.FLOAT64: _read_float,
    DataType.DATE_TIME: lambda text, declared: parse_date_time(text),
    DataType.DATE: lambda text, declared: parse_date(text),
    DataType.TIME: lambda text, declared: parse_time(text),
}
_PRINTERS: Final[Mapping[DataType, Callable[[Any], str]]] = {
    DataType.BIT_STRING: str,
    DataType.BCD: lambda octet: f"{octet:02x}",
    DataType.DATE_TIME: date_time_text,
    DataType.DATE: date_text,
    DataType.TIME: time_text,
}


def _octets_text(octets: bytes, form: Form) -> str:
    match form:
        case Form.LOGICAL_NAME if len(octets) == 6:
            return str(ObisCode.from_octets(octets))
        case Form.DATE_TIME if len(octets) == 12:
            return date_time_text(CosemDateTime.decode(octets))
        case Form.DATE if len(octets) == 5:
            return date_text(CosemDate.decode(octets))
        case Form.TIME if len(octets) == 4:
            return time_text(CosemTime.decode(octets))
        case Form.IPV6 if len(octets) == 16:
            return str(IPv6Address(octets))
        case Form.TEXT:
            return _characters_text(octets)
    return octets.hex()


def _characters_text(octets: bytes) -> str:
    """The characters where they can be typed again, else the octets in hex."""
    try:
        characters = octets.decode("utf-8")
    except UnicodeDecodeError:
        return HEX + octets.hex()
    if not all(character.isprintable() for character in characters):
        return HEX + octets.hex()
    return TEXT + characters if characters.startswith((HEX, TEXT)) else characters


# -- constructed values ------------------------------------------------------------------------------------------------


def to_json(data: Data, declared: ValueType = ANY) -> Any:
    """What `from_json` reads as this value."""
    if declared.kind is None:
        return _choice_json(data, declared)
    if not declared.fits(data) or data.type is not declared.kind:
        return typed_json(data)
    if declared.kind is DataType.STRUCTURE and declared.fields:
        return {field.name: to_json(value, field.type) for field, value in zip(declared.fields, data, strict=True)}
    if data.constructed and data.type is not DataType.COMPACT_ARRAY:
        return [to_json(value, declared.element or ANY) for value in data]
    return _single_json(data, declared)


def _choice_json(data: Data, declared: ValueType) -> Any:
    """Without its type where the alternatives can be told apart, else with it."""
    chosen = declared.alternative_for(data)
    if chosen.kind is not None and chosen.fits(data):
        plain = to_json(data, chosen)
        try:
            if from_json(plain, declared) == data:
                return plain
        except EntryError:
            pass
    return typed_json(data)


def typed_json(data: Data) -> dict[str, Any]:
    """`{"type": "unsigned", "value": 1}`; a structure's or array's value is a list of such."""
    if data.type in EMPTY:
        return {"type": data.type.asn1_name}
    if data.constructed:
        told: dict[str, Any] = {"type": data.type.asn1_name, "value": [typed_json(value) for value in data]}
        if data.type is DataType.COMPACT_ARRAY:
            told["description"] = _description_json(data.value.description)
        return told
    return {"type": data.type.asn1_name, "value": _single_json(data, ValueType(data.type))}


def _description_json(description: TypeDescription) -> Any:
    if description.type is DataType.ARRAY:
        return {"array": description.count, "of": _description_json(description.members[0])}
    if description.type is DataType.STRUCTURE:
        return {"structure": [_description_json(member) for member in description.members]}
    return description.type.asn1_name


def _single_json(data: Data, declared: ValueType) -> Any:
    if data.type in EMPTY:
        return None
    if data.type in INTEGRAL and declared.form is not Form.IPV4:
        return int(data.value)
    if data.type is DataType.BOOLEAN:
        return data.value
    if data.type in (DataType.FLOAT32, DataType.FLOAT64):
        return as_json(data)
    return entry_text(data, declared)


def from_json(value: Any, declared: ValueType = ANY, *, path: str = "", depth: int = 0) -> Data:
    """A value from JSON; EntryError says what is wrong, and where."""
    if depth > MAX_DEPTH:
        raise EntryError(f"more than {MAX_DEPTH} values inside each other", path)
    if isinstance(value, Mapping) and "type" in value and not set(value) - {"type", "value", "description"}:
        return _from_typed(value, path, depth)
    if declared.kind is None:
        return _from_choice(value, declared, path, depth)
    if declared.kind is DataType.STRUCTURE:
        return _from_structure(value, declared, path, depth)
    if declared.kind is DataType.ARRAY:
        return _from_list(value, declared, path, depth)
    return _from_single(value, declared, path)


def _from_choice(value: Any, declared: ValueType, path: str, depth: int) -> Data:
    if not declared.alternatives:
        raise EntryError('a type is needed, as in {"type": "unsigned", "value": 1}', path)
    reasons = []
    for alternative in declared.alternatives:
        try:
            return from_json(value, alternative, path=path, depth=depth)
        except EntryError as error:
            reasons.append(error.reason)
    raise EntryError(f"it is no {declared} ({'; '.join(reasons)})", path)


def _from_structure(value: Any, declared: ValueType, path: str, depth: int) -> Data:
    fields = declared.fields
    if isinstance(value, list):
        return _from_fields(value, declared, path, depth)
    if not isinstance(value, Mapping) or not fields:
        raise EntryError(f"{declared} is {'an object of its fields' if fields else 'a list of values'}", path)
    names = [field.name for field in fields]
    missing = [name for name in names if name not in value]
    beyond = [str(name)[:MAX_SHOWN] for name in value if name not in names]
    if missing or beyond:
        told = [f"{', '.join(missing)} is missing"] if missing else []
        told += [f"{', '.join(beyond)} is no field of {declared}"] if beyond else []
        raise EntryError("; ".join(told), path)
    return _from_fields([value[name] for name in names], declared, path, depth)


def _from_fields(values: list[Any], declared: ValueType, path: str, depth: int) -> Data:
    fields = declared.fields
    if fields and len(values) != len(fields):
        raise EntryError(f"{declared} has {len(fields)} fields, these are {len(values)}", path)
    types = [(f".{field.name}", field.type) for field in fields] or [(f"[{n + 1}]", ANY) for n in range(len(values))]
    parts = zip(values, types, strict=True)
    return Data(
        DataType.STRUCTURE,
        tuple(from_json(value, kind, path=path + name, depth=depth + 1) for value, (name, kind) in parts),
    )


def _from_list(value: Any, declared: ValueType, path: str, depth: int) -> Data:
    if not isinstance(value, list):
        raise EntryError(f"{declared} is a list", path)
    element = declared.element or ANY
    return Data(
        DataType.ARRAY,
        tuple(
            from_json(one, element, path=f"{path}[{number}]", depth=depth + 1) for number, one in enumerate(value, 1)
        ),
    )


def _from_typed(value: Mapping[str, Any], path: str, depth: int) -> Data:
    kind = TYPES_BY_NAME.get(str(value["type"]))
    if kind is None:
        raise EntryError(f"“{str(value['type'])[:MAX_SHOWN]}” is no type, one of: {', '.join(TYPES_BY_NAME)}", path)
    if kind is DataType.COMPACT_ARRAY and "description" in value:
        elements = _from_list(value.get("value"), ANY, path, depth).value
        return Data(kind, CompactArray(_description(value["description"], f"{path}.description", depth), elements))
    return from_json(value.get("value"), ValueType(kind), path=path, depth=depth + 1)


def _description(value: Any, path: str, depth: int) -> TypeDescription:
    """What the elements of a compact-array are, as `_description_json` tells it."""
    if depth > MAX_DEPTH:
        raise EntryError(f"more than {MAX_DEPTH} types inside each other", path)
    match value:
        case str() if value in TYPES_BY_NAME and TYPES_BY_NAME[value] not in NOT_DESCRIBED:
            return TypeDescription(TYPES_BY_NAME[value])
        case {"array": int(count), "of": element} if 0 <= count <= MAX_COUNT:
            return TypeDescription(DataType.ARRAY, (_description(element, f"{path}.of", depth + 1),), count)
        case {"structure": list(members)}:
            described = (_description(one, f"{path}[{n}]", depth + 1) for n, one in enumerate(members, 1))
            return TypeDescription(DataType.STRUCTURE, tuple(described))
    raise EntryError('a type is described as "unsigned", {"array": 3, "of": …} or {"structure": […]}', path)


def _from_single(value: Any, declared: ValueType, path: str) -> Data:
    kind = declared.kind
    assert kind is not None
    if kind is DataType.COMPACT_ARRAY:
        raise EntryError("a compact-array is entered with its type and description, or as an array", path)
    if isinstance(value, list | Mapping):
        raise EntryError(f"{declared} is a single value", path)
    if kind in EMPTY or value is None:
        if value is not None or kind not in EMPTY:
            raise EntryError(f"{'it has no value' if kind in EMPTY else f'{declared} needs a value'}", path)
        return Data(kind)
    if isinstance(value, float) and kind not in (DataType.FLOAT32, DataType.FLOAT64):
        raise EntryError(f"{value} is no {declared}", path)
    written = str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, bool) and kind is not DataType.BOOLEAN:
        raise EntryError(f"{written} is no {declared}", path)
    try:
        return parse_entry(written, declared)
    except EntryError as error:
        raise EntryError(error.reason, path) from None
