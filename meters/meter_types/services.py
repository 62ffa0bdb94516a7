"""What is done with meter types: each service is one transaction with its entry in the change log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from meters.catalogs.services import delete_objects
from meters.changes import Fields, difference, record, type_snapshot
from meters.models import AssociationTemplate, Change, Meter, MeterType

CHUNK = 2000


class TypeInUse(Exception):
    """A type that meters or batches are of cannot be deleted."""

    def __init__(self, meter_type: MeterType, meters: int, batches: int) -> None:
        self.meters, self.batches = meters, batches
        used = [f"{count} {word}" for count, word in ((meters, "meters"), (batches, "batches")) if count]
        super().__init__(f"{meter_type} is the type of {' and '.join(used)}: give them another type first.")


def find_type(*, manufacturer: str, model: str) -> MeterType:
    """The type of this maker and model, made when there is none; of several firmwares the one that names none, else the newest
    type.
    """
    found = MeterType.objects.filter(manufacturer=manufacturer, model=model)
    plain = found.filter(firmware="").first() or found.order_by("-pk").first()
    return plain or MeterType.objects.get_or_create(manufacturer=manufacturer, model=model, firmware="")[0]


@transaction.atomic
def save_type(*, user: Any, values: Mapping[str, Any], type_id: int | None = None) -> MeterType:
    """Create a type, or change the one with `type_id`. `values`: the model's fields by name."""
    found = MeterType.objects.select_for_update().get(pk=type_id) if type_id else MeterType()
    before, name = (type_snapshot(found), str(found)) if type_id else ({}, "")
    for field, value in values.items():
        setattr(found, field, value)
    found.full_clean()
    found.save()
    if name and name != str(found):
        _rename_in_search(found)
    if type_id:
        record(user=user, thing=found, fields=difference(before, type_snapshot(found)))
    else:
        record(user=user, thing=found, fields=_given(type_snapshot(found)), action=Change.Action.CREATE)
    return found


def _given(values: Mapping[str, Any]) -> Fields:
    return {name: [None, value] for name, value in values.items() if value not in (None, "")}


def _rename_in_search(meter_type: MeterType) -> None:
    """The search looks for meters by the words of their type, too."""
    rows = Meter.objects.filter(meter_type=meter_type).select_related("line", "meter_type").order_by("pk")
    last = 0
    while chunk := list(rows.filter(pk__gt=last)[:CHUNK]):
        for meter in chunk:
            meter.search_text = meter.words_to_search()
        Meter.objects.bulk_update(chunk, ["search_text"], batch_size=500)
        last = chunk[-1].pk


@transaction.atomic
def delete_type(*, user: Any, type_id: int) -> None:
    """Forget a type; TypeInUse while meters or batches are of it. The log keeps what it was."""
    found = MeterType.objects.select_for_update().get(pk=type_id)
    meters, batches = found.meters.count(), found.batches.count()
    if meters or batches:
        raise TypeInUse(found, meters, batches)
    delete_objects(user=user, meter_type=found, ids=list(found.catalog.values_list("pk", flat=True)))
    fields = {name: [value, None] for name, value in type_snapshot(found).items() if value not in (None, "")}
    record(user=user, thing=found, fields=fields, action=Change.Action.DELETE)
    found.delete()


@transaction.atomic
def save_template(
    *, user: Any, type_id: int, values: Mapping[str, Any], template_id: int | None = None
) -> AssociationTemplate:
    """Create an association template of a type, or change the one with `template_id`. The first one is the default."""
    meter_type = MeterType.objects.select_for_update().get(pk=type_id)
    before = type_snapshot(meter_type)
    templates = meter_type.association_templates
    found = templates.get(pk=template_id) if template_id else AssociationTemplate(meter_type=meter_type)
    for field, value in values.items():
        setattr(found, field, value)
    default = templates.filter(is_default=True).first()
    found.is_default = found.is_default or default in (None, found)
    found.full_clean()
    found.save()
    if found.is_default:
        templates.exclude(pk=found.pk).update(is_default=False)
    record(user=user, thing=meter_type, fields=difference(before, type_snapshot(meter_type)))
    return found


@transaction.atomic
def delete_template(*, user: Any, type_id: int, template_id: int) -> None:
    """Forget an association template; if it was the default, the first one left is it. Meters keep their associations."""
    meter_type = MeterType.objects.select_for_update().get(pk=type_id)
    before = type_snapshot(meter_type)
    found = meter_type.association_templates.get(pk=template_id)
    was_default = found.is_default
    found.delete()
    first = meter_type.association_templates.first()
    if was_default and first is not None:
        first.is_default = True
        first.save(update_fields=["is_default"])
    record(user=user, thing=meter_type, fields=difference(before, type_snapshot(meter_type)))
