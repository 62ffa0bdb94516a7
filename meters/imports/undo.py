"""The undo of an import: what it made is removed, what it changed is put back, each where nothing else happened since.

Whoever imports calls `remember` with what it made or changed, in the transaction that did so, with `run.request_id` as the
current request: by the change log an undo tells whether another request changed a thing since. What an undo has to leave, it
names with the reason (`ImportRecord.kept`). What several meters share (lines, types, batches, tags) goes where nothing uses it.

    rows, the last first ──▶ meter changed since, or something hangs on it? ──▶ kept, with the reason
                                  └─ no ──▶ removed | put back, with an entry in the change log
    shared things that were made ──▶ used by something? ──▶ kept | removed
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Max, Min, prefetch_related_objects
from django.utils import timezone

from meters.changes import KINDS, current_request, entry, new_request, undo_entry
from meters.imports.columns_saved import save_columns
from meters.models import Association, Change, ImportRecord, ImportRun, Meter

CHUNK = 500
METER, ASSOCIATION = Meter._meta.label_lower, Association._meta.label_lower
LAST_TO_GO = ("meters.line", "meters.batch", "meters.tag", "meters.metertype")
"""What several meters share, in the order in which it goes; other models that were made go before."""
GOES_WITH = {METER: {ASSOCIATION, Meter.tags.through._meta.label_lower}}
"""What goes with a thing: it does not hold it."""
HELD_BY_KEYS = "Keys hang on it: no key is ever lost."


@dataclass(frozen=True, slots=True)
class Touched:
    """One thing that an import made, or changed. `row` groups what belongs to one meter; `label` is what people know it by.

    `before`: None for what was made; else by attribute name (`line_id`, not `line`) what it was; of tags their ids.
    """

    row: int
    label: str
    model: str
    object_id: int
    before: Mapping[str, Any] | None = None


def remember(run: ImportRun, touched: Iterable[Touched]) -> None:
    """Keep what an undo needs, in the transaction that made it. What belongs to one row is given in one call."""
    rows = [[each.row, each.label, each.model, each.object_id, each.before] for each in touched]
    if rows:
        last = run.records.aggregate(last=Max("number"))["last"]
        ImportRecord.objects.create(run=run, number=0 if last is None else last + 1, objects_touched=rows)


@dataclass(slots=True)
class _Undo:
    """What one undo knows: who, under which words, since when, and what became of the rows.

    `neutral`: the requests of other imports and of their undos.
    """

    run: ImportRun
    user: Any
    message: str
    first_change: int = 0
    neutral: list[tuple[str, str]] = field(default_factory=list)
    undone: int = 0
    kept: list[tuple[int, str, str]] = field(default_factory=list)


def undo_run(*, run: ImportRun, user: Any) -> ImportRun:
    """Undo an import; ValidationError if it was undone already, or never applied. One transaction, one request."""
    if current_request.get():
        return _undo_run(run.pk, user)
    with new_request():
        return _undo_run(run.pk, user)


@transaction.atomic
def _undo_run(run_id: int, user: Any) -> ImportRun:
    run = ImportRun.objects.select_for_update().get(pk=run_id)
    if run.state not in (ImportRun.State.APPLIED, ImportRun.State.UNDOING):
        raise ValidationError(f"This import cannot be undone: it is “{run.get_state_display().lower()}”.")
    work = _Undo(run, user, f"undo of {run}")
    work.first_change = Change.objects.filter(request_id=run.request_id).aggregate(first=Min("pk"))["first"] or 0
    others = ImportRun.objects.filter(state=ImportRun.State.UNDONE, undone__gte=run.finished or run.created)
    work.neutral = list(others.values_list("request_id", "undo_request_id"))
    numbers = list(run.records.order_by("-number").values_list("pk", flat=True))
    shared: list[Touched] = []
    for pk in numbers:
        record = ImportRecord.objects.get(pk=pk)
        shared += [each for each in _touched(record) if each.before is None and each.model not in (METER, ASSOCIATION)]
        _undo_record(work, record)
    _remove_shared(work, shared)
    run.state, run.undone, run.undone_by = ImportRun.State.UNDONE, timezone.now(), str(user or "")[:150]
    run.undo_request_id, run.undone_count, run.lease_until = current_request.get(), work.undone, None
    run.kept_count = len(work.kept)
    run.save()
    return run


def _touched(record: ImportRecord) -> list[Touched]:
    return [Touched(*row) for row in record.objects_touched]


def _undo_record(work: _Undo, record: ImportRecord) -> None:
    rows: dict[int, list[Touched]] = defaultdict(list)
    for each in _touched(record):
        if each.before is not None or each.model in (METER, ASSOCIATION):
            rows[each.row].append(each)
    waiting = iter(sorted(rows.items(), reverse=True))
    while chunk := list(islice(waiting, CHUNK)):
        _undo_rows(work, dict(chunk))
    before = len(record.kept)
    record.kept = [list(kept) for kept in work.kept if kept[0] in rows]
    if len(record.kept) != before:
        record.save(update_fields=["kept"])


# -- rows --------------------------------------------------------------------------------------------------------------


def _undo_rows(work: _Undo, rows: Mapping[int, list[Touched]]) -> None:
    """Undo each row whose things nothing else touched since."""
    reasons = _reasons_to_keep(work, [each for touched in rows.values() for each in touched])
    removed: list[Touched] = []
    restored: dict[int, list[Touched]] = {}
    for row, touched in rows.items():
        why = next((reasons[key] for each in touched if (key := (each.model, each.object_id)) in reasons), "")
        if why:
            work.kept.append((row, touched[0].label, why))
        elif any(each.model == METER and each.before is None for each in touched):
            removed += [each for each in touched if each.model == METER]
        else:
            restored[row] = touched
    _remove_meters(work, removed)
    _restore(work, restored)


def _reasons_to_keep(work: _Undo, touched: list[Touched]) -> dict[tuple[str, int], str]:
    """By model and id, why a thing has to stay as it is."""
    by_model: dict[str, list[Touched]] = defaultdict(list)
    for each in touched:
        by_model[each.model].append(each)
    reasons: dict[tuple[str, int], str] = {}
    for label, things in by_model.items():
        model = apps.get_model(label)
        ids = [each.object_id for each in things]
        there = set(model._default_manager.filter(pk__in=ids).values_list("pk", flat=True))
        made = [each.object_id for each in things if each.before is None]
        found = {pk: "It is not there any more." for pk in ids if pk not in there}
        found = _hanging(model, made) | _changed_since(model, ids, work) | found
        reasons |= {(label, pk): why for pk, why in found.items()}
    return reasons


def _changed_since(model: type[models.Model], ids: list[int], work: _Undo) -> dict[int, str]:
    """Why, for those that another request changed since; what another import changed and its undo put back is no change."""
    kind = KINDS.get(model)  # type: ignore[arg-type]
    if kind is None:
        return {}
    changes = Change.objects.filter(kind=kind, object_id__in=ids, pk__gte=work.first_change).order_by("pk")
    since: dict[int, dict[str, Change]] = defaultdict(dict)
    for change in changes.only("object_id", "request_id", "user_name", "moment"):
        if change.request_id == work.run.request_id:
            since[change.object_id].clear()
        else:
            since[change.object_id][change.request_id] = change
    for requests in since.values():
        for done, undone in work.neutral:
            if done in requests and undone in requests:
                del requests[done], requests[undone]
    return {pk: _changed_by(list(requests.values())[-1]) for pk, requests in since.items() if requests}


def _changed_by(change: Change) -> str:
    return f"Changed since by {change.user_name or 'the workbench'}, {change.moment:%Y-%m-%d %H:%M} UTC."


def _hanging(model: type[models.Model], ids: list[int]) -> dict[int, str]:
    """Of the things with these ids those that something refers to."""
    found: dict[int, str] = {}
    free = GOES_WITH.get(model._meta.label_lower, set())
    for relation in model._meta.get_fields(include_hidden=True) if ids else ():
        if not isinstance(relation, models.ForeignObjectRel) or relation.related_model._meta.label_lower in free:
            continue
        name, related = relation.field.name, relation.related_model
        used = related._default_manager.filter(**{f"{name}__in": ids}).order_by().values_list(name, flat=True)
        found |= {pk: _holds(related) for pk in used}
    return found


def _holds(model: type[models.Model]) -> str:
    if model._meta.label_lower == "meters.meterkey":
        return HELD_BY_KEYS
    return f"{str(model._meta.verbose_name_plural).capitalize()} hang on it."


def _remove_meters(work: _Undo, touched: list[Touched]) -> None:
    ids = [each.object_id for each in touched]
    if not ids:
        return
    entries = _entries(work, ids)
    Association.objects.filter(meter__in=ids).delete()
    Meter.tags.through.objects.filter(meter__in=ids).delete()
    Meter.objects.filter(pk__in=ids).delete()
    Change.objects.bulk_create(entries, batch_size=CHUNK)
    work.undone += len(ids)


def _entries(work: _Undo, ids: Iterable[int]) -> list[Change]:
    """For each meter the entry that takes back those of the run: nothing else changed since."""
    changes = Change.objects.filter(kind=Change.Kind.METER, object_id__in=list(ids), request_id=work.run.request_id)
    of_meter: dict[int, list[Change]] = defaultdict(list)
    for change in changes.order_by("pk"):
        of_meter[change.object_id].append(change)
    return [undo_entry(user=work.user, entries=entries, message=work.message) for entries in of_meter.values()]


def _restore(work: _Undo, rows: Mapping[int, list[Touched]]) -> None:
    """Put the things of each row back to what they were; a row whose old line, batch, type or tag is gone stays as it is."""
    missing = _missing_targets([each for touched in rows.values() for each in touched])
    stay = {row: why for row, touched in rows.items() for each in touched if (why := _target_gone(each, missing))}
    work.kept += [(row, rows[row][0].label, why) for row, why in stay.items()]
    by_model: dict[str, list[Touched]] = defaultdict(list)
    for row, touched in rows.items():
        for each in touched if row not in stay else ():
            by_model[each.model].append(each)
    for label, things in by_model.items():
        _put_back(apps.get_model(label), things)
    Change.objects.bulk_create(_entries(work, [each.object_id for each in by_model[METER]]), batch_size=CHUNK)
    work.undone += len(rows) - len(stay)


def _references(each: Touched) -> list[tuple[str, type[models.Model], list[int]]]:
    """What a thing referred to: the word for it, the model, the ids."""
    found = []
    for column in (*apps.get_model(each.model)._meta.concrete_fields, *apps.get_model(each.model)._meta.many_to_many):
        name = column.attname if isinstance(column, models.ForeignKey) else column.name
        value = (each.before or {}).get(name)
        if column.is_relation and value not in (None, []):
            found.append(
                (str(column.verbose_name), column.related_model, value if isinstance(value, list) else [value])
            )
    return found


def _missing_targets(touched: list[Touched]) -> dict[type[models.Model], set[int]]:
    wanted: dict[type[models.Model], set[int]] = defaultdict(set)
    for each in touched:
        for _, model, ids in _references(each):
            wanted[model] |= set(ids)
    return {
        model: ids - set(model._default_manager.filter(pk__in=ids).values_list("pk", flat=True))
        for model, ids in wanted.items()
    }


def _target_gone(each: Touched, missing: Mapping[type[models.Model], set[int]]) -> str:
    gone = [word for word, model, ids in _references(each) if missing[model].intersection(ids)]
    return f"Its {gone[0]} of before is not there any more." if gone else ""


def _put_back(model: type[models.Model], touched: list[Touched]) -> None:
    """The values of before into the things of one model; what was made beside an older meter goes."""
    model._default_manager.filter(pk__in=[each.object_id for each in touched if each.before is None]).delete()
    many = {relation.name: relation for relation in model._meta.many_to_many}
    changed = {each.object_id: each.before for each in touched if each.before}
    things = model._default_manager.select_for_update().in_bulk(changed)
    columns = {_column(model, name) for before in changed.values() for name in before if name not in many}
    for pk, thing in things.items():
        for name in changed[pk].keys() - many.keys():
            setattr(thing, name, changed[pk][name])
    if columns and issubclass(model, Meter):
        prefetch_related_objects(list(things.values()), "line", "meter_type")
        for meter in things.values():
            meter.search_text = meter.words_to_search()  # type: ignore[attr-defined]
        columns |= {"search_text"}
    save_columns(list(things.values()), columns)
    for name, relation in many.items():
        _put_back_many(relation, {pk: before[name] for pk, before in changed.items() if name in before})


def _column(model: type[models.Model], attname: str) -> str:
    return next(column.name for column in model._meta.concrete_fields if column.attname == attname)


def _put_back_many(relation: Any, wanted: Mapping[int, list[int]]) -> None:
    through = relation.remote_field.through
    one, other = f"{relation.m2m_field_name()}_id", f"{relation.m2m_reverse_field_name()}_id"
    through._default_manager.filter(**{f"{one}__in": wanted}).delete()
    rows = [through(**{one: pk, other: target}) for pk, targets in wanted.items() for target in targets]
    through._default_manager.bulk_create(rows, batch_size=CHUNK)


# -- what several meters share -----------------------------------------------------------------------------------------


def _remove_shared(work: _Undo, shared: list[Touched]) -> None:
    """Remove what the run made beside meters, where nothing uses it any more. A kept one is no row: it is not counted as one."""
    by_model: dict[str, list[Touched]] = defaultdict(list)
    for each in shared:
        by_model[each.model].append(each)
    order = {label: number for number, label in enumerate(LAST_TO_GO)}
    for label in sorted(by_model, key=lambda label: (order.get(label, -1), label)):
        waiting = iter(by_model[label])
        while chunk := list(islice(waiting, CHUNK)):
            _remove_things(work, label, chunk)


def _remove_things(work: _Undo, label: str, touched: list[Touched]) -> None:
    model = apps.get_model(label)
    ids = [each.object_id for each in touched]
    used = _hanging(model, ids) | _changed_since(model, ids, work)
    things = list(model._default_manager.filter(pk__in=[pk for pk in ids if pk not in used]))
    if model in KINDS:
        entries = [
            entry(
                user=work.user,
                thing=thing,
                fields={"name": [str(thing), None]},
                message=work.message,
                action=Change.Action.DELETE,
            )
            for thing in things
        ]
        Change.objects.bulk_create(entries, batch_size=CHUNK)
    model._default_manager.filter(pk__in=[thing.pk for thing in things]).delete()
