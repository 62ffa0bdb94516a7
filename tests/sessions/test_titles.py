"""What steps are called."""

from __future__ import annotations

import pytest

from sessions.parameters import invoke_parameters, profile_parameters, read_parameters
from sessions.titles import object_title, step_title

CLOCK = {"class_id": 8, "logical_name": "0-0:1.0.0*255"}


def test_an_object_is_named_by_its_meaning_and_its_code() -> None:
    assert object_title("1-0:1.8.0*255").endswith("(1-0:1.8.0*255)")
    assert "energy" in object_title("1-0:1.8.0*255").lower()


@pytest.mark.parametrize(
    ("kind", "parameters", "words"),
    [
        ("READ", read_parameters(**CLOCK, attribute_id=2), ["0-0:1.0.0*255", "time"]),
        ("READ", read_parameters(class_id=9999, logical_name="0-0:1.0.0*255", attribute_id=99), ["99"]),
        ("READ_PROFILE", profile_parameters(logical_name="1-0:99.1.0*255"), ["1-0:99.1.0*255"]),
        ("READ_PROFILE", profile_parameters(logical_name="1-0:99.1.0*255", from_entry=1, to_entry=9), ["#1..9"]),
        (
            "READ_PROFILE",
            profile_parameters(logical_name="1-0:99.1.0*255", from_time="2026-11-01", to_time="2026-11-02"),
            ["2026-11-01", "2026-11-02"],
        ),
        ("INVOKE", invoke_parameters(class_id=3, logical_name="1-0:1.8.0*255", method_id=1), ["reset"]),
        ("INVOKE", invoke_parameters(class_id=3, logical_name="1-0:1.8.0*255", method_id=99), ["method 99"]),
    ],
)
def test_a_step_says_what_it_does(kind: str, parameters: dict, words: list[str]) -> None:
    title = step_title(kind, parameters)
    assert all(word in title for word in words), title
