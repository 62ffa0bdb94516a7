"""What an OBIS code means."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from pydantic import Field, StringConstraints

from meters.api.access import needs
from meters.api.problems import answers, invalid
from meters.api.shapes import Outgoing, Text
from meters.catalog_views import MAX_ASKED, SHOWN
from meters.cosem.interface_class import class_name
from meters.cosem.obis import ObisCode
from meters.cosem.obis_catalog import CatalogEntry, entry, search
from meters.cosem.obis_names import explain, manufacturer_specific

router = Router(tags=["OBIS codes"])


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


@router.get("", **needs("obis:read"), response=answers(ObisFound), summary="Find OBIS codes by words")
def obis_search(request: HttpRequest, q: Asked) -> ObisFound:
    """The codes of the standard catalog that have every word: `voltage l1`, `gas volume`, `max demand`."""
    count, found = search(q, SHOWN)
    return ObisFound(count=count, results=[_obis(each) for each in found])


@router.get("/{code}", **needs("obis:read"), response=answers(ObisExplained), summary="Explain an OBIS code")
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
