"""What a type says of Compact data and Arbitrator. What they do: `objects/test_compact_data.py`, `objects/test_arbitrator.py`."""

from __future__ import annotations

import pytest

from sessions.simulator.meter_type import MeterTypeError
from tests.sessions.simulator.builders.building import CLOCK, only
from tests.sessions.simulator.objects.test_arbitrator import ENTRY as ARBITRATOR
from tests.sessions.simulator.objects.test_compact_data import ENTRY as COMPACT


def test_columns_stand_behind_the_template():
    target = only(CLOCK, {**COMPACT, "columns": ["0-0:1.0.0*255"]})
    assert [(each[0].value, each[2].value) for each in target.read(3)] == [(62, 4), (8, 2)]


@pytest.mark.parametrize(
    "entry",
    [{**COMPACT, "columns": ["1-0:9.9.9*255"]}, {**ARBITRATOR, "values": {"action": []}}, {**ARBITRATOR, "version": 3}],
)
def test_a_type_that_cannot_be(entry):
    with pytest.raises(MeterTypeError):
        only(CLOCK, entry)
