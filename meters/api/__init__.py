"""The API of the inventory: routers, without who may call them (`workbench.api` mounts them).

    access     scopes, the token that an endpoint needs        problems   how a request is refused
    shapes     what several endpoints share                    meters     the list, one meter
"""

from ninja import Router

from meters.api import meters

ROUTERS: dict[str, Router] = {"/meters": meters.router}
"""By the beginning of their paths."""
