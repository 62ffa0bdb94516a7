"""Lines with their health and holder, and the list of what may be connected to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.db.models import Count
from django.http import HttpRequest
from ninja import Query, Router
from ninja.responses import Status
from pydantic import Field, StringConstraints

from meters.api.access import needs
from meters.api.filling import filled
from meters.api.meter_body import LineSettings
from meters.api.meter_shapes import LineOut, SessionRef, line_of
from meters.api.problems import answers, not_found
from meters.api.shapes import Id, Incoming, OneOf, Outgoing, Page, Paging, Text, Word, optional, paged
from meters.lines.forms import LineForm
from meters.lines.services import delete_line, save_line
from meters.lines.views import HEALTH, holders_of, searched_lines
from meters.models import AllowedTarget, Line
from meters.targets.forms import TargetForm
from meters.targets.services import delete_target, save_target

lines = Router(tags=["Lines"])
targets = Router(tags=["Allowed targets"])


# -- lines -------------------------------------------------------------------------------------------------------------


class HealthOut(Outgoing):
    """What sessions learned of a line. `failures`: in a row; the error is the last one's."""

    last_success: datetime | None
    last_octets: datetime | None
    last_failure: datetime | None
    connect_ms: int | None
    failures: int
    layer: str
    code: str
    message: str
    hint: str


class LineDetail(LineOut):
    """A line, how it does, and the session that runs on it now."""

    health: HealthOut | None
    holder: SessionRef | None
    meters: int


class LinePage(Page):
    """A page of the lines."""

    results: list[LineOut]


class LineQuery(Paging):
    """Which lines. `q`: words of name, host, `host:port` or serial port."""

    q: Word = ""
    kind: Annotated[str, OneOf(["", *Line.Kind.values])] = ""
    health: Annotated[str, OneOf(["", *HEALTH])] = ""


class LineBody(LineSettings):
    """What of a line is to change, or what a new one is."""

    name: Annotated[Text, StringConstraints(max_length=100)] = optional()


@lines.get("", **needs("lines:read"), response=answers(LinePage), summary="List lines")
def line_list(request: HttpRequest, query: Query[LineQuery]) -> LinePage:
    """By name."""
    rows = searched_lines(query.q, query.kind, query.health)
    return LinePage(**paged(rows, query.page, query.limit, line_of))


@lines.post("", **needs("lines:write"), response=answers(LineDetail, 409, status=201), summary="Add a line")
def line_add(request: HttpRequest, body: LineBody) -> Status[LineDetail]:
    """Where it leads has to be on the list of allowed targets."""
    return Status(201, _saved(request, body, None))


@lines.get("/{int:line_id}", **needs("lines:read"), response=answers(LineDetail, 404), summary="One line")
def line_detail(request: HttpRequest, line_id: Id) -> LineDetail:
    """With what sessions learned of it, and who holds it now."""
    return _detail(_line(line_id))


@lines.patch("/{int:line_id}", **needs("lines:write"), response=answers(LineDetail, 404, 409), summary="Change a line")
def line_change(request: HttpRequest, line_id: Id, body: LineBody) -> LineDetail:
    """Only what is said changes, for all meters that hang on it."""
    return _saved(request, body, _line(line_id))


@lines.delete(
    "/{int:line_id}", **needs("lines:write"), response=answers(None, 404) | {204: None}, summary="Delete a line"
)
def line_delete(request: HttpRequest, line_id: Id) -> Status[None]:
    """One that no meter hangs on."""
    delete_line(user=request.user, line_id=_line(line_id).pk)
    return Status(204, None)


def _line(line_id: int) -> Line:
    found = Line.objects.select_related("health").filter(pk=line_id).first()
    if found is None:
        raise not_found("line")
    return found


def _saved(request: HttpRequest, body: LineBody, line: Line | None) -> LineDetail:
    form = filled(LineForm, body.model_dump(exclude_unset=True), line=line)
    saved = save_line(user=request.user, line=form.line(), line_id=line.pk if line else None)
    return _detail(_line(saved.pk))


def _detail(line: Line) -> LineDetail:
    health, holder = getattr(line, "health", None), holders_of([line]).get(line.pk)
    return LineDetail(
        **line_of(line).model_dump(),
        health=HealthOut.model_validate(health) if health else None,
        holder=SessionRef(id=holder.pk, state=holder.state) if holder else None,
        meters=line.meters.aggregate(count=Count("pk"))["count"],
    )


# -- allowed targets ---------------------------------------------------------------------------------------------------


class TargetOut(Outgoing):
    """One rule: these ports in this network, for these kinds of line. `team` null: for everybody."""

    id: int
    network: str
    first_port: int
    last_port: int
    tcp: bool
    udp: bool
    rfc2217: bool
    team: int | None
    note: str
    created_by: str
    created: datetime


class TargetPage(Page):
    """A page of the rules."""

    results: list[TargetOut]


Port = Annotated[int, Field(ge=1, le=65535)]


class TargetBody(Incoming):
    """What of a rule is to change."""

    network: Annotated[Text, StringConstraints(min_length=1, max_length=43)] = optional()
    first_port: Port = optional()
    last_port: Port = optional()
    tcp: bool = optional()
    udp: bool = optional()
    rfc2217: bool = optional()
    team: Id | None = optional(description="A group of users; null: everybody.")
    note: Annotated[Text, StringConstraints(max_length=200)] = optional()


class NewTarget(TargetBody):
    """A rule that is added."""

    network: Annotated[Text, StringConstraints(min_length=1, max_length=43)]


@targets.get("", **needs("lines:read"), response=answers(TargetPage), summary="List allowed targets")
def target_list(request: HttpRequest, paging: Query[Paging]) -> TargetPage:
    """What is not on this list is refused."""
    return TargetPage(**paged(AllowedTarget.objects.all(), paging.page, paging.limit, _target))


@targets.post("", **needs("targets:write"), response=answers(TargetOut, 409, status=201), summary="Allow a target")
def target_add(request: HttpRequest, body: NewTarget) -> Status[TargetOut]:
    """Only administrators may."""
    return Status(201, _saved_target(request, body, None))


@targets.patch(
    "/{int:target_id}",
    **needs("targets:write"),
    response=answers(TargetOut, 404, 409),
    summary="Change an allowed target",
)
def target_change(request: HttpRequest, target_id: Id, body: TargetBody) -> TargetOut:
    """Only what is said changes. Only administrators may."""
    return _saved_target(request, body, _found_target(target_id))


@targets.delete(
    "/{int:target_id}",
    **needs("targets:write"),
    response=answers(None, 404) | {204: None},
    summary="Forbid a target again",
)
def target_delete(request: HttpRequest, target_id: Id) -> Status[None]:
    """Sessions that run go on. Only administrators may."""
    delete_target(user=request.user, target_id=_found_target(target_id).pk)
    return Status(204, None)


def _found_target(target_id: int) -> AllowedTarget:
    found = AllowedTarget.objects.filter(pk=target_id).first()
    if found is None:
        raise not_found("target")
    return found


def _saved_target(request: HttpRequest, body: TargetBody, target: AllowedTarget | None) -> TargetOut:
    form = filled(TargetForm, body.model_dump(exclude_unset=True), instance=target)
    return _target(save_target(user=request.user, target=form.cleaned_data, target_id=target.pk if target else None))


def _target(row: AllowedTarget) -> TargetOut:
    own = ("team", "created_by")
    plain: dict[str, Any] = {name: getattr(row, name) for name in TargetOut.model_fields if name not in own}
    return TargetOut(**plain, team=row.team_id, created_by=row.created_by_name)
