"""One page of the list of meters, in a time that does not grow with the inventory.

Counting ends at `COUNT_LIMIT`: beyond, the page says "more than". Only so many meters are paged, for a page far inside walks over
all before it; and where there are more, only columns with an index of their own are sorted by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db import connection
from django.db.models import Max, Model, QuerySet

from meters.filters import filtered
from meters.list_state import FILTERS, ListState
from meters.models import Meter

COUNT_LIMIT = 10_000
SORTED_AT_ANY_SIZE = frozenset({"serial_number", "name", "state", "location", "framing", "last_seen"})


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are; where `more`, there are more than `number`, about `estimate` of them if that is known."""

    number: int
    more: bool = False
    estimate: int | None = None


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on. `problem`: why it cannot be used."""

    name: str
    value: str
    title: str
    words: str
    rest: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """What an address of the list stands for. `meters` are without order."""

    state: ListState
    meters: QuerySet[Meter]
    count: Count
    chips: Sequence[Chip]

    @property
    def refused(self) -> bool:
        return any(chip.problem for chip in self.chips)

    @property
    def sort(self) -> str:
        """The order that is used: the one that was asked for, where it is affordable."""
        asked = self.state.sort
        return asked if asked.removeprefix("-") in SORTED_AT_ANY_SIZE or not self.count.more else ""


def listing(state: ListState) -> Listing:
    """The meters of a state, counted as far as one counts."""
    filters, meters = filtered(state, Meter.objects.order_by())
    chips = [_chip(state, filters.form, name, value) for name, value in state.filters]
    return Listing(state, meters, bounded_count(meters, whole=not state.narrows), chips)


def _chip(state: ListState, form: Any, name: str, value: str) -> Chip:
    problem = ""
    if name in form.errors:
        problem = next((str(error) for error in form.errors[name] if value in str(error)), "")
        problem = problem or ("" if len(form.data.getlist(name)) > 1 else str(form.errors[name][0]))
    return Chip(name, value, FILTERS[name], _words(form, name, value), state.without(name, value).query(), problem)


def _words(form: Any, name: str, value: str) -> str:
    """What the filter's value is called on the page."""
    field = form.fields[name]
    if name == "type":
        named = {str(each.pk): str(each) for each in form.cleaned_data.get(name) or ()}
        return named.get(value, value)
    if name in ("batch", "tag", "seen_since"):
        return value
    return str(dict(field.choices).get(value, value))


def bounded_count(meters: QuerySet[Any], *, whole: bool = False) -> Count:
    """Count up to the limit. Of the `whole` table PostgreSQL knows about how many rows it has."""
    number = meters.order_by().values("pk")[: COUNT_LIMIT + 1].count()
    if number <= COUNT_LIMIT:
        return Count(number)
    return Count(COUNT_LIMIT, more=True, estimate=_estimate(Meter) if whole else None)


def _estimate(model: type[Model]) -> int | None:
    """What PostgreSQL's statistics say; None where there are none, and where they are plainly old."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table])
        (rows,) = cursor.fetchone()
    return int(rows) if rows > COUNT_LIMIT else None


class BoundedPaginator(Paginator):
    """Pages of what was counted; a number that is none, or too high, is the nearest page."""

    def __init__(self, rows: Any, per_page: int, *, found: Count) -> None:
        super().__init__(rows, per_page)
        self.found = found

    @property
    def count(self) -> int:
        return self.found.number

    def page(self, number: Any) -> Page:
        text = str(number)
        wanted = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 1
        return super().page(min(max(1, wanted), self.num_pages))


def last_sessions(meters: Sequence[Meter], sessions: QuerySet[Any]) -> None:
    """Put on each meter its `last_session`, or None."""
    ids = [meter.pk for meter in meters]
    newest = sessions.filter(meter_id__in=ids).order_by().values("meter_id").annotate(newest=Max("pk"))
    found = {session.meter_id: session for session in sessions.filter(pk__in=[row["newest"] for row in newest])}
    for meter in meters:
        meter.last_session = found.get(meter.pk)  # type: ignore[attr-defined]
