"""What a step is called, in a technician's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meters.cosem.interface_class import attribute_name, method_name
from meters.cosem.obis import ObisCode
from meters.cosem.obis_names import describe
from sessions.parameters import part_of

PROFILE_CLASS = 7


def object_title(logical_name: str, own: str = "") -> str:
    """What the code means, and the code: `Active energy import (+A), total (1-0:1.8.0*255)`. `own`: the meter type's title."""
    meaning = own or describe(ObisCode.parse(logical_name))
    return f"{meaning} ({logical_name})" if meaning and meaning != logical_name else logical_name


def step_title(kind: str, parameters: Mapping[str, Any], own: str = "") -> str:
    """`Clock (0-0:1.0.0*255), time`; a profile with its range, a method with its name. `own`: the meter type's title."""
    name = object_title(parameters["logical_name"], own)
    if kind == "READ_PROFILE":
        return f"{name} {part_of(parameters) or ''}".strip()
    class_id = parameters["class_id"]
    if kind == "INVOKE":
        return f"{name}, {method_name(class_id, parameters['method_id'])}"
    attribute = attribute_name(class_id, parameters["attribute_id"])
    return f"{name}, {attribute}"
