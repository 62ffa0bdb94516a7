"""Meters over the API: the same list as the page's."""

from __future__ import annotations

import pytest

from meters import listing
from meters.list_state import SORTS
from meters.models import Meter
from tests.api import Api
from tests.meters.builders import make_ciphered_meter, make_meter
from tests.sessions.builders import make_session

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def meters() -> list[Meter]:
    return [
        make_meter(
            meter={"serial_number": f"m{n}", "batch": f"Lot {n % 2}", "tags": ["t"], "location": f"shelf {n}"},
            line={"port": n + 1},
        )
        for n in range(4)
    ]


def serials(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["serial_number"] for row in answer.json()["results"]]


class TestList:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({}, ["m0", "m1", "m2", "m3"]),
            ({"q": "shelf 2"}, ["m2"]),
            ({"batch": "Lot 1"}, ["m1", "m3"]),
            ({"batch": ["Lot 0", "Lot 1"], "q": "m0"}, ["m0"]),
            ({"state": "FAULTY"}, []),
            (
                {"tag": "t", "line": "TCP", "framing": "WRAPPER", "authentication": "lls", "medium": "ELECTRICITY"},
                ["m0", "m1", "m2", "m3"],
            ),
            ({"seen": "ever"}, []),
            ({"seen": "never", "sort": "-serial_number"}, ["m3", "m2", "m1", "m0"]),
            ({"seen_since": "2026-01-01"}, []),
            ({"limit": 2}, ["m0", "m1"]),
            ({"limit": 2, "page": 2}, ["m2", "m3"]),
            ({"limit": 2, "page": 3}, []),
            ({"after": "m1"}, ["m2", "m3"]),
            ({"after": "m1", "limit": 1, "q": "shelf"}, ["m2"]),
        ],
    )
    def test_it_finds_what_the_page_finds(self, api, meters, query, found) -> None:
        assert serials(api.get("/meters", **query)) == found

    @pytest.mark.parametrize("sort", [f"{sign}{name}" for name in SORTS for sign in ("", "-")])
    def test_it_is_sorted_as_the_page_is(self, api, meters, client, sort) -> None:
        make_session(meters[2])
        client.force_login(api.user)
        table = client.get("/meters/", {"sort": sort}).context["table"]
        assert serials(api.get("/meters", sort=sort)) == [row.record.serial_number for row in table.rows]

    def test_all_can_be_walked_through(self, api, meters) -> None:
        seen, after = [], ""
        while after is not None:
            answer = api.get("/meters", limit=1, after=after) if after else api.get("/meters", limit=1)
            seen += serials(answer)
            after = answer.json()["next_after"]
        assert seen == ["m0", "m1", "m2", "m3"]

    def test_beyond_the_limit_one_walks_and_sorts_by_what_has_an_index(self, api, meters, monkeypatch) -> None:
        monkeypatch.setattr(listing, "COUNT_LIMIT", 2)
        answer = api.get("/meters", limit=2).json()
        assert (answer["count"], answer["more"], answer["pages"], answer["next_after"]) == (2, True, 1, "m1")
        assert serials(api.get("/meters", limit=2, page=2)) == []
        assert serials(api.get("/meters", sort="-location", limit=1)) == ["m3"]
        refused = api.get("/meters", sort="line")
        assert (refused.status_code, list(refused.json()["fields"])) == (422, ["sort"])

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"type": 99}, "type"),
            ({"type": "x"}, "type.0"),
            ({"type": 2**63}, "type.0"),
            ({"batch": "none"}, "batch"),
            ({"batch": ""}, "batch"),
            ({"batch": " "}, "batch"),
            ({"batch": "\x01"}, "batch.0"),
            ({"batch": "x" * 201}, "batch.0"),
            ({"tag": ["t"] * 2 + [f"t{n}" for n in range(60)]}, "tag"),
            ({"state": "SICK"}, "state.0"),
            ({"seen": "often"}, "seen"),
            ({"seen_since": "yesterday"}, "seen_since"),
            ({"seen_since": "2026-02-30"}, "seen_since"),
            ({"sort": "secret"}, "sort"),
            ({"q": "a\x00"}, "q"),
            ({"page": 0}, "page"),
            ({"limit": 201}, "limit"),
            ({"limit": ""}, "limit"),
            ({"after": "m1", "page": 2}, "after"),
            ({"after": "m1", "sort": "name"}, "after"),
        ],
    )
    def test_a_filter_that_cannot_be_used_is_told_and_not_left_out(self, api, meters, query, field) -> None:
        answer = api.get("/meters", **query)
        assert answer.status_code == 422
        assert field in answer.json()["fields"], answer.json()

    def test_rows_cost_no_queries(self, api, meters, django_assert_num_queries) -> None:
        api.get("/meters")
        for query in ({}, {"limit": 1}):
            with django_assert_num_queries(6):
                api.get("/meters", **query)


class TestOne:
    def test_by_id_and_by_serial_number(self, api, meters) -> None:
        by_id = api.get(f"/meters/{meters[1].pk}").json()
        assert by_id == api.get("/meters/by-serial/m1").json()
        assert by_id["associations"][0]["name"] == "Management"

    def test_a_serial_number_may_have_anything_in_it(self, api) -> None:
        make_meter(meter={"serial_number": "a/b c?d"})
        assert api.get("/meters/by-serial/a/b%20c%3Fd").json()["serial_number"] == "a/b c?d"

    @pytest.mark.parametrize("path", ["/meters/999", "/meters/by-serial/none"])
    def test_none(self, api, path) -> None:
        assert api.get(path).status_code == 404

    @pytest.mark.parametrize(
        "path", ["/meters/0", "/meters/-1", "/meters/x", "/meters/9223372036854775808", "/meters/1.5"]
    )
    def test_no_id(self, api, path) -> None:
        assert api.get(path).status_code in (404, 422)

    def test_no_secret_leaves(self, api) -> None:
        meter = make_ciphered_meter()
        text = api.get(f"/meters/{meter.pk}").content.decode()
        assert "000102030405060708090a0b0c0d0e0f" not in text.lower()
        assert "sealed" not in text

    def test_queries_are_few(self, api, django_assert_num_queries) -> None:
        meter = make_ciphered_meter()
        api.get("/meters")
        with django_assert_num_queries(6):
            api.get(f"/meters/{meter.pk}")
