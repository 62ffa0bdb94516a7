"""What a type gives to a new meter of it, where nobody said anything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from meters.models import Association, AssociationTemplate, Line, Meter, MeterType
from meters.models.associations import AssociationFields
from meters.models.meter_types import LineDefaults

LINE_FIELDS: Final = tuple(field.name for field in LineDefaults._meta.local_fields)
"""What a type says of line and framing, in the names of `MeterType`, `Meter` and `Line`."""
OF_THE_LINE: Final = ("baud", "data_bits", "parity", "stop_bits")
"""Those of them that are a line's; the others are a meter's."""
TEMPLATE_FIELDS: Final = tuple(field.name for field in AssociationFields._meta.local_fields)

Values = dict[str, Any]


def meter_defaults(meter_type: MeterType) -> Values:
    """The fields of a meter of which the type says something."""
    return _said(meter_type, [name for name in LINE_FIELDS if name not in OF_THE_LINE])


def line_defaults(meter_type: MeterType) -> Values:
    """The fields of a serial line of which the type says something."""
    return _said(meter_type, OF_THE_LINE)


def _said(meter_type: MeterType, names: Any) -> Values:
    values = {name: getattr(meter_type, name) for name in names}
    return {name: value for name, value in values.items() if value not in (None, "")}


def template_values(template: AssociationTemplate) -> Values:
    """The fields of an association that begins as the template says. Which one is a meter's default, the meter says."""
    return {name: getattr(template, name) for name in TEMPLATE_FIELDS if name != "is_default"}


def fill(
    meter_type: MeterType, meter: Mapping[str, Any], line: Mapping[str, Any], association: Mapping[str, Any]
) -> tuple[Values, Values, Values]:
    """What was said of a new meter, its line and its association, and the type's defaults where nothing was said.

    The association begins as the template of its name, else as the default one.
    """
    serial = line.get("kind") in (Line.Kind.SERIAL, Line.Kind.RFC2217)
    template = template_for(meter_type, str(association.get("name") or ""))
    return (
        _filled(meter_defaults(meter_type), meter),
        _filled(line_defaults(meter_type) if serial else {}, line),
        _filled({} if template is None else template_values(template), association),
    )


def _filled(defaults: Mapping[str, Any], said: Mapping[str, Any]) -> Values:
    return {**defaults, **{name: value for name, value in said.items() if value is not None or name not in defaults}}


def template_for(meter_type: MeterType, name: str) -> AssociationTemplate | None:
    """The template of this name, else the default one, else any."""
    found = list(meter_type.association_templates.all())
    found.sort(key=lambda template: (template.name != name, not template.is_default, template.pk))
    return found[0] if found else None


def prefilled(meter_type: MeterType, typed: Mapping[str, Any]) -> Values:
    """What stands in the form of a new meter once its type was chosen: the type's defaults over what was typed before."""
    template = template_for(meter_type, "")
    association = {} if template is None else template_values(template)
    if "name" in association:
        association["association_name"] = association.pop("name")
    named = {"meter_type": meter_type.pk, "manufacturer": "", "model": ""}
    return {**typed, **meter_defaults(meter_type), **line_defaults(meter_type), **association, **named}


def add_other_associations(meter: Meter) -> list[Association]:
    """The associations of its type that a meter has not yet, by their names; nothing becomes its default."""
    if meter.meter_type is None:
        return []
    known = set(meter.associations.values_list("name", flat=True))
    templates = [each for each in meter.meter_type.association_templates.all() if each.name not in known]
    missing = [Association(meter=meter, **template_values(each)) for each in templates]
    for association in missing:
        association.save()
    return missing
