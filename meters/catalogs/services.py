"""Writing to the OBIS catalog of a meter type. Each service is one transaction, with an entry in the change log for each object.

Whoever learns of objects (from a meter, from a file) gives `ObjectFacts` to `put_objects`; validation problems are Django's
`ValidationError`, with the field's name where one object is meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from meters.catalogs.facts import FIELDS, ObjectFacts, faults, value_text
from meters.catalogs.plan import Key, Known, Planned, State, plan
from meters.changes import Fields, difference, entry
from meters.models import CatalogObject, Change, Meter, MeterType
from meters.models.catalogs import columns_of

MAX_OBJECTS = 20_000
"""In one catalog."""
CHUNK = 500
FAULTS_SHOWN = 20
UNIQUE = ("meter_type", "octets", "class_id")
LEARNED = ("version", "scaler", "unit", "rights", "base_name", "capture_objects")
"""What a meter says of itself; the other fields are a person's or a file's."""


@dataclass(slots=True)
class PutResult:
    """How many objects became what. `conflicts` names those that the catalog contradicts: the object, and its fields."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    conflicts: list[tuple[str, list[str]]] = field(default_factory=list)


def catalog_facts(meter_type_id: int) -> list[ObjectFacts]:
    """All that the type's catalog says, in order of code and class."""
    return [row.facts for row in CatalogObject.objects.filter(meter_type_id=meter_type_id)]


def plan_objects(
    *, meter_type: MeterType, objects: Iterable[ObjectFacts], learned_from: Meter | None = None
) -> list[Planned]:
    """What `put_objects` would do, without doing it."""
    return plan(_known(_rows(meter_type), learned_from), objects)


@transaction.atomic
def put_objects(
    *,
    user: Any,
    meter_type: MeterType,
    objects: Iterable[ObjectFacts],
    origin: str,
    learned_from: Meter | None = None,
    overwrite: bool = False,
) -> PutResult:
    """Take objects into the type's catalog: new ones are added, what the catalog does not say yet is filled in.

    What an object does not say (None, empty) leaves the catalog as it is. Where the catalog says something else, the word of the
    same meter (`learned_from`) is renewed, and any other is a conflict: kept, or with `overwrite` replaced. `origin` is who says
    so, in words: “meter 12345”, “devices.gxc”. Of an object that is given twice the first counts.
    """
    _lock(meter_type)
    rows = _rows(meter_type)
    planned = plan(_known(rows, learned_from), objects)
    outcome = {each.said.key: each.outcome(overwrite=overwrite) for each in planned}
    _refuse_faults(outcome.values())
    undisputed = {each.said.key for each in planned if outcome[each.said.key] == each.taken}
    sources = dict.fromkeys(undisputed, learned_from.pk) if learned_from else {}
    _write(user, meter_type, rows, outcome, origin, sources)
    result = PutResult()
    for each in planned:
        state = each.state
        if state is State.CONFLICT:
            result.conflicts.append((each.said.reference, each.conflicting))
        result.added += state is State.NEW
        result.changed += state is not State.NEW and outcome[each.said.key] != each.before
        result.unchanged += outcome[each.said.key] == each.before
    return result


@transaction.atomic
def replace_objects(*, user: Any, meter_type: MeterType, objects: Iterable[ObjectFacts], origin: str) -> PutResult:
    """Set objects as they are given, with what they leave empty; others of the catalog stay. For files and forms."""
    _lock(meter_type)
    rows = _rows(meter_type)
    outcome = {facts.key: facts for facts in objects}
    _refuse_faults(outcome.values())
    before = {key: row.facts for key, row in rows.items()}
    _write(user, meter_type, rows, outcome, origin)
    result = PutResult(added=len(outcome.keys() - before.keys()))
    result.unchanged = sum(before.get(key) == facts for key, facts in outcome.items())
    result.changed = len(outcome) - result.added - result.unchanged
    return result


@transaction.atomic
def save_object(*, user: Any, meter_type: MeterType, facts: ObjectFacts, entry_id: int | None = None) -> CatalogObject:
    """One object as a person says it: a new one, or the one with `entry_id`, whose class and code may change too."""
    _lock(meter_type)
    if found := faults(facts):
        raise ValidationError({name: [words] for name, words in found.items()})
    others = CatalogObject.objects.filter(meter_type=meter_type)
    twin = (
        others.filter(octets=facts.logical_name.octets.hex(), class_id=facts.class_id).exclude(pk=entry_id or 0).first()
    )
    if twin is not None:
        raise ValidationError({"logical_name": [f"The catalog has {facts.reference} already."]})
    if entry_id is None:
        _refuse_too_many(others.count() + 1)
    row = CatalogObject(meter_type=meter_type) if entry_id is None else others.get(pk=int(entry_id))
    before = row.facts if row.pk else None
    if before == facts:
        return row
    row.facts = facts
    row.origin = str(user or "")[:200]
    if before is not None and _learned_differs(before, facts):
        row.learned_from = None
    row.save()
    _logged(user, row, before, "").save()
    return row


@transaction.atomic
def delete_objects(*, user: Any, meter_type: MeterType, ids: Sequence[int]) -> int:
    """Take these objects out of the catalog; how many there were."""
    _lock(meter_type)
    rows = list(CatalogObject.objects.filter(meter_type=meter_type, pk__in=ids).select_related("meter_type"))
    entries = [
        entry(user=user, thing=row, fields=_fields(row.facts, None), action=Change.Action.DELETE) for row in rows
    ]
    Change.objects.bulk_create(entries, batch_size=CHUNK)
    CatalogObject.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


@transaction.atomic
def group_objects(*, user: Any, meter_type: MeterType, ids: Sequence[int], group: str) -> int:
    """Put these objects into a group (empty: into none); how many were in another."""
    _lock(meter_type)
    rows = {key: row for key, row in _rows(meter_type).items() if row.pk in {*ids}}
    outcome = {key: replace(row.facts, group=" ".join(group.split())) for key, row in rows.items()}
    _refuse_faults(outcome.values())
    return _write(user, meter_type, rows, outcome)


# -- inside of a transaction -------------------------------------------------------------------------------------------


def _lock(meter_type: MeterType) -> None:
    """One writer to a catalog at a time."""
    MeterType.objects.select_for_update().get(pk=meter_type.pk)


def _rows(meter_type: MeterType) -> dict[Key, CatalogObject]:
    return {(row.class_id, row.code): row for row in CatalogObject.objects.filter(meter_type=meter_type)}


def _known(rows: Mapping[Key, CatalogObject], learned_from: Meter | None) -> dict[Key, Known]:
    source = learned_from.pk if learned_from else None
    return {
        key: Known(row.facts, same_source=source is not None and row.learned_from_id == source)
        for key, row in rows.items()
    }


def _write(
    user: Any,
    meter_type: MeterType,
    rows: Mapping[Key, CatalogObject],
    outcome: Mapping[Key, ObjectFacts],
    origin: str | None = None,
    sources: Mapping[Key, int] | None = None,
) -> int:
    """Write what differs from `rows`; how many objects that were.

    Without an `origin` it stays with whom it was. `sources`: the meters by whose word all of an object stands.
    """
    made: list[CatalogObject] = []
    entries: list[Change] = []
    for key, facts in outcome.items():
        old = rows.get(key)
        before = old.facts if old is not None else None
        if before == facts:
            continue
        row = CatalogObject(meter_type=meter_type, **columns_of(facts))
        row.origin = origin[:200] if origin is not None else old.origin if old is not None else ""
        row.learned_from_id = (sources or {}).get(key) or _source(old, before, facts)
        made.append(row)
        entries.append(_logged(user, row, before, origin or ""))
    _refuse_too_many(len(rows) + sum(key not in rows for key in outcome))
    columns = [field.name for field in CatalogObject._meta.concrete_fields if field.name not in (*UNIQUE, "id")]
    CatalogObject.objects.bulk_create(
        made, batch_size=CHUNK, update_conflicts=True, unique_fields=UNIQUE, update_fields=columns
    )
    Change.objects.bulk_create(entries, batch_size=CHUNK)
    return len(made)


def _source(old: CatalogObject | None, before: ObjectFacts | None, facts: ObjectFacts) -> int | None:
    """The meter that said it, where nothing was changed that a meter says of itself."""
    if old is None or before is None or _learned_differs(before, facts):
        return None
    return old.learned_from_id


def _learned_differs(before: ObjectFacts, facts: ObjectFacts) -> bool:
    return any(getattr(before, name) != getattr(facts, name) for name in LEARNED)


def _logged(user: Any, row: CatalogObject, before: ObjectFacts | None, message: str) -> Change:
    """The entry of one object that is new or was changed."""
    action = Change.Action.CREATE if before is None else Change.Action.UPDATE
    return entry(user=user, thing=row, fields=_fields(before, row.facts), message=message, action=action)


def _fields(before: ObjectFacts | None, after: ObjectFacts | None) -> Fields:
    return difference(_words(before), _words(after))


def _words(facts: ObjectFacts | None) -> dict[str, str]:
    """What is said, field by field, as the log tells it."""
    if facts is None:
        return {}
    words = {"object": facts.reference} | {name: value_text(facts, name) for name in FIELDS}
    return {name: text for name, text in words.items() if text}


def _refuse_faults(objects: Iterable[ObjectFacts]) -> None:
    found = [
        f"{facts.reference}, {name.replace('_', ' ')}: {words}"
        for facts in objects
        for name, words in faults(facts).items()
    ]
    if found:
        more = [f"and {len(found) - FAULTS_SHOWN} more"] if len(found) > FAULTS_SHOWN else []
        raise ValidationError([*found[:FAULTS_SHOWN], *more])


def _refuse_too_many(number: int) -> None:
    if number > MAX_OBJECTS:
        raise ValidationError(f"The catalog would have {number} objects: at most {MAX_OBJECTS}.")
