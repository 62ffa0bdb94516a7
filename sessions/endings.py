"""How a session ends in the database: its state, its steps, its secrets, its line."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from sessions.leases import free_lines
from sessions.models import DlmsSession, Step
from sessions.storable import storable

Error = dict[str, Any]

UNKNOWN_EFFECT: Error = {
    "layer": "application",
    "code": "uncertain",
    "message": "It was sent, and no answer came: the meter may have done it or not.",
    "hint": "It is not repeated by itself. Read the object back to see what the meter did.",
}
UNPROVEN_REFUSAL: Error = {
    **UNKNOWN_EFFECT,
    "message": "It was sent, and the refusal that came is not protected: anybody on the line may have said it.",
    "hint": "It is not repeated by itself. Read the object back to see what the meter did. A meter that cannot decipher the "
    "request answers so, too: check keys, system titles and the invocation counter.",
}


def worker_lost() -> Error:
    """The session's worker died."""
    return {
        "layer": "workbench",
        "code": "worker-lost",
        "message": "The worker that ran this session died; what was recorded is kept.",
        "hint": "Open a new session.",
    }


def worker_stopped() -> Error:
    """The session's worker was told to stop."""
    return {
        "layer": "workbench",
        "code": "worker-stopped",
        "message": "The worker was stopped while this session ran; what was recorded is kept.",
        "hint": "Open a new session once the workbench runs again.",
    }


def internal_error(error: BaseException) -> Error:
    """A mistake in the workbench: its kind, never its text, which could hold anything."""
    return {
        "layer": "workbench",
        "code": "internal-error",
        "message": f"An error in the workbench ended this ({type(error).__name__}).",
        "hint": "The worker's log has the details. Please report it.",
    }


def end_session(
    dlms_session: DlmsSession, state: DlmsSession.State, *, error: Error | None = None, new_epoch: bool = False
) -> None:
    """Set the session's last state and save it; inside the caller's transaction, which has fenced or locked the row.

    Steps that never began are cancelled. One that was under way failed with the session, and what it may have done to the
    meter is uncertain. `new_epoch` shuts out the worker that ran it.
    """
    dlms_session.state = state
    dlms_session.error = error = storable(error)
    dlms_session.ended = timezone.now()
    dlms_session.lease_until = None
    dlms_session.waiting_reason = ""
    dlms_session.draft = None
    if new_epoch:
        dlms_session.epoch += 1
    changed = ["state", "error", "ended", "lease_until", "waiting_reason", "draft", "epoch"]
    dlms_session.save(update_fields=changed)
    _end_steps(dlms_session, state, error)
    free_lines(dlms_session.pk)


def _end_steps(dlms_session: DlmsSession, state: DlmsSession.State, error: Error | None) -> None:
    now = timezone.now()
    steps = Step.objects.filter(session=dlms_session)
    running = steps.filter(state=Step.State.RUNNING)
    running.filter(kind__in=Step.SIDE_EFFECTS).update(state=Step.State.UNCERTAIN, error=UNKNOWN_EFFECT, ended=now)
    cancelled = state == DlmsSession.State.CANCELLED
    ended = Step.State.CANCELLED if cancelled else Step.State.FAILED
    running.exclude(kind__in=Step.SIDE_EFFECTS).update(state=ended, error=error, ended=now)
    steps.filter(state=Step.State.WAITING).update(state=Step.State.CANCELLED, ended=now)
    forget_secrets(steps)


def forget_secrets(steps: QuerySet[Step]) -> None:
    """Erase the secrets that ended steps were to send: their octets were needed until then, and no longer."""
    steps.exclude(state__in=Step.UNFINISHED).exclude(sealed=None).update(sealed=None)
