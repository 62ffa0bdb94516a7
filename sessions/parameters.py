"""What a step's `parameters` say, checked once when the step is asked for, and read again by the engine.

READ          {class_id, logical_name, attribute_id}
READ_PROFILE  {logical_name}, with {from_time, to_time} (ISO 8601) or {from_entry, to_entry} when only a part is wanted
WRITE         {class_id, logical_name, attribute_id, value: {type, value}, octets}
INVOKE        {class_id, logical_name, method_id, value: {type, value} | null, octets}

`octets` is the value's A-XDR encoding in hex: exactly what will be sent. A secret does not stand here: `value` is null, `octets`
empty and `secret` true, and the octets wait sealed in the step's row until it has ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from meters.cosem.data import Data
from meters.cosem.obis import ObisCode
from meters.cosem.value_entry import TYPES_BY_NAME, EntryError, from_json, typed_json
from sessions.dlms.axdr import decode_data, encode_data
from sessions.dlms.errors import DlmsError
from sessions.dlms.inspector.secrets import KEY_TRANSFER, SECRET_ATTRIBUTES, SECRET_METHODS
from sessions.object_reference import MAX_CLASS_ID, MAX_ENTRY, EntryRange, TimeRange

Parameters = dict[str, Any]


class ParameterError(ValueError):
    """A parameter that cannot be used; `field` names it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


# -- checking ----------------------------------------------------------------------------------------------------------


def read_parameters(*, class_id: Any, logical_name: Any, attribute_id: Any) -> Parameters:
    """Of a READ step."""
    return {**_object(class_id, logical_name), "attribute_id": _number("attribute_id", attribute_id, -128, 127)}


def profile_parameters(
    *, logical_name: Any, from_time: Any = None, to_time: Any = None, from_entry: Any = None, to_entry: Any = None
) -> Parameters:
    """Of a READ_PROFILE step: a range of times, or of entries, or everything."""
    parameters: Parameters = {"logical_name": _logical_name(logical_name)}
    if from_time or to_time:
        first, last = _moment("from_time", from_time), _moment("to_time", to_time)
        if (first.tzinfo is None) != (last.tzinfo is None):
            raise ParameterError("to_time", "Give both times an offset, or neither.")
        if first > last:
            raise ParameterError("to_time", "The range ends before it begins.")
        return {**parameters, "from_time": first.isoformat(), "to_time": last.isoformat()}
    if from_entry or to_entry:
        first_entry = _number("from_entry", from_entry or 1, 1, MAX_ENTRY)
        last_entry = _number("to_entry", to_entry or 0, 0, MAX_ENTRY)
        if last_entry and last_entry < first_entry:
            raise ParameterError("to_entry", "The range ends before it begins.")
        return {**parameters, "from_entry": first_entry, "to_entry": last_entry}
    return parameters


def write_parameters(*, class_id: Any, logical_name: Any, attribute_id: Any, value: Any) -> Parameters:
    """Of a WRITE step."""
    return {
        **read_parameters(class_id=class_id, logical_name=logical_name, attribute_id=attribute_id),
        **_value(value),
    }


def invoke_parameters(*, class_id: Any, logical_name: Any, method_id: Any, value: Any = None) -> Parameters:
    """Of an INVOKE step; without a value the method gets none."""
    parameters = {**_object(class_id, logical_name), "method_id": _number("method_id", method_id, -128, 127)}
    return {**parameters, **(_value(value) if value is not None else {"value": None, "octets": ""})}


def _object(class_id: Any, logical_name: Any) -> Parameters:
    return {
        "class_id": _number("class_id", class_id, 0, MAX_CLASS_ID),
        "logical_name": _logical_name(logical_name),
    }


def _logical_name(text: Any) -> str:
    try:
        return str(text if isinstance(text, ObisCode) else ObisCode.parse_reduced(str(text)))
    except ValueError as error:
        raise ParameterError("logical_name", str(error)) from None


def _number(field: str, value: Any, least: int, most: int) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise ParameterError(field, "A whole number is needed.") from None
    if not least <= number <= most:
        raise ParameterError(field, f"A whole number from {least} to {most} is needed.")
    return number


def _moment(field: str, value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(str(value or "").strip())
    except ValueError:
        raise ParameterError(field, "An ISO 8601 time is needed, such as 2026-11-01T00:00.") from None


# -- values that are sent ----------------------------------------------------------------------------------------------


def _value(value: Any) -> Parameters:
    data = value if isinstance(value, Data) else data_from_json(value)
    try:
        octets = encode_data(data)
    except (DlmsError, ValueError, OverflowError, TypeError) as error:
        raise ParameterError("value", f"The value does not fit its type: {error}") from None
    return {"value": typed_json(data), "octets": octets.hex()}


def data_from_json(value: Any) -> Data:
    """`{"type": "long-unsigned", "value": 5}` as Data, in the notation of `meters.cosem.value_entry`.

    A structure's or array's value is a list of such. An octet-string is given in hex, or as an ISO 8601 time, which becomes a
    date-time of twelve octets.
    """
    if not isinstance(value, Mapping) or value.get("type") not in TYPES_BY_NAME:
        raise ParameterError("value", f"A value has a type, one of: {', '.join(sorted(TYPES_BY_NAME))}.")
    try:
        return from_json({"type": value["type"], "value": value.get("value")})
    except EntryError as error:
        raise ParameterError("value", str(error)) from None


# -- secrets -----------------------------------------------------------------------------------------------------------


def holds_secret(parameters: Mapping[str, Any]) -> bool:
    """Whether the value that is sent, or read, is a secret of the meter: a password, a key, wrapped or not."""
    class_id = parameters.get("class_id")
    if "method_id" in parameters:
        return (class_id, parameters["method_id"]) in SECRET_METHODS | {KEY_TRANSFER}
    return (class_id, parameters.get("attribute_id")) in SECRET_ATTRIBUTES


def without_secret(parameters: Mapping[str, Any]) -> Parameters:
    """The same without the value: nothing can be sent with them any more."""
    return {**parameters, "value": None, "octets": "", "secret": True}


# -- reading them again ------------------------------------------------------------------------------------------------


def logical_name_of(parameters: Mapping[str, Any]) -> ObisCode:
    return ObisCode.parse(parameters["logical_name"])


def part_of(parameters: Mapping[str, Any]) -> TimeRange | EntryRange | None:
    """Which part of the profile is wanted; None for everything."""
    if "from_time" in parameters:
        first, last = (datetime.fromisoformat(parameters[name]) for name in ("from_time", "to_time"))
        return TimeRange(first, last)
    if "from_entry" in parameters:
        return EntryRange(parameters["from_entry"], parameters["to_entry"])
    return None


def data_of(parameters: Mapping[str, Any]) -> Data | None:
    """The value to send; None when a method is invoked without one."""
    return decode_data(bytes.fromhex(parameters["octets"])) if parameters["octets"] else None
