"""Which of their columns is which of ours: guessed by the headings, chosen by the user."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence

from django.core.exceptions import ValidationError

from meters.imports.columns import BY_KEY, COLUMNS


def folded(heading: str) -> str:
    """A heading as it is compared: small letters and digits, one blank between words, without what stands in brackets."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", heading)
    words = re.sub(r"\(.*?\)|\[.*?\]", " ", words).lower()
    return re.sub(r"[\W_]+", " ", words).strip()


_NAMES = {
    folded(name): column.key for column in reversed(COLUMNS) for name in (*column.synonyms, column.words, column.key)
}


def guess(headings: Sequence[str], left_out: Collection[int] = ()) -> dict[str, int]:
    """By our columns the numbers of theirs, where a heading is a word that we know; the first of two wins."""
    found: dict[str, int] = {}
    for number, heading in enumerate(headings):
        key = _NAMES.get(folded(heading))
        if key is not None and number not in left_out:
            found.setdefault(key, number)
    return found


def headings_print(headings: Sequence[str]) -> str:
    """Equal for files with the same headings."""
    return hashlib.sha256("\x1f".join(headings).encode()).hexdigest()


def check_mapping(mapping: Mapping[str, int], headings: Sequence[str], left_out: Collection[int] = ()) -> None:
    """ValidationError unless it names our columns, theirs, none twice, and the serial number."""
    if unknown := [key for key in mapping if key not in BY_KEY]:
        raise ValidationError(f"There is no column “{unknown[0][:50]}”.")
    if any(not 0 <= number < len(headings) for number in mapping.values()):
        raise ValidationError("The file has no such column.")
    if hidden := [key for key, number in mapping.items() if number in left_out]:
        raise ValidationError(f"{BY_KEY[hidden[0]].words}: this column was left out, for it looks like keys.")
    missing = [column.words for column in COLUMNS if column.required and column.key not in mapping]
    if missing:
        raise ValidationError(f"{missing[0]}: choose the column that holds it. By it a meter is known.")
