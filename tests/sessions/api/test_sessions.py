"""Sessions over the API: listed, opened, ended; and the test of a meter."""

from __future__ import annotations

import pytest

from meters.models import Meter
from sessions.models import DlmsSession, Job, Step
from tests.api import Api
from tests.meters.builders import make_ciphered_meter, make_meter
from tests.sessions.builders import READ_CLOCK, make_session

pytestmark = pytest.mark.django_db
CLOCK = {"class_id": 8, "logical_name": "0-0:1.0.0*255"}
CANARY = "s3cret-c4nary"


@pytest.fixture
def api() -> Api:
    return Api()


class TestList:
    def test_the_newest_first_by_state_words_and_meter(self, api, django_assert_num_queries) -> None:
        first = make_session(steps=[READ_CLOCK])
        other = make_meter(meter={"serial_number": "other"})
        second = make_session(other)
        DlmsSession.objects.filter(pk=first.pk).update(state="DONE")

        def found(**query) -> list[int]:
            return [row["id"] for row in api.get("/sessions", **query).json()["results"]]

        assert found() == [second.pk, first.pk]
        assert found(state="done") == [first.pk]
        assert found(state="live", q="other") == [second.pk]
        assert found(q=f"#{first.pk}") == [first.pk]
        assert found(meter=other.pk) == [second.pk]
        with django_assert_num_queries(3):
            found()

    @pytest.mark.parametrize("query", [{"state": "odd"}, {"meter": 0}, {"q": "\x00"}, {"page": 0}])
    def test_what_cannot_be_asked(self, api, query) -> None:
        assert api.get("/sessions", **query).status_code == 422


class TestOpening:
    def test_by_serial_number_with_reads_and_its_end(self, api) -> None:
        meter = make_meter()
        said = {"serial_number": meter.serial_number, "reads": [CLOCK, {**CLOCK, "attribute_id": 3}], "close": True}
        answer = api.post("/sessions", said)
        told = answer.json()
        assert (answer.status_code, told["state"], told["opened_by"]) == (201, "QUEUED", "technician")
        assert [step["number"] for step in told["steps"]] == [1, 2]
        assert told == api.get(f"/sessions/{told['id']}").json()
        assert DlmsSession.objects.get().close_requested

    def test_by_id_and_an_association_of_the_meter(self, api) -> None:
        meter = make_meter()
        public = meter.associations.create(name="Public", client_sap=16)
        assert api.post("/sessions", {"meter": meter.pk, "association": public.pk}).json()["association"] == "Public"
        answer = api.post("/sessions", {"meter": meter.pk, "association": 999})
        assert (answer.status_code, list(answer.json()["fields"])) == (422, ["association"])

    @pytest.mark.parametrize(
        ("said", "status"),
        [
            ({}, 422),
            ({"meter": 1, "serial_number": "x"}, 422),
            ({"meter": 999}, 404),
            ({"serial_number": "none"}, 404),
            ({"serial_number": "12345678", "reads": [{"class_id": 8, "logical_name": "clock"}]}, 422),
            ({"serial_number": "12345678", "reads": [{**CLOCK, "attribute_id": 128}]}, 422),
            ({"serial_number": "12345678", "reads": [{**CLOCK, "kind": "WRITE"}]}, 422),
            ({"serial_number": "12345678", "reads": [CLOCK] * 201}, 422),
            ({"serial_number": "12345678", "steps": []}, 422),
        ],
    )
    def test_what_is_not_clear_opens_nothing(self, api, said, status) -> None:
        make_meter()
        assert api.post("/sessions", said).status_code == status
        assert not DlmsSession.objects.exists()
        assert not Job.objects.exists()

    def test_the_worker_is_rung_once_all_is_there(self, api, django_capture_on_commit_callbacks, monkeypatch) -> None:
        rung = []
        monkeypatch.setattr("sessions.services.ring_worker", rung.append)
        meter = make_meter()
        with django_capture_on_commit_callbacks(execute=True):
            told = api.post("/sessions", {"meter": meter.pk, "reads": [CLOCK]}).json()
        assert set(rung) == {told["id"]}


class TestEnding:
    @pytest.mark.parametrize(("verb", "state"), [("cancel", "CANCELLED"), ("close", "QUEUED")])
    def test_it_ends_and_twice_is_once(self, api, verb, state) -> None:
        dlms_session = make_session()
        for _ in range(2):
            assert api.post(f"/sessions/{dlms_session.pk}/{verb}").json()["state"] == state
        assert api.post(f"/sessions/999/{verb}").status_code == 404


class TestTest:
    SAID = {
        "line": {"kind": "TCP", "host": "192.0.2.7", "port": 4059},
        "association": {"authentication": "lls", "client_sap": 32},
        "secrets": {"secret": CANARY},
    }

    def test_a_meter_is_tried_without_being_saved(self, api) -> None:
        answer = api.post("/sessions/test", self.SAID)
        assert (answer.status_code, answer.json()["purpose"], len(answer.json()["steps"])) == (201, "TEST", 2)
        assert not Meter.objects.exists()
        text = answer.content.decode() + str(list(DlmsSession.objects.values())) + str(list(Step.objects.values()))
        assert CANARY not in text

    def test_what_is_not_said_comes_from_the_meter(self, api) -> None:
        meter = make_ciphered_meter()
        assert api.post("/sessions/test", {"meter": meter.pk, "line": {"port": 4060}}).status_code == 201

    @pytest.mark.parametrize(
        ("said", "status"),
        [
            ({}, 422),
            ({"meter": 999}, 404),
            ({**SAID, "line": {"host": "a b", "port": 1}}, 422),
            ({**SAID, "x": 1}, 422),
        ],
    )
    def test_what_cannot_be_tried(self, api, said, status) -> None:
        answer = api.post("/sessions/test", said)
        assert answer.status_code == status
        assert CANARY not in answer.content.decode()
        assert not DlmsSession.objects.exists()

    def test_a_sealed_vault_says_so(self, api, settings, tmp_path) -> None:
        settings.MASTER_KEY, settings.MASTER_KEY_FILE = "", tmp_path / "none"
        answer = api.post("/sessions/test", self.SAID)
        assert (answer.status_code, answer.json()["code"]) == (503, "vault-sealed")


def test_looking_needs_no_right_to_run() -> None:
    dlms_session = make_session()
    reader = Api("sessions:read")
    assert reader.get(f"/sessions/{dlms_session.pk}").status_code == 200
    assert reader.post(f"/sessions/{dlms_session.pk}/cancel").status_code == 403


def test_many_steps_cost_no_more_queries(api, django_assert_num_queries) -> None:
    dlms_session = make_session(steps=[READ_CLOCK] * 20)
    api.get("/sessions")
    with django_assert_num_queries(3):
        api.get(f"/sessions/{dlms_session.pk}")
