"""What is known of a meter's objects: the newest object list that was read in the session, else through the same association.

An object list is attribute 2 of the current association: {class, version, logical name, access rights} by logical names (class
15), {base name, class, version, logical name} by short names (class 12).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Q, QuerySet

from meters.cosem.class_words import BITS, WORDS
from meters.cosem.data import Data
from meters.cosem.interface_class import class_name, known_versions
from meters.cosem.obis import ObisCode
from meters.cosem.obis_names import describe
from sessions.dlms.axdr import decode_data
from sessions.dlms.errors import DlmsError
from sessions.models import DlmsSession, Step
from sessions.object_reference import MAX_CLASS_ID

ASSOCIATION_LN: Final = 15
ASSOCIATION_SN: Final = 12
OBJECT_LIST: Final = 2
RIGHTS_ARE_BITS: Final = 3
"""From this version of the association on the access modes are bits."""
READABLE: Final = frozenset({1, 3, 4, 6})
WRITABLE: Final = frozenset({2, 3, 5, 6})
"""Access modes of the versions before."""


@dataclass(frozen=True, slots=True)
class KnownObject:
    """One object that the association offers. Access modes by attribute and method; None where the list does not say."""

    class_id: int
    version: int
    logical_name: ObisCode
    attribute_modes: Mapping[int, int] | None = field(default=None, compare=False)
    method_modes: Mapping[int, int] | None = field(default=None, compare=False)
    bits: bool = field(default=False, compare=False)
    """The modes are bits, as in version 3 of the association."""
    base_name: int | None = None
    """0 to FFFF, where the meter is spoken to by short names."""

    @property
    def class_name(self) -> str:
        """Empty for a class that is not known."""
        return class_name(self.class_id) if known_versions(self.class_id) else ""

    @property
    def meaning(self) -> str:
        return describe(self.logical_name)

    def may_read(self, attribute_id: int) -> bool:
        """False only where the list says so."""
        mode = self._mode(self.attribute_modes, attribute_id)
        return mode is None or (bool(mode & 1) if self.bits else mode in READABLE)

    def may_write(self, attribute_id: int) -> bool:
        """False only where the list says so."""
        mode = self._mode(self.attribute_modes, attribute_id)
        return mode is None or (bool(mode & 2) if self.bits else mode in WRITABLE)

    def may_invoke(self, method_id: int) -> bool:
        """False only where the list says so."""
        mode = self._mode(self.method_modes, method_id)
        return mode is None or (bool(mode & 1) if self.bits else mode > 0)

    def attribute_access(self, attribute_id: int) -> str:
        """`read and write`; empty where the list does not say."""
        return self._words(self.attribute_modes, attribute_id, "access_mode", "attribute_access_bits")

    def method_access(self, method_id: int) -> str:
        """`access`; empty where the list does not say."""
        return self._words(self.method_modes, method_id, "method_access", "method_access_bits")

    def _mode(self, modes: Mapping[int, int] | None, number: int) -> int | None:
        return None if modes is None else modes.get(number, 0)

    def _words(self, modes: Mapping[int, int] | None, number: int, words: str, bits: str) -> str:
        mode = self._mode(modes, number)
        if mode is None:
            return ""
        if not self.bits:
            return WORDS[words].get(mode, f"mode {mode}")
        named = [word for bit, word in BITS[bits].items() if mode >> bit & 1]
        return ", ".join(named) or "no access"


def known_objects(dlms_session: DlmsSession) -> list[KnownObject]:
    """The objects in order of class and name; empty where no list was read."""
    step = newest_list(dlms_session)
    found = objects_of(step) if step is not None else None
    return sorted(found or (), key=lambda known: (known.class_id, known.logical_name))


def find_object(dlms_session: DlmsSession, class_id: int, logical_name: ObisCode) -> KnownObject | None:
    """The object as the list has it."""
    wanted = (class_id, logical_name)
    return next((one for one in known_objects(dlms_session) if (one.class_id, one.logical_name) == wanted), None)


def version_of(dlms_session: DlmsSession, class_id: int, logical_name: ObisCode) -> int | None:
    """The version of the object's class. None where it is not known, or no matter: a class with one version."""
    if len(known_versions(class_id)) < 2:
        return None
    found = find_object(dlms_session, class_id, logical_name)
    return found.version if found else None


def objects_of(step: Step) -> list[KnownObject] | None:
    """The objects of an object list that a step read; None where it is none after all."""
    class_id = step.parameters.get("class_id")
    if step.parameters.get("attribute_id") != OBJECT_LIST or class_id not in (ASSOCIATION_LN, ASSOCIATION_SN):
        return None
    rows = (step.result or {}).get("value")
    if not isinstance(rows, list):
        return None
    first = 0 if class_id == ASSOCIATION_LN else 1
    bits = class_id == ASSOCIATION_LN and _rights_are_bits(rows)
    try:
        return [_object(row, first, bits) for row in rows]
    except (TypeError, ValueError, IndexError, KeyError, AttributeError):
        return None


def result_data(step: Step) -> Data | None:
    """The value that a step read, whole; None where it was not kept."""
    octets = (step.result or {}).get("octets")
    if not octets:
        return None
    try:
        return decode_data(bytes.fromhex(octets))
    except (DlmsError, ValueError, TypeError):
        return None


def reverses_deviation(dlms_session: DlmsSession) -> bool:
    """Whether the meter counts the deviation of its times the other way."""
    if any(quirk["name"] == "reverse_deviation" for quirk in dlms_session.quirks):
        return True
    return dlms_session.meter is not None and dlms_session.meter.reverse_deviation


def read_values(dlms_session: DlmsSession, class_id: int, logical_name: ObisCode) -> dict[int, Step]:
    """Of each attribute of an object the newest step of this session that read it."""
    steps = dlms_session.steps.filter(
        kind=Step.Kind.READ,
        state=Step.State.DONE,
        parameters__class_id=class_id,
        parameters__logical_name=str(logical_name),
    )
    return {step.parameters["attribute_id"]: step for step in steps.order_by("number")}


def newest_list(dlms_session: DlmsSession) -> Step | None:
    """The step that read the object list: in this session, else through the same association."""
    lists = Step.objects.filter(
        kind=Step.Kind.READ,
        state=Step.State.DONE,
        parameters__class_id__in=(ASSOCIATION_LN, ASSOCIATION_SN),
        parameters__attribute_id=OBJECT_LIST,
    ).order_by("-pk")
    return lists.filter(session=dlms_session).first() or _other_sessions(dlms_session, lists).first()


def _other_sessions(dlms_session: DlmsSession, lists: QuerySet[Step]) -> QuerySet[Step]:
    if dlms_session.meter_id is None or dlms_session.association_id is None:
        return lists.none()
    return lists.filter(
        Q(session__meter_id=dlms_session.meter_id) & Q(session__association_id=dlms_session.association_id)
    )


def _rights_are_bits(rows: list[Any]) -> bool:
    """Whether the association itself, which is in its own list, is of a version whose modes are bits."""
    return any(
        isinstance(row, list) and row[:1] == [ASSOCIATION_LN] and isinstance(row[1], int) and row[1] >= RIGHTS_ARE_BITS
        for row in rows
    )


def _object(row: list[Any], first: int, bits: bool) -> KnownObject:
    class_id, version, name = int(row[first]), int(row[first + 1]), ObisCode.parse(str(row[first + 2]))
    if not 0 <= class_id <= MAX_CLASS_ID:
        raise ValueError(f"{class_id} is no class")
    if first:
        return KnownObject(class_id, version, name, base_name=int(row[0]) & 0xFFFF)
    rights = row[first + 3] if len(row) > first + 3 else None
    if not isinstance(rights, list) or len(rights) != 2:
        return KnownObject(class_id, version, name)
    return KnownObject(class_id, version, name, dict(_modes(rights[0])), dict(_modes(rights[1])), bits)


def _modes(entries: list[Any]) -> Iterator[tuple[int, int]]:
    for entry in entries:
        yield int(entry[0]), int(entry[1])
