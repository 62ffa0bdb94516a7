"""What a name, a tag, a title may hold."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from meters.models import DEVICE_ADDRESS, NAME, SYSTEM_TITLE, TAG_NAME


@pytest.mark.parametrize(
    ("validator", "good", "bad"),
    [
        (SYSTEM_TITLE, ["", "4D4D4D0000BC614E", "4d4d4d0000bc614e"], ["4D", "4D4D4D0000BC614E00", "4D4D4D0000BC614G"]),
        (DEVICE_ADDRESS, ["", "12345678", "A b 9"], ["ä", "1!", "1" * 33]),
        (TAG_NAME, ["lab", "two words"], ["", "a,b", "a\nb"]),
        (NAME, ["Lot 7, shelf 3"], ["", "a\x00b", "a\tb"]),
    ],
)
def test_what_passes_and_what_does_not(validator, good: list[str], bad: list[str]) -> None:
    for text in good:
        validator(text)
    for text in bad:
        with pytest.raises(ValidationError):
            validator(text)
