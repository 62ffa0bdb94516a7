"""The same change for many meters: one transaction, one request, an entry in the change log for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from meters.changes import Fields, current_request, entry
from meters.inventory import MAX_TAGS, batch_refusal, find_batch, find_tags
from meters.models import Batch, Change, Meter, MeterType, Tag

BULK_LIMIT = 10_000
"""Meters that are changed at once: the transaction holds up whoever else writes."""
CHUNK = 500


@dataclass(frozen=True, slots=True)
class BulkEdit:
    """What becomes of each meter; None leaves as it is. An empty `batch` or `location` takes it off."""

    state: str | None = None
    batch: str | None = None
    location: str | None = None
    meter_type: MeterType | None = None
    add_tags: Sequence[str] = ()
    remove_tags: Sequence[str] = ()
    reason: str = ""

    @property
    def changes_nothing(self) -> bool:
        plain = (self.state, self.batch, self.location, self.meter_type)
        return all(value is None for value in plain) and not self.add_tags and not self.remove_tags


@dataclass(slots=True)
class BulkResult:
    """`refused` names the meters that could not be changed, with the reason."""

    request_id: str = ""
    changed: int = 0
    unchanged: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Targets:
    edit: BulkEdit
    batch: Batch | None
    added: Sequence[Tag]
    removed: frozenset[str]


@transaction.atomic
def edit_meters(*, user: Any, ids: Sequence[int], edit: BulkEdit) -> BulkResult:
    """Change the meters with these ids. A meter that cannot be changed is named and left as it is; the others are changed."""
    if edit.changes_nothing:
        raise ValidationError("Nothing to change was chosen.")
    if len(ids) > BULK_LIMIT:
        raise ValidationError(f"{len(ids)} meters are too many at once: at most {BULK_LIMIT}. Filter more.")
    if edit.state is not None and not edit.reason:
        raise ValidationError({"reason": "Why are they in a new state? The history keeps it."})
    targets = _Targets(
        edit,
        find_batch(name=edit.batch, user=user) if edit.batch else None,
        find_tags(names=edit.add_tags, user=user),
        frozenset(name.lower() for name in edit.remove_tags),
    )
    result = BulkResult(current_request.get())
    waiting = iter(sorted(set(ids)))
    while chunk := list(islice(waiting, CHUNK)):
        _edit_chunk(user, chunk, targets, result)
    return result


def _edit_chunk(user: Any, ids: list[int], targets: _Targets, result: BulkResult) -> None:
    locked = Meter.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk")
    meters = list(locked.select_related("line", "meter_type", "batch").prefetch_related("tags"))
    result.refused += [(f"meter {pk}", "It is not there any more.") for pk in sorted({*ids} - {m.pk for m in meters})]
    edited: list[tuple[Meter, Fields]] = []
    for meter in meters:
        fields, refusal = _plan(meter, targets)
        if refusal:
            result.refused.append((meter.serial_number, refusal))
        elif fields:
            edited.append((meter, fields))
        else:
            result.unchanged += 1
    _write(user, edited, targets)
    result.changed += len(edited)


def _plan(meter: Meter, targets: _Targets) -> tuple[Fields, str]:
    """What changes in one meter, which has its new values then; or why it cannot."""
    edit, fields = targets.edit, Fields()
    if edit.state is not None and edit.state != meter.state:
        fields["state"] = [meter.state, edit.state]
        meter.state = edit.state
    if edit.location is not None and edit.location != meter.location:
        fields["location"] = [meter.location, edit.location]
        meter.location = edit.location
    if edit.meter_type is not None and edit.meter_type != meter.meter_type:
        fields["meter_type"] = [str(meter.meter_type) if meter.meter_type else None, str(edit.meter_type)]
        meter.meter_type = edit.meter_type
    if edit.batch is not None and targets.batch != meter.batch:
        fields["batch"] = [meter.batch.name if meter.batch else None, targets.batch.name if targets.batch else None]
        meter.batch = targets.batch
    before, after = _tags(meter, targets)
    if before != after:
        fields["tags"] = [before, after]
    if len(after) > MAX_TAGS:
        return {}, f"It would have {len(after)} tags: at most {MAX_TAGS}."
    return fields, batch_refusal(batch=meter.batch, meter_type_id=meter.meter_type_id)


def _tags(meter: Meter, targets: _Targets) -> tuple[list[str], list[str]]:
    before = {tag.name for tag in meter.tags.all()}
    after = {name for name in before if name.lower() not in targets.removed} | {tag.name for tag in targets.added}
    return sorted(before), sorted(after)


def _write(user: Any, edited: list[tuple[Meter, Fields]], targets: _Targets) -> None:
    edit, ids = targets.edit, [meter.pk for meter, _ in edited]
    values: dict[str, Any] = {
        name: value
        for name, value in (("state", edit.state), ("location", edit.location), ("meter_type", edit.meter_type))
        if value is not None
    }
    if edit.batch is not None:
        values["batch"] = targets.batch
    if values:
        Meter.objects.filter(pk__in=ids).update(**values)
    if "location" in values or "meter_type" in values:
        for meter, _ in edited:
            meter.search_text = meter.words_to_search()
        Meter.objects.bulk_update([meter for meter, _ in edited], ["search_text"], batch_size=CHUNK)
    through = Meter.tags.through
    if targets.removed:
        gone = [tag.pk for tag in Tag.objects.all() if tag.name.lower() in targets.removed]
        through.objects.filter(meter_id__in=ids, tag_id__in=gone).delete()
    rows = [through(meter_id=pk, tag_id=tag.pk) for pk in ids for tag in targets.added]
    through.objects.bulk_create(rows, batch_size=CHUNK, ignore_conflicts=True)
    entries = [entry(user=user, thing=meter, fields=fields, message=edit.reason) for meter, fields in edited]
    Change.objects.bulk_create(entries, batch_size=CHUNK)
