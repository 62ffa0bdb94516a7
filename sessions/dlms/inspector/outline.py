"""A dissection as lines of text: offset, octets, and the field in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sessions.dlms.cursor import Field
from sessions.dlms.iec62056_21.naming import named_data_sets
from sessions.dlms.inspector.dissection import Dissection
from sessions.dlms.inspector.readings import readings

OCTETS_SHOWN: Final = 8
VALUE_SHOWN: Final = 160
OCTET_COLUMN: Final = OCTETS_SHOWN * 3 + 1


def outline(dissection: Dissection) -> str:
    """The summary, the tree (one field a line, one heading for each source of octets), readings, remarks and the error."""
    lines = [f"{dissection.framing.value}: {dissection.summary}"]
    source = ""
    for child in dissection.fields.children:
        if child.source != source:
            source = child.source
            lines.append(f"  -- {source}, {len(dissection.sources.get(source, b''))} octets")
        lines += _lines(child, dissection.sources, 1)
    if dissection.data is not None:
        lines += [f"  {one.obis}  {one.describe()}" for one in readings(dissection.data)]
    lines += [f"  {one.shown}" for one in named_data_sets(dissection.data_sets)]
    lines += [f"  note: {note}" for note in dissection.notes]
    lines += [f"  deviates from the standard: {text}" for text in dissection.deviations]
    if dissection.error is not None:
        lines.append(f"  {dissection.error.layer} error ({dissection.error.code}): {dissection.error.message}")
        if dissection.error.hint:
            lines.append(f"  {dissection.error.hint}")
    return "\n".join(lines)


def _lines(field: Field, sources: dict[str, bytes], depth: int) -> Iterator[str]:
    octets = sources.get(field.source, b"")[field.offset : field.offset + field.length]
    shown = octets[:OCTETS_SHOWN].hex(" ") + ("…" if len(octets) > OCTETS_SHOWN else "")
    # A group whose parts follow shows none of its octets twice.
    column = "" if field.children else shown
    value = field.value if len(field.value) <= VALUE_SHOWN else f"{field.value[: VALUE_SHOWN - 1]}…"
    # A value of several lines (a P1 telegram) stays one line here.
    value = value.replace("\r\n", " ").replace("\n", " ").replace("\r", " ")
    words = f"{field.name}: {value}" if value else field.name
    error = f"  <- {field.error}" if field.error else ""
    yield f"{field.offset:6}  {column:{OCTET_COLUMN}}{'  ' * depth}{words}{error}"
    for child in field.children:
        yield from _lines(child, sources, depth + 1)
