"""The switch of a meter type, and the scripts that work it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from meters.cosem.obis import ObisCode
from sessions.simulator.builders.context import Builder, Context, Entry
from sessions.simulator.objects.base import CosemObject
from sessions.simulator.objects.control import DisconnectControl
from sessions.simulator.objects.scripts import ScriptAction, ScriptTable


def disconnect_control(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    return DisconnectControl(name, context.switch(entry))


def script_table(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    """Scripts 1 (disconnect) and 2 (reconnect) of the control that `target` names."""
    target = context.named(entry["target"])
    return ScriptTable(name, {1: ScriptAction(target, 1), 2: ScriptAction(target, 2)})


BUILDERS: Final[Mapping[int, Builder]] = {9: script_table, 70: disconnect_control}
