"""SAP assignment and IEC HDLC setup of a meter type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from meters.cosem.obis import ObisCode
from sessions.simulator.builders.context import Builder, Context, Entry
from sessions.simulator.objects.addressing import HdlcSetup, SapAssignment
from sessions.simulator.objects.base import CosemObject


def sap_assignment(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    settings = context.settings
    return SapAssignment(name, settings.logical_devices or {settings.server_sap: context.device_name()})


def hdlc_setup(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    """As the line is on which the meter stands."""
    settings = context.settings
    return HdlcSetup(
        name,
        max_info=settings.max_info,
        inactivity_timeout=settings.inactivity_timeout,
        device_address=settings.device_address,
    )


BUILDERS: Final[Mapping[int, Builder]] = {17: sap_assignment, 23: hdlc_setup}
