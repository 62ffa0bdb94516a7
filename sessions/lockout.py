"""The lock-out rule of a meter type: no session is opened whose wrong secret would lock the meter.

What is counted are sessions that the meter turned away for their secret or proof, of all clients of the meter, within the
rule's window; a later session of the same association that was let in shows that the meter counts from zero again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from meters.models import Association, MeterType
from sessions.dlms.errors import LocalProtocolError
from sessions.models import DlmsSession

WRONG_SECRET: Final = ("authentication-failed", "proof-refused")
"""Codes of errors by which a meter says that secret or proof is wrong."""


def check_lockout(*, meter_id: int, meter_type: MeterType | None, association: Association) -> None:
    """Raise LocalProtocolError where one more wrong secret would lock the meter, or where it is locked by what we know."""
    if meter_type is None or association.authentication == Association.Authentication.NONE:
        return
    attempts, window, minutes = meter_type.lockout_attempts, meter_type.lockout_window, meter_type.lockout_minutes
    if attempts is None or window is None or minutes is None:
        return
    now = timezone.now()
    failed = wrong_secrets(meter_id, since=now - timedelta(minutes=window))
    if len(failed) > attempts:
        ends = failed[-1] + timedelta(minutes=minutes)
        if ends > now:
            raise _refusal(f"This meter is locked: {len(failed)} wrong secrets, it bears {attempts}.", ends)
    elif len(failed) == attempts:
        ends = failed[0] + timedelta(minutes=window)
        raise _refusal(
            f"One more wrong secret would lock this meter for {minutes} minutes: it bears {attempts} within {window} minutes, "
            f"and the last {len(failed)} were wrong.",
            ends,
        )


def wrong_secrets(meter_id: int, *, since: datetime) -> list[datetime]:
    """When the meter turned a session away for its secret, the oldest first; what a later success wiped out is left out."""
    ours = DlmsSession.objects.filter(Q(meter=meter_id) | Q(tested_meter=meter_id)).order_by("ended")
    wrong = ours.filter(ended__gte=since, error__code__in=WRONG_SECRET)
    failed = [(association, ended) for association, ended in wrong.values_list("association_id", "ended") if ended]
    if not failed:
        return []
    let_in = ours.filter(started__gte=since, negotiated__isnull=False, association__isnull=False)
    last = dict(let_in.order_by("started").values_list("association_id", "started"))
    return [ended for association, ended in failed if (last.get(association) or ended) <= ended]


def _refusal(message: str, ends: datetime) -> LocalProtocolError:
    until = timezone.localtime(ends).strftime("%Y-%m-%d %H:%M")
    return LocalProtocolError(
        message,
        layer="workbench",  # nobody was asked: the ladder must not say that the line was reached
        code="lock-out-ahead",
        hint=f"Nothing was sent. Wait until {until}, and check the secret before; the rule stands at the meter's type.",
    )
