"""The search for the slowest input."""

import pytest

from tests.fuzz import slowest as module


@pytest.fixture
def few_seeds(monkeypatch):
    monkeypatch.setattr(module, "seeds", lambda: (b"seed", b"another seed"))


def test_what_is_slower_is_found_by_changing_what_is_slow(few_seeds, monkeypatch):
    """An input that costs for each octet 7E in it, of which no input has many at first."""
    monkeypatch.setattr(module, "milliseconds", lambda name, octets, wanted: float(octets.count(0x7E)))
    monkeypatch.setattr(module, "FEEDS", {"data": module.FEEDS["data"]._replace(bombs=lambda: iter([("one", b"a~b")]))})
    monkeypatch.setattr("tests.fuzz.limits.plain_inputs", lambda: iter(()))
    found = module.slowest("data", 64, 0.2)
    assert found["ms"] > 4
    assert found["octets"] <= 64
    assert found["input"].endswith("changed")


def test_both_sizes_are_told(few_seeds):
    found = module.figures("hdlc_parameters", 0.01, [b"\x81\x80"])
    assert list(found) == ["up to 2047 octets"]
    assert list(module.figures("moments", 0.01)) == ["up to 2048 octets"]
    assert all(each["ms"] >= 0 and each["octets"] <= 2047 for each in found.values())
