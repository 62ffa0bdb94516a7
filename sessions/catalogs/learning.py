"""What a meter said of its objects, as facts for the catalog of its type.

The newest object list that was read through each association says which objects there are, their versions, and who may do what;
what was read of registers says their scaler and unit, what was read of profiles their columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db.models import Max, Q

from meters.catalogs.facts import ObjectFacts
from meters.catalogs.rights import ClientRights, mode_of
from meters.cosem.data import Data
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from meters.cosem.units import ScalerUnit
from meters.models import Association, Meter
from sessions.known_objects import ASSOCIATION_LN, ASSOCIATION_SN, OBJECT_LIST, KnownObject, objects_of, result_data
from sessions.models import Step
from sessions.object_list import ACCESS_RIGHTS, OWN_NAME, read_by_short_names
from sessions.reading import SCALER_UNIT_OF

MAX_READS: Final = 5000
"""Of a meter the newest steps that are looked at for scalers, units and columns."""
PROFILE_GENERIC: Final = 7
CAPTURE_OBJECTS: Final = 3
REGISTERS: Final = tuple(sorted({class_id for class_id, _ in SCALER_UNIT_OF}))
SCALER_UNITS: Final = {(class_id, number) for (class_id, _), number in SCALER_UNIT_OF.items()}

Key = tuple[int, ObisCode]


@dataclass(frozen=True, slots=True)
class ReadList:
    """An object list that was read of a meter, through which association, by which step."""

    association: Association
    step: Step


def read_lists(meter: Meter) -> list[ReadList]:
    """The newest object list through each association of the meter, the association that is opened by default first."""
    lists = Step.objects.filter(
        session__meter=meter,
        kind=Step.Kind.READ,
        state=Step.State.DONE,
        parameters__class_id__in=(ASSOCIATION_LN, ASSOCIATION_SN),
        parameters__attribute_id=OBJECT_LIST,
    ).exclude(session__association=None)
    newest = lists.order_by().values("session__association").annotate(newest=Max("pk")).values_list("newest", flat=True)
    steps = Step.objects.filter(pk__in=list(newest)).select_related("session__association")
    found = [ReadList(step.session.association, step) for step in steps if step.session.association is not None]
    return sorted(found, key=lambda one: (not one.association.is_default, one.association.pk))


def learned_facts(meter: Meter, read: ReadList) -> list[ObjectFacts]:
    """What the list and the meter's other answers say; empty where the step read no object list after all."""
    known = _with_rights(meter, read)
    units, columns = _units_and_columns(meter)
    sap = read.association.client_sap
    return [_facts(each, sap, units, columns) for each in known]


def _facts(
    known: KnownObject,
    client_sap: int,
    units: Mapping[Key, ScalerUnit],
    columns: Mapping[Key, tuple[CaptureObject, ...]],
) -> ObjectFacts:
    key = (known.class_id, known.logical_name)
    said = units.get(key)
    return ObjectFacts(
        class_id=known.class_id,
        logical_name=known.logical_name,
        version=known.version,
        scaler=said.scaler if said else None,
        unit=said.unit if said else None,
        rights={client_sap: _rights(known)},
        base_name=known.base_name,
        capture_objects=columns.get(key, ()),
    )


def _rights(known: KnownObject) -> ClientRights:
    return ClientRights(
        {
            number: mode_of(readable=known.may_read(number), writable=known.may_write(number))
            for number in known.attribute_modes or {}
        },
        {number: known.may_invoke(number) for number in known.method_modes or {}},
    )


def _with_rights(meter: Meter, read: ReadList) -> list[KnownObject]:
    """The objects of the list; by short names with the rights that another attribute tells, where it was read."""
    known = objects_of(read.step) or []
    if read.step.parameters.get("class_id") != ASSOCIATION_SN:
        return known
    data, rights = result_data(read.step), _short_name_rights(meter, read.association)
    if data is None or rights is None:
        return known
    try:
        listed = {(each.class_id, each.logical_name): each for each in read_by_short_names(data, rights)}
    except ValueError:
        return known
    found = []
    for each in known:
        told = listed.get((each.class_id, each.logical_name))
        if told is not None and told.attributes is not None:
            modes = {number: right.mode for number, right in told.attributes.items()}
            each = replace(each, attribute_modes=modes, method_modes=told.methods)
        found.append(each)
    return found


def _short_name_rights(meter: Meter, association: Association) -> Data | None:
    steps = Step.objects.filter(
        session__meter=meter,
        session__association=association,
        kind=Step.Kind.READ,
        state=Step.State.DONE,
        parameters__class_id=ASSOCIATION_SN,
        parameters__logical_name=str(OWN_NAME),
        parameters__attribute_id=ACCESS_RIGHTS,
    )
    step = steps.order_by("-pk").first()
    return result_data(step) if step is not None else None


# -- scalers, units, columns -------------------------------------------------------------------------------------------


def _units_and_columns(meter: Meter) -> tuple[dict[Key, ScalerUnit], dict[Key, tuple[CaptureObject, ...]]]:
    """By object what the meter said last."""
    steps = Step.objects.filter(
        Q(parameters__class_id__in=REGISTERS)
        | Q(parameters__class_id=PROFILE_GENERIC, parameters__attribute_id=CAPTURE_OBJECTS),
        session__meter=meter,
        kind=Step.Kind.READ,
        state=Step.State.DONE,
    )
    units: dict[Key, ScalerUnit] = {}
    columns: dict[Key, tuple[CaptureObject, ...]] = {}
    for step in steps.order_by("-pk").only("parameters", "result")[:MAX_READS]:
        key = (step.parameters["class_id"], ObisCode.parse(step.parameters["logical_name"]))
        if key[0] == PROFILE_GENERIC:
            if key not in columns and (captured := _columns(result_data(step))):
                columns[key] = captured
        elif key not in units and (said := _scaler_unit(step)) is not None:
            units[key] = said
    return units, columns


def _scaler_unit(step: Step) -> ScalerUnit | None:
    """Read as an attribute of its own, or beside the value."""
    if (step.parameters["class_id"], step.parameters["attribute_id"]) in SCALER_UNITS:
        data = result_data(step)
        try:
            return ScalerUnit.from_data(data) if data is not None else None
        except ValueError:
            return None
    said: Any = (step.result or {}).get("scaler_unit")
    return ScalerUnit(int(said[0]), int(said[1])) if isinstance(said, list) and len(said) == 2 else None


def _columns(data: Data | None) -> tuple[CaptureObject, ...]:
    if data is None or not data.constructed:
        return ()
    try:
        return tuple(_each_column(data))
    except ValueError:
        return ()


def _each_column(rows: Iterable[Data]) -> Iterator[CaptureObject]:
    for row in rows:
        yield CaptureObject.from_data(row)
