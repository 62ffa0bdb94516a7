"""Types, lines and OBIS codes over the API."""

from __future__ import annotations

import pytest

from meters.models import Line, MeterType
from tests.api import Api
from tests.meters.builders import make_meter

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Api:
    return Api()


class TestTypes:
    def test_by_maker_and_model(self, api) -> None:
        make_meter()
        other = MeterType.objects.create(manufacturer="A", model="X", medium="GAS", notes="new")
        answer = api.get("/meter-types").json()
        assert [(row["manufacturer"], row["model"]) for row in answer["results"]] == [("A", "X"), ("Maker", "M1")]
        assert (answer["count"], answer["pages"]) == (2, 1)
        assert api.get(f"/meter-types/{other.pk}").json() == answer["results"][0]

    def test_pages(self, api, django_assert_num_queries) -> None:
        for number in range(5):
            MeterType.objects.create(model=f"M{number}")
        api.get("/meter-types")
        with django_assert_num_queries(3):
            answer = api.get("/meter-types", limit=2, page=3).json()
        assert ([row["model"] for row in answer["results"]], answer["pages"]) == (["M4"], 3)
        assert api.get("/meter-types", limit=2, page=4).json()["results"] == []

    def test_none(self, api) -> None:
        assert api.get("/meter-types/1").status_code == 404


class TestLines:
    def test_by_kind(self, api) -> None:
        make_meter()
        Line.objects.create(kind="UDP", host="h", port=1)
        assert [row["address"] for row in api.get("/lines").json()["results"]] == ["127.0.0.1:4059", "h:1 (UDP)"]
        (udp,) = api.get("/lines", kind="UDP").json()["results"]
        assert api.get(f"/lines/{udp['id']}").json() == udp
        assert api.get("/lines", kind="POST").status_code == 422

    def test_none(self, api) -> None:
        assert api.get("/lines/1").status_code == 404


class TestObis:
    def test_words_find_codes(self, api) -> None:
        answer = api.get("/obis", q="voltage l2").json()
        assert "1-0:52.7.0*255" in [row["code"] for row in answer["results"]]
        assert answer["count"] >= len(answer["results"])

    @pytest.mark.parametrize("code", ["1-0:1.8.0*255", "1.8.0", "0100010800FF"])
    def test_a_code_is_explained_group_by_group(self, api, code) -> None:
        answer = api.get(f"/obis/{code}").json()
        assert (answer["code"], answer["octets"], answer["unit"]) == ("1-0:1.8.0*255", "0100010800FF", "Wh")
        assert [group["group"] for group in answer["groups"]] == list("ABCDEF")
        assert {"id": 3, "name": "Register"} in answer["classes"]
        assert answer["manufacturer_specific"] is False

    @pytest.mark.parametrize("path", ["/obis/voltage", "/obis/1-0:256.8.0*255", "/obis", "/obis?q="])
    def test_what_is_no_code_or_no_word(self, api, path) -> None:
        assert api.get(path).status_code == 422
