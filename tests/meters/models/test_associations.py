"""What an association needs of keys and counters."""

from __future__ import annotations

import pytest

from meters.models import Association


@pytest.mark.parametrize(
    ("authentication", "protection", "response_protection", "ciphered", "needs_counters"),
    [
        ("none", "none", "", False, False),
        ("lls", "none", "none", False, False),
        ("hls-gmac", "none", "", False, True),
        ("none", "none", "encrypted", True, False),
        ("none", "authenticated", "", True, True),
    ],
)
def test_what_is_ciphered_and_what_uses_counters(
    authentication: str, protection: str, response_protection: str, ciphered: bool, needs_counters: bool
) -> None:
    association = Association(
        authentication=authentication, protection=protection, response_protection=response_protection
    )
    assert association.ciphered is ciphered
    assert association.needs_counters is needs_counters
