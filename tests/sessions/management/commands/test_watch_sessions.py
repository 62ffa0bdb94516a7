"""The watchdog: rings again for whoever waits, ever more seldom, and ends what is dead."""

from __future__ import annotations

import signal
import subprocess
import time
from datetime import timedelta
from itertools import pairwise

import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.utils import timezone

from meters.gxc_import.uploads import keep_files
from meters.models import ImportRun, SealedUpload
from sessions.management.commands import watch_sessions as module
from sessions.management.commands.watch_sessions import FIRST_PATIENCE, LONGEST_PATIENCE, Watch
from sessions.models import DlmsSession
from tests.meters.builders import make_meter
from tests.sessions.builders import claim, make_session, make_user, run_out
from tests.site import Site


@pytest.fixture(autouse=True)
def _connections_stay_open(monkeypatch) -> None:
    monkeypatch.setattr(module, "close_old_connections", lambda: None)


@pytest.fixture
def rung(monkeypatch) -> list[int]:
    bells: list[int] = []
    monkeypatch.setattr(module, "ring_worker", bells.append)
    return bells


@pytest.mark.django_db
def test_an_import_that_waits_is_rung_for_as_well(monkeypatch, rung) -> None:
    bells: list[int] = []
    monkeypatch.setattr(module, "ring_import", bells.append)
    waiting = ImportRun.objects.create(kind="CSV", state="CHECKING")
    ImportRun.objects.create(kind="CSV", state="CHECKED")
    ImportRun.objects.create(kind="CSV", state="APPLYING", lease_until=timezone.now() + timedelta(hours=1))
    dead = ImportRun.objects.create(kind="CSV", state="APPLYING", lease_until=timezone.now() - timedelta(seconds=1))
    watch = Watch()
    watch.round(0.0)
    assert bells == []
    watch.round(FIRST_PATIENCE)
    assert (bells, rung) == ([waiting.pk, dead.pk], [])


@pytest.mark.django_db
class TestRounds:
    def test_a_session_that_was_opened_just_now_is_left_to_its_own_bell(self, rung) -> None:
        make_session()
        Watch().round(100.0)
        assert rung == []

    def test_one_that_still_waits_is_rung_for_ever_more_seldom(self, rung) -> None:
        dlms_session = make_session()
        watch = Watch()
        times = []
        for tenth in range(1200):
            before = len(rung)
            watch.round(tenth / 10)
            times += [tenth / 10] * (len(rung) - before)
        assert set(rung) == {dlms_session.pk}
        assert times[0] == FIRST_PATIENCE
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert gaps == sorted(gaps)
        assert max(gaps) <= LONGEST_PATIENCE + 0.11

    def test_one_that_runs_is_forgotten(self, rung) -> None:
        dlms_session = make_session()
        watch = Watch()
        watch.round(0.0)
        claim(dlms_session)
        watch.round(100.0)
        assert rung == []
        assert watch._sessions._due == {}

    def test_one_whose_line_is_busy_is_not_rung_for(self, rung) -> None:
        meter = make_meter(meter={"framing": "HDLC"})
        claim(make_session(meter))
        make_session(meter)
        watch = Watch()
        watch.round(0.0)
        watch.round(100.0)
        assert rung == []

    def test_the_dead_are_ended(self, caplog) -> None:
        dlms_session = make_session()
        claim(dlms_session)
        run_out(dlms_session)
        call_command("watch_sessions", once=True)
        dlms_session.refresh_from_db()
        assert dlms_session.state == DlmsSession.State.LOST
        assert f"session {dlms_session.pk} is lost" in caplog.text


def test_a_database_that_is_away_does_not_end_the_watch(monkeypatch, caplog) -> None:
    def away(self, now: float) -> None:
        raise DatabaseError("no such host")

    monkeypatch.setattr(Watch, "round", away)
    call_command("watch_sessions", once=True)
    assert "trying again" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_sigterm_ends_it_in_good_order(tmp_path) -> None:
    with Site(tmp_path) as site:
        watchdog = site.start(*site.command("watch_sessions", "--interval", "0.1"), log="watchdog")
        try:
            while "watching" not in site.log("watchdog"):
                assert watchdog.poll() is None, site.log("watchdog")
                time.sleep(0.05)
            watchdog.send_signal(signal.SIGTERM)
            assert watchdog.wait(20) == 0
        except subprocess.TimeoutExpired:
            watchdog.kill()
            raise


@pytest.mark.django_db
def test_uploads_that_nobody_confirmed_are_forgotten() -> None:
    upload = keep_files(user=make_user("anna"), files=[])
    Watch().round(0.0)
    assert SealedUpload.objects.exists()
    SealedUpload.objects.filter(pk=upload.pk).update(created=timezone.now() - timedelta(hours=2))
    Watch().round(2.5)
    assert not SealedUpload.objects.exists()
