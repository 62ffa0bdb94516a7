"""A step's result, ready for a page: one value in words, a tree of named values, or the objects of an association.

What the value is declared as (`meters.cosem.interface_class`) gives the names and words; the raw form stands beside.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from meters.catalogs.overlay import Overlay
from meters.cosem.data import INTEGERS, Data, DataType
from meters.cosem.deviations import reversed_deviations
from meters.cosem.interface_class import attribute_of
from meters.cosem.obis_names import GroupMeaning, explain
from meters.cosem.units import ScalerUnit, quantity_text
from meters.cosem.value_entry import to_json
from meters.cosem.value_type import ValueType
from meters.cosem.value_words import ANY, Budget, Shown, show
from sessions.catalogs.objects import BrowsedObject, browsed, client_of
from sessions.catalogs.overlay import is_value, judged, scaler_unit_of, session_overlay
from sessions.dlms.certificates import in_words
from sessions.known_objects import KnownObject, objects_of, result_data, reverses_deviation, version_of
from sessions.models import Step
from sessions.parameters import logical_name_of

MAX_NODES: Final = 4000
MAX_EXPANDED: Final = 6
MAX_RAW_OCTETS: Final = 32 * 1024
"""Of the raw form: a page with more serves nobody."""


@dataclass(frozen=True, slots=True)
class Raw:
    """The value as it was sent: its octets in hex, and a text that can be edited and written back."""

    octets: str
    text: str
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class ResultView:
    """`kind` is "profile", "objects", "tree", "value" or "none"."""

    kind: str
    objects: list[BrowsedObject] = field(default_factory=list)
    tree: tuple[Shown, ...] = ()
    truncated: bool = False
    text: str = ""
    declared: str = ""
    """What the class says that it is."""
    remark: str = ""
    raw: Raw | None = None
    groups: tuple[GroupMeaning, ...] = ()
    """What the groups of the object's code mean."""
    title: str = ""
    """What the object is called, by the meter type's catalog before the standard's."""
    beyond: str = ""
    """What the type's catalog has against the value: outside of the limits, or another unit."""
    by_catalog: bool = False
    """The unit is the catalog's: the meter says none."""

    @property
    def expanded(self) -> bool:
        """Whether the elements begin open: their lines say enough where there are many."""
        return len(self.tree) <= MAX_EXPANDED


def result_view(step: Step) -> ResultView:
    """What the page shows of the step's result."""
    if step.kind == Step.Kind.READ_PROFILE:
        return ResultView("profile")
    if not step.result:
        return ResultView("none")
    objects = objects_of(step)
    if objects is not None:
        in_order = sorted(objects, key=lambda one: (one.class_id, one.logical_name))
        shown = _browsed(step, in_order)
        data = result_data(step)
        return ResultView("objects", objects=shown, raw=_raw(step, data, _declared(step, data)) if data else None)
    data = result_data(step)
    if data is None:
        return _view_of_json(step.result.get("value"), str(step.result.get("text", "")))
    return _view_of_data(step, data)


def _view_of_data(step: Step, data: Data) -> ResultView:
    declared = _declared(step, data)
    if reverses_deviation(step.session):
        data = reversed_deviations(data, declared, guess=True)
    budget = Budget(MAX_NODES)
    shown = show(data, declared, budget=budget)
    result = step.result or {}
    overlay, own = _overlay(step), None
    if data.type in INTEGERS and "raw" not in result:
        own = _own_unit(step, overlay)
    text = quantity_text(data, own) if own else str(result["text"]) if "raw" in result else ""
    return ResultView(
        "tree" if data.constructed else "value",
        tree=shown.parts,
        truncated=budget.used_up,
        text=text or _certificate_words(data) or shown.text,
        title=_title(step, overlay),
        beyond=judged(overlay, step.parameters, result) if step.kind == Step.Kind.READ else "",
        by_catalog=own is not None,
        declared="" if declared is ANY else str(declared),
        remark=shown.remark,
        raw=_raw(step, data, declared),
        groups=explain(logical_name_of(step.parameters)) if step.kind == Step.Kind.READ else (),
    )


def _browsed(step: Step, objects: list[KnownObject]) -> list[BrowsedObject]:
    if step.session_id is None:
        return browsed(objects, Overlay(), None)
    overlay = session_overlay(step.session, [one.logical_name for one in objects])
    return browsed(objects, overlay, client_of(step.session))


def _overlay(step: Step) -> Overlay:
    """What the catalog says of the object that was read."""
    if step.session_id is None or step.kind != Step.Kind.READ:
        return Overlay()
    return session_overlay(step.session, [logical_name_of(step.parameters)])


def _title(step: Step, overlay: Overlay) -> str:
    if step.kind != Step.Kind.READ:
        return ""
    return overlay.title(logical_name_of(step.parameters), step.parameters["class_id"])


def _own_unit(step: Step, overlay: Overlay) -> ScalerUnit | None:
    """The catalog's scaler and unit, for a value of which the meter says none."""
    if step.kind != Step.Kind.READ or not is_value(step.parameters["class_id"], step.parameters["attribute_id"]):
        return None
    facts = overlay.find(step.parameters["class_id"], logical_name_of(step.parameters))
    return scaler_unit_of(facts) if facts is not None else None


def _declared(step: Step, data: Data) -> ValueType:
    """What the class says of the attribute that was read."""
    if step.kind != Step.Kind.READ:
        return ANY
    name = logical_name_of(step.parameters)
    class_id, attribute_id = step.parameters["class_id"], step.parameters["attribute_id"]
    attribute = attribute_of(class_id, attribute_id, version_of(step.session, class_id, name), data)
    return attribute.type if attribute else ANY


def _certificate_words(data: Data) -> str:
    """What the security setup returns, where it is a certificate or a request for one: its octets stand beside."""
    return in_words(data.value) if data.type is DataType.OCTET_STRING else ""


def _raw(step: Step, data: Data, declared: ValueType) -> Raw:
    octets = str((step.result or {}).get("octets", ""))
    truncated = len(octets) > 2 * MAX_RAW_OCTETS
    text = "" if truncated else json.dumps(to_json(data, declared), indent=2, ensure_ascii=False)
    return Raw(octets[: 2 * MAX_RAW_OCTETS], text, truncated)


# -- values of which only the JSON was kept ----------------------------------------------------------------------------


def _view_of_json(value: Any, text: str) -> ResultView:
    if not isinstance(value, list):
        return ResultView("value", text=text)
    budget = Budget(MAX_NODES)
    tree = tuple(_node(str(number), element, budget) for number, element in enumerate(value[:MAX_NODES], 1))
    return ResultView("tree", tree=tree, truncated=budget.used_up, text=f"{len(value)} elements")


def _node(name: str, value: Any, budget: Budget) -> Shown:
    budget.left -= 1
    if not isinstance(value, list):
        return Shown(name, "null" if value is None else str(value), "")
    parts = []
    for number, element in enumerate(value, 1):
        if budget.used_up:
            break
        parts.append(_node(str(number), element, budget))
    return Shown(name, f"{len(value)} elements", "", tuple(parts))
