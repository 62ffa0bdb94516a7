"""What of a value is not as its class declares it: types, fields, lengths, enumerations without a meaning, impossible dates.

`ValueType.fits` says whether the types agree; `faults` looks into the values, too, and says where each fault is. Source: Blue
Book, clause 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from meters.cosem.data import Data, DataType
from meters.cosem.date_time import CosemDate, CosemDateTime, CosemTime
from meters.cosem.value_type import Form, ValueType

_MOMENTS: Final[Mapping[Form, Callable[[bytes], Any]]] = {
    Form.DATE_TIME: CosemDateTime.decode,
    Form.DATE: CosemDate.decode,
    Form.TIME: CosemTime.decode,
}


def faults(data: Data, declared: ValueType, path: str = "") -> Iterator[str]:
    """Each fault with its place: `[2].unit: 250 is none of its values`. Nothing for a value that is as declared."""
    if declared.kind is None:
        yield from _choice_faults(data, declared, path)
    elif declared.kind is DataType.STRUCTURE and declared.fields:
        yield from _structure_faults(data, declared, path)
    elif declared.element is not None:
        yield from _array_faults(data, declared.element, path)
    elif not declared.fits(data):
        yield _at(path, f"{data.type.asn1_name} is no {declared}")
    else:
        yield from _single_faults(data, declared, path)


def _at(path: str, fault: str) -> str:
    return f"{path.removeprefix('.')}: {fault}" if path else fault


def _choice_faults(data: Data, declared: ValueType, path: str) -> Iterator[str]:
    """Those of the alternative that comes nearest."""
    if declared.numeric or not declared.alternatives:
        if not declared.fits(data):
            yield _at(path, f"{data.type.asn1_name} is no {declared}")
        return
    if all(any(faults(data, alternative)) for alternative in declared.alternatives):
        chosen = declared.alternative_for(data)
        if chosen is declared:
            yield _at(path, f"{data.type.asn1_name} is no {declared}")
        else:
            yield from faults(data, chosen, path)


def _structure_faults(data: Data, declared: ValueType, path: str) -> Iterator[str]:
    if data.type is not DataType.STRUCTURE or len(data) != len(declared.fields):
        found = f"a structure of {len(data)}" if data.type is DataType.STRUCTURE else data.type.asn1_name
        yield _at(path, f"{found} is no {declared} with {len(declared.fields)} fields")
        return
    for part, value in zip(declared.fields, data, strict=True):
        yield from faults(value, part.type, f"{path}.{part.name}")


def _array_faults(data: Data, element: ValueType, path: str) -> Iterator[str]:
    if data.type is not DataType.ARRAY:
        yield _at(path, f"{data.type.asn1_name} is no array of {element}")
        return
    for number, value in enumerate(data, 1):
        yield from faults(value, element, f"{path}[{number}]")


def _single_faults(data: Data, declared: ValueType, path: str) -> Iterator[str]:
    if data.type is DataType.ENUM and declared.words:
        meant = (
            not data.value & ~sum(1 << bit for bit in declared.words) if declared.bits else data.value in declared.words
        )
        if not meant:
            yield _at(path, f"{data.value} is none of its values")
    if declared.form in _MOMENTS:
        moment = _MOMENTS[declared.form](data.value) if data.type is DataType.OCTET_STRING else data.value
        if not moment.in_range:
            yield _at(path, f"{moment} is no {declared.form.value}")
