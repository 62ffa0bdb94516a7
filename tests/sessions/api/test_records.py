"""What a session recorded, over the API: in order, after a cursor, nothing twice."""

from __future__ import annotations

import json

import pytest

from meters.cosem.data import array, long_unsigned, octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from sessions.models import ProfileEntry, Step
from tests.api import Api
from tests.sessions.builders import LOAD_PROFILE, READ_CLOCK, make_frames, make_read, make_session

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Api:
    return Api()


def walk(api: Api, path: str, name: str, **query) -> list[int]:
    found, after = [], 0
    while after is not None:
        told = api.get(path, after=after, **query).json()
        found += [row[name] for row in told["results"]]
        after = told["next_after"]
    return found


class TestSteps:
    def test_they_are_walked_through(self, api, django_assert_num_queries) -> None:
        dlms_session = make_session(steps=[READ_CLOCK] * 5)
        assert walk(api, f"/sessions/{dlms_session.pk}/steps", "number", limit=2) == [1, 2, 3, 4, 5]
        with django_assert_num_queries(3):
            api.get(f"/sessions/{dlms_session.pk}/steps")

    def test_one_with_its_value(self, api) -> None:
        dlms_session = make_session()
        step = make_read(dlms_session, 3, "1-0:1.8.0*255", 2, long_unsigned(7))
        told = api.get(f"/sessions/{dlms_session.pk}/steps/{step.pk}").json()
        assert (told["parameters"]["class_id"], told["result"]["value"], told["text"]) == (3, 7, "7")

    def test_another_sessions_step_is_not_there(self, api) -> None:
        step = make_session(steps=[READ_CLOCK]).steps.get()
        other = make_session()
        for end in ("", "/entries", "/profile.csv"):
            assert api.get(f"/sessions/{other.pk}/steps/{step.pk}{end}").status_code == 404


class TestEntries:
    @pytest.fixture
    def step(self) -> Step:
        step = make_session(steps=[LOAD_PROFILE]).steps.get()
        step.columns = [{"title": "=energy", "unit": "Wh"}]
        step.save()
        ProfileEntry.objects.bulk_create(ProfileEntry(step=step, number=n + 1, values=[n]) for n in range(5))
        return step

    def test_they_are_walked_through(self, api, step) -> None:
        path = f"/sessions/{step.session_id}/steps/{step.pk}/entries"
        assert walk(api, path, "number", limit=2) == [1, 2, 3, 4, 5]
        told = api.get(path, after=4).json()
        assert (told["columns"], told["results"], told["next_after"]) == (
            step.columns,
            [{"number": 5, "time": None, "values": [4]}],
            None,
        )

    def test_as_a_file(self, api, step) -> None:
        answer = api.get(f"/sessions/{step.session_id}/steps/{step.pk}/profile.csv")
        lines = b"".join(answer.streaming_content).decode().splitlines()
        assert (lines[0], lines[-1], len(lines)) == ("entry,time,'=energy [Wh]", "5,,4", 6)


class TestFrames:
    def test_after_a_cursor_and_before_one(self, api, django_assert_num_queries) -> None:
        dlms_session = make_session()
        make_frames(dlms_session, 5)
        path = f"/sessions/{dlms_session.pk}/frames"

        def seqs(**query) -> list[int]:
            return [row["seq"] for row in api.get(path, **query).json()["results"]]

        assert seqs() == [1, 2, 3, 4, 5]
        assert seqs(after=2, limit=2) == [3, 4]
        assert seqs(before=4, limit=2) == [2, 3]
        assert seqs(before=4, after=2) == [3]
        assert seqs(after=5) == []
        assert api.get(path).json()["last_seq"] == 5
        with django_assert_num_queries(3):
            api.get(path)

    @pytest.mark.parametrize("query", [{"after": -1}, {"after": 2**31}, {"before": 0}, {"limit": 2001}, {"after": "x"}])
    def test_what_is_no_cursor(self, api, query) -> None:
        assert api.get(f"/sessions/{make_session().pk}/frames", **query).status_code == 422

    def test_one_is_read_as_the_inspector_reads_it(self, api) -> None:
        dlms_session = make_session()
        make_frames(dlms_session, 1, octets=bytes.fromhex("7ea00802213110bf2c7e"))
        told = api.get(f"/sessions/{dlms_session.pk}/frames/1").json()
        assert told["framing"] == "hdlc"
        assert told["fields"]
        assert told["frame"]["octets"] == "7ea00802213110bf2c7e"
        assert api.get(f"/sessions/{dlms_session.pk}/frames/2").status_code == 404


class TestObjects:
    def test_what_the_meter_listed(self, api) -> None:
        dlms_session = make_session()
        path = f"/sessions/{dlms_session.pk}/objects"
        assert api.get(path).json()["results"] == []
        row = structure(
            long_unsigned(8),
            unsigned(0),
            octet_string(ObisCode.parse("0-0:1.0.0*255").octets),
            structure(array(), array()),
        )
        make_read(dlms_session, 15, "0-0:40.0.0*255", 2, array(row))
        (told,) = api.get(path).json()["results"]
        assert (told["class_id"], told["class_name"], told["logical_name"]) == (8, "Clock", "0-0:1.0.0*255")
        assert api.get("/sessions/999/objects").status_code == 404

    def test_the_snapshot_is_the_file_of_the_page(self, api, client) -> None:
        dlms_session = make_session()
        path = f"/sessions/{dlms_session.pk}/snapshot.json"
        assert api.get(path).status_code == api.get("/sessions/999/snapshot.json").status_code == 404
        row = structure(
            long_unsigned(8),
            unsigned(0),
            octet_string(ObisCode.parse("0-0:1.0.0*255").octets),
            structure(array(), array()),
        )
        make_read(dlms_session, 15, "0-0:40.0.0*255", 2, array(row))
        told = json.loads(b"".join(api.get(path).streaming_content))
        client.force_login(api.user)
        page = client.get(f"/sessions/{dlms_session.pk}/objects/snapshot.json")
        shown = json.loads(b"".join(page.streaming_content))
        assert told.keys() == shown.keys()
