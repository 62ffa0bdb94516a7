"""Sessions' rows: what is live, what is unique, where they lead."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction

from sessions.models import DlmsSession, Frame, ProfileEntry, Step
from tests.sessions.builders import LOAD_PROFILE, make_frames, make_session


@pytest.mark.parametrize("state", DlmsSession.State.values)
def test_what_is_live(state: str) -> None:
    assert DlmsSession(state=state).is_live == (state in {"QUEUED", "OPENING", "OPEN", "CLOSING"})


def test_the_label_keeps_clear_of_djangos_own_sessions() -> None:
    assert apps.get_app_config("dlms_sessions").name == "sessions"
    assert Frame._meta.db_table == "dlms_sessions_frame"


@pytest.mark.django_db
def test_it_has_a_page() -> None:
    dlms_session = make_session()
    assert dlms_session.get_absolute_url() == f"/sessions/{dlms_session.pk}/"


@pytest.mark.django_db
def test_numbers_are_given_once() -> None:
    dlms_session = make_session(steps=[LOAD_PROFILE])
    step = dlms_session.steps.get()
    (frame,) = make_frames(dlms_session, 1)
    ProfileEntry.objects.create(step=step, number=1, values=[])
    doubles = [
        Frame(session=dlms_session, seq=1, time=frame.time, direction="SENT", octets=b""),
        Step(session=dlms_session, number=1, kind="READ"),
        ProfileEntry(step=step, number=1, values=[]),
    ]
    for double in doubles:
        with pytest.raises(IntegrityError), transaction.atomic():
            double.save()


@pytest.mark.django_db
def test_what_they_are_called() -> None:
    dlms_session = make_session(steps=[LOAD_PROFILE])
    (frame,) = make_frames(dlms_session, 1)
    assert "12345678" in str(dlms_session)
    assert "12345678" in str(dlms_session.job)
    assert str(frame).startswith("#1 SENT")
    assert str(dlms_session.steps.get()).startswith("1. ")
