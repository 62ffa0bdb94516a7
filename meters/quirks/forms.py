"""The forms of a quirk's review. What they cleaned goes to `meters.quirks.services`."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from meters.inventory_forms import dress
from meters.models import QuirkComment
from meters.quirks.names import CHOICES, OF_A_METER, QUIRKS, BadValue, read_value

NO = "no"
"""What a meter has not, though its type has."""


class ServiceForm(forms.Form):
    """A form that says at its fields what a service refused."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)

    def take_errors(self, error: ValidationError) -> None:
        by_field = error.error_dict if hasattr(error, "error_dict") else {None: error.error_list}
        for name, reasons in by_field.items():
            for reason in reasons:
                self.add_error(name if name in self.fields else None, reason)


class QuirkForm(ServiceForm):
    """A proposal. `value` is read as the chosen quirk wants it."""

    name = forms.ChoiceField(label="Quirk", choices=[("", "choose…"), *CHOICES])
    value = forms.CharField(max_length=500, initial="yes", help_text="As the list below says.")
    session = forms.IntegerField(
        label="Proved in session", min_value=1, max_value=2**53, help_text="Its number: with a meter of this type."
    )
    reason = forms.CharField(
        max_length=2000, help_text="What went wrong without it.", widget=forms.Textarea({"rows": 3})
    )

    @property
    def known(self) -> Any:
        return QUIRKS.values()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("name") and "value" in cleaned:
            try:
                cleaned["value"] = read_value(cleaned["name"], cleaned["value"])
            except BadValue as error:
                self.add_error("value", str(error))
        return cleaned


class ExceptionForm(ServiceForm):
    """What one meter does otherwise than its type."""

    name = forms.ChoiceField(label="Quirk", choices=[("", "choose…"), *CHOICES])
    value = forms.CharField(max_length=500, initial=NO, help_text="“no”: this meter has not the quirk of its type.")
    reason = forms.CharField(max_length=500, help_text="The change log keeps it.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        name, value = cleaned.get("name"), cleaned.get("value")
        if not name or value is None:
            return cleaned
        if value.strip().lower() == NO:
            cleaned["value"] = None
        elif name in OF_A_METER:
            self.add_error("name", "This one stands in the meter's own form: edit the meter.")
        else:
            try:
                cleaned["value"] = read_value(name, value)
            except BadValue as error:
                self.add_error("value", str(error))
        return cleaned


class QuirkCommentForm(forms.ModelForm):
    class Meta:
        model = QuirkComment
        fields = ("text",)
        labels = {"text": "Comment"}
        widgets = {"text": forms.Textarea({"rows": 2, "placeholder": "What should the next one know?"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)
