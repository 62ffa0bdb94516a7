"""The console: what can be asked of a meter in an open session.

Reading is asked at once. What changes something stands behind a gate: the first answer to a valid form is a sentence that
names the meter, the consequence and the exact octets; only the second, confirmed one is sent. Where it cannot be undone, the
serial number has to be typed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from meters.cosem.data import DataType
from meters.cosem.interface_class import attribute_name, method_name
from meters.cosem.obis import ObisCode
from meters.cosem.obis_names import describe
from sessions import parameters as checked
from sessions.models import DlmsSession, Step
from sessions.services import add_invoke_step, add_profile_step, add_read_step, add_write_step


@dataclass(frozen=True, slots=True)
class Preset:
    """A handy thing to ask: one click."""

    name: str
    title: str
    fields: dict[str, Any]

    @property
    def reference(self) -> str:
        """`8/0-0:1.0.0*255/2`."""
        return "/".join(str(part) for part in self.fields.values())


READ_PRESETS = (
    Preset("clock", "Clock", {"class_id": 8, "logical_name": "0-0:1.0.0*255", "attribute_id": 2}),
    Preset("serial", "Serial number", {"class_id": 1, "logical_name": "0-0:96.1.0*255", "attribute_id": 2}),
    Preset("device", "Device name", {"class_id": 1, "logical_name": "0-0:42.0.0*255", "attribute_id": 2}),
    Preset("energy", "Energy 1.8.0", {"class_id": 3, "logical_name": "1-0:1.8.0*255", "attribute_id": 2}),
    Preset("objects", "Object list", {"class_id": 15, "logical_name": "0-0:40.0.0*255", "attribute_id": 2}),
)
PROFILES = (
    ("1-0:99.1.0*255", "Load profile 1"),
    ("1-0:99.2.0*255", "Load profile 2, daily"),
    ("0-0:98.1.0*255", "Billing, end of period"),
    ("0-0:99.98.0*255", "Event log"),
)
INVOKE_PRESETS = (
    Preset("disconnect", "Disconnect relay", {"class_id": 70, "logical_name": "0-0:96.3.10*255", "method_id": 1}),
    Preset("reconnect", "Reconnect relay", {"class_id": 70, "logical_name": "0-0:96.3.10*255", "method_id": 2}),
)
CONSEQUENCES = {
    (3, 1): "The register goes back to its default: what was counted is lost.",
    (4, 1): "The register goes back to its default: what was counted is lost.",
    (5, 1): "The demand register is reset: what was measured is lost.",
    (7, 1): "The profile's buffer is emptied: its rows are lost.",
    (15, 2): "The secret of this association changes: with the wrong one nobody gets in any more.",
    (18, 4): "The image is activated: the meter restarts with other firmware.",
    (64, 1): "The security policy is raised: it cannot be lowered again.",
    (64, 2): "Keys are replaced in the meter: with the wrong ones nobody gets in any more.",
    (70, 1): "The supply behind this meter is switched off.",
}
"""(class, method): what cannot be undone from here, or hits somebody. These ask for the serial number."""

VALUE_TYPES = [
    (kind.asn1_name, kind.asn1_name)
    for kind in (
        DataType.BOOLEAN,
        DataType.INTEGER,
        DataType.LONG,
        DataType.DOUBLE_LONG,
        DataType.LONG64,
        DataType.UNSIGNED,
        DataType.LONG_UNSIGNED,
        DataType.DOUBLE_LONG_UNSIGNED,
        DataType.LONG64_UNSIGNED,
        DataType.ENUM,
        DataType.FLOAT32,
        DataType.FLOAT64,
        DataType.OCTET_STRING,
        DataType.VISIBLE_STRING,
        DataType.UTF8_STRING,
        DataType.BIT_STRING,
        DataType.BCD,
        DataType.DATE_TIME,
        DataType.STRUCTURE,
        DataType.ARRAY,
        DataType.NULL_DATA,
    )
]
CONSTRUCTED = (DataType.STRUCTURE.asn1_name, DataType.ARRAY.asn1_name)


@dataclass(frozen=True, slots=True)
class Gate:
    """What somebody has to agree to before it is sent."""

    what: str
    meter: str
    octets: str
    serial_number: str = ""
    consequence: str = ""
    """What cannot be undone; then the serial number has to be typed."""

    @property
    def must_type(self) -> bool:
        return bool(self.consequence and self.serial_number)


class ConsoleForm(forms.Form):
    """One tab of the console. `dlms_session` names the meter; `ask` adds the step."""

    kind: ClassVar[str]
    tab: ClassVar[str]
    presets: ClassVar[tuple[Preset, ...]] = ()
    template = "sessions/_console_form.html"

    def __init__(self, *args: Any, dlms_session: DlmsSession, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", f"{self.kind.lower()}_%s")
        if args and args[0] is not None:
            args = (self._with_preset(args[0]), *args[1:])
        super().__init__(*args, **kwargs)
        self.dlms_session = dlms_session
        self.gate: Gate | None = None
        for name, form_field in self.fields.items():
            select = isinstance(form_field.widget, forms.Select)
            css = "form-select" if select else "form-control"
            mono = " mono" if name in ("logical_name", "value") else ""
            form_field.widget.attrs["class"] = css + mono
            form_field.widget.attrs["autocomplete"] = "off"
            if name in ("class_id", "attribute_id", "method_id", "from_entry", "to_entry"):
                form_field.widget.attrs["inputmode"] = "numeric"

    def _with_preset(self, data: Any) -> Any:
        wanted = next((preset for preset in self.presets if preset.name == data.get("preset")), None)
        if wanted is None:
            return data
        filled = data.copy()
        for name, value in wanted.fields.items():
            filled[name] = str(value)
        return filled

    def parameters(self) -> dict[str, Any]:
        """The keywords of the step's service."""
        return dict(self.cleaned_data)

    def ask(self, user: Any) -> Step:
        """Add the step; what the service refuses is raised as ValidationError."""
        raise NotImplementedError

    def take_errors(self, error: ValidationError) -> None:
        """Put what the service refused at its field."""
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, reasons in error.error_dict.items():
            for reason in reasons:
                self.add_error(name if name in self.fields else None, reason)


class ReadForm(ConsoleForm):
    """One attribute."""

    kind, tab, presets = "READ", "Read", READ_PRESETS
    class_id = forms.CharField(label="Class", max_length=5)
    logical_name = forms.CharField(label="OBIS", max_length=24)
    attribute_id = forms.CharField(label="Attribute", max_length=4, initial="2")

    def ask(self, user: Any) -> Step:
        return add_read_step(session_id=self.dlms_session.pk, user=user, **self.parameters())


class ProfileForm(ConsoleForm):
    """Rows of a profile: a range of times in the meter's own time, a range of entries, or everything."""

    kind, tab = "READ_PROFILE", "Profile"
    template = "sessions/_console_profile.html"
    PARTS = (("time", "Time range"), ("entries", "Entries"), ("all", "Everything"))
    logical_name = forms.CharField(label="Profile", max_length=24, initial=PROFILES[0][0])
    part = forms.ChoiceField(choices=PARTS, initial="time", required=False, widget=forms.RadioSelect)
    from_time = forms.CharField(label="From, meter's own time", required=False, max_length=32)
    to_time = forms.CharField(label="To", required=False, max_length=32)
    from_entry = forms.CharField(label="First entry", required=False, max_length=10, initial="1")
    to_entry = forms.CharField(label="Last entry", required=False, max_length=10)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["logical_name"].widget.attrs["list"] = "profiles"
        self.fields["part"].widget.attrs.pop("class", None)
        for name in ("from_time", "to_time"):
            self.fields[name].widget.attrs |= {"class": "form-control mono", "placeholder": "2026-11-01T00:00"}
        self.fields["to_entry"].widget.attrs["placeholder"] = "the last one"

    @property
    def profiles(self) -> tuple[tuple[str, str], ...]:
        return PROFILES

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("part") == "time":
            for name in ("from_time", "to_time"):
                if not cleaned.get(name) and name not in self.errors:
                    self.add_error(name, "A time range has a beginning and an end.")
        return cleaned

    def parameters(self) -> dict[str, Any]:
        part = self.cleaned_data["part"] or "time"
        wanted = {"time": ("from_time", "to_time"), "entries": ("from_entry", "to_entry")}.get(part, ())
        chosen = {name: self.cleaned_data[name] for name in wanted}
        return {"logical_name": self.cleaned_data["logical_name"], **chosen}

    def ask(self, user: Any) -> Step:
        return add_profile_step(session_id=self.dlms_session.pk, user=user, **self.parameters())


class GatedForm(ConsoleForm):
    """What changes something in the meter: checked first, sent when confirmed."""

    value_type = forms.ChoiceField(label="Type", required=False, choices=[("", "none"), *VALUE_TYPES])
    value = forms.CharField(label="Value", required=False, max_length=4000)
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)
    serial_typed = forms.CharField(required=False, max_length=64, label="Serial number")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        try:
            cleaned["data"] = self._value(cleaned)
            checked_parameters = self._check(cleaned)
        except checked.ParameterError as error:
            self.add_error(error.field if error.field in self.fields else None, str(error))
            return cleaned
        self.gate = self._gate(cleaned, checked_parameters)
        typed = cleaned.get("serial_typed", "").strip()
        if cleaned.get("confirmed") and self.gate.must_type and typed != self.gate.serial_number:
            self.add_error("serial_typed", f"Type {self.gate.serial_number} to go on.")
        return cleaned

    def _value(self, cleaned: dict[str, Any]) -> dict[str, Any] | None:
        kind, text = cleaned.get("value_type") or "", cleaned.get("value") or ""
        if not kind:
            if text:
                raise checked.ParameterError("value_type", "A value needs a type.")
            return None
        if kind not in CONSTRUCTED:
            return {"type": kind, "value": text}
        try:
            return {"type": kind, "value": json.loads(text)}
        except (ValueError, RecursionError):
            example = '[{"type": "unsigned", "value": 1}]'
            raise checked.ParameterError("value", f"A {kind} is written as JSON, such as {example}.") from None

    def _check(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def _gate(self, cleaned: dict[str, Any], parameters: dict[str, Any]) -> Gate:
        raise NotImplementedError

    @property
    def is_confirmed(self) -> bool:
        return bool(self.cleaned_data.get("confirmed"))

    def _meter(self) -> str:
        return str(self.dlms_session.meter or self.dlms_session.label)

    def _serial(self) -> str:
        return self.dlms_session.meter.serial_number if self.dlms_session.meter else ""


class WriteForm(GatedForm):
    """One attribute gets a value."""

    kind, tab = "WRITE", "Write"
    class_id = forms.CharField(label="Class", max_length=5)
    logical_name = forms.CharField(label="OBIS", max_length=24)
    attribute_id = forms.CharField(label="Attribute", max_length=4, initial="2")
    field_order = ("class_id", "logical_name", "attribute_id", "value_type", "value", "confirmed", "serial_typed")

    def _value(self, cleaned: dict[str, Any]) -> dict[str, Any] | None:
        value = super()._value(cleaned)
        if value is None:
            raise checked.ParameterError("value_type", "Choose the type of the value.")
        return value

    def _check(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        names = ("class_id", "logical_name", "attribute_id")
        return checked.write_parameters(**{name: cleaned[name] for name in names}, value=cleaned["data"])

    def _gate(self, cleaned: dict[str, Any], parameters: dict[str, Any]) -> Gate:
        named = attribute_name(parameters["class_id"], parameters["attribute_id"])
        what = f"{_object(parameters)}, {named}: write {cleaned['value_type']} {cleaned['value']}".strip()
        return Gate(what, self._meter(), parameters["octets"], self._serial())

    def ask(self, user: Any) -> Step:
        names = ("class_id", "logical_name", "attribute_id")
        asked = {name: self.cleaned_data[name] for name in names}
        return add_write_step(session_id=self.dlms_session.pk, user=user, **asked, value=self.cleaned_data["data"])


class InvokeForm(GatedForm):
    """One method is invoked."""

    kind, tab, presets = "INVOKE", "Invoke", INVOKE_PRESETS
    class_id = forms.CharField(label="Class", max_length=5)
    logical_name = forms.CharField(label="OBIS", max_length=24)
    method_id = forms.CharField(label="Method", max_length=4, initial="1")
    value_type = forms.ChoiceField(
        label="Parameter", required=False, choices=[("", "none"), *VALUE_TYPES], initial="integer"
    )
    value = forms.CharField(label="Value", required=False, max_length=4000, initial="0")
    field_order = ("class_id", "logical_name", "method_id", "value_type", "value", "confirmed", "serial_typed")

    def _check(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        names = ("class_id", "logical_name", "method_id")
        return checked.invoke_parameters(**{name: cleaned[name] for name in names}, value=cleaned["data"])

    def _gate(self, cleaned: dict[str, Any], parameters: dict[str, Any]) -> Gate:
        class_id, method_id = parameters["class_id"], parameters["method_id"]
        method = method_name(class_id, method_id)
        consequence = CONSEQUENCES.get((class_id, method_id), "")
        what = f"{_object(parameters)}: invoke {method} ({method_id})"
        return Gate(what, self._meter(), parameters["octets"], self._serial(), consequence)

    def ask(self, user: Any) -> Step:
        names = ("class_id", "logical_name", "method_id")
        asked = {name: self.cleaned_data[name] for name in names}
        return add_invoke_step(session_id=self.dlms_session.pk, user=user, **asked, value=self.cleaned_data["data"])


CONSOLE_FORMS: dict[str, type[ConsoleForm]] = {
    form.kind: form for form in (ReadForm, ProfileForm, WriteForm, InvokeForm)
}


def _object(parameters: dict[str, Any]) -> str:
    logical_name = parameters["logical_name"]
    meaning = describe(ObisCode.parse(logical_name))
    return f"{meaning} ({parameters['class_id']}/{logical_name})" if meaning else logical_name
