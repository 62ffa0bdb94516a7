"""Each endpoint with each kind of token, made from the routes themselves: a new endpoint is in here at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.api import ROOT, Api
from workbench import tokens
from workbench.api import document
from workbench.models import ApiToken
from workbench.tokens import SCOPES, revoke_token

pytestmark = pytest.mark.django_db
ENDPOINTS = [
    (method, path, declared) for path, methods in document()["paths"].items() for method, declared in methods.items()
]
NAMES = [f"{method} {path}" for method, path, _ in ENDPOINTS]
REACHED = (200, 201, 404, 409, 422)
"""How an endpoint itself answers."""
each_endpoint = pytest.mark.parametrize(("method", "path", "declared"), ENDPOINTS, ids=NAMES)


@pytest.fixture(autouse=True)
def nobody_failed_yet():
    tokens.cache.clear()


def ask(api: Api, method: str, path: str):
    """With ids that are well formed and lead nowhere, and a body that says nothing."""
    address = path.removeprefix(ROOT)
    while "{" in address:
        before, _, rest = address.partition("{")
        address = f"{before}999999{rest.partition('}')[2]}"
    return api.ask(method, address, {} if method in ("post", "patch", "put") else None)


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@each_endpoint
def test_it_says_which_scope_it_needs(method, path, declared) -> None:
    assert declared["x-scope"] in SCOPES
    assert declared["security"] == [{"BearerToken": []}]
    assert declared["summary"]
    assert declared["tags"]
    assert {"400", "401", "403", "413", "422", "429"} <= set(declared["responses"])


@each_endpoint
def test_nobody_gets_in_without_a_good_token(method, path, declared) -> None:
    good = Api(networks=["127.0.0.0/8"])
    assert code(ask(Api(text=""), method, path)) == (401, "unauthenticated")
    assert code(ask(Api(text="mwb_000000000000.wrong"), method, path)) == (401, "unauthenticated")
    assert code(ask(Api(text=good.text[:-3] + "xyz"), method, path)) == (401, "unauthenticated")
    assert code(ask(Api(networks=["192.0.2.0/24"]), method, path)) == (403, "address-not-allowed")
    answer = ask(good, method, path)
    assert answer.status_code in REACHED, answer.content
    ApiToken.objects.filter(pk=good.token.pk).update(expires=timezone.now() - timedelta(seconds=1))
    assert code(ask(good, method, path)) == (401, "unauthenticated")
    ApiToken.objects.filter(pk=good.token.pk).update(expires=None)
    good.user.is_active = False
    good.user.save()
    assert code(ask(good, method, path)) == (401, "unauthenticated")
    good.user.is_active = True
    good.user.save()
    revoke_token(user=good.user, token_id=good.token.pk)
    assert code(ask(good, method, path)) == (401, "unauthenticated")


@each_endpoint
def test_its_scope_is_needed_and_is_enough(method, path, declared) -> None:
    scope = declared["x-scope"]
    others = Api(*(name for name in SCOPES if name != scope))
    answer = ask(others, method, path)
    assert code(answer) == (403, "scope-missing")
    assert scope in answer.json()["message"]
    assert scope in answer.headers["WWW-Authenticate"]
    answer = ask(Api(scope), method, path)
    assert answer.status_code in REACHED, answer.content


def test_an_endpoint_that_forgets_its_scope_is_closed() -> None:
    from workbench.api import api

    (undeclared,) = api.auth
    assert undeclared.scope not in SCOPES


def test_every_scope_opens_something() -> None:
    named = {declared["x-scope"] for _, _, declared in ENDPOINTS} | {"keys:write"}  # which bodies with secrets need
    assert set(SCOPES) - {"meters:write"} == named - {"meters:write"}


def test_no_name_of_an_endpoint_stands_twice() -> None:
    names = [declared["operationId"] for _, _, declared in ENDPOINTS]
    assert len(names) == len(set(names))
