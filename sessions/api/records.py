"""What a session recorded: steps with their values, profile rows, frames, the meter's objects."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import Http404, HttpRequest, HttpResponseBase
from ninja import Router
from pydantic import Field

from meters.api.access import needs
from meters.api.problems import answers, not_found
from meters.api.shapes import Id, Outgoing
from sessions.api.shapes import FrameOut, StepDetail, StepOut, found_session, frame_of, step_detail_of, step_of
from sessions.known_objects import known_objects
from sessions.models import DlmsSession, Frame, ProfileEntry, Step
from sessions.object_views import object_snapshot
from sessions.services import dissect_frame
from sessions.views import MAX_ENTRIES, MAX_FRAMES, profile_export

router = Router(tags=["What a session recorded"])

Cursor = Annotated[int, Field(ge=0, le=2**31 - 1)]
FRAMES = 500


# -- steps and rows ----------------------------------------------------------------------------------------------------


class StepPage(Outgoing):
    """Steps in order. `next_after`: what to send as `after` for those that follow; null at the end."""

    results: list[StepOut]
    next_after: int | None


class EntryOut(Outgoing):
    """One row of a profile: one value a column."""

    number: int
    time: datetime | None
    values: list[Any]


class EntryPage(Outgoing):
    """Rows in order, with the columns. `next_after` null: there are no more yet."""

    columns: list[Any]
    results: list[EntryOut]
    next_after: int | None


@router.get(
    "/{int:session_id}/steps", **needs("sessions:read"), response=answers(StepPage, 404), summary="Steps of a session"
)
def step_list(
    request: HttpRequest, session_id: Id, after: Cursor = 0, limit: Annotated[int, Field(ge=1, le=500)] = 200
) -> StepPage:
    """Those whose numbers are higher than `after`."""
    steps = found_session(session_id).steps.filter(number__gt=after).order_by("number")
    rows = list(steps[:limit])
    following = rows[-1].number if len(rows) == limit else None
    return StepPage(results=[step_of(step) for step in rows], next_after=following)


@router.get(
    "/{int:session_id}/steps/{int:step_id}",
    **needs("sessions:read"),
    response=answers(StepDetail, 404),
    summary="One step",
)
def step_detail(request: HttpRequest, session_id: Id, step_id: Id) -> StepDetail:
    """With what was asked, and all of what came."""
    return step_detail_of(_step(session_id, step_id))


@router.get(
    "/{int:session_id}/steps/{int:step_id}/entries",
    **needs("sessions:read"),
    response=answers(EntryPage, 404),
    summary="Rows of a profile",
)
def entry_list(
    request: HttpRequest,
    session_id: Id,
    step_id: Id,
    after: Cursor = 0,
    limit: Annotated[int, Field(ge=1, le=MAX_ENTRIES)] = 1000,
) -> EntryPage:
    """Those whose numbers are higher than `after`; while the meter answers, ask again."""
    step = _step(session_id, step_id)
    rows = list(ProfileEntry.objects.filter(step=step, number__gt=after).order_by("number")[:limit])
    results = [EntryOut(number=row.number, time=row.time, values=row.values) for row in rows]
    return EntryPage(columns=step.columns, results=results, next_after=rows[-1].number if len(rows) == limit else None)


def _as_file(media_type: str) -> dict[str, Any]:
    declared = needs("sessions:read")
    content = {media_type: {"schema": {} if "json" in media_type else {"type": "string"}}}
    declared["openapi_extra"] |= {"responses": {200: {"description": "A file", "content": content}}}
    return declared


@router.get(
    "/{int:session_id}/steps/{int:step_id}/profile.csv",
    **_as_file("text/csv"),
    response=answers(None, 404),
    summary="A profile as CSV",
)
def profile_csv(request: HttpRequest, session_id: Id, step_id: Id) -> HttpResponseBase:
    """Of any size."""
    return profile_export(request, _step(session_id, step_id).session_id, step_id)


def _step(session_id: int, step_id: int) -> Step:
    found = Step.objects.select_related("session__meter").filter(pk=step_id, session_id=session_id).first()
    if found is None:
        raise not_found("step")
    return found


# -- frames ------------------------------------------------------------------------------------------------------------


class FramePage(Outgoing):
    """Frames in order. `last_seq`: how far the session has come, whatever is on this page."""

    results: list[FrameOut]
    last_seq: int
    is_live: bool


class Dissection(Outgoing):
    """A frame as the inspector reads it: the tree of its fields, what was deciphered, the values in it; secrets masked."""

    frame: FrameOut
    framing: str
    summary: str
    fields: list[Any]
    plaintext: str | None
    data: Any
    readings: list[Any]
    notes: list[str]
    deviations: list[str]
    error: Any


@router.get(
    "/{int:session_id}/frames",
    **needs("sessions:read"),
    response=answers(FramePage, 404),
    summary="Frames of a session",
)
def frame_list(
    request: HttpRequest,
    session_id: Id,
    after: Cursor = 0,
    before: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None,
    limit: Annotated[int, Field(ge=1, le=MAX_FRAMES)] = FRAMES,
) -> FramePage:
    """Those after `after`; with `before` the last ones before it."""
    dlms_session = found_session(session_id)
    frames = Frame.objects.filter(session=dlms_session, seq__gt=after)
    if before is not None:
        rows = list(reversed(frames.filter(seq__lt=before).order_by("-seq")[:limit]))
    else:
        rows = list(frames.order_by("seq")[:limit])
    return FramePage(
        results=[frame_of(frame) for frame in rows], last_seq=dlms_session.last_seq, is_live=dlms_session.is_live
    )


@router.get(
    "/{int:session_id}/frames/{int:seq}",
    **needs("sessions:read"),
    response=answers(Dissection, 404),
    summary="One frame, read",
)
def frame_detail(request: HttpRequest, session_id: Id, seq: Cursor) -> Dissection:
    """Opened with the keys that the session was opened with."""
    frame = Frame.objects.filter(session_id=session_id, seq=seq).first()
    if frame is None:
        raise not_found("frame")
    found = dissect_frame(session_id=session_id, seq=seq, user=request.user)
    return Dissection(
        frame=frame_of(frame), **{name: found[name] for name in Dissection.model_fields if name != "frame"}
    )


# -- objects -----------------------------------------------------------------------------------------------------------


class ObjectOut(Outgoing):
    """One object of the meter's list."""

    class_id: int
    class_name: str
    version: int
    logical_name: str
    meaning: str
    base_name: int | None


class ObjectsOut(Outgoing):
    """All of them; empty where no object list was read."""

    results: list[ObjectOut]


@router.get(
    "/{int:session_id}/objects",
    **needs("sessions:read"),
    response=answers(ObjectsOut, 404),
    summary="The meter's objects",
)
def object_list(request: HttpRequest, session_id: Id) -> ObjectsOut:
    """By the newest object list that was read, in this session or through the same association."""
    plain = ("class_id", "class_name", "version", "meaning", "base_name")
    found = known_objects(found_session(session_id)) or []
    results = [
        ObjectOut(**{name: getattr(each, name) for name in plain}, logical_name=str(each.logical_name))
        for each in found
    ]
    return ObjectsOut(results=results)


@router.get(
    "/{int:session_id}/snapshot.json",
    **_as_file("application/json"),
    response=answers(None, 404),
    summary="A snapshot of the meter",
)
def snapshot(request: HttpRequest, session_id: Id) -> HttpResponseBase:
    """What the session read, as a file that `simulate --snapshot` serves."""
    if not DlmsSession.objects.filter(pk=session_id).exists():
        raise not_found("session")
    try:
        return object_snapshot(request, session_id)
    except Http404:
        raise not_found("object list of a meter of the inventory in this session") from None
