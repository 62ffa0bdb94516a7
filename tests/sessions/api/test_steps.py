"""Asking a meter over the API: the services and the gate of the page."""

from __future__ import annotations

import pytest

from meters.cosem.data import octet_string
from sessions.gated_forms import WriteForm
from sessions.models import DlmsSession, Step
from tests.api import Api
from tests.meters.builders import make_meter
from tests.sessions.builders import make_session

pytestmark = pytest.mark.django_db
CLOCK = {"class_id": 8, "logical_name": "0-0:1.0.0*255"}
SET_CLOCK = {**CLOCK, "attribute_id": 2, "value": {"type": "octet-string", "value": "2026-11-25T10:00:00+01:00"}}
DISCONNECT = {
    "class_id": 70,
    "logical_name": "0-0:96.3.10*255",
    "method_id": 1,
    "value": {"type": "integer", "value": 0},
}
CANARY = "s3cret-c4nary"


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def dlms_session() -> DlmsSession:
    return make_session()


class TestReading:
    @pytest.mark.parametrize(
        ("path", "said", "kind", "parameters"),
        [
            ("reads", CLOCK, "READ", {**CLOCK, "attribute_id": 2}),
            (
                "reads",
                {**CLOCK, "logical_name": "0.0.1.0.0.255", "attribute_id": -1},
                "READ",
                {**CLOCK, "attribute_id": -1},
            ),
            ("profile-reads", {"logical_name": "1-0:99.1.0*255"}, "READ_PROFILE", {"logical_name": "1-0:99.1.0*255"}),
            (
                "profile-reads",
                {"logical_name": "1-0:99.1.0*255", "from_entry": 1, "to_entry": 10},
                "READ_PROFILE",
                {"logical_name": "1-0:99.1.0*255", "from_entry": 1, "to_entry": 10},
            ),
        ],
    )
    def test_a_step_waits(self, api, dlms_session, path, said, kind, parameters) -> None:
        answer = api.post(f"/sessions/{dlms_session.pk}/{path}", said)
        assert (answer.status_code, answer.json()["state"]) == (201, "WAITING")
        step = Step.objects.get(pk=answer.json()["id"])
        assert (step.kind, step.parameters, step.requested_by) == (kind, parameters, api.user)

    def test_an_object_whole(self, api, dlms_session) -> None:
        answer = api.post(f"/sessions/{dlms_session.pk}/object-reads", {"class_id": 3, "logical_name": "1.8.0"})
        assert [step.parameters["attribute_id"] for step in Step.objects.order_by("number")] == [1, 2, 3]
        assert len(answer.json()["results"]) == 3

    @pytest.mark.parametrize(
        ("path", "said", "field"),
        [
            ("reads", {**CLOCK, "logical_name": "clock"}, "logical_name"),
            ("reads", {**CLOCK, "class_id": 65536}, "class_id"),
            ("reads", {**CLOCK, "class_id": "8"}, "class_id"),
            ("reads", {**CLOCK, "attribute_id": 2**70}, "attribute_id"),
            ("object-reads", {"class_id": 3, "logical_name": "energy"}, "logical_name"),
            ("profile-reads", {"logical_name": "1-0:99.1.0*255", "from_time": "yesterday"}, "from_time"),
            ("profile-reads", {"logical_name": "1-0:99.1.0*255", "from_entry": 5, "to_entry": 4}, "to_entry"),
        ],
    )
    def test_what_cannot_be_read(self, api, dlms_session, path, said, field) -> None:
        answer = api.post(f"/sessions/{dlms_session.pk}/{path}", said)
        assert (answer.status_code, list(answer.json()["fields"])) == (422, [field])
        assert not Step.objects.exists()

    def test_too_many_at_once(self, api, dlms_session, monkeypatch) -> None:
        monkeypatch.setattr("sessions.services.MAX_UNFINISHED_STEPS", 2)
        answer = api.post(f"/sessions/{dlms_session.pk}/object-reads", {"class_id": 3, "logical_name": "1.8.0"})
        assert answer.status_code == 422
        assert "let the meter answer first" in answer.json()["message"]
        assert not Step.objects.exists()


class TestOver:
    @pytest.mark.parametrize(
        ("path", "said"),
        [
            ("reads", CLOCK),
            ("profile-reads", {"logical_name": "1-0:99.1.0*255"}),
            ("object-reads", {"class_id": 3, "logical_name": "1.8.0"}),
            ("writes", {**SET_CLOCK, "confirmed": True}),
            ("invocations", {**DISCONNECT, "confirmed": True, "serial_typed": "12345678"}),
        ],
    )
    def test_nothing_is_asked_in_a_session_that_is_over_or_not_there(self, api, dlms_session, path, said) -> None:
        DlmsSession.objects.update(state="DONE")
        answer = api.post(f"/sessions/{dlms_session.pk}/{path}", said)
        assert (answer.status_code, answer.json()["code"]) == (409, "session-over")
        assert api.post(f"/sessions/999/{path}", said).status_code == 404
        assert not Step.objects.exists()


class TestGate:
    def test_a_write_is_shown_first_and_sent_when_confirmed(self, api, dlms_session) -> None:
        path = f"/sessions/{dlms_session.pk}/writes"
        shown = api.post(path, SET_CLOCK)
        assert (shown.status_code, shown.json()["must_type"], shown.json()["consequence"]) == (200, False, "")
        assert "write time (2): 2026-11-25 10:00:00" in shown.json()["what"]
        assert not Step.objects.exists()
        sent = api.post(path, {**SET_CLOCK, "confirmed": True})
        assert sent.status_code == 201
        assert Step.objects.get().parameters["octets"] == shown.json()["octets"]

    def test_it_is_the_gate_of_the_page(self, api, dlms_session) -> None:
        told = api.post(f"/sessions/{dlms_session.pk}/writes", SET_CLOCK).json()
        page = WriteForm(
            {
                "class_id": "8",
                "logical_name": "0-0:1.0.0*255",
                "attribute_id": "2",
                "value_type": "octet-string",
                "value": "2026-11-25T10:00:00+01:00",
            },
            dlms_session=dlms_session,
        )
        assert page.is_valid(), page.errors
        assert told == {
            "what": page.gate.what,
            "meter": page.gate.meter,
            "octets": page.gate.octets,
            "consequence": page.gate.consequence,
            "must_type": page.gate.must_type,
            "lines": list(page.gate.lines),
            "budget": page.gate.budget,
        }

    @pytest.mark.parametrize("typed", ["", "12345679", "1234567", "12345678x"])
    def test_what_cannot_be_undone_asks_for_the_serial_number(self, api, dlms_session, typed) -> None:
        path = f"/sessions/{dlms_session.pk}/invocations"
        shown = api.post(path, DISCONNECT).json()
        assert shown["must_type"]
        assert "switched off" in shown["consequence"]
        refused = api.post(path, {**DISCONNECT, "confirmed": True, "serial_typed": typed})
        assert (refused.status_code, list(refused.json()["fields"])) == (422, ["serial_typed"])
        assert not Step.objects.exists()
        assert api.post(path, {**DISCONNECT, "confirmed": True, "serial_typed": "12345678"}).status_code == 201

    @pytest.mark.parametrize("path", ["writes", "invocations"])
    def test_a_token_that_may_read_may_not_change(self, dlms_session, path) -> None:
        said = {**(SET_CLOCK if path == "writes" else DISCONNECT), "confirmed": True, "serial_typed": "12345678"}
        for scopes in (("sessions:run",), ("sessions:read", "sessions:run")):
            assert Api(*scopes).post(f"/sessions/{dlms_session.pk}/{path}", said).status_code == 403
        assert not Step.objects.exists()

    def test_truth_is_a_truth_value(self, api, dlms_session) -> None:
        for confirmed in ("true", 1, "yes", None):
            said = {**SET_CLOCK, "confirmed": confirmed}
            assert api.post(f"/sessions/{dlms_session.pk}/writes", said).status_code == 422
        assert not Step.objects.exists()


class TestValues:
    def test_as_the_class_declares_it(self, api, dlms_session) -> None:
        said = {"class_id": 70, "logical_name": "0-0:96.3.10*255", "attribute_id": 4, "value": 1, "confirmed": True}
        assert api.post(f"/sessions/{dlms_session.pk}/writes", said).status_code == 201
        assert Step.objects.get().parameters["octets"] == "1601"

    def test_a_method_without_a_value(self, api, dlms_session) -> None:
        said = {"class_id": 22, "logical_name": "0-0:15.0.0*255", "method_id": 9, "confirmed": True}
        assert api.post(f"/sessions/{dlms_session.pk}/invocations", said).status_code == 201
        assert Step.objects.get().parameters["octets"] == ""

    def test_times_are_turned_for_a_meter_that_counts_the_other_way(self, api) -> None:
        octets = [
            api.post(f"/sessions/{make_session(meter).pk}/writes", SET_CLOCK).json()["octets"]
            for meter in (make_meter(), make_meter(meter={"serial_number": "2", "reverse_deviation": True}))
        ]
        assert [each[-6:-2] for each in octets] == ["ffc4", "003c"]

    @pytest.mark.parametrize(
        "value",
        [
            None,
            "x",
            {"type": "long-unsigned", "value": 65536},
            {"type": "long-unsigned", "value": "5.5"},
            {"type": "odd", "value": 5},
            {"type": "visible-string", "value": "a\x00b"},
            {"type": "visible-string", "value": "\ud800"},
            {"type": "structure", "value": 5},
            {"type": "octet-string", "value": "0"},
            {"type": "array", "value": [{"type": "array", "value": []}] * 3 + [{"odd": 1}]},
        ],
    )
    def test_what_is_no_value_is_not_sent(self, api, dlms_session, value) -> None:
        said = {"class_id": 1, "logical_name": "0-0:96.1.0*255", "attribute_id": 2, "value": value, "confirmed": True}
        answer = api.post(f"/sessions/{dlms_session.pk}/writes", said)
        assert (answer.status_code, list(answer.json()["fields"])) == (422, ["value"])
        assert not Step.objects.exists()

    def test_a_secret_that_is_written_is_sealed(self, api, dlms_session) -> None:
        said = {
            "class_id": 15,
            "logical_name": "0-0:40.0.0*255",
            "attribute_id": 7,
            "value": {"type": "octet-string", "value": f"text:{CANARY}"},
            "confirmed": True,
            "serial_typed": "12345678",
        }
        answer = api.post(f"/sessions/{dlms_session.pk}/writes", said)
        assert answer.status_code == 201, answer.content
        step = Step.objects.get()
        told = answer.content.decode() + api.get(f"/sessions/{dlms_session.pk}/steps/{step.pk}").content.decode()
        for secret in (CANARY, CANARY.encode().hex()):
            assert secret not in told
            assert secret not in str(step.parameters) + step.title
        assert step.sealed

    def test_what_was_read_helps_to_know_the_type(self, api, dlms_session) -> None:
        from tests.sessions.builders import make_read

        make_read(dlms_session, 1, "0-0:96.1.0*255", 2, octet_string(b"abc"))
        said = {
            "class_id": 1,
            "logical_name": "0-0:96.1.0*255",
            "attribute_id": 2,
            "value": {"type": "octet-string", "value": "00"},
        }
        assert api.post(f"/sessions/{dlms_session.pk}/writes", said).status_code == 200
