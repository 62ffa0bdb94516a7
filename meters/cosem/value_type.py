"""What an attribute, a structure's field or a method's parameter is declared as, and the notation that says it.

    u8 u16 u32 u64 i8 i16 i32 i64 f32 f64    numbers               b e bcd null    boolean, enum, bcd, null-data
    os vs utf8 bs                            strings, bit-string    any num         any type, any number
    ln dt da ti text oid ip4 ip6 title       octet-strings (ip4: a number) with a meaning, see `Form`
    class attribute method zero              numbers with a meaning
    os:16 bs:24                              with a length, in octets or bits
    e(sort_method)                           with words for its values, or for its bits where the words count bits
    u32<s>                                   with a unit
    [T]   {name T, name T}   T/T             array, structure, choice of several
    st arr ca                                a structure, an array, a compact-array of which no more is known

Every other word is the name of a structure in `class_structures`. Source of the types: Blue Book, clause 4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cache
from typing import Final

from meters.cosem.class_structures import STRUCTURES
from meters.cosem.class_words import BITS, WORDS
from meters.cosem.data import INTEGERS, BitString, Data, DataType


class Form(Enum):
    """What the octets or the number of a value mean, beyond their type."""

    PLAIN = ""
    LOGICAL_NAME = "logical name"
    DATE_TIME = "date-time"
    DATE = "date"
    TIME = "time"
    TEXT = "text"
    OBJECT_IDENTIFIER = "object identifier"
    IPV4 = "IPv4 address"
    IPV6 = "IPv6 address"
    SYSTEM_TITLE = "system title"
    CLASS_ID = "class"
    ATTRIBUTE_ID = "attribute"
    METHOD_ID = "method"
    ZERO = "always 0"


FORM_SIZES: Final = {
    Form.LOGICAL_NAME: 6,
    Form.DATE_TIME: 12,
    Form.DATE: 5,
    Form.TIME: 4,
    Form.IPV6: 16,
    Form.SYSTEM_TITLE: 8,
}
_TYPED: Final = {Form.DATE_TIME: DataType.DATE_TIME, Form.DATE: DataType.DATE, Form.TIME: DataType.TIME}
"""Declared as octet-strings, and sent with a type of their own by newer meters."""
RANGES: Final = {
    DataType.INTEGER: (-(2**7), 2**7 - 1),
    DataType.LONG: (-(2**15), 2**15 - 1),
    DataType.DOUBLE_LONG: (-(2**31), 2**31 - 1),
    DataType.LONG64: (-(2**63), 2**63 - 1),
    DataType.UNSIGNED: (0, 2**8 - 1),
    DataType.LONG_UNSIGNED: (0, 2**16 - 1),
    DataType.DOUBLE_LONG_UNSIGNED: (0, 2**32 - 1),
    DataType.LONG64_UNSIGNED: (0, 2**64 - 1),
    DataType.ENUM: (0, 2**8 - 1),
    DataType.BCD: (0, 2**8 - 1),
}
_FEW_WORDS: Final = 12
NUMBERS: Final = INTEGERS | {DataType.FLOAT32, DataType.FLOAT64, DataType.BCD}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a structure."""

    name: str
    type: ValueType


@dataclass(frozen=True, slots=True)
class ValueType:
    """A declared type. `kind` None is a choice: of `alternatives`, or without them of every type (of numbers, if `numeric`)."""

    kind: DataType | None = None
    form: Form = Form.PLAIN
    size: int = 0
    """Octets of a string, bits of a bit-string; 0 is any number of them."""
    words: Mapping[int, str] = field(default_factory=dict)
    bits: bool = False
    """The words name bits: of a number from the lowest, of a bit-string from the first one sent."""
    unit: str = ""
    fields: tuple[Field, ...] = ()
    element: ValueType | None = None
    alternatives: tuple[ValueType, ...] = ()
    title: str = ""
    """What a structure is called: `script`."""
    numeric: bool = False

    @property
    def is_any(self) -> bool:
        return self.kind is None and not self.alternatives

    @property
    def constructed(self) -> bool:
        """Whether it is, or may be, made of other values."""
        if self.kind is None:
            return any(alternative.constructed for alternative in self.alternatives)
        return self.kind in (DataType.ARRAY, DataType.STRUCTURE, DataType.COMPACT_ARRAY)

    def fits(self, data: Data) -> bool:
        """Whether a value has this type: the same kinds all the way down, the same fields, the same lengths."""
        if self.kind is None:
            if self.numeric:
                return data.type in NUMBERS
            return not self.alternatives or any(alternative.fits(data) for alternative in self.alternatives)
        if data.type is _TYPED.get(self.form):
            return True
        if data.type is not self.kind:
            return False
        if self.kind is DataType.STRUCTURE and self.fields:
            return len(data) == len(self.fields) and all(
                part.type.fits(value) for part, value in zip(self.fields, data, strict=True)
            )
        if self.element is not None:
            return all(self.element.fits(value) for value in data)
        return not self.size or _length(data) == self.size

    def alternative_for(self, data: Data) -> ValueType:
        """Of a choice the alternative that the value took; else the type itself."""
        if self.kind is not None or not self.alternatives:
            return self
        same_kind = (one for one in self.alternatives if one.kind is data.type)
        return next((one for one in self.alternatives if one.fits(data)), next(same_kind, self))

    @property
    def options(self) -> tuple[ValueType, ...]:
        """The types that a value may have: itself, or what it chooses from. Empty for any."""
        if self.kind is not None:
            return (self,)
        return tuple(option for alternative in self.alternatives for option in alternative.options)

    def __str__(self) -> str:
        """`long-unsigned`, `array of script`, `octet-string (logical name)`, `any`."""
        if self.kind is None:
            if self.numeric:
                return "any number"
            return " or ".join(str(alternative) for alternative in self.alternatives) or "any"
        if self.element is not None:
            return f"{self.kind.asn1_name} of {self.element}"
        meaning = self.title or self.form.value
        if self.kind is DataType.STRUCTURE:
            fields = ", ".join(part.name for part in self.fields)
            return meaning or (f"structure of {fields}" if fields else self.kind.asn1_name)
        length = f"{self.size} {'bits' if self.kind is DataType.BIT_STRING else 'octets'}" if self.size else ""
        told = ", ".join(part for part in (meaning, "" if self.form in FORM_SIZES else length) if part)
        return f"{self.kind.asn1_name} ({told})" if told else self.kind.asn1_name


def _length(data: Data) -> int:
    value = data.value
    return value.length if isinstance(value, BitString) else len(value)


def outline(declared: ValueType, indent: str = "") -> Iterator[str]:
    """The expected structure, a line for each field: what somebody who writes such a value has to know."""
    if declared.element is not None and declared.element.constructed:
        yield f"{indent}array, each element:"
        yield from outline(declared.element, indent + "  ")
        return
    for part in declared.fields:
        yield f"{indent}{part.name}: {_told(part.type)}"
        inner = part.type.element if part.type.element is not None else part.type
        yield from outline(inner, indent + "  ")
    if not declared.fields:
        for option in declared.alternatives:
            if option.fields:
                yield f"{indent}either {option}:"
                yield from outline(option, indent + "  ")


def _told(declared: ValueType) -> str:
    unit = f", {declared.unit}" if declared.unit else ""
    return f"{declared}{unit}{f' ({words})' if (words := legend(declared)) else ''}"


def legend(declared: ValueType) -> str:
    """The words of a type with few of them: `0 disconnected, 1 connected`; empty for others."""
    sign = "bit " if declared.bits else ""
    few = len(declared.words) <= _FEW_WORDS
    return ", ".join(f"{sign}{value} {word}" for value, word in declared.words.items()) if few else ""


# -- the notation ------------------------------------------------------------------------------------------------------

_KINDS: Final = {
    "null": DataType.NULL_DATA,
    "b": DataType.BOOLEAN,
    "e": DataType.ENUM,
    "bcd": DataType.BCD,
    "i8": DataType.INTEGER,
    "i16": DataType.LONG,
    "i32": DataType.DOUBLE_LONG,
    "i64": DataType.LONG64,
    "u8": DataType.UNSIGNED,
    "u16": DataType.LONG_UNSIGNED,
    "u32": DataType.DOUBLE_LONG_UNSIGNED,
    "u64": DataType.LONG64_UNSIGNED,
    "f32": DataType.FLOAT32,
    "f64": DataType.FLOAT64,
    "os": DataType.OCTET_STRING,
    "vs": DataType.VISIBLE_STRING,
    "utf8": DataType.UTF8_STRING,
    "bs": DataType.BIT_STRING,
    "arr": DataType.ARRAY,
    "st": DataType.STRUCTURE,
    "ca": DataType.COMPACT_ARRAY,
}
_FORMS: Final = {
    "ln": (DataType.OCTET_STRING, Form.LOGICAL_NAME),
    "dt": (DataType.OCTET_STRING, Form.DATE_TIME),
    "da": (DataType.OCTET_STRING, Form.DATE),
    "ti": (DataType.OCTET_STRING, Form.TIME),
    "text": (DataType.OCTET_STRING, Form.TEXT),
    "oid": (DataType.OCTET_STRING, Form.OBJECT_IDENTIFIER),
    "ip4": (DataType.DOUBLE_LONG_UNSIGNED, Form.IPV4),
    "ip6": (DataType.OCTET_STRING, Form.IPV6),
    "title": (DataType.OCTET_STRING, Form.SYSTEM_TITLE),
    "class": (DataType.LONG_UNSIGNED, Form.CLASS_ID),
    "attribute": (DataType.INTEGER, Form.ATTRIBUTE_ID),
    "method": (DataType.INTEGER, Form.METHOD_ID),
    "zero": (DataType.INTEGER, Form.ZERO),
}
_VARIANT: Final = re.compile(r"_(\d|bits)$")
"""What tells the structure of a later version from the first one."""
_TOKEN: Final = re.compile(r"\s*(?:(?P<word>[\w&-]+)|(?P<unit><[^>]*>)|(?P<sign>[\[\]{}(),/:]))")


@cache
def parse_type(notation: str) -> ValueType:
    """The type that the notation says; ValueError for what is none."""
    parser = _Parser(notation)
    declared = parser.choice()
    parser.expect_end()
    return declared


def named(word: str) -> ValueType:
    """The type that one word stands for."""
    if word in _KINDS:
        return ValueType(_KINDS[word])
    if word in _FORMS:
        kind, form = _FORMS[word]
        return ValueType(kind, form, FORM_SIZES.get(form, 0))
    if word in ("any", "num"):
        return ValueType(numeric=word == "num")
    if word in STRUCTURES:
        return replace(parse_type(STRUCTURES[word]), title=_VARIANT.sub("", word).replace("_", " "))
    raise ValueError(f"“{word}” is no type and no structure")


class _Parser:
    """Reads one notation from left to right."""

    def __init__(self, notation: str) -> None:
        self.notation = notation
        self.position = 0

    def choice(self) -> ValueType:
        options = [self.one()]
        while self.take("/"):
            options.append(self.one())
        return options[0] if len(options) == 1 else ValueType(alternatives=tuple(options))

    def one(self) -> ValueType:
        if self.take("["):
            declared = ValueType(DataType.ARRAY, element=self.choice())
            self.expect("]")
        elif self.take("{"):
            declared = ValueType(DataType.STRUCTURE, fields=tuple(self.fields()))
        else:
            declared = named(self.word())
        if self.take(":"):
            declared = replace(declared, size=int(self.word()))
        if self.take("("):
            declared = self.with_words(declared, self.word())
            self.expect(")")
        unit = self.next("unit")
        return replace(declared, unit=unit[1:-1]) if unit else declared

    def fields(self) -> Iterator[Field]:
        while True:
            yield Field(self.word(), self.choice())
            if not self.take(","):
                self.expect("}")
                return

    def with_words(self, declared: ValueType, name: str) -> ValueType:
        if name in BITS:
            return replace(declared, words=BITS[name], bits=True)
        if name not in WORDS:
            raise ValueError(f"“{name}” has no words")
        return replace(declared, words=WORDS[name])

    def next(self, group: str, sign: str = "") -> str:
        """The next token if it is of this group (and this sign), else nothing."""
        found = _TOKEN.match(self.notation, self.position)
        text = found[group] if found else None
        if found is None or text is None or (sign and text != sign):
            return ""
        self.position = found.end()
        return text

    def take(self, sign: str) -> bool:
        return bool(self.next("sign", sign))

    def word(self) -> str:
        word = self.next("word")
        if not word:
            raise self.error("a name")
        return word

    def expect(self, sign: str) -> None:
        if not self.take(sign):
            raise self.error(sign)

    def expect_end(self) -> None:
        if self.notation[self.position :].strip():
            raise self.error("the end")

    def error(self, wanted: str) -> ValueError:
        rest = self.notation[self.position :]
        return ValueError(f"{wanted} is missing before “{rest}” in “{self.notation}”")
