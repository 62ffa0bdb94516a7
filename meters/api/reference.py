"""What meters refer to: their types, their lines; and what an OBIS code means."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel, Field, StringConstraints

from meters.api.access import needs
from meters.api.meter_shapes import LineOut, TypeRef, line_of
from meters.api.problems import answers, invalid, not_found
from meters.api.shapes import Id, OneOf, Outgoing, Page, PageNumber, PageSize, Text, paged
from meters.catalog_views import MAX_ASKED, SHOWN
from meters.cosem.interface_class import class_name
from meters.cosem.obis import ObisCode
from meters.cosem.obis_catalog import CatalogEntry, entry, search
from meters.cosem.obis_names import explain, manufacturer_specific
from meters.models import Line, MeterType

types = Router(tags=["Meter types"])
lines = Router(tags=["Lines"])
obis = Router(tags=["OBIS codes"])


class Paging(BaseModel):
    """Which page."""

    page: PageNumber = 1
    limit: PageSize = 50


# -- meter types -------------------------------------------------------------------------------------------------------


class TypeOut(TypeRef):
    """A meter type."""

    notes: str


class TypePage(Page):
    """A page of the meter types."""

    results: list[TypeOut]


@types.get("", **needs("types:read"), response=answers(TypePage), summary="List meter types")
def type_list(request: HttpRequest, paging: Query[Paging]) -> TypePage:
    """By maker and model."""
    return TypePage(**paged(MeterType.objects.all(), paging.page, paging.limit, TypeOut.model_validate))


@types.get("/{int:type_id}", **needs("types:read"), response=answers(TypeOut, 404), summary="One meter type")
def type_detail(request: HttpRequest, type_id: Id) -> TypeOut:
    """One meter type."""
    found = MeterType.objects.filter(pk=type_id).first()
    if found is None:
        raise not_found("meter type")
    return TypeOut.model_validate(found)


# -- lines -------------------------------------------------------------------------------------------------------------


class LinePage(Page):
    """A page of the lines."""

    results: list[LineOut]


class LineQuery(Paging):
    """Which lines."""

    kind: list[Annotated[str, OneOf(Line.Kind.values)]] = Field(default_factory=list)


@lines.get("", **needs("lines:read"), response=answers(LinePage), summary="List lines")
def line_list(request: HttpRequest, query: Query[LineQuery]) -> LinePage:
    """By name."""
    rows = Line.objects.filter(kind__in=query.kind) if query.kind else Line.objects.all()
    return LinePage(**paged(rows, query.page, query.limit, line_of))


@lines.get("/{int:line_id}", **needs("lines:read"), response=answers(LineOut, 404), summary="One line")
def line_detail(request: HttpRequest, line_id: Id) -> LineOut:
    """One line."""
    found = Line.objects.filter(pk=line_id).first()
    if found is None:
        raise not_found("line")
    return line_of(found)


# -- OBIS codes --------------------------------------------------------------------------------------------------------


class ClassOut(Outgoing):
    """An interface class."""

    id: int
    name: str


class ObisOut(Outgoing):
    """A code with what it usually is. `unit`: its symbol; null where there is none, or it is not known."""

    code: str
    octets: str
    words: str
    classes: list[ClassOut]
    unit: str | None


class GroupOut(Outgoing):
    """One of the six value groups."""

    group: str
    value: int
    words: str


class ObisExplained(ObisOut):
    """A code, group by group."""

    groups: list[GroupOut]
    manufacturer_specific: bool


class ObisFound(Outgoing):
    """What some words mean: `count` may be more than the results."""

    count: int
    results: list[ObisOut]


Code = Annotated[Text, Field(min_length=1, max_length=40, json_schema_extra={"example": "1-0:1.8.0*255"})]
Asked = Annotated[Text, StringConstraints(min_length=1, max_length=MAX_ASKED)]


@obis.get("", **needs("obis:read"), response=answers(ObisFound), summary="Find OBIS codes by words")
def obis_search(request: HttpRequest, q: Asked) -> ObisFound:
    """The codes of the standard catalog that have every word: `voltage l1`, `gas volume`, `max demand`."""
    count, found = search(q, SHOWN)
    return ObisFound(count=count, results=[_obis(each) for each in found])


@obis.get("/{code}", **needs("obis:read"), response=answers(ObisExplained), summary="Explain an OBIS code")
def obis_explain(request: HttpRequest, code: Code) -> ObisExplained:
    """In any notation: `1-0:1.8.0*255`, `1.8.0`, `0100010800FF`."""
    try:
        found = ObisCode.parse_reduced(code)
    except ValueError as error:
        raise invalid({"code": [str(error)]}) from None
    return ObisExplained(
        **_obis(entry(found)).model_dump(),
        groups=[GroupOut.model_validate(each) for each in explain(found)],
        manufacturer_specific=manufacturer_specific(found),
    )


def _obis(found: CatalogEntry) -> ObisOut:
    return ObisOut(
        code=str(found.code),
        octets=found.code.octets.hex().upper(),
        words=found.words,
        classes=[ClassOut(id=number, name=class_name(number)) for number in found.classes],
        unit=found.unit.symbol if found.unit else None,
    )
