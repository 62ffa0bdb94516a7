"""The forms' own fields and widgets."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from meters.form_fields import (
    CounterField,
    DefaultChoiceField,
    HexField,
    NumberChoiceField,
    SecretInput,
    SecretText,
    YesNoField,
)
from meters.services import COUNTER_LIMIT


@pytest.mark.parametrize("text", ["00ff", "00 FF", "00:ff", "00-ff", "0x00ff", " 00 ff "])
def test_octets_in_every_spelling(text):
    assert HexField().clean(text) == b"\x00\xff"


@pytest.mark.parametrize(
    ("text", "reason"), [("0", "one digit"), ("0g", "Not a hex digit: g"), ("00f", "3 hex digits")]
)
def test_what_is_no_octets(text, reason):
    with pytest.raises(ValidationError, match=reason):
        HexField().clean(text)


@pytest.mark.parametrize(("text", "number"), [("", None), ("12", 12), ("0x10", 16), ("1 000", 1000), ("1_000", 1000)])
def test_counters(text, number):
    assert CounterField(required=False).clean(text) == number


@pytest.mark.parametrize("text", ["-1", str(COUNTER_LIMIT), "ten", "0xzz"])
def test_what_is_no_counter(text):
    with pytest.raises(ValidationError):
        CounterField().clean(text)


def test_choices_without_a_choice():
    assert NumberChoiceField(required=False, initial=9600, choices=[(300, "300"), (9600, "9600")]).clean("") == 9600
    choice = DefaultChoiceField(initial="auto", choices=[("auto", "Auto"), ("general", "General")])
    assert (choice.clean(""), choice.clean(None), choice.clean("general")) == ("auto", "auto", "general")
    with pytest.raises(ValidationError):
        choice.clean("other")
    yes_no = YesNoField("no", "yes")
    assert (yes_no.clean(""), yes_no.clean("False"), yes_no.clean("True")) == (False, False, True)


@pytest.mark.parametrize("widget", [SecretInput, SecretText])
def test_secrets_never_go_to_the_browser(widget):
    shown = widget().render("secret", "a canary")
    assert "canary" not in shown
    assert "data-secret" in shown
