"""Who runs a session, and who talks on a line: leases by the database's clock, fenced by the session's epoch.

    claim_session   QUEUED -> OPENING by compare-and-set; the epoch goes up by one, and the line is taken with it
    fence           every later write first proves that the epoch is still ours, in the same transaction
    renew           a few times in a lease's life; whoever cannot renew any more must stop talking
    free_lines      when the session ends, for the next one

A lease that ran out is not taken back: the watchdog ends the session as LOST and raises its epoch, so a worker that was only
asleep finds its writes refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Q
from django.db.models.functions import Now

from sessions.models import DlmsSession, LineLease

LEASE_SECONDS = 10.0


class LeaseLost(Exception):
    """The session, or its line, is not ours any more: nothing may be written or sent."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run one session. `line_address` is empty where several may talk at once."""

    session_id: int
    epoch: int
    last_seq: int = 0
    line_address: str = ""


def lease_end() -> ExpressionWrapper[Any]:
    """When a lease that is given now runs out."""
    return ExpressionWrapper(Now() + timedelta(seconds=LEASE_SECONDS), output_field=DateTimeField())


def claim_session(session_id: int) -> Claim | None:
    """Make a queued session ours; None when somebody was faster, it is over, or its line is busy (then the row says so)."""
    with transaction.atomic():
        queued = DlmsSession.objects.filter(pk=session_id, state=DlmsSession.State.QUEUED, cancel_requested=False)
        started = queued.update(
            state=DlmsSession.State.OPENING,
            epoch=F("epoch") + 1,
            lease_until=lease_end(),
            started=Now(),
            waiting_reason="",
        )
        if not started:
            return None
        row = DlmsSession.objects.only("epoch", "last_seq", "line_address").get(pk=session_id)
        claim = Claim(session_id, row.epoch, row.last_seq, row.line_address)
        if not claim.line_address or _take_line(claim):
            return claim
        transaction.set_rollback(True)
    _say_why_it_waits(claim)
    return None


def _take_line(claim: Claim) -> bool:
    LineLease.objects.get_or_create(address=claim.line_address)
    is_free = Q(session=None) | Q(lease_until=None) | Q(lease_until__lt=Now())
    lines = LineLease.objects.filter(is_free, address=claim.line_address)
    return lines.update(session_id=claim.session_id, epoch=claim.epoch, lease_until=lease_end()) == 1


def _say_why_it_waits(claim: Claim) -> None:
    holder = DlmsSession.objects.filter(line_leases__address=claim.line_address).first()
    reason = f"The line is in use by session {holder.pk} ({holder})." if holder else "The line is in use."
    waiting = DlmsSession.objects.filter(pk=claim.session_id, state=DlmsSession.State.QUEUED)
    waiting.exclude(waiting_reason=reason[:200]).update(waiting_reason=reason[:200])


def fence(claim: Claim, **changes: Any) -> None:
    """Prove, inside a transaction, that the session is still ours (and change its row); LeaseLost otherwise."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a fence outside a transaction protects nothing")
    ours = DlmsSession.objects.filter(pk=claim.session_id, epoch=claim.epoch, state__in=DlmsSession.RUNNING)
    if ours.update(**(changes or {"epoch": claim.epoch})) != 1:
        raise LeaseLost(f"session {claim.session_id}, epoch {claim.epoch}")


@transaction.atomic
def renew(claim: Claim) -> None:
    """Ten more seconds for the session and its line; LeaseLost when either is not ours any more."""
    fence(claim, lease_until=lease_end())
    if claim.line_address:
        ours = LineLease.objects.filter(address=claim.line_address, session_id=claim.session_id, epoch=claim.epoch)
        if ours.update(lease_until=lease_end()) != 1:
            raise LeaseLost(f"session {claim.session_id} lost its line")


def free_lines(session_id: int) -> None:
    """The session talks on no line any more."""
    LineLease.objects.filter(session_id=session_id).update(session=None, lease_until=None)


def waiting_for(line_address: str) -> list[int]:
    """The sessions that wait for a line, the oldest first."""
    if not line_address:
        return []
    queued = DlmsSession.objects.filter(line_address=line_address, state=DlmsSession.State.QUEUED)
    return list(queued.order_by("pk").values_list("pk", flat=True))
