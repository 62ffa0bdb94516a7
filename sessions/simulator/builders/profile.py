"""Profile generic of a meter type: `columns` and `profile_entries`, and what makes its rows.

`capture_period` in seconds: a load profile. `log = "standard"`, `"fraud"` or `"disconnector"`: a row for each event of this kind,
the source last_event with the same `log` is its number. `billing = "day"` or `"month"`: a row at the end of each such period.
A column is a logical name, or a table of `object` and `attribute` where it is not attribute 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from meters.cosem.obis import ObisCode
from sessions.simulator.billing import BillingProfile
from sessions.simulator.builders.context import Builder, Context, Entry
from sessions.simulator.closings import BillingPeriod
from sessions.simulator.event_log import EventLog
from sessions.simulator.events import Event, LogKind
from sessions.simulator.objects.base import CosemObject
from sessions.simulator.profile import LoadProfile, ProfileColumn


def profile_generic(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    columns = [_column(column, context) for column in entry["columns"]]
    entries = entry["profile_entries"]
    if "log" in entry:
        return _event_log(name, columns, entry, context)
    if "billing" in entry:
        return BillingProfile(name, columns, context.closings[BillingPeriod(entry["billing"])], profile_entries=entries)
    return LoadProfile(name, columns, context.clock, capture_period=entry["capture_period"], profile_entries=entries)


def _event_log(name: ObisCode, columns: list[ProfileColumn], entry: Entry, context: Context) -> EventLog:
    kind, events = LogKind(entry["log"]), context.meter.events
    log = EventLog(
        name,
        columns,
        context.clock,
        profile_entries=entry["profile_entries"],
        cleared=lambda: events.record(Event.LOG_CLEARED, kind),
    )
    events.follow(kind, log.capture)
    return log


def _column(column: Any, context: Context) -> ProfileColumn:
    if isinstance(column, str):
        return ProfileColumn(context.named(column))
    return ProfileColumn(context.named(column["object"]), column["attribute"])


BUILDERS: Final[Mapping[int, Builder]] = {7: profile_generic}
