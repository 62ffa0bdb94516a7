"""Whole sessions from the inventory, against simulated meters on real sockets: each way to be let in, every frame opened."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from asgiref.sync import async_to_sync

from meters.models import KeyVersion
from sessions.engine import run as module
from sessions.engine import run_session
from sessions.management.commands.load_demo import load_meter
from sessions.models import DlmsSession, Step
from sessions.recorder import in_database
from sessions.services import close_session, dissect_frame
from sessions.simulator.lab import LABS, load_lab, with_ports
from sessions.simulator.listeners import RunningLab
from tests.sessions.builders import make_session, make_user
from tests.sessions.engine.bench import READ_REGISTER, frames_of, fresh, steps_of

pytestmark = pytest.mark.django_db

METERS = [
    meter.serial_number
    for line in load_lab(LABS / "associations.toml", lambda: datetime.now(UTC)).lines
    for meter in line.meters
]
CLOSED = ("ciphering", "glo-", "ded-")
"""Words of an APDU that the inspector could not open."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch) -> None:
    monkeypatch.setattr(module, "LOOK_INTERVAL", 0.02)


@pytest.mark.parametrize("serial_number", METERS)
def test_a_session_with_a_meter_of_the_lab(serial_number: str, tmp_path) -> None:
    lab = with_ports(load_lab(LABS / "associations.toml", lambda: datetime.now(UTC)), 0)

    async def test() -> None:
        async with RunningLab(lab, tmp_path) as running:
            announced = next(one for one in running.announcements if one["serial_number"] == serial_number)
            meter = await in_database(lambda: load_meter(announced))
            dlms_session = await in_database(lambda: make_session(meter, steps=[READ_REGISTER]))
            await in_database(lambda: close_session(session_id=dlms_session.pk, user=make_user()))
            await run_session(dlms_session.pk)
        done = await fresh(dlms_session)
        assert (done.state, done.error) == (DlmsSession.State.DONE, None)
        assert done.negotiated["remarks"] == []
        (step,) = await steps_of(done)
        assert step.state == Step.State.DONE
        frames = await frames_of(done)
        assert not [frame.summary for frame in frames if any(word in frame.summary for word in CLOSED)]
        assert not any("deviates" in frame.summary for frame in frames)
        looker = await in_database(make_user)
        for frame in frames:  # one by one, when somebody looks at it later
            found = await in_database(dissect_frame, session_id=done.pk, seq=frame.seq, user=looker)
            assert (found["error"], found["notes"]) == (None, [])
        states = {version.state async for version in KeyVersion.objects.filter(key__meter=meter)}
        assert states <= {KeyVersion.State.PROVEN}

    async_to_sync(test)()


def test_nothing_is_proven_before_a_pre_established_association_has_answered(tmp_path) -> None:
    lab = with_ports(load_lab(LABS / "associations.toml", lambda: datetime.now(UTC)), 0)

    async def test() -> None:
        async with RunningLab(lab, tmp_path) as running:
            announced = next(one for one in running.announcements if one["association"].get("pre_established"))
            wrong = {**announced, "association": {**announced["association"], "guek": "00" * 16}}
            meter = await in_database(lambda: load_meter(wrong))
            dlms_session = await in_database(lambda: make_session(meter, steps=[READ_REGISTER]))
            await in_database(lambda: close_session(session_id=dlms_session.pk, user=make_user()))
            await run_session(dlms_session.pk)
        (step,) = await steps_of(dlms_session)
        assert step.state == Step.State.FAILED
        states = {version.state async for version in KeyVersion.objects.filter(key__meter=meter)}
        assert states
        assert KeyVersion.State.PROVEN not in states
        await meter.arefresh_from_db()
        assert meter.last_seen is None

    async_to_sync(test)()
