from datetime import datetime

import pytest

from meters.cosem.data import array, date_time, null, structure, unsigned
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.selective_access import EntryDescriptor, RangeDescriptor, SelectiveAccess
from tests.vectors import octets

CLOCK = CaptureObject(8, ObisCode.parse("0-0:1.0.0*255"), 2)


def test_a_range_goes_round_and_says_what_it_is():
    descriptor = RangeDescriptor(
        CLOCK, date_time(datetime(2026, 11, 1)), date_time(datetime(2026, 11, 2, 1, 2, 3)), (CLOCK,)
    )
    selection = descriptor.to_selective_access()
    assert RangeDescriptor.from_selective_access(selection) == descriptor
    assert selection.summary(7) == ", range 2026-11-01 00:00 … 2026-11-02 01:02:03, 1 column"


def test_entries_go_round_and_say_what_they_are():
    selection = EntryDescriptor(1, 10).to_selective_access()
    assert EntryDescriptor.from_selective_access(selection) == EntryDescriptor(1, 10)
    assert selection.summary(7) == ", entries 1 … 10"
    assert EntryDescriptor(5, 0).to_selective_access().summary(7) == ", entries 5 … last"


def test_the_standards_examples():
    selection = decode_apdu(octets("get-entry")).access_selection
    assert EntryDescriptor.from_selective_access(selection) == EntryDescriptor(1, 10)
    selection = decode_apdu(octets("get-range")).access_selection
    assert RangeDescriptor.from_selective_access(selection).restricting_object == CLOCK


@pytest.mark.parametrize(
    "parameters", [null(), array(), structure(unsigned(1)), structure(null(), null(), null(), null())]
)
@pytest.mark.parametrize("selector", [1, 2, 3])
def test_other_parameters_are_neither_and_still_have_a_line(parameters, selector):
    selection = SelectiveAccess(selector, parameters)
    for kind in (RangeDescriptor, EntryDescriptor):
        with pytest.raises(ValueError):
            kind.from_selective_access(selection)
    assert selection.summary(7) == f", selector {selector}"
    assert selection.summary(15) == f", selector {selector}"
