"""Compact-arrays: one description of a type, and the contents of many values of it without tags (IEC 62056-6-2, data types).

The same stands in two attributes of Compact data (class 62): template_description and compact_buffer.

A description may multiply: an array of 65535 arrays of 65535. So the values are counted before any of them is made, and they
are made only when somebody looks: what is decoded here is where each element begins.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

from meters.cosem.data import CONSTRUCTED, CompactArray, Data, DataType, TypeDescription
from sessions.dlms.cursor import MAX_DEPTH, Reader, Tracer, Writer
from sessions.dlms.elements import Elements
from sessions.dlms.errors import InvalidValueError, LimitExceededError, UnknownTagError
from sessions.dlms.scalars import FIXED_OCTETS, TYPES, behind_sized, read_value, write_untagged_value

LEAST_VALUES: Final = 4096
VALUES_PER_OCTET: Final = 8
MOST_VALUES: Final = 1_000_000
"""How many values the contents may have: values of no octets (null-data, the structures around) are in any, but few."""
MAX_DESCRIBED: Final = 4096
"""Types in one description."""

_SIMPLE: Final = {kind: TypeDescription(kind) for kind in DataType if kind not in CONSTRUCTED}
_NEVER_DESCRIBED: Final = (DataType.COMPACT_ARRAY, DataType.DONT_CARE)

Step = tuple[int, "DataType | Steps | None"]
"""So many octets; or a string or bits with a length of their own; or so many times the same steps."""
Steps = tuple[Step, ...]
"""The way over one element."""


# -- descriptions ------------------------------------------------------------------------------------------------------


def read_type_description(reader: Reader, *, depth: int = 0) -> TypeDescription:
    """The type-description of a compact-array, or of a template_description of class 62."""
    return _read_description(reader, depth, [MAX_DESCRIBED])


def _read_description(reader: Reader, depth: int, left: list[int]) -> TypeDescription:
    at = reader.position
    tag = reader.u8("type-description")
    kind = TYPES[tag]
    if kind is None or kind in _NEVER_DESCRIBED:
        raise UnknownTagError("type-description", at, f"{tag} cannot stand in a type description")
    reader.label(f"{tag} ({kind.asn1_name})")
    left[0] -= 1
    if left[0] < 0:
        raise LimitExceededError("type-description", at, f"more than {MAX_DESCRIBED} types in one description")
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if depth >= MAX_DEPTH:
        raise LimitExceededError("type-description", at, f"nested deeper than {MAX_DEPTH}")
    if kind is DataType.ARRAY:
        count = reader.u16("number-of-elements")
        return TypeDescription(kind, (_read_description(reader, depth + 1, left),), count)
    members = reader.count("count")
    return TypeDescription(kind, tuple([_read_description(reader, depth + 1, left) for _ in range(members)]))


def write_type_description(writer: Writer, description: TypeDescription) -> None:
    """The mirror of `read_type_description`."""
    writer.u8(description.type)
    if description.type is DataType.ARRAY:
        writer.u16(description.count)
    elif description.type is DataType.STRUCTURE:
        writer.length(len(description.members))
    for member in description.members:
        write_type_description(writer, member)


def _values_in(description: TypeDescription) -> int:
    """How many values one element is, itself and all that it holds."""
    inside = sum(map(_values_in, description.members))
    return 1 + inside * (description.count if description.type is DataType.ARRAY else 1)


def _steps(description: TypeDescription) -> Steps:
    kind = description.type
    if kind is DataType.STRUCTURE:
        return _joined(step for member in description.members for step in _steps(member))
    if kind is DataType.ARRAY:
        inner = _steps(description.members[0]) if description.count else ()
        size = _fixed_octets(inner)
        return ((description.count, inner),) if size is None else _joined([(size * description.count, None)])
    octets = FIXED_OCTETS.get(kind)
    return ((1, kind),) if octets is None else _joined([(octets, None)])


def _joined(steps: Iterable[Step]) -> Steps:
    """Octets that stand together in one step, and no step for none."""
    joined: list[Step] = []
    for number, what in steps:
        if what is None and joined and joined[-1][1] is None:
            joined[-1] = (joined[-1][0] + number, None)
        elif number:
            joined.append((number, what))
    return tuple(joined)


def _fixed_octets(steps: Steps) -> int | None:
    """The size of what every element has as many octets of; None where that depends."""
    if not steps:
        return 0
    return steps[0][0] if len(steps) == 1 and steps[0][1] is None else None


# -- elements ----------------------------------------------------------------------------------------------------------


def _element(octets: bytes, description: TypeDescription, start: int) -> Data:
    """The element that begins there. All were walked over once, so that reading one cannot fail."""
    reader = Reader(octets)
    reader.offset = start
    return _read_untagged(reader, description)


def read_compact_array(reader: Reader, *, depth: int = 0) -> CompactArray:
    """Description, length and contents, behind the tag."""
    description = read_type_description(reader, depth=depth)
    contents = reader.sub(reader.length("length"), "contents")
    return CompactArray(description, read_untagged_elements(contents, description))


def decode_compact_data(template_description: bytes, compact_buffer: bytes) -> CompactArray:
    """The two attributes of Compact data (class 62) together; raises the typed decode errors."""
    reader = Reader(template_description)
    description = read_type_description(reader)
    reader.finish("template-description")
    return CompactArray(description, read_untagged_elements(Reader(compact_buffer), description))


def read_untagged_elements(contents: Reader, description: TypeDescription) -> Sequence[Data]:
    """Elements until the contents are used up."""
    if not contents.remaining:
        return ()
    allowed = min(LEAST_VALUES + VALUES_PER_OCTET * contents.remaining, MOST_VALUES)
    most = allowed // _values_in(description)
    starts = _starts(contents, description, most) if most else ()
    if not most or len(starts) > most:
        raise LimitExceededError("compact-array", contents.position, f"more than {allowed} elements")
    elements = Elements(partial(_element, contents.octets, description), starts)
    if contents.tracer is not None:
        _list(contents, contents.tracer, description, starts)
    contents.offset = contents.end
    return elements


def _starts(contents: Reader, description: TypeDescription, most: int) -> Sequence[int]:
    """Where each element begins, for `most` elements and one more."""
    steps = _steps(description)
    size = _fixed_octets(steps)
    if size == 0:
        raise InvalidValueError("compact-array", contents.position, "elements without octets, but contents are left")
    if size is not None:
        starts: Sequence[int] = range(0, contents.end, size)
        behind = starts[-1] + size
    else:
        starts, behind = _walk_over(contents.octets, steps, most)
    if behind > contents.end:
        contents.offset = starts[-1]
        _read_untagged(contents, description)  # raises: the last element is cut, or a length in it is none
    return starts


def _walk_over(octets: bytes, steps: Steps, most: int) -> tuple[Sequence[int], int]:
    """Where elements of several sizes begin, and where the last one ends: behind the octets, where it is not whole."""
    starts, at = array("I"), 0
    while at < len(octets) and len(starts) <= most:
        starts.append(at)
        try:
            at = _walk(octets, at, steps)
        except IndexError:
            at = len(octets) + 1
    return starts, at


def _walk(octets: bytes, at: int, steps: Steps) -> int:
    """Where the element at `at` ends; IndexError where it is not whole."""
    for number, what in steps:
        if what is None:
            at += number
        elif isinstance(what, DataType):
            at = behind_sized(octets, at, what)
        else:
            for _ in range(number):
                at = _walk(octets, at, what)
    return at


def _list(contents: Reader, tracer: Tracer, description: TypeDescription, starts: Sequence[int]) -> None:
    """The fields of the elements, as far as the tree is wanted to grow."""
    for number, start in enumerate(starts):
        contents.offset = start
        if tracer.left <= 0:
            tracer.add("elements", contents.position, contents.remaining, f"{len(starts) - number} more, not listed")
            break
        _read_untagged(contents, description)


def _read_untagged(reader: Reader, description: TypeDescription) -> Data:
    kind = description.type
    if kind is DataType.ARRAY:
        element = description.members[0]
        return Data(kind, tuple([_read_untagged(reader, element) for _ in range(description.count)]))
    if kind is DataType.STRUCTURE:
        return Data(kind, tuple([_read_untagged(reader, member) for member in description.members]))
    return read_value(reader, kind)


# -- writing -----------------------------------------------------------------------------------------------------------


def write_compact_array(writer: Writer, value: CompactArray) -> None:
    """Description, length and contents, behind the tag; ValueError where an element is not as described."""
    write_type_description(writer, value.description)
    contents = Writer()
    for element in value.elements:
        _write_untagged(contents, element, value.description)
    writer.octet_string(contents.octets())


def encode_compact_data(value: Data) -> tuple[bytes, bytes]:
    """The template_description and the compact_buffer of class 62 that hold one value; ValueError where none describes it."""
    description, contents = type_description_of(value), Writer()
    _write_untagged(contents, value, description)
    template = Writer()
    write_type_description(template, description)
    return template.octets(), contents.octets()


def type_description_of(value: Data) -> TypeDescription:
    """ValueError for an array whose elements are not alike, and for what no description has."""
    kind = value.type
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if kind is DataType.COMPACT_ARRAY:
        raise ValueError("a compact-array has no place in another one")
    members = tuple(type_description_of(each) for each in value)
    if kind is DataType.STRUCTURE:
        return TypeDescription(kind, members)
    if len(set(members)) > 1:
        raise ValueError("the elements of an array are not alike")
    return TypeDescription(kind, members[:1] or (_SIMPLE[DataType.NULL_DATA],), len(members))


def _write_untagged(writer: Writer, data: Data, description: TypeDescription) -> None:
    kind = description.type
    if data.type is not kind:
        raise ValueError(f"{data.type.asn1_name} in a compact-array where {kind.asn1_name} is described")
    if kind not in (DataType.ARRAY, DataType.STRUCTURE):
        write_untagged_value(writer, kind, data.value)
        return
    members = description.members * description.count if kind is DataType.ARRAY else description.members
    if len(data.value) != len(members):
        raise ValueError(f"{len(data.value)} elements in a compact-array where {len(members)} are described")
    for element, member in zip(data.value, members, strict=True):
        _write_untagged(writer, element, member)
