"""Pages of quirks, for the one who proposed, for another, and for nobody."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from meters.models import Quirk, QuirkComment, QuirkException
from meters.quirks.services import make_exception
from sessions.models import DlmsSession
from tests.meters.builders import make_meter
from tests.meters.quirks.builders import accept, propose
from tests.sessions.builders import make_session, make_user

pytestmark = pytest.mark.django_db
EVIL = "<script>alert('xss')</script>"


@pytest.fixture
def meter():
    return make_meter()


@pytest.fixture
def quirk(meter) -> Quirk:
    return propose(meter)


@pytest.fixture
def anna(client):
    client.force_login(make_user("anna"))
    return client


@pytest.fixture
def bert():
    other = Client()
    other.force_login(make_user("bert"))
    return other


def url(name: str, *args: object) -> str:
    return reverse(f"meters:{name}", args=args)


def pages(quirk: Quirk, meter) -> list[str]:
    return [url("type_quirks", quirk.meter_type_id), url("quirk_detail", quirk.pk)]


def forms(quirk: Quirk, meter) -> list[str]:
    return [url("quirk_add", quirk.meter_type_id), url("meter_quirks", meter.pk)]


def actions(quirk: Quirk, meter) -> list[str]:
    reviews = [url("quirk_review", quirk.pk, event) for event in ("accept", "refuse", "withdraw")]
    return [*reviews, url("quirk_comment", quirk.pk), url("exception_end", meter.pk, "keep_alive")]


@pytest.mark.parametrize("inactive", [False, True], ids=["anonymous", "inactive"])
def test_nobody_sees_or_does_anything_without_signing_in(client, quirk, meter, inactive: bool) -> None:
    if inactive:
        user = make_user("gone")
        client.force_login(user)
        user.is_active = False
        user.save()
    for address in [*pages(quirk, meter), *forms(quirk, meter), *actions(quirk, meter)]:
        for answer in (client.get(address), client.post(address, {"message": "x", "text": "x"})):
            assert (answer.status_code, answer.url) == (302, f"/accounts/login/?next={address}")
    quirk.refresh_from_db()
    assert quirk.state == Quirk.State.PROPOSED
    assert not QuirkComment.objects.exists()


def test_both_see_every_page(anna, bert, quirk, meter) -> None:
    for address in [*pages(quirk, meter), *forms(quirk, meter)]:
        assert anna.get(address).status_code == bert.get(address).status_code == 200


def test_pages_are_read_and_actions_are_posted_with_the_token_of_the_page(anna, quirk, meter) -> None:
    for address in pages(quirk, meter):
        assert anna.post(address).status_code == 405
    for address in actions(quirk, meter):
        assert anna.get(address).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user("bert"))
    for address in [*forms(quirk, meter), *actions(quirk, meter)]:
        assert strict.post(address).status_code == 403


def test_what_is_not_there_is_not_found(anna, quirk, meter) -> None:
    for address in (
        url("type_quirks", 999),
        url("quirk_add", 999),
        url("quirk_detail", 999),
        url("meter_quirks", 999),
        f"/meters/quirks/{quirk.pk}/approve/",
    ):
        assert anna.get(address).status_code == 404
    assert anna.post(url("quirk_review", 999, "accept")).status_code == 404
    assert anna.post(url("exception_end", meter.pk, "keep_alive")).status_code == 404


def test_a_quirk_goes_from_the_session_that_proved_it_to_every_session_of_the_type(anna, bert, meter) -> None:
    proof = make_session(meter)
    session_page = anna.get(proof.get_absolute_url()).content.decode()
    address = f"{url('quirk_add', meter.meter_type_id)}?session={proof.pk}"
    assert address in session_page
    assert f'value="{proof.pk}"' in anna.get(address).content.decode()
    data = {"name": "disconnect_first", "value": "yes", "session": str(proof.pk), "reason": "DM to SNRM"}
    answer = anna.post(address, data, follow=True)
    quirk = Quirk.objects.get()
    html = answer.content.decode()
    for words in ("DISC first", "DM to SNRM", f"session #{proof.pk}", "another person accepts or refuses it"):
        assert words in html
    assert url("quirk_review", quirk.pk, "accept") not in html
    anna.post(url("quirk_review", quirk.pk, "accept"))
    quirk.refresh_from_db()
    assert quirk.state == Quirk.State.PROPOSED, "whatever is posted, the proposer does not accept"
    answer = bert.post(url("quirk_review", quirk.pk, "accept"), {"message": "same here"}, follow=True)
    html = answer.content.decode()
    for words in ("accepted: every session of the type obeys it from now on", "same here", "Withdraw", "bert"):
        assert words in html
    assert "DISC first" in bert.get(url("meter_quirks", meter.pk)).content.decode()


def test_a_refusal_without_a_reason_is_refused_itself(bert, quirk) -> None:
    html = bert.post(url("quirk_review", quirk.pk, "refuse"), follow=True).content.decode()
    assert "Say why" in html
    bert.post(url("quirk_review", quirk.pk, "refuse"), {"message": "not reproduced"})
    quirk.refresh_from_db()
    assert quirk.state == Quirk.State.REFUSED


def test_a_bad_proposal_stays_in_its_form_with_the_reason(anna, quirk, meter) -> None:
    data = {"name": "disconnect_first", "value": "yes", "session": "999", "reason": "x"}
    html = anna.post(url("quirk_add", meter.meter_type_id), data).content.decode()
    assert "Which session with a meter of type Maker M1 proved it?" in html
    data["session"] = str(quirk.proof_session)
    html = anna.post(url("quirk_add", meter.meter_type_id), data).content.decode()
    assert "proposed already" in html
    assert Quirk.objects.count() == 1


def test_a_quirk_whose_session_was_deleted_says_so(anna, quirk) -> None:
    DlmsSession.objects.all().delete()
    assert "(deleted)" in anna.get(quirk.get_absolute_url()).content.decode()


def test_a_comment_stands_on_the_page_as_text(anna, quirk) -> None:
    anna.post(url("quirk_comment", quirk.pk), {"text": EVIL})
    anna.post(url("quirk_comment", quirk.pk), {"text": " "})
    html = anna.get(quirk.get_absolute_url()).content.decode()
    assert "&lt;script&gt;" in html
    assert EVIL not in html
    assert QuirkComment.objects.count() == 1


def test_a_meter_is_otherwise_and_as_its_type_again(anna, meter) -> None:
    accept(meter, "keep_alive", 20)
    data = {"name": "keep_alive", "value": "no", "reason": "a new modem"}
    html = anna.post(url("meter_quirks", meter.pk), data, follow=True).content.decode()
    assert "None: it is as the standard says" in html
    assert "As its type again" in html
    anna.post(url("exception_end", meter.pk, "keep_alive"))
    assert not QuirkException.objects.exists()
    assert "a new modem" in anna.get(url("meter_changes", meter.pk)).content.decode()


def test_the_page_of_a_session_says_which_quirks_were_in_force(anna, meter) -> None:
    quirk = accept(meter, "keep_alive", 20)
    dlms_session = make_session(meter)
    kept = [{"name": "keep_alive", "value": 20.0, "origin": "type", "quirk": quirk.pk}]
    DlmsSession.objects.filter(pk=dlms_session.pk).update(quirks=kept)
    html = anna.get(dlms_session.get_absolute_url()).content.decode()
    assert "Keep alive" in html
    assert quirk.get_absolute_url() in html


def test_a_session_without_a_type_offers_no_proposal(anna) -> None:
    meter = make_meter(meter={"manufacturer": "", "model": ""})
    assert "Propose a quirk" not in anna.get(make_session(meter).get_absolute_url()).content.decode()


def test_pages_cost_the_same_for_one_and_for_many(anna, quirk, meter, django_assert_num_queries) -> None:
    lists, one = url("type_quirks", quirk.meter_type_id), url("quirk_detail", quirk.pk)
    with django_assert_num_queries(5):  # sign-in session, user, type, count, quirks
        anna.get(lists)
    with django_assert_num_queries(6):  # sign-in session, user, quirk with type, proof with meter, comments, changes
        anna.get(one)
    for number in range(20):
        make_exception(user=make_user("anna"), meter_id=meter.pk, name="keep_alive", value=number + 1, reason="x")
        anna.post(url("quirk_comment", quirk.pk), {"text": str(number)})
        old = {"meter_type": meter.meter_type, "name": "wake_up", "value": 1, "reason": "x", "proof_session": 1}
        Quirk.objects.create(**old, state="REFUSED", proposed_by_name="anna", reviewed_by_name="bert")
    anna.get(lists)  # shows the messages
    with django_assert_num_queries(5):
        anna.get(lists)
    with django_assert_num_queries(6):
        anna.get(one)
    with django_assert_num_queries(6):  # sign-in session, user, meter with type, accepted, exceptions twice
        anna.get(url("meter_quirks", meter.pk))
