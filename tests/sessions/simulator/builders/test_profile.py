"""Profile generic of a meter type: its columns are objects that stand before it."""

from __future__ import annotations

import pytest

from sessions.simulator.meter_type import MeterTypeError
from tests.sessions.simulator.builders.building import CLOCK, ENERGY, only

PROFILE = {
    "class_id": 7,
    "logical_name": "1-0:99.1.0*255",
    "columns": ["0-0:1.0.0*255", "1-0:1.8.0*255"],
    "capture_period": 900,
    "profile_entries": 10,
}


def test_columns_period_and_entries_are_those_of_the_file():
    profile = only(CLOCK, ENERGY, PROFILE)
    assert [column[0].value for column in profile.read(3)] == [8, 3]
    assert (profile.read(4).value, profile.read(8).value) == (900, 10)


def test_a_column_that_does_not_stand_is_named():
    with pytest.raises(MeterTypeError, match=r"1-0:1\.8\.0"):
        only(CLOCK, PROFILE)
