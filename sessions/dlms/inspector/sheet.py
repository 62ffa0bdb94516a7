"""The sheet that one frame's dissection is written on, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from meters.cosem.data import Data
from sessions.dlms.apdu import Apdu
from sessions.dlms.cursor import Field, Reader, Tracer
from sessions.dlms.errors import DecodeError, DlmsError
from sessions.dlms.iec62056_21.data_set import DataSet
from sessions.dlms.inspector.dissection import Dissection, Framing, secret_spans

FRAME: Final = "frame"


class Sheet:
    """Collects what is found out about one frame. Layers add fields; the first error stands, as later ones follow from it."""

    def __init__(self, octets: bytes, framing: Framing, direction: str | None) -> None:
        self.framing = framing
        self.direction = direction
        self.root = Field("", 0, len(octets))
        self.sources = {FRAME: octets}
        self.summary = ""
        self.error: DlmsError | None = None
        self.apdu: Apdu | None = None
        self.apdu_octets: bytes | None = None
        self.plaintext: bytes | None = None
        self.data: Data | None = None
        self.data_sets: tuple[DataSet, ...] = ()
        self.notes: list[str] = []
        self.deviations: list[str] = []
        self.hidden: list[tuple[int, int]] = []
        self.copies: dict[str, tuple[str, int]] = {}
        """Sources whose octets stand as they are in another one: which, and where there."""
        self.starts_apdu = True
        self.stations: tuple[object, object] | None = None
        """Source and destination as the link names them."""

    @contextmanager
    def layer(self, octets: bytes, source: str, *, origin: int = 0, under: Field | None = None) -> Iterator[Reader]:
        """A reader whose fields become children of `under` (default: the root). Its error is marked in the tree and raised."""
        tracer = Tracer(source=source)
        reader = Reader(octets, tracer=tracer, origin=origin)
        try:
            yield reader
        except DecodeError as error:
            close_open_groups(tracer, error)
            raise
        finally:
            (under or self.root).children += tracer.root.children

    def add_source(self, name: str, octets: bytes) -> str:
        """Name octets that exist only after a step; a second of the same kind gets a number."""
        unique, number = name, 2
        while unique in self.sources:
            unique, number = f"{name} {number}", number + 1
        self.sources[unique] = octets
        return unique

    def fail(self, error: DlmsError) -> None:
        if self.error is None:
            self.error = error

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def deviate(self, text: str) -> None:
        """Something that the standard does not allow, and that is understood all the same."""
        if text not in self.deviations:
            self.deviations.append(text)

    def dissection(self) -> Dissection:
        return Dissection(
            summary=self.summary,
            fields=self.root,
            framing=self.framing,
            sources=self.sources,
            apdu=self.apdu,
            apdu_octets=self.apdu_octets,
            plaintext=self.plaintext,
            data=self.data,
            data_sets=self.data_sets,
            error=self.error,
            starts_apdu=self.starts_apdu,
            notes=self.notes,
            deviations=self.deviations,
            copies=self.copies,
            secrets=sorted(set(secret_spans(self.root, self.copies).get(FRAME, []) + self.hidden)),
        )


def close_open_groups(tracer: Tracer, error: DecodeError) -> None:
    """Give the groups that an error left open their length, and mark the innermost."""
    tracer.stack[-1].error = error.reason
    for group in reversed(tracer.stack[1:]):
        if group.children:
            last = group.children[-1]
            group.length = max(group.length, last.offset + last.length - group.offset)


def find_field(root: Field, name: str) -> Field | None:
    """The last field of this name below `root`, depth first."""
    found = None
    for child in root.children:
        if child.name == name:
            found = child
        found = find_field(child, name) or found
    return found


def clear_errors(field: Field) -> None:
    """Take back the marks of an error that is none."""
    field.error = ""
    for child in field.children:
        clear_errors(child)
