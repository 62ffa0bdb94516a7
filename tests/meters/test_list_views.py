"""The list of meters for each person: filters, columns, saved filters, changes in bulk, export."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO

import openpyxl
import pytest
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from django.test import AsyncClient, Client
from django.urls import reverse

from meters import list_views, listing
from meters.changes import changes_of
from meters.models import Change, ListChoice, Meter, SavedFilter
from tests.meters.builders import make_meter
from tests.sessions.builders import make_session, make_user

pytestmark = pytest.mark.django_db
LIST = "/meters/"
BULK = "/meters/bulk/"
EVIL = "<script>alert('xss')</script>"


@pytest.fixture
def technician(client):
    client.force_login(make_user("anna"))
    return client


@pytest.fixture
def meters() -> list[Meter]:
    return [
        make_meter(meter={"serial_number": f"m{n}", "batch": f"Lot {n % 2}", "tags": ["t"]}, line={"port": n + 1})
        for n in range(4)
    ]


def kept_filter(user: str = "anna", **fields) -> SavedFilter:
    return SavedFilter.objects.create(user=make_user(user), name="mine", query="state=FAULTY", **fields)


def text(answer) -> str:
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()


def rows(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text(answer), newline="")))


class TestWho:
    @pytest.mark.parametrize("inactive", [False, True], ids=["anonymous", "inactive"])
    def test_nobody_sees_or_does_anything_without_signing_in(self, client, meters, inactive) -> None:
        kept = kept_filter(shared=True)
        if inactive:
            user = make_user("gone")
            client.force_login(user)
            user.is_active = False
            user.save()
        paths = ["", "export/", "bulk/", "columns/", "filters/", f"filters/{kept.pk}/", f"filters/{kept.pk}/delete/"]
        data = {"ids": meters[0].pk, "apply": "1", "location": "x", "name": "x", "columns": "name"}
        for path in paths:
            for answer in (client.get(LIST + path), client.post(LIST + path, data)):
                assert (answer.status_code, answer.url) == (302, f"/accounts/login/?next={LIST}{path}")
        assert not Meter.objects.filter(location="x").exists()
        assert SavedFilter.objects.count() == 1
        assert not ListChoice.objects.exists()

    def test_what_changes_something_is_posted_with_the_token_of_the_page(self, meters) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(make_user("anna"))
        pk = kept_filter().pk
        for path in ("bulk/", "columns/", "filters/", f"filters/{pk}/delete/"):
            assert client.get(LIST + path).status_code == 405
            assert client.post(LIST + path, {"ids": meters[0].pk}).status_code == 403
        for path in ("", "export/", f"filters/{pk}/"):
            assert client.post(LIST + path).status_code == 403

    def test_lists_and_exports_are_only_read(self, technician) -> None:
        for path in ("", "export/", f"filters/{kept_filter().pk}/"):
            assert technician.post(LIST + path).status_code == 405


class TestFilters:
    def test_filters_are_chips_with_the_way_back(self, technician, meters) -> None:
        html = text(technician.get(LIST, {"batch": "Lot 1", "state": "RECEIVED", "q": "m"}))
        assert "2 meters for “m”" in html
        assert 'aria-label="Remove the filter Batch Lot 1"' in html
        assert 'href="/meters/?q=m&amp;state=RECEIVED"' in html
        assert '<input type="hidden" name="batch" value="Lot 1">' in html

    def test_the_address_is_put_right(self, technician, meters) -> None:
        asked = {"q": "", "state": ["", "RECEIVED"], "seen": "", "page": "1", "evil": "//x"}
        answer = technician.get(LIST, asked, headers={"HX-Request": "true"})
        assert answer.headers["HX-Push-Url"] == "/meters/?state=RECEIVED"
        assert b'id="kept" hidden hx-swap-oob="true"' in answer.content
        assert b"<html" not in answer.content
        whole = technician.get(LIST, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
        assert b"<html" in whole.content

    def test_a_filter_that_cannot_be_used_says_why_and_shows_nothing(self, technician, meters) -> None:
        html = text(technician.get(LIST, {"state": EVIL}))
        assert "This filter cannot be used" in html
        assert "is not one of the available choices" in html
        assert "m0" not in html
        assert EVIL not in html

    def test_filters_that_leave_nothing_say_so(self, technician, meters) -> None:
        assert "No meter matches “zzz” with these filters" in text(technician.get(LIST, {"q": "zzz", "tag": "t"}))

    @pytest.mark.parametrize(
        "address", ["?q=%00", "?q=%ff&tag=%00", "?state=%E2%80%A8", "?page=99999999999", "?type=9e99"]
    )
    def test_strange_addresses_are_borne(self, technician, meters, address) -> None:
        assert technician.get(LIST + address).status_code == 200

    def test_more_than_is_counted_is_said(self, technician, meters, monkeypatch) -> None:
        monkeypatch.setattr(listing, "COUNT_LIMIT", 2)
        html = text(technician.get(LIST, {"q": "m", "sort": "batch"}))
        assert "More than 2 meters" in html
        assert "Too many meters to sort by this column" in html
        assert "too many to change at once" in html

    @pytest.mark.parametrize("sort", ["state", "-batch", "location", "framing", "-last_seen", "last_session"])
    def test_every_order_is_a_page(self, technician, meters, sort) -> None:
        make_session(meters[1])
        assert 'aria-sort="' in text(technician.get(LIST, {"sort": sort}))

    def test_filters_cost_only_the_query_that_names_them(self, technician, meters, django_assert_num_queries) -> None:
        partial = {"HX-Request": "true"}
        with django_assert_num_queries(7):
            technician.get(LIST, {"state": "RECEIVED", "q": "m", "framing": "WRAPPER"}, headers=partial)
        with django_assert_num_queries(9):  # and the batch, and the tag
            technician.get(LIST, {"batch": "Lot 1", "tag": "t"}, headers=partial)


class TestColumns:
    def test_each_person_has_its_own(self, technician, meters) -> None:
        answer = technician.post(LIST + "columns/", {"columns": ["tags", "location", "nonsense"], "query": "q=m&x=1"})
        assert (answer.status_code, answer.url) == (302, "/meters/?q=m")
        html = text(technician.get(LIST))
        assert ">Tags<" in html
        assert ">Framing, address<" not in html
        other = Client()
        other.force_login(make_user("berta"))
        assert ">Framing, address<" in text(other.get(LIST))
        assert ListChoice.objects.get().columns == ["tags", "location"]

    def test_none_at_all_is_a_choice_too(self, technician, meters) -> None:
        technician.post(LIST + "columns/", {})
        html = text(technician.get(LIST))
        assert "m0" in html
        assert ">Name<" not in html


class TestSavedFilters:
    def test_a_filter_is_kept_and_has_an_address(self, technician) -> None:
        answer = technician.post(
            LIST + "filters/", {"name": " my  faulty ", "query": "state=FAULTY&page=3&next=//evil.example&q=x"}
        )
        assert (answer.status_code, answer.url) == (302, "/meters/?q=x&state=FAULTY")
        kept = SavedFilter.objects.get()
        assert (kept.name, kept.query, kept.shared) == ("my faulty", "q=x&state=FAULTY", False)
        opened = technician.get(kept.get_absolute_url())
        assert (opened.status_code, opened.url) == (302, "/meters/?q=x&state=FAULTY")
        assert "my faulty" in text(technician.get(LIST))

    @pytest.mark.parametrize(
        "query", ["//evil.example", "https://evil.example/?state=FAULTY", "next=https://evil.example"]
    )
    def test_a_kept_address_leads_nowhere_else(self, technician, query) -> None:
        kept = kept_filter()
        SavedFilter.objects.update(query=query)
        for answer in (technician.get(kept.get_absolute_url()), technician.post(LIST + "columns/", {"query": query})):
            assert answer.url.split("?")[0] == LIST
            assert "evil" not in answer.url

    def test_the_same_name_again_means_the_new_filter(self, technician) -> None:
        for query in ("state=FAULTY", "state=RETIRED"):
            technician.post(LIST + "filters/", {"name": "x", "query": query, "shared": "on"})
        kept = SavedFilter.objects.get()
        assert (kept.query, kept.shared) == ("state=RETIRED", True)
        last = Change.objects.filter(kind="FILTER").first()
        assert last.fields == {"query": ["state=FAULTY", "state=RETIRED"]}

    @pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\x00b"])
    def test_a_name_that_is_none_is_refused_with_a_sentence(self, technician, name) -> None:
        answer = technician.post(LIST + "filters/", {"name": name}, follow=True)
        assert "The filter was not saved" in text(answer)
        assert not SavedFilter.objects.exists()

    def test_private_ones_are_seen_by_nobody_else(self, technician) -> None:
        kept = kept_filter("berta")
        assert "mine" not in text(technician.get(LIST))
        assert technician.get(kept.get_absolute_url()).status_code == 404
        assert technician.post(f"{kept.get_absolute_url()}delete/").status_code == 404
        assert SavedFilter.objects.exists()

    def test_shared_ones_are_opened_by_all_and_deleted_by_one(self, technician) -> None:
        kept = kept_filter("berta", shared=True)
        assert "shared by berta" in text(technician.get(LIST))
        assert technician.get(kept.get_absolute_url()).status_code == 302
        assert technician.post(f"{kept.get_absolute_url()}delete/").status_code == 403
        owner = Client()
        owner.force_login(kept.user)
        assert owner.post(f"{kept.get_absolute_url()}delete/").status_code == 302
        assert not SavedFilter.objects.exists()


class TestBulk:
    def test_first_a_form_then_the_change_then_what_came_of_it(self, technician, meters) -> None:
        ids = [meter.pk for meter in meters[:2]]
        form = text(technician.post(BULK, {"ids": ids, "query": "q=m"}))
        assert "Change 2 meters" in form
        assert f'name="ids" value="{ids[0]},{ids[1]}"' in form
        data = {"ids": f"{ids[0]},{ids[1]}", "query": "q=m", "apply": "1", "state": "FAULTY", "reason": "hail"}
        answer = technician.post(BULK, {**data, "add_tags": "a, b"})
        html = text(answer)
        assert '<span class="num">2</span> meters changed' in html
        assert 'href="/meters/?q=m"' in html
        link = reverse("meters:request_changes", args=[answer.headers["X-Request-ID"]])
        assert link in html
        assert "hail" in text(technician.get(link))
        assert set(Meter.objects.filter(tags__name="b").values_list("pk", "state")) == {(pk, "FAULTY") for pk in ids}
        assert changes_of(meters[0]).first().request_id == answer.headers["X-Request-ID"]

    def test_all_that_match_are_those_of_the_filter(self, technician, meters) -> None:
        form = text(technician.post(BULK, {"all": "1", "query": "batch=Lot+1", "ids": meters[0].pk}))
        assert "Change 2 meters" in form
        assert f'value="{meters[1].pk},{meters[3].pk}"' in form

    def test_a_new_state_without_a_reason_is_refused_at_its_field(self, technician, meters) -> None:
        html = text(technician.post(BULK, {"ids": meters[0].pk, "apply": "1", "state": "FAULTY"}))
        assert "Why are they in a new state" in html
        assert 'id="id_reason_error"' in html
        assert not Meter.objects.filter(state="FAULTY").exists()

    def test_nothing_chosen_to_change_is_said(self, technician, meters) -> None:
        html = text(technician.post(BULK, {"ids": meters[0].pk, "apply": "1"}))
        assert "Nothing to change was chosen" in html

    @pytest.mark.parametrize(
        "data", [{}, {"ids": "x"}, {"ids": "1,2;3"}, {"ids": "9" * 30}, {"all": "1", "query": "state=NOPE"}]
    )
    def test_a_choice_that_is_none_changes_nothing(self, technician, meters, data) -> None:
        answer = technician.post(BULK, {**data, "apply": "1", "location": "x"}, follow=True)
        assert "Nothing was changed" in text(answer)
        assert not Meter.objects.filter(location="x").exists()

    @pytest.mark.parametrize("data", [{"all": "1"}, {"ids": "1,2,3,4"}])
    def test_there_is_a_limit(self, technician, meters, monkeypatch, data) -> None:
        monkeypatch.setattr(list_views, "BULK_LIMIT", 3)
        answer = technician.post(BULK, {**data, "apply": "1", "location": "x"}, follow=True)
        assert "At most 3 meters" in text(answer)
        assert not Meter.objects.filter(location="x").exists()

    def test_what_could_not_be_changed_is_named(self, technician, meters) -> None:
        html = text(technician.post(BULK, {"ids": f"{meters[0].pk},99999", "apply": "1", "location": EVIL}))
        assert "meter 99999" in html
        assert "It is not there any more." in html


class TestExport:
    def test_all_that_match(self, technician, meters) -> None:
        answer = technician.get(LIST + "export/", {"batch": "Lot 1"})
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="meters-')
        assert [row["serial_number"] for row in rows(answer)] == ["m1", "m3"]

    def test_one_page_as_it_is_shown(self, technician, meters, monkeypatch) -> None:
        monkeypatch.setattr(list_views, "PAGE_SIZE", 3)
        technician.post(LIST + "columns/", {"columns": ["batch", "meter_type"]})
        found = rows(technician.get(LIST + "export/", {"what": "page", "sort": "-serial_number", "page": "1"}))
        assert [row["serial_number"] for row in found] == ["m3", "m2", "m1"]
        assert list(found[0]) == ["serial_number", "manufacturer", "model", "batch"]
        assert len(rows(technician.get(LIST + "export/", {"what": "page", "page": "2"}))) == 1

    def test_as_a_workbook(self, technician, meters) -> None:
        answer = technician.get(LIST + "export/", {"batch": "Lot 1", "as": "xlsx"})
        assert answer.headers["Content-Disposition"].endswith('.xlsx"')
        sheet = openpyxl.load_workbook(BytesIO(b"".join(answer.streaming_content))).active
        assert [row[0] for row in sheet.values] == ["serial_number", "m1", "m3"]
        shown = technician.get(LIST + "export/", {"what": "page", "as": "xlsx"})
        assert openpyxl.load_workbook(BytesIO(b"".join(shown.streaming_content))).active.max_row == 5

    def test_too_many_for_a_workbook(self, technician, meters, monkeypatch) -> None:
        monkeypatch.setattr(list_views, "XLSX_ROWS", 3)
        answer = technician.get(LIST + "export/", {"as": "xlsx"}, follow=True)
        assert "at most 3 meters here" in text(answer)
        assert technician.get(LIST + "export/", {"as": "xlsx", "batch": "Lot 1"}).status_code == 200

    def test_a_filter_that_cannot_be_used_exports_nothing(self, technician, meters) -> None:
        assert rows(technician.get(LIST + "export/", {"state": "NOPE"})) == []

    def test_every_column_of_the_list_has_one_in_the_export_or_is_only_shown(self) -> None:
        names = {name: list_views._export_columns((name,))[1:] for name in list_views.CHOICES}
        assert [name for name, columns in names.items() if not columns] == ["last_session"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.asyncio
async def test_under_asgi_the_export_leaves_in_parts() -> None:
    from asgiref.sync import sync_to_async

    user = await sync_to_async(make_user)("anna")
    await sync_to_async(make_meter)()
    client = AsyncClient()
    await client.aforce_login(user)
    answer = await client.get(LIST + "export/")
    assert isinstance(answer.asgi_request, ASGIRequest)
    assert answer.is_async
    parts = [part async for part in answer.streaming_content]
    assert [len(parts), b"12345678" in parts[1]] == [2, True]
    await sync_to_async(connections.close_all)()  # of the thread that served it


class TestRenaming:
    def test_its_owner_renames_a_filter(self, technician) -> None:
        kept = kept_filter(shared=True)
        url = reverse("meters:filter_rename", args=[kept.pk])
        answer = technician.post(url, {"name": "broken ones", "query": "q=x"}, follow=True)
        assert "Filter “mine” is “broken ones” now." in answer.content.decode()
        assert answer.redirect_chain[-1][0] == "/meters/?q=x"
        assert SavedFilter.objects.get().name == "broken ones"
        assert "was not renamed" in technician.post(url, {"name": ""}, follow=True).content.decode()
        assert SavedFilter.objects.get().name == "broken ones"

    def test_nobody_else_does(self, client) -> None:
        kept = kept_filter(shared=True)
        url = reverse("meters:filter_rename", args=[kept.pk])
        assert client.post(url, {"name": "x"}).url == f"/accounts/login/?next={url}"
        client.force_login(make_user("ben"))
        assert client.post(url, {"name": "x"}).status_code == 403
        assert client.get(url).status_code == 405
        SavedFilter.objects.update(shared=False)
        assert client.post(url, {"name": "x"}).status_code == 404
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(make_user("anna"))
        assert strict.post(url, {"name": "x"}).status_code == 403
        assert SavedFilter.objects.get().name == "mine"
