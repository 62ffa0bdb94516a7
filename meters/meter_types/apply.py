"""The type's defaults for meters that are there: which of them differ, in what, and the change of all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from meters.bulk import BULK_LIMIT
from meters.changes import Fields, current_request, difference, meter_snapshot, record
from meters.meter_types.defaults import add_other_associations, meter_defaults
from meters.models import Association, Meter, MeterType

ASSOCIATIONS: Final = "associations"
"""The choice that adds the associations that a meter has not yet; none that it has is changed."""
CHUNK: Final = 500


def choices_of(meter_type: MeterType) -> list[str]:
    """What the type says that its meters could be given."""
    said = list(meter_defaults(meter_type))
    return [*said, ASSOCIATIONS] if meter_type.association_templates.exists() else said


def differing(meter_type: MeterType, chosen: Sequence[str]) -> QuerySet[Meter]:
    """The type's meters that are otherwise than it says in one of the chosen things."""
    said = meter_defaults(meter_type)
    wanted = Q(pk__in=[])
    for name in chosen:
        if name in said:
            wanted |= ~Q(**{name: said[name]}) | Q(**{f"{name}__isnull": True})
    if ASSOCIATIONS in chosen:
        for name in meter_type.association_templates.values_list("name", flat=True):
            wanted |= ~Q(Exists(Association.objects.filter(meter=OuterRef("pk"), name=name)))
    return Meter.objects.filter(wanted, meter_type=meter_type).order_by("serial_number")


def changes_for(meter: Meter, meter_type: MeterType, chosen: Sequence[str]) -> Fields:
    """What would change in a meter, by field; of the associations their names."""
    said = meter_defaults(meter_type)
    fields: Fields = {
        name: [getattr(meter, name), said[name]]
        for name in chosen
        if name in said and getattr(meter, name) != said[name]
    }
    if ASSOCIATIONS in chosen:
        before = {association.name for association in meter.associations.all()}
        missing = {template.name for template in meter_type.association_templates.all()} - before
        if missing:
            fields[ASSOCIATIONS] = [sorted(before), sorted(before | missing)]
    return fields


@transaction.atomic
def apply_defaults(*, user: Any, type_id: int, chosen: Sequence[str]) -> tuple[str, int, list[tuple[str, str]]]:
    """Give the type's meters what it says. Returns the request's id, how many changed, and who could not, with the reason."""
    meter_type = MeterType.objects.prefetch_related("association_templates").get(pk=type_id)
    if not chosen:
        raise ValidationError("Nothing was chosen.")
    ids = list(differing(meter_type, chosen).values_list("pk", flat=True)[: BULK_LIMIT + 1])
    if len(ids) > BULK_LIMIT:
        raise ValidationError(f"More than {BULK_LIMIT} meters are otherwise: that is too many at once.")
    changed, refused = 0, list[tuple[str, str]]()
    for first in range(0, len(ids), CHUNK):
        rows = Meter.objects.select_for_update(of=("self",)).filter(pk__in=ids[first : first + CHUNK]).order_by("pk")
        for meter in rows.select_related("line", "meter_type", "batch").prefetch_related("tags"):
            reason = _apply(user, meter, meter_type, chosen)
            changed += not reason
            refused += [(meter.serial_number, reason)] if reason else []
    return current_request.get(), changed, refused


def _apply(user: Any, meter: Meter, meter_type: MeterType, chosen: Sequence[str]) -> str:
    """Why a meter cannot be as its type says; empty when it is so now."""
    before = meter_snapshot(meter)
    for name, value in meter_defaults(meter_type).items():
        if name in chosen:
            setattr(meter, name, value)
    try:
        meter.clean()
    except ValidationError as error:
        return " ".join(error.messages)
    meter.save()
    if ASSOCIATIONS in chosen:
        add_other_associations(meter)
    fields = difference(before, meter_snapshot(meter))
    record(user=user, thing=meter, fields=fields, message=f"as the type {meter_type} says")
    return ""
