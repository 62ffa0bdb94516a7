"""What is done with quirks: each service is one transaction with its entry in the change log.

ValidationError names the field that is wrong, `ReviewError` says why this person cannot do this with this quirk now.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from meters.changes import Fields, record
from meters.models import Change, Meter, MeterType, Quirk, QuirkComment, QuirkException
from meters.quirks.names import QUIRKS, BadValue, read_value, value_words
from meters.quirks.review import ReviewError, ReviewEvent, ReviewState, reviewed

State = Quirk.State


@transaction.atomic
def propose_quirk(
    *, user: Any, meter_type: MeterType, name: str, value: Any, reason: str, session_id: int | None
) -> Quirk:
    """Propose a quirk of a type, with the session with one of its meters that proved it."""
    _require_person(user)
    MeterType.objects.select_for_update().get(pk=meter_type.pk)
    kept = _value(name, value)
    _check_proof(meter_type, session_id)
    same = Quirk.objects.filter(meter_type=meter_type, name=name)
    if same.filter(state=State.PROPOSED).exists():
        raise ValidationError({"name": "This quirk is proposed already: look at that proposal first."})
    if same.filter(state=State.ACCEPTED, value=kept).exists():
        raise ValidationError({"name": "This quirk is accepted already, with this value."})
    quirk = Quirk(meter_type=meter_type, name=name, value=kept, reason=reason.strip(), proof_session=session_id or 0)
    quirk.proposed_by, quirk.proposed_by_name = user, str(user)[:150]
    quirk.full_clean(exclude=["value", "reviewed_by"])
    quirk.save()
    fields: Fields = {"name": [None, name], "value": [None, value_words(kept)], "proof_session": [None, session_id]}
    record(user=user, thing=quirk, fields=fields, message=quirk.reason, action=Change.Action.CREATE)
    return quirk


def _value(name: str, value: Any) -> Any:
    try:
        return read_value(name, value)
    except BadValue as error:
        raise ValidationError({"value": str(error)}) from None


def _check_proof(meter_type: MeterType, session_id: int | None) -> None:
    """The session is one with a meter of this type, found through the relation that the app above made."""
    if not session_id or not Meter.objects.filter(meter_type=meter_type, sessions__pk=session_id).exists():
        raise ValidationError({"session": f"Which session with a meter of type {meter_type} proved it? Its number."})


def _require_person(user: Any) -> None:
    if user is None or not getattr(user, "is_authenticated", False) or not user.is_active:
        raise PermissionDenied("Sign in to review quirks.")


def accept_quirk(*, user: Any, quirk_id: int, message: str = "") -> Quirk:
    """From now on every session with a meter of the type obeys it; one of the same name that was accepted before is withdrawn."""
    return _review(user, quirk_id, ReviewEvent.ACCEPT, message)


def refuse_quirk(*, user: Any, quirk_id: int, message: str) -> Quirk:
    """Say no, and why."""
    return _review(user, quirk_id, ReviewEvent.REFUSE, message)


def withdraw_quirk(*, user: Any, quirk_id: int, message: str) -> Quirk:
    """Take a proposal back, or end an accepted quirk: sessions that begin now do without it."""
    return _review(user, quirk_id, ReviewEvent.WITHDRAW, message)


@transaction.atomic
def _review(user: Any, quirk_id: int, event: ReviewEvent, message: str) -> Quirk:
    _require_person(user)
    quirk = Quirk.objects.select_for_update(of=("self",)).select_related("meter_type").get(pk=quirk_id)
    before = quirk.state
    after = reviewed(ReviewState(before), event, by_proposer=_is_proposer(user, quirk))
    if event is not ReviewEvent.ACCEPT and not message.strip():
        raise ReviewError("Say why: the next one who meets such a meter reads it.")
    if event is ReviewEvent.ACCEPT:
        _replace(user, quirk)
    quirk.state = State(after.value)
    if event is not ReviewEvent.WITHDRAW:
        quirk.reviewed, quirk.reviewed_by, quirk.reviewed_by_name = timezone.now(), user, str(user)[:150]
    quirk.save()
    record(user=user, thing=quirk, fields={"state": [before, quirk.state]}, message=message.strip())
    return quirk


def _is_proposer(user: Any, quirk: Quirk) -> bool:
    return quirk.proposed_by_id == user.pk or quirk.proposed_by_name == str(user)[:150]


def _replace(user: Any, quirk: Quirk) -> None:
    """There is one accepted quirk of a name."""
    rows = Quirk.objects.select_for_update().filter(
        meter_type=quirk.meter_type_id, name=quirk.name, state=State.ACCEPTED
    )
    for old in rows:
        old.state = State.WITHDRAWN
        old.save(update_fields=["state"])
        fields: Fields = {"state": [State.ACCEPTED, State.WITHDRAWN]}
        record(user=user, thing=old, fields=fields, message=f"replaced by quirk {quirk.pk}")


@transaction.atomic
def comment_quirk(*, user: Any, quirk_id: int, text: str) -> QuirkComment:
    """Write a comment. The log says that there is one, not what it says."""
    quirk = Quirk.objects.get(pk=quirk_id)
    comment = QuirkComment(quirk=quirk, user=user, user_name=str(user)[:150], text=text.strip())
    comment.full_clean()
    comment.save()
    record(user=user, thing=quirk, fields={"comment": [None, f"#{comment.pk}"]})
    return comment


# -- one meter's own ---------------------------------------------------------------------------------------------------


@transaction.atomic
def make_exception(*, user: Any, meter_id: int, name: str, value: Any, reason: str) -> QuirkException:
    """This meter does otherwise than its type's quirk says; `value` None: it has not that quirk."""
    meter = Meter.objects.select_for_update().get(pk=meter_id)
    if name not in QUIRKS:
        raise ValidationError({"name": f"There is no quirk “{name}”."})
    kept = None if value is None else _value(name, value)
    if not reason.strip():
        raise ValidationError({"reason": "Say why this meter is otherwise: the history keeps it."})
    found = QuirkException.objects.filter(meter=meter, name=name).first()
    before = f"{value_words(found.value)} (its own)" if found else "as its type"
    made = found or QuirkException(meter=meter, name=name)
    made.value = kept
    made.save()
    fields = {f"quirk {name}": [before, f"{value_words(kept)} (its own)"]}
    record(user=user, thing=meter, fields=fields, message=reason.strip())
    return made


@transaction.atomic
def end_exception(*, user: Any, meter_id: int, name: str) -> None:
    """The meter is as its type again."""
    meter = Meter.objects.select_for_update().get(pk=meter_id)
    found = QuirkException.objects.get(meter=meter, name=name)
    fields = {f"quirk {name}": [f"{value_words(found.value)} (its own)", "as its type"]}
    found.delete()
    record(user=user, thing=meter, fields=fields)
