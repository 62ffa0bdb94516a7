"""The clock of a meter type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from meters.cosem.obis import ObisCode
from sessions.simulator.builders.context import Builder, Context, Entry
from sessions.simulator.objects.base import CosemObject
from sessions.simulator.objects.clock import Clock


def clock(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    return Clock(name, context.clock)


BUILDERS: Final[Mapping[int, Builder]] = {8: clock}
