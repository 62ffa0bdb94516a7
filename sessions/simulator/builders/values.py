"""Data, Register and Extended register of a meter type: a `type` and a `source` or `constant`; registers `scaler` and `unit`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from meters.cosem.obis import ObisCode
from meters.cosem.units import ScalerUnit
from sessions.simulator.builders.context import Builder, Context, Entry
from sessions.simulator.objects.base import CosemObject
from sessions.simulator.objects.register_table import RegisterTable
from sessions.simulator.objects.values import DataObject, ExtendedRegister, Register


def data(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    return DataObject(name, context.value(entry), context.clock.now, stored=entry.get("stored", False))


def register(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    return Register(name, context.value(entry), ScalerUnit(entry["scaler"], entry["unit"]), context.clock.now)


def extended_register(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    """The time of a device behind the meter is that of its last capture, of the highest demand when it ended."""
    channel = context.channel(entry)

    def of_highest_demand(moment: datetime) -> datetime:
        return context.supply.curve.max_demand(context.clock.normal(moment))[1]

    return ExtendedRegister(
        name,
        context.value(entry),
        ScalerUnit(entry["scaler"], entry["unit"]),
        context.clock.now,
        captured_at=of_highest_demand if channel is None else channel.client.captured_at,
    )


def register_table(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    """`cells`: registers that stand before it."""
    return RegisterTable(name, [context.named(cell) for cell in entry["cells"]])


BUILDERS: Final[Mapping[int, Builder]] = {1: data, 3: register, 4: extended_register, 61: register_table}
