"""What can be asked together, and how much room it takes."""

from __future__ import annotations

import pytest

from meters.cosem.data import null, unsigned
from sessions.dlms.apdu.action import NO_PARAMETER
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import RemoteProtocolError
from sessions.dlms.selective_access import EntryDescriptor
from sessions.dlms.transfers.access import AccessTransfer
from sessions.dlms.transfers.items import (
    SERVICES,
    ActionItem,
    GetItem,
    SetItem,
    check_count,
    specification_octets,
    value_octets,
)
from sessions.dlms.transfers.many import ACCESS_OCTETS, BY_LOGICAL_NAMES, LIST_OCTETS

from .asked import CLOCK, EXECUTE, LONG, OK, terms

ENVELOPE_OCTETS = 9
"""The title of a general envelope, which an ACCESS counts in."""
SELECTION = EntryDescriptor(1, 2).to_selective_access()
ITEMS = [
    GetItem(CLOCK),
    GetItem(CLOCK, SELECTION),
    SetItem(CLOCK, LONG),
    SetItem(CLOCK, unsigned(2), SELECTION),
    ActionItem(EXECUTE, LONG),
    ActionItem(EXECUTE),
]


@pytest.mark.parametrize("item", ITEMS)
def test_no_form_takes_more_room_than_is_counted(item):
    counted = specification_octets(item) + value_octets(item)
    for make, overhead in (
        (AccessTransfer, ACCESS_OCTETS - ENVELOPE_OCTETS),
        (BY_LOGICAL_NAMES.lists[type(item)], LIST_OCTETS),
    ):
        one, two = (len(make(terms(), [item] * number).begin()) for number in (1, 2))
        assert one <= overhead + counted
        assert two - one <= counted
        assert one >= overhead + counted - 3  # and hardly less


def test_a_method_without_parameters_has_them_in_a_list():
    assert ActionItem(EXECUTE).listed_parameters == NO_PARAMETER
    assert ActionItem(EXECUTE, null()).listed_parameters == null()


def test_results_are_counted():
    assert check_count(ITEMS[:2], [LONG, OK]) == (LONG, OK)
    with pytest.raises(RemoteProtocolError, match="1 results for a list of 2"):
        check_count(ITEMS[:2], [LONG])


def test_each_kind_has_its_service():
    assert [SERVICES[type(item)] for item in ITEMS] == [
        Conformance.GET,
        Conformance.GET,
        Conformance.SET,
        Conformance.SET,
        Conformance.ACTION,
        Conformance.ACTION,
    ]
