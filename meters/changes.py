"""The change log: who changed what from what to what, when, and in which request.

One log for all things of the inventory, append-only. Services write an entry in the transaction of the change itself, so there
is no change without its entry and no entry without its change. A secret is never written: of a key the log says slot, version
number and fingerprint.

The request is known by its id, which whoever serves the request puts into `current_request` (here: a middleware of `workbench`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.core.exceptions import FieldDoesNotExist
from django.db.models import BooleanField, Field, QuerySet

from meters.models import (
    AllowedTarget,
    Association,
    AssociationTemplate,
    Batch,
    CatalogObject,
    Change,
    Line,
    Meter,
    MeterKey,
    MeterType,
    Quirk,
    SavedFilter,
    Tag,
)

Thing = Meter | Batch | Tag | SavedFilter | CatalogObject | MeterType | Quirk | Line | AllowedTarget
KINDS: Mapping[type[Thing], Change.Kind] = {
    Meter: Change.Kind.METER,
    Batch: Change.Kind.BATCH,
    Tag: Change.Kind.TAG,
    SavedFilter: Change.Kind.FILTER,
    CatalogObject: Change.Kind.CATALOG,
    MeterType: Change.Kind.TYPE,
    Quirk: Change.Kind.QUIRK,
    Line: Change.Kind.LINE,
    AllowedTarget: Change.Kind.TARGET,
}
Fields = dict[str, list[Any]]
"""By field the value before and the value after; None where there was or is none."""

current_request: ContextVar[str] = ContextVar("current_request", default="")
"""The id of the request that is being served; empty outside of one."""

current_means: ContextVar[str] = ContextVar("current_means", default="")
"""By what the user asks, where it is not the browser: `token nightly`."""

NOT_LOGGED = frozenset({"id", "created", "last_seen", "search_text"})
"""Columns of a meter that nobody changes, or that follow from others."""
MESSAGE_LENGTH = 500


@contextmanager
def new_request() -> Iterator[str]:
    """What happens inside is one request: its entries carry one new id."""
    token = current_request.set(uuid4().hex)
    means = current_means.set("")
    try:
        yield current_request.get()
    finally:
        current_means.reset(means)
        current_request.reset(token)


# -- writing -----------------------------------------------------------------------------------------------------------


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Fields:
    """The fields whose values differ; a field that one side does not have counts as empty there."""
    names = dict.fromkeys([*before, *after])
    pairs = {name: [before.get(name), after.get(name)] for name in names}
    return {name: pair for name, pair in pairs.items() if (pair[0] or None) != (pair[1] or None) or _is_number(pair)}


def _is_number(pair: list[Any]) -> bool:
    """Zero is a value of its own where the other side has none: a physical address of 0 is one."""
    return pair[0] != pair[1] and any(type(value) in (int, float) for value in pair)


def entry(*, user: Any, thing: Thing, fields: Fields, message: str = "", action: str = Change.Action.UPDATE) -> Change:
    """An entry that is not saved yet, for whoever saves many at once."""
    pk = thing.logged_as if isinstance(thing, CatalogObject) else thing.pk
    return _entry(user, KINDS[type(thing)], pk, str(thing), fields, message, action)


def _entry(user: Any, kind: str, pk: int, label: str, fields: Fields, message: str, action: str) -> Change:
    known = getattr(user, "pk", None) is not None
    return Change(
        user=user if known else None,
        user_name=_name_of(user),
        request_id=current_request.get(),
        action=action,
        kind=kind,
        object_id=pk,
        label=label[:200],
        fields=fields,
        message=message[:MESSAGE_LENGTH],
    )


def _name_of(user: Any) -> str:
    """`anna`, or `anna (token nightly)`."""
    name, means = str(user or ""), current_means.get()
    return (f"{name} ({means})" if name and means else name)[:150]


def record_by_key(
    *, user: Any, kind: str, object_id: int, label: str, fields: Fields, action: str = Change.Action.UPDATE
) -> Change:
    """Write one entry on a thing of an app above, which this one knows by its kind and id only."""
    made = _entry(user, kind, object_id, label, fields, "", action)
    made.save()
    return made


def undo_entry(*, user: Any, entries: Sequence[Change], message: str) -> Change:
    """An entry, not saved yet, that takes back these of one thing, the oldest first; what was made is gone then."""
    fields: Fields = {}
    for each in entries:
        for name, (before, after) in each.fields.items():
            fields[name] = [after, fields[name][1] if name in fields else before]
    made = entries[0].action == Change.Action.CREATE
    last = entries[-1]
    action = Change.Action.DELETE if made else Change.Action.UPDATE
    return _entry(user, last.kind, last.object_id, last.label, fields, message, action)


def record(
    *, user: Any, thing: Thing, fields: Fields, message: str = "", action: str = Change.Action.UPDATE
) -> Change | None:
    """Write one entry; None, and nothing is written, for a change that changed nothing."""
    if action == Change.Action.UPDATE and not fields:
        return None
    made = entry(user=user, thing=thing, fields=fields, message=message, action=action)
    made.save()
    return made


# -- what a meter is, field by field -------------------------------------------------------------------------------------


def meter_snapshot(meter: Meter) -> dict[str, Any]:
    """All that the log tells of a saved meter: its own fields, its associations', and its keys by reference."""
    found: dict[str, Any] = {
        field.name: getattr(meter, field.name)
        for field in meter._meta.concrete_fields
        if field.name not in NOT_LOGGED and not field.is_relation
    }
    found["line"] = meter.line.describe()
    found["meter_type"] = str(meter.meter_type) if meter.meter_type else None
    found["batch"] = meter.batch.name if meter.batch else None
    found["tags"] = sorted(tag.name for tag in meter.tags.all())
    for association in Association.objects.filter(meter=meter):
        found |= _association_snapshot(association)
    keys = MeterKey.objects.filter(meter=meter).prefetch_related("versions")
    for key in keys:
        version = key.current
        if version is not None:
            owner = f".{key.association_id}" if key.association_id else ""
            found[f"key.{key.slot}{owner}"] = f"version {version.number}, fingerprint {version.short_fingerprint}"
    return found


def type_snapshot(meter_type: MeterType) -> dict[str, Any]:
    """All that the log tells of a saved meter type: its own fields and its association templates'."""
    found = {
        field.name: getattr(meter_type, field.name) for field in meter_type._meta.concrete_fields if field.name != "id"
    }
    for template in AssociationTemplate.objects.filter(meter_type=meter_type):
        found |= _association_snapshot(template)
    return found


def _association_snapshot(association: Association | AssociationTemplate) -> dict[str, Any]:
    skipped = ("id", "meter", "meter_type")
    names = [field.name for field in association._meta.concrete_fields if field.name not in skipped]
    return {f"association.{association.pk}.{name}": getattr(association, name) for name in names}


def record_meter(*, user: Any, meter: Meter, before: Mapping[str, Any] | None, message: str = "") -> Change | None:
    """What became of a meter since the snapshot `before`; None there: it is new, and what it was given is told."""
    after = meter_snapshot(meter)
    if before is not None:
        return record(user=user, thing=meter, fields=difference(before, after), message=message)
    given = {name: [None, value] for name, value in after.items() if value not in (None, "", [], _default_of(name))}
    return record(user=user, thing=meter, fields=given, message=message, action=Change.Action.CREATE)


def _default_of(name: str) -> Any:
    """What a field holds when nobody says anything; something that no field holds, where there is no default."""
    *of_association, column = name.split(".")
    try:
        field = (Association if of_association[:1] == ["association"] else Meter)._meta.get_field(column)
    except FieldDoesNotExist:
        return NotImplemented
    return field.get_default() if isinstance(field, Field) and field.has_default() else NotImplemented


# -- reading -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChangedField:
    """One field of an entry, in words: `before` or `after` is empty where there was or is nothing."""

    name: str
    words: str
    before: str
    after: str


WORDS = {
    "meter_type": "type",
    "max_info": "max. information field",
    "disconnect_first": "DISC before SNRM",
    "server_system_title": "meter's system title",
    "client_system_title": "client system title",
    "client_sap": "client SAP",
    "server_sap": "server SAP",
    "max_pdu_size": "max. APDU size",
    "server_max_pdu_size": "meter receives",
    "initial_baud": "first speed",
    "max_baud": "highest speed",
    "query": "filter",
    "rights": "access",
    "base_name": "short name",
    "capture_objects": "columns",
    "flag_code": "FLAG code",
    "lockout_attempts": "wrong secrets it bears",
    "lockout_window": "within minutes",
    "lockout_minutes": "minutes locked",
    "writes_a_day": "writes a day",
    "proof_session": "proved in session",
    "line_kind": "kind of line",
    "writes_in_total": "writes in all",
}


def changes_of(thing: Thing) -> QuerySet[Change]:
    """The entries of one thing, the newest first."""
    return Change.objects.filter(kind=KINDS[type(thing)], object_id=thing.pk)


def state_history(meter: Meter) -> QuerySet[Change]:
    """The entries that tell when the meter came into which state, the newest first."""
    return changes_of(meter).filter(fields__has_key="state")


def changed_fields(change: Change, associations: Mapping[int, str] | None = None) -> list[ChangedField]:
    """The fields of an entry in words. `associations`: the names of the meter's, or the type's, associations by their ids."""
    return fields_in_words(change.fields, associations)


def fields_in_words(fields: Fields, associations: Mapping[int, str] | None = None) -> list[ChangedField]:
    """Fields with the value before and after, in words."""
    return [
        ChangedField(name, _words(name, associations or {}), _value(name, pair[0]), _value(name, pair[1]))
        for name, pair in fields.items()
    ]


def _words(name: str, associations: Mapping[int, str]) -> str:
    kind, *rest = name.split(".")
    if kind == "association" and len(rest) == 2:
        return f"{_owner(rest[0], associations)}: {column_words(rest[1])}"
    if kind == "key" and rest:
        return " ".join([f"key {rest[0]}", *(f"({_owner(owner, associations)})" for owner in rest[1:])])
    return column_words(name)


def _owner(pk: str, associations: Mapping[int, str]) -> str:
    return associations.get(int(pk), "association") if pk.isdecimal() else "association"


def column_words(name: str) -> str:
    return WORDS.get(name, name.replace("_", " "))


def _value(name: str, value: Any) -> str:
    if value in (None, "", []):
        return ""
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    field = _field_of(name)
    if isinstance(field, BooleanField):
        return "yes" if value else "no"
    choices = dict(field.flatchoices) if field is not None and getattr(field, "choices", None) else {}
    choices |= Quirk.State.choices if name == "state" else {}
    return str(choices.get(value, value))


def _field_of(name: str) -> Any:
    *of_association, column = name.split(".")
    models = (Association,) if of_association[:1] == ["association"] else (Meter, MeterType, Line)
    for model in models:
        try:
            return model._meta.get_field(column)
        except FieldDoesNotExist:
            continue
    return None
