"""Pages of batches, comments and the change log, for each person."""

from __future__ import annotations

import pytest
from django.urls import reverse

from meters.changes import changes_of
from meters.models import Batch, Change, Comment
from tests.meters.builders import GUEK, make_ciphered_meter, make_meter
from tests.meters.test_forms import WRAPPER
from tests.sessions.builders import make_user

pytestmark = pytest.mark.django_db
EVIL = "<script>alert('xss')</script>"


@pytest.fixture
def meter():
    return make_meter(meter={"batch": "Lot 7", "tags": ["urgent"]})


@pytest.fixture
def technician(client):
    client.force_login(make_user("anna"))
    return client


def pages(meter) -> list[str]:
    return [
        reverse("meters:batch_list"),
        reverse("meters:batch_add"),
        reverse("meters:batch_detail", args=[meter.batch_id]),
        reverse("meters:batch_edit", args=[meter.batch_id]),
        reverse("meters:meter_changes", args=[meter.pk]),
        reverse("meters:request_changes", args=["0" * 32]),
        reverse("meters:comment_add", args=[meter.pk]),
    ]


@pytest.mark.parametrize("inactive", [False, True], ids=["anonymous", "inactive"])
def test_nobody_sees_or_does_anything_without_signing_in(client, meter, inactive: bool) -> None:
    if inactive:
        user = make_user("gone")
        client.force_login(user)
        user.is_active = False
        user.save()
    for url in pages(meter):
        for answer in (client.get(url), client.post(url, {"text": "x", "name": "x"})):
            assert (answer.status_code, answer.url) == (302, f"/accounts/login/?next={url}")
    assert not Comment.objects.exists()
    assert Batch.objects.count() == 1


def test_a_technician_sees_every_page(technician, meter) -> None:
    for url in pages(meter)[:5]:
        assert technician.get(url).status_code == 200


def test_pages_are_read_and_actions_are_posted(technician, meter) -> None:
    for url in (pages(meter)[0], pages(meter)[2], pages(meter)[4], pages(meter)[5]):
        assert technician.post(url).status_code == 405
    assert technician.get(pages(meter)[6]).status_code == 405


def test_what_is_not_there_is_not_found(technician) -> None:
    for name in ("batch_detail", "batch_edit", "meter_changes"):
        assert technician.get(reverse(f"meters:{name}", args=[999])).status_code == 404
    assert technician.get(reverse("meters:request_changes", args=["0" * 32])).status_code == 404
    assert technician.post(reverse("meters:comment_add", args=[999]), {"text": "x"}).status_code == 404


def test_a_change_needs_the_token_of_the_page(meter, django_user_model) -> None:
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("anna"))
    assert client.post(pages(meter)[6], {"text": "x"}).status_code == 403
    assert client.post(pages(meter)[1], {"name": "x"}).status_code == 403


def test_an_empty_list_says_what_to_do_and_a_search_that_finds_nothing_says_so(technician) -> None:
    assert "No batches yet" in technician.get("/meters/batches/").content.decode()
    find = technician.get("/meters/batches/", {"q": "x\x00y"})
    assert "No batch is called “xy”" in find.content.decode()


def test_a_batch_is_added_changed_and_says_who_did_it(technician) -> None:
    answer = technician.post(reverse("meters:batch_add"), {"name": "Lot 8", "notes": "from the maker"})
    batch = Batch.objects.get()
    assert (answer.status_code, answer.url) == (302, batch.get_absolute_url())
    technician.post(reverse("meters:batch_edit", args=[batch.pk]), {"name": "Lot 9"})
    html = technician.get(batch.get_absolute_url()).content.decode()
    for shown in ("Lot 9", "<del>Lot 8</del>", "<ins>Lot 9</ins>", "anna", "No meter is in this batch yet"):
        assert shown in html


def test_a_batch_whose_name_is_taken_is_refused_at_its_field(technician, meter) -> None:
    html = technician.post(reverse("meters:batch_add"), {"name": "Lot 7"}).content.decode()
    assert "already exists" in html
    assert Batch.objects.count() == 1


def test_a_meters_page_says_state_batch_tags_comments_and_changes(technician, meter) -> None:
    data = {**WRAPPER, "serial_number": "12345678", "state": "FAULTY", "reason": "display dead", "tags": "urgent, x"}
    answer = technician.post(reverse("meters:meter_edit", args=[meter.pk]), data)
    assert answer.status_code == 302
    technician.post(reverse("meters:comment_add", args=[meter.pk]), {"text": f"see {EVIL}"})
    html = technician.get(meter.get_absolute_url()).content.decode()
    for shown in ("Faulty", "urgent", "display dead", "<del>Lot 7</del>", "<ins>urgent, x</ins>", "see &lt;script&gt;"):
        assert shown in html
    assert EVIL not in html


def test_an_empty_comment_is_refused_with_a_sentence(technician, meter) -> None:
    answer = technician.post(reverse("meters:comment_add", args=[meter.pk]), {"text": " "}, follow=True)
    assert "The comment was not added" in answer.content.decode()
    assert not Comment.objects.exists()


def test_a_request_has_an_id_that_leads_to_what_it_changed(technician) -> None:
    answer = technician.post(reverse("meters:meter_add"), {**WRAPPER, "batch": "new lot", "tags": "new"})
    made = answer.headers["X-Request-ID"]
    assert set(Change.objects.values_list("kind", "request_id")) == {
        (k, made) for k in ("METER", "BATCH", "TAG", "LINE")
    }
    html = technician.get(reverse("meters:request_changes", args=[made])).content.decode()
    for shown in ("new lot", "4711", "4 entries"):
        assert shown in html


def test_the_log_shows_keys_by_reference_only(technician) -> None:
    meter = make_ciphered_meter()
    html = technician.get(reverse("meters:meter_changes", args=[meter.pk])).content.decode()
    assert "key GUEK" in html
    assert "version 1, fingerprint" in html
    assert GUEK.hex() not in html


def test_the_log_costs_the_same_for_one_entry_and_for_fifty(technician, meter, django_assert_num_queries) -> None:
    url = reverse("meters:meter_changes", args=[meter.pk])
    with django_assert_num_queries(6):  # sign-in session, user, meter, count, entries, names of associations
        technician.get(url)
    for number in range(60):
        technician.post(reverse("meters:comment_add", args=[meter.pk]), {"text": str(number)})
    assert changes_of(meter).count() == 61
    technician.get(url)  # shows the messages
    with django_assert_num_queries(6):
        html = technician.get(url).content.decode()
    assert "1–50 of 61" in html


def test_the_batches_cost_the_same_for_one_and_for_twenty(technician, meter, django_assert_num_queries) -> None:
    Batch.objects.bulk_create(Batch(name=str(n), meter_type=meter.meter_type) for n in range(20))
    with django_assert_num_queries(4):
        technician.get("/meters/batches/")


# -- batches and tags that go, or are renamed ----------------------------------------------------------------------------


def test_a_batch_goes_when_it_is_empty_and_says_the_way_out_when_not(technician, meter) -> None:
    url = reverse("meters:batch_delete", args=[meter.batch_id])
    text = technician.post(url, follow=True).content.decode()
    assert "Batch Lot 7 stays. 1 meter is in it" in text
    assert "Out of its batch" in text
    batch, meter.batch = meter.batch, None
    meter.save()
    answer = technician.post(url, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("meters:batch_list")
    assert not Batch.objects.exists()
    gone = Change.objects.get(kind="BATCH", action="DELETE")
    assert (gone.object_id, gone.label, gone.fields) == (batch.pk, "Lot 7", {"name": ["Lot 7", None]})
    assert technician.post(url).status_code == 404


def test_tags_are_listed_renamed_and_deleted(technician, meter, django_assert_max_num_queries) -> None:
    tag = meter.tags.get()
    with django_assert_max_num_queries(5):
        text = technician.get(reverse("meters:tag_list")).content.decode()
    assert "urgent" in text
    assert "Delete, off 1 meter" in text
    assert "No tag matches" in technician.get(reverse("meters:tag_list"), {"q": "zzz\x00"}).content.decode()
    technician.post(reverse("meters:tag_rename", args=[tag.pk]), {"name": " very   urgent "})
    assert meter.tags.get().name == "very urgent"
    for wrong in ("", "a,b", "x" * 51):
        text = technician.post(
            reverse("meters:tag_rename", args=[tag.pk]), {"name": wrong}, follow=True
        ).content.decode()
        assert "stays" in text
    assert (
        "1 meter had it" in technician.post(reverse("meters:tag_delete", args=[tag.pk]), follow=True).content.decode()
    )
    assert not meter.tags.exists()
    assert "No tags yet" in technician.get(reverse("meters:tag_list")).content.decode()


@pytest.mark.parametrize("name", ["batch_delete", "tag_rename", "tag_delete"])
def test_what_changes_is_posted_by_somebody_with_the_token_of_a_page(client, meter, name: str) -> None:
    from django.test import Client

    pk = meter.batch_id if name == "batch_delete" else meter.tags.get().pk
    url = reverse(f"meters:{name}", args=[pk])
    assert client.post(url).url == f"/accounts/login/?next={url}"
    assert client.get(reverse("meters:tag_list")).status_code == 302
    signed_in = Client(enforce_csrf_checks=True)
    signed_in.force_login(make_user("anna"))
    assert (signed_in.get(url).status_code, signed_in.post(url).status_code) == (405, 403)
    assert meter.tags.count() == 1
