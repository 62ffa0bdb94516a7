"""Fields and widgets that the forms of meters need beyond Django's: octets, counters, secrets, choices with a default."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from meters.services import COUNTER_LIMIT


class HexField(forms.CharField):
    """Octets in hex. Spaces, colons and dashes between them, and a leading 0x, are forgiven; the value is bytes."""

    default_error_messages = {"hex": "Only pairs of hex digits, 00 to ff."}

    def to_python(self, value: Any) -> Any:
        digits = re.sub(r"[\s:-]", "", super().to_python(value) or "").removeprefix("0x").removeprefix("0X")
        try:
            return bytes.fromhex(digits)
        except ValueError:
            raise ValidationError(self._what_is_wrong(digits), code="hex") from None

    def _what_is_wrong(self, digits: str) -> str:
        strange = sorted(set(re.sub(r"[0-9A-Fa-f]", "", digits)))
        if strange:
            return f"Not a hex digit: {' '.join(strange[:5])}. {self.error_messages['hex']}"
        return f"{len(digits)} hex digits are no whole number of octets: one digit is missing or too many."

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data)

    def prepare_value(self, value: Any) -> Any:
        return value.hex() if isinstance(value, bytes) else value


class CounterField(forms.CharField):
    """A number, decimal or with 0x in hex."""

    def to_python(self, value: Any) -> Any:
        text = (super().to_python(value) or "").replace(" ", "").replace("_", "")
        if not text:
            return None
        try:
            number = int(text, 0) if text.lower().startswith("0x") else int(text)
        except ValueError:
            raise ValidationError("A whole number, or hex digits after 0x.") from None
        if not 0 <= number < COUNTER_LIMIT:
            raise ValidationError(f"From 0 to {COUNTER_LIMIT - 1}.")
        return number


class NumberChoiceField(forms.ChoiceField):
    """A choice whose value is a number; nothing chosen is the initial one, so that the form works without JavaScript."""

    def clean(self, value: Any) -> int:
        return int(super().clean(value) or self.initial)


class DefaultChoiceField(forms.ChoiceField):
    """A choice; nothing chosen is the initial one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def clean(self, value: Any) -> str:
        return str(super().clean(value) or self.initial)


class YesNoField(forms.ChoiceField):
    """Two ways in words, the first of them False; nothing chosen is False."""

    def __init__(self, no: str, yes: str, **kwargs: Any) -> None:
        super().__init__(required=False, choices=[("False", no), ("True", yes)], **kwargs)

    def clean(self, value: Any) -> bool:
        return bool(super().clean(value) == "True")


KEPT_OUT = {
    "autocomplete": "off",
    "autocapitalize": "none",
    "spellcheck": "false",
    "data-secret": "",
    "data-1p-ignore": "",
    "data-lpignore": "true",
}


class SecretInput(forms.TextInput):
    """Its value is never sent to the browser, not even what was just typed; the browser may not keep it either.

    No password input: the page shows the exact octets beside it, and browsers offer to store what stands in one.
    """

    def __init__(self) -> None:
        super().__init__(attrs=dict(KEPT_OUT))

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


class SecretText(forms.Textarea):
    """The same for what has several lines, such as a key in PEM."""

    def __init__(self) -> None:
        super().__init__(attrs={**KEPT_OUT, "rows": 2})

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, None, attrs)
