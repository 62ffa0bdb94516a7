"""What a token says of itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from workbench.models import ApiToken

NOW = timezone.now()
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("expires", "revoked", "alive"),
    [
        (None, None, True),
        (NOW + HOUR, None, True),
        (NOW - HOUR, None, False),
        (None, NOW, False),
        (NOW + HOUR, NOW, False),
    ],
)
def test_it_is_alive_until_it_ends_or_is_revoked(expires, revoked, alive) -> None:
    assert ApiToken(expires=expires, revoked=revoked).is_alive is alive


def test_it_allows_its_scopes_and_no_beginning_of_one() -> None:
    token = ApiToken(scopes=["meters:read"])
    assert token.allows("meters:read")
    for scope in ("meters:write", "meters", "meters:", "", "meters:read "):
        assert not token.allows(scope)


def test_nothing_prints_its_digest() -> None:
    token = ApiToken(pk=1, name="nightly", prefix="abc", digest="f" * 64)
    assert "fff" not in f"{token!r} {token}"
