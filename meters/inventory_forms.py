"""The fields by which a lab sorts its meters, a batch's form, a comment's."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from meters.bulk import BulkEdit
from meters.form_fields import DefaultChoiceField
from meters.inventory import check_state_reason
from meters.models import Batch, Comment, Meter, MeterType

INVENTORY_FIELDS = ("batch", "tags", "state", "reason")


def dress(form: forms.Form | forms.ModelForm) -> None:
    """The classes by which fields look the same on every page."""
    for field in form.fields.values():
        select = isinstance(field.widget, forms.Select)
        field.widget.attrs.setdefault("class", "form-select" if select else "form-control")


class TagsField(forms.CharField):
    """Words between commas."""

    def clean(self, value: Any) -> list[str]:
        words = [word.strip() for word in str(super().clean(value)).split(",")]
        return list(dict.fromkeys(word for word in words if word))


class InventoryFields(forms.Form):
    """What `MeterForm` says about a meter's place in the lab; a new state needs a reason."""

    meter: Meter | None

    batch = forms.CharField(
        max_length=100,
        required=False,
        help_text="A new name makes a new batch.",
        widget=forms.TextInput({"list": "batches"}),
    )
    tags = TagsField(max_length=500, required=False, help_text="Words between commas.")
    state = DefaultChoiceField(choices=Meter.State.choices, initial=Meter.State.RECEIVED)
    reason = forms.CharField(
        max_length=500, required=False, help_text="Why the meter is in a new state. The history keeps it."
    )

    def clean_state(self) -> str:
        if self.meter is not None and not self.data.get(self.add_prefix("state")):
            return self.meter.state
        return str(self.cleaned_data["state"])

    def clean_reason(self) -> str:
        reason = str(self.cleaned_data["reason"])
        if self.meter is not None and "state" in self.cleaned_data:
            try:
                check_state_reason(before=self.meter.state, after=self.cleaned_data["state"], reason=reason)
            except ValidationError as error:
                raise ValidationError(error.messages) from None
        return reason

    @staticmethod
    def inventory_of(meter: Meter) -> dict[str, Any]:
        """What stands in the fields first."""
        tags = ", ".join(sorted(tag.name for tag in meter.tags.all()))
        return {"batch": meter.batch.name if meter.batch else "", "tags": tags, "state": meter.state}


class BulkForm(forms.Form):
    """What becomes of the chosen meters; what is left empty stays as it is."""

    state = forms.ChoiceField(required=False, choices=[("", "as it is"), *Meter.State.choices])
    batch = forms.CharField(
        max_length=100,
        required=False,
        help_text="A new name makes a new batch.",
        widget=forms.TextInput({"list": "batches", "placeholder": "as it is"}),
    )
    no_batch = forms.BooleanField(required=False, label="Out of its batch")
    location = forms.CharField(max_length=200, required=False, widget=forms.TextInput({"placeholder": "as it is"}))
    no_location = forms.BooleanField(required=False, label="No location")
    meter_type = forms.ModelChoiceField(MeterType.objects.all(), required=False, label="Type", empty_label="as it is")
    add_tags = TagsField(max_length=500, required=False, label="Add tags", help_text="Words between commas.")
    remove_tags = TagsField(max_length=500, required=False, label="Remove tags")
    reason = forms.CharField(max_length=500, required=False, help_text="Needed for a new state. The log keeps it.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)
        for name in ("no_batch", "no_location"):
            self.fields[name].widget.attrs["class"] = "form-check-input"

    def edit(self) -> BulkEdit:
        cleaned = self.cleaned_data
        return BulkEdit(
            state=cleaned["state"] or None,
            batch="" if cleaned["no_batch"] else cleaned["batch"] or None,
            location="" if cleaned["no_location"] else cleaned["location"] or None,
            meter_type=cleaned["meter_type"],
            add_tags=cleaned["add_tags"],
            remove_tags=cleaned["remove_tags"],
            reason=cleaned["reason"],
        )


class BatchForm(forms.ModelForm):
    """A batch: `meters.inventory.save_batch` takes what it cleaned."""

    meter_type = forms.ModelChoiceField(
        MeterType.objects.all(),
        required=False,
        label="Meter type",
        empty_label="any",
        help_text="Meters of other types are refused then.",
    )

    class Meta:
        model = Batch
        fields = ("name", "meter_type", "notes")
        widgets = {"notes": forms.Textarea({"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)


class CommentForm(forms.ModelForm):
    class Meta:
        model = Comment
        fields = ("text",)
        widgets = {"text": forms.Textarea({"rows": 2, "placeholder": "What should the next one know?"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = "Comment"
        dress(self)
