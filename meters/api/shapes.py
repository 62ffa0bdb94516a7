"""What goes in and comes out, as far as several endpoints share it.

What comes in is strict: a number is no text, an unknown field is refused (it is a typing error, or meant for another version),
and a choice is one of its words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from django.db.models import QuerySet
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, StringConstraints
from pydantic_core import CoreSchema, core_schema

MAX_ID: Final = 2**63 - 1
"""The highest number that the databases take."""
MAX_PAGE: Final = 200

Id = Annotated[int, Field(ge=1, le=MAX_ID)]


class Incoming(BaseModel):
    """A body, or a part of one."""

    model_config = ConfigDict(extra="forbid", strict=True)


def example(body: dict[str, Any]) -> ConfigDict:
    """The `model_config` of a body with an example for the document, which has to be one that works."""
    return ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [body]})


class Outgoing(BaseModel):
    """An answer, or a part of one."""

    model_config = ConfigDict(from_attributes=True)


@dataclass(frozen=True, slots=True)
class OneOf:
    """`Annotated[str, OneOf(Meter.State.values)]`: one of these words."""

    words: Iterable[Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", tuple(self.words))  # what stands in an annotation is hashed

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.literal_schema(list(self.words))


def _storable(text: str) -> str:
    """What every database takes: no NUL, no half of a character, and no other control character than line ends and tabs."""
    if any(letter < " " and letter not in "\t\n\r" for letter in text) or any("\ud800" <= e <= "\udfff" for e in text):
        raise ValueError("it holds characters that cannot be stored")
    return text


def optional(**options: Any) -> Any:
    """A field that may be left out, which is not the same as any value of it: `model_fields_set` tells."""
    return Field(default_factory=_nothing, **options)


def _nothing() -> None:
    return None


Text = Annotated[str, AfterValidator(_storable)]
Word = Annotated[Text, StringConstraints(max_length=200)]
"""A name, or something to search for."""


class Page(Outgoing):
    """Some of many. `count` ends at 10,000: `more` says that there are more than that."""

    count: int
    more: bool = False
    page: int
    pages: int


PageNumber = Annotated[int, Field(ge=1, le=10_000)]
PageSize = Annotated[int, Field(ge=1, le=MAX_PAGE)]


class Paging(BaseModel):
    """Which page."""

    page: PageNumber = 1
    limit: PageSize = 50


def paged(rows: QuerySet[Any], number: int, size: int, shown: Callable[[Any], Any]) -> dict[str, Any]:
    """The fields of a `Page` with its results."""
    count = rows.order_by().count()
    first = (number - 1) * size
    results = [shown(row) for row in rows[first : first + size]] if first < count else []
    return {"count": count, "page": number, "pages": max(1, -(-count // size)), "results": results}


class Named(Outgoing):
    """A thing by its id and its name."""

    id: int
    name: str
