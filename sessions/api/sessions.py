"""Sessions: the list, one of them, opening, closing, cancelling; the test of a meter that is not saved."""

from __future__ import annotations

from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status
from pydantic import Field, StringConstraints

from meters.api.access import needs
from meters.api.meter_body import MeterBody, meter_form, refusal_by_service, refusal_of
from meters.api.meter_editing import wanted_association
from meters.api.problems import answers, invalid, not_found
from meters.api.shapes import Id, Incoming, OneOf, Page, PageNumber, PageSize, Text, Word, example, paged
from meters.models import Association, Meter
from sessions.api.shapes import (
    ClassId,
    LogicalName,
    Member,
    SessionDetail,
    SessionOut,
    found_session,
    session_detail_of,
    session_of,
)
from sessions.models import DlmsSession, Step
from sessions.services import MAX_UNFINISHED_STEPS, cancel_session, close_session, open_session, open_test_session
from sessions.views import STATES, searched_sessions

router = Router(tags=["Sessions"])
ENDING: dict[str, Any] = {"response": answers(SessionDetail, 404)}


class SessionPage(Page):
    """A page of sessions."""

    results: list[SessionOut]


class ReadIn(Incoming):
    """One attribute to read."""

    model_config = example({"class_id": 8, "logical_name": "0-0:1.0.0*255", "attribute_id": 2})

    class_id: ClassId
    logical_name: LogicalName
    attribute_id: Member = 2


class NewSession(Incoming):
    """A session with a meter of the inventory, named by `meter` or by `serial_number`."""

    model_config = example(
        {
            "serial_number": "10000001",
            "reads": [{"class_id": 8, "logical_name": "0-0:1.0.0*255", "attribute_id": 2}],
            "close": True,
        }
    )

    meter: Id | None = None
    serial_number: Annotated[Text, StringConstraints(max_length=64)] | None = None
    association: Id | None = Field(default=None, description="Without it the meter's default one.")
    reads: Annotated[list[ReadIn], Field(max_length=MAX_UNFINISHED_STEPS)] = Field(
        default_factory=list, description="What to read at once."
    )
    close: bool = Field(default=False, description="End it when these reads are done.")


class TestBody(MeterBody):
    """A meter as it might be saved. With `meter` what is not said comes from that one, its secrets too."""

    meter: Id | None = None


@router.get("", **needs("sessions:read"), response=answers(SessionPage), summary="List sessions")
def session_list(
    request: HttpRequest,
    q: Word = "",
    state: Annotated[str, OneOf(["", *STATES])] = "",
    meter: Id | None = None,
    page: PageNumber = 1,
    limit: PageSize = 50,
) -> SessionPage:
    """The newest first. `q`: words of the label, a person, or `#` and a number."""
    rows = searched_sessions(state, q)
    if meter is not None:
        rows = rows.filter(meter_id=meter)
    return SessionPage(**paged(rows, page, limit, session_of))


@router.post(
    "", **needs("sessions:run"), response=answers(SessionDetail, 404, 409, status=201), summary="Open a session"
)
def session_open(request: HttpRequest, body: NewSession) -> Status[SessionDetail]:
    """A worker opens it; ask again for its state, its steps and its frames."""
    reads = [{"kind": Step.Kind.READ, **read.model_dump()} for read in body.reads]
    meter_id = _meter(body)
    try:
        opened = open_session(
            meter_id=meter_id, user=request.user, association_id=body.association, steps=reads, close=body.close
        )
    except Association.DoesNotExist:
        raise invalid({"association": ["This meter has no such association."]}) from None
    return Status(201, session_detail_of(found_session(opened.pk)))


def _meter(body: NewSession) -> int:
    if (body.meter is None) == (body.serial_number is None):
        raise invalid({"meter": ["Say which meter: by its id, or by its serial number."]})
    asked: dict[str, Any] = {"pk": body.meter} if body.meter else {"serial_number": body.serial_number}
    found = Meter.objects.filter(**asked).values_list("pk", flat=True).first()
    if found is None:
        raise not_found("meter")
    return found


@router.post(
    "/test", **needs("sessions:run"), response=answers(SessionDetail, 404, 503, status=201), summary="Test a meter"
)
def session_test(request: HttpRequest, body: TestBody) -> Status[SessionDetail]:
    """Try a meter without saving it: associate, read its name and clock, release."""
    meter = Meter.objects.select_related("line", "meter_type").filter(pk=body.meter).first() if body.meter else None
    if body.meter and meter is None:
        raise not_found("meter")
    association = wanted_association(meter, body) if meter else None
    said = MeterBody.model_validate(body.model_dump(exclude_unset=True, exclude={"meter"}))
    form = meter_form(said, meter=meter, association=association, testing=True)
    if not form.is_valid():
        raise refusal_of(form)
    try:
        opened = open_test_session(draft=form.draft(), user=request.user)
    except ValidationError as error:
        raise refusal_by_service(error) from None
    return Status(201, session_detail_of(found_session(opened.pk)))


@router.get("/{int:session_id}", **needs("sessions:read"), response=answers(SessionDetail, 404), summary="One session")
def session_detail(request: HttpRequest, session_id: Id) -> SessionDetail:
    """Its state, why it ended, what was negotiated, its steps."""
    return session_detail_of(found_session(session_id))


@router.post(
    "/{int:session_id}/close", **needs("sessions:run"), response=answers(SessionDetail, 404), summary="Close a session"
)
def session_close(request: HttpRequest, session_id: Id) -> SessionDetail:
    """In good order, once its steps are done. One that is over stays as it is."""
    return _ended(close_session, request, session_id)


@router.post(
    "/{int:session_id}/cancel",
    **needs("sessions:run"),
    response=answers(SessionDetail, 404),
    summary="Cancel a session",
)
def session_cancel(request: HttpRequest, session_id: Id) -> SessionDetail:
    """Now. One that is over stays as it is."""
    return _ended(cancel_session, request, session_id)


def _ended(service: Any, request: HttpRequest, session_id: int) -> SessionDetail:
    try:
        service(session_id=session_id, user=request.user)
    except DlmsSession.DoesNotExist:
        raise not_found("session") from None
    return session_detail_of(found_session(session_id))
