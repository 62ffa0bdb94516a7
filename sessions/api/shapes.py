"""Sessions, steps and frames in JSON, as they are stored: secrets are masked there already."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from meters.api.problems import Refused, not_found
from meters.api.shapes import Outgoing, Text
from sessions.models import DlmsSession, Frame, Step
from sessions.object_reference import MAX_CLASS_ID
from sessions.services import SessionOver

ClassId = Annotated[int, Field(ge=0, le=MAX_CLASS_ID)]
Member = Annotated[int, Field(ge=-128, le=127)]
LogicalName = Annotated[Text, StringConstraints(min_length=1, max_length=24)]


class ErrorOut(Outgoing):
    """Why something ended: the layer that refused, and what to try."""

    layer: str = ""
    code: str = ""
    message: str = ""
    hint: str = ""


class MeterRef(Outgoing):
    """The meter of a session."""

    id: int
    serial_number: str


class SessionOut(Outgoing):
    """One association with one meter. `meter` null: a test of a draft, or a meter that is gone."""

    id: int
    label: str
    state: str
    is_live: bool
    purpose: str
    meter: MeterRef | None
    association: str
    opened_by: str
    created: datetime
    started: datetime | None
    ended: datetime | None
    waiting_reason: str
    error: ErrorOut | None
    last_seq: int
    url: str


class StepOut(Outgoing):
    """One thing to do. `text`: the beginning of its result in words."""

    id: int
    number: int
    kind: str
    title: str
    state: str
    text: str
    error: ErrorOut | None
    progress_done: int
    progress_total: int | None
    created: datetime
    started: datetime | None
    ended: datetime | None


class StepDetail(StepOut):
    """A step with what was asked and all of what came: `value` and `octets` of a read, the columns of a profile."""

    parameters: dict[str, Any]
    result: dict[str, Any] | None
    columns: list[Any]


class SessionDetail(SessionOut):
    """A session with its steps, and what was negotiated."""

    negotiated: Any
    steps: list[StepOut]


class FrameOut(Outgoing):
    """Octets that passed the line, in hex, secrets masked."""

    seq: int
    time: datetime
    direction: str
    octets: str
    summary: str
    error: str


MAX_TEXT = 300


def session_of(dlms_session: DlmsSession) -> SessionOut:
    """With what `searched_sessions` or `get_session` brought."""
    return SessionOut(**_session(dlms_session))


def session_detail_of(dlms_session: DlmsSession) -> SessionDetail:
    steps = [step_of(step) for step in dlms_session.steps.order_by("number")]
    return SessionDetail(**_session(dlms_session), negotiated=dlms_session.negotiated, steps=steps)


def _session(found: DlmsSession) -> dict[str, Any]:
    plain = ("label", "state", "is_live", "purpose", "created", "started", "ended", "waiting_reason", "last_seq")
    return {
        "id": found.pk,
        **{name: getattr(found, name) for name in plain},
        "meter": MeterRef.model_validate(found.meter) if found.meter else None,
        "association": found.association.name if found.association else "",
        "opened_by": str(found.opened_by or ""),
        "error": _error(found.error),
        "url": found.get_absolute_url(),
    }


def _error(error: Any) -> ErrorOut | None:
    known = error if isinstance(error, dict) else {}
    return ErrorOut(**{name: str(known.get(name, "")) for name in ErrorOut.model_fields}) if known else None


def step_of(step: Step) -> StepOut:
    return StepOut(**_step(step))


def step_detail_of(step: Step) -> StepDetail:
    result = step.result if isinstance(step.result, dict) else None
    return StepDetail(**_step(step), parameters=step.parameters, result=result, columns=step.columns)


def _step(step: Step) -> dict[str, Any]:
    plain = ("number", "kind", "title", "state", "progress_done", "progress_total", "created", "started", "ended")
    text = str(step.result.get("text", "")) if isinstance(step.result, dict) else ""
    return {
        "id": step.pk,
        **{name: getattr(step, name) for name in plain},
        "text": text[:MAX_TEXT],
        "error": _error(step.error),
    }


def frame_of(frame: Frame) -> FrameOut:
    return FrameOut(
        seq=frame.seq,
        time=frame.time,
        direction=frame.direction,
        octets=bytes(frame.octets).hex(),
        summary=frame.summary,
        error=frame.error,
    )


def found_session(session_id: int) -> DlmsSession:
    """The session with what its endpoints need beside it; Refused without one."""
    rows = DlmsSession.objects.select_related("meter__line", "association", "opened_by").defer("draft")
    found = rows.filter(pk=session_id).first()
    if found is None:
        raise not_found("session")
    return found


def over(error: SessionOver) -> Refused:
    """Nothing more can be asked in this session."""
    return Refused(409, "session-over", str(error), hint="Open a new session with the meter.")
