"""What a person chooses before device files are imported: lines, types, serial numbers, and which devices at all.

The same for all devices of one place and of one maker in a file is asked once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from meters.forms import HDLC_SERVERS
from meters.gxc_import.apply import LINE_FIELDS, DeviceChoice
from meters.gxc_import.plan import NAME_LENGTH, SERIAL_LENGTH, DevicePlan, Place
from meters.gxc_import.preview import Preview
from meters.inventory_forms import dress
from meters.models import Line, Meter, MeterType
from meters.targets.hosts import HostError, parse_host

LINES_OFFERED = 300
TYPES_OFFERED = 300
FILE, NEW = "file", "new"
HDLC_FRAMINGS = ("HDLC", "MODE_E")


class PlaceForm(forms.Form):
    """The line for all devices that a file says are at one place."""

    line = forms.ChoiceField(required=False)
    host = forms.CharField(max_length=255, required=False)
    port = forms.IntegerField(required=False, min_value=1, max_value=65535)

    def __init__(self, place: Place, lines: Sequence[Line], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.place = place
        self.lines = {str(line.pk): line for line in lines}
        self.framings: set[str] = set()
        field = cast(forms.ChoiceField, self.fields["line"])
        field.choices = self._choices()
        field.initial = self._initial()
        for name, label in (("line", "Line"), ("host", "Host"), ("port", "Port")):
            self.fields[name].label = label
        dress(self)

    def _choices(self) -> list[Any]:
        said = self.place.line
        own = [(FILE, f"as the file says: {said['host']}:{said['port']}")] if said else []
        ports = [(f"port:{name}", name) for name in sorted(settings.SERIAL_PORTS)]
        lines = [(f"line:{pk}", f"{line}") for pk, line in self.lines.items()]
        groups = [("Serial ports of this workbench", ports), ("Lines of the inventory", lines)]
        return [("", "choose…"), *own, (NEW, "another host and port"), *(group for group in groups if group[1])]

    def _initial(self) -> str:
        if self.place.line:
            return FILE
        same = self.place.media.serial_port
        return f"port:{same}" if same in settings.SERIAL_PORTS else ""

    def clean_host(self) -> str:
        host = str(self.cleaned_data["host"]).strip()
        try:
            return str(parse_host(host)) if host else ""
        except HostError as error:
            raise ValidationError(str(error)) from None

    def line_fields(self) -> dict[str, Any]:
        """The chosen line's fields; without any, with the reason at the field, where none was chosen that fits."""
        fields = self._chosen()
        if not fields:
            return {}
        serial = fields["kind"] in (Line.Kind.SERIAL, Line.Kind.RFC2217)
        if serial and "WRAPPER" in self.framings:
            self.add_error("line", "The wrapper needs TCP or UDP; a serial line carries HDLC.")
        if fields["kind"] == Line.Kind.UDP and self.framings.intersection(HDLC_FRAMINGS):
            self.add_error("line", "UDP carries the wrapper; HDLC needs TCP or a serial line.")
        return fields

    def _chosen(self) -> dict[str, Any]:
        kind, _, name = str(self.cleaned_data.get("line", "")).partition(":")
        if kind == FILE and self.place.line:
            return dict(self.place.line)
        if kind == "line":
            return {each: getattr(self.lines[name], each) for each in LINE_FIELDS}
        if kind == "port":
            return {"kind": Line.Kind.SERIAL, "serial_port": name, **self.place.serial_settings}
        host, port = self.cleaned_data.get("host"), self.cleaned_data.get("port")
        if kind == NEW and host and port:
            return {"kind": Line.Kind.TCP, "host": host, "port": port}
        if not self.errors:
            self.add_error(
                *(("port" if host else "host", "Where is it?") if kind == NEW else ("line", "Choose a line."))
            )
        return {}


class TypeForm(forms.Form):
    """The type of all devices of one maker in a file."""

    known = forms.ChoiceField(label="Type", required=False)
    manufacturer = forms.CharField(max_length=100, required=False)
    model = forms.CharField(max_length=100, required=False)

    def __init__(self, plan: DevicePlan, types: Sequence[MeterType], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plan = plan
        self.types = {str(kind.pk): kind for kind in types}
        field = cast(forms.ChoiceField, self.fields["known"])
        field.choices = [(NEW, "a new one"), *((pk, str(kind)) for pk, kind in self.types.items())]
        same = [pk for pk, kind in self.types.items() if (kind.manufacturer, kind.model) == self._proposal]
        field.initial = same[0] if same else NEW
        self.fields["manufacturer"].initial, self.fields["model"].initial = self._proposal
        dress(self)

    @property
    def _proposal(self) -> tuple[str, str]:
        return (self.plan.manufacturer, self.plan.model)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("known") not in self.types and not cleaned.get("model") and "model" not in self.errors:
            self.add_error("model", "A type has a model.")
        return cleaned

    def chosen(self) -> dict[str, Any]:
        """The keywords of a `DeviceChoice` that name a type."""
        kind = self.types.get(self.cleaned_data["known"])
        return {
            "meter_type": kind,
            "manufacturer": self.cleaned_data["manufacturer"],
            "model": self.cleaned_data["model"],
        }


class DeviceForm(forms.Form):
    """One device: whether it is taken, and as which meter."""

    take = forms.BooleanField(required=False, initial=True)
    serial_number = forms.CharField(max_length=SERIAL_LENGTH, required=False)
    name = forms.CharField(max_length=NAME_LENGTH, required=False)
    physical_address = forms.IntegerField(required=False, min_value=0, max_value=HDLC_SERVERS)
    join = forms.BooleanField(required=False, label="Add the association to the meter that is there")

    def __init__(self, plan: DevicePlan, serial_number: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plan = plan
        self.known: Meter | None = None
        self.fields["serial_number"].initial = serial_number
        self.fields["name"].initial = plan.name
        if "physical_address" in plan.meter:
            self.fields["physical_address"].initial = plan.meter["physical_address"]
        else:
            del self.fields["physical_address"]
        dress(self)
        for name in ("take", "join"):
            self.fields[name].widget.attrs["class"] = "form-check-input"

    @property
    def shown_serial(self) -> str:
        """As it stands in the field now."""
        return str(self["serial_number"].value() or "").strip()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("take") and not cleaned.get("serial_number") and "serial_number" not in self.errors:
            self.add_error("serial_number", "Which meter is it? A device file has no serial number.")
        if cleaned.get("take") and self.known is not None and not cleaned.get("join"):
            why = "There is a meter with this serial number already: tick below to add the association to it, or correct it."
            self.add_error("serial_number", why)
        return cleaned


class ImportForm:
    """All that is asked about the devices of a preview."""

    def __init__(self, preview: Preview, data: Any = None) -> None:
        lines = list(Line.objects.order_by("name", "pk")[:LINES_OFFERED])
        types = list(MeterType.objects.all()[:TYPES_OFFERED])
        self.devices = [
            DeviceForm(plan, serial, data, prefix=f"device-{index}")
            for index, (plan, serial) in enumerate(zip(preview.devices, preview.proposals(), strict=True))
        ]
        self.places: dict[Place, PlaceForm] = {}
        self.types: dict[tuple[str, str], TypeForm] = {}
        for plan in (plan for plan in preview.devices if not plan.refusal):
            if plan.place not in self.places:
                self.places[plan.place] = PlaceForm(plan.place, lines, data, prefix=f"place-{len(self.places)}")
            if plan.type_key not in self.types:
                self.types[plan.type_key] = TypeForm(plan, types, data, prefix=f"type-{len(self.types)}")
        self._find_known()

    def _find_known(self) -> None:
        """Which serial numbers the inventory has already, in one query."""
        known = Meter.objects.filter(serial_number__in={form.shown_serial for form in self.devices})
        by_serial = {meter.serial_number: meter for meter in known.select_related("meter_type")}
        for form in self.devices:
            form.known = by_serial.get(form.shown_serial)

    def place_devices(self) -> list[tuple[PlaceForm, list[DevicePlan]]]:
        return [(form, self._plans(form.place, "place")) for form in self.places.values()]

    def type_devices(self) -> list[tuple[TypeForm, list[DevicePlan]]]:
        return [(form, self._plans(form.plan.type_key, "type_key")) for form in self.types.values()]

    def _plans(self, value: Any, name: str) -> list[DevicePlan]:
        plans = [form.plan for form in self.devices if not form.plan.refusal]
        return [plan for plan in plans if getattr(plan, name) == value]

    def choices(self) -> list[DeviceChoice]:
        """The chosen devices; ValidationError, with the reasons at the fields, when something is missing."""
        for form in self._all():
            form.is_valid()
        taken = [(index, form) for index, form in enumerate(self.devices) if self._is_taken(form)]
        if not taken:
            raise ValidationError("No device is chosen: there is nothing to import.")
        for _, form in taken:
            self.places[form.plan.place].framings.add(form.plan.meter["framing"])
        lines = {place: self.places[place].line_fields() for place in {form.plan.place for _, form in taken}}
        if any(part.errors for _, form in taken for part in self._parts_of(form)):
            raise ValidationError("Nothing was imported yet: something is missing below.")
        return [self._choice(index, form, lines[form.plan.place]) for index, form in taken]

    def _parts_of(self, form: DeviceForm) -> tuple[forms.Form, ...]:
        """What is asked about a device: its own form, its line's and its type's."""
        return (form, self.places[form.plan.place], self.types[form.plan.type_key])

    def _all(self) -> Iterable[forms.Form]:
        return [*self.devices, *self.places.values(), *self.types.values()]

    @staticmethod
    def _is_taken(form: DeviceForm) -> bool:
        return not form.plan.refusal and bool(form.cleaned_data.get("take"))

    def _choice(self, index: int, form: DeviceForm, line: dict[str, Any]) -> DeviceChoice:
        cleaned = form.cleaned_data
        return DeviceChoice(
            index=index,
            plan=form.plan,
            serial_number=cleaned["serial_number"],
            name=cleaned["name"],
            physical_address=cleaned.get("physical_address"),
            line=line,
            join=cleaned["join"],
            **self.types[form.plan.type_key].chosen(),
        )

    def take_errors(self, index: int, error: ValidationError) -> None:
        """Put what the import refused at the device's fields; what is wrong with its line at the line."""
        form = self.devices[index]
        place = self.places[form.plan.place]
        reasons = error.error_dict.items() if hasattr(error, "error_dict") else [(None, error.error_list)]
        for name, why in reasons:
            for reason in why:
                if name in LINE_FIELDS:
                    place.add_error("line", reason)
                else:
                    form.add_error(name if name in form.fields else None, reason)
