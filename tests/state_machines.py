"""The state machines of the pure packages, drawn from their tables: `python -m tests.state_machines` renews ARCHITECTURE.md."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

ARCHITECTURE = Path(__file__).resolve().parents[1] / "ARCHITECTURE.md"
BEGIN = "<!-- state machines: begin; drawn from the tables by `python -m tests.state_machines` -->"
END = "<!-- state machines: end -->"
PACKAGES = ("meters.cosem", "meters.quirks.review", "sessions.dlms", "sessions.links", "sessions.simulator")

Table = Mapping[Enum, Mapping[Enum, Enum]]


def states_only(table: Mapping[Enum, Mapping[Enum, Any]]) -> Table:
    """A table whose cells say an action and a state, without the actions."""
    return {
        state: {event: cell[-1] if isinstance(cell, tuple) else cell for event, cell in row.items()}
        for state, row in table.items()
    }


def machines() -> Iterator[tuple[str, str, Table]]:
    """Module, what it says of itself, and table, of every machine."""
    for package in PACKAGES:
        root = importlib.import_module(package)
        inside = pkgutil.walk_packages(getattr(root, "__path__", []), f"{package}.")
        for name in (package, *(found.name for found in inside)):
            module: Any = importlib.import_module(name)
            if "TRANSITIONS" in vars(module):
                yield name, (module.__doc__ or "").strip().partition("\n")[0], states_only(module.TRANSITIONS)


def drawing(table: Table) -> str:
    """A table as a Mermaid diagram: one arrow for each pair of states, with all its events."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for state, row in table.items():
        for event, following in row.items():
            arrows.setdefault((state.name, following.name), []).append(event.name)
    lines = [f"    {here} --> {there}: {', '.join(events)}" for (here, there), events in arrows.items()]
    first = next(iter(table)).name
    return "\n".join(["```mermaid", "stateDiagram-v2", f"    [*] --> {first}", *lines, "```"])


def section() -> str:
    """All machines, as they stand in ARCHITECTURE.md."""
    parts = [f"### `{module}`\n\n{words}\n\n{drawing(table)}" for module, words, table in machines()]
    return f"{BEGIN}\n\n" + "\n\n".join(parts) + f"\n\n{END}"


def renewed(text: str) -> str:
    """ARCHITECTURE.md with the machines as they are now."""
    head, _, rest = text.partition(BEGIN)
    _, found, tail = rest.partition(END)
    if not found:
        raise SystemExit(f"ARCHITECTURE.md has no place for the state machines: {BEGIN} … {END}")
    return head + section() + tail


if __name__ == "__main__":
    ARCHITECTURE.write_text(renewed(ARCHITECTURE.read_text("utf-8")), "utf-8")
    sys.stdout.write(f"{len(list(machines()))} state machines drawn\n")
