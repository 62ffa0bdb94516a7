"""What people and programs can do with sessions. Each service is one transaction; the doorbells ring after it is committed.

    open_session, open_test_session,     a new session waits for a worker
    open_line_test
    add_read_step, add_profile_step,     one more thing to do in a session that is alive
    add_write_step, add_invoke_step
    close_session, cancel_session        end it when its steps are done; end it now
    dissect_frame                        what a recorded frame says, opened with the session's keys
    recover_sessions, waiting_sessions,  the watchdog's sweep: nobody waits for a dead worker, or without a reason
    explain_waiting

Bad parameters raise Django's `ValidationError` with the parameter's name, a session that is over `SessionOver`, somebody who may
not `PermissionDenied`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count, Max, Q
from django.db.models.functions import Now
from django.utils import timezone

from meters import vault
from meters.lines.services import check_line, same_lines
from meters.models import Association, Line, Meter
from meters.services import Slot, draft_access, open_key_versions
from meters.targets.services import audited
from sessions import parameters as checked
from sessions.catalogs.overlay import session_overlay
from sessions.dlms.inspector import DissectionKeys
from sessions.dlms.short_name_map import ShortNameMap
from sessions.endings import end_session, worker_lost
from sessions.events import ring_browsers
from sessions.leases import waiting_for
from sessions.models import DlmsSession, Frame, Job, LineLease, Step
from sessions.tasks import ring_worker
from sessions.titles import PROFILE_CLASS, step_title
from sessions.trace import redissect, with_dedicated_key
from sessions.write_budget import write_budget

HDLC_FRAMINGS = (Meter.Framing.HDLC, Meter.Framing.MODE_E)
ATTEMPTS_WINDOW = timedelta(minutes=1)
ATTEMPTS_LIMIT = 30
"""Of one person in the window: tests, and sessions whose line could not be opened. Who scans reaches it, who works does not."""
MAX_UNFINISHED_STEPS = 200
MAX_FRAMES_OF_AN_APDU = 5000
LATE = Q(lease_until__lt=Now()) | Q(lease_until=None)

Kind, State = Step.Kind, DlmsSession.State

CHECKS: Mapping[str, Callable[..., dict[str, Any]]] = {
    Kind.READ: checked.read_parameters,
    Kind.READ_PROFILE: checked.profile_parameters,
    Kind.WRITE: checked.write_parameters,
    Kind.INVOKE: checked.invoke_parameters,
}

LOGICAL_DEVICE_NAME = {"class_id": 1, "logical_name": "0-0:42.0.0*255", "attribute_id": 2}
CLOCK_TIME = {"class_id": 8, "logical_name": "0-0:1.0.0*255", "attribute_id": 2}


class SessionOver(Exception):
    """The session has ended: nothing more can be asked in it."""

    def __init__(self, dlms_session: DlmsSession) -> None:
        super().__init__(f"This session is over ({dlms_session.get_state_display().lower()}): open a new one.")


# -- opening -----------------------------------------------------------------------------------------------------------


@audited
@transaction.atomic
def open_session(
    *,
    meter_id: int,
    user: Any,
    association_id: int | None = None,
    steps: Iterable[Mapping[str, Any]] = (),
    close: bool = False,
) -> DlmsSession:
    """A session with the meter, by the association given or the meter's default one, with `steps` to begin with.

    `close`: these steps are all, and it ends when they are done.
    A step is `{"kind": "READ", …}` with the keywords of its `add_…_step` service.
    """
    _require_technician(user)
    association = _association(meter_id, association_id)
    meter = association.meter
    _check_line(meter.line, user)
    label = f"{meter} · {association}"
    job = Job.objects.create(kind=Job.Kind.SESSION, label=label, created_by=user)
    dlms_session = DlmsSession.objects.create(
        job=job,
        meter=meter,
        association=association,
        line=meter.line,
        label=label,
        opened_by=user,
        close_requested=close,
        line_address=meter.line_address,
    )
    for step in steps:
        _add_step(dlms_session, user, **step)
    _ring_on_commit(dlms_session)
    return dlms_session


@audited
@transaction.atomic
def open_test_session(*, draft: Mapping[str, Any], user: Any) -> DlmsSession:
    """Try a meter that is not saved yet: associate, read its name and clock, release.

    `draft` holds what `meters.services.save_meter` takes: meter, line, association, secrets, perhaps meter_id. It is sealed
    in the session's row, and erased when the session ends.
    """
    _require_technician(user)
    access = draft_access(**draft)
    _check_line(access.line, user)
    label = f"Test of {access.meter} · {access.line}".replace("  ", " ")[:200]
    job = Job.objects.create(kind=Job.Kind.TEST, label=label, created_by=user)
    dlms_session = DlmsSession.objects.create(
        job=job,
        label=label,
        purpose=DlmsSession.Purpose.TEST,
        line=same_lines(access.line).first(),
        opened_by=user,
        tested_meter_id=draft.get("meter_id"),
        close_requested=True,  # once its steps are done
        line_address=access.meter.line_address,
    )
    dlms_session.draft = vault.seal(_packed(draft), dlms_session.draft_context)
    dlms_session.save(update_fields=["draft"])
    for parameters in (LOGICAL_DEVICE_NAME, CLOCK_TIME):
        _add_step(dlms_session, user, kind=Kind.READ, **parameters)
    _ring_on_commit(dlms_session)
    return dlms_session


@audited
@transaction.atomic
def open_line_test(*, line_id: int, user: Any) -> DlmsSession:
    """Connect to a line and let go again, to see whether that is possible: by a worker, in turn with those who talk there."""
    _require_technician(user)
    line = Line.objects.get(pk=line_id)
    _check_line(line, user)
    label = f"Test of the line {line}"[:200]
    job = Job.objects.create(kind=Job.Kind.LINE, label=label, created_by=user)
    dlms_session = DlmsSession.objects.create(
        job=job,
        line=line,
        label=label,
        purpose=DlmsSession.Purpose.LINE,
        opened_by=user,
        close_requested=True,
        line_address=line.address if line.is_serial or line.meters.filter(framing__in=HDLC_FRAMINGS).exists() else "",
    )
    _ring_on_commit(dlms_session)
    return dlms_session


def _check_line(line: Line, user: Any) -> None:
    """Before anything waits for a worker, which checks again: is the target allowed, and does nobody scan?"""
    check_line(line=line, user=user)
    since = timezone.now() - ATTEMPTS_WINDOW
    mine = DlmsSession.objects.filter(opened_by=user, created__gte=since)
    attempts = mine.filter(Q(purpose__in=DlmsSession.TESTS) | Q(error__layer="line")).count()
    if line.on_network and attempts >= ATTEMPTS_LIMIT:
        raise ValidationError(
            f"{attempts} connections were only tried, or came to nothing, within a minute: wait a little before the next one."
        )


def _packed(draft: Mapping[str, Any]) -> bytes:
    """As JSON octets, to be sealed: the fields that a connection needs."""
    unneeded = ("meter_type", "notes", "location", "batch", "tags", "reason")
    meter = {name: value for name, value in draft["meter"].items() if name not in unneeded}
    if draft["meter"].get("meter_type") is not None:
        meter["meter_type_id"] = draft["meter"]["meter_type"].pk
    secrets = {slot: bytes(secret).hex() for slot, secret in (draft.get("secrets") or {}).items() if secret}
    return json.dumps({**draft, "meter": meter, "secrets": secrets}).encode()


def _association(meter_id: int, association_id: int | None) -> Association:
    found = Association.objects.select_related("meter__line").filter(meter_id=meter_id)
    if association_id:
        return found.get(pk=association_id)
    default = found.order_by("-is_default", "pk").first()
    if default is None:
        raise ValidationError("This meter has no association yet: add one first.")
    return default


def _require_technician(user: Any) -> None:
    if user is None or not user.is_authenticated or not user.is_active:
        raise PermissionDenied("Sign in to talk with meters.")


# -- steps -------------------------------------------------------------------------------------------------------------


def add_read_step(*, session_id: int, user: Any, class_id: Any, logical_name: Any, attribute_id: Any) -> Step:
    """Read one attribute."""
    asked = {"class_id": class_id, "logical_name": logical_name, "attribute_id": attribute_id}
    return _ask(session_id, user, kind=Kind.READ, **asked)


def add_profile_step(
    *,
    session_id: int,
    user: Any,
    logical_name: Any,
    from_time: Any = None,
    to_time: Any = None,
    from_entry: Any = None,
    to_entry: Any = None,
) -> Step:
    """Read a profile's rows: from one time to another, from one entry to another, or all of them."""
    times = {"from_time": from_time, "to_time": to_time}
    entries = {"from_entry": from_entry, "to_entry": to_entry}
    return _ask(session_id, user, kind=Kind.READ_PROFILE, logical_name=logical_name, **times, **entries)


def add_write_step(
    *, session_id: int, user: Any, class_id: Any, logical_name: Any, attribute_id: Any, value: Any
) -> Step:
    """Write one attribute. `value` is a `Data` or `{"type": "long-unsigned", "value": 5}`."""
    asked = {"class_id": class_id, "logical_name": logical_name, "attribute_id": attribute_id, "value": value}
    return _ask(session_id, user, kind=Kind.WRITE, **asked)


def add_invoke_step(
    *, session_id: int, user: Any, class_id: Any, logical_name: Any, method_id: Any, value: Any = None
) -> Step:
    """Invoke one method, with `value` as its parameter."""
    asked = {"class_id": class_id, "logical_name": logical_name, "method_id": method_id, "value": value}
    return _ask(session_id, user, kind=Kind.INVOKE, **asked)


@transaction.atomic
def _ask(session_id: int, user: Any, **step: Any) -> Step:
    _require_technician(user)
    dlms_session = DlmsSession.objects.select_for_update().get(pk=session_id)
    if not dlms_session.is_live or dlms_session.close_requested or dlms_session.cancel_requested:
        raise SessionOver(dlms_session)
    added = _add_step(dlms_session, user, **step)
    _ring_on_commit(dlms_session)
    return added


def _add_step(dlms_session: DlmsSession, user: Any, *, kind: str, **asked: Any) -> Step:
    try:
        parameters = CHECKS[Kind(kind)](**asked)
    except checked.ParameterError as error:
        raise ValidationError({error.field: str(error)}) from None
    if kind == Kind.WRITE:
        _check_budget(dlms_session, parameters)
    steps = dlms_session.steps.aggregate(
        last=Max("number"), unfinished=Count("pk", filter=Q(state__in=Step.UNFINISHED))
    )
    if steps["unfinished"] >= MAX_UNFINISHED_STEPS:
        raise ValidationError(f"{MAX_UNFINISHED_STEPS} steps are waiting already: let the meter answer first.")
    secret = parameters.get("octets") if checked.holds_secret(parameters) else None
    step = Step.objects.create(
        session=dlms_session,
        number=(steps["last"] or 0) + 1,
        kind=kind,
        title=step_title(kind, parameters, _own_title(dlms_session, parameters))[:200],
        parameters=checked.without_secret(parameters) if secret else parameters,
        requested_by=user,
    )
    if secret:
        _seal(step, bytes.fromhex(secret))
    return step


def _own_title(dlms_session: DlmsSession, parameters: Mapping[str, Any]) -> str:
    """What the type's catalog calls the object."""
    code = checked.logical_name_of(parameters)
    return session_overlay(dlms_session, [code]).own_title(code, parameters.get("class_id", PROFILE_CLASS))


def _check_budget(dlms_session: DlmsSession, parameters: dict[str, Any]) -> None:
    budget = write_budget(dlms_session.meter, parameters)
    if budget is not None and budget.is_used_up:
        raise ValidationError(f"It bears no further write: {budget.words} The limit stands at the meter's type.")


def _seal(step: Step, octets: bytes) -> None:
    """Keep what is to be sent where only the worker that sends it can read it."""
    try:
        step.sealed = vault.seal(octets, step.seal_context)
    except vault.VaultError as error:
        raise ValidationError(f"{error.message} {error.hint}") from None
    step.save(update_fields=["sealed"])


# -- ending ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def close_session(*, session_id: int, user: Any) -> DlmsSession:
    """End the session in good order once its steps are done. One that is over already stays as it is."""
    _require_technician(user)
    dlms_session = DlmsSession.objects.select_for_update().get(pk=session_id)
    if dlms_session.is_live:
        dlms_session.close_requested = True
        dlms_session.save(update_fields=["close_requested"])
        _ring_on_commit(dlms_session)
    return dlms_session


@transaction.atomic
def cancel_session(*, session_id: int, user: Any) -> DlmsSession:
    """End the session now. One that no worker runs yet is over at once; one that is over already stays as it is."""
    _require_technician(user)
    dlms_session = DlmsSession.objects.select_for_update().get(pk=session_id)
    if not dlms_session.is_live:
        return dlms_session
    dlms_session.cancel_requested = True
    dlms_session.save(update_fields=["cancel_requested"])
    if dlms_session.state == State.QUEUED:
        end_session(dlms_session, State.CANCELLED)
    _ring_on_commit(dlms_session)
    return dlms_session


def _ring_on_commit(dlms_session: DlmsSession) -> None:
    """Wake a worker for a session that waits, and every browser that watches it, once the rows can be seen."""
    if dlms_session.state == State.QUEUED:
        transaction.on_commit(lambda: ring_worker(dlms_session.pk))
    transaction.on_commit(lambda: ring_browsers(dlms_session.pk, dlms_session.last_seq))


# -- looking closer ----------------------------------------------------------------------------------------------------


def dissect_frame(*, session_id: int, seq: int, user: Any) -> dict[str, Any]:
    """A recorded frame as the inspector's JSON, opened with the keys that the session was opened with.

    DoesNotExist without such a frame. A vault that is sealed leaves ciphered frames closed, with a note that says so.
    """
    _require_technician(user)
    frame = Frame.objects.select_related("session").get(session_id=session_id, seq=seq)
    first = frame.apdu_first_seq or seq
    keys, note = _keys_of(frame.session)
    asked = Frame.objects.filter(session_id=session_id, seq__lt=first, summary__contains="AARQ, ").last()
    if keys is not None and asked is not None:
        keys = with_dedicated_key(keys, _frames_up_to(asked))
    found = redissect(_frames_up_to(frame), keys)
    return {**found, "notes": [*found["notes"], *note]}


def _frames_up_to(frame: Frame) -> list[tuple[bytes, str]]:
    """Octets and direction of the frames without which this one cannot be understood, and of itself."""
    seq = frame.seq
    first = max(frame.apdu_first_seq or seq, seq - MAX_FRAMES_OF_AN_APDU)
    passed = Frame.objects.filter(session_id=frame.session_id, seq__gte=first, seq__lt=seq)
    before = passed.exclude(direction=Frame.Direction.DISCARDED).values_list("octets", "direction")
    return [(bytes(octets), direction.lower()) for octets, direction in [*before, (frame.octets, frame.direction)]]


def _keys_of(dlms_session: DlmsSession) -> tuple[DissectionKeys | None, list[str]]:
    context = dlms_session.context
    try:
        secrets = open_key_versions(ids=context.get("key_version_ids", []))
    except vault.VaultError as error:
        return None, [error.message]
    short_names = context.get("short_names")
    keys = DissectionKeys(
        guek=secrets.get(Slot.GUEK),
        gak=secrets.get(Slot.GAK),
        dedicated_key=secrets.get(Slot.DEDICATED_KEY),
        client_signing_key=secrets.get(Slot.SIGNING_KEY),
        server_signing_key=secrets.get(Slot.PEER_SIGNING_KEY),
        client_system_title=bytes.fromhex(context.get("client_system_title") or "") or None,
        server_system_title=bytes.fromhex(context.get("server_system_title") or "") or None,
        short_names=None if short_names is None else ShortNameMap.from_json(short_names),
    )
    return keys, []


# -- the watchdog's sweep ----------------------------------------------------------------------------------------------


def recover_sessions() -> list[int]:
    """End every session whose worker stopped renewing its lease, and ring for those that its line was busy for.

    Returns the sessions that were lost. Safe to run anywhere at any time, also twice at once.
    """
    late = DlmsSession.objects.filter(LATE, state__in=DlmsSession.RUNNING)
    return [session_id for session_id in late.values_list("pk", flat=True) if _lose(session_id)]


def _lose(session_id: int) -> bool:
    with transaction.atomic():
        rows = DlmsSession.objects.select_for_update(of=("self",))
        dlms_session = rows.filter(LATE, pk=session_id, state__in=DlmsSession.RUNNING).first()
        if dlms_session is None:  # somebody was faster, or the worker woke up
            return False
        waiting = waiting_for(dlms_session.line_address)
        end_session(dlms_session, State.LOST, error=worker_lost(), new_epoch=True)
    ring_browsers(session_id, dlms_session.last_seq)
    for other in waiting:
        ring_worker(other)
    return True


def explain_waiting(session_id: int) -> None:
    """Say in the row why a session that was rung for more than once still waits; a reason that it has stays."""
    running = DlmsSession.objects.filter(state__in=DlmsSession.RUNNING, lease_until__gte=Now()).count()
    reason = f"All workers are busy: {running} sessions run now." if running else "No worker answers: is one running?"
    waiting = DlmsSession.objects.filter(pk=session_id, state=State.QUEUED, line_address="")
    if waiting.exclude(waiting_reason=reason).update(waiting_reason=reason):
        ring_browsers(session_id, 0)


def waiting_sessions() -> list[int]:
    """The queued sessions that could run: their line is free. The oldest first."""
    busy = LineLease.objects.exclude(session=None).filter(lease_until__gte=Now()).values("address")
    queued = DlmsSession.objects.filter(state=State.QUEUED, cancel_requested=False)
    return list(queued.exclude(line_address__in=busy).order_by("pk").values_list("pk", flat=True))
