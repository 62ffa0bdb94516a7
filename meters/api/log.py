"""The change log: of one meter or batch, of one request, of everything."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel, Field

from meters.api.access import needs
from meters.api.problems import answers
from meters.api.shapes import Id, OneOf, Outgoing, PageSize
from meters.changes import changed_fields
from meters.models import Change

router = Router(tags=["Change log"])


class FieldChange(Outgoing):
    """One field in words: empty where there was, or is, nothing."""

    name: str
    words: str
    before: str
    after: str


class ChangeOut(Outgoing):
    """One entry."""

    id: int
    moment: datetime
    user: str
    request_id: str
    action: str
    kind: str
    object_id: int
    label: str
    message: str
    fields: list[FieldChange]


class ChangeQuery(BaseModel):
    """Which entries. The newest come first; `before` goes on where a page ended."""

    kind: Annotated[str, OneOf(["", *Change.Kind.values])] = ""
    object_id: Id | None = None
    request_id: str = Field("", pattern="^([0-9a-f]{32})?$")
    before: Id | None = Field(None, description="Only entries with smaller ids.")
    limit: PageSize = 50


class ChangePage(Outgoing):
    """`next_before`: what to send as `before` for older ones; null at the end."""

    results: list[ChangeOut]
    next_before: int | None


@router.get("", **needs("log:read"), response=answers(ChangePage), summary="Read the change log")
def change_list(request: HttpRequest, query: Query[ChangeQuery]) -> ChangePage:
    """Who changed what from what to what, the newest first. With `kind` and `object_id` the log of one thing."""
    asked = query.model_dump(include={"kind", "object_id", "request_id"})
    rows = Change.objects.filter(**{name: value for name, value in asked.items() if value})
    if query.before is not None:
        rows = rows.filter(pk__lt=query.before)
    found = list(rows.order_by("-pk")[: query.limit])
    following = found[-1].pk if len(found) == query.limit else None
    return ChangePage(results=[_change(each) for each in found], next_before=following)


def _change(change: Change) -> ChangeOut:
    return ChangeOut(
        id=change.pk,
        moment=change.moment,
        user=change.user_name,
        request_id=change.request_id,
        action=change.action,
        kind=change.kind,
        object_id=change.object_id,
        label=change.label,
        message=change.message,
        fields=[FieldChange.model_validate(each) for each in changed_fields(change)],
    )
