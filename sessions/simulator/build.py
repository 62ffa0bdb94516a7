"""A whole meter from its type and what makes it this one."""

from __future__ import annotations

from meters.cosem.obis import ObisCode
from sessions.dlms.association import Referencing
from sessions.simulator.builders import BUILDERS
from sessions.simulator.builders.context import Context, Entry
from sessions.simulator.meter import Access, Meter
from sessions.simulator.meter_type import MeterSettings, MeterType, MeterTypeError, system_title


def build_meter(meter_type: MeterType, settings: MeterSettings) -> Meter:
    """The meter with all its objects; `MeterTypeError` where the type describes one that cannot be."""
    title = system_title(meter_type.manufacturer, settings.serial_number)
    meter = Meter(
        serial_number=settings.serial_number,
        server_system_title=title,
        security=settings.security,
        clients=settings.clients,
        max_receive_pdu_size=meter_type.max_receive_pdu_size,
        conformance=meter_type.conformance,
        by_short_names=meter_type.referencing is Referencing.SHORT_NAMES,
        max_send_pdu_size=settings.max_send_pdu_size,
    )
    context = Context(meter_type, settings, meter)
    for entry in meter_type.objects:
        try:
            meter.add(_object(entry, context))
        except (KeyError, ValueError, TypeError) as error:
            raise MeterTypeError(f"{meter_type.name}, {entry.get('logical_name', entry)}: {error!r}") from None
    return meter


def _object(entry: Entry, context: Context) -> Access:
    name = ObisCode.parse(entry["logical_name"])
    return Access(
        BUILDERS[entry["class_id"]](name, entry, context),
        public=entry.get("public", False),
        writable=frozenset(entry.get("writable", ())),
        invocable=frozenset(entry.get("invocable", ())),
        base_name=entry.get("base_name"),
    )
