"""Our client asks a simulated meter for many things at once, in every form, over both framings, in clear and ciphered."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meters.cosem.data import Data, boolean, integer, octet_string, unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
    DataAccessResult,
)
from sessions.dlms.conformance import Conformance
from sessions.dlms.events import ActionOutcome
from sessions.dlms.selective_access import EntryDescriptor
from sessions.dlms.transfers.items import ActionItem, GetItem, SetItem
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import GMAC, LLS, lab_meter

CLOCK, NAME, SWITCH, PROFILE = "0-0:1.0.0*255", "0-0:96.1.10*255", "0-0:96.3.10*255", "1-0:99.1.0*255"
ENERGY = "1-0:1.8.0*255"
SERVICES = Conformance.GET | Conformance.SET | Conformance.ACTION | Conformance.SELECTIVE_ACCESS
BLOCKS = (
    Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
)
FORMS = {
    "one by one": SERVICES | BLOCKS,
    "lists": SERVICES | BLOCKS | Conformance.MULTIPLE_REFERENCES,
    "access": SERVICES | BLOCKS | Conformance.ACCESS,
}


def attribute(class_id: int, name: str, attribute_id: int) -> CosemAttributeDescriptor:
    return CosemAttributeDescriptor(class_id, ObisCode.parse(name), attribute_id)


def open_pair(conformance: Conformance, association: dict[str, Any], *, hdlc: bool = False, **table: Any) -> Pair:
    if hdlc:
        table["physical_address"] = 17
    meter = lab_meter(association, **table)
    meter.device.conformance = conformance
    pair = Pair(meter)
    assert pair.open().conformance == conformance & pair.client.parameters.proposed_conformance
    return pair


READS = [
    GetItem(attribute(8, CLOCK, 2)),
    GetItem(attribute(3, ENERGY, 2)),
    GetItem(attribute(3, ENERGY, 3)),
    GetItem(attribute(3, "1-0:9.9.9*255", 2)),
    GetItem(attribute(3, CLOCK, 2)),
    GetItem(attribute(7, PROFILE, 2), EntryDescriptor(1, 3, 1, 2).to_selective_access()),
    GetItem(attribute(7, PROFILE, 3)),
]


@pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
@pytest.mark.parametrize("association", [LLS, GMAC], ids=["clear", "ciphered"])
@pytest.mark.parametrize("form", FORMS)
def test_reads_give_the_same_in_every_form(form, association, hdlc):
    pair = open_pair(FORMS[form], association, hdlc=hdlc)
    results = pair.many(*READS)
    exchanges = len(pair.sizes)
    expected = [
        pair.get(
            item.descriptor.class_id,
            str(item.descriptor.instance_id),
            item.descriptor.attribute_id,
            item.access_selection,
        )
        for item in READS
    ]
    assert list(results) == expected
    assert results[3:5] == (DataAccessResult.OBJECT_UNDEFINED, DataAccessResult.OBJECT_CLASS_INCONSISTENT)
    together = form == "lists" or (form == "access" and association is LLS)
    if not hdlc:
        assert exchanges == (1 if together else len(READS))


@pytest.mark.parametrize("form", FORMS)
def test_reads_writes_and_methods_keep_their_order(form):
    pair = open_pair(FORMS[form], LLS)
    name = attribute(1, NAME, 2)
    switch = CosemMethodDescriptor(70, ObisCode.parse(SWITCH), 1)
    refused = CosemMethodDescriptor(70, ObisCode.parse(SWITCH), 9)
    state = GetItem(attribute(70, SWITCH, 2))
    results = pair.many(
        state,
        SetItem(name, octet_string(b"one")),
        SetItem(name, unsigned(1)),
        GetItem(name),
        ActionItem(switch, integer(0)),
        ActionItem(refused),
        state,
    )
    assert results == (
        boolean(True),
        DataAccessResult.SUCCESS,
        DataAccessResult.TYPE_UNMATCHED,
        octet_string(b"one"),
        ActionOutcome(ActionResult.SUCCESS),
        ActionOutcome(ActionResult.OBJECT_UNDEFINED),
        boolean(False),
    )


@pytest.mark.parametrize("association", [LLS, GMAC], ids=["clear", "ciphered"])
@pytest.mark.parametrize("size", [64, 100, 150])
def test_a_list_whose_answer_is_long_comes_in_blocks(size, association):
    pair = open_pair(FORMS["lists"], association, max_pdu_size=size)
    results = pair.many(*READS)
    assert len(pair.blocks) > 1
    assert max(pair.sizes) <= size + 8
    assert results[1] == pair.get(3, ENERGY, 2)
    assert isinstance(results[6], Data)
    assert results[6] == pair.get(7, PROFILE, 3)


def test_a_list_of_long_values_goes_out_in_blocks():
    pair = open_pair(FORMS["lists"], LLS)
    long = [SetItem(attribute(1, NAME, 2), octet_string(bytes([number]) * 900)) for number in (1, 2)]
    assert pair.many(*long) == (DataAccessResult.SUCCESS,) * 2
    assert len(pair.sizes) == 2
    assert pair.get(1, NAME, 2) == octet_string(bytes([2]) * 900)


def test_an_access_whose_answer_is_too_long_is_split():
    pair = open_pair(SERVICES | Conformance.ACCESS | BLOCKS, LLS, max_pdu_size=120)
    results = pair.many(*READS)
    assert results[6] == pair.get(7, PROFILE, 3)
    assert results[0] == pair.get(8, CLOCK, 2)


def test_more_than_the_meter_takes_in_one_list():
    pair = open_pair(FORMS["lists"], LLS)
    assert pair.many(*[READS[1]] * 70) == (pair.get(3, ENERGY, 2),) * 70


def test_a_client_that_may_not_write_is_told_for_each():
    pair = open_pair(FORMS["access"], LLS, role="reader")
    denied = DataAccessResult.READ_WRITE_DENIED
    results = pair.many(SetItem(attribute(1, NAME, 2), octet_string(b"x")), GetItem(attribute(3, ENERGY, 3)))
    assert results == (denied, pair.get(3, ENERGY, 3))


OPTIONAL = [
    Conformance.MULTIPLE_REFERENCES,
    Conformance.ACCESS,
    Conformance.GENERAL_BLOCK_TRANSFER,
    Conformance.GENERAL_PROTECTION,
    Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ,
    Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE,
    Conformance.BLOCK_TRANSFER_WITH_ACTION,
]
NAMED = attribute(1, NAME, 2)
SHORT_READS = [item for item in READS if item.descriptor.class_id != 7]


@given(
    offered=st.sets(st.sampled_from(OPTIONAL)),
    ciphered=st.booleans(),
    hdlc=st.booleans(),
    size=st.integers(80, 200),
    picks=st.lists(st.integers(0, len(SHORT_READS) + 1), min_size=1, max_size=40),
)
@example({Conformance.ACCESS, Conformance.GENERAL_PROTECTION}, True, False, 80, [0, 0, 0, 5])
@settings(max_examples=60, deadline=None)
def test_whatever_both_sides_offer_the_same_is_read_and_written(offered, ciphered, hdlc, size, picks):
    """Items in any order and number: each has its result, and the meter holds what was written last."""
    conformance = reduce(or_, offered, SERVICES)
    pair = open_pair(conformance, GMAC if ciphered else LLS, hdlc=hdlc, max_pdu_size=size)
    items: list[Any] = []
    for position, pick in enumerate(picks):
        if pick < len(SHORT_READS):
            items.append(SHORT_READS[pick])
        elif pick == len(SHORT_READS):
            items.append(SetItem(NAMED, octet_string(bytes([position]) * 20)))
        else:
            items.append(GetItem(NAMED))
    name, expected = octet_string(b"metering point"), []
    for item in items:
        if isinstance(item, SetItem):
            name = item.value
            expected.append(DataAccessResult.SUCCESS)
        elif item.descriptor == NAMED:
            expected.append(name)
        else:
            expected.append(KNOWN[item.descriptor])
    assert list(pair.many(*items)) == expected
    assert pair.get(1, NAME, 2) == name


KNOWN = {
    item.descriptor: open_pair(SERVICES | BLOCKS, LLS).get(
        item.descriptor.class_id, str(item.descriptor.instance_id), item.descriptor.attribute_id
    )
    for item in SHORT_READS
}
