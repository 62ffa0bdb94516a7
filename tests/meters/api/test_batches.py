"""Batches, tags and saved filters over the API."""

from __future__ import annotations

import pytest

from meters.inventory import save_batch, save_filter
from meters.models import Batch, Change, MeterType, SavedFilter
from tests.api import Api
from tests.meters.builders import make_meter
from tests.sessions.builders import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Api:
    return Api()


class TestBatches:
    def test_added_changed_and_read(self, api) -> None:
        kind = MeterType.objects.create(model="Z")
        made = api.post("/batches", {"name": "Lot 7", "meter_type": kind.pk})
        assert (made.status_code, made.json()["meter_type"]["model"], made.json()["meters"]) == (201, "Z", 0)
        path = f"/batches/{made.json()['id']}"
        changed = api.patch(path, {"notes": "wet"}).json()
        assert (changed["name"], changed["notes"], changed["meter_type"]["id"]) == ("Lot 7", "wet", kind.pk)
        assert api.patch(path, {"meter_type": None}).json()["meter_type"] is None
        assert api.get(path).json() == api.patch(path, {}).json()
        assert [entry.action for entry in Change.objects.filter(kind="BATCH")] == ["UPDATE", "UPDATE", "CREATE"]

    def test_how_many_of_its_meters_are_in_which_state(self, api) -> None:
        make_meter(meter={"batch": "Lot 7"})
        make_meter(meter={"serial_number": "2", "batch": "Lot 7"})
        batch = Batch.objects.get()
        told = api.get(f"/batches/{batch.pk}").json()
        assert (told["states"], told["meters"]) == ({"RECEIVED": 2}, 2)

    def test_words_of_the_name(self, api, django_assert_num_queries) -> None:
        for name in ("Lot 7 spring", "Lot 8", "spring"):
            save_batch(user="tests", name=name)
        api.get("/batches")
        with django_assert_num_queries(3):
            found = api.get("/batches", q="spring lot").json()
        assert [row["name"] for row in found["results"]] == ["Lot 7 spring"]

    @pytest.mark.parametrize(
        ("said", "status", "field"),
        [
            ({"name": "Lot 7"}, 409, "name"),
            ({"name": ""}, 422, "name"),
            ({"name": "a\nb"}, 422, "name"),
            ({}, 422, "name"),
            ({"name": "x", "meter_type": 99}, 422, "meter_type"),
            ({"name": "x", "colour": "red"}, 422, "colour"),
        ],
    )
    def test_what_is_refused(self, api, said, status, field) -> None:
        save_batch(user="tests", name="Lot 7")
        answer = api.post("/batches", said)
        assert (answer.status_code, list(answer.json()["fields"])) == (status, [field])
        assert Batch.objects.count() == 1

    def test_a_type_that_its_meters_contradict(self, api) -> None:
        make_meter(meter={"batch": "Lot 7"})
        other = MeterType.objects.create(model="Z")
        answer = api.patch(f"/batches/{Batch.objects.get().pk}", {"meter_type": other.pk})
        assert (answer.status_code, list(answer.json()["fields"])) == (422, ["meter_type"])

    def test_none(self, api) -> None:
        assert api.get("/batches/1").status_code == api.patch("/batches/1", {}).status_code == 404


def test_a_batch_is_deleted_when_no_meter_is_in_it(api) -> None:
    make_meter(meter={"batch": "Lot 7"})
    batch = Batch.objects.get()
    assert api.delete(f"/batches/{batch.pk}").status_code == 422
    batch.meters.update(batch=None)
    assert api.delete(f"/batches/{batch.pk}").status_code == 204
    assert api.delete(f"/batches/{batch.pk}").status_code == 404


def test_tags_are_listed_renamed_and_deleted(api) -> None:
    meter = make_meter(meter={"tags": ["b", "a"]})
    told = api.get("/tags").json()
    assert ([tag["name"] for tag in told["results"]], told["count"]) == (["a", "b"], 2)
    first, second = (f"/tags/{tag['id']}" for tag in told["results"])
    assert api.patch(first, {"name": "c"}).json()["name"] == "c"
    assert api.patch(first, {"name": "B"}).status_code in (409, 422)
    assert api.delete(second).status_code == 204
    assert [tag.name for tag in meter.tags.all()] == ["c"]
    assert api.delete(second).status_code == api.patch(second, {"name": "x"}).status_code == 404


class TestFilters:
    def test_kept_shown_and_forgotten(self, api) -> None:
        make_meter(meter={"batch": "Lot 7"})
        said = {"name": "mine", "filters": {"batch": ["Lot 7"], "q": "bench"}, "sort": "-last_seen", "shared": True}
        made = api.post("/filters", said)
        assert made.status_code == 201
        assert made.json()["query"] == "q=bench&batch=Lot+7&sort=-last_seen"
        assert api.get("/filters").json()["results"] == [made.json()]
        answer = api.delete(f"/filters/{made.json()['id']}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert not SavedFilter.objects.exists()

    def test_each_sees_ones_own_and_what_is_shared(self, api) -> None:
        ben = make_user("ben")
        save_filter(user=ben, name="shared", query="state=FAULTY", shared=True)
        hidden = save_filter(user=ben, name="hidden", query="state=FAULTY")
        save_filter(user=api.user, name="mine", query="state=FAULTY")
        told = api.get("/filters").json()["results"]
        assert [(row["name"], row["owner"], row["mine"]) for row in told] == [
            ("mine", "technician", True),
            ("shared", "ben", False),
        ]
        assert api.delete(f"/filters/{hidden.pk}").status_code == 404
        assert api.delete(f"/filters/{told[1]['id']}").status_code == 403
        assert api.patch(f"/filters/{told[1]['id']}", {"name": "x"}).status_code == 403
        assert api.patch(f"/filters/{told[0]['id']}", {"name": "x"}).json()["name"] == "x"
        assert SavedFilter.objects.count() == 3

    @pytest.mark.parametrize(
        "said",
        [
            {"name": "x", "filters": {"batch": ["none"]}},
            {"name": "x", "filters": {"sate": ["FAULTY"]}},
            {"name": "x", "filters": {}, "sort": "colour"},
            {"name": "", "filters": {}},
            {"name": "x"},
        ],
    )
    def test_what_cannot_be_used_is_not_kept(self, api, said) -> None:
        assert api.post("/filters", said).status_code == 422
        assert not SavedFilter.objects.exists()
