"""Register monitor and Limiter of a meter type: `values` as of every class that is declared.

What they watch and which scripts they run is named by their values; it may stand anywhere in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from meters.cosem.obis import ObisCode
from sessions.simulator.builders.context import Builder, Context, Entry
from sessions.simulator.builders.declared import declared_values, listed_class
from sessions.simulator.objects.base import CosemObject
from sessions.simulator.objects.watching import Limiter, RegisterMonitor, Watcher


def _builder(kind: type[Watcher]) -> Builder:
    def build(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
        known = listed_class(entry)
        return kind(known, name, declared_values(known, entry), context.clock, context.find)

    return build


BUILDERS: Final[Mapping[int, Builder]] = {kind.class_id: _builder(kind) for kind in (RegisterMonitor, Limiter)}
