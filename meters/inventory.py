"""What a lab does with its things: batches, tags, states, comments.

Each service is one transaction with its entry in the change log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count

from meters.changes import Fields, difference, entry, record
from meters.models import NAME, Batch, Change, Comment, Meter, MeterType, SavedFilter, Tag

MAX_TAGS = 20
"""Of one meter: more are a column that is missing."""
MAX_TAGGED = 10_000
"""Meters that a deleted tag is taken off at once."""


def find_batch(*, name: str, user: Any) -> Batch | None:
    """The batch of this name, made when there is none; None for no name."""
    name = " ".join(name.split())
    if not name:
        return None
    try:
        NAME(name)
    except ValidationError as error:
        raise ValidationError({"batch": error.messages}) from None
    found = Batch.objects.filter(name=name).first()
    if found is not None:
        return found
    try:
        return save_batch(user=user, name=name)
    except ValidationError as error:
        raise ValidationError({"batch": error.messages}) from None


def find_tags(*, names: Iterable[str], user: Any) -> list[Tag]:
    """The tags of these names, made where there are none, in the order of the names."""
    found: dict[str, Tag] = {}
    for name in (" ".join(each.split()) for each in names):
        if name and name.lower() not in found:
            _check_tag_name(name)
            found[name.lower()] = Tag.objects.filter(name__iexact=name).first() or _make_tag(name, user)
    if len(found) > MAX_TAGS:
        raise ValidationError({"tags": f"A meter has at most {MAX_TAGS} tags, not {len(found)}."})
    return list(found.values())


def _check_tag_name(name: str) -> None:
    try:
        Tag(name=name).clean_fields()
    except ValidationError as error:
        raise ValidationError({"tags": error.messages}) from None


def _make_tag(name: str, user: Any) -> Tag:
    tag = Tag.objects.create(name=name)
    record(user=user, thing=tag, fields={"name": [None, name]}, action=Change.Action.CREATE)
    return tag


@transaction.atomic
def rename_tag(*, user: Any, tag_id: int, name: str) -> Tag:
    """Give a tag another name, on all its meters; ValidationError for one that is there already, in whatever case."""
    tag = Tag.objects.select_for_update().get(pk=tag_id)
    name, before = " ".join(name.split()), tag.name
    _check_tag_name(name)
    if Tag.objects.filter(name__iexact=name).exclude(pk=tag.pk).exists():
        raise ValidationError(f"There is a tag “{name}” already: give its meters that one, then delete this.")
    tag.name = name
    tag.save()
    record(user=user, thing=tag, fields=difference({"name": before}, {"name": name}))
    return tag


@transaction.atomic
def delete_tag(*, user: Any, tag_id: int) -> int:
    """Take a tag off its meters and forget it; how many had it. Each meter's log says so."""
    tag = Tag.objects.select_for_update().get(pk=tag_id)
    meters = list(tag.meters.prefetch_related("tags")[: MAX_TAGGED + 1])
    if len(meters) > MAX_TAGGED:
        raise ValidationError(f"More than {MAX_TAGGED} meters have it: take it off in the list first, some at a time.")
    entries = []
    for meter in meters:
        names = sorted(each.name for each in meter.tags.all())
        fields: Fields = {"tags": [names, [each for each in names if each != tag.name]]}
        entries.append(entry(user=user, thing=meter, fields=fields, message=f"tag {tag.name} deleted"))
    Change.objects.bulk_create(entries, batch_size=500)
    record(user=user, thing=tag, fields={"name": [tag.name, None]}, action=Change.Action.DELETE)
    tag.delete()
    return len(meters)


@transaction.atomic
def save_batch(
    *, user: Any, name: str, meter_type: MeterType | None = None, notes: str = "", batch_id: int | None = None
) -> Batch:
    """Create a batch, or change the one with `batch_id`. A type that meters of it contradict is refused."""
    batch = Batch.objects.select_for_update().get(pk=batch_id) if batch_id else Batch()
    before = _batch_snapshot(batch) if batch_id else {}
    batch.name, batch.meter_type, batch.notes = " ".join(name.split()), meter_type, notes
    batch.full_clean()
    if batch_id and meter_type is not None:
        others = batch.meters.exclude(meter_type=meter_type).count()
        if others:
            raise ValidationError({"meter_type": f"{others} of its meters are of another type, or of none."})
    batch.save()
    action = Change.Action.UPDATE if batch_id else Change.Action.CREATE
    record(user=user, thing=batch, fields=difference(before, _batch_snapshot(batch)), action=action)
    return batch


@transaction.atomic
def delete_batch(*, user: Any, batch_id: int) -> Batch:
    """Forget a batch; ValidationError while meters are in it. The log keeps what it was."""
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    there = batch.meters.count()
    if there:
        raise ValidationError(
            f"{there} meter{'s are' if there > 1 else ' is'} in it: take them out first. Choose them in the list, edit them, "
            "and tick “Out of its batch”."
        )
    fields: Fields = {name: [value, None] for name, value in _batch_snapshot(batch).items() if value}
    record(user=user, thing=batch, fields=fields, action=Change.Action.DELETE)
    batch.delete()
    return batch


def _batch_snapshot(batch: Batch) -> dict[str, Any]:
    return {"name": batch.name, "meter_type": str(batch.meter_type or ""), "notes": batch.notes}


def batch_refusal(*, batch: Batch | None, meter_type_id: int | None) -> str:
    """Why a meter of this type cannot be in the batch; empty when it can."""
    if batch is None or batch.meter_type_id in (None, meter_type_id):
        return ""
    return f"The batch {batch.name} is of type {batch.meter_type}: this meter is of another, or of none."


def check_state_reason(*, before: str, after: str, reason: str) -> None:
    """Why a state changes has to be said: the history is read by others."""
    if before != after and not reason:
        raise ValidationError({"reason": f"Why is it {Meter.State(after).label.lower()} now? The history keeps it."})


@transaction.atomic
def add_comment(*, user: Any, meter_id: int, text: str) -> Comment:
    """Write a comment on a meter. The log says that there is one, not what it says."""
    meter = Meter.objects.get(pk=meter_id)
    comment = Comment(meter=meter, user=user, user_name=str(user)[:150], text=text.strip())
    comment.full_clean()
    comment.save()
    record(user=user, thing=meter, fields={"comment": [None, f"#{comment.pk}"]})
    return comment


def counts_by_state(batch: Batch) -> Mapping[str, int]:
    """How many meters of a batch are in which state; states that none is in are left out."""
    rows = Meter.objects.filter(batch=batch).order_by().values_list("state").annotate(count=Count("pk"))
    return dict(rows)


@transaction.atomic
def save_filter(*, user: Any, name: str, query: str, shared: bool = False) -> SavedFilter:
    """Keep a filter of the list under a name; a name that this person used already means the new filter."""
    name = " ".join(name.split())
    NAME(name)  # no database is asked for what it cannot hold
    found = SavedFilter.objects.select_for_update().filter(user=user, name=name).first()
    before: dict[str, Any] = {"query": found.query, "shared": found.shared} if found else {}
    kept = found or SavedFilter(user=user, name=name)
    kept.query, kept.shared = query, shared
    kept.full_clean()
    kept.save()
    fields = difference(before, {"query": query, "shared": shared})
    record(user=user, thing=kept, fields=fields, action=Change.Action.UPDATE if found else Change.Action.CREATE)
    return kept


@transaction.atomic
def rename_filter(*, kept: SavedFilter, user: Any, name: str) -> SavedFilter:
    """Give a saved filter another name; ValidationError for one that this person uses already."""
    name, before = " ".join(name.split()), kept.name
    NAME(name)
    if SavedFilter.objects.filter(user=kept.user_id, name=name).exclude(pk=kept.pk).exists():
        raise ValidationError(f"You have a filter “{name}” already.")
    kept.name = name
    kept.full_clean()
    kept.save(update_fields=["name"])
    record(user=user, thing=kept, fields=difference({"name": before}, {"name": name}))
    return kept


@transaction.atomic
def delete_filter(*, kept: SavedFilter, user: Any) -> None:
    """Forget a saved filter; the log keeps what it was."""
    fields: dict[str, list[Any]] = {"query": [kept.query, None], "shared": [kept.shared, None]}
    record(user=user, thing=kept, fields=fields, action=Change.Action.DELETE)
    kept.delete()
