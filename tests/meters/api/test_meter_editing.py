"""Meters are added and changed over the API by the page's own services."""

from __future__ import annotations

import csv
from io import StringIO

import pytest

from meters import bulk, listing
from meters.models import Change, Comment, InvocationCounter, KeyVersion, Meter, MeterType, RefusedTarget
from meters.services import open_secrets
from tests.api import Api
from tests.meters.builders import make_ciphered_meter, make_meter

pytestmark = pytest.mark.django_db
LINE = {"kind": "TCP", "host": "192.0.2.7", "port": 4059}
CANARY = "s3cret-c4nary"


@pytest.fixture
def api() -> Api:
    return Api()


def body(**fields):
    return {"serial_number": "10", "line": LINE, "secrets": {"secret": CANARY}, **fields}


class TestAdding:
    def test_a_meter_comes_to_be_as_from_the_page(self, api) -> None:
        said = body(
            manufacturer="Acme",
            model="X1",
            batch="Lot 7",
            tags=["b", "a"],
            location="shelf",
            association={"client_sap": 32, "authentication": "lls"},
        )
        answer = api.post("/meters", said)
        assert answer.status_code == 201, answer.content
        told = answer.json()
        assert (told["meter_type"]["model"], told["batch"]["name"], told["tags"]) == ("X1", "Lot 7", ["a", "b"])
        assert told == api.get(f"/meters/{told['id']}").json()
        (entry,) = Change.objects.filter(kind="METER")
        assert (entry.action, entry.request_id) == ("CREATE", answer.headers["X-Request-ID"])
        assert entry.user_name == "technician (token tests)"

    def test_the_example_of_the_document_works(self, api) -> None:
        from workbench.api import document

        (example,) = document()["components"]["schemas"]["NewMeter"]["examples"]
        assert api.post("/meters", example).status_code == 201

    def test_secrets_go_in_and_never_come_out(self, api) -> None:
        answer = api.post("/meters", body())
        meter = Meter.objects.get()
        assert open_secrets(association=meter.default_association)["LLS_SECRET"].octets == CANARY.encode()
        for text in (answer.content.decode(), api.get(f"/meters/{meter.pk}").content.decode()):
            assert CANARY not in text
            assert CANARY.encode().hex() not in text
        assert CANARY not in str(list(Change.objects.values()))

    @pytest.mark.parametrize(
        "fields",
        [
            {"serial_number": "", "secrets": {"secret": CANARY}},
            {"line": {"kind": "TCP"}, "secrets": {"secret": CANARY}},
            {"association": {"authentication": "hls-manufacturer"}, "secrets": {"secret": CANARY * 3}},
            {"association": {"authentication": "hls-gmac"}, "secrets": {"guek": "5ec3e7"}},
            {"secrets": {"secret": CANARY, "guek": "5ec3e7zz"}},
            {"secrets": {"secret": CANARY + "é"}},
        ],
    )
    def test_no_refusal_echoes_one(self, api, fields) -> None:
        answer = api.post("/meters", body(**fields))
        assert answer.status_code == 422
        assert CANARY not in answer.content.decode()
        assert "5ec3e7" not in answer.content.decode()
        assert not Meter.objects.exists()

    def test_secrets_need_a_scope_of_their_own(self) -> None:
        answer = Api("meters:write").post("/meters", body())
        assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
        assert "keys:write" in answer.json()["message"]
        without = body(association={"authentication": "none"})
        del without["secrets"]
        assert Api("meters:write").post("/meters", without).status_code == 201

    def test_a_serial_number_that_is_there_is_a_conflict(self, api) -> None:
        make_meter(meter={"serial_number": "10"})
        answer = api.post("/meters", body())
        assert (answer.status_code, list(answer.json()["fields"])) == (409, ["serial_number"])

    def test_the_counter_goes_on_from_what_is_said(self, api) -> None:
        said = body(
            association={
                "authentication": "hls-gmac",
                "protection": "authenticated-encrypted",
                "client_system_title": "4D57424D57422D31",
                "invocation_counter": 500,
            },
            secrets={"guek": "00" * 16, "gak": "11" * 16},
        )
        assert api.post("/meters", said).json()["warnings"] == []
        assert InvocationCounter.objects.get().next_value == 500
        InvocationCounter.objects.update(next_value=10)
        (warning,) = api.patch(
            f"/meters/{Meter.objects.get().pk}", {"association": {"invocation_counter": 2**30}}
        ).json()["warnings"]
        assert "was not taken over" in warning
        assert InvocationCounter.objects.get().next_value == 10


class TestChanging:
    def test_only_what_is_said_changes(self, api) -> None:
        meter = make_meter(meter={"name": "bench", "tags": ["a"], "batch": "Lot 7", "notes": "old"})
        before = api.get(f"/meters/{meter.pk}").json()
        after = api.patch(f"/meters/{meter.pk}", {"location": "shelf", "line": {"port": 4060}}).json()
        assert (after.pop("location"), after["line"]["port"]) == ("shelf", 4060)
        before.pop("location")
        for told in (before, after):
            told.pop("line")
        assert after == before
        assert set(Change.objects.filter(kind="METER").first().fields) == {"location", "line"}

    def test_nothing_said_is_nothing_logged(self, api) -> None:
        meter = make_meter()
        assert api.patch(f"/meters/{meter.pk}", {}).status_code == 200
        assert Change.objects.filter(kind="METER", action="UPDATE").count() == 0

    def test_a_new_state_needs_a_reason(self, api) -> None:
        meter = make_meter()
        answer = api.patch(f"/meters/{meter.pk}", {"state": "FAULTY"})
        assert (answer.status_code, list(answer.json()["fields"])) == (422, ["reason"])
        assert api.patch(f"/meters/{meter.pk}", {"state": "FAULTY", "reason": "no answer"}).json()["state"] == "FAULTY"

    def test_a_key_that_is_not_said_keeps_its_version(self, api) -> None:
        meter = make_ciphered_meter()
        api.patch(f"/meters/{meter.pk}", {"name": "x"})
        assert KeyVersion.objects.count() == 2
        told = api.patch(f"/meters/{meter.pk}", {"secrets": {"guek": "22" * 16}}).json()
        assert {key["slot"]: key["version"] for key in told["keys"]} == {"GUEK": 2, "GAK": 1}

    def test_another_association_is_named_by_its_id(self, api) -> None:
        meter = make_meter()
        other = meter.associations.create(name="Public", client_sap=16, authentication="none")
        told = api.patch(f"/meters/{meter.pk}", {"association": {"id": other.pk, "client_sap": 17}}).json()
        assert {each["name"]: each["client_sap"] for each in told["associations"]} == {"Management": 32, "Public": 17}
        of_another = make_meter(meter={"serial_number": "2"}).default_association
        answer = api.patch(f"/meters/{meter.pk}", {"association": {"id": of_another.pk, "client_sap": 1}})
        assert (answer.status_code, list(answer.json()["fields"])) == (422, ["association.id"])

    def test_none(self, api) -> None:
        assert api.patch("/meters/1", {"name": "x"}).status_code == 404

    def test_a_batch_of_another_type_is_refused_and_nothing_is_saved(self, api) -> None:
        from meters.inventory import save_batch

        save_batch(user="tests", name="Lot 7", meter_type=MeterType.objects.create(model="Z"))
        meter = make_meter()
        answer = api.patch(f"/meters/{meter.pk}", {"batch": "Lot 7", "location": "shelf"})
        assert (answer.status_code, list(answer.json()["fields"])) == (422, ["batch"])
        meter.refresh_from_db()
        assert meter.location == ""


class TestLine:
    def test_a_line_that_is_here_is_named(self, api) -> None:
        line = make_meter(line={"name": "bench 7"}).line
        told = api.post("/meters", body(line={"known": "bench 7"})).json()
        assert told["line"]["id"] == line.pk
        answer = api.post("/meters", body(serial_number="11", line={"known": "bench 8"}))
        assert (answer.status_code, list(answer.json()["fields"])) == (422, ["line.known"])


class TestTargets:
    """Where a line may lead is judged as on the page, and what was refused is written down though nothing else is."""

    @pytest.mark.parametrize("host", ["169.254.169.254", "fe80::1"])
    def test_what_no_rule_allows_is_refused_and_kept_in_the_audit(self, api, host) -> None:
        meter = make_meter()
        for answer in (
            api.post("/meters", body(line={**LINE, "host": host})),
            api.patch(f"/meters/{meter.pk}", {"line": {"host": host}}),
        ):
            assert (answer.status_code, list(answer.json()["fields"])) == (422, ["line.host"]), answer.content
        meter.refresh_from_db()
        assert meter.line.host == "127.0.0.1"
        assert [(row.host, row.user) for row in RefusedTarget.objects.all()] == [(host, api.user)] * 2


class TestBulk:
    @pytest.fixture
    def meters(self) -> list[Meter]:
        return [make_meter(meter={"serial_number": f"m{n}", "batch": "Lot 7"}) for n in range(3)]

    def test_by_ids(self, api, meters) -> None:
        ids = [meters[0].pk, meters[1].pk, 999]
        answer = api.post("/meters/bulk", {"ids": ids, "location": "shelf", "add_tags": ["new"]})
        told = answer.json()
        assert (told["changed"], told["unchanged"]) == (2, 0)
        assert told["refused"] == [{"meter": "meter 999", "reason": "It is not there any more."}]
        entries = api.get("/changes", request_id=told["request_id"]).json()["results"]
        assert {entry["label"].split()[0] for entry in entries if entry["kind"] == "METER"} == {"m0", "m1"}
        assert answer.headers["X-Request-ID"] == told["request_id"]

    def test_by_what_the_filters_leave(self, api, meters) -> None:
        make_meter(meter={"serial_number": "other"})
        said = {"matching": {"batch": ["Lot 7"], "q": "m"}, "state": "IN_TEST", "reason": "they arrived", "batch": ""}
        assert api.post("/meters/bulk", said).json()["changed"] == 3
        assert Meter.objects.filter(state="IN_TEST", batch=None).count() == 3

    @pytest.mark.parametrize(
        ("said", "field"),
        [
            ({}, "ids"),
            ({"ids": [1], "matching": {}}, "ids"),
            ({"ids": []}, "ids"),
            ({"ids": [0]}, "ids.0"),
            ({"ids": ["1"]}, "ids.0"),
            ({"matching": {"batch": ["none"]}, "location": "x"}, "batch"),
            ({"matching": {"sate": ["FAULTY"]}, "location": "x"}, "matching.sate"),
            ({"matching": {"tag": [" "]}, "location": "x"}, "tag"),
            ({"ids": [1], "state": "FAULTY"}, "reason"),
            ({"ids": [1], "meter_type": 9}, "meter_type"),
        ],
    )
    def test_what_is_not_clear_changes_nothing(self, api, meters, said, field) -> None:
        answer = api.post("/meters/bulk", said)
        assert answer.status_code == 422
        assert field in answer.json()["fields"], answer.json()
        assert Change.objects.filter(action="UPDATE").count() == 0

    def test_too_many_are_refused(self, api, meters, monkeypatch) -> None:
        monkeypatch.setattr(listing, "COUNT_LIMIT", 2)
        answer = api.post("/meters/bulk", {"matching": {}, "location": "x"})
        assert (answer.status_code, list(answer.json()["fields"])) == (422, ["matching"])
        assert (
            api.post("/meters/bulk", {"ids": list(range(1, bulk.BULK_LIMIT + 2)), "location": "x"}).status_code == 422
        )

    def test_nothing_to_do_is_refused(self, api, meters) -> None:
        assert "Nothing to change" in api.post("/meters/bulk", {"ids": [meters[0].pk]}).json()["message"]


class TestComments:
    def test_they_are_written_and_read(self, api) -> None:
        meter = make_meter()
        answer = api.post(f"/meters/{meter.pk}/comments", {"text": "careful <b>"})
        assert (answer.status_code, answer.json()["text"], answer.json()["user"]) == (201, "careful <b>", "technician")
        assert api.get(f"/meters/{meter.pk}/comments").json()["results"] == [answer.json()]
        assert Comment.objects.get().user == api.user

    @pytest.mark.parametrize("said", [{"text": ""}, {"text": " "}, {"text": "x" * 5001}, {"text": "\x00"}, {}, []])
    def test_nothing_is_no_comment(self, api, said) -> None:
        meter = make_meter()
        assert api.post(f"/meters/{meter.pk}/comments", said).status_code == 422

    def test_none(self, api) -> None:
        assert (
            api.get("/meters/1/comments").status_code
            == api.post("/meters/1/comments", {"text": "x"}).status_code
            == 404
        )


class TestExport:
    def test_it_is_the_file_of_the_page(self, api, client) -> None:
        for n in range(3):
            make_meter(meter={"serial_number": f"=m{n}", "batch": f"Lot {n % 2}"})
        answer = api.get("/meters/export", batch="Lot 0")
        text = b"".join(answer.streaming_content).decode()
        client.force_login(api.user)
        page = client.get("/meters/export/", {"batch": "Lot 0"})
        assert text == b"".join(page.streaming_content).decode()
        assert [row["serial_number"] for row in csv.DictReader(StringIO(text))] == ["'=m0", "'=m2"]
        assert answer.headers["Content-Type"].startswith("text/csv")

    @pytest.mark.parametrize("query", [{"batch": "none"}, {"what": "page"}, {"sate": "x"}])
    def test_a_filter_that_cannot_be_used_exports_nothing(self, api, query) -> None:
        assert api.get("/meters/export", **query).status_code == 422
