"""Meter types, their association templates, and their quirks under review."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router
from ninja.responses import Status
from pydantic import Field, StringConstraints

from meters.api.access import needs
from meters.api.filling import filled
from meters.api.meter_body import AssociationSettings
from meters.api.meter_shapes import TypeRef
from meters.api.problems import Refused, answers, not_found
from meters.api.shapes import Id, Incoming, OneOf, Outgoing, Page, Paging, Text, Word, optional, paged
from meters.lines.forms import BAUD_RATES
from meters.meter_types.forms import SIGN_ON_BAUD_RATES, TemplateForm, TypeForm
from meters.meter_types.services import TypeInUse, delete_template, delete_type, save_template, save_type
from meters.meter_types.views import searched_types
from meters.models import AssociationTemplate, Line, Meter, MeterType, Quirk
from meters.quirks.review import ReviewError
from meters.quirks.services import accept_quirk, propose_quirk, refuse_quirk, withdraw_quirk

types = Router(tags=["Meter types"])
quirks = Router(tags=["Quirks"])


# -- types -------------------------------------------------------------------------------------------------------------


class TemplateOut(Outgoing):
    """An association that a new meter of the type begins with. No secret: those are each meter's own."""

    id: int
    name: str
    is_default: bool
    referencing: str
    client_sap: int
    server_sap: int
    authentication: str
    protection: str
    response_protection: str
    ciphering_form: str
    fresh_dedicated_key: bool
    security_suite: int
    client_system_title: str
    user_id: int | None
    pre_established: bool
    max_pdu_size: int
    server_max_pdu_size: int
    timeout: float
    counter_object: str


class TypeOut(TypeRef):
    """A meter type. What is null or empty varies from meter to meter, or is not known."""

    flag_code: str
    firmware: str
    notes: str
    framing: str
    physical_address: int | None
    address_octets: int | None
    max_info: int | None
    window: int | None
    initial_baud: int | None
    max_baud: int | None
    baud: int | None
    data_bits: int | None
    parity: str
    stop_bits: int | None
    lockout_attempts: int | None
    lockout_window: int | None
    lockout_minutes: int | None
    writes_a_day: int | None
    writes_in_total: int | None


class TypeDetail(TypeOut):
    """A meter type with its association templates, and how many meters are of it."""

    associations: list[TemplateOut]
    meters: int


class TypePage(Page):
    """A page of the meter types."""

    results: list[TypeOut]


class TypeQuery(Paging):
    """Which types. `q`: words of maker, model and firmware, or a FLAG code."""

    q: Word = ""


Small = Annotated[int, Field(ge=1, le=32767)]
Minutes = Annotated[int, Field(ge=1, le=366 * 24 * 60)]


class TypeBody(Incoming):
    """What of a type is to change."""

    model: Annotated[Text, StringConstraints(min_length=1, max_length=100)] = optional()
    manufacturer: Annotated[Text, StringConstraints(max_length=100)] = optional()
    flag_code: Annotated[str, StringConstraints(pattern="^([A-Z]{3})?$")] = optional()
    firmware: Annotated[Text, StringConstraints(max_length=100)] = optional()
    medium: Annotated[str, OneOf(MeterType.Medium.values)] = optional()
    notes: Annotated[Text, StringConstraints(max_length=20_000)] = optional()
    framing: Annotated[str, OneOf(["", *Meter.Framing.values])] = optional()
    physical_address: Annotated[int, Field(ge=0, le=0x3FFF)] | None = optional()
    address_octets: Annotated[int, OneOf([1, 2, 4])] | None = optional()
    max_info: Annotated[int, Field(ge=32, le=2030)] | None = optional()
    window: Annotated[int, Field(ge=1, le=7)] | None = optional()
    initial_baud: Annotated[int, OneOf(SIGN_ON_BAUD_RATES)] | None = optional()
    max_baud: Annotated[int, OneOf(SIGN_ON_BAUD_RATES)] | None = optional()
    baud: Annotated[int, OneOf(BAUD_RATES)] | None = optional()
    data_bits: Annotated[int, OneOf([7, 8])] | None = optional()
    parity: Annotated[str, OneOf(["", *Line.Parity.values])] = optional()
    stop_bits: Annotated[int, OneOf([1, 2])] | None = optional()
    lockout_attempts: Annotated[int, Field(ge=1, le=1000)] | None = optional()
    lockout_window: Minutes | None = optional()
    lockout_minutes: Minutes | None = optional()
    writes_a_day: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = optional()
    writes_in_total: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = optional()


class NewType(TypeBody):
    """A type that is added."""

    model: Annotated[Text, StringConstraints(min_length=1, max_length=100)]


DELETED: dict[str, Any] = {"response": answers(None, 404, 409) | {204: None}}


@types.get("", **needs("types:read"), response=answers(TypePage), summary="List meter types")
def type_list(request: HttpRequest, query: Query[TypeQuery]) -> TypePage:
    """By maker, model and firmware."""
    return TypePage(**paged(searched_types(query.q), query.page, query.limit, TypeOut.model_validate))


@types.post("", **needs("types:write"), response=answers(TypeDetail, 409, status=201), summary="Add a meter type")
def type_add(request: HttpRequest, body: NewType) -> Status[TypeDetail]:
    """A FLAG code that is known names the maker where nobody did."""
    return Status(201, _saved(request, body, None))


@types.get("/{int:type_id}", **needs("types:read"), response=answers(TypeDetail, 404), summary="One meter type")
def type_detail(request: HttpRequest, type_id: Id) -> TypeDetail:
    """With its association templates."""
    return _detail(_type(type_id))


@types.patch(
    "/{int:type_id}", **needs("types:write"), response=answers(TypeDetail, 404, 409), summary="Change a meter type"
)
def type_change(request: HttpRequest, type_id: Id, body: TypeBody) -> TypeDetail:
    """Only what is said changes. Meters keep what they have."""
    return _saved(request, body, _type(type_id))


@types.delete("/{int:type_id}", **needs("types:write"), **DELETED, summary="Delete a meter type")
def type_delete(request: HttpRequest, type_id: Id) -> Status[None]:
    """One that nothing is of."""
    try:
        delete_type(user=request.user, type_id=_type(type_id).pk)
    except TypeInUse as error:
        raise Refused(409, "in-use", str(error)) from None
    return Status(204, None)


def _type(type_id: int) -> MeterType:
    found = MeterType.objects.filter(pk=type_id).first()
    if found is None:
        raise not_found("meter type")
    return found


def _saved(request: HttpRequest, body: TypeBody, found: MeterType | None) -> TypeDetail:
    form = filled(TypeForm, body.model_dump(exclude_unset=True), instance=found)
    saved = save_type(user=request.user, values=form.cleaned_data, type_id=found.pk if found else None)
    return _detail(saved)


def _detail(found: MeterType) -> TypeDetail:
    templates = [TemplateOut.model_validate(each) for each in found.association_templates.all()]
    plain = TypeOut.model_validate(found).model_dump()
    return TypeDetail(**plain, associations=templates, meters=found.meters.count())


# -- association templates ---------------------------------------------------------------------------------------------


class TemplateBody(AssociationSettings):
    """What of a template is to change."""

    is_default: bool = optional(description="The one that is meant to be opened.")


TEMPLATE: dict[str, Any] = {"response": answers(TemplateOut, 404, 409)}


@types.post(
    "/{int:type_id}/associations",
    **needs("types:write"),
    response=answers(TemplateOut, 404, 409, status=201),
    summary="Add an association template",
)
def template_add(request: HttpRequest, type_id: Id, body: TemplateBody) -> Status[TemplateOut]:
    """The first one of a type is its default."""
    return Status(201, _saved_template(request, body, _type(type_id), None))


@types.patch(
    "/{int:type_id}/associations/{int:template_id}", **needs("types:write"), **TEMPLATE, summary="Change a template"
)
def template_change(request: HttpRequest, type_id: Id, template_id: Id, body: TemplateBody) -> TemplateOut:
    """Only what is said changes. Meters keep their associations."""
    meter_type = _type(type_id)
    return _saved_template(request, body, meter_type, _template(meter_type, template_id))


@types.delete(
    "/{int:type_id}/associations/{int:template_id}", **needs("types:write"), **DELETED, summary="Delete a template"
)
def template_delete(request: HttpRequest, type_id: Id, template_id: Id) -> Status[None]:
    """Meters keep their associations."""
    meter_type = _type(type_id)
    delete_template(user=request.user, type_id=type_id, template_id=_template(meter_type, template_id).pk)
    return Status(204, None)


def _template(meter_type: MeterType, template_id: int) -> AssociationTemplate:
    found = meter_type.association_templates.filter(pk=template_id).first()
    if found is None:
        raise not_found("association template")
    return found


def _saved_template(
    request: HttpRequest, body: TemplateBody, meter_type: MeterType, template: AssociationTemplate | None
) -> TemplateOut:
    begun = template or AssociationTemplate(meter_type=meter_type)
    form = filled(TemplateForm, body.model_dump(exclude_unset=True), instance=begun)
    saved = save_template(
        user=request.user,
        type_id=meter_type.pk,
        values=form.values(),
        template_id=template.pk if template else None,
    )
    return TemplateOut.model_validate(saved)


# -- quirks ------------------------------------------------------------------------------------------------------------


class QuirkOut(Outgoing):
    """One quirk of a type, and where its review stands."""

    id: int
    name: str
    value: Any
    reason: str
    proof_session: int
    state: str
    proposed: datetime
    proposed_by: str
    reviewed: datetime | None
    reviewed_by: str


class QuirkPage(Page):
    """A page of quirks."""

    results: list[QuirkOut]


class NewQuirk(Incoming):
    """A proposal: another person has to accept it."""

    name: Annotated[Text, StringConstraints(min_length=1, max_length=40)]
    value: Annotated[Text, StringConstraints(max_length=500)] = Field(
        default="yes", description="As the page of quirks says it."
    )
    reason: Annotated[Text, StringConstraints(min_length=1, max_length=2000)]
    session: Id = Field(description="The session with a meter of the type that proved it.")


class Verdict(Incoming):
    """Why; not needed where a quirk is accepted."""

    message: Annotated[Text, StringConstraints(max_length=500)] = ""


REVIEW: dict[str, Any] = {"response": answers(QuirkOut, 404, 409)}


@types.get("/{int:type_id}/quirks", **needs("types:read"), response=answers(QuirkPage, 404), summary="Quirks of a type")
def quirk_list(request: HttpRequest, type_id: Id, paging: Query[Paging]) -> QuirkPage:
    """The newest first, in whatever state."""
    return QuirkPage(**paged(_type(type_id).quirks.all(), paging.page, paging.limit, _quirk))


@types.post(
    "/{int:type_id}/quirks",
    **needs("types:write"),
    response=answers(QuirkOut, 404, 409, status=201),
    summary="Propose a quirk",
)
def quirk_propose(request: HttpRequest, type_id: Id, body: NewQuirk) -> Status[QuirkOut]:
    """With the session that proved it."""
    said = body.model_dump(exclude={"session"})
    made = propose_quirk(user=request.user, meter_type=_type(type_id), session_id=body.session, **said)
    return Status(201, _quirk(made))


@quirks.post("/{int:quirk_id}/accept", **needs("types:write"), **REVIEW, summary="Accept a quirk")
def quirk_accept(request: HttpRequest, quirk_id: Id, body: Verdict) -> QuirkOut:
    """Not by who proposed it. From now on sessions with meters of the type obey it."""
    return _reviewed(accept_quirk, request, quirk_id, body)


@quirks.post("/{int:quirk_id}/refuse", **needs("types:write"), **REVIEW, summary="Refuse a quirk")
def quirk_refuse(request: HttpRequest, quirk_id: Id, body: Verdict) -> QuirkOut:
    """Not by who proposed it."""
    return _reviewed(refuse_quirk, request, quirk_id, body)


@quirks.post("/{int:quirk_id}/withdraw", **needs("types:write"), **REVIEW, summary="Withdraw a quirk")
def quirk_withdraw(request: HttpRequest, quirk_id: Id, body: Verdict) -> QuirkOut:
    """One's own proposal, or an accepted quirk: sessions that begin now do without it."""
    return _reviewed(withdraw_quirk, request, quirk_id, body)


def _reviewed(service: Any, request: HttpRequest, quirk_id: int, body: Verdict) -> QuirkOut:
    try:
        return _quirk(service(user=request.user, quirk_id=quirk_id, message=body.message))
    except Quirk.DoesNotExist:
        raise not_found("quirk") from None
    except ReviewError as error:
        raise Refused(409, "review", str(error)) from None


def _quirk(row: Quirk) -> QuirkOut:
    own = ("proposed_by", "reviewed_by")
    plain: dict[str, Any] = {name: getattr(row, name) for name in QuirkOut.model_fields if name not in own}
    return QuirkOut(**plain, proposed_by=row.proposed_by_name, reviewed_by=row.reviewed_by_name)
