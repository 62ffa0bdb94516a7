"""Single action schedule of a meter type: `values` of executed_script, type and execution_time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from meters.cosem.data import enum
from meters.cosem.obis import ObisCode
from sessions.simulator.builders.context import Builder, Context, Entry
from sessions.simulator.builders.declared import declared_values, listed_class
from sessions.simulator.objects.base import CosemObject
from sessions.simulator.objects.schedule import NO_TIMES, SingleActionSchedule


def single_action_schedule(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    values = declared_values(listed_class(entry), entry)
    given = values[2], values.get(3, enum(1)), values.get(4, NO_TIMES)
    return SingleActionSchedule(name, context.clock, context.meter.run_script, given)


BUILDERS: Final[Mapping[int, Builder]] = {22: single_action_schedule}
