"""Push setup of a meter type: `columns` are logical names whose attribute 2 is pushed, behind the setup's own name.

`values` as of every class that is declared; with `confirmed = true` the client is to confirm each push (version 2 says it by
push_operation_method).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from meters.cosem.data import Data, array, enum, null, octet_string, structure
from meters.cosem.interface_class import InterfaceClass
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from sessions.simulator.builders.context import Builder, Context, Entry
from sessions.simulator.builders.declared import declared_values, listed_class
from sessions.simulator.device import PUBLIC_CLIENT
from sessions.simulator.objects.base import CosemObject
from sessions.simulator.push.rules import A_XDR, Destination
from sessions.simulator.push.setup import DESTINATION, OBJECT_LIST, PushSetup

LOGICAL_NAME: Final = 1
NO_RESTRICTION: Final = structure(enum(0), null())


def push_setup(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    known = listed_class({"version": 0, **entry})
    meter, clients = context.meter, context.settings.clients
    values = declared_values(known, entry)
    if "columns" in entry:
        values[OBJECT_LIST] = _listed(known, name, [context.named(column) for column in entry["columns"]])
    if context.settings.push is not None and DESTINATION not in values:
        values[DESTINATION] = told(context.settings.push)
    confirmed = entry.get("confirmed", False)
    return PushSetup(
        known,
        name,
        values,
        context.find,
        say=lambda body, confirmed: meter.push(body, context.clock.now(), confirmed=confirmed),
        send=lambda body, rules: meter.send(body, context.clock.now(), rules),
        client_sap=clients[0].client_sap if clients else PUBLIC_CLIENT,
        confirmed=confirmed,
    )


def told(destination: Destination) -> Data:
    """As send_destination_and_method says it."""
    return structure(enum(destination.transport), octet_string(destination.text.encode()), enum(A_XDR))


def _listed(known: InterfaceClass, name: ObisCode, columns: list[CosemObject]) -> Data:
    """The first element tells the receiver which of a meter's pushes this is. Version 1 adds a restriction, 2 the columns."""
    first = CaptureObject(known.class_id, name, LOGICAL_NAME)
    others = (CaptureObject(column.class_id, column.logical_name, 2) for column in columns)
    more = ((), (NO_RESTRICTION,), (NO_RESTRICTION, array()))[min(known.version, 2)]
    return array(*(structure(*each.to_data(), *more) for each in (first, *others)))


BUILDERS: Final[Mapping[int, Builder]] = {40: push_setup}
