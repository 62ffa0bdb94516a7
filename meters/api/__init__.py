"""The API of the inventory: routers, without who may call them (`workbench.api` mounts them).

access      scopes, the token that an endpoint needs      problems    how a request is refused
shapes      what several endpoints share                  meters      the list, one meter
reference   types, lines, OBIS codes                      log         the change log
"""

from ninja import Router

from meters.api import log, meters, reference

ROUTERS: dict[str, Router] = {
    "/meters": meters.router,
    "/meter-types": reference.types,
    "/lines": reference.lines,
    "/obis": reference.obis,
    "/changes": log.router,
}
"""By the beginning of their paths."""
