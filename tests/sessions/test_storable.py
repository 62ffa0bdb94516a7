"""What meters put into their strings fits into every database."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.models import ProfileEntry, Step
from sessions.storable import storable
from tests.sessions.builders import LOAD_PROFILE, make_session

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("a\x00b", "a␀b"),
        ("\ud800", "?"),
        (["\x00", 1, None], ["␀", 1, None]),
        ({"\x00": {"a": "\x00"}}, {"␀": {"a": "␀"}}),
        (("\x00",), ["␀"]),
        (1.5, 1.5),
        (None, None),
        (True, True),
    ],
)
def test_a_nul_becomes_a_sign(value, stored) -> None:
    assert storable(value) == stored


@given(JSON)
def test_anything_can_be_written_and_holds_no_nul(value) -> None:
    made = storable(value)
    assert "\\u0000" not in json.dumps(made, ensure_ascii=True).replace("\\\\", "")
    json.dumps(made, ensure_ascii=False).encode()
    assert storable(made) == made


@pytest.mark.django_db
def test_the_database_takes_it() -> None:
    dlms_session = make_session(steps=[LOAD_PROFILE])
    step = dlms_session.steps.get()
    ProfileEntry.objects.create(step=step, number=1, values=storable(["\x00", "\ud800"]))
    Step.objects.update(result=storable({"text": "\x00"}))
    assert ProfileEntry.objects.get().values == ["␀", "?"]
