"""Compact data and Arbitrator of a meter type: `values` as of every class that is declared.

`columns` of a Compact data are logical names whose attribute 2 is captured, behind the object's own template_id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from meters.cosem.data import array, enum, null, structure
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from sessions.simulator.builders.context import Builder, Context, Entry
from sessions.simulator.builders.declared import declared_values, listed_class
from sessions.simulator.objects.arbitrator import Arbitrator
from sessions.simulator.objects.base import CosemObject
from sessions.simulator.objects.compact_data import CAPTURE_OBJECTS, TEMPLATE_ID, CompactData


def compact_data(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    known = listed_class(entry)
    values = declared_values(known, entry)
    columns = [context.named(column) for column in entry["columns"]]
    listed = [CaptureObject(known.class_id, name, TEMPLATE_ID)]
    listed += [CaptureObject(column.class_id, column.logical_name, 2) for column in columns]
    more = (structure(enum(0), null()), array()) if known.version else ()
    values[CAPTURE_OBJECTS] = array(*(structure(*each.to_data(), *more) for each in listed))
    return CompactData(known, name, values, context.find)


def arbitrator(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    known = listed_class(entry)
    return Arbitrator(known, name, declared_values(known, entry), context.meter.run_script)


BUILDERS: Final[Mapping[int, Builder]] = {62: compact_data, 68: arbitrator}
