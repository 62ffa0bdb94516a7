"""The test of a line, run by the engine: connected, refused, not allowed; and what the line's health says then."""

from __future__ import annotations

import socket

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import ValidationError

from meters.lines.services import save_line
from meters.models import AllowedTarget, Line, LineHealth
from sessions.engine.run import run_session
from sessions.leases import claim_session
from sessions.models import DlmsSession, Frame
from sessions.services import open_line_test
from tests.meters.builders import make_meter
from tests.sessions.builders import make_session, make_user

pytestmark = pytest.mark.django_db
State = DlmsSession.State


def run(line: Line) -> DlmsSession:
    dlms_session = open_line_test(line_id=line.pk, user=make_user())
    async_to_sync(run_session)(dlms_session.pk)
    return DlmsSession.objects.get(pk=dlms_session.pk)


def tcp_line(port: int, **fields) -> Line:
    return save_line(user=make_user(), line={"kind": "TCP", "host": "127.0.0.1", "port": port, **fields})


def test_connected() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = tcp_line(server.getsockname()[1])
        done = run(line)
    assert (done.state, done.error) == (State.DONE, None)
    assert done.context["connect_ms"] >= 0
    assert (line.health.works, line.health.connect_ms) == (True, done.context["connect_ms"])
    assert not Frame.objects.exists()


def test_refused() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = run(tcp_line(port))
    assert (done.state, done.error["code"]) == (State.FAILED, "connection-refused")
    health = LineHealth.objects.get()
    assert (health.failures, health.layer, health.hint) == (1, "line", done.error["hint"])


def test_not_allowed_any_more() -> None:
    line = tcp_line(4059)
    dlms_session = open_line_test(line_id=line.pk, user=make_user())
    AllowedTarget.objects.all().delete()
    async_to_sync(run_session)(dlms_session.pk)
    dlms_session.refresh_from_db()
    assert (dlms_session.state, dlms_session.error["code"]) == (State.FAILED, "target-not-allowed")
    assert not LineHealth.objects.exists()  # the line has not failed: nobody tried it
    with pytest.raises(ValidationError, match="not on your list"):
        open_line_test(line_id=line.pk, user=make_user())


def test_a_serial_port_that_is_not_there(settings) -> None:
    settings.SERIAL_PORTS = {"bridge": "/dev/ttyUSB99"}
    done = run(save_line(user=None, line={"kind": "SERIAL", "serial_port": "bridge"}))
    assert (done.state, done.error["code"]) == (State.FAILED, "port-missing")


@pytest.mark.parametrize("path", ["/etc/passwd", "/dev/mem", "/dev/null", "/dev/ttyUSB0/../mem", "/dev/../etc/passwd"])
def test_a_serial_port_that_is_none(settings, monkeypatch, path: str) -> None:
    def refuse(*args, **kwargs):
        raise AssertionError("pyserial was asked")

    monkeypatch.setattr("serial.Serial.open", refuse)
    settings.SERIAL_PORTS = {"bridge": path}
    done = run(save_line(user=None, line={"kind": "SERIAL", "serial_port": "bridge"}))
    assert (done.state, done.error["code"]) == (State.FAILED, "port-not-offered")
    assert path not in done.error["message"]


def test_a_link_that_leads_elsewhere(settings, tmp_path) -> None:
    (tmp_path / "ttyUSB0").symlink_to("/dev/mem")
    settings.SERIAL_PORTS = {"bridge": str(tmp_path / "ttyUSB0")}
    done = run(save_line(user=None, line={"kind": "SERIAL", "serial_port": "bridge"}))
    assert done.error["code"] == "port-not-offered"


def test_a_line_that_was_deleted() -> None:
    line = tcp_line(4059)
    dlms_session = open_line_test(line_id=line.pk, user=make_user())
    line.delete()
    async_to_sync(run_session)(dlms_session.pk)
    dlms_session.refresh_from_db()
    assert dlms_session.error["code"] == "line-deleted"


def test_it_waits_its_turn_where_only_one_may_talk() -> None:
    meter = make_meter(meter={"framing": "HDLC"})
    holder = make_session(meter)
    assert claim_session(holder.pk) is not None
    test = open_line_test(line_id=meter.line_id, user=make_user())
    assert test.line_address == meter.line_address
    assert claim_session(test.pk) is None
    test.refresh_from_db()
    assert "in use by session" in test.waiting_reason


def test_who_scans_is_stopped() -> None:
    line, user = tcp_line(4059), make_user()
    for _ in range(30):
        open_line_test(line_id=line.pk, user=user)
    with pytest.raises(ValidationError, match="wait a little"):
        open_line_test(line_id=line.pk, user=user)
    with pytest.raises(ValidationError, match="wait a little"):
        make_session(make_meter(), user=user)
    open_line_test(line_id=line.pk, user=make_user("another"))
