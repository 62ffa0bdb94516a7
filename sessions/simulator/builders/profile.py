"""Profile generic of a meter type: `columns` (logical names), `capture_period` in seconds, `profile_entries`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from meters.cosem.obis import ObisCode
from sessions.simulator.builders.context import Builder, Context, Entry
from sessions.simulator.objects.base import CosemObject
from sessions.simulator.profile import LoadProfile, ProfileColumn


def profile_generic(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    return LoadProfile(
        name,
        [ProfileColumn(context.named(column)) for column in entry["columns"]],
        context.clock,
        capture_period=entry["capture_period"],
        profile_entries=entry["profile_entries"],
    )


BUILDERS: Final[Mapping[int, Builder]] = {7: profile_generic}
