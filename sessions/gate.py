"""What somebody has to agree to before a meter is changed: the meter, the consequence, the exact octets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

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
