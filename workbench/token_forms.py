"""What somebody says about a new token."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from meters.inventory_forms import dress
from meters.models import NAME
from workbench.tokens import SCOPES, read_networks

LIVES: Final = (("30", "in 30 days"), ("90", "in 90 days"), ("365", "in a year"), ("", "never"))


class TokenForm(forms.Form):
    """Name, scopes, end, networks."""

    name = forms.CharField(max_length=100, validators=[NAME], help_text="What uses it: “nightly read-out”.")
    expires = forms.ChoiceField(label="Ends", required=False, choices=LIVES, initial="90")
    networks = forms.CharField(
        label="Only from",
        required=False,
        max_length=1000,
        help_text="Addresses or networks, such as 10.1.0.0/16. Empty: from anywhere.",
    )
    scopes = forms.MultipleChoiceField(
        choices=list(SCOPES.items()),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "A token without a scope opens nothing: choose some."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)
        self.fields["scopes"].widget.attrs["class"] = "form-check-input"

    def clean_networks(self) -> list[str]:
        try:
            return read_networks(re.split(r"[\s,;]+", str(self.cleaned_data["networks"])))
        except ValidationError as error:
            raise ValidationError(error.messages) from None

    def draft(self) -> dict[str, Any]:
        """The keywords of `make_token`."""
        days = self.cleaned_data["expires"]
        ends = timezone.now() + timedelta(days=int(days)) if days else None
        return {name: self.cleaned_data[name] for name in ("name", "scopes", "networks")} | {"expires": ends}

    def take_errors(self, error: ValidationError) -> None:
        """Put what the service refused at its field."""
        reasons = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        for name, why in reasons.items():
            self.add_error(name if name in self.fields else None, why)
