"""Lines and allowed targets over the API."""

from __future__ import annotations

import pytest

from meters.lines.health import line_failed
from meters.models import AllowedTarget, Change, Line, RefusedTarget
from tests.api import Api
from tests.meters.builders import make_meter
from tests.sessions.builders import make_session, make_user

pytestmark = pytest.mark.django_db
SAID = {"name": "bench 7", "kind": "TCP", "host": "192.0.2.7", "port": 4059}


@pytest.fixture
def api() -> Api:
    return Api()


class TestLines:
    def test_added_changed_found_and_deleted(self, api) -> None:
        made = api.post("/lines", SAID)
        assert (made.status_code, made.json()["address"], made.json()["meters"]) == (201, "192.0.2.7:4059", 0)
        path = f"/lines/{made.json()['id']}"
        changed = api.patch(path, {"port": 4060}).json()
        assert (changed["name"], changed["host"], changed["port"]) == ("bench 7", "192.0.2.7", 4060)
        assert [row["id"] for row in api.get("/lines", q="bench", kind="TCP").json()["results"]] == [changed["id"]]
        assert api.get("/lines", kind="UDP").json()["results"] == []
        assert api.delete(path).status_code == 204
        assert api.get(path).status_code == api.patch(path, {}).status_code == api.delete(path).status_code == 404
        assert [entry.action for entry in Change.objects.filter(kind="LINE")] == ["DELETE", "UPDATE", "CREATE"]

    def test_how_it_does_and_who_holds_it(self, api) -> None:
        dlms_session = make_session()
        line = dlms_session.meter.line
        error = {"layer": "line", "code": "refused", "message": "Nobody is there.", "hint": "Look at the cable."}
        line_failed(line_id=line.pk, error=error)
        type(dlms_session).objects.update(state="OPEN")
        told = api.get(f"/lines/{line.pk}").json()
        assert {name: told["health"][name] for name in error} == error
        assert (told["health"]["failures"], told["holder"], told["meters"]) == (
            1,
            {"id": dlms_session.pk, "state": "OPEN"},
            1,
        )
        assert [row["id"] for row in api.get("/lines", health="fails").json()["results"]] == [line.pk]
        assert api.get("/lines", health="works").json()["results"] == []

    def test_where_it_may_not_lead_is_refused_and_kept(self, api) -> None:
        answer = api.post("/lines", {**SAID, "host": "169.254.169.254"})
        assert (answer.status_code, list(answer.json()["fields"])) == (422, ["host"])
        assert RefusedTarget.objects.get().user == api.user
        assert not Line.objects.exists()

    @pytest.mark.parametrize(
        "said", [{}, {"kind": "SERIAL", "serial_port": "/etc/passwd"}, {**SAID, "port": 0}, {**SAID, "x": 1}]
    )
    def test_what_is_no_line(self, api, said) -> None:
        assert api.post("/lines", said).status_code == 422

    def test_one_that_meters_hang_on_stays(self, api) -> None:
        line = make_meter().line
        assert api.delete(f"/lines/{line.pk}").status_code == 422
        assert Line.objects.filter(pk=line.pk).exists()

    def test_rows_cost_no_queries(self, api, django_assert_num_queries) -> None:
        for port in range(1, 6):
            Line.objects.create(host="h", port=port)
        api.get("/lines")
        with django_assert_num_queries(3):
            api.get("/lines")


class TestTargets:
    SAID = {"network": "10.20.0.0/16", "first_port": 4059, "last_port": 4061, "note": "bench"}

    @pytest.fixture
    def administrator(self) -> Api:
        return Api(user=make_user("admin", is_staff=True))

    def test_an_administrator_changes_the_list(self, administrator) -> None:
        made = administrator.post("/targets", self.SAID)
        assert (made.status_code, made.json()["tcp"], made.json()["created_by"]) == (201, True, "admin")
        path = f"/targets/{made.json()['id']}"
        assert administrator.patch(path, {"udp": True}).json() == {**made.json(), "udp": True}
        assert made.json()["id"] in [row["id"] for row in administrator.get("/targets", limit=200).json()["results"]]
        assert administrator.delete(path).status_code == 204
        assert administrator.delete(path).status_code == administrator.patch(path, {}).status_code == 404

    def test_nobody_else_does_whatever_the_token_says(self, api, administrator) -> None:
        made = administrator.post("/targets", self.SAID).json()
        for answer in (
            api.post("/targets", {**self.SAID, "network": "10.0.0.0/8"}),
            api.patch(f"/targets/{made['id']}", {"udp": True}),
            api.delete(f"/targets/{made['id']}"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
        assert AllowedTarget.objects.get(pk=made["id"]).udp is False

    @pytest.mark.parametrize(
        "said",
        [
            {},
            {"network": "next door"},
            {"network": "127.0.0.0/8", "first_port": 9, "last_port": 8},
            {"network": "169.254.169.254"},
        ],
    )
    def test_what_is_no_rule(self, administrator, said) -> None:
        assert administrator.post("/targets", said).status_code == 422
