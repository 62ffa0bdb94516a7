"""The page “API tokens”: each person's own, made and revoked."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.api import Api
from tests.sessions.builders import make_user
from workbench.models import ApiToken
from workbench.tokens import make_token

pytestmark = pytest.mark.django_db
LIST = "/accounts/tokens/"
FIELDS = {"name": "nightly", "scopes": ["meters:read", "log:read"], "expires": "90"}


@pytest.fixture
def anna(client):
    client.force_login(make_user("anna"))
    return client


def made(user: str = "anna", name: str = "nightly") -> ApiToken:
    return make_token(user=make_user(user), name=name, scopes=["meters:read"])[0]


class TestWho:
    def test_nobody_without_signing_in(self, client) -> None:
        token = made()
        for path in ("", "add/", f"{token.pk}/revoke/"):
            for answer in (client.get(LIST + path), client.post(LIST + path, FIELDS)):
                assert (answer.status_code, answer.url) == (302, f"/accounts/login/?next={LIST}{path}")
        assert [token.revoked for token in ApiToken.objects.all()] == [None]

    def test_what_changes_something_is_posted_with_the_token_of_the_page(self) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(make_user("anna"))
        token = made()
        assert client.post(f"{LIST}add/", FIELDS).status_code == 403
        assert client.post(f"{LIST}{token.pk}/revoke/").status_code == 403
        assert client.get(f"{LIST}{token.pk}/revoke/").status_code == 405

    def test_another_persons_tokens_are_not_there(self, anna) -> None:
        token = made("ben", "of ben")
        assert "of ben" not in anna.get(LIST).content.decode()
        assert anna.post(f"{LIST}{token.pk}/revoke/").status_code == 404
        token.refresh_from_db()
        assert token.revoked is None

    def test_no_token_opens_a_page(self, client) -> None:
        text = Api().text
        assert client.get(LIST, headers={"Authorization": f"Bearer {text}"}).status_code == 302


class TestMaking:
    def test_it_is_shown_once_and_works(self, anna) -> None:
        answer = anna.post(f"{LIST}add/", FIELDS)
        (text,) = set(re.findall(r"mwb_[0-9a-f]+\.[\w-]+", answer.content.decode()))
        assert "no-store" in answer.headers["Cache-Control"]
        assert Api(text=text).get("/meters").status_code == 200
        page = anna.get(LIST).content.decode()
        assert text.split(".")[1] not in page
        assert text.split(".")[0] in page

    def test_a_refusal_keeps_what_was_typed(self, anna) -> None:
        answer = anna.post(f"{LIST}add/", {**FIELDS, "networks": "next-door"})
        page = answer.content.decode()
        assert "“next-door” is no address" in page
        assert 'value="nightly"' in page
        assert not ApiToken.objects.exists()

    def test_too_many_are_refused_above_the_form(self, anna, monkeypatch) -> None:
        monkeypatch.setattr("workbench.tokens.MAX_TOKENS", 0)
        assert "revoke what nobody uses" in anna.post(f"{LIST}add/", FIELDS).content.decode()


class TestRevoking:
    def test_one_click_ends_it(self, anna) -> None:
        token = made()
        answer = anna.post(f"{LIST}{token.pk}/revoke/", follow=True)
        assert "nothing can use it any more" in answer.content.decode()
        token.refresh_from_db()
        assert not token.is_alive
        assert "Revoke</button>" not in anna.get(LIST).content.decode()


class TestPage:
    def test_without_tokens_it_says_what_they_are_for(self, anna) -> None:
        assert "Make the first token" in anna.get(LIST).content.decode()

    def test_names_are_escaped(self, anna) -> None:
        made(name="<script>alert(1)</script>")
        assert "<script>alert" not in anna.get(LIST).content.decode()

    def test_many_tokens_cost_no_more_queries(self, anna, django_assert_num_queries) -> None:
        for number in range(5):
            made(name=f"t{number}")
        with django_assert_num_queries(3):
            anna.get(LIST)
