"""The console: what changes something in a meter.

It stands behind a gate: the first answer to a valid form is a sentence that names the meter, the consequence and the exact
octets; only the second, confirmed one is sent. Where it cannot be undone, the serial number has to be typed.

What is known of the class (in the version that the meter's object list says) decides how the value is entered.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final

from django import forms
from django.utils import timezone
from django.utils.functional import cached_property

from meters.cosem.data import Data, date_time
from meters.cosem.interface_class import (
    Access,
    attribute_of,
    class_name,
    interface_class,
    method_of,
)
from meters.cosem.obis import ObisCode
from meters.cosem.value_entry import EntryError
from meters.cosem.value_type import Form, ValueType
from sessions import parameters as checked
from sessions.catalogs.overlay import session_overlay
from sessions.forms import ConsoleForm, Preset
from sessions.gate import Gate, gate_of
from sessions.known_objects import read_values, result_data, reverses_deviation, version_of
from sessions.models import Step
from sessions.services import add_invoke_step, add_write_step
from sessions.value_editor import MAX_TEXT, BitsField, ValueEditor

INVOKE_PRESETS = (
    Preset("disconnect", "Disconnect relay", {"class_id": 70, "logical_name": "0-0:96.3.10*255", "method_id": 1}),
    Preset("reconnect", "Reconnect relay", {"class_id": 70, "logical_name": "0-0:96.3.10*255", "method_id": 2}),
)
_PLAIN_WORD: Final = re.compile(r"[a-z]+ ")


class GatedForm(ConsoleForm):
    """What changes something in the meter: checked first, sent when confirmed."""

    template = "sessions/_console_gated.html"
    member: ClassVar[str]
    """The field that names the attribute or the method."""
    no_type: ClassVar[str] = ""
    """What the choice of no type at all is called; empty where there has to be one."""
    value_type = forms.ChoiceField(label="Type", required=False)
    value: forms.Field = forms.CharField(label="Value", required=False, max_length=MAX_TEXT)
    plain = forms.BooleanField(required=False, widget=forms.HiddenInput)
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)
    serial_typed = forms.CharField(required=False, max_length=64, label="Serial number")

    def __init__(self, *args: Any, now: bool = False, **kwargs: Any) -> None:
        self.gate: Gate | None = None
        self.now = now
        super().__init__(*args, **kwargs)

    # -- what the form is about --------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        self.target = self._target()
        self.version = version_of(self.dlms_session, self.target[0], self.target[1]) if self.target else None
        declared = self._declared()
        current = self._current(declared)
        plain = bool(self._given("plain"))
        reverse = reverses_deviation(self.dlms_session)
        self.editor = ValueEditor(declared, plain=plain, current=current, reverse_deviation=reverse)
        self.fields["value_type"].choices = self.editor.type_choices(self.no_type)  # type: ignore[attr-defined]
        chosen, default = self.chosen_type, self.fields["value"].initial
        if not self.is_bound:
            self.initial["value_type"] = chosen
        if not chosen:
            return
        self.fields["value"] = self.editor.field(chosen)
        if not self.is_bound:
            usual = self.editor.initial(chosen)
            self.initial["value"] = default if usual is None and self.editor.declared is None else usual

    def _given(self, name: str) -> str:
        """What was sent, or what the form begins with."""
        value = self.data.get(name) if self.is_bound else self.initial.get(name, self.fields[name].initial)
        return "" if value in (None, False, "False") else str(value)

    def _target(self) -> tuple[int, ObisCode, int] | None:
        """Class, logical name and member; None while they are not all good."""
        try:
            asked = {"class_id": self._given("class_id"), "logical_name": self._given("logical_name")}
            found = checked.read_parameters(**asked, attribute_id=self._given(self.member))
        except checked.ParameterError:
            return None
        return found["class_id"], ObisCode.parse(found["logical_name"]), found["attribute_id"]

    @property
    def chosen_type(self) -> str:
        """The type that was chosen, else the one that the class declares."""
        chosen = self._given("value_type") if self.is_bound or "value_type" in self.initial else ""
        if chosen in dict(self._flat_choices()):
            return chosen
        if self.is_bound and "value_type" in self.data:
            return ""
        return self.editor.initial_type or str(self.fields["value_type"].initial or "")

    def _flat_choices(self) -> list[tuple[str, str]]:
        choices: Any = self.fields["value_type"].choices  # type: ignore[attr-defined]
        groups = ((words if isinstance(words, list) else [(name, words)]) for name, words in choices)
        return [choice for group in groups for choice in group if choice[0]]

    def _declared(self) -> ValueType | None:
        raise NotImplementedError

    def _current(self, declared: ValueType | None) -> Data | None:
        """The value to begin with, when the form is drawn for the first time."""
        if self.now and declared is not None and declared.form is Form.DATE_TIME:
            now = timezone.localtime().replace(microsecond=0)
            return date_time(now, reverse_deviation=reverses_deviation(self.dlms_session))
        return None

    # -- what the page says of it ------------------------------------------------------------------------------------------

    @property
    def about(self) -> str:
        """The object in words; empty while it is not known which."""
        return self._title(self.target[0], self.target[1]) if self.target else ""

    @property
    def class_title(self) -> str:
        """`Clock, version 0`."""
        if self.target is None or interface_class(self.target[0]) is None:
            return ""
        return class_name(self.target[0]) + (f", version {self.version}" if self.version is not None else "")

    @property
    def members(self) -> list[tuple[int, str]]:
        """The numbers and names that the class has."""
        raise NotImplementedError

    @property
    def member_name(self) -> str:
        return dict(self.members).get(self.target[2], "") if self.target else ""

    @property
    def declared_as(self) -> str:
        return str(self.editor.declared) if self.editor.declared else ""

    @property
    def outline(self) -> list[str]:
        return self.editor.outline(self.chosen_type) if self.chosen_type else []

    @property
    def may_be_plain(self) -> bool:
        """Whether the bare number or octets could be typed in place of what they mean."""
        return bool(self.chosen_type) and self.editor.has_meaning(self.chosen_type)

    @property
    def is_moment(self) -> bool:
        return bool(self.chosen_type) and self.editor.option(self.chosen_type).form is Form.DATE_TIME

    @property
    def is_bits(self) -> bool:
        return isinstance(self.fields["value"], BitsField)

    # -- checking ----------------------------------------------------------------------------------------------------------

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
        self.gate = gate_of(self.dlms_session, checked_parameters, cleaned["data"], self.editor.declared)
        refusal = self.gate.refusal(cleaned.get("serial_typed", ""))
        if cleaned.get("confirmed") and refusal:
            self.add_error("serial_typed", refusal)
        return cleaned

    def _value(self, cleaned: dict[str, Any]) -> Data | None:
        kind, value = self.chosen_type, cleaned.get("value") or ""
        if not kind:
            if value:
                raise checked.ParameterError("value_type", "A value needs a type.")
            return None
        try:
            return self.editor.read(kind, value)
        except EntryError as error:
            raise checked.ParameterError("value", _sentence(str(error))) from None

    def _check(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def _title(self, class_id: int, logical_name: ObisCode) -> str:
        """By the catalog of the meter's type, else by the standard."""
        return session_overlay(self.dlms_session, [logical_name]).title(logical_name, class_id)

    @property
    def is_confirmed(self) -> bool:
        return bool(self.cleaned_data.get("confirmed"))

    def _asked(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("class_id", "logical_name", self.member)}


class WriteForm(GatedForm):
    """One attribute gets a value."""

    kind, tab, member = "WRITE", "Write", "attribute_id"
    no_type = "choose…"
    class_id = forms.CharField(label="Class", max_length=5)
    logical_name = forms.CharField(label="OBIS", max_length=24)
    attribute_id = forms.CharField(label="Attribute", max_length=4, initial="2")
    field_order = (
        "class_id",
        "logical_name",
        "attribute_id",
        "value_type",
        "value",
        "plain",
        "confirmed",
        "serial_typed",
    )

    def _declared(self) -> ValueType | None:
        if self.target is None:
            return None
        class_id, _, attribute_id = self.target
        attribute = attribute_of(class_id, attribute_id, self.version, self._read_value)
        return attribute.type if attribute else None

    def _current(self, declared: ValueType | None) -> Data | None:
        return super()._current(declared) or self._read_value

    @cached_property
    def _read_value(self) -> Data | None:
        """What the session read of the attribute."""
        if self.target is None:
            return None
        class_id, logical_name, attribute_id = self.target
        step = read_values(self.dlms_session, class_id, logical_name).get(attribute_id)
        return result_data(step) if step is not None else None

    @property
    def members(self) -> list[tuple[int, str]]:
        known = interface_class(self.target[0], self.version) if self.target else None
        return [(number, attribute.name) for number, attribute in known.attributes.items()] if known else []

    @property
    def warning(self) -> str:
        """What speaks against writing this attribute at all."""
        attribute = attribute_of(self.target[0], self.target[2], self.version) if self.target else None
        kept = attribute is not None and attribute.access is Access.KEPT_BY_METER
        return "The meter keeps this attribute by itself: most refuse to have it written." if kept else ""

    def _value(self, cleaned: dict[str, Any]) -> Data | None:
        value = super()._value(cleaned)
        if value is None:
            raise checked.ParameterError("value_type", "Choose the type of the value.")
        return value

    def _check(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        names = ("class_id", "logical_name", "attribute_id")
        return checked.write_parameters(**{name: cleaned[name] for name in names}, value=cleaned["data"])

    def ask(self, user: Any) -> Step:
        return add_write_step(
            session_id=self.dlms_session.pk, user=user, **self._asked(), value=self.cleaned_data["data"]
        )


class InvokeForm(GatedForm):
    """One method is invoked."""

    kind, tab, presets, member = "INVOKE", "Invoke", INVOKE_PRESETS, "method_id"
    no_type = "none"
    class_id = forms.CharField(label="Class", max_length=5)
    logical_name = forms.CharField(label="OBIS", max_length=24)
    method_id = forms.CharField(label="Method", max_length=4, initial="1")
    value_type = forms.ChoiceField(label="Parameter", required=False, initial="integer")
    value = forms.CharField(label="Value", required=False, max_length=MAX_TEXT, initial="0")
    field_order = ("class_id", "logical_name", "method_id", "value_type", "value", "plain", "confirmed", "serial_typed")
    warning = ""

    def _declared(self) -> ValueType | None:
        if self.target is None:
            return None
        method = method_of(self.target[0], self.target[2], self.version)
        return method.parameter if method else None

    @property
    def members(self) -> list[tuple[int, str]]:
        known = interface_class(self.target[0], self.version) if self.target else None
        return [(number, method.name) for number, method in known.methods.items()] if known else []

    def _check(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        names = ("class_id", "logical_name", "method_id")
        return checked.invoke_parameters(**{name: cleaned[name] for name in names}, value=cleaned["data"])

    def ask(self, user: Any) -> Step:
        return add_invoke_step(
            session_id=self.dlms_session.pk, user=user, **self._asked(), value=self.cleaned_data["data"]
        )


def _sentence(text: str) -> str:
    """With a full stop, and a capital letter unless it begins with a field's name or a place."""
    capital = text[:1].upper() if _PLAIN_WORD.match(text) else text[:1]
    return f"{capital}{text[1:]}".rstrip(".") + "."
