"""A page's form with what a body says over what there is: the same rules, the same sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError

from meters.api.problems import of_validation

F = TypeVar("F", bound=forms.BaseForm)


def typed(value: Any) -> str:
    """As somebody would type it."""
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return "" if value is None else str(value)


def filled(make: Callable[..., F], said: Mapping[str, Any], **options: Any) -> F:
    """The valid form; Refused with its reasons where it is none."""
    drawn = make(**options)
    data = {name: typed(drawn[name].value()) for name in drawn.fields}
    form = make({**data, **{name: typed(value) for name, value in said.items()}}, **options)
    if not form.is_valid():
        raise of_validation(ValidationError(form.errors.as_data()))
    return form
