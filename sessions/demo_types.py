"""The types of simulated meters, made complete: what `simulate` announced of the first meter of each, and what its file says.

Only a type of which nobody said anything yet is touched, so that loading a demo again takes nothing back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from meters.cosem.obis import ObisCode
from meters.meter_types.defaults import TEMPLATE_FIELDS
from meters.meter_types.services import save_template, save_type
from meters.models import Meter, MeterType
from sessions.association_file import PUBLIC_CLIENT
from sessions.simulator.meter_type import METER_TYPES, load_meter_type
from sessions.simulator.meter_type import MeterType as SimulatedType

MEDIA: Final[Mapping[int, str]] = {
    1: MeterType.Medium.ELECTRICITY,
    6: MeterType.Medium.HEAT,
    7: MeterType.Medium.GAS,
    8: MeterType.Medium.WATER,
    9: MeterType.Medium.WATER,
}
"""By value group A of the first object that has one."""


def complete_type(meter: Meter, association: Mapping[str, Any]) -> None:
    """Make the type of a simulated meter complete, if it says nothing yet. `association`: the fields of its default one."""
    found = meter.meter_type
    if found is None or found.framing or found.association_templates.exists():
        return
    save_type(user=None, type_id=found.pk, values=_values(meter, found))
    default = {name: value for name, value in association.items() if name in TEMPLATE_FIELDS}
    save_template(user=None, type_id=found.pk, values={**default, "is_default": True})
    if default["client_sap"] != PUBLIC_CLIENT:
        public = {"name": "Public", "client_sap": PUBLIC_CLIENT, "authentication": "none"}
        public["referencing"] = default["referencing"]
        save_template(user=None, type_id=found.pk, values=public)


def _values(meter: Meter, found: MeterType) -> dict[str, Any]:
    simulated = _simulated(found.model)
    values: dict[str, Any] = {"framing": meter.framing}
    if meter.speaks_hdlc:
        values |= {"max_info": meter.max_info, "window": meter.window}
    if meter.framing == Meter.Framing.MODE_E:
        values |= {"initial_baud": meter.initial_baud, "max_baud": meter.max_baud}
    if meter.line.is_serial:
        values |= {name: getattr(meter.line, name) for name in ("baud", "data_bits", "parity", "stop_bits")}
    if simulated is not None:
        values |= {"flag_code": simulated.manufacturer[:3].upper(), "medium": _medium(simulated)}
        values["notes"] = f"Simulated: model {simulated.model}, firmware {simulated.firmware}."
    return values


def _simulated(name: str) -> SimulatedType | None:
    """The simulator's type that is announced by this name."""
    types = (load_meter_type(path.stem) for path in sorted(METER_TYPES.glob("*.toml")))
    return next((each for each in types if each.name == name), None)


def _medium(simulated: SimulatedType) -> str:
    groups = (ObisCode.parse(each["logical_name"]).a for each in simulated.objects)
    return next((MEDIA[group] for group in groups if group in MEDIA), MeterType.Medium.OTHER)
