"""The one form for a meter: where it is, how it is framed, and how one is let in.

`MeterForm.draft` gives what `meters.services.save_meter` and `sessions.services.open_test_session` take. Every refusal stands at
its field, with the reason. Secrets go in and never come out: an empty secret keeps the one that is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django import forms
from django.core.exceptions import ValidationError

from meters.cosem.obis import ObisCode
from meters.form_fields import (
    CounterField,
    DefaultChoiceField,
    HexField,
    NumberChoiceField,
    SecretInput,
    SecretText,
    YesNoField,
)
from meters.framing_rules import HDLC_FRAMINGS, HDLC_SERVERS, contradictions
from meters.inventory_forms import INVENTORY_FIELDS, InventoryFields
from meters.lines.forms import KNOWN, LineFields, line_initial
from meters.models import DEVICE_ADDRESS, Association, Line, Meter, MeterKey, MeterType
from meters.services import KEY_LENGTHS, MAX_SECRET_OCTETS
from meters.signing_keys import read_private_key, read_public_key

Authentication, Protection, Slot = Association.Authentication, Association.Protection, MeterKey.Slot

SYSTEM_TITLE_OCTETS = 8
SIGN_ON_BAUD_RATES = (300, 600, 1200, 2400, 4800, 9600, 19200)

SECRET_SLOT: Mapping[str, MeterKey.Slot | None] = {
    Authentication.NONE: None,
    Authentication.LLS: Slot.LLS_SECRET,
    Authentication.HLS_GMAC: None,  # the keys are the secret
    Authentication.HLS_ECDSA: None,
}
TITLED = (Authentication.HLS_GMAC, Authentication.HLS_SHA256, Authentication.HLS_ECDSA)
ENCRYPTED = (Protection.ENCRYPTED, Protection.AUTHENTICATED_ENCRYPTED)
AES_SECRET_OCTETS = 16
SIGNING_FIELDS = {"signing_key": read_private_key, "peer_signing_key": read_public_key}

METER_FIELDS = ("serial_number", "name", "location", "notes", "reverse_deviation", "framing", "server_system_title")
HDLC_FIELDS = ("physical_address", "address_octets", "max_info", "window", "disconnect_first")
SIGN_ON_FIELDS = ("sign_on_address", "initial_baud", "max_baud", "parity_in_octets")
ASSOCIATION_FIELDS = (
    "referencing",
    "client_sap",
    "server_sap",
    "authentication",
    "protection",
    "response_protection",
    "ciphering_form",
    "fresh_dedicated_key",
    "security_suite",
    "client_system_title",
    "user_id",
    "pre_established",
    "max_pdu_size",
    "server_max_pdu_size",
    "timeout",
    "counter_object",
)
MONOSPACED = (
    "counter_object",
    "sign_on_address",
    "serial_number",
    "host",
    "known_line",
    "signing_key",
    "peer_signing_key",
)
KEPT = ("guek", "gak", "dedicated_key", "signing_key", "peer_signing_key")
"""Fields whose slot keeps what it has when they are left empty."""
SERVICE_FIELDS = {"lls_secret": "secret", "hls_secret": "secret"}
"""Where the services' errors stand in this form, if not under the same name."""


class MeterForm(LineFields, InventoryFields):
    """Everything about a meter and one association. `testing`: nothing is saved, so a serial number is not needed."""

    serial_number = forms.CharField(max_length=64, label="Serial number")
    name = forms.CharField(max_length=100, required=False, help_text="What the bench calls it.")
    SECRETS: ClassVar = ("secret", *KEPT)
    """What never comes out again."""

    meter_type = forms.ModelChoiceField(
        MeterType.objects.all(), label="Type", required=False, empty_label="another, or none: named here"
    )
    manufacturer = forms.CharField(label="Maker", max_length=100, required=False)
    model = forms.CharField(max_length=100, required=False)
    location = forms.CharField(max_length=200, required=False)
    notes = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))

    reverse_deviation = forms.TypedChoiceField(
        label="Clock deviation",
        required=False,
        coerce=lambda value: value == "True",
        empty_value=None,
        choices=[("False", "UTC − local (the standard)"), ("True", "local − UTC")],
        help_text="The other sign: where times with an offset come out wrong by twice of it.",
    )

    known_line = forms.CharField(
        label="Which one",
        max_length=120,
        required=False,
        help_text="By its name, or # and its number.",
        widget=forms.TextInput({"list": "lines"}),
    )

    framing = forms.ChoiceField(choices=Meter.Framing.choices, initial=Meter.Framing.WRAPPER)
    physical_address = forms.IntegerField(
        label="Physical address", required=False, min_value=0, max_value=HDLC_SERVERS, help_text="HDLC lower address."
    )
    address_octets = forms.TypedChoiceField(
        label="Address octets",
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", "what it needs"), (1, "1"), (2, "2"), (4, "4")],
    )
    max_info = forms.IntegerField(label="Max. information field", required=False, min_value=8, max_value=2030)
    window = forms.IntegerField(label="Window", required=False, min_value=1, max_value=7)
    disconnect_first = forms.TypedChoiceField(
        label="Begin with",
        required=False,
        coerce=lambda value: value == "True",
        empty_value=None,
        choices=[("False", "SNRM"), ("True", "DISC, then SNRM")],
        help_text="DISC first: for meters that keep an old link.",
    )

    sign_on_address = forms.CharField(
        label="Device address",
        required=False,
        max_length=32,
        validators=[DEVICE_ADDRESS],
        help_text="Of the sign-on; empty: whoever is there.",
    )
    initial_baud = NumberChoiceField(
        label="First speed",
        required=False,
        initial=300,
        choices=[(n, n) for n in SIGN_ON_BAUD_RATES],
        help_text="Whatever the line is set to.",
    )
    max_baud = NumberChoiceField(
        label="Highest speed", required=False, initial=19200, choices=[(n, n) for n in SIGN_ON_BAUD_RATES]
    )
    parity_in_octets = forms.TypedChoiceField(
        label="Sign-on characters",
        required=False,
        coerce=lambda value: value == "True",
        empty_value=None,
        choices=[("False", "7E1"), ("True", "7E1 written into 8N1")],
        help_text="8N1: for bridges that cannot change their line.",
    )

    association_name = forms.CharField(label="Association", max_length=100, initial="Management")
    referencing = forms.ChoiceField(
        choices=Association.Referencing.choices,
        initial=Association.Referencing.LOGICAL_NAMES,
        required=False,
        help_text="Short names: meters of old, which list their objects with a base name.",
    )
    client_sap = forms.IntegerField(label="Client SAP", min_value=1, max_value=0xFFFF, initial=1)
    server_sap = forms.IntegerField(label="Server SAP", min_value=1, max_value=0xFFFF, initial=1)
    authentication = forms.ChoiceField(choices=Authentication.choices, initial=Authentication.LLS)
    secret = forms.CharField(required=False, strip=False, widget=SecretInput())
    secret_form = forms.ChoiceField(
        label="Secret is", required=False, choices=[("text", "text (ASCII)"), ("hex", "hex")], initial="text"
    )
    protection = forms.ChoiceField(choices=Protection.choices, initial=Protection.NONE)
    response_protection = forms.ChoiceField(
        label="Answers at least",
        required=False,
        choices=[("", "as the requests"), *Protection.choices],
        help_text="Anything weaker from the meter is refused.",
    )
    ciphering_form = DefaultChoiceField(
        label="Ciphered form", choices=Association.CipheringForm.choices, initial=Association.CipheringForm.AUTO
    )
    fresh_dedicated_key = YesNoField(
        "the global key, if no dedicated key is given", "a fresh dedicated key each time", label="Services under"
    )
    security_suite = NumberChoiceField(
        label="Security suite",
        required=False,
        initial=0,
        choices=[(0, "0 (AES-128)"), (1, "1 (AES-128, P-256)"), (2, "2 (AES-256, P-384)")],
    )
    client_system_title = HexField(label="Client system title", required=False)
    server_system_title = HexField(
        label="Meter's system title", required=False, help_text="Empty: taken from the meter's answer."
    )
    guek = HexField(label="GUEK", required=False, widget=SecretInput(), help_text="Global unicast encryption key.")
    gak = HexField(label="GAK", required=False, widget=SecretInput(), help_text="Global authentication key.")
    dedicated_key = HexField(
        label="Dedicated key",
        required=False,
        widget=SecretInput(),
        help_text="Rarely needed. A fresh one takes its place each time: used again, it would repeat nonces.",
    )
    signing_key = forms.CharField(
        label="Our signing key",
        required=False,
        widget=SecretText(),
        help_text="Private. PEM without a password, or hex.",
    )
    peer_signing_key = forms.CharField(
        label="Meter's signing key",
        required=False,
        widget=SecretText(),
        help_text="Public: its certificate or public key in PEM, or hex.",
    )
    invocation_counter = CounterField(
        label="Invocation counter",
        required=False,
        help_text="The next one to use. Empty: the public client asks the meter.",
    )
    counter_object = forms.CharField(label="Counter object", max_length=24, required=False, initial="0-0:43.1.0*255")
    user_id = forms.IntegerField(
        label="User id",
        required=False,
        min_value=0,
        max_value=0xFF,
        help_text="calling-AE-invocation-id, where the meter keeps a user list.",
    )
    pre_established = YesNoField("AARQ and AARE", "nothing: it is pre-established", label="Opened by")
    server_max_pdu_size = forms.IntegerField(
        label="Meter receives",
        required=False,
        min_value=0,
        max_value=0xFFFF,
        help_text="Octets of an APDU; 0: no limit.",
    )
    max_pdu_size = forms.IntegerField(
        label="Max. APDU size", required=False, min_value=0, max_value=0xFFFF, help_text="0 or 65535: no limit."
    )
    timeout = forms.FloatField(label="Reply timeout, s", required=False, min_value=0.1, max_value=120)

    def __init__(
        self,
        *args: Any,
        meter: Meter | None = None,
        association: Association | None = None,
        testing: bool = False,
        **kwargs: Any,
    ) -> None:
        self.meter, self.association = meter, association
        if meter is not None:
            kwargs["initial"] = {**_initial(meter, association), **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)
        self.stored = _stored_secrets(meter, association)
        if testing:
            self.fields["serial_number"].required = False
        self.testing = testing
        self.offer_ports()
        self._offer_lines()
        self._dress()

    def _offer_lines(self) -> None:
        """A line that is here already is a kind of its own."""
        field = cast(forms.ChoiceField, self.fields["kind"])
        field.choices = [*Line.Kind.choices, (KNOWN, "A line that is here already")]

    def _dress(self) -> None:
        placeholders = {
            "max_info": 128,
            "window": 1,
            "max_pdu_size": 65535,
            "server_max_pdu_size": 0,
            "user_id": "none",
            "timeout": 5,
            "client_system_title": "8 octets, 16 hex digits",
        }
        for name, form_field in self.fields.items():
            select = isinstance(form_field.widget, forms.Select)
            widget = form_field.widget.attrs
            widget["class"] = f"{'form-select' if select else 'form-control'} {widget.get('class', '')}".strip()
            secret = isinstance(form_field.widget, SecretInput | SecretText)
            if secret or isinstance(form_field, HexField | CounterField) or name in MONOSPACED:
                widget["class"] += " mono"
            if isinstance(form_field, forms.IntegerField):
                widget["inputmode"] = "numeric"
            if name in placeholders:
                widget["placeholder"] = placeholders[name]
        for name in KEPT:
            self._say_what_is_kept(name, self.stored.get(name.upper()))
        self._say_what_is_kept("secret", self.stored.get(self._secret_slot(self._chosen_authentication()) or ""))

    @property
    def asks_for_secrets(self) -> bool:
        """Whether nothing is stored that an empty secret could keep."""
        return not self.stored

    def _chosen_authentication(self) -> str:
        return str(self["authentication"].value() or "")

    def _say_what_is_kept(self, name: str, fingerprint: str | None) -> None:
        if fingerprint:
            self.fields[name].widget.attrs["placeholder"] = f"keep the current one ({fingerprint})"

    # -- cleaning: one field alone ---------------------------------------------------------------------------------------

    def clean_serial_number(self) -> str:
        serial_number = str(self.cleaned_data["serial_number"])
        same = Meter.objects.filter(serial_number=serial_number).exclude(pk=self.meter.pk if self.meter else 0)
        if not self.testing and same.exists():
            raise ValidationError("There is a meter with this serial number already.", code="unique")
        return serial_number

    def clean_referencing(self) -> str:
        return str(self.cleaned_data["referencing"] or Association.Referencing.LOGICAL_NAMES)

    def clean_counter_object(self) -> str:
        text = str(self.cleaned_data["counter_object"] or "0-0:43.1.0*255")
        try:
            return str(ObisCode.parse(text))
        except ValueError as error:
            raise ValidationError(f"Not an OBIS code: {error}") from None

    # -- cleaning: fields that belong together -----------------------------------------------------------------------------

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self._clean_line(cleaned)
        for name, reason in contradictions(cleaned):
            self.refuse(name, reason)
        for name in ("client_system_title", "server_system_title"):
            self._require_octets(name, cleaned.get(name), SYSTEM_TITLE_OCTETS)
        self._clean_authentication(cleaned)
        self._clean_signing(cleaned)
        self._clean_keys(cleaned)
        self._clean_pre_established(cleaned)
        return cleaned

    def _clean_line(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("kind") == KNOWN:
            self._take_known_line(cleaned)
        else:
            self.clean_line(cleaned)

    def _take_known_line(self, cleaned: dict[str, Any]) -> None:
        """The properties of a line that is here already, as if they had been typed."""
        found = line_called(cleaned.get("known_line") or "")
        if found is None:
            self.refuse("known_line", "No line is called so: choose one of the list, or describe it.")
            return
        for name in ("host", "port", "serial_port"):
            self.errors.pop(name, None)  # of what was typed into fields that are hidden now
        cleaned |= line_initial(found)

    def _clean_authentication(self, cleaned: dict[str, Any]) -> None:
        chosen = cleaned.get("authentication", "")
        slot = self._secret_slot(chosen)
        cleaned["secret_octets"] = b""
        if slot is None or "secret" in self.errors:
            return
        if cleaned.get("secret"):
            cleaned["secret_octets"] = self._secret_octets(cleaned["secret"], cleaned.get("secret_form") or "text")
            size = len(cleaned["secret_octets"])
            if chosen == Authentication.HLS_MANUFACTURER and size > AES_SECRET_OCTETS:
                self.refuse("secret", f"{size} octets; the AES of this mechanism takes at most {AES_SECRET_OCTETS}.")
        elif slot not in self.stored:
            self.refuse("secret", f"{Authentication(chosen).label} needs a secret.")

    def _secret_octets(self, secret: str, written_as: str) -> bytes:
        octets = b""
        try:
            octets = HexField().to_python(secret) if written_as == "hex" else secret.encode("ascii")
        except UnicodeEncodeError:
            self.refuse("secret", "Only ASCII characters have certain octets: give the others in hex.")
        except ValidationError as error:
            self.refuse("secret", str(error.messages[0]))
        if len(octets) > MAX_SECRET_OCTETS:
            self.refuse("secret", f"{len(octets)} octets; at most {MAX_SECRET_OCTETS}.")
        return octets

    def _clean_signing(self, cleaned: dict[str, Any]) -> None:
        """The key pair and the meter's public key, which ECDSA needs, as their octets."""
        ecdsa = cleaned.get("authentication") == Authentication.HLS_ECDSA
        suite = cleaned.get("security_suite") or 0
        if ecdsa and suite == 0:
            self.refuse("security_suite", "ECDSA needs suite 1 (P-256) or 2 (P-384): suite 0 has no signatures.")
        for name, read in SIGNING_FIELDS.items():
            text, cleaned[name] = cleaned.get(name) or "", b""
            if not ecdsa or suite == 0 or name in self.errors:
                continue
            if not text and name.upper() not in self.stored:
                self.refuse(name, "ECDSA needs this key.")
            elif text:
                try:
                    cleaned[name] = read(text, suite)
                except ValueError as error:
                    self.refuse(name, str(error))

    def _clean_pre_established(self, cleaned: dict[str, Any]) -> None:
        if not cleaned.get("pre_established"):
            return
        if cleaned.get("authentication") != Authentication.NONE:
            self.refuse("authentication", "A pre-established association has no AARQ that could carry it: choose none.")
        if _is_ciphered(cleaned) and not cleaned.get("server_system_title"):
            self.refuse("server_system_title", "Needed here: no AARE says it. 8 octets, 16 hex digits.")
        if cleaned.get("fresh_dedicated_key") or cleaned.get("dedicated_key"):
            self.refuse("pre_established", "Without an AARQ no dedicated key can be agreed: use the global key.")

    def _clean_keys(self, cleaned: dict[str, Any]) -> None:
        size = KEY_LENGTHS[cleaned.get("security_suite") or 0]
        for name in ("guek", "gak", "dedicated_key"):
            self._require_octets(name, cleaned.get(name), size)
        ciphered = _is_ciphered(cleaned)
        gmac = cleaned.get("authentication") == Authentication.HLS_GMAC
        if ciphered or gmac:
            why = "HLS-GMAC" if gmac else "A protected association"
            for name in ("guek", "gak"):
                if not cleaned.get(name) and name.upper() not in self.stored:
                    self.refuse(name, f"{why} needs this key: {size} octets, {2 * size} hex digits.")
        titled = ciphered or cleaned.get("authentication") in TITLED
        if titled and not cleaned.get("client_system_title"):
            self.refuse("client_system_title", "Needed here: 8 octets, 16 hex digits that name this client.")
        encrypted = cleaned.get("protection") in ENCRYPTED
        if cleaned.get("dedicated_key") and not encrypted:
            self.refuse("dedicated_key", "It may only travel encrypted: choose a protection that encrypts.")
        if cleaned.get("fresh_dedicated_key") and not encrypted:
            self.refuse("fresh_dedicated_key", "It may only travel encrypted: choose a protection that encrypts.")

    def _require_octets(self, name: str, octets: bytes | None, size: int) -> None:
        if octets and len(octets) != size:
            self.refuse(name, f"{size} octets ({2 * size} hex digits) are needed; these are {len(octets)}.")

    @staticmethod
    def _secret_slot(authentication: str) -> MeterKey.Slot | None:
        return SECRET_SLOT.get(authentication, Slot.HLS_SECRET)

    # -- what came out -------------------------------------------------------------------------------------------------------

    def draft(self) -> dict[str, Any]:
        """The keywords of `save_meter` and `open_test_session`."""
        cleaned = self.cleaned_data
        meter = {name: cleaned[name] for name in METER_FIELDS}
        meter |= {name: cleaned[name] for name in INVENTORY_FIELDS}
        meter["reverse_deviation"] = bool(cleaned["reverse_deviation"])
        meter["serial_number"] = cleaned["serial_number"] or "(not saved)"
        meter["server_system_title"] = cleaned["server_system_title"].hex()
        hdlc, mode_e = cleaned["framing"] in HDLC_FRAMINGS, cleaned["framing"] == Meter.Framing.MODE_E
        meter |= {name: cleaned[name] for name in HDLC_FIELDS if hdlc and cleaned[name] is not None}
        meter |= {name: cleaned[name] for name in SIGN_ON_FIELDS if mode_e and cleaned[name] is not None}
        meter |= {name: None for name in HDLC_FIELDS[:2] if name not in meter}
        association = {name: cleaned[name] for name in ASSOCIATION_FIELDS if cleaned[name] is not None}
        association["client_system_title"] = cleaned["client_system_title"].hex()
        association["name"] = cleaned["association_name"]
        association["user_id"] = cleaned["user_id"]
        if self.association is not None:
            association["id"] = self.association.pk
        return {
            "meter": {**meter, **self._named_type(cleaned)},
            "line": self.line(),
            "association": association,
            "secrets": self._secrets(cleaned),
            "meter_id": self.meter.pk if self.meter else None,
        }

    @staticmethod
    def _named_type(cleaned: dict[str, Any]) -> dict[str, Any]:
        """The type that was chosen, else the one that maker and model name."""
        if cleaned["meter_type"] is not None:
            return {"meter_type": cleaned["meter_type"]}
        return {"manufacturer": cleaned["manufacturer"], "model": cleaned["model"]}

    def _secrets(self, cleaned: dict[str, Any]) -> dict[str, bytes]:
        secrets = {Slot(name.upper()): cleaned[name] for name in KEPT if cleaned[name]}
        slot = self._secret_slot(cleaned["authentication"])
        if slot is not None and cleaned["secret_octets"]:
            secrets[slot] = cleaned["secret_octets"]
        return {slot.value: octets for slot, octets in secrets.items()}

    def take_errors(self, error: ValidationError) -> None:
        """Put what a service refused at the fields where it belongs."""
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, reasons in error.error_dict.items():
            here = SERVICE_FIELDS.get(name, name)
            for reason in reasons:
                self.add_error(here if here in self.fields else None, reason)


def line_called(text: str) -> Line | None:
    """The line of this name, or of this number after `#`; None where there is none, or several of the name."""
    number = text.strip().removeprefix("#")
    if text.strip().startswith("#") and number.isascii() and number.isdecimal() and len(number) < 19:
        return Line.objects.filter(pk=int(number)).first()
    found = list(Line.objects.filter(name=text.strip()).exclude(name="")[:2])
    return found[0] if len(found) == 1 else None


def _is_ciphered(cleaned: dict[str, Any]) -> bool:
    """Whether anything is protected, in either direction."""
    return any(cleaned.get(name) not in (Protection.NONE, "", None) for name in ("protection", "response_protection"))


def _initial(meter: Meter, association: Association | None) -> dict[str, Any]:
    names = (*METER_FIELDS, *HDLC_FIELDS, *SIGN_ON_FIELDS)
    initial = {name: getattr(meter, name) for name in names} | InventoryFields.inventory_of(meter)
    initial |= line_initial(meter.line)
    if meter.meter_type is not None:
        initial |= {"manufacturer": meter.meter_type.manufacturer, "model": meter.meter_type.model}
        initial["meter_type"] = meter.meter_type
    if association is not None:
        initial |= {name: getattr(association, name) for name in ASSOCIATION_FIELDS}
        initial["association_name"] = association.name
    return initial


def _stored_secrets(meter: Meter | None, association: Association | None) -> dict[str, str]:
    """Fingerprints, by slot, of the secrets that the association would use."""
    if meter is None:
        return {}
    stored = {}
    for key in meter.keys.prefetch_related("versions"):
        version = key.current
        if version is not None and key.association_id in (None, association.pk if association else None):
            stored[key.slot] = version.short_fingerprint
    return stored
