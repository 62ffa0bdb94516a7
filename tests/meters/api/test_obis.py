"""OBIS codes over the API."""

from __future__ import annotations

import pytest

from tests.api import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Api:
    return Api()


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
