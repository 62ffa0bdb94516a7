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


# -- bases and parts ---------------------------------------------------------------------------------------------------

FIRST = """
name = "First"
manufacturer = "MWB"
model = "F1"
firmware = "1"
time_zone = 60
max_receive_pdu_size = 1024
[daylight_savings]
begin = "*-03-last Sun 02:00:00"
end = "*-10-last Sun 03:00:00"
[[objects]]
class_id = 8
logical_name = "0-0:1.0.0*255"
[[objects]]
class_id = 17
logical_name = "0-0:41.0.0*255"
"""
PART = """
[[objects]]
class_id = 23
logical_name = "0-0:22.0.0*255"
"""
SECOND = """
base = "first"
parts = ["part"]
name = "Second"
[[objects]]
class_id = 8
logical_name = "0-0:1.0.0*255"
public = true
"""


@pytest.fixture
def files(tmp_path, monkeypatch):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "part.toml").write_text(PART)
    (tmp_path / "first.toml").write_text(FIRST)
    monkeypatch.setattr(meter_type, "METER_TYPES", tmp_path)
    load_meter_type.cache_clear()
    yield tmp_path
    load_meter_type.cache_clear()


def test_a_type_has_what_its_base_and_its_parts_have_and_the_last_word(files):
    (files / "second.toml").write_text(SECOND)
    made = load_meter_type("second")
    assert (made.name, made.model, made.time_zone) == ("Second", "F1", 60)
    assert [entry["class_id"] for entry in made.objects] == [8, 17, 23]
    assert made.objects[0]["public"]
    assert made.daylight.enabled
    assert "public" not in load_meter_type("first").objects[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('base = "nobody"', "nobody.toml"),
        ('base = "first"\nparts = ["nothing"]', "nothing.toml"),
        ('base = "first"\n[daylight_savings]\nbegin = "*-*-01 02:00:00"\nend = "*-10-01 03:00:00"', "broken.toml"),
        ('base = "first"\n[[logical_devices]]\nsap = 17', "broken.toml"),
    ],
)
def test_a_base_or_part_that_is_not_there_is_named(files, text, reason):
    (files / "broken.toml").write_text(text)
    with pytest.raises(MeterTypeError, match=reason):
        load_meter_type("broken")


def test_without_a_word_the_clock_never_changes():
    assert not THREE_PHASE.daylight.enabled
