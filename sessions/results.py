"""A step's result, ready for a page: one value, a tree of values, or the objects of an association."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from meters.cosem.interface_class import interface_class
from meters.cosem.obis import ObisCode
from meters.cosem.obis_names import describe
from sessions.models import Step

OBJECT_LIST = (15, 2)
MAX_NODES = 4000


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """One object that the association offers."""

    class_id: int
    class_name: str
    version: int
    logical_name: str
    meaning: str


@dataclass(slots=True)
class Node:
    """One value of a constructed result."""

    text: str
    children: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ResultView:
    """`kind` is "profile", "objects", "tree", "value" or "none"."""

    kind: str
    objects: list[ObjectRow] = field(default_factory=list)
    tree: list[Node] = field(default_factory=list)
    truncated: bool = False


def result_view(step: Step) -> ResultView:
    """What the page shows of the step's result."""
    if step.kind == Step.Kind.READ_PROFILE:
        return ResultView("profile")
    if not step.result:
        return ResultView("none")
    value = step.result.get("value")
    if not isinstance(value, list):
        return ResultView("value")
    asked = (step.parameters.get("class_id"), step.parameters.get("attribute_id"))
    objects = _objects(value) if asked == OBJECT_LIST else None
    if objects is not None:
        return ResultView("objects", objects=objects)
    budget = [MAX_NODES]
    tree = [_node(element, budget) for element in value[:MAX_NODES]]
    return ResultView("tree", tree=tree, truncated=budget[0] <= 0)


def _objects(value: list[Any]) -> list[ObjectRow] | None:
    """The rows of an object list; None when it is none after all."""
    rows = []
    for element in value:
        try:
            class_id, version, name = int(element[0]), int(element[1]), ObisCode.parse(str(element[2]))
        except (TypeError, ValueError, IndexError, KeyError):
            return None
        known = interface_class(class_id, version) or interface_class(class_id, 0)
        meaning = describe(name)
        rows.append(ObjectRow(class_id, known.name if known else "", version, str(name), meaning))
    return sorted(rows, key=lambda row: (row.class_id, row.logical_name))


def _node(value: Any, budget: list[int]) -> Node:
    budget[0] -= 1
    if not isinstance(value, list):
        return Node("null" if value is None else str(value))
    node = Node(f"{len(value)} elements")
    for element in value:
        if budget[0] <= 0:
            break
        node.children.append(_node(element, budget))
    return node
