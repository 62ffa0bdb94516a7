"""Scopes."""

from __future__ import annotations

import pytest

from meters.api.access import BearerToken, needs, require
from meters.api.problems import Refused
from workbench.models import ApiToken


def test_an_endpoint_declares_its_scope_where_it_stands() -> None:
    declared = needs("meters:read")
    assert isinstance(declared["auth"], BearerToken)
    assert declared["auth"].scope == declared["openapi_extra"]["x-scope"] == "meters:read"


def test_what_is_missing_is_named() -> None:
    require(ApiToken(scopes=["meters:read"]), "meters:read")
    with pytest.raises(Refused) as caught:
        require(ApiToken(scopes=["meters:read"]), "keys:write")
    assert caught.value.status == 403
    assert "keys:write" in caught.value.problem.message
    assert 'scope="keys:write"' in caught.value.headers["WWW-Authenticate"]


def test_the_judge_is_named_by_the_settings(settings, rf) -> None:
    settings.API_AUTHENTICATION = "tests.meters.api.test_access.judge"
    assert BearerToken("meters:read").authenticate(rf.get("/"), "good").scopes == ["meters:read"]


def judge(request, text):
    assert text == "good"
    return ApiToken(scopes=["meters:read"])
