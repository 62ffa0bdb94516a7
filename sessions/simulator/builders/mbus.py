"""M-Bus client of a meter type: `version` and `values` as of every class that is declared, and the `load` of its device.

Registers, and a control, that name it as their `channel` belong to that device: their values are those of its last capture.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from meters.cosem.obis import ObisCode
from sessions.simulator.builders.context import Builder, Context, Entry
from sessions.simulator.builders.declared import declared_values, listed_class
from sessions.simulator.load_curve import LoadParameters
from sessions.simulator.objects.base import CosemObject
from sessions.simulator.objects.mbus_client import MbusClient


def mbus_client(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    known = listed_class(entry)
    client = MbusClient(known, name, declared_values(known, entry), context.clock.now)
    context.add_channel(entry["logical_name"], client, LoadParameters(**entry.get("load", {})))
    return client


BUILDERS: Final[Mapping[int, Builder]] = {72: mbus_client}
