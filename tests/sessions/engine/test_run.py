"""A session from claim to end: one clear state, whatever the meter, the line or the people do."""

from __future__ import annotations

import asyncio
import base64
import logging
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.apps import apps
from django.utils import timezone

from meters.models import KeyVersion, Meter, MeterKey
from sessions.dlms.acse import Aarq, ResultSourceDiagnostic
from sessions.dlms.apdu.action import ActionRequestNormal
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.apdu.get import GetRequestNormal
from sessions.dlms.apdu.set import SetRequestNormal
from sessions.engine import run as module
from sessions.engine import run_session
from sessions.leases import claim_session
from sessions.links.endpoint import parse_endpoint
from sessions.models import DlmsSession, LineLease, Step
from sessions.recorder import in_database
from sessions.services import add_read_step, cancel_session, close_session, open_test_session
from sessions.simulator.lab import HdlcOptions, LabLine, SignOnOptions
from sessions.simulator.lab import make_meter as make_lab_meter
from sessions.simulator.listeners import RunningLab
from tests.meters.builders import make_meter
from tests.sessions.builders import make_session, make_user
from tests.sessions.dlms.scripted import GAK, GUEK, SECRET
from tests.sessions.engine.bench import (
    CIPHERED,
    GMAC,
    LLS,
    PUBLIC,
    READ_REGISTER,
    REGISTER,
    RESET_REGISTER,
    WRITE_REGISTER,
    Bench,
    attribute,
    fill,
    frames_of,
    fresh,
    on_bench,
    steps_of,
    until,
)
from tests.sessions.simulator.served import LLS as LAB_LLS
from tests.sessions.simulator.served import HandClock, lab_meter, lab_of

pytestmark = pytest.mark.django_db

State = DlmsSession.State


@pytest.fixture(autouse=True)
def _quick(monkeypatch) -> None:
    monkeypatch.setattr(module, "LOOK_INTERVAL", 0.02)


class TestGoodOnes:
    @pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
    def test_opens_reads_releases(self, hdlc: bool) -> None:
        async def test(bench: Bench) -> None:
            fill(bench.meter.meter)
            done = await bench.run(READ_REGISTER)
            assert (done.state, done.error) == (State.DONE, None)
            assert done.negotiated["dlms_version"] == 6
            assert done.ended >= done.started
            assert done.lease_until is None
            (step,) = await steps_of(done)
            assert step.state == Step.State.DONE
            assert step.result["value"] == 1234.5
            assert step.result["text"] == "1234.5 Wh"
            frames = await frames_of(done)
            assert [frame.seq for frame in frames] == list(range(1, done.last_seq + 1))
            assert any("1-0:1.8.0*255" in frame.summary for frame in frames)
            assert (await Meter.objects.aget()).last_seen is not None

        on_bench(PUBLIC, test, hdlc=hdlc)

    def test_a_password_is_used_proven_and_never_recorded(self, caplog) -> None:
        caplog.set_level(logging.DEBUG)

        async def test(bench: Bench) -> None:
            fill(bench.meter.meter)
            association = {"client_sap": 32, "authentication": "lls"}
            done = await bench.run(READ_REGISTER, association=association, secrets={"LLS_SECRET": SECRET})
            assert done.state == State.DONE
            frames = await frames_of(done)
            assert not any(SECRET in bytes(frame.octets) for frame in frames)
            assert any(b"*" * len(SECRET) in bytes(frame.octets) for frame in frames)
            version = await KeyVersion.objects.aget()
            assert version.state == KeyVersion.State.PROVEN
            assert (await MeterKey.objects.aget()).proven_id == version.pk
            assert done.context["key_version_ids"] == [version.pk]

        on_bench(LLS, test)
        assert SECRET.decode() not in caplog.text

    def test_no_secret_is_anywhere_in_the_database(self) -> None:
        async def test(bench: Bench) -> None:
            fill(bench.meter.meter)
            association = {"client_sap": 32, "authentication": "lls"}
            secrets = {"LLS_SECRET": SECRET, "GUEK": GUEK, "GAK": GAK}
            meter = {"serial_number": "55555555"}  # the other tests' serial number happens to be the password
            done = await bench.run(READ_REGISTER, meter=meter, association=association, secrets=secrets)
            assert done.state == State.DONE

        on_bench(LLS, test)
        models = [*apps.get_app_config("meters").get_models(), *apps.get_app_config("dlms_sessions").get_models()]
        values = [value for model in models for row in model.objects.values_list() for value in row]
        octets = b"\n".join(bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode() for v in values)
        for secret in (SECRET, GUEK, GAK):
            for form in (secret, secret.hex().encode(), secret.hex(" ").encode(), base64.b64encode(secret)):
                assert form not in octets
                assert form.upper() not in octets

    def test_a_step_that_is_asked_while_it_is_open_is_done(self) -> None:
        async def test(bench: Bench) -> None:
            fill(bench.meter.meter)
            dlms_session = await bench.open(close=False)
            running = asyncio.ensure_future(run_session(dlms_session.pk))
            await until(lambda: state_is(dlms_session, State.OPEN))
            asked = {name: value for name, value in READ_REGISTER.items() if name != "kind"}
            step = await in_database(add_read_step, session_id=dlms_session.pk, user=await user(), **asked)
            await until(lambda: Step.objects.filter(pk=step.pk, state="DONE").aexists())
            await in_database(close_session, session_id=dlms_session.pk, user=await user())
            await running
            assert (await fresh(dlms_session)).state == State.DONE

        on_bench(PUBLIC, test)

    def test_one_that_nobody_uses_releases_itself(self, monkeypatch) -> None:
        monkeypatch.setattr(module.SessionRun.__init__, "__kwdefaults__", {"idle_timeout": 0.05})

        async def test(bench: Bench) -> None:
            dlms_session = await bench.open(close=False)
            await run_session(dlms_session.pk)
            assert (await fresh(dlms_session)).state == State.DONE

        on_bench(PUBLIC, test)

    def test_what_the_meter_refuses_is_a_failed_step_and_the_next_one_follows(self) -> None:
        async def test(bench: Bench) -> None:
            fill(bench.meter.meter)
            bench.meter.meter.objects[attribute(3, REGISTER, 2)] = DataAccessResult.READ_WRITE_DENIED
            done = await bench.run(READ_REGISTER, {**READ_REGISTER, "attribute_id": 3})
            first, second = await steps_of(done)
            assert (done.state, first.state, second.state) == (State.DONE, "FAILED", "DONE")
            assert (first.error["layer"], first.error["code"]) == ("access", "read-write-denied")
            assert first.error["hint"]

        on_bench(PUBLIC, test)

    def test_only_one_of_many_bells_runs_it(self) -> None:
        async def test(bench: Bench) -> None:
            fill(bench.meter.meter)
            dlms_session = await bench.open(READ_REGISTER)
            await asyncio.gather(*(run_session(dlms_session.pk) for _ in range(4)))
            assert bench.meter.connections == 1
            assert (await fresh(dlms_session)).epoch == 1

        on_bench(PUBLIC, test)


async def state_is(dlms_session: DlmsSession, state: str) -> bool:
    return (await fresh(dlms_session)).state == state


async def user():
    return await in_database(make_user)


class TestBadEnds:
    def test_nobody_listens(self) -> None:
        async def test(bench: Bench) -> None:
            dlms_session = await bench.open(READ_REGISTER, line={"port": 1})
            await run_session(dlms_session.pk)
            done = await fresh(dlms_session)
            assert done.state == State.FAILED
            assert (done.error["layer"], done.error["code"]) == ("line", "connection-refused")
            assert done.error["hint"]
            assert [step.state for step in await steps_of(done)] == ["CANCELLED"]

        on_bench(PUBLIC, test)

    def test_the_meter_rejects_us(self) -> None:
        async def test(bench: Bench) -> None:
            meter = bench.meter.meter
            meter.script[Aarq] = lambda aarq: meter.aare(
                aarq, result=1, result_source_diagnostic=ResultSourceDiagnostic(diagnostic=13)
            )
            done = await bench.run(READ_REGISTER)
            assert done.state == State.FAILED
            assert done.error["layer"] in ("association", "authentication")
            assert done.negotiated is None

        on_bench(PUBLIC, test)

    def test_the_meter_stays_silent(self) -> None:
        async def test(bench: Bench) -> None:
            bench.meter.mute = True
            done = await bench.run(READ_REGISTER, association={"timeout": 0.2})
            assert done.state == State.FAILED
            assert done.error["code"] == "no-reply"
            assert len(await frames_of(done)) == 1

        on_bench(PUBLIC, test)

    def test_the_line_breaks_in_a_step(self) -> None:
        async def test(bench: Bench) -> None:
            fill(bench.meter.meter)
            bench.meter.hang_up_on = GetRequestNormal
            done = await bench.run(READ_REGISTER, READ_REGISTER)
            assert done.state == State.FAILED
            assert done.error["code"] in ("connection-lost", "link-closed")
            assert [step.state for step in await steps_of(done)] == ["FAILED", "CANCELLED"]

        on_bench(PUBLIC, test)

    def test_the_meter_was_deleted_meanwhile(self) -> None:
        async def test(bench: Bench) -> None:
            dlms_session = await bench.open(READ_REGISTER)
            await Meter.objects.all().adelete()
            await run_session(dlms_session.pk)
            assert (await fresh(dlms_session)).error["code"] == "meter-deleted"

        on_bench(PUBLIC, test)

    def test_a_serial_port_is_not_offered_any_more(self, settings) -> None:
        settings.SERIAL_PORTS = {"bridge": "/dev/null"}

        async def test(bench: Bench) -> None:
            line = {"kind": "SERIAL", "serial_port": "bridge"}
            dlms_session = await bench.open(READ_REGISTER, line=line)
            settings.SERIAL_PORTS = {}
            await run_session(dlms_session.pk)
            done = await fresh(dlms_session)
            assert (done.state, done.error["code"]) == (State.FAILED, "port-not-offered")

        on_bench(PUBLIC, test)

    def test_the_vault_is_sealed(self, settings, tmp_path) -> None:
        async def test(bench: Bench) -> None:
            association = {"client_sap": 32, "authentication": "lls"}
            dlms_session = await bench.open(READ_REGISTER, association=association, secrets={"LLS_SECRET": SECRET})
            settings.MASTER_KEY, settings.MASTER_KEY_FILE = "", tmp_path / "absent"
            await run_session(dlms_session.pk)
            done = await fresh(dlms_session)
            assert (done.state, done.error["code"]) == (State.FAILED, "vault-sealed")
            assert bench.meter.connections == 0

        on_bench(LLS, test)

    def test_a_key_is_missing(self) -> None:
        async def test(bench: Bench) -> None:
            done = await bench.run(READ_REGISTER, **{**CIPHERED, "secrets": {"GAK": GAK}})
            assert done.state == State.FAILED
            assert "guek" in done.error["message"].lower()

        on_bench(GMAC, test)

    def test_a_mistake_of_ours_is_an_error_and_not_a_failure(self, monkeypatch, caplog) -> None:
        monkeypatch.setattr(module, "make_plan", lambda session_id: 1 / 0)

        async def test(bench: Bench) -> None:
            done = await bench.run(READ_REGISTER)
            assert (done.state, done.error["code"]) == (State.ERRORED, "internal-error")
            assert "ZeroDivisionError" in done.error["message"]

        on_bench(PUBLIC, test)
        assert "ZeroDivisionError" in caplog.text


class TestCancel:
    @pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
    def test_an_idle_session_releases_in_good_order(self, hdlc: bool) -> None:
        async def test(bench: Bench) -> None:
            dlms_session = await bench.open(close=False)
            running = asyncio.ensure_future(run_session(dlms_session.pk))
            await until(lambda: state_is(dlms_session, State.OPEN))
            await in_database(cancel_session, session_id=dlms_session.pk, user=await user())
            await running
            done = await fresh(dlms_session)
            assert (done.state, done.error) == (State.CANCELLED, None)
            assert "RLRQ" in " ".join(frame.summary for frame in await frames_of(done))

        on_bench(PUBLIC, test, hdlc=hdlc)

    @pytest.mark.parametrize("kind", ["associating", "reading"])
    def test_one_that_waits_for_an_answer_ends_all_the_same(self, kind: str) -> None:
        async def test(bench: Bench) -> None:
            fill(bench.meter.meter)
            if kind == "associating":
                bench.meter.mute = True
            else:
                bench.meter.meter.script[GetRequestNormal] = lambda apdu: None
            dlms_session = await bench.open(READ_REGISTER, association={"timeout": 60.0})
            running = asyncio.ensure_future(run_session(dlms_session.pk))
            wanted = State.OPENING if kind == "associating" else State.OPEN
            await until(lambda: state_is(dlms_session, wanted))
            await until(lambda: frames_are(dlms_session, 1 if kind == "associating" else 3))
            await in_database(cancel_session, session_id=dlms_session.pk, user=await user())
            async with asyncio.timeout(10):
                await running
            done = await fresh(dlms_session)
            assert done.state == State.CANCELLED
            assert [step.state for step in await steps_of(done)] == ["CANCELLED"]

        on_bench(PUBLIC, test)

    @pytest.mark.parametrize("step", [WRITE_REGISTER, RESET_REGISTER], ids=["write", "invoke"])
    def test_a_command_that_was_sent_is_uncertain(self, step: dict) -> None:
        async def test(bench: Bench) -> None:
            fill(bench.meter.meter)
            meter = bench.meter.meter
            for request in (SetRequestNormal, ActionRequestNormal):
                meter.script[request] = lambda apdu: None
            dlms_session = await bench.open(step, READ_REGISTER, association={"timeout": 60.0})
            running = asyncio.ensure_future(run_session(dlms_session.pk))
            await until(lambda: frames_are(dlms_session, 3))
            await in_database(cancel_session, session_id=dlms_session.pk, user=await user())
            await running
            done = await fresh(dlms_session)
            assert done.state == State.CANCELLED
            assert [step.state for step in await steps_of(done)] == ["UNCERTAIN", "CANCELLED"]

        on_bench(PUBLIC, test)


async def frames_are(dlms_session: DlmsSession, count: int) -> bool:
    return (await fresh(dlms_session)).last_seq >= count


class TestWorkerThatStops:
    @pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
    def test_ends_its_session_in_a_clear_state(self, busy: bool) -> None:
        async def test(bench: Bench) -> None:
            fill(bench.meter.meter)
            if busy:
                bench.meter.meter.script[GetRequestNormal] = lambda apdu: None
            steps = [READ_REGISTER] if busy else []
            dlms_session = await bench.open(*steps, close=False, association={"timeout": 60.0})
            stop = asyncio.Event()
            running = asyncio.ensure_future(run_session(dlms_session.pk, stop.is_set))
            await until(lambda: frames_are(dlms_session, 3 if busy else 2))
            stop.set()
            async with asyncio.timeout(10):
                await running
            done = await fresh(dlms_session)
            assert (done.state, done.error["code"]) == (State.FAILED, "worker-stopped")
            assert done.lease_until is None

        on_bench(PUBLIC, test)


class TestLostLease:
    def test_who_was_declared_dead_writes_nothing_any_more(self) -> None:
        async def test(bench: Bench) -> None:
            dlms_session = await bench.open(close=False)
            running = asyncio.ensure_future(run_session(dlms_session.pk))
            await until(lambda: state_is(dlms_session, State.OPEN))
            before = await fresh(dlms_session)
            await DlmsSession.objects.filter(pk=dlms_session.pk).aupdate(epoch=9, state=State.LOST)
            assert await running == []
            after = await fresh(dlms_session)
            assert (after.state, after.last_seq, after.error) == (State.LOST, before.last_seq, None)

        on_bench(PUBLIC, test)

    def test_who_could_not_renew_in_time_stops_sending(self, monkeypatch) -> None:
        monkeypatch.setattr(module, "SENDING_LIMIT", -1.0)

        async def test(bench: Bench) -> None:
            dlms_session = await bench.open(READ_REGISTER)
            await run_session(dlms_session.pk)
            done = await fresh(dlms_session)
            assert not done.is_live
            assert done.last_seq == 0

        on_bench(PUBLIC, test)

    def test_the_lease_is_renewed_while_it_runs(self, monkeypatch) -> None:
        monkeypatch.setattr(module, "RENEW_INTERVAL", 0.0)

        async def test(bench: Bench) -> None:
            dlms_session = await bench.open(close=False)
            running = asyncio.ensure_future(run_session(dlms_session.pk))
            await until(lambda: state_is(dlms_session, State.OPEN))
            past = timezone.now() - timedelta(minutes=1)
            await DlmsSession.objects.filter(pk=dlms_session.pk).aupdate(lease_until=past)
            await until(lambda: DlmsSession.objects.filter(lease_until__gt=timezone.now()).aexists())
            await in_database(cancel_session, session_id=dlms_session.pk, user=await user())
            await running

        on_bench(PUBLIC, test)


class TestLines:
    def test_the_next_session_on_an_hdlc_line_is_named_when_it_is_free(self) -> None:
        async def test(bench: Bench) -> None:
            fill(bench.meter.meter)
            first = await bench.open(READ_REGISTER)
            second = await bench.open(READ_REGISTER, meter_id=first.meter_id)
            claim = await in_database(claim_session, first.pk)
            assert await run_session(second.pk) == []
            assert (await fresh(second)).state == State.QUEUED
            await DlmsSession.objects.filter(pk=claim.session_id).aupdate(state=State.QUEUED)
            await LineLease.objects.all().aupdate(session=None)
            assert await run_session(first.pk) == [second.pk]
            assert await run_session(second.pk) == []
            assert (await fresh(second)).state == State.DONE

        on_bench(PUBLIC, test, hdlc=True)

    def test_a_line_of_datagrams(self, tmp_path) -> None:
        """A whole session over UDP, against the simulator; several may talk there at once."""

        async def test() -> None:
            lab = lab_of(LabLine(kind="udp", meters=(lab_meter(LAB_LLS),)))
            async with RunningLab(lab, tmp_path) as running:
                endpoint = parse_endpoint(running.announcements[0]["endpoint"])
                line = {"kind": "UDP", "host": endpoint.host, "port": endpoint.port}
                association = {"client_sap": 32, "authentication": "lls", "timeout": 2.0}
                secrets = {"LLS_SECRET": LAB_LLS["secret"].removeprefix("text:").encode()}
                meter = await in_database(lambda: make_meter(line=line, association=association, secrets=secrets))
                assert meter.line_address == ""
                dlms_session = await in_database(lambda: make_session(meter, steps=[READ_REGISTER]))
                await in_database(lambda: close_session(session_id=dlms_session.pk, user=make_user()))
                await run_session(dlms_session.pk)
            done = await fresh(dlms_session)
            assert (done.state, done.error) == (State.DONE, None)
            (step,) = await steps_of(done)
            assert step.state == Step.State.DONE

        async_to_sync(test)()

    @pytest.mark.parametrize("kind", ["pty", "hdlc", "rfc2217"])
    def test_a_sign_on_before_hdlc(self, tmp_path, settings, kind: str) -> None:
        """A whole session with a meter behind an optical head: its frames show the sign-on, and HDLC behind it."""
        table = {"serial_number": "10000011", "physical_address": 17, "association": LAB_LLS, "sign_on": {}}
        simulated = make_lab_meter(table, HandClock(), HdlcOptions(), SignOnOptions())

        async def test() -> None:
            lab = lab_of(LabLine(kind=kind, meters=(simulated,), sign_on=SignOnOptions()))
            async with RunningLab(lab, tmp_path) as running:
                endpoint = parse_endpoint(running.announcements[0]["endpoint"])
                line: dict = {"kind": "SERIAL", "serial_port": "head", "host": "", "port": None}
                if kind == "pty":
                    settings.SERIAL_PORTS = {"head": endpoint.device}
                else:
                    line = {"host": endpoint.host, "port": endpoint.port}
                    line |= {"kind": "RFC2217"} if kind == "rfc2217" else {}
                meter = await in_database(
                    lambda: make_meter(
                        line=line,
                        meter={"framing": "MODE_E", "physical_address": 17, "sign_on_address": "10000011"},
                        association={"client_sap": 32, "authentication": "lls", "timeout": 5.0},
                        secrets={"LLS_SECRET": LAB_LLS["secret"].removeprefix("text:").encode()},
                    )
                )
                assert meter.line_address
                dlms_session = await in_database(lambda: make_session(meter, steps=[READ_REGISTER]))
                await in_database(lambda: close_session(session_id=dlms_session.pk, user=make_user()))
                await run_session(dlms_session.pk)
            done = await fresh(dlms_session)
            assert (done.state, done.error) == (State.DONE, None)
            frames = await frames_of(done)
            assert [frame.summary for frame in frames[:3]] == [
                "sign-on request for device 10000011",
                "identification /MWb5\\2MW3P-1.4.2: mode E, up to 9600 Bd",
                "acknowledgement: binary mode, HDLC protocol, 9600 Bd",
            ]
            assert "SNRM" in frames[3].summary
            assert (await steps_of(done))[0].state == Step.State.DONE

        async_to_sync(test)()

    def test_hdlc_over_udp_is_refused_before_anything_is_sent(self) -> None:
        async def test(bench: Bench) -> None:
            done = await bench.run(READ_REGISTER, line={"kind": "UDP"}, meter={"framing": "HDLC"})
            assert (done.state, done.error["code"]) == (State.FAILED, "framing-not-possible")
            assert await frames_of(done) == []

        on_bench(PUBLIC, test)


class TestTestOfADraft:
    def test_reads_name_and_clock_and_forgets_the_secrets(self) -> None:
        async def test(bench: Bench) -> None:
            endpoint = bench.meter.endpoint
            draft = {
                "meter": {"serial_number": "1", "framing": "WRAPPER"},
                "line": {"kind": "TCP", "host": endpoint.host, "port": endpoint.port},
                "association": {"client_sap": 32, "authentication": "lls", "timeout": 2.0},
                "secrets": {"LLS_SECRET": SECRET},
            }
            dlms_session = await in_database(open_test_session, draft=draft, user=await user())
            await run_session(dlms_session.pk)
            done = await fresh(dlms_session)
            assert (done.state, done.draft) == (State.DONE, None)
            assert done.negotiated
            assert len(await steps_of(done)) == 2
            assert not any(SECRET in bytes(frame.octets) for frame in await frames_of(done))
            assert not await Meter.objects.aexists()

        on_bench(LLS, test)
