"""Classes without behaviour of their own: `version`, and the `values` of attributes by their names in the class tables.

Values are written as `meters.cosem.value_entry` reads them for their declared type: numbers, words of an enumeration, logical
names, dates and times, octets in hex, structures as tables of their fields. `now`: attributes that are the meter's time.
"""

from __future__ import annotations

from meters.cosem.data import Data, date_time
from meters.cosem.interface_class import InterfaceClass, known_versions
from meters.cosem.obis import ObisCode
from meters.cosem.value_entry import from_json
from sessions.simulator.builders.context import Context, Entry
from sessions.simulator.objects.base import Attribute, CosemObject
from sessions.simulator.objects.declared import DeclaredObject


def declared(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    known = listed_class(entry)
    target = DeclaredObject(known, name, declared_values(known, entry))
    for attribute in entry.get("now", ()):
        target.attributes[number_of(known, attribute)] = Attribute(lambda: date_time(context.clock.now()))
    return target


def listed_class(entry: Entry) -> InterfaceClass:
    """The class and version of an entry, the latest where it names none; KeyError for one that the tables do not have."""
    versions = {known.version: known for known in known_versions(entry["class_id"])}
    return versions[entry.get("version", max(versions, default=0))]


def number_of(known: InterfaceClass, name: str) -> int:
    for number, attribute in known.attributes.items():
        if attribute.name == name:
            return number
    raise ValueError(f"{known.name} has no attribute “{name}”")


def declared_values(known: InterfaceClass, entry: Entry) -> dict[int, Data]:
    """The entry's `values` by the numbers of their attributes."""
    numbers = {name: number_of(known, name) for name in entry.get("values", {})}
    return {
        number: from_json(entry["values"][name], known.attributes[number].type, path=name)
        for name, number in numbers.items()
    }
