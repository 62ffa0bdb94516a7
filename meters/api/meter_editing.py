"""Adding and changing meters, one or many; what people write about them; the list as a file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from ninja import Query
from ninja.responses import Status
from pydantic import Field, StringConstraints

from meters.api.access import needs, require
from meters.api.meter_body import MeterBody, NewMeter, meter_form, refusal_by_service, refusal_of
from meters.api.meter_shapes import MeterDetail, detail_of, detailed_meters
from meters.api.meters import FiltersIn, MeterFilters, found_meters, router
from meters.api.problems import answers, invalid, not_found
from meters.api.shapes import Id, Incoming, OneOf, Outgoing, Page, PageNumber, PageSize, Text, example, paged
from meters.bulk import BULK_LIMIT, BulkEdit, edit_meters
from meters.forms import MeterForm
from meters.inventory import add_comment
from meters.list_views import meter_export as export_page
from meters.models import Comment, Meter, MeterType
from meters.services import CounterError, save_meter
from meters.targets.services import audited
from meters.views import set_counter


@router.post("", **needs("meters:write"), response=answers(MeterDetail, 409, 503, status=201), summary="Add a meter")
def meter_add(request: HttpRequest, body: NewMeter) -> Status[MeterDetail]:
    """Line, association and secrets come along. Fields that are left out have the defaults of the page's form."""
    return Status(201, _saved(request, body, None))


@router.patch(
    "/{int:meter_id}", **needs("meters:write"), response=answers(MeterDetail, 404, 409, 503), summary="Change a meter"
)
def meter_change(request: HttpRequest, meter_id: Id, body: MeterBody) -> MeterDetail:
    """Only what is said changes. `association` means the one with its id, else the default one."""
    return _saved(request, body, meter_id)


def _saved(request: HttpRequest, body: MeterBody, meter_id: int | None) -> MeterDetail:
    if body.has_secrets:
        require(request.auth, "keys:write")  # type: ignore[attr-defined]
    try:
        meter, form = _save(request.user, body, meter_id)
    except ValidationError as error:
        raise refusal_by_service(error) from None
    return detail_of(detailed_meters().get(pk=meter.pk), _take_counter(meter, form))


@audited
@transaction.atomic
def _save(user: Any, body: MeterBody, meter_id: int | None) -> tuple[Meter, MeterForm]:
    """In one transaction with what the form begins with: that is what it overwrites."""
    form = _form(body, meter_id)
    if not form.is_valid():
        raise refusal_of(form)
    # `audited` is around the outer transaction: inside, what it writes would be undone with it.
    save: Callable[..., Meter] = save_meter.__wrapped__  # type: ignore[attr-defined]
    return save(user=user, **form.draft()), form


def _form(body: MeterBody, meter_id: int | None) -> MeterForm:
    if meter_id is None:
        return meter_form(body)
    meter = Meter.objects.select_for_update(of=("self",)).filter(pk=meter_id).first()
    if meter is None:
        raise not_found("meter")
    return meter_form(body, meter=meter, association=wanted_association(meter, body))


def wanted_association(meter: Meter, body: MeterBody) -> Any:
    """The association that the body names, else the default one."""
    asked = body.association.id if "association" in body.model_fields_set else None
    if not asked:
        return meter.default_association
    found = meter.associations.filter(pk=asked).first()
    if found is None:
        raise invalid({"association.id": ["This meter has no such association."]})
    return found


def _take_counter(meter: Meter, form: MeterForm) -> list[str]:
    """Where the counter goes on; a warning where that is refused: the meter itself is saved."""
    if form.cleaned_data["invocation_counter"] is None:
        return []
    try:
        set_counter(meter, form)
    except CounterError as error:
        return [f"The invocation counter was not taken over: {error} {error.hint}".strip()]
    return []


# -- many at once ------------------------------------------------------------------------------------------------------


class BulkBody(Incoming):
    """Which meters, by `ids` or by `matching`, and what becomes of them. What is not said stays as it is."""

    model_config = example({"matching": {"batch": ["Lot 7"]}, "state": "IN_TEST", "reason": "they arrived"})

    ids: Annotated[list[Id], Field(min_length=1, max_length=BULK_LIMIT)] | None = None
    matching: FiltersIn | None = Field(None, description="All that these filters of the list leave.")
    state: Annotated[str, OneOf(Meter.State.values)] | None = None
    reason: Annotated[Text, StringConstraints(max_length=500)] = Field("", description="Needed for a new state.")
    batch: Annotated[Text, StringConstraints(max_length=100)] | None = Field(None, description="Empty: out of theirs.")
    location: Annotated[Text, StringConstraints(max_length=200)] | None = Field(None, description="Empty: none.")
    meter_type: Id | None = None
    add_tags: list[Annotated[Text, StringConstraints(max_length=50)]] = Field(default_factory=list, max_length=20)
    remove_tags: list[Annotated[Text, StringConstraints(max_length=50)]] = Field(default_factory=list, max_length=50)


class RefusedMeter(Outgoing):
    """A meter that stayed as it was, and why."""

    meter: str
    reason: str


class BulkOut(Outgoing):
    """What came of it. `request_id` finds the entries of the change log."""

    request_id: str
    changed: int
    unchanged: int
    refused: list[RefusedMeter]


@router.post("/bulk", **needs("meters:write"), response=answers(BulkOut, 409), summary="Change many meters")
def meter_bulk(request: HttpRequest, body: BulkBody) -> BulkOut:
    """The same change for up to 10,000 meters, in one transaction. Meters that cannot be changed are named; the others are."""
    if body.ids is not None and body.matching is None:
        ids = body.ids
    elif body.matching is not None and body.ids is None:
        ids = _matching(body.matching)
    else:
        raise invalid({"ids": ["Say which meters: by ids, or by filters that match them."]})
    edit = BulkEdit(
        state=body.state,
        batch=body.batch,
        location=body.location,
        meter_type=_type(body.meter_type),
        add_tags=body.add_tags,
        remove_tags=body.remove_tags,
        reason=body.reason,
    )
    done = edit_meters(user=request.user, ids=ids, edit=edit)
    refused = [RefusedMeter(meter=meter, reason=reason) for meter, reason in done.refused]
    return BulkOut(request_id=done.request_id, changed=done.changed, unchanged=done.unchanged, refused=refused)


def _matching(filters: FiltersIn) -> list[int]:
    found = found_meters(filters)
    if found.count.more or found.count.number > BULK_LIMIT:
        raise invalid({"matching": [f"At most {BULK_LIMIT} meters are changed at once. Filter more."]})
    return list(found.meters.order_by("pk").values_list("pk", flat=True))


def _type(type_id: int | None) -> MeterType | None:
    found = MeterType.objects.filter(pk=type_id).first() if type_id else None
    if type_id and found is None:
        raise invalid({"meter_type": ["There is no such meter type."]})
    return found


# -- comments ----------------------------------------------------------------------------------------------------------


class CommentIn(Incoming):
    """What the next one should know."""

    text: Annotated[Text, StringConstraints(min_length=1, max_length=5000)]


class CommentOut(Outgoing):
    """A comment. It is never changed, only answered."""

    id: int
    user: str
    text: str
    created: datetime


class CommentPage(Page):
    """A page of comments, the newest first."""

    results: list[CommentOut]


@router.get(
    "/{int:meter_id}/comments",
    **needs("meters:read"),
    response=answers(CommentPage, 404),
    summary="Comments on a meter",
)
def comment_list(request: HttpRequest, meter_id: Id, page: PageNumber = 1, limit: PageSize = 50) -> CommentPage:
    """The newest first."""
    if not Meter.objects.filter(pk=meter_id).exists():
        raise not_found("meter")
    return CommentPage(**paged(Comment.objects.filter(meter_id=meter_id), page, limit, _comment))


@router.post(
    "/{int:meter_id}/comments",
    **needs("meters:write"),
    response=answers(CommentOut, 404, status=201),
    summary="Comment on a meter",
)
def comment_add(request: HttpRequest, meter_id: Id, body: CommentIn) -> Status[CommentOut]:
    """It stays for good."""
    try:
        return Status(201, _comment(add_comment(user=request.user, meter_id=meter_id, text=body.text)))
    except Meter.DoesNotExist:
        raise not_found("meter") from None


def _comment(comment: Comment) -> CommentOut:
    return CommentOut(id=comment.pk, user=comment.user_name, text=comment.text, created=comment.created)


# -- the list as a file ------------------------------------------------------------------------------------------------

CSV_ANSWER: dict[str, Any] = {
    "responses": {200: {"description": "CSV", "content": {"text/csv": {"schema": {"type": "string"}}}}}
}
exporting = needs("meters:read")
exporting["openapi_extra"] |= CSV_ANSWER


@router.get("/export", **exporting, response=answers(None), summary="Export meters as CSV")
def meter_export(request: HttpRequest, query: Query[MeterFilters]) -> HttpResponseBase:
    """All that the filters leave, by serial number, with every column; of any size."""
    found_meters(query)  # refuses what the page would leave out
    return export_page(request)
