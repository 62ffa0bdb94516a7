"""The API of the inventory: routers, without who may call them (`workbench.api` mounts them).

access      scopes, the token that an endpoint needs      problems        how a request is refused
shapes      what several endpoints share                  meters          the list, one meter
meter_body  what is said of a meter                       meter_editing   adding, changing, commenting, exporting
batches     batches, tags, saved filters                  reference       types, lines, OBIS codes
log         the change log
"""

from ninja import Router

from meters.api import batches, lines, log, meter_editing, meters, obis, types

assert meter_editing.router is meters.router  # it adds its endpoints to the same paths

ROUTERS: tuple[tuple[str, Router], ...] = (
    ("/meters", meters.router),
    ("/batches", batches.batches),
    ("/tags", batches.tags),
    ("/filters", batches.filters),
    ("/meter-types", types.types),
    ("/quirks", types.quirks),
    ("/lines", lines.lines),
    ("/targets", lines.targets),
    ("/obis", obis.router),
    ("/changes", log.router),
)
"""With the beginning of their paths."""
