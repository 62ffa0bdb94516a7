"""Data, Register and Extended register of a meter type: a `type` and a `source` or `constant`; registers `scaler` and `unit`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from meters.cosem.data import Data
from meters.cosem.obis import ObisCode
from meters.cosem.units import ScalerUnit
from sessions.simulator.builders.context import TYPES, Builder, Context, Entry
from sessions.simulator.closings import BillingPeriod
from sessions.simulator.load_curve import ENERGIES
from sessions.simulator.objects.base import CosemObject
from sessions.simulator.objects.demand import DemandRegister, MaximumDemand
from sessions.simulator.objects.register_table import RegisterTable
from sessions.simulator.objects.values import DataObject, ExtendedRegister, Register


def data(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    return DataObject(name, context.value(entry), context.clock.now, stored=entry.get("stored", False))


def register(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    return Register(name, context.value(entry), ScalerUnit(entry["scaler"], entry["unit"]), context.clock.now)


def extended_register(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    """The source max_demand is the highest quarter of an hour of the billing period; what else there is was captured just now, or
    when the device behind the meter was read.
    """
    scaler_unit = ScalerUnit(entry["scaler"], entry["unit"])
    if entry.get("source") == "max_demand":
        return MaximumDemand(name, _peak(entry, context), scaler_unit, context.closings[BillingPeriod.MONTH])
    channel = context.channel(entry)
    captured_at = (lambda moment: moment) if channel is None else channel.client.captured_at
    return ExtendedRegister(name, context.value(entry), scaler_unit, context.clock.now, captured_at=captured_at)


def _peak(entry: Entry, context: Context) -> Callable[[datetime, datetime], tuple[Data, datetime]]:
    kind, factor, normal = TYPES[entry["type"]], 10.0 ** -entry["scaler"], context.clock.normal

    def peak(since: datetime, until: datetime) -> tuple[Data, datetime]:
        watts, ended = context.supply.curve.max_demand(normal(until), normal(since))
        return Data(kind, int(watts * factor)), ended

    return peak


def demand_register(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    """`source` is an energy of `load_curve`, `period` the seconds of a block."""
    kind, factor, source, normal = TYPES[entry["type"]], 10.0 ** -entry["scaler"], entry["source"], context.clock.normal
    if source not in ENERGIES:
        raise ValueError(f"“{source}” is no energy")
    return DemandRegister(
        name,
        lambda moment: context.supply.energy(source, normal(moment)),
        ScalerUnit(entry["scaler"], entry["unit"]),
        context.clock,
        period=entry["period"],
        write=lambda watts: Data(kind, int(watts * factor)),
    )


def register_table(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    """`cells`: registers that stand before it."""
    return RegisterTable(name, [context.named(cell) for cell in entry["cells"]])


BUILDERS: Final[Mapping[int, Builder]] = {
    1: data,
    3: register,
    4: extended_register,
    5: demand_register,
    61: register_table,
}
