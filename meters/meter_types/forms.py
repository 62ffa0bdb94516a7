"""The forms of a meter type and of its association templates. What they cleaned goes to `meters.meter_types.services`."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError

from meters.cosem.obis import ObisCode
from meters.inventory_forms import dress
from meters.meter_types.defaults import LINE_FIELDS, TEMPLATE_FIELDS
from meters.meter_types.flag_codes import MAKERS, maker_of
from meters.models import Association, AssociationTemplate, MeterType

Authentication = Association.Authentication

SIGN_ON_BAUD_RATES = (300, 600, 1200, 2400, 4800, 9600, 19200)
BAUD_RATES = (*SIGN_ON_BAUD_RATES, 38400, 57600, 115200)


def _bauds(rates: tuple[int, ...], label: str) -> forms.TypedChoiceField:
    choices = [("", "varies"), *((rate, rate) for rate in rates)]
    return forms.TypedChoiceField(label=label, required=False, coerce=int, empty_value=None, choices=choices)


class TypeForm(forms.ModelForm):
    """All of a type but its associations and quirks. A FLAG code that is known names the maker where nobody did."""

    initial_baud = _bauds(SIGN_ON_BAUD_RATES, "First speed")
    max_baud = _bauds(SIGN_ON_BAUD_RATES, "Highest speed")
    baud = _bauds(BAUD_RATES, "Baud")

    class Meta:
        model = MeterType
        fields = (
            *("model", "manufacturer", "flag_code", "medium", "firmware", "notes"),
            *LINE_FIELDS,
            *("lockout_attempts", "lockout_window", "lockout_minutes", "writes_a_day", "writes_in_total"),
        )
        labels = {
            "manufacturer": "Maker",
            "flag_code": "FLAG code",
            "max_info": "Max. information field",
            "lockout_attempts": "Wrong secrets it bears",
            "lockout_window": "Within minutes",
            "lockout_minutes": "Then locked, minutes",
            "writes_a_day": "Writes a day",
            "writes_in_total": "Writes in all",
        }
        help_texts = {
            "flag_code": "Three letters: a system title and a sign-on begin with them.",
            "firmware": "Only where it behaves otherwise than others.",
            "physical_address": "HDLC lower address, where all have the same.",
            "lockout_attempts": "How many it takes without locking.",
            "lockout_window": "After so many a wrong one is forgotten.",
            "writes_a_day": "To one attribute of one meter.",
            "writes_in_total": "To one attribute of one meter, ever.",
        }
        widgets = {
            "notes": forms.Textarea({"rows": 3}),
            "manufacturer": forms.TextInput({"list": "makers"}),
            "flag_code": forms.TextInput({"class": "form-control mono", "maxlength": 3, "list": "flag-codes"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, words in (("framing", "varies"), ("address_octets", "varies"), ("data_bits", "varies")):
            self._say_of_nothing(name, words)
        for name in ("parity", "stop_bits"):
            self._say_of_nothing(name, "varies")
        for field in self.fields.values():
            if isinstance(field, forms.IntegerField):
                field.widget.attrs.setdefault("inputmode", "numeric")
        dress(self)

    def _say_of_nothing(self, name: str, words: str) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", words), *((value, label) for value, label in field.choices if value)]  # type: ignore[union-attr, misc]

    @property
    def makers(self) -> list[str]:
        return sorted(set(MAKERS.values()))

    @property
    def flag_codes(self) -> list[tuple[str, str]]:
        return sorted(MAKERS.items())

    def clean_flag_code(self) -> str:
        return str(self.cleaned_data["flag_code"]).strip().upper()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("manufacturer") and cleaned.get("flag_code"):
            cleaned["manufacturer"] = maker_of(cleaned["flag_code"])
        return cleaned


class TemplateForm(forms.ModelForm):
    """One association of a type. No secret: those are each meter's own."""

    class Meta:
        model = AssociationTemplate
        fields = TEMPLATE_FIELDS
        labels = {
            "client_sap": "Client SAP",
            "server_sap": "Server SAP",
            "response_protection": "Answers at least",
            "ciphering_form": "Ciphered form",
            "fresh_dedicated_key": "A fresh dedicated key each time",
            "client_system_title": "Client system title",
            "user_id": "User id",
            "pre_established": "Pre-established",
            "max_pdu_size": "Max. APDU size",
            "server_max_pdu_size": "Meter receives",
            "is_default": "The one that is meant to be opened",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        answers = cast(forms.ChoiceField, self.fields["response_protection"])
        answers.choices = [("", "as the requests"), *Association.Protection.choices]
        for field in self.fields.values():
            if isinstance(field, forms.BooleanField):
                field.widget.attrs["class"] = "form-check-input"
        dress(self)

    def clean_counter_object(self) -> str:
        try:
            return str(ObisCode.parse(self.cleaned_data["counter_object"]))
        except ValueError as error:
            raise ValidationError(f"Not an OBIS code: {error}") from None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        authentication = cleaned.get("authentication")
        if authentication == Authentication.HLS_ECDSA and cleaned.get("security_suite") == 0:
            self.add_error("security_suite", "ECDSA needs suite 1 (P-256) or 2 (P-384): suite 0 has no signatures.")
        if cleaned.get("pre_established") and authentication != Authentication.NONE:
            self.add_error(
                "authentication", "A pre-established association has no AARQ that could carry it: choose none."
            )
        return cleaned

    def values(self) -> dict[str, Any]:
        """What `save_template` takes."""
        return {name: self.cleaned_data[name] for name in self.fields}
