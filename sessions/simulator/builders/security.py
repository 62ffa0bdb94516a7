"""Security setup of a meter type: keys, suite and policy are the meter's, of whatever lab it stands in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from meters.cosem.obis import ObisCode
from sessions.simulator.builders.context import Builder, Context, Entry
from sessions.simulator.objects.base import CosemObject
from sessions.simulator.security_setup import SecuritySetup


def security_setup(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    return SecuritySetup(
        name,
        context.settings.security,
        server_system_title=context.meter.server_system_title,
        now=context.clock.host,
        random=context.settings.random,
    )


BUILDERS: Final[Mapping[int, Builder]] = {64: security_setup}
