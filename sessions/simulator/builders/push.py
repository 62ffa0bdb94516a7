"""Push setup of a meter type: the values of its `columns`; with `confirmed = true` the client is to confirm each push."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from meters.cosem.obis import ObisCode
from sessions.simulator.builders.context import Builder, Context, Entry
from sessions.simulator.objects.base import CosemObject
from sessions.simulator.push_setup import PushSetup


def push_setup(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    confirmed = entry.get("confirmed", False)
    sources = [(context.named(column), 2) for column in entry["columns"]]
    meter, clock = context.meter, context.clock
    return PushSetup(name, sources, lambda body: meter.push(body, clock.now(), confirmed=confirmed))


BUILDERS: Final[Mapping[int, Builder]] = {40: push_setup}
