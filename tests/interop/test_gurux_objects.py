"""Every meter type of the simulator, read whole by the foreign client: object list, rights, every attribute, rows of profiles.

What it reads has to equal what our own client reads of the same meter, attribute by attribute, and what the one is refused, the
other is refused with the same result. A meter type that is added is taken up by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

pytest.importorskip("gurux_dlms")

from meters.cosem.data import Data, date_time
from meters.cosem.date_time import CosemDateTime
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.association import Referencing
from sessions.dlms.selective_access import EntryDescriptor, RangeDescriptor
from sessions.reading import STANDARD_CLOCK
from sessions.simulator.lab import LabLine, LabMeter
from sessions.simulator.meter_type import METER_TYPES, load_meter_type
from tests.interop.peer import Peer, PeerError, quietly
from tests.interop.plain_values import peers_plain, plain
from tests.interop.test_gurux_short_names import ShortNamePeer
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import GMAC, GUEK, LLS, lab_meter, lab_of, listening

pytestmark = pytest.mark.interop

LONG_KEY = GUEK * 2
ASSOCIATIONS: dict[str, dict[str, Any]] = {
    "public": {"client_sap": 16, "authentication": "none"},
    "in clear": LLS,
    "suite 0": GMAC,
    "suite 1": {**GMAC, "security_suite": 1},
    "suite 2": {**GMAC, "security_suite": 2, "guek": LONG_KEY, "gak": LONG_KEY[::-1]},
}
PEER_COUNTERS = 100_000
"""Where the peer's invocation counters begin: above those that our own client used up before."""
FEW = 12
"""Rows of a profile that are compared."""
PROFILE, BUFFER = 7, 2
OWN_OF_AN_ASSOCIATION = {
    (15, "0.0.40.0.0.255", 5),  # what this client and the meter agreed on
    (1, "0.0.43.1.0.255", 2),  # the invocation counter that a client used last
}
UNKNOWN = {61, 63, 77}
"""Classes that the peer leaves out of every object list, because it does not know them."""
UNPARSED: dict[tuple[int, int], str] = {(28, 7): "IndexError('list index out of range')"}
"""(class, attribute) whose value the peer reads, and then cannot turn into its own objects: with its failure."""


class Case(NamedTuple):
    type: str
    framing: str
    association: str


def by_short_names(name: str) -> bool:
    return load_meter_type(name).referencing is Referencing.SHORT_NAMES


CASES = [
    Case(path.stem, framing, association)
    for path in sorted(METER_TYPES.glob("*.toml"))
    for framing in ("wrapper", "hdlc")
    for association in ASSOCIATIONS
    if framing == "wrapper" or association in ("in clear", "suite 0")
    if association in ("public", "in clear") or not by_short_names(path.stem)
]
"""The peer cannot cipher by short names: see test_gurux_short_names."""


class Reading(NamedTuple):
    """What one client found: attributes with access modes, and methods, by class and name; values by class, name, attribute."""

    versions: dict[tuple[int, str], int]
    rights: dict[tuple[int, str], tuple[dict[int, int], dict[int, int]]]
    values: dict[tuple[int, str, int], Any]
    rows: dict[str, tuple[Any, Any]]


class Bounds(NamedTuple):
    """Of a range of a profile."""

    start: datetime
    end: datetime


DAY = Bounds(datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC))


# -- our client --------------------------------------------------------------------------------------------------------


def rights_of(attributes: Any, methods: Any) -> tuple[dict[int, int], dict[int, int]]:
    return {number: mode for number, mode, _ in attributes or ()}, {number: int(mode) for number, mode in methods or ()}


def our_list(pair: Pair, name: str) -> Iterator[tuple[int, int, str, tuple[dict[int, int], dict[int, int]]]]:
    if not by_short_names(name):
        for class_id, version, octets, rights in plain(pair.get(15, "0-0:40.0.0*255", 2)):
            yield class_id, version, ObisCode(*octets).dotted, rights_of(*rights)
        return
    rights = {base & 0xFFFF: rights_of(*known) for base, *known in plain(pair.get(12, "0-0:40.0.0*255", 3))}
    for base, class_id, version, octets in plain(pair.get(12, "0-0:40.0.0*255", 2)):
        yield class_id, version, ObisCode(*octets).dotted, rights[base & 0xFFFF]


def value_or_refusal(answer: Data | DataAccessResult) -> Any:
    return ("refused", int(answer)) if isinstance(answer, DataAccessResult) else plain(answer)


def our_rows(pair: Pair, name: str) -> tuple[Any, Any]:
    bounds = (date_time(CosemDateTime.from_datetime(moment)) for moment in DAY)
    selections = EntryDescriptor(1, FEW), RangeDescriptor(STANDARD_CLOCK, *bounds)
    by_entry, by_range = (
        value_or_refusal(pair.get(PROFILE, name, BUFFER, each.to_selective_access())) for each in selections
    )
    return by_entry, by_range


def read_by_us(meter: LabMeter, case: Case) -> Reading:
    changes = ASSOCIATIONS["public"] | {"secret": None} if case.association == "public" else {}
    pair = Pair(meter, counters=range(1, PEER_COUNTERS), **changes)
    pair.open()
    found = Reading({}, {}, {}, {})
    for class_id, version, name, rights in our_list(pair, case.type):
        if class_id in UNKNOWN:
            continue
        found.versions[class_id, name], found.rights[class_id, name] = version, rights
        for attribute_id in rights[0]:
            if (class_id, attribute_id) != (PROFILE, BUFFER):
                found.values[class_id, name, attribute_id] = value_or_refusal(pair.get(class_id, name, attribute_id))
        if class_id == PROFILE:
            found.rows[name] = our_rows(pair, name)
    pair.release()
    return found


# -- the peer ----------------------------------------------------------------------------------------------------------


def its_value(peer: Peer, request: Any) -> Any:
    try:
        with quietly():
            return peers_plain(peer.exchange(request).value)
    except PeerError as error:
        return ("refused", error.args[0])


def its_attribute(peer: Peer, target: Any, attribute_id: int) -> tuple[Any, str]:
    """The value, and what the peer says where it cannot make something of its own out of it."""
    try:
        with quietly():
            value = peer.exchange(peer.client.read(target, attribute_id)).value
    except PeerError as error:
        return ("refused", error.args[0]), ""
    taken = peers_plain(value)
    try:
        with quietly():
            peer.client.updateValue(target, attribute_id, value)
    except Exception as error:
        return taken, repr(error)
    return taken, ""


def its_rows(peer: Peer, profile: Any) -> tuple[Any, Any]:
    peer.read(profile, 3)
    by_entry = its_value(peer, peer.client.readRowsByEntry(profile, 1, FEW))
    return by_entry, its_value(peer, peer.client.readRowsByRange(profile, *DAY))


def rights_as_it_says(target: Any, ours: tuple[dict[int, int], dict[int, int]]) -> Any:
    """Its object of a class knows the attributes and methods of its own version of the class."""
    attributes, methods = ours
    return (
        {number: int(target.getAccess(number)) for number in attributes},
        {number: int(target.getMethodAccess(number)) for number in methods},
    )


@contextmanager
def peer_of(case: Case, announced: dict[str, Any]) -> Iterator[Peer]:
    association = announced["association"]
    if case.association == "public":
        kept = {name: association[name] for name in ("framing", "server_sap", "hdlc") if name in association}
        announced = {**announced, "association": kept | ASSOCIATIONS["public"]}
    kind = ShortNamePeer if by_short_names(case.type) else Peer
    peer = kind(announced, invocation_counter=PEER_COUNTERS)
    try:
        peer.open()
        yield peer
    finally:
        peer.close()


def meter_for(case: Case) -> LabMeter:
    association = LLS if case.association == "public" else ASSOCIATIONS[case.association]
    place: dict[str, Any] = {"physical_address": 17} if case.framing == "hdlc" else {}
    keys = {"key_pairs": {"seed": "demo"}} if association.get("security_suite") else {}
    return lab_meter(association, type=case.type, **place, **keys)


@pytest.mark.parametrize("case", CASES, ids=", ".join)
def test_the_peer_reads_the_whole_meter_as_we_do(case: Case, tmp_path: Any) -> None:
    meter = meter_for(case)
    ours = read_by_us(meter, case)
    assert ours.values
    assert (
        case.association == "public" or not ours.rows or any(len(by_entry) == FEW for by_entry, _ in ours.rows.values())
    )
    with (
        listening(lab_of(LabLine(kind=case.framing, meters=(meter,))), tmp_path) as (announced,),
        peer_of(case, announced) as peer,
    ):
        objects = {(int(each.objectType), str(each.logicalName)): each for each in peer.objects()}
        assert {key: each.version for key, each in objects.items()} == ours.versions
        if not by_short_names(case.type):  # there the peer does not ask for them
            assert {key: rights_as_it_says(objects[key], known) for key, known in ours.rights.items()} == ours.rights
        unparsed = {}
        for class_id, name, attribute_id in ours.values:
            target = objects[class_id, name]
            value, failure = its_attribute(peer, target, attribute_id)
            if failure:
                unparsed[class_id, attribute_id] = failure
            if (class_id, name, attribute_id) not in OWN_OF_AN_ASSOCIATION:
                assert value == ours.values[class_id, name, attribute_id], (class_id, name, attribute_id)
        for name, rows in ours.rows.items():
            assert its_rows(peer, objects[PROFILE, name]) == rows
    known = {
        key: failure for key, failure in UNPARSED.items() if any((each[0], each[2]) == key for each in ours.values)
    }
    assert unparsed == known
