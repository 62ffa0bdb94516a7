"""The fields of a line: a form of their own, and a part of the meter's form. `meters.lines.services` takes what they cleaned."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from meters.form_fields import NumberChoiceField
from meters.inventory_forms import dress
from meters.lines.services import LINE_FIELDS
from meters.models import NAME, Line
from meters.targets.hosts import HostError, parse_host

BAUD_RATES = (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
KNOWN = "KNOWN"
"""The kind that means: a line that is here already."""


class LineFields(forms.Form):
    """What each kind of line asks for. What another kind asks for is passed over."""

    kind = forms.ChoiceField(label="Line", choices=Line.Kind.choices, initial=Line.Kind.TCP)
    host = forms.CharField(max_length=255, required=False, help_text="Name or IP address.")
    port = forms.IntegerField(required=False, min_value=1, max_value=65535, help_text="4059 is usual for DLMS.")
    serial_port = forms.ChoiceField(label="Serial port", required=False, help_text="From the administrator's list.")
    baud = NumberChoiceField(label="Baud", required=False, initial=9600, choices=[(n, n) for n in BAUD_RATES])
    data_bits = NumberChoiceField(label="Data bits", required=False, initial=8, choices=[(8, "8"), (7, "7")])
    parity = forms.ChoiceField(required=False, choices=Line.Parity.choices, initial=Line.Parity.NONE)
    stop_bits = NumberChoiceField(label="Stop bits", required=False, initial=1, choices=[(1, "1"), (2, "2")])

    def offer_ports(self) -> None:
        """The ports of the administrator's list; the one that was chosen stays in sight when it is not on it any more."""
        ports = [(name, name) for name in sorted(settings.SERIAL_PORTS)]
        chosen = self.initial.get("serial_port")
        if chosen and chosen not in settings.SERIAL_PORTS:
            ports.insert(0, (chosen, f"{chosen} (not offered any more)"))
        field = cast(forms.ChoiceField, self.fields["serial_port"])
        field.choices = [("", "choose…" if ports else "none is configured"), *ports]

    def clean_host(self) -> str:
        host = str(self.cleaned_data["host"]).strip()
        try:
            return str(parse_host(host)) if host else ""
        except HostError as error:
            raise ValidationError(str(error)) from None

    def refuse(self, name: str, reason: str) -> None:
        """A reason at a field that has none yet."""
        if name not in self.errors:
            self.add_error(name, reason)

    def clean_line(self, cleaned: dict[str, Any]) -> None:
        """What the kind asks for has to be there."""
        cleaned["parity"] = cleaned.get("parity") or Line.Parity.NONE
        kind = cleaned.get("kind", "")
        asked = LINE_FIELDS.get(kind, LINE_FIELDS[Line.Kind.SERIAL])
        if "host" in asked and not cleaned.get("host"):
            self.refuse("host", f"Where is it? {kind_words(kind)} needs a host.")
        if "port" in asked and not cleaned.get("port"):
            self.refuse("port", f"{kind_words(kind)} needs a port.")
        if "serial_port" in asked and cleaned.get("serial_port") not in settings.SERIAL_PORTS:
            self.refuse("serial_port", "Choose one of the serial ports of this workbench.")

    def line(self) -> dict[str, Any]:
        """The fields of the line that was described, as `find_line` and `save_line` take them."""
        cleaned = self.cleaned_data
        return {"kind": cleaned["kind"], **{name: cleaned[name] for name in LINE_FIELDS[cleaned["kind"]]}}


def kind_words(kind: str) -> str:
    return "A serial port on the network" if kind == Line.Kind.RFC2217 else f"A {kind} line"


def line_initial(line: Line) -> dict[str, Any]:
    """What stands in the fields first."""
    names = ("kind", "host", "port", "serial_port", "baud", "data_bits", "parity", "stop_bits")
    return {name: getattr(line, name) for name in names}


class LineForm(LineFields):
    """A line by itself."""

    name = forms.CharField(max_length=100, required=False, validators=[NAME], help_text="What the lab calls it.")

    def __init__(self, *args: Any, line: Line | None = None, **kwargs: Any) -> None:
        if line is not None:
            kwargs["initial"] = {**line_initial(line), "name": line.name, **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)
        self.fields["kind"].label = "Kind"
        self.offer_ports()
        dress(self)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.clean_line(cleaned)
        return cleaned

    def line(self) -> dict[str, Any]:
        return {**super().line(), "name": self.cleaned_data["name"]}

    def take_errors(self, error: ValidationError) -> None:
        """Put what the service refused at the fields where it belongs."""
        self.add_error(None, error)
