"""How a session ends: its steps by what they may have done, its draft erased, its line free."""

from __future__ import annotations

import pytest

from meters.cosem.data import octet_string
from sessions.dlms.errors import LocalProtocolError
from sessions.endings import UNKNOWN_EFFECT, end_session, forget_secrets, internal_error, worker_lost, worker_stopped
from sessions.engine.steps import value_to_send
from sessions.models import DlmsSession, LineLease, Step
from tests.meters.builders import make_meter
from tests.sessions.builders import LOAD_PROFILE, READ_CLOCK, RESET, SET_CLOCK, claim, make_session

State = DlmsSession.State


@pytest.mark.parametrize("error", [worker_lost(), worker_stopped(), internal_error(ValueError("text")), UNKNOWN_EFFECT])
def test_every_error_says_layer_code_message_and_the_way_out(error: dict) -> None:
    assert set(error) == {"layer", "code", "message", "hint"}
    assert all(error.values())


def test_an_internal_error_does_not_repeat_what_could_be_a_secret() -> None:
    assert "s3cret" not in str(internal_error(ValueError("s3cret")))


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [READ_CLOCK, LOAD_PROFILE, SET_CLOCK, RESET], ids=lambda step: step["kind"])
@pytest.mark.parametrize("before", Step.State.values)
@pytest.mark.parametrize("state", [State.DONE, State.FAILED, State.ERRORED, State.CANCELLED, State.LOST])
def test_every_step_ends_as_it_must(kind: dict, before: str, state: str) -> None:
    dlms_session = make_session(steps=[kind])
    dlms_session.steps.update(state=before)
    end_session(dlms_session, state, error=worker_lost())
    step = dlms_session.steps.get()
    expected = before
    if before == "WAITING":
        expected = "CANCELLED"
    elif before == "RUNNING":
        read_ends = "CANCELLED" if state == State.CANCELLED else "FAILED"
        expected = "UNCERTAIN" if kind["kind"] in Step.SIDE_EFFECTS else read_ends
    assert step.state == expected


@pytest.mark.django_db
@pytest.mark.parametrize("new_epoch", [False, True])
def test_the_session_is_over_and_holds_nothing(new_epoch: bool) -> None:
    dlms_session = make_session(make_meter(meter={"framing": "HDLC"}))
    claimed = claim(dlms_session)
    dlms_session.refresh_from_db()
    dlms_session.draft = b"sealed"
    dlms_session.save()
    end_session(dlms_session, State.FAILED, error=worker_lost(), new_epoch=new_epoch)
    dlms_session.refresh_from_db()
    assert not dlms_session.is_live
    assert (dlms_session.draft, dlms_session.lease_until, dlms_session.waiting_reason) == (None, None, "")
    assert dlms_session.ended is not None
    assert dlms_session.epoch == claimed.epoch + new_epoch
    assert LineLease.objects.get().session is None


CHANGE_SECRET = {
    "kind": "INVOKE",
    "class_id": 15,
    "logical_name": "0-0:40.0.0*255",
    "method_id": 2,
    "value": {"type": "octet-string", "value": "73336372657473"},
}
WRITE_SECRET = {**CHANGE_SECRET, "kind": "WRITE", "attribute_id": 7}
del WRITE_SECRET["method_id"]


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [CHANGE_SECRET, WRITE_SECRET], ids=lambda step: step["kind"])
@pytest.mark.parametrize("state", [State.CANCELLED, State.LOST, State.FAILED])
def test_a_secret_is_forgotten_when_its_step_has_ended(kind: dict, state: str) -> None:
    dlms_session = make_session(steps=[kind, SET_CLOCK])
    secret, clock = dlms_session.steps.all()
    forget_secrets(dlms_session.steps.all())
    secret.refresh_from_db()
    assert value_to_send(secret) == octet_string(bytes.fromhex("73336372657473"))  # it still has to be sent
    end_session(dlms_session, state)
    for step in (secret, clock):
        step.refresh_from_db()
    assert secret.sealed is None
    with pytest.raises(LocalProtocolError, match="not kept"):
        value_to_send(secret)
    assert clock.parameters["octets"]
