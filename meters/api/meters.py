"""Meters: the list with the filters of the page, one meter."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django_tables2.utils import OrderByTuple
from ninja import Query, Router
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from meters.api.access import needs
from meters.api.meter_shapes import MeterDetail, MeterRow, detail_of, detailed_meters, row_of
from meters.api.problems import answers, invalid, not_found
from meters.api.shapes import Id, OneOf, Page, PageNumber, PageSize, Text, Word
from meters.export import with_all
from meters.list_state import FILTERS, SORTS, ListState
from meters.list_views import related_sessions
from meters.listing import SORTED_AT_ANY_SIZE, Listing, last_sessions, listing
from meters.models import Association, Line, Meter, MeterType
from meters.tables import MeterTable

router = Router(tags=["Meters"])

Serial = Annotated[Text, Field(min_length=1, max_length=64, json_schema_extra={"example": "10000001"})]
ORDERS = [f"{sign}{name}" for name in SORTS for sign in ("", "-")]


class MeterFilters(BaseModel):
    """The filters of the list: any of the values of one, and all of the filters."""

    q: Word = Field("", description="Words, all of which a meter has: in serial number, name, location, type or line.")
    type: list[Id] = Field(default_factory=list, description="Ids of meter types.")
    medium: list[Annotated[str, OneOf(MeterType.Medium.values)]] = Field(default_factory=list)
    batch: list[Word] = Field(default_factory=list, description="Names of batches.")
    state: list[Annotated[str, OneOf(Meter.State.values)]] = Field(default_factory=list)
    tag: list[Word] = Field(default_factory=list)
    line: list[Annotated[str, OneOf(Line.Kind.values)]] = Field(default_factory=list)
    framing: list[Annotated[str, OneOf(Meter.Framing.values)]] = Field(default_factory=list)
    authentication: list[Annotated[str, OneOf(Association.Authentication.values)]] = Field(default_factory=list)
    seen: Literal["", "never", "ever"] = ""
    seen_since: str = Field("", pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$", description="A day: 2026-11-25.")


class FiltersIn(MeterFilters):
    """The filters of the list, in a body."""

    model_config = ConfigDict(extra="forbid", strict=True)


class MeterListQuery(MeterFilters):
    """A page of the list."""

    sort: Annotated[str, OneOf(["", *ORDERS])] = Field("", description="With a minus the other way round.")
    page: PageNumber = 1
    limit: PageSize = 50
    after: Annotated[Text, StringConstraints(max_length=64)] = Field(
        "",
        description="Instead of pages: the meters whose serial numbers follow this one. So all can be walked through.",
    )


class MeterPage(Page):
    """`next_after`: what to send as `after` for those that follow; null where this was the end, or another order is asked for."""

    results: list[MeterRow]
    next_after: str | None = None


@router.get("", **needs("meters:read"), response=answers(MeterPage), summary="List meters")
def meter_list(request: HttpRequest, query: Query[MeterListQuery]) -> MeterPage:
    """As the page does: the same filters, search and order. Counting ends at 10,000; `after` walks through more than that."""
    found = found_meters(query, query.sort)
    if query.after:
        return _following(found, query)
    if query.sort != found.sort:
        raise invalid({"sort": [f"So many meters are only sorted by {', '.join(sorted(SORTED_AT_ANY_SIZE))}."]})
    first = (query.page - 1) * query.limit
    meters = list(with_all(in_order(found))[first : min(first + query.limit, found.count.number)])
    last_sessions(meters, related_sessions())
    pages = max(1, -(-found.count.number // query.limit))
    following = meters[-1].serial_number if meters and not query.sort and len(meters) == query.limit else None
    return MeterPage(
        count=found.count.number,
        more=found.count.more,
        page=query.page,
        pages=pages,
        results=[row_of(meter) for meter in meters],
        next_after=following,
    )


def _following(found: Listing, query: MeterListQuery) -> MeterPage:
    """The meters after a serial number."""
    if query.sort not in ("", "serial_number") or query.page != 1:
        raise invalid({"after": ["It goes by serial numbers: without a page and another order."]})
    rows = found.meters.filter(serial_number__gt=query.after).order_by("serial_number")
    meters = list(with_all(rows)[: query.limit])
    last_sessions(meters, related_sessions())
    following = meters[-1].serial_number if len(meters) == query.limit else None
    count = found.count
    return MeterPage(
        count=count.number, more=count.more, page=1, pages=1, results=[row_of(m) for m in meters], next_after=following
    )


def found_meters(filters: MeterFilters, sort: str = "") -> Listing:
    """What the filters leave; Refused where one cannot be used: without it the list would hold too much, or too little."""
    given = filters.model_dump(include={*FILTERS, "q"})
    state = ListState.parse(_Given({**given, "sort": sort}))
    asked = [(name, value) for name in FILTERS for value in _texts(given[name])]
    if lost := [name for name, value in asked if (name, value.strip()) not in state.filters]:
        raise invalid({lost[0]: ["A value is empty, holds control characters, or they are too many."]})
    found = listing(state)
    if found.refused:
        raise invalid({chip.name: [f"{chip.value}: {chip.problem}"] for chip in found.chips if chip.problem})
    return found


class _Given:
    """Filters as an address would hold them."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def getlist(self, key: str) -> list[str]:
        return _texts(self.values.get(key, ""))


def _texts(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [value] if value else []


def in_order(found: Listing) -> QuerySet[Meter]:
    """The meters in the order that was asked for."""
    name = found.sort.removeprefix("-") or "serial_number"
    meters = found.meters
    if name == "last_session":
        newest = related_sessions().filter(meter=OuterRef("pk")).order_by("-pk").values("pk")[:1]
        meters = meters.annotate(last_session_id=Subquery(newest))
    columns = OrderByTuple(MeterTable.base_columns[name].order_by or (name,))
    return meters.order_by(*(columns.opposite if found.sort.startswith("-") else columns))


@router.get(
    "/by-serial/{path:serial_number}",
    **needs("meters:read"),
    response=answers(MeterDetail, 404),
    summary="One meter, by serial number",
)
def meter_by_serial(request: HttpRequest, serial_number: Serial) -> MeterDetail:
    """One meter by its serial number."""
    return found_detail(serial_number=serial_number)


@router.get("/{int:meter_id}", **needs("meters:read"), response=answers(MeterDetail, 404), summary="One meter")
def meter_detail(request: HttpRequest, meter_id: Id) -> MeterDetail:
    """One meter: its line, its associations, its keys by fingerprint."""
    return found_detail(pk=meter_id)


def found_detail(**wanted: Any) -> MeterDetail:
    """The meter, whole; Refused where there is none."""
    meter = detailed_meters().filter(**wanted).first()
    if meter is None:
        raise not_found("meter")
    return detail_of(meter)
