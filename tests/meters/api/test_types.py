"""Meter types, templates and quirks over the API."""

from __future__ import annotations

import pytest

from meters.models import Change, MeterType, Quirk
from meters.quirks.names import QUIRKS
from tests.api import Api
from tests.meters.builders import make_meter
from tests.sessions.builders import make_session, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Api:
    return Api()


class TestTypes:
    def test_added_changed_found_and_deleted(self, api) -> None:
        made = api.post("/meter-types", {"model": "Z", "manufacturer": "Acme", "framing": "HDLC", "window": 3})
        told = made.json()
        assert (made.status_code, told["framing"], told["window"], told["meters"]) == (201, "HDLC", 3, 0)
        path = f"/meter-types/{told['id']}"
        assert api.patch(path, {"window": None, "notes": "odd"}).json() == {**told, "window": None, "notes": "odd"}
        assert [row["id"] for row in api.get("/meter-types", q="acme z").json()["results"]] == [told["id"]]
        assert api.delete(path).status_code == 204
        assert api.get(path).status_code == api.patch(path, {}).status_code == api.delete(path).status_code == 404
        assert [entry.action for entry in Change.objects.filter(kind="TYPE")] == ["DELETE", "UPDATE", "CREATE"]

    def test_the_same_twice_is_a_conflict(self, api) -> None:
        api.post("/meter-types", {"model": "Z"})
        assert api.post("/meter-types", {"model": "Z"}).status_code in (409, 422)
        assert MeterType.objects.count() == 1

    def test_one_that_meters_are_of_stays(self, api) -> None:
        make_meter()
        answer = api.delete(f"/meter-types/{MeterType.objects.get().pk}")
        assert (answer.status_code, answer.json()["code"]) == (409, "in-use")

    @pytest.mark.parametrize(
        "said",
        [
            {},
            {"model": ""},
            {"model": "Z", "flag_code": "ab1"},
            {"model": "Z", "lockout_attempts": 3},
            {"model": "Z", "window": 8},
        ],
    )
    def test_what_is_no_type(self, api, said) -> None:
        assert api.post("/meter-types", said).status_code == 422
        assert not MeterType.objects.exists()

    def test_rows_cost_no_queries(self, api, django_assert_num_queries) -> None:
        for number in range(5):
            MeterType.objects.create(model=f"M{number}")
        api.get("/meter-types")
        with django_assert_num_queries(3):
            api.get("/meter-types")


def test_templates_are_added_changed_and_deleted(api) -> None:
    kind = MeterType.objects.create(model="Z")
    path = f"/meter-types/{kind.pk}/associations"
    made = api.post(path, {"name": "Reading", "client_sap": 2}).json()
    assert (made["name"], made["client_sap"], made["is_default"]) == ("Reading", 2, True)
    assert api.patch(f"{path}/{made['id']}", {"server_sap": 17}).json() == {**made, "server_sap": 17}
    assert api.get(f"/meter-types/{kind.pk}").json()["associations"] == [{**made, "server_sap": 17}]
    other = MeterType.objects.create(model="Y")
    assert api.patch(f"/meter-types/{other.pk}/associations/{made['id']}", {}).status_code == 404
    assert api.post(path, {"name": "x", "authentication": "hls-ecdsa"}).status_code == 422
    assert api.delete(f"{path}/{made['id']}").status_code == 204
    assert api.delete(f"{path}/{made['id']}").status_code == 404


class TestQuirks:
    @pytest.fixture
    def proposed(self, api) -> dict[str, object]:
        dlms_session = make_session(user=api.user)
        kind = dlms_session.meter.meter_type
        name = next(each for each in QUIRKS if _takes_yes(each))
        said = {"name": name, "reason": "it hung up", "session": dlms_session.pk}
        answer = api.post(f"/meter-types/{kind.pk}/quirks", said)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def test_another_person_accepts_it(self, api, proposed) -> None:
        assert (proposed["state"], proposed["proposed_by"]) == ("PROPOSED", "technician")
        mine = api.post(f"/quirks/{proposed['id']}/accept", {})
        assert (mine.status_code, mine.json()["code"]) == (409, "review")
        told = Api(user=make_user("ben")).post(f"/quirks/{proposed['id']}/accept", {}).json()
        assert (told["state"], told["reviewed_by"]) == ("ACCEPTED", "ben")
        kind = Quirk.objects.get().meter_type_id
        assert api.get(f"/meter-types/{kind}/quirks").json()["results"] == [told]

    @pytest.mark.parametrize(
        ("verb", "user", "state"), [("refuse", "ben", "REFUSED"), ("withdraw", "technician", "WITHDRAWN")]
    )
    def test_or_not_and_says_why(self, proposed, verb, user, state) -> None:
        other = Api(user=make_user(user))
        path = f"/quirks/{proposed['id']}/{verb}"
        assert other.post(path, {}).status_code == 409
        assert other.post(path, {"message": "it was the cable"}).json()["state"] == state

    def test_what_is_no_quirk(self, api) -> None:
        kind = make_meter().meter_type
        said = {"name": "odd", "reason": "x", "session": 1}
        assert api.post(f"/meter-types/{kind.pk}/quirks", said).status_code == 422
        assert api.post("/quirks/1/accept", {}).status_code == 404


def _takes_yes(name: str) -> bool:
    from meters.quirks.names import BadValue, read_value

    try:
        read_value(name, "yes")
    except BadValue:
        return False
    return True
