"""Meter types: what a file may say."""

from __future__ import annotations

import pytest

from sessions.dlms.association import Referencing
from sessions.dlms.conformance import Conformance
from sessions.simulator import meter_type
from sessions.simulator.device import SERVED_CONFORMANCE
from sessions.simulator.meter_type import (
    MeterTypeError,
    load_meter_type,
    served_conformance,
)

THREE_PHASE = load_meter_type("three_phase")


def test_an_unknown_type_names_the_known_ones():
    with pytest.raises(MeterTypeError, match="three_phase"):
        load_meter_type("four_phase")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name =", "broken.toml"),
        ('name = "x"', "objects"),
        ('name = "x"\nobjects = []\nunknown = 1', "unknown"),
        ('objects = []\nconformance = ["get", "fetch"]', "“fetch” is no service"),
        ('objects = []\nconformance = ["get", "delta-value-encoding"]', "“delta-value-encoding” is not served"),
    ],
)
def test_a_broken_file_is_named(tmp_path, monkeypatch, text, reason):
    (tmp_path / "broken.toml").write_text(text)
    monkeypatch.setattr(meter_type, "METER_TYPES", tmp_path)
    with pytest.raises(MeterTypeError, match=reason):
        load_meter_type("broken")


def test_a_type_agrees_to_the_services_that_it_names():
    assert THREE_PHASE.conformance == SERVED_CONFORMANCE
    assert served_conformance(["get", "access"]) == Conformance.GET | Conformance.ACCESS


def test_a_meter_of_short_names_agrees_to_their_services_only():
    both = served_conformance(["read", "write"], Referencing.SHORT_NAMES)
    assert both == Conformance.READ | Conformance.WRITE
    with pytest.raises(ValueError, match="get"):
        served_conformance(["read", "get"], Referencing.SHORT_NAMES)
    with pytest.raises(ValueError, match="read"):
        served_conformance(["read", "get"])
