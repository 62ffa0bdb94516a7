"""The security setup of a meter type has the version of the meter's policy."""

from __future__ import annotations

import pytest

from sessions.simulator.device import MeterSecurity
from sessions.simulator.meter_type import system_title
from tests.sessions.simulator.builders.building import SERIAL, only

SETUP = {"class_id": 64, "logical_name": "0-0:43.0.0*255"}


@pytest.mark.parametrize("version", [0, 1])
def test_the_version_is_that_of_the_policy(version):
    setup = only(SETUP, security=MeterSecurity(policy_version=version))
    assert setup.version == version
    assert setup.read(5).value == system_title("MWB", SERIAL)
