"""Which quirks hold for a session with a meter: those accepted of its type, unless the meter says otherwise of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from meters.models import Meter, Quirk, QuirkException
from meters.quirks.names import OF_A_METER, QUIRKS


@dataclass(frozen=True, slots=True)
class QuirkInForce:
    """`origin`: who says so. `quirk_id`: the reviewed quirk, where it is the type."""

    name: str
    value: Any
    origin: Literal["type", "meter"]
    quirk_id: int | None = None

    def as_json(self) -> dict[str, Any]:
        """As a session keeps it."""
        return {"name": self.name, "value": self.value, "origin": self.origin, "quirk": self.quirk_id}


def quirks_in_force(meter: Meter, *, saved_meter_id: int | None = None) -> list[QuirkInForce]:
    """In the order of `QUIRKS`. `saved_meter_id`: the meter whose draft `meter` is; its exceptions hold for the draft, too."""
    accepted = Quirk.objects.filter(meter_type=meter.meter_type_id, state=Quirk.State.ACCEPTED)
    found = {quirk.name: QuirkInForce(quirk.name, quirk.value, "type", quirk.pk) for quirk in accepted}
    for own in QuirkException.objects.filter(meter=meter.pk or saved_meter_id):
        found.pop(own.name, None)
        if own.value is not None:
            found[own.name] = QuirkInForce(own.name, own.value, "meter")
    for name, field in OF_A_METER.items():
        if getattr(meter, field) and name not in found:
            found[name] = QuirkInForce(name, True, "meter")
    return [found[name] for name in QUIRKS if name in found]
