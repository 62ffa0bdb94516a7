"""Elements of lists: what is not there is null-data, and every element keeps its place. Rows and parts: `push/test_setup.py`."""

from __future__ import annotations

import pytest

from meters.cosem.data import array, double_long_unsigned, enum, null, octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from sessions.simulator.objects.listed_values import ListedValue
from tests.sessions.simulator.builders.building import CLOCK, ENERGY, meter_of

NAME = ObisCode.parse("1-0:1.8.0*255")


def find(class_id, logical_name):
    access = meter_of(CLOCK, ENERGY).objects.get((class_id, logical_name))
    return None if access is None else access.target


@pytest.mark.parametrize(
    "source",
    [
        CaptureObject(3, ObisCode.parse("1-0:2.8.0*255"), 2),
        CaptureObject(4, NAME, 2),
        CaptureObject(3, NAME, 9),
        CaptureObject(3, NAME, 2, 1),
        CaptureObject(3, NAME, 3, 3),
    ],
    ids=["no object", "another class", "no attribute", "no part of a number", "no third part"],
)
def test_what_is_not_there_is_null_data(source):
    assert ListedValue.from_data(source.to_data()).read(find) == null()


def test_an_element_says_what_it_wants():
    columns = (CaptureObject(8, ObisCode.parse("0-0:1.0.0*255"), 2),)
    entries = structure(enum(2), structure(double_long_unsigned(3), double_long_unsigned(9)))
    listed = ListedValue.from_data(
        structure(*CaptureObject(7, NAME, 2).to_data(), entries, array(columns[0].to_data()))
    )
    assert listed.columns == columns
    assert listed.restriction is not None
    assert listed.restriction.access_parameters[0] == double_long_unsigned(3)
    assert (
        ListedValue.from_data(structure(*CaptureObject(7, NAME, 2).to_data(), structure(enum(0), null()))).restriction
        is None
    )


@pytest.mark.parametrize(
    "element",
    [unsigned(1), structure(), structure(unsigned(1), octet_string(b"x"), unsigned(1), unsigned(0))],
)
def test_what_is_no_element(element):
    with pytest.raises(ValueError):
        ListedValue.from_data(element)
