"""What somebody has to agree to before a meter is changed: the meter, the consequence, the exact octets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from meters.cosem.data import Data
from meters.cosem.deviations import reversed_deviations
from meters.cosem.interface_class import attribute_name, method_name
from meters.cosem.obis import ObisCode
from meters.cosem.value_type import ValueType
from meters.cosem.value_words import ANY, Budget, show
from sessions.catalogs.overlay import session_overlay
from sessions.known_objects import reverses_deviation
from sessions.models import DlmsSession
from sessions.write_budget import write_budget

MAX_GATE_LINES: Final = 60

_LOST_COUNT = "The register goes back to its default: what was counted is lost."
_LOST_ROWS = "The profile's buffer is emptied: its rows are lost."
_LOCKED_OUT = "with the wrong ones nobody gets in any more."
CONSEQUENCES: Final = {
    (3, 1): _LOST_COUNT,
    (4, 1): _LOST_COUNT,
    (5, 1): "The demand register is reset: what was measured is lost.",
    (7, 1): _LOST_ROWS,
    (12, 5): "The secret of this association changes: with the wrong one nobody gets in any more.",
    (12, 6): "The secret of this association changes: with the wrong one nobody gets in any more.",
    (15, 2): "The secret of this association changes: with the wrong one nobody gets in any more.",
    (18, 4): "The image is activated: the meter restarts with other firmware.",
    (61, 1): "The register table is reset: what was captured is lost.",
    (64, 1): "The security policy is raised: it cannot be lowered again.",
    (64, 2): f"Keys are replaced in the meter: {_LOCKED_OUT}",
    (64, 3): f"Keys are replaced in the meter: {_LOCKED_OUT}",
    (64, 4): "The meter's key pair is replaced: its certificate is worth nothing any more.",
    (64, 8): "A certificate is removed: who was known by it is not any more.",
    (70, 1): "The supply behind this meter is switched off.",
    (72, 7): "The key of this M-Bus device changes: with the wrong one nothing of it is read any more.",
}
"""(class, method): what cannot be undone from here, or hits somebody. These ask for the serial number."""
WRITE_CONSEQUENCES: Final = {
    (7, 3): _LOST_ROWS,
    (7, 4): _LOST_ROWS,
    (7, 8): _LOST_ROWS,
    (15, 7): "The secret of this association changes: with the wrong one nobody gets in any more.",
    (64, 2): "The security policy is raised: it cannot be lowered again.",
}
"""(class, attribute): the same for what is written."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What somebody has to agree to before it is sent."""

    what: str
    meter: str
    octets: str
    serial_number: str = ""
    consequence: str = ""
    """What cannot be undone; then the serial number has to be typed."""
    lines: tuple[str, ...] = ()
    """A constructed value in words."""
    budget: str = ""
    """How often it was written, where the meter bears only so many writes."""

    @property
    def must_type(self) -> bool:
        return bool(self.consequence and self.serial_number)

    def refusal(self, typed: str) -> str:
        """Why what was typed does not open it; empty when it does."""
        wrong = self.must_type and typed.strip() != self.serial_number
        return f"Type {self.serial_number} to go on." if wrong else ""


def gate_of(
    dlms_session: DlmsSession, parameters: Mapping[str, Any], data: Data | None, declared: ValueType | None
) -> Gate:
    """What is agreed to: of the checked `parameters` of a WRITE or INVOKE step. `declared`: what the class says of the value."""
    class_id, logical_name = parameters["class_id"], ObisCode.parse(parameters["logical_name"])
    title = session_overlay(dlms_session, [logical_name]).title(logical_name, class_id)
    what = f"{title} ({class_id}/{logical_name}): {_verb(parameters, data)}"
    lines: tuple[str, ...] = ()
    if data is not None:
        told = reversed_deviations(data, declared or ANY) if reverses_deviation(dlms_session) else data
        shown = show(told, declared or ANY, budget=Budget(MAX_GATE_LINES))
        what += f" {shown.text}"
        lines = tuple(line for part in shown.parts for line in part.lines())
    meter = dlms_session.meter
    return Gate(
        what,
        str(meter or dlms_session.label),
        parameters["octets"],
        meter.serial_number if meter else "",
        _consequence(parameters),
        lines,
        _budget(dlms_session, parameters),
    )


def _budget(dlms_session: DlmsSession, parameters: Mapping[str, Any]) -> str:
    """What the meter bears of this write, in words; empty where its type says no limit."""
    budget = write_budget(dlms_session.meter, dict(parameters)) if "attribute_id" in parameters else None
    return "" if budget is None else f"{budget.words} Beyond that it is refused."


def _verb(parameters: Mapping[str, Any], data: Data | None) -> str:
    """`write control_mode (4):`, `invoke remote_disconnect (1) with`."""
    class_id = parameters["class_id"]
    if "method_id" in parameters:
        number = parameters["method_id"]
        return f"invoke {method_name(class_id, number)} ({number})" + (" with" if data is not None else "")
    number = parameters["attribute_id"]
    return f"write {attribute_name(class_id, number)} ({number}):"


def _consequence(parameters: Mapping[str, Any]) -> str:
    if "method_id" in parameters:
        return CONSEQUENCES.get((parameters["class_id"], parameters["method_id"]), "")
    return WRITE_CONSEQUENCES.get((parameters["class_id"], parameters["attribute_id"]), "")
