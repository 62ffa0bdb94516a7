"""An entry of a catalog as a form: each field is a text that `facts` reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from meters.catalogs.facts import (
    FIELDS,
    MAX_TEXT,
    ObjectFacts,
    class_text,
    faults,
    parse_capture_objects,
    parse_class,
    parse_limit,
    parse_unit,
    value_text,
)
from meters.catalogs.rights import parse_rights
from meters.cosem.obis import ObisCode
from meters.cosem.obis_usage import usual_classes
from meters.inventory_forms import dress
from meters.models import CatalogObject, MeterType


class ReadField(forms.CharField):
    """A text, and what `read` makes of it; its ValueError is what the person is told."""

    def __init__(self, read: Callable[[str], Any], **kwargs: Any) -> None:
        super().__init__(**{"required": False, "max_length": 20_000, **kwargs})
        self.read = read

    def clean(self, value: Any) -> Any:
        text = str(super().clean(value))
        try:
            return self.read(text)
        except ValueError as error:
            raise ValidationError(str(error)) from None


def parse_code(text: str) -> ObisCode:
    """An OBIS code in any notation; ValueError for nothing."""
    if not text.strip():
        raise ValueError("Which object? Write its code, such as 1-0:1.8.0*255 or 1.8.0.")
    return ObisCode.parse_reduced(text)


def whole(text: str) -> int | None:
    """A whole number, or None for nothing."""
    text = "".join(text.split()).replace("\u2212", "-")
    if not text:
        return None
    if not text.removeprefix("-").isascii() or not text.removeprefix("-").isdecimal() or len(text) > 9:
        raise ValueError(f"“{text[:20]}” is no whole number.")
    return int(text)


def base_name(text: str) -> int | None:
    """A short name: hex digits, with or without 0x."""
    text = "".join(text.split()).lower().removeprefix("0x")
    if not text:
        return None
    if len(text) > 4 or not all(letter in "0123456789abcdef" for letter in text):
        raise ValueError(f"“{text[:20]}” is no short name: write it in hex, 0000 to FFFF.")
    return int(text, 16)


def one_line(text: str) -> str:
    return " ".join(text.split())


READERS: dict[str, Callable[[str], Any]] = {
    "version": whole,
    "title": one_line,
    "scaler": whole,
    "unit": parse_unit,
    "low": parse_limit,
    "high": parse_limit,
    "group": one_line,
    "rights": parse_rights,
    "base_name": base_name,
    "capture_objects": parse_capture_objects,
    "note": one_line,
}
"""How each field of `FIELDS` is read from text."""


class EntryForm(forms.Form):
    """One object of a catalog. `facts()` once it is valid; a class that is left out is the usual one of the code."""

    use_required_attribute = False

    logical_name = ReadField(parse_code, label="OBIS code", required=False)
    class_id = ReadField(lambda text: parse_class(text) if text.strip() else None, label="Class")
    version = ReadField(whole, label="Version")
    title = ReadField(one_line, label="Title", help_text="Empty: the standard’s words.")
    group = ReadField(one_line, label="Group", help_text="A free word, such as Energy or Quality.")
    scaler = ReadField(whole, label="Scaler", help_text="The power of ten: −3 is thousandths.")
    unit = ReadField(parse_unit, label="Unit", help_text="A symbol (Wh) or a number (30).")
    low = ReadField(parse_limit, label="Low limit", help_text="In the scaled unit.")
    high = ReadField(parse_limit, label="High limit", help_text="In the scaled unit.")
    rights = ReadField(
        parse_rights,
        label="Access",
        help_text="By client SAP: “1: r 1-3, rw 4, x 1; 16: r 1-3”. r read, w write, rw both, no neither; x methods.",
    )
    base_name = ReadField(
        base_name, label="Short name", help_text="Base name in hex, where the type speaks short names."
    )
    capture_objects = ReadField(
        parse_capture_objects,
        label="Columns",
        help_text="Of a profile: class/OBIS/attribute, between semicolons.",
        widget=forms.Textarea({"rows": 2}),
    )
    note = ReadField(one_line, label="Note")

    def __init__(self, data: Any = None, *, row: CatalogObject | None = None, initial: dict[str, Any] | None = None):
        super().__init__(data, initial=_initial(row) if row is not None else initial, prefix=None)
        dress(self)
        for name in ("logical_name", "unit", "rights", "base_name", "capture_objects"):
            self.fields[name].widget.attrs["class"] += " mono"
        for name, limit in MAX_TEXT.items():
            self.fields[name].widget.attrs["maxlength"] = limit
        self.fields["group"].widget.attrs["list"] = "groups"
        self.fields["unit"].widget.attrs["list"] = "units"
        self.fields["class_id"].widget.attrs["list"] = "classes"

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        code = values.get("logical_name")
        if code is not None and "class_id" in values and values["class_id"] is None:
            usual = usual_classes(code)
            if not usual:
                self.add_error("class_id", "No class is usual for this code: write its number or name.")
            else:
                values["class_id"] = usual[0]
        if not self.errors:
            for name, words in faults(self.facts()).items():
                self.add_error(name, words)
        return values

    def facts(self) -> ObjectFacts:
        values = self.cleaned_data
        return ObjectFacts(
            class_id=values["class_id"],
            logical_name=values["logical_name"],
            **{name: values[name] for name in FIELDS},
        )


def _initial(row: CatalogObject) -> dict[str, str]:
    facts = row.facts
    return {
        "logical_name": row.logical_name,
        "class_id": class_text(row.class_id),
        **{name: value_text(facts, name) for name in FIELDS},
    }


class CompareForm(forms.Form):
    """With which other type."""

    other = forms.ModelChoiceField(MeterType.objects.all(), label="Compare with")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)
