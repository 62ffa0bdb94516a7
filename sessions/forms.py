"""The console: what can be read of a meter in an open session. What changes something stands in `gated_forms`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from meters.models import Association
from sessions.models import DlmsSession, Step
from sessions.services import add_profile_step, add_read_step


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
SHORT_NAME_PRESETS = (
    *READ_PRESETS[:-1],
    Preset("objects", "Object list", {"class_id": 12, "logical_name": "0-0:40.0.0*255", "attribute_id": 2}),
)
"""By short names the association itself is another class."""
PROFILES = (
    ("1-0:99.1.0*255", "Load profile 1"),
    ("1-0:99.2.0*255", "Load profile 2, daily"),
    ("0-0:98.1.0*255", "Billing, end of period"),
    ("0-0:99.98.0*255", "Event log"),
)


class ConsoleForm(forms.Form):
    """One tab of the console. `dlms_session` names the meter; `ask` adds the step."""

    kind: ClassVar[str]
    tab: ClassVar[str]
    presets: tuple[Preset, ...] = ()
    template = "sessions/_console_form.html"

    def __init__(self, *args: Any, dlms_session: DlmsSession, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", f"{self.kind.lower()}_%s")
        self.dlms_session = dlms_session
        self.presets = self.offered_presets()
        if args and args[0] is not None:
            args = (self._with_preset(args[0]), *args[1:])
        super().__init__(*args, **kwargs)
        self.prepare()
        for name, form_field in self.fields.items():
            select = isinstance(form_field.widget, forms.Select) and not isinstance(
                form_field.widget, forms.RadioSelect
            )
            css = "form-select" if select else "form-control"
            mono = " mono" if name in ("logical_name", "value") and not select else ""
            form_field.widget.attrs["class"] = css + mono
            form_field.widget.attrs["autocomplete"] = "off"
            if name in ("class_id", "attribute_id", "method_id", "from_entry", "to_entry"):
                form_field.widget.attrs["inputmode"] = "numeric"

    def offered_presets(self) -> tuple[Preset, ...]:
        """The presets of this session."""
        return self.presets

    def prepare(self) -> None:
        """Change the fields by what the form is about, before they are drawn or read."""

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

    def offered_presets(self) -> tuple[Preset, ...]:
        association = self.dlms_session.association
        by_short_names = association is not None and association.referencing == Association.Referencing.SHORT_NAMES
        return SHORT_NAME_PRESETS if by_short_names else READ_PRESETS

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
