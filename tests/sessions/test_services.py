"""What people can do with sessions: rows first, bells after the commit, and nothing for strangers."""

from __future__ import annotations

import json
import logging
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction

from meters import vault
from meters.models import Association, Meter
from sessions import services
from sessions.leases import claim_session
from sessions.models import DlmsSession, Job, LineLease, Step
from sessions.services import add_write_step
from tests.meters.builders import make_ciphered_meter, make_meter, meter_fields
from tests.sessions.builders import (
    CLOCK,
    LOAD_PROFILE,
    READ_CLOCK,
    RESET,
    SET_CLOCK,
    claim,
    make_frames,
    make_session,
    make_user,
    run_out,
)

State = DlmsSession.State


@pytest.fixture
def rung(monkeypatch) -> list[tuple[str, int]]:
    """Who was told of what, in order."""
    bells: list[tuple[str, int]] = []
    monkeypatch.setattr(services, "ring_worker", lambda session_id: bells.append(("worker", session_id)))
    monkeypatch.setattr(services, "ring_browsers", lambda session_id, seq: bells.append(("browsers", session_id)))
    return bells


@pytest.mark.django_db
class TestOpen:
    def test_writes_the_job_the_session_and_its_steps(self) -> None:
        user = make_user()
        meter = make_meter()
        steps = [READ_CLOCK, LOAD_PROFILE, SET_CLOCK, RESET]
        dlms_session = services.open_session(meter_id=meter.pk, user=user, steps=steps)
        assert dlms_session.state == State.QUEUED
        assert dlms_session.association == meter.default_association
        assert dlms_session.is_live
        assert [step.number for step in dlms_session.steps.all()] == [1, 2, 3, 4]
        assert [step.kind for step in dlms_session.steps.all()] == ["READ", "READ_PROFILE", "WRITE", "INVOKE"]
        assert Job.objects.get().created_by == user

    def test_rings_the_workers_and_the_browsers_once_it_is_committed(
        self, rung, django_capture_on_commit_callbacks
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            dlms_session = make_session()
            assert rung == []
        assert rung == [("worker", dlms_session.pk), ("browsers", dlms_session.pk)]

    def test_the_association_is_one_of_the_meter(self) -> None:
        meter, other = make_meter(), make_meter(meter={"serial_number": "2"})
        foreign = other.default_association
        with pytest.raises(Association.DoesNotExist):
            services.open_session(meter_id=meter.pk, association_id=foreign.pk, user=make_user())

    def test_a_meter_without_an_association_says_so(self) -> None:
        meter = make_meter()
        bare = Meter.objects.create(serial_number="9", line=meter.line)
        with pytest.raises(ValidationError, match="no association"):
            services.open_session(meter_id=bare.pk, user=make_user())

    def test_a_wrong_step_opens_nothing(self) -> None:
        with pytest.raises(ValidationError):
            make_session(steps=[READ_CLOCK, {**CLOCK, "kind": "READ", "class_id": "x"}])
        assert not DlmsSession.objects.exists()
        assert not Job.objects.exists()

    def test_its_queries_are_few(self, django_assert_max_num_queries) -> None:
        meter, user = make_meter(), make_user()
        with django_assert_max_num_queries(10):
            services.open_session(meter_id=meter.pk, user=user, steps=[READ_CLOCK])


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_loses_nothing(settings, monkeypatch, caplog) -> None:
    def refuse(*args, **kwargs):
        raise ConnectionError("no broker here")

    monkeypatch.setattr("sessions.tasks.run_session.apply_async", refuse)
    monkeypatch.setattr("sessions.events.get_channel_layer", refuse)
    dlms_session = make_session()
    assert DlmsSession.objects.get().state == State.QUEUED
    assert services.waiting_sessions() == [dlms_session.pk]
    assert "no worker was told" in caplog.text
    assert "no doorbell" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_rings_nobody(rung) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        make_session()
        raise RuntimeError
    assert rung == []


@pytest.mark.django_db
class TestSteps:
    def ask(self, dlms_session: DlmsSession, **fields: object) -> Step:
        return services.add_read_step(session_id=dlms_session.pk, user=make_user(), **{**CLOCK, **fields})

    def test_are_numbered_as_they_are_asked(self) -> None:
        dlms_session = make_session(steps=[READ_CLOCK])
        step = self.ask(dlms_session)
        assert (step.number, step.state, step.kind) == (2, "WAITING", "READ")
        assert step.parameters == CLOCK
        assert "0-0:1.0.0*255" in step.title

    def test_every_verb_has_its_service(self) -> None:
        dlms_session, user = make_session(), make_user()
        same = {"session_id": dlms_session.pk, "user": user}
        write, invoke = dict(SET_CLOCK), dict(RESET)
        write.pop("kind"), invoke.pop("kind")
        services.add_profile_step(
            **same, logical_name="1.0.99.1.0.255", from_time="2026-11-01T00:00", to_time="2026-11-02T00:00"
        )
        services.add_write_step(**same, **write)
        services.add_invoke_step(**same, **invoke)
        assert [step.kind for step in dlms_session.steps.all()] == ["READ_PROFILE", "WRITE", "INVOKE"]

    @pytest.mark.parametrize("field", ["class_id", "logical_name", "attribute_id"])
    def test_a_wrong_parameter_is_named(self, field: str) -> None:
        with pytest.raises(ValidationError) as caught:
            self.ask(make_session(), **{field: "nonsense"})
        assert list(caught.value.message_dict) == [field]

    @pytest.mark.parametrize("state", [state for state in State if state not in DlmsSession.LIVE])
    def test_a_session_that_is_over_takes_none(self, state: str) -> None:
        dlms_session = make_session()
        DlmsSession.objects.filter(pk=dlms_session.pk).update(state=state)
        with pytest.raises(services.SessionOver, match="open a new one"):
            self.ask(dlms_session)

    @pytest.mark.parametrize("wish", ["close_requested", "cancel_requested"])
    def test_neither_does_one_that_is_about_to_end(self, wish: str) -> None:
        dlms_session = make_session()
        DlmsSession.objects.filter(pk=dlms_session.pk).update(**{wish: True})
        with pytest.raises(services.SessionOver):
            self.ask(dlms_session)

    def test_a_flood_is_stopped(self, monkeypatch) -> None:
        monkeypatch.setattr(services, "MAX_UNFINISHED_STEPS", 2)
        dlms_session = make_session(steps=[READ_CLOCK, READ_CLOCK])
        with pytest.raises(ValidationError, match="waiting already"):
            self.ask(dlms_session)


@pytest.mark.django_db
class TestEnding:
    def test_a_queued_session_is_cancelled_at_once(self) -> None:
        dlms_session = make_session(steps=[READ_CLOCK])
        services.cancel_session(session_id=dlms_session.pk, user=make_user())
        dlms_session.refresh_from_db()
        assert dlms_session.state == State.CANCELLED
        assert dlms_session.ended is not None
        assert dlms_session.steps.get().state == Step.State.CANCELLED

    def test_a_running_one_is_asked_to_end(self) -> None:
        dlms_session = make_session()
        claim(dlms_session)
        services.cancel_session(session_id=dlms_session.pk, user=make_user())
        dlms_session.refresh_from_db()
        assert (dlms_session.state, dlms_session.cancel_requested) == (State.OPENING, True)

    def test_closing_lets_the_steps_finish(self) -> None:
        dlms_session = make_session(steps=[READ_CLOCK])
        services.close_session(session_id=dlms_session.pk, user=make_user())
        dlms_session.refresh_from_db()
        assert (dlms_session.state, dlms_session.close_requested) == (State.QUEUED, True)
        assert dlms_session.steps.get().state == Step.State.WAITING

    @pytest.mark.parametrize("end", [services.cancel_session, services.close_session])
    @pytest.mark.parametrize("state", [state for state in State if state not in DlmsSession.LIVE])
    def test_what_is_over_stays_as_it_is(self, end, state: str) -> None:
        dlms_session = make_session()
        DlmsSession.objects.filter(pk=dlms_session.pk).update(state=state)
        end(session_id=dlms_session.pk, user=make_user())
        dlms_session.refresh_from_db()
        assert dlms_session.state == state
        assert not dlms_session.cancel_requested
        assert not dlms_session.close_requested


STRANGERS = {"nobody": lambda: None, "anonymous": AnonymousUser, "disabled": lambda: make_user("left", is_active=False)}


@pytest.mark.django_db
@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
def test_strangers_may_do_nothing(stranger) -> None:
    dlms_session = make_session()
    make_frames(dlms_session, 1)
    user, same = stranger(), {"session_id": dlms_session.pk}
    draft = {name: value for name, value in meter_fields().items() if name != "user"}
    for act in (
        lambda: services.open_session(meter_id=dlms_session.meter_id, user=user),
        lambda: services.open_test_session(draft=draft, user=user),
        lambda: services.add_read_step(**same, user=user, **CLOCK),
        lambda: services.add_profile_step(**same, user=user, logical_name="1.0.99.1.0.255"),
        lambda: services.add_write_step(**same, user=user, **CLOCK, value={"type": "null-data"}),
        lambda: services.add_invoke_step(**same, user=user, class_id=8, logical_name="0.0.1.0.0.255", method_id=1),
        lambda: services.close_session(**same, user=user),
        lambda: services.cancel_session(**same, user=user),
        lambda: services.dissect_frame(**same, seq=1, user=user),
    ):
        with pytest.raises(PermissionDenied):
            act()
    assert DlmsSession.objects.count() == 1
    assert not Step.objects.exists()


@pytest.mark.django_db
class TestTestOfADraft:
    def draft(self) -> dict:
        return {name: value for name, value in meter_fields().items() if name != "user"}

    def test_saves_no_meter_and_keeps_the_secret_sealed(self, caplog) -> None:
        caplog.set_level(logging.DEBUG)
        dlms_session = services.open_test_session(draft=self.draft(), user=make_user())
        assert not Meter.objects.exists()
        assert dlms_session.purpose == DlmsSession.Purpose.TEST
        assert [step.parameters["logical_name"] for step in dlms_session.steps.all()] == [
            "0-0:42.0.0*255",
            "0-0:1.0.0*255",
        ]
        sealed = bytes(DlmsSession.objects.get().draft)
        assert b"secret-1" not in sealed
        assert b"secret-1".hex().encode() not in sealed
        row = json.dumps(list(DlmsSession.objects.values()), default=repr)
        assert "secret-1" not in row + caplog.text
        assert b"secret-1".hex() not in row + caplog.text

    def test_an_ended_test_has_forgotten_it(self) -> None:
        dlms_session = services.open_test_session(draft=self.draft(), user=make_user())
        services.cancel_session(session_id=dlms_session.pk, user=make_user())
        dlms_session.refresh_from_db()
        assert dlms_session.draft is None

    def test_a_wrong_draft_opens_nothing(self) -> None:
        with pytest.raises(ValidationError):
            services.open_test_session(draft={**self.draft(), "line": {"kind": "TCP"}}, user=make_user())
        assert not DlmsSession.objects.exists()

    def test_what_was_typed_in_a_form_can_be_sealed(self) -> None:
        draft = self.draft()
        draft["meter"] |= {"meter_type": None, "notes": "n", "location": "l", "physical_address": None}
        assert services.open_test_session(draft=draft, user=make_user()).draft


@pytest.mark.django_db
class TestRecovery:
    def test_a_session_with_a_living_worker_is_left_alone(self) -> None:
        dlms_session = make_session()
        claim(dlms_session)
        assert services.recover_sessions() == []

    @pytest.mark.parametrize("state", DlmsSession.RUNNING)
    def test_one_whose_worker_died_is_lost_and_says_so(self, state: str) -> None:
        dlms_session = make_session()
        claim(dlms_session)
        DlmsSession.objects.filter(pk=dlms_session.pk).update(state=state)
        run_out(dlms_session)
        assert services.recover_sessions() == [dlms_session.pk]
        dlms_session.refresh_from_db()
        assert dlms_session.state == State.LOST
        assert dlms_session.epoch == 2
        assert dlms_session.error["code"] == "worker-lost"
        assert "kept" in dlms_session.error["message"]
        assert services.recover_sessions() == []

    def test_steps_end_by_what_they_may_have_done(self) -> None:
        dlms_session = make_session(steps=[READ_CLOCK, SET_CLOCK, RESET, LOAD_PROFILE, READ_CLOCK])
        claim(dlms_session)
        dlms_session.steps.filter(number=1).update(state="DONE")
        dlms_session.steps.filter(number__in=[2, 3, 4]).update(state="RUNNING")
        run_out(dlms_session)
        services.recover_sessions()
        states = list(dlms_session.steps.order_by("number").values_list("state", flat=True))
        assert states == ["DONE", "UNCERTAIN", "UNCERTAIN", "FAILED", "CANCELLED"]

    def test_the_line_is_free_and_the_next_one_is_told(self, rung) -> None:
        meter = make_meter(meter={"framing": "HDLC", "physical_address": 17})
        first, second = make_session(meter), make_session(meter)
        claim(first)
        assert services.waiting_sessions() == []
        run_out(first)
        assert services.recover_sessions() == [first.pk]
        assert LineLease.objects.get().session is None
        assert rung == [("browsers", first.pk), ("worker", second.pk)]
        assert services.waiting_sessions() == [second.pk]


@pytest.mark.django_db
class TestDissectFrame:
    RR = bytes.fromhex("7ea0070223212192 7e".replace(" ", ""))

    def test_gives_the_inspectors_tree(self) -> None:
        dlms_session = make_session()
        make_frames(dlms_session, 1, octets=bytes.fromhex("000100100001000bc401c100060000 3039".replace(" ", "")))
        found = services.dissect_frame(session_id=dlms_session.pk, seq=1, user=make_user())
        assert found["framing"] == "wrapper"
        assert found["fields"]
        assert "frame" in found["sources"]

    def test_garbage_is_explained_too(self) -> None:
        dlms_session = make_session()
        make_frames(dlms_session, 1, octets=b"\xff\xff\xff")
        found = services.dissect_frame(session_id=dlms_session.pk, seq=1, user=make_user())
        assert found["error"] or found["summary"]

    def test_a_frame_that_is_not_there(self) -> None:
        from sessions.models import Frame

        dlms_session = make_session()
        with pytest.raises(Frame.DoesNotExist):
            services.dissect_frame(session_id=dlms_session.pk, seq=1, user=make_user())

    def test_a_sealed_vault_is_a_note(self, settings, tmp_path) -> None:
        dlms_session = make_session(make_ciphered_meter())
        make_frames(dlms_session, 1)
        ids = list(dlms_session.meter.keys.values_list("versions__pk", flat=True))
        DlmsSession.objects.filter(pk=dlms_session.pk).update(context={"key_version_ids": ids})
        settings.MASTER_KEY, settings.MASTER_KEY_FILE = "", tmp_path / "absent"
        found = services.dissect_frame(session_id=dlms_session.pk, seq=1, user=make_user())
        assert any("sealed" in note for note in found["notes"])


@pytest.mark.django_db
class TestWhyItWaits:
    def reason(self, dlms_session: DlmsSession) -> str:
        services.explain_waiting(dlms_session.pk)
        dlms_session.refresh_from_db()
        return dlms_session.waiting_reason

    def test_no_worker_at_all(self) -> None:
        assert "is one running?" in self.reason(make_session())

    def test_all_workers_are_busy(self) -> None:
        dlms_session = make_session()
        claim(make_session())
        assert "1 sessions run" in self.reason(dlms_session)

    def test_a_busy_line_has_said_so_already(self) -> None:
        meter = make_meter(meter={"framing": "HDLC"})
        first, second = make_session(meter), make_session(meter)
        claim(first)
        claim_session(second.pk)
        assert f"session {first.pk}" in self.reason(second)

    def test_one_that_runs_has_no_reason(self) -> None:
        dlms_session = make_session()
        claim(dlms_session)
        assert self.reason(dlms_session) == ""

    def test_the_page_is_told_once(self, rung) -> None:
        dlms_session = make_session()
        self.reason(dlms_session)
        self.reason(dlms_session)
        assert rung == [("browsers", dlms_session.pk)]


@pytest.mark.django_db
class TestSecretsThatWait:
    """A secret that is to be sent stands in its step's row sealed, and nowhere in clear."""

    SECRET = b"s3cr3t-s3cr3t!!!"
    PLACES = (
        {"kind": "WRITE", "class_id": 15, "logical_name": "0-0:40.0.0*255", "attribute_id": 7},
        {"kind": "INVOKE", "class_id": 15, "logical_name": "0-0:40.0.0*255", "method_id": 2},
        {"kind": "INVOKE", "class_id": 64, "logical_name": "0-0:43.0.0*255", "method_id": 2},
        {"kind": "INVOKE", "class_id": 72, "logical_name": "0-1:24.1.0*255", "method_id": 7},
    )

    @pytest.mark.parametrize("place", PLACES)
    def test_the_row_holds_it_sealed(self, place: dict) -> None:
        text = {"type": "octet-string", "value": self.SECRET.hex()}
        value = text
        if place["class_id"] == 64:
            pair = {"type": "structure", "value": [{"type": "enum", "value": 0}, text]}
            value = {"type": "array", "value": [pair]}
        step = make_session(steps=[{**place, "value": value}]).steps.get()
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM dlms_sessions_step")
            row = b"|".join(
                bytes(one) if isinstance(one, bytes | memoryview) else str(one).encode() for one in cursor.fetchone()
            )
        for form in (self.SECRET, self.SECRET.hex().encode(), self.SECRET.hex().upper().encode()):
            assert form not in row
        opened = vault.unseal(bytes(step.sealed), step.seal_context)
        assert self.SECRET in opened
        with pytest.raises(vault.SealBroken):
            vault.unseal(bytes(step.sealed), ("dlms_sessions_step", step.pk + 1, "sealed"))

    def test_what_is_no_secret_waits_in_clear(self) -> None:
        step = make_session(steps=[SET_CLOCK]).steps.get()
        assert step.sealed is None
        assert step.parameters["octets"]

    def test_nothing_waits_while_the_vault_is_sealed(self, settings) -> None:
        dlms_session = make_session(steps=[])
        settings.MASTER_KEY = "00" * 32
        value = {"type": "octet-string", "value": self.SECRET.hex()}
        asked = {key: each for key, each in self.PLACES[0].items() if key != "kind"}
        with pytest.raises(ValidationError, match="WORKBENCH_MASTER_KEY"):
            add_write_step(session_id=dlms_session.pk, user=make_user(), value=value, **asked)
        assert not dlms_session.steps.exists()


@pytest.mark.django_db
class TestSealingWhatWaitedInClear:
    """The migration of a database of before."""

    @pytest.mark.parametrize(("state", "ends"), [("WAITING", "WAITING"), ("DONE", "DONE"), ("RUNNING", "RUNNING")])
    def test_secrets_are_sealed_or_erased(self, state: str, ends: str) -> None:
        step = self.old_step(state)
        self.migrate()
        step.refresh_from_db()
        assert step.state == ends
        assert step.parameters == {"class_id": 15, "attribute_id": 7, "value": None, "octets": "", "secret": True}
        if state == "DONE":
            assert step.sealed is None
        else:
            assert vault.unseal(bytes(step.sealed), step.seal_context) == b"\x09\x01A"

    @pytest.mark.parametrize(("state", "ends"), [("WAITING", "CANCELLED"), ("RUNNING", "UNCERTAIN")])
    def test_a_sealed_vault_leaves_nothing_to_send(self, settings, state: str, ends: str) -> None:
        step = self.old_step(state)
        settings.MASTER_KEY = "00" * 32
        self.migrate()
        step.refresh_from_db()
        assert (step.state, step.sealed, step.parameters["octets"]) == (ends, None, "")
        assert step.error["hint"]

    @staticmethod
    def old_step(state: str) -> Step:
        vault.fingerprint(b"")  # the data key exists
        step = make_session(steps=[SET_CLOCK]).steps.get()
        step.parameters = {"class_id": 15, "attribute_id": 7, "value": {"type": "octet-string"}, "octets": "090141"}
        step.state = state
        step.save()
        return step

    @staticmethod
    def migrate() -> None:
        import_module("sessions.migrations.0002_sealed_steps").seal_secrets(apps, None)
