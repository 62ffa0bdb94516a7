"""Batches, tags, and the filters that people keep."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, QueryDict
from ninja import Router
from ninja.responses import Status
from pydantic import Field, StringConstraints

from meters.api.access import needs
from meters.api.meter_shapes import TypeRef
from meters.api.meters import ORDERS, FiltersIn, found_meters
from meters.api.problems import answers, invalid, not_found
from meters.api.shapes import (
    Id,
    Incoming,
    Named,
    OneOf,
    Outgoing,
    Page,
    PageNumber,
    PageSize,
    Text,
    Word,
    optional,
    paged,
)
from meters.inventory import (
    counts_by_state,
    delete_batch,
    delete_filter,
    delete_tag,
    rename_filter,
    rename_tag,
    save_batch,
    save_filter,
)
from meters.list_state import ListState
from meters.models import NAME, Batch, MeterType, SavedFilter, Tag

batches = Router(tags=["Batches"])
tags = Router(tags=["Tags"])
filters = Router(tags=["Saved filters"])

Name = Annotated[Text, StringConstraints(min_length=1, max_length=100, pattern=NAME.regex.pattern)]
Notes = Annotated[Text, StringConstraints(max_length=20_000)]


# -- batches -----------------------------------------------------------------------------------------------------------


class BatchOut(Outgoing):
    """Meters that came together. `meter_type` null: of any type."""

    id: int
    name: str
    meter_type: TypeRef | None
    notes: str
    created: datetime


class BatchDetail(BatchOut):
    """A batch, with how many of its meters are in which state."""

    states: dict[str, int]
    meters: int


class BatchPage(Page):
    """A page of batches."""

    results: list[BatchOut]


class BatchBody(Incoming):
    """What of a batch is to change."""

    name: Name = optional()
    meter_type: Id | None = optional(description="Meters of other types are refused then.")
    notes: Notes = optional()


class NewBatch(BatchBody):
    """A batch that is added."""

    name: Name


@batches.get("", **needs("meters:read"), response=answers(BatchPage), summary="List batches")
def batch_list(request: HttpRequest, q: Word = "", page: PageNumber = 1, limit: PageSize = 50) -> BatchPage:
    """The newest first. `q`: words of the name."""
    rows = Batch.objects.select_related("meter_type")
    for word in q.split():
        rows = rows.filter(name__icontains=word)
    return BatchPage(**paged(rows, page, limit, BatchOut.model_validate))


@batches.post("", **needs("meters:write"), response=answers(BatchDetail, 409, status=201), summary="Add a batch")
def batch_add(request: HttpRequest, body: NewBatch) -> Status[BatchDetail]:
    """A name that there is already is a conflict."""
    return Status(201, _saved(request, body, Batch()))


@batches.get("/{int:batch_id}", **needs("meters:read"), response=answers(BatchDetail, 404), summary="One batch")
def batch_detail(request: HttpRequest, batch_id: Id) -> BatchDetail:
    """With how many of its meters are in which state."""
    return _detail(_batch(batch_id))


@batches.patch(
    "/{int:batch_id}", **needs("meters:write"), response=answers(BatchDetail, 404, 409), summary="Change a batch"
)
def batch_change(request: HttpRequest, batch_id: Id, body: BatchBody) -> BatchDetail:
    """Only what is said changes."""
    return _saved(request, body, _batch(batch_id))


@batches.delete(
    "/{int:batch_id}", **needs("meters:write"), response=answers(None, 404) | {204: None}, summary="Delete a batch"
)
def batch_delete(request: HttpRequest, batch_id: Id) -> Status[None]:
    """One that no meter is in."""
    delete_batch(user=request.user, batch_id=_batch(batch_id).pk)
    return Status(204, None)


def _batch(batch_id: int) -> Batch:
    found = Batch.objects.select_related("meter_type").filter(pk=batch_id).first()
    if found is None:
        raise not_found("batch")
    return found


def _saved(request: HttpRequest, body: BatchBody, batch: Batch) -> BatchDetail:
    said = body.model_dump(exclude_unset=True)
    kind = batch.meter_type
    if "meter_type" in said:
        kind = MeterType.objects.filter(pk=said["meter_type"]).first() if said["meter_type"] else None
        if said["meter_type"] and kind is None:
            raise invalid({"meter_type": ["There is no such meter type."]})
    saved = save_batch(
        user=request.user,
        name=said.get("name", batch.name),
        notes=said.get("notes", batch.notes),
        meter_type=kind,
        batch_id=batch.pk,
    )
    return _detail(saved)


def _detail(batch: Batch) -> BatchDetail:
    states = dict(counts_by_state(batch))
    plain = BatchOut.model_validate(batch).model_dump()
    return BatchDetail(**plain, states=states, meters=sum(states.values()))


# -- tags --------------------------------------------------------------------------------------------------------------


class TagPage(Page):
    """A page of tags."""

    results: list[Named]


class NewName(Incoming):
    """Another name."""

    name: Name


@tags.get("", **needs("meters:read"), response=answers(TagPage), summary="List tags")
def tag_list(request: HttpRequest, page: PageNumber = 1, limit: PageSize = 200) -> TagPage:
    """By name. A meter gets them, and new ones come to be, when it is saved."""
    return TagPage(**paged(Tag.objects.all(), page, limit, Named.model_validate))


@tags.patch("/{int:tag_id}", **needs("meters:write"), response=answers(Named, 404, 409), summary="Rename a tag")
def tag_rename(request: HttpRequest, tag_id: Id, body: NewName) -> Named:
    """On all its meters."""
    try:
        return Named.model_validate(rename_tag(user=request.user, tag_id=tag_id, name=body.name))
    except Tag.DoesNotExist:
        raise not_found("tag") from None


@tags.delete(
    "/{int:tag_id}", **needs("meters:write"), response=answers(None, 404) | {204: None}, summary="Delete a tag"
)
def tag_delete(request: HttpRequest, tag_id: Id) -> Status[None]:
    """It comes off all its meters, each of whose logs says so."""
    try:
        delete_tag(user=request.user, tag_id=tag_id)
    except Tag.DoesNotExist:
        raise not_found("tag") from None
    return Status(204, None)


# -- saved filters -----------------------------------------------------------------------------------------------------


class FilterOut(Outgoing):
    """A filter of the list under a name. `query`: what stands behind the question mark of the list's address."""

    id: int
    name: str
    query: str
    shared: bool
    owner: str
    mine: bool


class FilterPage(Page):
    """A page of saved filters."""

    results: list[FilterOut]


class NewFilter(Incoming):
    """A name of one's own that was used already means the new filter."""

    name: Name
    filters: FiltersIn
    sort: Annotated[str, OneOf(["", *ORDERS])] = ""
    shared: bool = Field(False, description="Everybody sees it.")


@filters.get("", **needs("meters:read"), response=answers(FilterPage), summary="List saved filters")
def filter_list(request: HttpRequest, page: PageNumber = 1, limit: PageSize = 50) -> FilterPage:
    """One's own, and what others share."""
    return FilterPage(**paged(_visible(request), page, limit, lambda kept: _filter(kept, request)))


@filters.post("", **needs("meters:write"), response=answers(FilterOut, 409, status=201), summary="Save a filter")
def filter_save(request: HttpRequest, body: NewFilter) -> Status[FilterOut]:
    """For oneself, or for all."""
    state = found_meters(body.filters, body.sort).state
    kept = save_filter(user=request.user, name=body.name, query=state.query(), shared=body.shared)
    return Status(201, _filter(kept, request))


@filters.patch(
    "/{int:filter_id}", **needs("meters:write"), response=answers(FilterOut, 404, 409), summary="Rename a filter"
)
def filter_rename(request: HttpRequest, filter_id: Id, body: NewName) -> FilterOut:
    """Only who saved it renames it."""
    kept = _mine(request, filter_id)
    return _filter(rename_filter(kept=kept, user=request.user, name=body.name), request)


@filters.delete(
    "/{int:filter_id}", **needs("meters:write"), response=answers(None, 404) | {204: None}, summary="Delete a filter"
)
def filter_delete(request: HttpRequest, filter_id: Id) -> Status[None]:
    """Only who saved it deletes it."""
    delete_filter(kept=_mine(request, filter_id), user=request.user)
    return Status(204, None)


def _mine(request: HttpRequest, filter_id: int) -> SavedFilter:
    kept = _visible(request).filter(pk=filter_id).first()
    if kept is None:
        raise not_found("filter")
    if kept.user_id != request.user.pk:
        raise PermissionDenied("Only who saved a filter changes it.")
    return kept


def _visible(request: HttpRequest):
    person = request.user.pk
    return SavedFilter.objects.filter(Q(user_id=person) | Q(shared=True)).select_related("user")


def _filter(kept: SavedFilter, request: HttpRequest) -> FilterOut:
    query = ListState.parse(QueryDict(kept.query)).query()
    mine = kept.user_id == request.user.pk
    return FilterOut(id=kept.pk, name=kept.name, query=query, shared=kept.shared, owner=str(kept.user), mine=mine)
