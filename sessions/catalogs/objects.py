"""The objects of the browser beside what the catalog of the meter's type says of them.

Where the meter's own list was not read, the catalog's objects stand in for it; where the list does not say who may do what, the
catalog's rights do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from meters.catalogs.comparison import seen_by
from meters.catalogs.facts import ObjectFacts
from meters.catalogs.overlay import Overlay
from meters.cosem.obis import ObisCode
from meters.cosem.obis_names import describe
from meters.cosem.units import unit_symbol
from sessions.known_objects import KnownObject
from sessions.models import DlmsSession

MODES: Final = {"no": 0, "r": 1, "w": 2, "rw": 3}
"""The catalog's words as access modes of the versions before 3."""
LOGICAL_NAME: Final = 1


@dataclass(frozen=True, slots=True)
class BrowsedObject:
    """A row of the object table. `mark`: why this association cannot do much with it, and who says so; empty where it can."""

    known: KnownObject
    title: str
    standard: str
    unit: str = ""
    mark: str = ""
    from_catalog: bool = False

    @property
    def class_id(self) -> int:
        return self.known.class_id

    @property
    def version(self) -> int:
        return self.known.version

    @property
    def logical_name(self) -> ObisCode:
        return self.known.logical_name

    @property
    def class_name(self) -> str:
        return self.known.class_name


def client_of(dlms_session: DlmsSession) -> int | None:
    """The client SAP of the session's association."""
    return dlms_session.association.client_sap if dlms_session.association is not None else None


def browsed(
    objects: Iterable[KnownObject], overlay: Overlay, client_sap: int | None, *, by_meter: bool = True
) -> list[BrowsedObject]:
    """The objects of a list with the catalog's titles and marks. `by_meter`: the meter listed them, not the catalog."""
    return [_browsed(known, overlay, client_sap, from_catalog=not by_meter) for known in objects]


def from_catalog(overlay: Overlay, client_sap: int | None) -> list[BrowsedObject]:
    """What the catalog expects this client to see, in order of class and name."""
    facts = [facts for found in overlay.entries.values() for facts in found]
    seen = facts if client_sap is None else seen_by(facts, client_sap)
    known = sorted((expected(each, client_sap) for each in seen), key=lambda one: (one.class_id, one.logical_name))
    return [_browsed(each, overlay, client_sap, from_catalog=True) for each in known]


def expected(facts: ObjectFacts, client_sap: int | None) -> KnownObject:
    """An object as the catalog expects it: rights of this client only, and only where the catalog says some."""
    client = facts.rights.get(client_sap) if client_sap is not None else None
    attributes = {number: MODES[mode] for number, mode in client.attributes.items()} if client else {}
    methods = {number: int(allowed) for number, allowed in client.methods.items()} if client else {}
    return KnownObject(
        facts.class_id,
        facts.version or 0,
        facts.logical_name,
        attributes or None,
        methods or None,
        base_name=facts.base_name,
    )


def find_expected(overlay: Overlay, class_id: int, name: ObisCode, client_sap: int | None) -> KnownObject | None:
    """The object as the catalog expects it; None where it does not have it."""
    facts = overlay.find(class_id, name)
    return expected(facts, client_sap) if facts is not None else None


def _browsed(known: KnownObject, overlay: Overlay, client_sap: int | None, *, from_catalog: bool) -> BrowsedObject:
    facts = overlay.find(known.class_id, known.logical_name)
    return BrowsedObject(
        known,
        overlay.title(known.logical_name, known.class_id),
        describe(known.logical_name),
        unit_symbol(facts.unit) if facts is not None and facts.unit is not None else "",
        _mark(known, facts, client_sap, from_catalog),
        from_catalog,
    )


def _mark(known: KnownObject, facts: ObjectFacts | None, client_sap: int | None, from_catalog: bool) -> str:
    """The meter's own word counts before the catalog's."""
    if known.attribute_modes is not None and not from_catalog:
        return "" if _readable(known) else "not readable: the meter's list gives no right to read it"
    if facts is None or client_sap is None or not facts.rights:
        return ""
    if client_sap not in facts.rights:
        others = ", ".join(str(sap) for sap in sorted(facts.rights))
        return f"not for client {client_sap}: the catalog knows it of client {others} only"
    modes = facts.rights[client_sap].attributes
    if modes and not any(mode in ("r", "rw") for number, mode in modes.items() if number != LOGICAL_NAME):
        return f"not readable: the catalog gives client {client_sap} no right to read it"
    return ""


def _readable(known: KnownObject) -> bool:
    """Whether anything but its name may be read."""
    numbers = [number for number in known.attribute_modes or () if number != LOGICAL_NAME]
    return not numbers or any(known.may_read(number) for number in numbers)
