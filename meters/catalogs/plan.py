"""What would become of a catalog if somebody's word on its objects were taken: new, changed, contradicted, as it is. Pure.

A field of which the catalog says nothing is filled. Where it says something else, the newer word of the same source counts, and
that of another source contradicts: a person decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from meters.catalogs.facts import FIELDS, ObjectFacts, says
from meters.catalogs.rights import ClientRights
from meters.cosem.obis import ObisCode

Key = tuple[int, ObisCode]


class State(Enum):
    """What becomes of an object."""

    NEW = "new"
    CHANGED = "changed"
    CONFLICT = "conflict"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalog says of an object, and whether the same source said it last."""

    facts: ObjectFacts
    same_source: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """One object: what is said of it, and what becomes of it: `kept` if the catalog is right, `taken` if the new word is."""

    before: ObjectFacts | None
    said: ObjectFacts
    kept: ObjectFacts
    taken: ObjectFacts

    @property
    def state(self) -> State:
        if self.before is None:
            return State.NEW
        if self.kept != self.taken:
            return State.CONFLICT
        return State.UNCHANGED if self.kept == self.before else State.CHANGED

    @property
    def fields(self) -> list[str]:
        """What differs from the catalog, where the new word counts."""
        before = self.before
        return [name for name in FIELDS if before is not None and getattr(self.taken, name) != getattr(before, name)]

    @property
    def conflicting(self) -> list[str]:
        """What contradicts the catalog."""
        return [name for name in FIELDS if getattr(self.taken, name) != getattr(self.kept, name)]

    def outcome(self, *, overwrite: bool) -> ObjectFacts:
        return self.taken if overwrite else self.kept


def plan(known: Mapping[Key, Known], said: Iterable[ObjectFacts]) -> list[Planned]:
    """By object in the order in which they were said. Of one that is said twice the first word counts."""
    found: dict[Key, Planned] = {}
    for facts in said:
        if facts.key not in found:
            found[facts.key] = _planned(known.get(facts.key), facts)
    return list(found.values())


def _planned(known: Known | None, said: ObjectFacts) -> Planned:
    if known is None:
        return Planned(None, said, said, said)
    before = known.facts
    filled: dict[str, Any] = {}
    contradicted: dict[str, Any] = {}
    for name in FIELDS:
        if name == "rights" or not says(said, name):
            continue
        new, old = getattr(said, name), getattr(before, name)
        if new != old:
            (filled if known.same_source or not says(before, name) else contradicted)[name] = new
    added, other = _rights(before.rights, said.rights)
    kept = replace(before, **filled, rights={**before.rights, **added, **(other if known.same_source else {})})
    taken = replace(kept, **contradicted, rights={**kept.rights, **other})
    return Planned(before, said, kept, taken)


def _rights(
    before: Mapping[int, ClientRights], said: Mapping[int, ClientRights]
) -> tuple[dict[int, ClientRights], dict[int, ClientRights]]:
    """Of clients of whom nothing was known, and of clients of whom something else was. Who names no right says nothing else."""
    added = {sap: client for sap, client in said.items() if sap not in before or before[sap] == ClientRights()}
    other = {
        sap: client for sap, client in said.items() if sap not in added and client not in (before[sap], ClientRights())
    }
    return added, other
