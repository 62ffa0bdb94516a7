"""Text and JSON that every database takes. Meters put anything into their strings; PostgreSQL refuses a NUL in any of them."""

from __future__ import annotations

from typing import Any, TypeVar

NUL, SYMBOL_FOR_NUL = "\x00", "␀"

T = TypeVar("T")

_AS_THEY_ARE = frozenset((int, float, bool, type(None)))


def storable(value: T) -> T:
    """The same text, number, list or object, with a visible sign where a NUL stood; lone surrogates become question marks."""
    made: Any = value
    if isinstance(value, str):
        if value.isascii() and NUL not in value:
            return value
        made = value.replace(NUL, SYMBOL_FOR_NUL).encode("utf-8", "replace").decode("utf-8")
    elif isinstance(value, dict):
        made = {storable(key): storable(content) for key, content in value.items()}
    elif isinstance(value, list | tuple):
        made = [content if type(content) in _AS_THEY_ARE else storable(content) for content in value]
    return made
