"""One page of a type's catalog: searched, filtered, counted. The address says what is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page
from django.db.models import Count, QuerySet

from meters.catalogs.facts import class_text
from meters.cosem.obis import ObisCode
from meters.cosem.obis_names import describe
from meters.list_state import MAX_TEXT
from meters.listing import BoundedPaginator
from meters.listing import Count as Counted
from meters.models import CatalogObject, MeterType

PAGE_SIZE = 50
FILTERS = {"group": "Group", "class": "Class", "client": "Client"}
NO_GROUP = "-"
"""In the address: objects of no group."""


@dataclass(frozen=True, slots=True)
class CatalogState:
    """`filters` are pairs of a name of `FILTERS` and a value."""

    q: str = ""
    filters: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, parameters: Mapping[str, str]) -> CatalogState:
        """From an address; what it does not know, and what is empty, is left out. Of what stands twice the last counts."""
        said = {name: _clean(parameters.get(name, "")) for name in ("q", *FILTERS)}
        for name in ("class", "client"):
            if not (said[name].isascii() and said[name].isdecimal() and len(said[name]) < 6):
                said[name] = ""
        return cls(" ".join(said["q"].split()), tuple((name, said[name]) for name in FILTERS if said[name]))

    def query(self) -> str:
        return urlencode([pair for pair in (("q", self.q), *self.filters) if pair[1]])

    def without(self, name: str) -> CatalogState:
        return replace(self, filters=tuple(pair for pair in self.filters if pair[0] != name))

    def chips(self) -> Iterator[dict[str, str]]:
        for name, value in self.filters:
            words = class_text(int(value)) if name == "class" else "none" if value == NO_GROUP else value
            yield {"title": FILTERS[name], "words": words, "rest": self.without(name).query()}


def _clean(text: str) -> str:
    return "".join(letter for letter in text if letter >= " " and not "\ud800" <= letter <= "\udfff")[:MAX_TEXT].strip()


def find_objects(meter_type: MeterType, state: CatalogState) -> QuerySet[CatalogObject]:
    """The entries that the state leaves, in order of code and class."""
    rows = CatalogObject.objects.filter(meter_type=meter_type)
    for name, value in state.filters:
        match name:
            case "group":
                rows = rows.filter(group="" if value == NO_GROUP else value)
            case "class":
                rows = rows.filter(class_id=int(value))
            case "client":
                rows = rows.filter(rights__has_key=str(int(value)))
    return rows.filter(pk__in=_matching(rows, state.q)) if state.q else rows


def _matching(rows: QuerySet[CatalogObject], q: str) -> list[int]:
    """The ids of those that have each word; a code in any notation is that code. The standard's words count too."""
    try:
        octets = ObisCode.parse_reduced(q).octets.hex()
    except ValueError:
        octets = ""
    words = q.lower().split()
    found = []
    for row in rows.order_by().values_list("pk", "octets", "logical_name", "title", "group", "note"):
        if row[1] == octets or (not octets and _has(words, row)):
            found.append(row[0])
    return found


def _has(words: list[str], row: tuple[Any, ...]) -> bool:
    text = " ".join(row[1:]).lower()
    if all(word in text for word in words):
        return True
    text += " " + describe(ObisCode.from_octets(bytes.fromhex(row[1]))).lower()
    return all(word in text for word in words)


def page_of(rows: QuerySet[Any] | list[Any], number: str | None) -> Page:
    """A page of rows; a number that is none, or too high, is the nearest."""
    total = len(rows) if isinstance(rows, list) else rows.count()
    paginator = BoundedPaginator(rows, PAGE_SIZE, found=Counted(total))
    return paginator.page(number or 1)


def offers(meter_type: MeterType) -> dict[str, list[tuple[str, str]]]:
    """What the filters offer: the groups, classes and clients of this catalog, with how many objects each has."""
    groups, classes = _numbers(meter_type, "group"), _numbers(meter_type, "class_id")
    clients: Counter[int] = Counter()
    for rights, number in _rows_by(meter_type, "rights"):  # few: most objects have the same
        clients.update(dict.fromkeys(map(int, rights), number))
    named = [(group, f"{group} ({number})") for group, number in sorted(groups.items()) if group]
    none = [(NO_GROUP, f"none ({groups['']})")] if groups.get("") and named else []
    return {
        "group": [*named, *none],
        "class": [(str(each), f"{class_text(each)}: {number}") for each, number in sorted(classes.items())],
        "client": [(str(sap), f"{sap} ({number})") for sap, number in sorted(clients.items())],
    }


def _numbers(meter_type: MeterType, column: str) -> dict[Any, int]:
    return dict(_rows_by(meter_type, column))


def _rows_by(meter_type: MeterType, column: str) -> QuerySet[CatalogObject, tuple[Any, int]]:
    """The values of a column, with how many objects have each."""
    rows = CatalogObject.objects.filter(meter_type=meter_type).order_by().values(column)
    return rows.annotate(number=Count("pk")).values_list(column, "number")
