"""Pages of the sessions, for each person: what they show, what they ask of the services, what they never say."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from meters.models import AllowedTarget, Meter
from sessions.models import DlmsSession, Frame, ProfileEntry, Step
from sessions.services import open_test_session
from tests.meters.builders import GUEK, make_ciphered_meter, make_meter, meter_fields
from tests.meters.test_forms import WRAPPER
from tests.sessions.builders import LOAD_PROFILE, READ_CLOCK, make_frames, make_session, make_user

pytestmark = pytest.mark.django_db

State = DlmsSession.State
EVIL = "<img src=x onerror=alert(1)>"
HTMX = {"HX-Request": "true"}
COLUMNS = [
    {"title": "Clock", "unit": "", "obis": "0-0:1.0.0*255", "class_id": 8, "attribute_id": 2},
    {"title": "Active energy", "unit": "Wh", "obis": "1-0:1.8.0*255", "class_id": 3, "attribute_id": 2},
]


@pytest.fixture
def technician(client):
    client.force_login(make_user())
    return client


@pytest.fixture
def dlms_session() -> DlmsSession:
    return make_session(steps=[READ_CLOCK, LOAD_PROFILE])


@pytest.fixture
def profile(dlms_session) -> Step:
    step = dlms_session.steps.get(kind="READ_PROFILE")
    step.columns, step.progress_done, step.state = COLUMNS, 3, Step.State.DONE
    step.save()
    for number in range(1, 4):
        values = [f"2026-11-25T0{number}:00:00+01:00", 100 * number]
        ProfileEntry.objects.create(step=step, number=number, time=timezone.now(), values=values)
    return step


def url(name: str, *args: object) -> str:
    return reverse(f"sessions:{name}", args=args)


def change(dlms_session: DlmsSession, **fields: object) -> None:
    DlmsSession.objects.filter(pk=dlms_session.pk).update(**fields)


def read_urls(dlms_session: DlmsSession) -> list[str]:
    step = dlms_session.steps.last()
    return [
        url("session_list"),
        url("session_detail", dlms_session.pk),
        url("frame_list", dlms_session.pk),
        url("frame_detail", dlms_session.pk, 1),
        url("step_detail", dlms_session.pk, step.pk),
        url("step_entries", dlms_session.pk, step.pk),
        url("profile_export", dlms_session.pk, step.pk),
    ]


def write_urls(dlms_session: DlmsSession) -> list[str]:
    return [
        url("session_open", dlms_session.meter_id),
        url("association_test"),
        url("session_cancel", dlms_session.pk),
        url("session_close", dlms_session.pk),
        url("step_add", dlms_session.pk),
    ]


def test_the_page_says_that_a_meter_is_of_short_names(technician) -> None:
    by_short_names = make_session(make_meter(association={"referencing": "short-names"}), steps=[READ_CLOCK])
    html = technician.get(url("session_detail", by_short_names.pk)).content.decode()
    assert "short names" in html
    by_logical_names = make_session(make_meter(meter={"serial_number": "4712"}), steps=[READ_CLOCK])
    assert "short names" not in technician.get(url("session_detail", by_logical_names.pk)).content.decode()


class TestWhoMayDoWhat:
    def test_nobody_sees_or_does_anything_without_signing_in(self, client, dlms_session) -> None:
        make_frames(dlms_session, 1)
        for address in read_urls(dlms_session) + write_urls(dlms_session):
            for answer in (client.get(address), client.post(address)):
                assert answer.status_code == 302
                assert answer.url.startswith("/accounts/login/?next=")
        assert DlmsSession.objects.get().cancel_requested is False

    def test_a_signed_in_person_reads_everything(self, technician, dlms_session) -> None:
        make_frames(dlms_session, 1)
        for address in read_urls(dlms_session):
            assert technician.get(address).status_code == 200

    def test_reading_changes_nothing_and_changing_is_never_a_get(self, technician, dlms_session) -> None:
        for address in write_urls(dlms_session):
            assert technician.get(address).status_code == 405
        for address in read_urls(dlms_session):
            assert technician.post(address).status_code == 405

    def test_what_is_not_there_is_not_found(self, technician, dlms_session) -> None:
        other = make_session(make_meter(meter={"serial_number": "other"}, line={"port": 5}), steps=[READ_CLOCK])
        for address in (
            url("session_detail", 999),
            url("frame_list", 999),
            url("frame_detail", dlms_session.pk, 999),
            url("step_detail", dlms_session.pk, other.steps.get().pk),
            url("step_entries", dlms_session.pk, other.steps.get().pk),
            url("profile_export", dlms_session.pk, other.steps.get().pk),
        ):
            assert technician.get(address).status_code == 404

    def test_forms_from_elsewhere_are_refused(self, client, dlms_session) -> None:
        client.handler.enforce_csrf_checks = True
        client.force_login(make_user())
        for address in write_urls(dlms_session):
            assert client.post(address).status_code == 403


class TestList:
    @pytest.mark.parametrize(
        ("state", "asked", "shown"),
        [
            ("", "", True),
            ("live", "", True),
            ("failed", "", False),
            ("nonsense", "", True),
            ("", "12345678", True),
            ("", "technician", True),
            ("", "nobody", False),
        ],
    )
    def test_narrows(self, technician, dlms_session, state: str, asked: str, shown: bool) -> None:
        html = technician.get(url("session_list"), {"state": state, "q": asked}).content.decode()
        assert (dlms_session.get_absolute_url() in html) is shown

    def test_finds_a_number(self, technician, dlms_session) -> None:
        html = technician.get(url("session_list"), {"q": f"#{dlms_session.pk}"}).content.decode()
        assert dlms_session.get_absolute_url() in html

    def test_empty(self, technician) -> None:
        assert b"No sessions yet" in technician.get(url("session_list")).content

    def test_with_htmx_only_the_table(self, technician, dlms_session) -> None:
        answer = technician.get(url("session_list"), headers=HTMX)
        assert b"<html" not in answer.content
        assert "HX-Request" in answer.headers["Vary"]

    def test_costs_the_same_for_one_and_for_twenty(self, technician, django_assert_num_queries) -> None:
        meter = make_meter()
        make_session(meter)
        with django_assert_num_queries(4):  # sign-in session, user, count, rows
            technician.get(url("session_list"))
        for _ in range(19):
            make_session(meter)
        with django_assert_num_queries(4):
            technician.get(url("session_list"))


class TestOpening:
    def test_leads_to_the_session(self, technician) -> None:
        meter = make_meter()
        answer = technician.post(url("session_open", meter.pk))
        opened = DlmsSession.objects.get()
        assert (answer.status_code, answer.url) == (302, opened.get_absolute_url())
        assert opened.opened_by.username == "technician"

    def test_by_the_association_that_is_named(self, technician) -> None:
        meter = make_meter()
        public = meter.associations.create(name="Public", client_sap=16)
        technician.post(url("session_open", meter.pk), {"association": public.pk})
        assert DlmsSession.objects.get().association == public

    def test_not_by_another_meters(self, technician) -> None:
        meter, other = make_meter(), make_meter(meter={"serial_number": "other"}, line={"port": 5})
        answer = technician.post(url("session_open", meter.pk), {"association": other.default_association.pk})
        assert answer.status_code == 404
        assert not DlmsSession.objects.exists()

    def test_a_meter_without_an_association_says_so(self, technician) -> None:
        meter = make_meter(association={"authentication": "none"}, secrets={"LLS_SECRET": b""})
        meter.associations.all().delete()
        answer = technician.post(url("session_open", meter.pk), follow=True)
        assert b"no association yet" in answer.content


class TestTheTestOfADraft:
    def test_opens_a_test_session_and_saves_nothing(self, technician) -> None:
        answer = technician.post(url("association_test"), WRAPPER)
        opened = DlmsSession.objects.get()
        assert (answer.status_code, answer.url) == (302, opened.get_absolute_url())
        assert opened.purpose == DlmsSession.Purpose.TEST
        assert not Meter.objects.exists()

    def test_with_htmx_the_answer_stands_in_the_form_and_follows_the_test(self, technician) -> None:
        html = technician.post(url("association_test"), WRAPPER, headers=HTMX).content.decode()
        opened = DlmsSession.objects.get()
        assert "<html" not in html
        assert f'hx-get="{opened.get_absolute_url()}?part=test"' in html
        assert "12345678" not in html  # the secret does not come back

    def test_a_refused_field_is_shown_and_nothing_is_tried(self, technician) -> None:
        answer = technician.post(url("association_test"), {**WRAPPER, "port": ""}, headers=HTMX)
        assert b"needs a port" in answer.content
        assert not DlmsSession.objects.exists()

    def test_without_scripts_the_whole_form_comes_back(self, technician) -> None:
        answer = technician.post(url("association_test"), {**WRAPPER, "port": ""})
        assert b"<html" in answer.content
        assert b"needs a port" in answer.content

    def test_keeps_the_saved_secret_of_the_meter_that_is_edited(self, technician) -> None:
        meter = make_meter()
        data = {**WRAPPER, "secret": "", "meter": meter.pk, "association": meter.default_association.pk}
        assert technician.post(url("association_test"), data).status_code == 302

    def test_another_meters_association_is_not_found(self, technician) -> None:
        meter, other = make_meter(), make_meter(meter={"serial_number": "other"}, line={"port": 5})
        data = {**WRAPPER, "meter": meter.pk, "association": other.default_association.pk}
        assert technician.post(url("association_test"), data).status_code == 404

    def test_its_part_of_the_page_says_what_the_meter_said(self, technician) -> None:
        draft = {name: value for name, value in meter_fields().items() if name != "user"}
        opened = open_test_session(draft=draft, user=make_user())
        change(opened, state=State.DONE, negotiated={"dlms_version": 6}, last_seq=4)
        opened.steps.update(state=Step.State.DONE, result={"text": EVIL, "value": EVIL})
        answer = technician.get(opened.get_absolute_url(), {"part": "test"})
        html = answer.content.decode()
        assert "Passed" in html
        assert "hx-get" not in html  # it is over: nothing is asked again
        assert EVIL not in html
        assert "no-store" in answer.headers["Cache-Control"]


class TestThePage:
    def test_brings_the_state_and_the_newest_frames(self, technician, dlms_session) -> None:
        make_frames(dlms_session, 350)
        page = technician.get(dlms_session.get_absolute_url())
        initial = page.context["initial"]
        assert [frame["seq"] for frame in initial["frames"]] == list(range(51, 351))
        assert initial["last_seq"] == 350
        assert [step["number"] for step in initial["state"]["steps"]] == [1, 2]

    def test_costs_the_same_for_few_frames_and_for_many(
        self, technician, dlms_session, django_assert_num_queries
    ) -> None:
        make_frames(dlms_session, 2)
        with django_assert_num_queries(6):  # sign-in session, user, session, evidence, frames, steps
            technician.get(dlms_session.get_absolute_url())
        make_frames(dlms_session, 200)
        with django_assert_num_queries(6):  # sign-in session, user, session, evidence, frames, steps
            technician.get(dlms_session.get_absolute_url())

    def test_what_a_meter_says_cannot_become_markup(self, technician, dlms_session) -> None:
        Frame.objects.create(
            session=dlms_session,
            seq=1,
            time=timezone.now(),
            direction="RECEIVED",
            octets=b"<script>",
            summary=EVIL,
            error=EVIL,
        )
        change(
            dlms_session,
            state=State.FAILED,
            last_seq=1,
            error={"layer": "link", "code": "no-reply", "message": EVIL, "hint": EVIL},
            negotiated={"conformance": [EVIL], "server_system_title": EVIL, "hdlc": {EVIL: EVIL}, "remarks": [EVIL]},
        )
        dlms_session.steps.update(state=Step.State.DONE, title=EVIL, result={"text": EVIL, "value": EVIL})
        html = technician.get(dlms_session.get_absolute_url()).content.decode()
        assert EVIL not in html
        assert "</script><" not in html.split('id="initial"')[1].split("</script>")[0]

    def test_a_failure_says_the_layer_the_reason_and_what_to_try(self, technician, dlms_session) -> None:
        error = {
            "layer": "authentication",
            "code": "authentication-failed",
            "message": "It said no.",
            "hint": "Check it.",
        }
        change(dlms_session, state=State.FAILED, error=error, last_seq=2)
        make_frames(DlmsSession.objects.get(), 2)
        html = technician.get(dlms_session.get_absolute_url(), {"part": "head"}).content.decode()
        for words in (
            "It said no.",
            "Check it.",
            "Refused by: authentication",
            "rung-refused",
            "rung-passed",
            "not reached",
        ):
            assert words in html
        assert "Open again" in html

    @pytest.mark.parametrize("state", State.values)
    def test_every_state_has_a_face(self, technician, dlms_session, state: str) -> None:
        change(dlms_session, state=state)
        html = technician.get(dlms_session.get_absolute_url()).content.decode()
        assert State(state).label in html
        assert ("Open again" in html) is (state not in DlmsSession.LIVE)

    def test_a_session_whose_meter_was_deleted_still_opens(self, technician, dlms_session) -> None:
        change(dlms_session, meter=None, association=None, state=State.DONE)
        assert technician.get(dlms_session.get_absolute_url()).status_code == 200


class TestEnding:
    def test_cancel(self, technician, dlms_session) -> None:
        answer = technician.post(url("session_cancel", dlms_session.pk))
        assert answer.url == dlms_session.get_absolute_url()
        assert DlmsSession.objects.get().state == State.CANCELLED  # nobody ran it yet

    def test_close(self, technician, dlms_session) -> None:
        technician.post(url("session_close", dlms_session.pk))
        assert DlmsSession.objects.get().close_requested

    def test_with_htmx_the_head_comes_back(self, technician, dlms_session) -> None:
        answer = technician.post(url("session_close", dlms_session.pk), headers=HTMX)
        assert b'id="session-head"' in answer.content
        assert b"Closing" in answer.content
        assert b"<html" not in answer.content

    def test_one_that_is_over_stays_as_it_is(self, technician, dlms_session) -> None:
        change(dlms_session, state=State.DONE)
        technician.post(url("session_cancel", dlms_session.pk))
        assert DlmsSession.objects.get().state == State.DONE


class TestFrames:
    def numbers(self, technician, dlms_session, **asked: object) -> list[int]:
        answer = technician.get(url("frame_list", dlms_session.pk), asked)
        return [frame["seq"] for frame in answer.json()["frames"]]

    @pytest.mark.parametrize(
        ("asked", "numbers"),
        [
            ({}, [1, 2, 3, 4, 5]),
            ({"after": 3}, [4, 5]),
            ({"after": 5}, []),
            ({"after": 1, "limit": 2}, [2, 3]),
            ({"before": 4}, [1, 2, 3]),
            ({"before": 4, "limit": 2}, [2, 3]),
            ({"after": 1, "before": 4}, [2, 3]),
            ({"after": "nonsense"}, [1, 2, 3, 4, 5]),
            ({"after": "-1", "limit": "0"}, [1]),
            ({"after": "9" * 30}, [1, 2, 3, 4, 5]),
            ({"after": 2**40}, []),
        ],
    )
    def test_ranges(self, technician, dlms_session, asked, numbers) -> None:
        make_frames(dlms_session, 5)
        assert self.numbers(technician, dlms_session, **asked) == numbers

    def test_the_state_comes_along_when_asked(self, technician, dlms_session) -> None:
        found = technician.get(url("frame_list", dlms_session.pk), {"state": 1}).json()
        assert found["state"]["session"]["state"] == "QUEUED"
        assert len(found["state"]["steps"]) == 2

    def test_a_frame_is_read_as_tree_and_octets(self, technician, dlms_session) -> None:
        octets = bytes.fromhex("000100200001000dc001c100080000010000ff0200")
        make_frames(dlms_session, 1, octets=octets)
        answer = technician.get(url("frame_detail", dlms_session.pk, 1))
        found = answer.json()
        assert answer.headers["Content-Type"] == "application/json"
        assert found["sources"]["frame"] == octets.hex()
        assert found["frame"]["seq"] == 1
        assert found["fields"]

    @pytest.mark.parametrize("octets", [b"", b"\x00", b"\x7e", b"\xff" * 300])
    def test_garbage_is_read_without_a_failure(self, technician, dlms_session, octets: bytes) -> None:
        make_frames(dlms_session, 1, octets=octets)
        assert technician.get(url("frame_detail", dlms_session.pk, 1)).status_code == 200


class TestAsking:
    def test_a_read_is_added_at_once(self, technician, dlms_session) -> None:
        answer = technician.post(url("step_add", dlms_session.pk), {**READ_CLOCK, "kind": "READ"})
        step = dlms_session.steps.last()
        assert (answer.status_code, answer.url) == (302, f"{dlms_session.get_absolute_url()}#step={step.pk}")
        assert step.requested_by.username == "technician"

    def test_with_htmx_the_form_comes_back_and_the_page_is_told(self, technician, dlms_session) -> None:
        answer = technician.post(url("step_add", dlms_session.pk), {**READ_CLOCK, "kind": "READ"}, headers=HTMX)
        assert b"<html" not in answer.content
        assert json.loads(answer.headers["HX-Trigger"]) == {"step:added": {"step": dlms_session.steps.last().pk}}

    def test_a_bad_value_stands_at_its_field(self, technician, dlms_session) -> None:
        bad = {**READ_CLOCK, "kind": "READ", "logical_name": "1.8.256"}
        answer = technician.post(url("step_add", dlms_session.pk), bad, headers=HTMX)
        html = answer.content.decode()
        assert 'id="read_logical_name_error"' in html
        assert "HX-Trigger" not in answer.headers
        assert dlms_session.steps.count() == 2

    def test_without_scripts_a_bad_value_gives_a_page(self, technician, dlms_session) -> None:
        bad = {**READ_CLOCK, "kind": "READ", "class_id": EVIL}
        html = technician.post(url("step_add", dlms_session.pk), bad).content.decode()
        assert "<html" in html
        assert EVIL not in html

    def test_a_write_is_shown_before_it_is_sent(self, technician, dlms_session) -> None:
        fields = {**READ_CLOCK, "kind": "WRITE", "value_type": "octet-string", "value": "00ff", "plain": "1"}
        html = technician.post(url("step_add", dlms_session.pk), fields, headers=HTMX).content.decode()
        assert "090200ff" in html
        assert "12345678" in html
        assert 'name="confirmed" value="1"' in html
        assert dlms_session.steps.count() == 2
        technician.post(url("step_add", dlms_session.pk), {**fields, "confirmed": "1"}, headers=HTMX)
        assert dlms_session.steps.last().kind == "WRITE"

    def test_going_back_from_the_gate_sends_nothing(self, technician, dlms_session) -> None:
        fields = {**READ_CLOCK, "kind": "WRITE", "value_type": "unsigned", "value": "5", "confirmed": "1", "edit": "1"}
        html = technician.post(url("step_add", dlms_session.pk), fields, headers=HTMX).content.decode()
        assert 'name="confirmed" value="1"' not in html
        assert dlms_session.steps.count() == 2

    def test_the_relay_is_not_switched_without_the_serial_number(self, technician, dlms_session) -> None:
        fields = {"kind": "INVOKE", "preset": "disconnect", "value_type": "integer", "value": "0", "confirmed": "1"}
        html = technician.post(url("step_add", dlms_session.pk), fields, headers=HTMX).content.decode()
        assert "switched off" in html
        assert "Type 12345678 to go on." in html
        assert dlms_session.steps.count() == 2
        technician.post(url("step_add", dlms_session.pk), {**fields, "serial_typed": "12345678"}, headers=HTMX)
        assert dlms_session.steps.last().kind == "INVOKE"

    def test_a_session_that_is_over_says_so(self, technician, dlms_session) -> None:
        change(dlms_session, state=State.DONE)
        answer = technician.post(url("step_add", dlms_session.pk), {**READ_CLOCK, "kind": "READ"}, headers=HTMX)
        assert b"This session is over" in answer.content

    def test_an_unknown_kind_is_not_found(self, technician, dlms_session) -> None:
        assert technician.post(url("step_add", dlms_session.pk), {"kind": "EXPLODE"}).status_code == 404


class TestResults:
    def show(self, technician, step: Step) -> str:
        return technician.get(url("step_detail", step.session_id, step.pk)).content.decode()

    def test_a_value(self, technician, dlms_session) -> None:
        step = dlms_session.steps.first()
        step.state, step.result = "DONE", {"type": "long-unsigned", "value": 2301, "text": "230.1 V", "raw": 2301}
        step.save()
        html = self.show(technician, step)
        assert "230.1 V" in html
        assert "long-unsigned" in html

    @pytest.mark.parametrize("value", [EVIL, [EVIL, [EVIL]], [[8, 0, EVIL]]])
    def test_what_a_meter_says_is_text(self, technician, dlms_session, value) -> None:
        step = dlms_session.steps.first()
        step.state, step.title = "DONE", EVIL
        step.result = {"type": EVIL, "value": value, "text": EVIL, "obis": EVIL, "obis_text": EVIL}
        step.error = {"layer": EVIL, "code": EVIL, "message": EVIL, "hint": EVIL}
        step.save()
        assert EVIL not in self.show(technician, step)

    def test_a_refusal_shows_the_ladder(self, technician, dlms_session) -> None:
        change(dlms_session, negotiated={"dlms_version": 6}, last_seq=4)
        step = dlms_session.steps.first()
        step.state = "FAILED"
        step.error = {
            "layer": "access",
            "code": "read-write-denied",
            "message": "The meter refused.",
            "hint": "Another SAP.",
        }
        step.save()
        html = self.show(technician, step)
        assert "rung-refused" in html
        assert "Another SAP." in html

    def test_rows_after_a_cursor(self, technician, profile) -> None:
        address = url("step_entries", profile.session_id, profile.pk)
        found = technician.get(address).json()
        assert [entry[0] for entry in found["entries"]] == [1, 2, 3]
        assert found["columns"] == COLUMNS
        assert [entry[0] for entry in technician.get(address, {"after": 2}).json()["entries"]] == [3]

    def test_rows_as_csv(self, technician, profile) -> None:
        answer = technician.get(url("profile_export", profile.session_id, profile.pk))
        lines = b"".join(answer.streaming_content).decode().splitlines()
        assert lines[0] == "entry,time,Clock,Active energy [Wh]"
        assert lines[1].endswith(",2026-11-25T01:00:00+01:00,100")
        assert len(lines) == 4
        assert "attachment" in answer.headers["Content-Disposition"]

    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx"])
    def test_a_text_does_not_become_a_formula(self, technician, profile, text: str) -> None:
        profile.entries.filter(number=1).update(values=[text, -5])
        answer = technician.get(url("profile_export", profile.session_id, profile.pk))
        line = b"".join(answer.streaming_content).decode().split("\r\n")[1]
        assert f",'{text}," in line or f'"\'{text}"' in line
        assert line.endswith(",-5")  # a number stays one


def test_pages_never_say_a_key(technician) -> None:
    dlms_session = make_session(make_ciphered_meter())
    make_frames(dlms_session, 2)
    dlms_session = DlmsSession.objects.get()
    for address in [*read_urls_without_steps(dlms_session), dlms_session.meter.get_absolute_url()]:
        assert GUEK.hex() not in technician.get(address).content.decode().lower()


def read_urls_without_steps(dlms_session: DlmsSession) -> list[str]:
    return [
        url("session_detail", dlms_session.pk),
        url("frame_list", dlms_session.pk),
        url("frame_detail", dlms_session.pk, 1),
    ]


class TestLineTest:
    def test_it_is_asked_for_and_its_answer_is_polled(self, client) -> None:
        client.force_login(make_user())
        line = make_meter().line
        address = reverse("sessions:line_test", args=[line.pk])
        html = client.post(address, headers={"HX-Request": "true"}).content.decode()
        dlms_session = DlmsSession.objects.get()
        assert (dlms_session.purpose, dlms_session.line) == (DlmsSession.Purpose.LINE, line)
        assert f"{dlms_session.get_absolute_url()}?part=line" in html
        DlmsSession.objects.update(state="DONE", context={"connect_ms": 12})
        html = client.get(dlms_session.get_absolute_url(), {"part": "line"}).content.decode()
        assert "12 ms" in html
        assert "?part=line" not in html
        assert f'hx-get="{line.get_absolute_url()}"' in html  # the page's health is shown anew
        assert client.get(dlms_session.get_absolute_url()).status_code == 200

    def test_without_htmx_it_is_a_page(self, client) -> None:
        client.force_login(make_user())
        answer = client.post(reverse("sessions:line_test", args=[make_meter().line.pk]))
        assert answer.url == DlmsSession.objects.get().get_absolute_url()

    @pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
    def test_what_is_not_allowed_says_so(self, client, headers: dict) -> None:
        client.force_login(make_user())
        line = make_meter().line
        AllowedTarget.objects.all().delete()
        answer = client.post(reverse("sessions:line_test", args=[line.pk]), headers=headers, follow=True)
        assert "not on your list of allowed targets" in answer.content.decode()
        assert not DlmsSession.objects.exists()

    def test_who_may(self, client) -> None:
        address = reverse("sessions:line_test", args=[make_meter().line.pk])
        assert client.post(address).status_code == 302
        client.force_login(make_user())
        assert client.get(address).status_code == 405
        assert client.post(reverse("sessions:line_test", args=[99])).status_code == 404
        assert not DlmsSession.objects.exists()
