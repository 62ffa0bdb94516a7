"""Parts of attributes: what is asked for, both ways and in words."""

from __future__ import annotations

from datetime import datetime

import pytest

from meters.cosem.data import array, date_time, long_unsigned, null, octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.cursor import Reader, Writer
from sessions.dlms.selective_access import (
    EntryDescriptor,
    ObjectId,
    ObjectListSelection,
    ObjectListSelector,
    RangeDescriptor,
    SelectiveAccess,
    read_optional_selection,
    write_optional_selection,
)
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
    assert selection.summary(8) == f", selector {selector}"


def test_entries_may_name_columns():
    selection = EntryDescriptor(1, 10, 2, 3).to_selective_access()
    assert EntryDescriptor.from_selective_access(selection) == EntryDescriptor(1, 10, 2, 3)
    assert selection.summary(7) == ", entries 1 … 10, columns 2 … 3"
    assert EntryDescriptor(1, 10, 2, 0).to_selective_access().summary(7) == ", entries 1 … 10, columns 2 … last"


# -- the object list of an association ---------------------------------------------------------------------------------

CLOCK_ID = ObjectId(8, ObisCode.parse("0-0:1.0.0*255"))
ENERGY_ID = ObjectId(3, ObisCode.parse("1-0:1.8.0*255"))
SELECTIONS = {
    "0100": (ObjectListSelection(ObjectListSelector.ALL), "all objects without rights"),
    "020102120003120008": (ObjectListSelection(ObjectListSelector.CLASS_LIST, class_ids=(3, 8)), "classes 3, 8"),
    "0301020202120008" + "09060000010000ff" + "0202120003" + "09060100010800ff": (
        ObjectListSelection(ObjectListSelector.OBJECT_ID_LIST, objects=(CLOCK_ID, ENERGY_ID)),
        "2 objects by name",
    ),
    "040202120008" + "09060000010000ff": (
        ObjectListSelection(ObjectListSelector.OBJECT_ID, objects=(CLOCK_ID,)),
        "object 8/0-0:1.0.0*255",
    ),
}


@pytest.mark.parametrize("octets", SELECTIONS)
def test_parts_of_an_object_list_go_round_and_say_what_they_are(octets):
    wanted, words = SELECTIONS[octets]
    selection = wanted.to_selective_access()
    writer = Writer()
    write_optional_selection(writer, selection)
    assert writer.octets() == b"\x01" + bytes.fromhex(octets)
    assert read_optional_selection(Reader(writer.octets())) == selection
    assert ObjectListSelection.from_selective_access(selection) == wanted
    assert selection.summary(15) == f", {words}"


def test_which_objects_a_part_takes():
    by_class, by_name = (SELECTIONS[octets][0] for octets in list(SELECTIONS)[1:3])
    everything, single = SELECTIONS["0100"][0], list(SELECTIONS.values())[3][0]
    for wanted in (everything, by_class, by_name, single):
        assert wanted.takes(8, CLOCK_ID.logical_name)
    assert [wanted.takes(8, ENERGY_ID.logical_name) for wanted in (everything, by_class, by_name, single)] == [
        True,
        True,
        False,
        False,
    ]
    assert not everything.with_rights
    assert single.with_rights


@pytest.mark.parametrize(
    ("selector", "parameters"),
    [
        (0, null()),
        (5, null()),
        (2, null()),
        (2, structure()),
        (2, array(unsigned(1))),
        (3, null()),
        (3, array(null())),
        (3, array(structure(unsigned(1), null()))),
        (4, null()),
        (4, structure(unsigned(1), null(), null())),
        (4, structure(long_unsigned(1), octet_string(b"abc"))),
    ],
)
def test_parameters_that_do_not_fit_an_object_list(selector, parameters):
    selection = SelectiveAccess(selector, parameters)
    with pytest.raises(ValueError):
        ObjectListSelection.from_selective_access(selection)
    assert selection.summary(15) == f", selector {selector}"
