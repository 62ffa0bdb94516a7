"""Two sides that say something of the same objects: what only one has, and what they say differently. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from meters.catalogs.facts import FIELD_WORDS, FIELDS, ObjectFacts, says, value_text
from meters.catalogs.rights import ClientRights

SIDES: Final = ("left", "right")


class Found(Enum):
    """Where an object is, and whether both sides agree on it."""

    LEFT = "left"
    RIGHT = "right"
    DIFFERENT = "different"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Compared:
    """One object. `fields`: of what both have the fields that differ."""

    left: ObjectFacts | None
    right: ObjectFacts | None
    fields: tuple[str, ...] = ()

    @property
    def found(self) -> Found:
        if self.left is None:
            return Found.RIGHT
        if self.right is None:
            return Found.LEFT
        return Found.DIFFERENT if self.fields else Found.SAME

    @property
    def facts(self) -> ObjectFacts:
        """What one of the sides says, the left one first."""
        found = self.left or self.right
        assert found is not None  # somebody said it, or it would not be here
        return found

    def differences(self) -> list[tuple[str, str, str]]:
        """Field, left, right, in words."""
        if self.left is None or self.right is None:
            return []
        return [(FIELD_WORDS[name], value_text(self.left, name), value_text(self.right, name)) for name in self.fields]


def compare(left: Iterable[ObjectFacts], right: Iterable[ObjectFacts], *, only_said: bool = False) -> list[Compared]:
    """All objects of both sides, in order of code and class.

    With `only_said` the right side is somebody who does not know everything, such as a meter: what it leaves empty, and clients
    that it does not name, are no difference.
    """
    by_left = {facts.key: facts for facts in left}
    by_right = {facts.key: facts for facts in right}
    keys = sorted({*by_left, *by_right}, key=lambda key: (key[1], key[0]))
    return [_compared(by_left.get(key), by_right.get(key), only_said) for key in keys]


def _compared(left: ObjectFacts | None, right: ObjectFacts | None, only_said: bool) -> Compared:
    if left is None or right is None:
        return Compared(left, right)
    shown = left
    if only_said:
        shown = replace(left, rights={sap: left.rights[sap] for sap in right.rights if sap in left.rights})
        right = replace(
            right, rights={sap: _said(left.rights.get(sap), client) for sap, client in right.rights.items()}
        )
    fields = tuple(
        name for name in FIELDS if getattr(shown, name) != getattr(right, name) and (not only_said or says(right, name))
    )
    return Compared(shown, right, fields)


def _said(left: ClientRights | None, right: ClientRights) -> ClientRights:
    """Who names no right at all contradicts none."""
    return right if left is None or right != ClientRights() else left


def seen_by(objects: Iterable[ObjectFacts], client_sap: int) -> list[ObjectFacts]:
    """Those of a catalog that an association of this client should list: the others are known to be listed to others only."""
    return [facts for facts in objects if client_sap in facts.rights or not facts.rights]


def counts(rows: Sequence[Compared]) -> dict[Found, int]:
    """How many of each."""
    found = dict.fromkeys(Found, 0)
    for row in rows:
        found[row.found] += 1
    return found
