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
from sessions.simulator.lab import HdlcOptions, LabLine, LabMeter, make_meters
from sessions.simulator.meter_type import METER_TYPES, load_meter_type
from tests.interop.peer import Peer, PeerError, quietly
from tests.interop.plain_values import peers_plain, plain
from tests.interop.test_gurux_short_names import ShortNamePeer
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import GMAC, GUEK, LLS, HandClock, lab_of, listening

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
UNPARSED = {(28, 7): "IndexError('list index out of range')"}
"""(class, attribute) whose value the peer reads, and then cannot turn into its own objects: with its failure."""
UNKNOWN_TO_THE_PEER = {30, 61, 62, 63, 68, 77, 116}
"""Data protection, register table, compact data, status mapping, arbitrator, M-Bus diagnostic and the attributes of IEC 62055-41:
the peer leaves them out of the list that it was given."""
LOGICAL_NAME = 1
"""Attribute: the peer takes it for readable, whatever the list says."""


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
    if association not in ("suite 1", "suite 2") or path.stem in ("three_phase", association.replace(" ", "_"))
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


def read_by_us(meter: LabMeter, case: Case, first: int) -> Reading:
    changes = ASSOCIATIONS["public"] | {"secret": None} if case.association == "public" else {}
    pair = Pair(meter, counters=range(first, PEER_COUNTERS), **changes)
    pair.open()
    found = Reading({}, {}, {}, {})
    for class_id, version, name, rights in our_list(pair, case.type):
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
        {number: int(target.getAccess(number)) for number in attributes} | {LOGICAL_NAME: attributes[LOGICAL_NAME]},
        {number: int(target.getMethodAccess(number)) for number in methods},
    )


def known_to_the_peer(ours: Reading) -> Reading:
    return Reading(*({key: each for key, each in kept.items() if key[0] not in UNKNOWN_TO_THE_PEER} for kept in ours))


@contextmanager
def peer_of(case: Case, announced: dict[str, Any], counter: int) -> Iterator[Peer]:
    association = announced["association"]
    if case.association == "public":
        kept = {name: association[name] for name in ("framing", "server_sap", "hdlc") if name in association}
        announced = {**announced, "association": kept | ASSOCIATIONS["public"]}
    kind = ShortNamePeer if by_short_names(case.type) else Peer
    peer = kind(announced, invocation_counter=counter)
    try:
        peer.open()
        yield peer
    finally:
        peer.close()


def meters_for(case: Case) -> tuple[LabMeter, ...]:
    """An entry for each logical device."""
    association = LLS if case.association == "public" else ASSOCIATIONS[case.association]
    entry: dict[str, Any] = {"serial_number": "10000001", "association": association, "type": case.type}
    if case.framing == "hdlc":
        entry["physical_address"] = 17
    if association.get("security_suite"):
        entry["key_pairs"] = {"seed": "demo"}
    return make_meters(entry, HandClock(), HdlcOptions() if case.framing == "hdlc" else None)


def compare(case: Case, peer: Peer, ours: Reading) -> None:
    objects = {(int(each.objectType), str(each.logicalName)): each for each in peer.objects()}
    found = known_to_the_peer(ours)
    assert {key: each.version for key, each in objects.items()} == found.versions
    if not by_short_names(case.type):  # there the peer does not ask for them
        assert {key: rights_as_it_says(objects[key], each) for key, each in found.rights.items()} == found.rights
    unparsed = {}
    for class_id, name, attribute_id in found.values:
        value, failure = its_attribute(peer, objects[class_id, name], attribute_id)
        if failure:
            unparsed[class_id, attribute_id] = failure
        if (class_id, name, attribute_id) not in OWN_OF_AN_ASSOCIATION:
            assert value == ours.values[class_id, name, attribute_id], (class_id, name, attribute_id)
    for name, rows in ours.rows.items():
        assert its_rows(peer, objects[PROFILE, name]) == rows
    read = {(class_id, attribute_id) for class_id, _, attribute_id in found.values}
    assert unparsed == {key: failure for key, failure in UNPARSED.items() if key in read}


@pytest.mark.parametrize("case", CASES, ids=", ".join)
def test_the_peer_reads_the_whole_meter_as_we_do(case: Case, tmp_path: Any) -> None:
    """And every logical device of it, one after the other."""
    meters = meters_for(case)
    readings = [read_by_us(meter, case, 1 + 10_000 * device) for device, meter in enumerate(meters)]
    with listening(lab_of(LabLine(kind=case.framing, meters=meters)), tmp_path) as announced:
        for device, (told, ours) in enumerate(zip(announced, readings, strict=True)):
            assert ours.values
            assert case.association == "public" or not ours.rows or any(rows for rows, _ in ours.rows.values())
            with peer_of(case, told, PEER_COUNTERS * (1 + device)) as peer:
                compare(case, peer, ours)
