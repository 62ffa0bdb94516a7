"""The switch of a meter type, and the scripts that work it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from meters.cosem.data import Data
from meters.cosem.obis import ObisCode
from sessions.simulator.builders.context import Builder, Context, Entry
from sessions.simulator.builders.declared import declared_values, listed_class
from sessions.simulator.objects.base import CosemObject
from sessions.simulator.objects.control import DisconnectControl
from sessions.simulator.objects.scripts import ScriptAction, ScriptService, ScriptTable


def disconnect_control(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    return DisconnectControl(name, context.switch(entry), tell=context.meter.events.record)


def script_table(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    """Scripts 1 (disconnect) and 2 (reconnect) of the control that `target` names, or the `values` of its scripts."""
    if "target" in entry:
        target = context.named(entry["target"])
        return ScriptTable(name, {number: [ScriptAction(target, number)] for number in (1, 2)})
    scripts = declared_values(listed_class(entry), entry)[2]
    return ScriptTable(name, {row[0].value: [_action(each, context) for each in row[1]] for row in scripts})


def _action(row: Data, context: Context) -> ScriptAction:
    """KeyError where its target does not stand earlier in the file."""
    service, class_id, logical_name, number, parameter = row
    target = context.meter.objects[class_id.value, ObisCode.from_octets(logical_name.value)].target
    return ScriptAction(target, number.value, ScriptService(service.value), parameter)


BUILDERS: Final[Mapping[int, Builder]] = {9: script_table, 70: disconnect_control}
