"""Tokens: made, judged, revoked; and everything that is no token."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import RequestFactory
from django.utils import timezone

from meters.api.problems import Refused
from meters.models import Change
from tests.api import Api
from tests.sessions.builders import make_user
from workbench import tokens
from workbench.models import ApiToken
from workbench.tokens import alive_tokens, authenticate, client_address, make_token, read_networks, revoke_token

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_failed_yet():
    tokens.cache.clear()


def made(**fields) -> tuple[ApiToken, str]:
    return make_token(**{"user": make_user("anna"), "name": "nightly", "scopes": ["meters:read"], **fields})


def asked(text: str, address: str = "10.1.2.3", **headers: str) -> ApiToken:
    return authenticate(RequestFactory().get("/", REMOTE_ADDR=address, headers=headers), text)


def refused(text: str, **asking: str) -> Refused:
    with pytest.raises(Refused) as caught:
        asked(text, **asking)
    return caught.value


class TestMaking:
    def test_the_text_is_given_once_and_only_its_hash_is_kept(self) -> None:
        token, text = made()
        prefix, secret = text.removeprefix("mwb_").split(".")
        row = ApiToken.objects.values().get()
        assert row["prefix"] == prefix
        assert len(secret) >= 43
        assert secret not in json.dumps(row, default=str)
        assert secret not in repr(token)
        assert made()[1] != text

    def test_the_change_log_tells_of_it_without_the_secret(self) -> None:
        token, text = made(networks=["10.0.0.0/8"], expires=timezone.now() + timedelta(days=1))
        (entry,) = Change.objects.filter(kind=Change.Kind.TOKEN)
        assert (entry.object_id, entry.action, entry.label) == (token.pk, "CREATE", f"nightly ({token.prefix})")
        assert set(entry.fields) == {"scopes", "networks", "expires"}
        assert text.split(".")[1] not in json.dumps(entry.fields)

    @pytest.mark.parametrize(
        ("fields", "field", "reason"),
        [
            ({"scopes": []}, "scopes", "choose some"),
            ({"scopes": ["meters:read", "root"]}, "scopes", "no scope root"),
            ({"networks": ["10.0.0.0/8", "next door"]}, "networks", "next door"),
            ({"networks": ["10.1.2.3/8"]}, "networks", "is no address"),
            ({"networks": [f"10.0.0.{n}" for n in range(21)]}, "networks", "At most 20"),
            ({"expires": timezone.now() - timedelta(seconds=1)}, "expires", "over already"),
            ({"name": ""}, "name", "blank"),
            ({"name": "a\x00b"}, "name", "control"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, fields, field, reason) -> None:
        with pytest.raises(ValidationError) as caught:
            made(**fields)
        assert reason in " ".join(caught.value.message_dict[field])
        assert not ApiToken.objects.exists()

    def test_nobody_hoards_tokens(self, monkeypatch) -> None:
        monkeypatch.setattr(tokens, "MAX_TOKENS", 2)
        first, _ = made()
        made()
        with pytest.raises(ValidationError, match="revoke what nobody uses"):
            made()
        revoke_token(user=first.user, token_id=first.pk)
        made()

    def test_networks_are_written_in_their_usual_form(self) -> None:
        assert read_networks(["10.0.0.1", " 10.0.0.1/32", "2001:DB8::/32", ""]) == ["10.0.0.1/32", "2001:db8::/32"]


class TestRevoking:
    def test_it_is_dead_at_once_and_stays_in_the_list(self) -> None:
        token, text = made()
        assert asked(text) == token
        revoke_token(user=token.user, token_id=token.pk)
        assert "revoked" in str(refused(text))
        assert list(ApiToken.objects.all()) == [token]
        assert not alive_tokens(token.user).exists()
        assert Change.objects.filter(kind=Change.Kind.TOKEN, action="DELETE").count() == 1

    def test_twice_is_once(self) -> None:
        token, _ = made()
        first = revoke_token(user=token.user, token_id=token.pk).revoked
        assert revoke_token(user=token.user, token_id=token.pk).revoked == first
        assert Change.objects.filter(kind=Change.Kind.TOKEN, action="DELETE").count() == 1

    def test_another_persons_stays(self) -> None:
        token, text = made()
        with pytest.raises(ApiToken.DoesNotExist):
            revoke_token(user=make_user("ben"), token_id=token.pk)
        assert asked(text) == token


class TestJudging:
    def test_the_right_one_brings_its_owner_and_its_use_is_noted(self) -> None:
        token, text = made()
        request = RequestFactory().get("/", REMOTE_ADDR="10.1.2.3")
        assert authenticate(request, text) == token
        assert request.user == token.user
        token.refresh_from_db()
        assert token.last_address == "10.1.2.3"
        assert token.last_used is not None

    def test_its_use_is_noted_once_a_minute_not_with_each_request(self, django_assert_num_queries) -> None:
        _, text = made()
        asked(text)
        with django_assert_num_queries(1):
            asked(text)
        with django_assert_num_queries(2):
            asked(text, address="10.1.2.4")

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda text: "",
            lambda text: text[:-1],
            lambda text: text + "A",
            lambda text: text.split(".")[0],
            lambda text: text.split(".")[0] + ".",
            lambda text: text.removeprefix("mwb_"),
            lambda text: text.replace("mwb_", "mwb_0"),
            lambda text: text.swapcase(),
            lambda text: "mwb_\x00.\x00",
            lambda text: "mwb_é.é",
            lambda text: "mwb_" + "a" * 10_000,
            lambda text: "Bearer " + text,
        ],
    )
    def test_anything_else_is_unknown(self, spoil) -> None:
        _, text = made()
        problem = refused(spoil(text))
        assert (problem.status, problem.problem.code, str(problem)) == (
            401,
            "unauthenticated",
            "This token is not known.",
        )
        assert problem.headers["WWW-Authenticate"].startswith("Bearer")

    def test_an_expired_one_says_so(self) -> None:
        token, text = made(expires=timezone.now() + timedelta(days=1))
        asked(text)
        ApiToken.objects.filter(pk=token.pk).update(expires=timezone.now() - timedelta(seconds=1))
        assert "expired" in str(refused(text))

    @pytest.mark.parametrize("gone", ["inactive", "deleted"])
    def test_it_dies_with_its_owner(self, gone) -> None:
        token, text = made()
        if gone == "deleted":
            token.user.delete()
        else:
            token.user.is_active = False
            token.user.save()
        assert refused(text).status == 401

    @pytest.mark.parametrize(
        ("networks", "address", "allowed"),
        [
            (["10.1.0.0/16"], "10.1.2.3", True),
            (["10.1.0.0/16"], "10.2.2.3", False),
            (["10.1.0.0/16"], "::ffff:10.1.2.3", True),
            (["2001:db8::/32"], "2001:db8::1", True),
            (["2001:db8::/32"], "10.1.2.3", False),
            (["10.1.0.0/16", "192.0.2.7"], "192.0.2.7", True),
            (["0.0.0.0/0"], "", False),
            (["0.0.0.0/0"], "nonsense", False),
        ],
    )
    def test_it_is_used_only_from_where_it_may(self, networks, address, allowed) -> None:
        token, text = made(networks=networks)
        if allowed:
            assert asked(text, address=address) == token
        else:
            assert (refused(text, address=address).status, refused(text, address=address).problem.code) == (
                403,
                "address-not-allowed",
            )

    @pytest.mark.parametrize(
        ("proxies", "passed", "found"),
        [
            (0, "192.0.2.1", "10.0.0.1"),
            (1, "192.0.2.1", "192.0.2.1"),
            (1, "6.6.6.6, 192.0.2.1", "192.0.2.1"),
            (2, "6.6.6.6, 192.0.2.1, 10.9.9.9", "192.0.2.1"),
            (2, "192.0.2.1", "10.0.0.1"),
        ],
    )
    def test_only_our_own_proxies_say_who_asks(self, settings, proxies, passed, found) -> None:
        settings.PROXIES = proxies
        request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": passed})
        assert client_address(request) == found

    def test_bad_ones_are_slowed_down_good_ones_are_not(self, monkeypatch) -> None:
        monkeypatch.setattr(tokens, "FAILURES", 3)
        token, text = made()
        assert [refused("mwb_x.y").status for _ in range(5)] == [401, 401, 401, 429, 429]
        assert refused("mwb_x.y").headers["Retry-After"] == "60"
        assert asked(text) == token
        assert refused("mwb_x.y", address="10.1.2.4").status == 401


class TestOverHttp:
    def test_never_in_the_address(self, client) -> None:
        _, text = made()
        for name in ("token", "access_token", "api_key", "Authorization"):
            assert client.get("/api/v1/meters", {name: text}).status_code == 401

    def test_no_cookie_is_enough(self, client) -> None:
        client.force_login(make_user("anna"))
        assert client.get("/api/v1/meters").status_code == 401

    def test_no_log_line_has_a_token(self, caplog) -> None:
        with caplog.at_level(logging.DEBUG):
            api = Api()
            api.get("/meters")
            Api(text=api.text[:-2] + "xx").get("/meters")
        assert api.text.split(".")[1][:20] not in caplog.text

    def test_what_a_token_changes_stands_under_both_names(self) -> None:
        from meters.changes import current_means

        _, text = made()
        asked(text)
        assert current_means.get() == "token nightly"
        revoke_token(user=make_user("anna"), token_id=made()[0].pk)
        assert Change.objects.first().user_name == "anna (token nightly)"
        current_means.set("")
