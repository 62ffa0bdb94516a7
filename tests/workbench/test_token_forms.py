"""The form of a new token."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from workbench.token_forms import TokenForm


def form(**fields) -> TokenForm:
    return TokenForm({"name": "nightly", "scopes": ["meters:read"], "expires": "30", **fields})


def test_what_was_typed_becomes_the_keywords_of_the_service() -> None:
    filled = form(networks="10.0.0.0/8, 192.0.2.7\n2001:db8::/32")
    assert filled.is_valid()
    draft = filled.draft()
    assert abs(draft.pop("expires") - timezone.now() - timedelta(days=30)) < timedelta(minutes=5)
    assert draft == {
        "name": "nightly",
        "scopes": ["meters:read"],
        "networks": ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"],
    }


def test_a_token_may_live_on() -> None:
    filled = form(expires="")
    assert filled.is_valid()
    assert filled.draft()["expires"] is None


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"name": ""}, "name", "required"),
        ({"name": "a\x01b"}, "name", "control"),
        ({"scopes": []}, "scopes", "choose some"),
        ({"scopes": ["root"]}, "scopes", "not one of"),
        ({"expires": "36500"}, "expires", "not one of"),
        ({"networks": "next-door"}, "networks", "“next-door” is no address"),
    ],
)
def test_what_cannot_be_used_is_told_at_its_field(fields, field, reason) -> None:
    assert reason in form(**fields).errors[field][0]


def test_what_the_service_refuses_stands_at_its_field_or_above() -> None:
    filled = form()
    assert filled.is_valid()
    filled.take_errors(ValidationError({"scopes": "no", "user": "neither"}))
    filled.take_errors(ValidationError("too many"))
    assert filled.errors == {"scopes": ["no"], "__all__": ["neither", "too many"]}
