"""Tariffs of a meter type: Activity calendar, Special days table and Register activation.

The calendar's and the table's `values` are the attributes of the class tables; what is passive is the active one where nothing
else is said. `registers` of a register activation are logical names. Script n of a day schedule makes rate n count: the sources
import_rate_n and export_rate_n of registers. A meter without a calendar has rate 1 from 6 to 22 o'clock, else rate 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from meters.cosem.data import array
from meters.cosem.obis import ObisCode
from sessions.simulator.builders.context import Builder, Context, Entry
from sessions.simulator.builders.declared import declared_values, listed_class
from sessions.simulator.objects.base import CosemObject
from sessions.simulator.objects.tariff import ActivityCalendar, RegisterActivation, SpecialDaysTable
from sessions.simulator.tariffs import Calendar


def activity_calendar(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    values = declared_values(listed_class(entry), entry)
    active = Calendar(*(values[number] for number in range(2, 6)))
    passive = Calendar(*(values.get(number + 4, values[number]) for number in range(2, 6)))
    context.plan.begin(calendar=active)
    return ActivityCalendar(name, context.plan, passive)


def special_days(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    return SpecialDaysTable(name, context.plan, declared_values(listed_class(entry), entry).get(2, array()))


def register_activation(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    registers = [context.named(register) for register in entry.get("registers", ())]
    masks = declared_values(listed_class(entry), entry).get(3, array())
    return RegisterActivation(name, context.plan, context.rates("energy_import", 1).rate_at, registers, masks)


BUILDERS: Final[Mapping[int, Builder]] = {6: register_activation, 11: special_days, 20: activity_calendar}
