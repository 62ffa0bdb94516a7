"""A page's form with what a body says over what there is."""

from __future__ import annotations

import pytest
from django import forms

from meters.api.filling import filled, typed
from meters.api.problems import Refused


class Form(forms.Form):
    name = forms.CharField(max_length=5)
    number = forms.IntegerField(initial=7)
    yes = forms.BooleanField(required=False, initial=True)


def test_what_is_not_said_is_as_the_form_begins() -> None:
    assert filled(Form, {"name": "x"}).cleaned_data == {"name": "x", "number": 7, "yes": True}
    assert filled(Form, {"name": "x", "number": 8, "yes": False}).cleaned_data == {
        "name": "x",
        "number": 8,
        "yes": False,
    }
    assert filled(Form, {}, initial={"name": "y"}).cleaned_data["name"] == "y"


def test_what_the_form_refuses_is_refused_at_its_field() -> None:
    with pytest.raises(Refused) as caught:
        filled(Form, {"name": "too long", "number": None})
    assert set(caught.value.problem.fields) == {"name", "number"}


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (7, "7"), (True, "True"), (["a", "b"], "a, b"), ([], ""), ("x", "x"), (0.5, "0.5")]
)
def test_as_somebody_would_type_it(value, text) -> None:
    assert typed(value) == text
