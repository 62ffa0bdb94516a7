"""Sessions, steps and frames in JSON."""

from __future__ import annotations

import pytest

from meters.api.problems import Refused
from sessions.api.shapes import found_session, frame_of, over, session_detail_of, session_of, step_detail_of, step_of
from sessions.models import DlmsSession, Step
from sessions.services import SessionOver
from tests.sessions.builders import READ_CLOCK, make_frames, make_session

pytestmark = pytest.mark.django_db
ERROR = {"layer": "link", "code": "no-answer", "message": "Nothing came.", "hint": "Look at the cable.", "extra": 1}


def test_a_session_tells_why_it_ended_and_never_its_draft() -> None:
    dlms_session = make_session(steps=[READ_CLOCK])
    DlmsSession.objects.update(error=ERROR, state="FAILED", draft=b"sealed draft")
    told = session_detail_of(found_session(dlms_session.pk))
    assert (told.state, told.is_live, told.meter.serial_number) == ("FAILED", False, "12345678")
    assert told.error.model_dump() == {name: ERROR[name] for name in ("layer", "code", "message", "hint")}
    assert [step.title for step in told.steps] == ["Clock (0-0:1.0.0*255), time"]
    assert "sealed draft" not in told.model_dump_json()
    assert session_of(found_session(dlms_session.pk)).id == dlms_session.pk


def test_a_step_tells_its_result_short_and_whole_and_never_what_is_sealed() -> None:
    step = make_session(steps=[READ_CLOCK]).steps.get()
    step.result, step.sealed = {"text": "x" * 1000, "value": 1}, b"sealed"
    assert len(step_of(step).text) == 300
    told = step_detail_of(step)
    assert told.result == step.result
    assert told.parameters["class_id"] == 8
    assert "sealed" not in told.model_dump_json()


@pytest.mark.parametrize("result", [None, [], "x", 1])
def test_a_result_of_another_form_is_borne(result) -> None:
    assert step_detail_of(Step(pk=1, number=1, kind="READ", result=result, created="2026-11-25T00:00Z")).text == ""


def test_a_frame_has_all_of_its_octets() -> None:
    (frame,) = make_frames(make_session(), 1, octets=bytes(300))
    assert frame_of(frame).octets == "00" * 300


def test_what_is_not_there_and_what_is_over() -> None:
    with pytest.raises(Refused) as caught:
        found_session(1)
    assert caught.value.status == 404
    refused = over(SessionOver(DlmsSession(state="DONE")))
    assert (refused.status, refused.problem.code) == (409, "session-over")
    assert refused.problem.hint
