"""The form of a rule of the list. `meters.targets.services.save_target` takes what it cleaned."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import Group

from meters.inventory_forms import dress
from meters.models import AllowedTarget


class TargetForm(forms.ModelForm):
    team = forms.ModelChoiceField(
        Group.objects.order_by("name"), required=False, empty_label="everybody", help_text="A group of users."
    )

    class Meta:
        model = AllowedTarget
        fields = ("network", "first_port", "last_port", "tcp", "udp", "rfc2217", "team", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["network"].widget.attrs["placeholder"] = "10.20.0.0/16"
        dress(self)
        self.fields["network"].widget.attrs["class"] += " mono"
        for name in ("tcp", "udp", "rfc2217"):
            self.fields[name].widget.attrs["class"] = "form-check-input"
