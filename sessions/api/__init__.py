"""The API of sessions: routers, without who may call them (`workbench.api` mounts them).

scopes     what they ask for                        shapes     sessions, steps, frames in JSON
sessions   the list, opening, ending                steps      asking a meter, the gate
records    values, profile rows, frames, objects
"""

from ninja import Router

from sessions.api import records, sessions, steps

ROUTERS: tuple[tuple[str, Router], ...] = (
    ("/sessions", sessions.router),
    ("/sessions", steps.router),
    ("/sessions", records.router),
)
"""With the beginning of their paths."""
