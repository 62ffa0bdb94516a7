"""The change log over the API."""

from __future__ import annotations

import pytest

from meters.models import Change
from tests.api import Api
from tests.meters.builders import make_meter

pytestmark = pytest.mark.django_db


def test_of_one_thing_of_one_kind_of_one_request() -> None:
    meter = make_meter(meter={"batch": "Lot 7", "location": "shelf"})
    api = Api("log:read")
    entries = api.get("/changes").json()["results"]
    assert [entry["kind"] for entry in entries] == ["TOKEN", "METER", "BATCH", "LINE"]
    (entry,) = api.get("/changes", kind="METER", object_id=meter.pk).json()["results"]
    assert entry == entries[1]
    assert {"name": "location", "words": "location", "before": "", "after": "shelf"} in entry["fields"]
    Change.objects.create(kind="METER", object_id=1, label="x", action="UPDATE", request_id="0" * 32)
    assert [each["label"] for each in api.get("/changes", request_id="0" * 32).json()["results"]] == ["x"]


def test_it_is_walked_through_from_the_newest(django_assert_num_queries) -> None:
    for number in range(5):
        Change.objects.create(kind="TAG", object_id=number + 1, label=str(number), action="CREATE")
    api = Api("log:read")
    api.get("/changes")
    with django_assert_num_queries(2):
        first = api.get("/changes", kind="TAG", limit=3).json()
    second = api.get("/changes", kind="TAG", limit=3, before=first["next_before"]).json()
    assert [entry["label"] for entry in first["results"] + second["results"]] == ["4", "3", "2", "1", "0"]
    assert second["next_before"] is None


@pytest.mark.parametrize("query", [{"kind": "X"}, {"object_id": 0}, {"request_id": "x"}, {"before": "x"}, {"limit": 0}])
def test_what_cannot_be_asked(query) -> None:
    assert Api("log:read").get("/changes", **query).status_code == 422
