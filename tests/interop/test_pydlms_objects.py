"""Every meter type of the simulator, read whole by a second foreign client: the same octets as our own client reads."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("pydlms")
pytest.importorskip("gurux_dlms")

from pydlms import DlmsClient, ServiceError, encode_data
from pydlms.apdu.xdlms import entry_descriptor

from meters.cosem.data import Data
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.axdr import encode_data as our_octets
from sessions.dlms.selective_access import EntryDescriptor
from sessions.simulator.lab import LabLine, LabMeter
from tests.interop.pydlms_peer import client_of
from tests.interop.test_gurux_objects import (
    ASSOCIATIONS,
    BUFFER,
    CASES,
    FEW,
    OWN_OF_AN_ASSOCIATION,
    PEER_COUNTERS,
    PROFILE,
    Case,
    meters_for,
    our_list,
)
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import lab_of, listening

pytestmark = pytest.mark.interop


def its_octets(peer: DlmsClient, name: str, class_id: int, attribute_id: int, access: Any = None) -> Any:
    try:
        return encode_data(peer.get(name, class_id, attribute_id, access))
    except ServiceError as error:
        return ("refused", error.result)


def octets_of(answer: Data | DataAccessResult) -> Any:
    return ("refused", int(answer)) if isinstance(answer, DataAccessResult) else our_octets(answer)


def announced_for(case: Case, announced: dict[str, Any]) -> dict[str, Any]:
    """The public client has no announcement of its own."""
    if case.association != "public":
        return announced
    association = announced["association"]
    kept = {name: association[name] for name in ("framing", "server_sap", "hdlc", "referencing") if name in association}
    return {**announced, "association": kept | ASSOCIATIONS["public"]}


def read_by_us(
    meter: LabMeter, case: Case, first: int
) -> tuple[dict[tuple[int, str], int], dict[tuple[int, str, int], Any]]:
    """Versions, and the octets of every attribute; of a profile the first rows."""
    changes = ASSOCIATIONS["public"] | {"secret": None} if case.association == "public" else {}
    pair = Pair(meter, counters=range(first, PEER_COUNTERS), **changes)
    pair.open()
    versions, values = {}, {}
    for class_id, version, name, rights in our_list(pair, case.type):
        versions[class_id, name] = version
        for attribute_id in rights[0]:
            few = (
                EntryDescriptor(1, FEW).to_selective_access() if (class_id, attribute_id) == (PROFILE, BUFFER) else None
            )
            values[class_id, name, attribute_id] = octets_of(pair.get(class_id, name, attribute_id, few))
    pair.release()
    return versions, values


@pytest.mark.parametrize("case", CASES, ids=", ".join)
def test_it_reads_the_octets_that_we_read(case: Case, tmp_path: Any) -> None:
    """Of every logical device, one after the other."""
    meters = meters_for(case)
    readings = [read_by_us(meter, case, 1 + 10_000 * device) for device, meter in enumerate(meters)]
    with listening(lab_of(LabLine(kind=case.framing, meters=meters)), tmp_path) as announced:
        for device, (told, (versions, values)) in enumerate(zip(announced, readings, strict=True)):
            with client_of(announced_for(case, told), invocation_counter=PEER_COUNTERS * (1 + device)) as peer:
                listed = peer.get_association_view()
                assert {(int(each.class_id), str(each.logical_name)): each.version for each in listed} == versions
                compare(peer, values)


def compare(peer: DlmsClient, values: dict[tuple[int, str, int], Any]) -> None:
    for (class_id, name, attribute_id), octets in values.items():
        few = entry_descriptor(1, FEW) if (class_id, attribute_id) == (PROFILE, BUFFER) else None
        if (class_id, name, attribute_id) not in OWN_OF_AN_ASSOCIATION:
            assert its_octets(peer, name, class_id, attribute_id, few) == octets, (class_id, name, attribute_id)
