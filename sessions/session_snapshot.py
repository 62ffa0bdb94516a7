"""The snapshot of what a session read: the same file as `manage.py snapshot` writes, from the rows of the steps.

The newest object list says which objects there are; the newest value of each attribute stands in the file, what the meter refused
as refused, everything else as not read. Profiles that were read row by row are no attribute's value and stay outside.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from meters.cosem.data import Data
from meters.cosem.obis import ObisCode
from meters.models import Association, Meter
from meters.quirks.in_force import quirks_in_force
from meters.services import Access
from sessions.engine.plan import association_table
from sessions.engine.quirks import apply_quirks
from sessions.known_objects import newest_list, result_data
from sessions.models import DlmsSession, Step
from sessions.object_list import (
    ACCESS_RIGHTS,
    ASSOCIATION_LN,
    ASSOCIATION_SN,
    OWN_NAME,
    ListedObject,
    read_by_logical_names,
    read_by_short_names,
)
from sessions.snapshot import CLOCK, RESULT_NAMES, TIME, keep_lists, mark_lists, unread_objects, without_secrets
from sessions.snapshot_file import Recorded, Snapshot, SnapshotObject

Key = tuple[int, ObisCode, int]


def session_snapshot(dlms_session: DlmsSession) -> Snapshot | None:
    """What the session knows of its meter.

    None without an object list that was kept whole, or where the meter or the association are not in the inventory (any more).
    """
    if dlms_session.meter is None or dlms_session.association is None:
        return None
    listing = newest_list(dlms_session)
    data = None if listing is None else result_data(listing)
    if listing is None or data is None:
        return None
    steps = _newest_reads(dlms_session)
    own_class = listing.parameters["class_id"]
    rights_step = steps.get((ASSOCIATION_SN, OWN_NAME, ACCESS_RIGHTS))
    rights = result_data(rights_step) if rights_step is not None else None
    try:
        listed = _listed(own_class, data, rights)
    except ValueError:
        return None
    snapshot = Snapshot(
        taken=dlms_session.created,
        endpoint=dlms_session.meter.line.endpoint,
        association=_association(dlms_session.meter, dlms_session.association),
        negotiated=dlms_session.negotiated or {},
    )
    snapshot.objects = unread_objects(listed)
    keep_lists(snapshot, listed, data, rights)
    for each in snapshot.objects:
        if (each.class_id, each.logical_name) == (own_class, OWN_NAME):
            mark_lists(each, rights)
        _fill(each, steps)
    snapshot.finished = all(recorded.known for each in snapshot.objects for recorded in each.attributes.values())
    snapshot.broken = None if snapshot.finished else {"message": "the session did not read everything"}
    return snapshot


def _listed(own_class: int, data: Data, rights: Data | None) -> list[ListedObject]:
    if own_class == ASSOCIATION_LN:
        return read_by_logical_names(data)
    return read_by_short_names(data, rights)


def _newest_reads(dlms_session: DlmsSession) -> dict[Key, Step]:
    """Of each attribute the newest step that says something of it."""
    ended = dlms_session.steps.filter(kind=Step.Kind.READ, state__in=(Step.State.DONE, Step.State.FAILED))
    found: dict[Key, Step] = {}
    for step in ended.order_by("number"):
        found[_key(step.parameters)] = step
    return found


def _key(parameters: dict[str, Any]) -> Key:
    return parameters["class_id"], ObisCode.parse(parameters["logical_name"]), parameters["attribute_id"]


def _fill(each: SnapshotObject, steps: dict[Key, Step]) -> None:
    for number, recorded in each.attributes.items():
        step = steps.get((each.class_id, each.logical_name, number))
        if step is not None and not recorded.known:
            _record(each, number, recorded, step)


def _record(each: SnapshotObject, number: int, recorded: Recorded, step: Step) -> None:
    recorded.value = result_data(step) if step.state == Step.State.DONE else None
    if recorded.value is not None and (each.class_id, number) == (CLOCK, TIME):
        recorded.at = step.ended or timezone.now()
    code = (step.error or {}).get("code")
    if step.state == Step.State.FAILED and code in RESULT_NAMES:
        recorded.refused = str(code)


def _association(meter: Meter, association: Association) -> dict[str, Any]:
    """How to reach the meter, without its secrets: none is opened for it."""
    access = Access(line=meter.line, meter=meter, association=association, secrets={})
    return without_secrets(apply_quirks(association_table(access, {}), quirks_in_force(meter)))
