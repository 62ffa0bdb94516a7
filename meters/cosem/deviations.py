"""Date-times of meters that count the deviation the other way, turned into the standard's, and back (Blue Book, 4.1.6.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from meters.cosem.data import CompactArray, Data, DataType
from meters.cosem.date_time import CosemDateTime, looks_like_date_time
from meters.cosem.value_type import Form, ValueType

_ANY: Final = ValueType()
_LEAST: Final = -0x7FFF
"""What has an opposite in 16 bits that does not mean "not specified"."""


def reversed_deviations(data: Data, declared: ValueType = _ANY, *, guess: bool = False) -> Data:
    """The value with the opposite deviation in each of its date-times; twice gives the value itself.

    `guess`: also in octet-strings that nobody declared and that look like date-times.
    """
    if data.constructed:
        return _reversed_parts(data, declared.alternative_for(data), guess)
    if data.type is DataType.DATE_TIME:
        return Data(data.type, _reversed(data.value))
    meant = declared.alternative_for(data)
    guessed = guess and meant.is_any and data.type is DataType.OCTET_STRING and looks_like_date_time(data.value)
    is_moment = meant.form is Form.DATE_TIME and data.type is DataType.OCTET_STRING and len(data.value) == 12
    if guessed or is_moment:
        return Data(data.type, _reversed(CosemDateTime.decode(data.value)).encode())
    return data


def _reversed(moment: CosemDateTime) -> CosemDateTime:
    if moment.deviation is None or moment.deviation < _LEAST:
        return moment
    return replace(moment, deviation=-moment.deviation)


def _reversed_parts(data: Data, declared: ValueType, guess: bool) -> Data:
    fields = declared.fields if data.type is DataType.STRUCTURE and len(declared.fields) == len(data) else ()
    types = [field.type for field in fields] or [declared.element or _ANY] * len(data)
    parts = tuple(reversed_deviations(part, kind, guess=guess) for part, kind in zip(data, types, strict=True))
    if data.type is DataType.COMPACT_ARRAY:
        return Data(data.type, CompactArray(data.value.description, parts))
    return Data(data.type, parts)
