"""What each quirk takes as its value, and what it refuses."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.models import Meter, Quirk
from meters.quirks.names import OF_A_METER, QUIRKS, SERVICES, BadValue, read_value, value_words

GOOD = {
    "reverse_deviation": [("yes", True), ("true", True), (True, True)],
    "disconnect_first": [("on", True)],
    "parity_in_octets": [("1", True)],
    "ciphered_context": [(" Yes ", True)],
    "protocol_version": [("yes", True)],
    "keep_alive": [("0", 0.0), ("60", 60.0), ("1,5", 1.5), (3600, 3600.0)],
    "wake_up": [("20", 20), (1000, 1000)],
    "reaction_time": [("0.2", 0.2)],
    "switch_pause": [("10", 10.0)],
    "block_check": [("sum", "sum"), (" xor-with-start ", "xor-with-start")],
    "services_not_proposed": [("access, selective-access", ["access", "selective-access"]), (["access"], ["access"])],
    "block_window": [("1", 1), (63, 63)],
    "counter_client": [("16", 16), ("17", 17)],
}
BAD = {
    "reverse_deviation": ["no", "", "maybe", False, None],
    "keep_alive": ["0.5", "-1", "3601", "nan", "inf", "x", "", True],
    "wake_up": ["0", "1001", "-1", "1.5", "²", "9" * 50, True],
    "reaction_time": ["10.1", "-0.1", "nan"],
    "switch_pause": ["11"],
    "block_check": ["xor", "", "SUM"],
    "services_not_proposed": ["", "get", "set access", "nonsense", [], [1]],
    "block_window": ["0", "64"],
    "counter_client": ["0", "128"],
}


def test_every_quirk_is_tried() -> None:
    assert set(GOOD) == set(QUIRKS)


@pytest.mark.parametrize(("name", "value", "kept"), [(name, *pair) for name, pairs in GOOD.items() for pair in pairs])
def test_a_good_value_is_read_and_read_again_from_what_is_kept(name: str, value: object, kept: object) -> None:
    assert read_value(name, value) == kept
    assert read_value(name, json.loads(json.dumps(kept))) == kept
    assert value_words(kept)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_bad_value_is_refused_with_what_would_be_good(name: str, value: object) -> None:
    with pytest.raises(BadValue) as refused:
        read_value(name, value)
    assert str(refused.value).endswith(".")


def test_a_quirk_that_there_is_not_is_refused() -> None:
    with pytest.raises(BadValue, match="no quirk"):
        read_value("speaks_klingon", True)


def test_names_fit_their_column_and_meters_have_the_fields_that_are_named() -> None:
    longest = Quirk._meta.get_field("name").max_length
    assert all(len(name) <= longest for name in QUIRKS)
    assert {field.name for field in Meter._meta.concrete_fields} >= set(OF_A_METER.values())
    assert len(set(SERVICES)) == len(SERVICES)


@given(
    st.sampled_from(sorted(QUIRKS)), st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.lists(st.text()))
)
def test_any_value_is_taken_as_json_or_refused(name: str, value: object) -> None:
    try:
        kept = read_value(name, value)
    except BadValue:
        return
    assert read_value(name, json.loads(json.dumps(kept, allow_nan=False))) == kept


def test_nothing_is_no() -> None:
    assert value_words(None) == "no"
