"""What the forms of a review take and refuse."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from meters.quirks.forms import ExceptionForm, QuirkCommentForm, QuirkForm

PROPOSAL = {"name": "keep_alive", "value": "60", "session": "7", "reason": "it hangs up after 70 s"}


def test_a_proposal_is_read_as_its_quirk_wants_it() -> None:
    form = QuirkForm(PROPOSAL)
    assert form.is_valid(), form.errors
    assert (form.cleaned_data["value"], form.cleaned_data["session"]) == (60.0, 7)
    assert len(list(form.known)) == len(form.fields["name"].choices) - 1


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ({"name": ""}, "name"),
        ({"name": "nonsense"}, "name"),
        ({"value": "soon"}, "value"),
        ({"value": ""}, "value"),
        ({"session": "-1"}, "session"),
        ({"session": "9" * 30}, "session"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 2001}, "reason"),
    ],
)
def test_a_bad_proposal_is_refused_at_its_field(data: dict[str, str], where: str) -> None:
    form = QuirkForm({**PROPOSAL, **data})
    assert not form.is_valid()
    assert where in form.errors


def test_what_the_service_refused_stands_at_its_field() -> None:
    form = QuirkForm(PROPOSAL)
    form.is_valid()
    form.take_errors(ValidationError({"session": "which?", "proof_session": "odd"}))
    assert form.errors["session"] == ["which?"]
    assert form.non_field_errors() == ["odd"]
    form.take_errors(ValidationError("all of it"))
    assert form.non_field_errors() == ["odd", "all of it"]


@pytest.mark.parametrize(
    ("name", "value", "kept"), [("keep_alive", "No", None), ("keep_alive", "5", 5.0), ("disconnect_first", "no", None)]
)
def test_a_meter_has_another_value_or_not_the_quirk(name: str, value: str, kept: object) -> None:
    form = ExceptionForm({"name": name, "value": value, "reason": "x"})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["value"] == kept


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ({"name": "disconnect_first", "value": "yes"}, "name"),
        ({"name": "keep_alive", "value": "never"}, "value"),
        ({"name": "keep_alive", "value": "no", "reason": ""}, "reason"),
        ({"name": "", "value": "no"}, "name"),
    ],
)
def test_a_bad_exception_is_refused_at_its_field(data: dict[str, str], where: str) -> None:
    form = ExceptionForm({"reason": "x", **data})
    assert not form.is_valid()
    assert where in form.errors


def test_a_comment_says_something() -> None:
    assert QuirkCommentForm({"text": "seen here, too"}).is_valid()
    assert not QuirkCommentForm({"text": " "}).is_valid()
