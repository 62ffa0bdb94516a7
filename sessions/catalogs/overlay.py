"""What the catalog of the meter's type says of the objects of a session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from meters.catalogs.facts import ObjectFacts, limit_text, unit_text
from meters.catalogs.overlay import ASKED_SINGLY, Overlay, beyond_limits, overlay_of
from meters.cosem.obis import ObisCode
from meters.cosem.units import ScalerUnit
from meters.models import CatalogObject, Meter
from sessions.models import DlmsSession
from sessions.reading import SCALER_UNIT_OF, ProfileColumn

DATA: Final = 1
VALUE: Final = 2


def session_overlay(dlms_session: DlmsSession, codes: Iterable[ObisCode] | None = None) -> Overlay:
    """Of the type of the session's meter, in one query; with `codes` at least of these. Empty without a meter or a type."""
    if dlms_session.meter_id is None:
        return Overlay()
    its_type = Meter.objects.filter(pk=dlms_session.meter_id).values("meter_type")
    rows = CatalogObject.objects.filter(meter_type__in=its_type)
    wanted = None if codes is None else {code.octets.hex() for code in codes}
    if wanted is not None and len(wanted) <= ASKED_SINGLY:
        rows = rows.filter(octets__in=wanted)
    return overlay_of(row.facts for row in rows)


# -- values ------------------------------------------------------------------------------------------------------------


def is_value(class_id: int, attribute_id: int) -> bool:
    """Whether the attribute holds a quantity: what limits and units are about."""
    return (class_id, attribute_id) in SCALER_UNIT_OF or (class_id, attribute_id) == (DATA, VALUE)


def scaler_unit_of(facts: ObjectFacts) -> ScalerUnit | None:
    """What the catalog says where the meter says nothing: a Data object has no scaler_unit."""
    if facts.class_id != DATA or facts.unit is None:
        return None
    return ScalerUnit(facts.scaler or 0, facts.unit)


def judged(overlay: Overlay, parameters: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """What is to be said of a value that was read: outside of the limits, or another unit than the catalog's; else empty."""
    class_id, attribute_id = parameters["class_id"], parameters["attribute_id"]
    facts = overlay.find(class_id, ObisCode.parse(parameters["logical_name"]))
    if facts is None or not is_value(class_id, attribute_id):
        return ""
    unit = (result.get("scaler_unit") or [None, None])[1]
    if unit is not None and facts.unit is not None and unit != facts.unit:
        return f"the catalog has another unit: {unit_text(facts.unit)}"
    value = _scaled(facts, result)
    return beyond_limits(facts, value) if value is not None else ""


def _scaled(facts: ObjectFacts, result: Mapping[str, Any]) -> Decimal | None:
    """The value in its unit, exactly where the raw one was kept."""
    said, raw = result.get("scaler_unit"), result.get("raw", result.get("value"))
    if isinstance(raw, str):
        try:
            raw = int(raw)
        except ValueError:
            return None
    own = scaler_unit_of(facts)
    if type(raw) is int and (said or own):
        return (ScalerUnit(*said) if said else own or ScalerUnit(0, 255)).apply(raw)
    try:
        value = Decimal(str(result.get("value")))
    except InvalidOperation:
        return None
    return value if value.is_finite() and type(result.get("value")) in (int, float, str) else None


# -- columns of profiles -----------------------------------------------------------------------------------------------


def titled(columns: Sequence[ProfileColumn], overlay: Overlay) -> list[ProfileColumn]:
    """The columns of a profile with the type's titles, and its units where the meter has none to say."""
    return [_titled(column, overlay) for column in columns]


def _titled(column: ProfileColumn, overlay: Overlay) -> ProfileColumn:
    captured = column.capture_object
    if captured is None or not is_value(captured.class_id, captured.attribute_id):
        return column
    facts = overlay.find(captured.class_id, captured.logical_name)
    title = overlay.own_title(captured.logical_name, captured.class_id) or column.title
    own = scaler_unit_of(facts) if facts is not None else None
    return replace(column, title=title, scaler_unit=column.scaler_unit or own)


def limits_of(column: ProfileColumn, overlay: Overlay) -> dict[str, str]:
    """`{"low": "207", "high": "253"}`: the limits of a column's values, where there are some and the unit is the catalog's."""
    captured = column.capture_object
    if captured is None or not is_value(captured.class_id, captured.attribute_id):
        return {}
    facts = overlay.find(captured.class_id, captured.logical_name)
    unit = column.scaler_unit.unit if column.scaler_unit else None
    if facts is None or (None not in (unit, facts.unit) and unit != facts.unit):
        return {}
    found = {"low": limit_text(facts.low), "high": limit_text(facts.high)}
    return {name: text for name, text in found.items() if text}


def names_of(columns: Sequence[ProfileColumn]) -> list[ObisCode]:
    """The codes of the columns."""
    return [column.capture_object.logical_name for column in columns if column.capture_object is not None]
