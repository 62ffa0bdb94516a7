"""What the inspector says about one frame: a line, a tree of fields, the octets behind every step, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from meters.cosem.data import Data, as_json
from sessions.dlms.cursor import Field
from sessions.dlms.errors import DlmsError
from sessions.dlms.iec62056_21.data_set import DataSet
from sessions.dlms.iec62056_21.naming import named_data_sets
from sessions.dlms.inspector.readings import readings

if TYPE_CHECKING:
    from sessions.dlms.apdu import Apdu

MASK: Final = 0x2A
"""The octet that stands for each octet of a secret: an asterisk."""


class Framing(Enum):
    """What carries the APDU."""

    HDLC = "hdlc"
    WRAPPER = "wrapper"
    LLC = "llc"
    MBUS = "mbus"
    IEC62056_21 = "iec62056-21"
    APDU = "apdu"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Dissection:
    """One frame, opened.

    `fields` is the root of the tree; each field's offset and length count octets of `sources[field.source]`: "frame" for what
    was on the line, "apdu" for an APDU that took several HDLC frames, "block-transfer" for one that took several general
    blocks, "plaintext" for what was deciphered, "data" for a value that took several service blocks. `apdu` is the innermost
    APDU that was understood, `apdu_octets` the one that the link carried, `data` a value that became complete with this frame,
    `data_sets` the data lines of an IEC 62056-21 message or a P1 telegram.
    `starts_apdu`: nothing before this frame is needed to understand it. `notes` are remarks that are no errors, `deviations`
    what the standard does not allow and is understood all the same.
    """

    summary: str
    fields: Field
    framing: Framing
    sources: dict[str, bytes]
    apdu: Apdu | None = None
    apdu_octets: bytes | None = None
    plaintext: bytes | None = None
    data: Data | None = None
    data_sets: tuple[DataSet, ...] = ()
    error: DlmsError | None = None
    starts_apdu: bool = True
    notes: list[str] = field(default_factory=list)
    deviations: list[str] = field(default_factory=list)
    copies: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Sources that stand as they are in another one, as what is authenticated only does: in which, and where."""
    secrets: list[tuple[int, int]] = field(default_factory=list)
    """Offset and length of each run of secret octets in the frame."""

    def as_json(self, *, reveal: bool = False) -> dict[str, Any]:
        """As JSON-ready data. Secrets are masked, in the tree and in the plaintext, unless `reveal` is set."""
        sources = self.sources if reveal else masked_sources(self)
        plaintext = sources.get("plaintext") if self.plaintext is not None else None
        return {
            "framing": self.framing.value,
            "summary": self.summary,
            "fields": [field_json(child, sources, reveal=reveal) for child in self.fields.children],
            "sources": {name: octets.hex() for name, octets in sources.items()},
            "plaintext": None if plaintext is None else plaintext.hex(),
            "data": None if self.data is None else as_json(self.data),
            "readings": self._readings(),
            "notes": [*self.notes, *(f"deviates from the standard: {text}" for text in self.deviations)],
            "deviations": list(self.deviations),
            "error": None if self.error is None else self.error.as_dict(),
        }

    def _readings(self) -> list[dict[str, Any]]:
        found = [] if self.data is None else [one.as_json() for one in readings(self.data)]
        return found + [named.as_json() for named in named_data_sets(self.data_sets)]


def field_json(one: Field, sources: dict[str, bytes], *, reveal: bool) -> dict[str, Any]:
    """A field and its children."""
    octets = sources.get(one.source, b"")[one.offset : one.offset + one.length]
    hidden = (one.secret or one.masked) and not reveal
    shown: dict[str, Any] = {
        "name": one.name,
        "offset": one.offset,
        "length": one.length,
        "octets": octets.hex(),
        "value": "secret" if hidden else one.value,
        "source": one.source,
        "children": [field_json(child, sources, reveal=reveal) for child in one.children],
    }
    if one.secret or one.masked:
        shown["secret"] = True
    if one.error:
        shown["error"] = one.error
    return shown


def secret_spans(
    root: Field, copies: Mapping[str, tuple[str, int]] | None = None, *, masked: bool = False
) -> dict[str, list[tuple[int, int]]]:
    """Offset and length of the secret fields below `root`, by source; with `masked` also of those that are only not shown.

    What is secret in a source is so in that of which it is a copy.
    """
    spans: dict[str, list[tuple[int, int]]] = {}
    stack = [root]
    while stack:
        one = stack.pop()
        stack += one.children
        if (one.secret or (masked and one.masked)) and one.length:
            spans.setdefault(one.source, []).append((one.offset, one.length))
    for source, (origin, at) in reversed(list((copies or {}).items())):
        spans.setdefault(origin, []).extend((at + offset, length) for offset, length in spans.get(source, []))
    return spans


def blot(octets: bytes, spans: list[tuple[int, int]]) -> bytes:
    """The octets with every span overwritten; the length stays."""
    if not spans:
        return octets
    masked = bytearray(octets)
    for offset, length in spans:
        stop = min(offset + length, len(masked))
        masked[offset:stop] = bytes((MASK,)) * max(0, stop - offset)
    return bytes(masked)


def masked_sources(dissection: Dissection) -> dict[str, bytes]:
    spans = secret_spans(dissection.fields, dissection.copies, masked=True)
    spans["frame"] = spans.get("frame", []) + dissection.secrets
    return {name: blot(octets, spans.get(name, [])) for name, octets in dissection.sources.items()}


def mask(octets: bytes, dissection: Dissection) -> bytes:
    """The frame's octets with every secret overwritten by `2a`; the length stays as it was, and check sequences but for a
    password's own."""
    return blot(octets, dissection.secrets)
