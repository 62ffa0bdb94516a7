"""How a value is entered on a form: what a class declares decides the field, its hint, and what is refused.

Single values get a typed field (a choice with words, bits to tick, text with a range or an example); constructed ones are JSON in
the notation of `meters.cosem.value_entry`, with the expected structure beside. Where nothing is declared, or a meter has ideas
of its own, any type can be chosen.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from django import forms

from meters.cosem.data import BitString, Data, DataType
from meters.cosem.date_time_text import EXAMPLES
from meters.cosem.deviations import reversed_deviations
from meters.cosem.value_entry import INTEGRAL, TYPES_BY_NAME, EntryError, entry_text, from_json, parse_entry, to_json
from meters.cosem.value_type import RANGES, Form, ValueType, legend, outline

MAX_TEXT: Final = 64 * 1024
TYPE_NAMES: Final = tuple(
    kind.asn1_name
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
        DataType.DATE,
        DataType.TIME,
        DataType.STRUCTURE,
        DataType.ARRAY,
        DataType.NULL_DATA,
    )
)
"""What can be entered; a compact-array cannot."""

_EXAMPLES: Final = {
    Form.LOGICAL_NAME: "An OBIS code, such as 0-0:1.0.0*255.",
    Form.DATE_TIME: f"{EXAMPLES['date-time']}. * is not specified.",
    Form.DATE: f"{EXAMPLES['date']}. * is not specified.",
    Form.TIME: f"{EXAMPLES['time']}. * is not specified.",
    Form.TEXT: "Characters, or hex:00ff for octets.",
    Form.OBJECT_IDENTIFIER: "Octets in hex.",
    Form.IPV4: "An address, such as 192.168.0.1.",
    Form.IPV6: "An address, such as fe80::1.",
    Form.ZERO: "Always 0.",
}
_KIND_HINTS: Final = {
    DataType.OCTET_STRING: "Octets in hex such as 00ff, characters as text:…, or a time such as 2026-11-25T10:00+01:00.",
    DataType.VISIBLE_STRING: "Characters, or hex:00ff for octets.",
    DataType.UTF8_STRING: "Characters, or hex:00ff for octets.",
    DataType.BIT_STRING: "Bits as 0 and 1, the first one sent first.",
    DataType.BCD: "Two decimal digits.",
    DataType.DATE_TIME: _EXAMPLES[Form.DATE_TIME],
    DataType.DATE: _EXAMPLES[Form.DATE],
    DataType.TIME: _EXAMPLES[Form.TIME],
    DataType.STRUCTURE: 'JSON, a list such as [{"type": "unsigned", "value": 1}].',
    DataType.ARRAY: 'JSON, a list such as [{"type": "unsigned", "value": 1}].',
    DataType.NULL_DATA: "It has no value.",
}


class BitsField(forms.MultipleChoiceField):
    """Bits that have names, to tick."""

    widget = forms.CheckboxSelectMultiple


class ValueEditor:
    """The editor of one declared type; `declared` None where nothing is known."""

    def __init__(
        self,
        declared: ValueType | None,
        *,
        plain: bool = False,
        current: Data | None = None,
        reverse_deviation: bool = False,
    ) -> None:
        self.declared = declared if declared is not None and not declared.is_any else None
        self.plain = plain
        self.reverse_deviation = reverse_deviation
        """The meter counts the deviation the other way: times are written as the standard says, and turned."""
        self.current = current if current is None else self.standard(current)
        """The value as it was read last: what a new one begins with."""

    def standard(self, data: Data) -> Data:
        """The meter's value with deviations as the standard counts them; and the other way round."""
        return reversed_deviations(data, self.declared or ValueType()) if self.reverse_deviation else data

    @property
    def declared_names(self) -> tuple[str, ...]:
        """The types that the class allows, the usual one first."""
        kinds = (option.kind for option in self.declared.options) if self.declared else ()
        return tuple(dict.fromkeys(kind.asn1_name for kind in kinds if kind is not None))

    def type_choices(self, empty: str = "") -> list[Any]:
        """The choices of a select: what is declared, then everything else."""
        first = [("", empty)] if empty else []
        others = [(name, name) for name in TYPE_NAMES if name not in self.declared_names]
        if not self.declared_names:
            return first + others
        declared = [(name, name) for name in self.declared_names]
        return [*first, ("As the class declares it", declared), ("Another type", others)]

    def option(self, type_name: str) -> ValueType:
        """The declared type of that name, with all that is known of it; the bare type where nothing is, or where it is wanted."""
        declared = self._declared_option(type_name)
        bare = declared is None or (self.plain and not declared.constructed)
        return ValueType(TYPES_BY_NAME[type_name]) if bare or declared is None else declared

    def _declared_option(self, type_name: str) -> ValueType | None:
        kind = TYPES_BY_NAME[type_name]
        options = [option for option in self.declared.options if option.kind is kind] if self.declared else []
        return ValueType(alternatives=tuple(options)) if len(options) > 1 else next(iter(options), None)

    def field(self, type_name: str) -> forms.Field:
        """The field for a value of that type."""
        option = self.option(type_name)
        common: dict[str, Any] = {"label": "Value", "required": False, "help_text": hint(option)}
        if option.constructed:
            lines = min(16, max(4, (self._initial_text(option) or "").count("\n") + 1))
            return forms.CharField(**common, max_length=MAX_TEXT, widget=forms.Textarea(attrs={"rows": lines}))
        if option.kind is DataType.BOOLEAN:
            choices = [*self._unchosen(), ("true", "true"), ("false", "false")]
            return forms.CharField(**common, widget=forms.Select(choices=choices))
        if option.words and option.bits:
            return BitsField(**common, choices=self._bit_choices(option))
        if option.words and option.kind is DataType.ENUM:
            return forms.CharField(**common, widget=forms.Select(choices=self._word_choices(option)))
        return forms.CharField(**common, max_length=MAX_TEXT, strip=False)

    def has_meaning(self, type_name: str) -> bool:
        """Whether the class says more of such a value than its type: words, a meaning of its octets, a length."""
        option = self._declared_option(type_name)
        single = option is not None and not option.constructed and option.kind is not None
        return option is not None and single and bool(option.words or option.size or option.form is not Form.PLAIN)

    def outline(self, type_name: str) -> list[str]:
        """The expected structure, line by line; empty for single values and unknown structures."""
        option = self.option(type_name)
        return list(outline(option)) if option.constructed else []

    # -- what stands in the field ------------------------------------------------------------------------------------------

    @property
    def initial_type(self) -> str:
        """The type that the current value has, else the first one that is declared."""
        if self.current is not None and self.current.type.asn1_name in TYPE_NAMES:
            return self.current.type.asn1_name
        return next(iter(self.declared_names), "")

    def initial(self, type_name: str) -> Any:
        """The current value as the field takes it; what is needed of a method's parameter where there is none."""
        option = self.option(type_name)
        if self.current is None or self.current.type is not TYPES_BY_NAME[type_name]:
            return "0" if option.form is Form.ZERO else None
        if option.words and option.bits:
            return [str(bit) for bit in set_bits(self.current)]
        return self._initial_text(option)

    def _initial_text(self, option: ValueType) -> str | None:
        if self.current is None:
            return None
        if option.constructed:
            return json.dumps(to_json(self.current, option), indent=1, ensure_ascii=False)
        return entry_text(self.current, option)

    def _unchosen(self) -> list[tuple[str, str]]:
        """Where no value was read none is proposed."""
        return [("", "choose…")] if self.current is None else []

    def _word_choices(self, option: ValueType) -> list[tuple[str, str]]:
        choices = [*self._unchosen(), *((str(value), f"{value} {word}") for value, word in option.words.items())]
        current = str(self.current.value) if self.current is not None and self.current.type is option.kind else None
        if current is not None and current not in dict(choices):
            choices.append((current, current))
        return choices

    def _bit_choices(self, option: ValueType) -> list[tuple[str, str]]:
        named = dict(option.words)
        beyond = range(option.size) if option.kind is DataType.BIT_STRING else ()
        for bit in (*beyond, *(set_bits(self.current) if self.current is not None else ())):
            named.setdefault(bit, f"bit {bit}")
        return [(str(bit), named[bit]) for bit in sorted(named)]

    # -- what comes out ----------------------------------------------------------------------------------------------------

    def read(self, type_name: str, value: str | Sequence[str]) -> Data:
        """The value; EntryError says what is wrong with it."""
        return self.standard(self._read(type_name, value))

    def _read(self, type_name: str, value: str | Sequence[str]) -> Data:
        option = self.option(type_name)
        if value == "" and isinstance(self.field(type_name).widget, forms.Select):
            raise EntryError("choose one of them")
        if not isinstance(value, str):
            return self._from_bits([int(bit) for bit in value], option)
        if not option.constructed:
            return parse_entry(value, option)
        try:
            written = json.loads(value)
        except (ValueError, RecursionError):
            raise EntryError(f"{option} is written as JSON") from None
        return from_json(written, option)

    def _from_bits(self, bits: Sequence[int], option: ValueType) -> Data:
        assert option.kind is not None
        if option.kind is not DataType.BIT_STRING:
            return Data(option.kind, sum(1 << bit for bit in bits))
        length = option.size or self._current_bits() or max([*option.words, *bits], default=-1) + 1
        digits = "".join("1" if bit in bits else "0" for bit in range(length))
        return parse_entry(digits, option)

    def _current_bits(self) -> int:
        value = self.current.value if self.current is not None else None
        return value.length if isinstance(value, BitString) else 0


def set_bits(data: Data) -> list[int]:
    """The numbers of the bits that are set: from the lowest of a number, from the first of a bit-string."""
    if isinstance(data.value, BitString):
        return [bit for bit, digit in enumerate(str(data.value)) if digit == "1"]
    if not isinstance(data.value, int):
        return []
    return [bit for bit in range(data.value.bit_length()) if data.value >> bit & 1]


def hint(option: ValueType) -> str:
    """What may stand in the field: `0 to 65535 s.`."""
    words = f" {legend(option)}." if option.words and option.kind is not DataType.ENUM and not option.bits else ""
    unit = f" {option.unit}" if option.unit else ""
    if option.form in _EXAMPLES:
        return f"{_EXAMPLES[option.form]}{words}"
    if option.fields or option.element is not None or option.alternatives:
        return "JSON: structures as objects of their fields, arrays as lists."
    if option.words and (option.bits or option.kind is DataType.ENUM):
        return ""
    if option.kind in INTEGRAL and option.kind in RANGES:
        least, most = RANGES[option.kind]
        return f"{least} to {most}{unit}.{words}"
    if option.size:
        return f"{option.size} {'bits' if option.kind is DataType.BIT_STRING else 'octets, in hex'}."
    return _KIND_HINTS.get(option.kind, "") if option.kind is not None else ""
