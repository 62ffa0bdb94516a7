"""A catalog as CSV, out and in. What comes in is judged row by row before anything is written; it is taken whole or not at all.

A cell that a spreadsheet would take for a formula goes out behind an apostrophe, and comes in as the text that it is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from meters.catalogs.comparison import Compared, Found
from meters.catalogs.facts import FIELD_WORDS, FIELDS, ObjectFacts, faults, parse_class, value_text
from meters.catalogs.forms import READERS, parse_code
from meters.catalogs.plan import Key
from meters.cosem.obis import ObisCode
from meters.cosem.obis_names import describe
from meters.cosem.obis_usage import usual_classes
from meters.export import FORMULA

MAX_OCTETS: Final = 2_000_000
MAX_ROWS: Final = 20_000
NAMES: Final[Mapping[str, str]] = {"code": "code", "class": "class", **FIELD_WORDS}
"""The head of each column, by field; `code` and `class` name the object."""
ONLY_TOLD: Final = "meaning"
"""The standard's words: written for the reader, not read back."""
OTHER_NAMES: Final[Mapping[str, str]] = {
    "obis": "code",
    "obis code": "code",
    "logical name": "code",
    "logical_name": "code",
    "class_id": "class",
    "class id": "class",
    "rights": "rights",
    "base name": "base_name",
    "short_name": "base_name",
    "capture objects": "capture_objects",
    "low limit": "low",
    "high limit": "high",
}
DELIMITERS: Final = (";", ",", "\t")


class SheetError(ValueError):
    """A file of which no row can be read; the message says why."""


# -- out ---------------------------------------------------------------------------------------------------------------


def csv_of(objects: Iterable[ObjectFacts]) -> Iterator[str]:
    """The file, line by line, with the mark by which spreadsheets know UTF-8."""
    yield "\ufeff" + _line([*NAMES.values(), ONLY_TOLD])
    for facts in objects:
        cells = [str(facts.logical_name), str(facts.class_id), *(value_text(facts, name) for name in FIELDS)]
        yield _line([*cells, describe(facts.logical_name)])


def _line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([guarded(cell) for cell in cells])
    return line.getvalue()


def guarded(text: str) -> str:
    """So that no spreadsheet calculates with it; a number stays one."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) and not _is_number(text) else text


def unguarded(text: str) -> str:
    """The text that was guarded."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(FORMULA) else text


def _is_number(text: str) -> bool:
    digits = text.removeprefix("-").replace(".", "", 1)
    return digits.isascii() and digits.isdecimal()


# -- in ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row: what it says, or by column what is wrong. `before`: what the catalog says of the object."""

    number: int
    label: str
    facts: ObjectFacts | None = None
    before: ObjectFacts | None = None
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """`faulty`, `new`, `changed` or `unchanged`."""
        if self.facts is None:
            return "faulty"
        if self.before is None:
            return "new"
        return "unchanged" if self.facts == self.before else "changed"

    def differences(self) -> list[tuple[str, str, str]]:
        """Column, before, after, in words."""
        if self.facts is None or self.before is None:
            return []
        return [
            (NAMES[name], value_text(self.before, name), value_text(self.facts, name))
            for name in FIELDS
            if getattr(self.before, name) != getattr(self.facts, name)
        ]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file says. `ignored`: heads of columns that mean nothing here."""

    rows: tuple[SheetRow, ...]
    ignored: tuple[str, ...] = ()

    def of(self, state: str) -> list[SheetRow]:
        return [row for row in self.rows if row.state == state]

    @property
    def objects(self) -> list[ObjectFacts]:
        return [row.facts for row in self.rows if row.facts is not None]


def decode(octets: bytes) -> str:
    """The text of a file: UTF-8, UTF-16 with its mark, else Windows-1252. SheetError for what is no text, or too large."""
    if len(octets) > MAX_OCTETS:
        raise SheetError(f"The file has {len(octets)} octets: at most {MAX_OCTETS}. Split it.")
    marked = octets.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp1252"):
        try:
            text = octets.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise SheetError("The file is no text: save the sheet as CSV, in UTF-8.")


def read_sheet(text: str, catalog: Mapping[Key, ObjectFacts]) -> Sheet:
    """What the rows say, each beside what the catalog says of its object.

    Columns that the file does not have leave the catalog as it is; an empty cell empties. SheetError where no row can be read.
    """
    lines = [line for line in _lines(text) if any(cell.strip() for cell in line[1])]
    if not lines:
        raise SheetError("There is nothing in it: the first row names the columns, each further row is an object.")
    heads = [_field(head) for head in lines[0][1]]
    if "code" not in heads:
        raise SheetError(
            "No column is called “code”: the first row names the columns, as in the file that is exported."
        )
    twice = {head for head in heads if head and heads.count(head) > 1}
    if twice:
        raise SheetError(f"The column “{NAMES[min(twice)]}” stands twice.")
    if len(lines) - 1 > MAX_ROWS:
        raise SheetError(f"There are {len(lines) - 1} rows: at most {MAX_ROWS}.")
    ignored = tuple(
        head.strip()
        for head, name in zip(lines[0][1], heads, strict=True)
        if not name and head.strip().lower() != ONLY_TOLD
    )
    return Sheet(tuple(_rows(heads, lines[1:], catalog)), ignored)


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    text = text.removeprefix("\ufeff")
    head = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise SheetError(f"Line {reader.line_num} is no CSV: {error}.") from None


def _field(head: str) -> str:
    """The field that a column's head names; empty for none."""
    word = " ".join(head.strip().lower().split())
    named = {shown: name for name, shown in NAMES.items()}
    return named.get(word) or OTHER_NAMES.get(word, "")


def _rows(
    heads: list[str], lines: Iterable[tuple[int, list[str]]], catalog: Mapping[Key, ObjectFacts]
) -> Iterator[SheetRow]:
    by_code: dict[ObisCode, list[int]] = {}
    for class_id, code in catalog:
        by_code.setdefault(code, []).append(class_id)
    seen: dict[Key, int] = {}
    for number, cells in lines:
        said = {name: unguarded(cell.strip()) for name, cell in zip(heads, cells, strict=False) if name}
        row = _row(number, said, catalog, by_code)
        if any(cell.strip() for cell in cells[len(heads) :]):
            row = replace(row, facts=None, faults={"row": f"It has more cells than the {len(heads)} columns."})
        if row.facts is not None and row.facts.key in seen:
            words = f"{row.facts.reference} stands in row {seen[row.facts.key]} already."
            row = replace(row, facts=None, faults={"code": words})
        elif row.facts is not None:
            seen[row.facts.key] = number
        yield row


def _row(
    number: int,
    said: Mapping[str, str],
    catalog: Mapping[Key, ObjectFacts],
    by_code: Mapping[ObisCode, list[int]],
) -> SheetRow:
    found: dict[str, str] = {}
    values: dict[str, Any] = {}
    label = said.get("code", "")
    for name in FIELDS:
        if name in said:
            try:
                values[name] = READERS[name](said[name])
            except ValueError as error:
                found[NAMES[name]] = str(error)
    key = _key(said, by_code, found)
    if key is None or found:
        return SheetRow(number, label, faults=found)
    before = catalog.get(key)
    base = before if before is not None else ObjectFacts(class_id=key[0], logical_name=key[1])
    facts = replace(base, **values)
    found = {NAMES.get(name, name): words for name, words in faults(facts).items()}
    return SheetRow(number, label, None if found else facts, before, found)


def _key(said: Mapping[str, str], by_code: Mapping[ObisCode, list[int]], found: dict[str, str]) -> Key | None:
    """The object that a row names; without a class the one that the catalog has with this code, else the usual class."""
    try:
        code = parse_code(said.get("code", ""))
    except ValueError as error:
        found["code"] = str(error)
        return None
    try:
        if said.get("class"):
            return parse_class(said["class"]), code
    except ValueError as error:
        found["class"] = str(error)
        return None
    classes = by_code.get(code) or usual_classes(code)[:1]
    if len(classes) != 1:
        many = "The catalog has several objects with this code" if classes else "No class is usual for this code"
        found["class"] = f"{many}: write the class."
        return None
    return classes[0], code


# -- a comparison as a file --------------------------------------------------------------------------------------------


def comparison_csv(rows: Iterable[Compared], left: str, right: str) -> Iterator[str]:
    """A line for each field that differs, and one for each object that one side does not have."""
    words = {
        Found.LEFT: f"only in {left}",
        Found.RIGHT: f"only in {right}",
        Found.DIFFERENT: "different",
        Found.SAME: "same",
    }
    yield "\ufeff" + _line(["code", "class", "meaning", "found", "field", left, right])
    for row in rows:
        head = [str(row.facts.logical_name), str(row.facts.class_id)]
        head += [row.facts.title or describe(row.facts.logical_name), words[row.found]]
        for name, one, other in row.differences() or [("", "", "")]:
            yield _line([*head, name, one, other])
