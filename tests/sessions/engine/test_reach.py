"""The worker's own check: whatever stands in the database, nothing is connected that the list does not allow.

Abuse cases A1 to A3: each target is put into the row of a line past every service and form, then a session is run.
"""

from __future__ import annotations

import asyncio
import socket

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group

from meters.models import AllowedTarget, Line, RefusedTarget
from sessions.dlms.errors import DlmsError
from sessions.engine import reach
from sessions.engine.plan import make_plan
from sessions.engine.reach import judged
from sessions.engine.run import run_session
from sessions.links.endpoint import Rfc2217Endpoint, TcpEndpoint, UdpEndpoint
from sessions.models import DlmsSession, Frame
from sessions.recorder import in_database
from tests.meters.builders import make_meter
from tests.meters.targets.payloads import NEVER, NOT_HOSTS, UNLISTED
from tests.sessions.builders import make_session, make_user
from tests.sessions.engine.bench import PUBLIC, READ_REGISTER, Bench, on_bench

pytestmark = pytest.mark.django_db
State = DlmsSession.State
KINDS = {"TCP": TcpEndpoint, "UDP": UdpEndpoint, "RFC2217": Rfc2217Endpoint}


def allow(*networks: str, first: int = 1, last: int = 65535, **fields) -> None:
    """These are the only rules."""
    AllowedTarget.objects.all().delete()
    kinds = {"tcp": True, "udp": True, "rfc2217": True}
    for network in networks:
        AllowedTarget.objects.create(network=network, first_port=first, last_port=last, **{**kinds, **fields})


def waiting(host: str, kind: str = "TCP", port: int = 4059) -> DlmsSession:
    """A queued session whose line leads there, put into the database past every check."""
    dlms_session = make_session(make_meter(line={"host": "10.0.0.1"}))
    Line.objects.update(kind=kind, host=host, port=port)
    return dlms_session


@pytest.fixture
def no_socket(monkeypatch) -> list[str]:
    """Opening a socket or looking up a name fails the test; what was asked is told."""
    asked: list[str] = []

    async def look_up(loop, host, *args, **kwargs):
        asked.append(str(host))
        raise AssertionError(f"{host} was looked up")

    async def connect(loop, *args, **kwargs):
        asked.append("connect")
        raise AssertionError("a connection was begun")

    def open_now(*args, **kwargs):
        asked.append("socket")
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", look_up)
    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", connect)
    monkeypatch.setattr(asyncio.BaseEventLoop, "create_datagram_endpoint", connect)
    monkeypatch.setattr(socket, "create_connection", open_now)
    return asked


def run(dlms_session: DlmsSession) -> DlmsSession:
    async_to_sync(run_session)(dlms_session.pk)
    return DlmsSession.objects.get(pk=dlms_session.pk)


class TestRefusedBeforeASocket:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("host", [*NOT_HOSTS, *NEVER], ids=ascii)
    def test_what_no_rule_can_allow(self, no_socket, host: str, kind: str) -> None:
        if "\x00" in host or len(host) > 255:
            pytest.skip("no database holds it")
        dlms_session = waiting(host, kind)
        allow("0.0.0.0/0", "::/0")
        self.refused(dlms_session, no_socket)

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("host", UNLISTED)
    def test_what_no_rule_covers(self, no_socket, host: str, kind: str) -> None:
        dlms_session = waiting(host, kind)
        allow("10.99.0.0/16", first=1, last=1)
        self.refused(dlms_session, no_socket)

    @staticmethod
    def refused(dlms_session: DlmsSession, no_socket: list[str]) -> None:
        done = run(dlms_session)
        assert no_socket == []
        assert done.state == State.FAILED
        assert not Frame.objects.exists()
        if done.error["code"] == "target-not-allowed":
            assert done.error["hint"]
            refused = RefusedTarget.objects.get()
            assert (refused.user, refused.where) == (dlms_session.opened_by, "CONNECT")
        else:
            assert done.error["code"] == "bad-endpoint"
            assert Line.objects.get().host in (*NOT_HOSTS, "[::]")  # the services take the brackets off


def test_the_workbenchs_own_services(no_socket, settings) -> None:
    settings.OWN_SERVICES = ["127.0.0.1:8000"]
    dlms_session = waiting("127.0.0.1", port=8000)
    assert run(dlms_session).error["code"] == "target-not-allowed"
    assert no_socket == []


class TestNames:
    """A2: a name that changes between check and connect."""

    def looked_up(self, monkeypatch, *answers: list[str]) -> list[str]:
        """Each time that somebody asks for the name, the next answer; the list of what was asked grows."""
        asked: list[str] = []
        left = list(answers)

        async def look_up(loop, host, port, **kwargs):
            asked.append(host)
            return [(socket.AF_INET, 1, 6, "", (address, port)) for address in left.pop(0)]

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", look_up)
        return asked

    def plan_of(self, dlms_session: DlmsSession):
        async def made():
            return await judged(await in_database(make_plan, dlms_session.pk), dlms_session.pk)

        return async_to_sync(made)()

    @pytest.mark.parametrize("kind", KINDS)
    def test_it_is_looked_up_once_and_its_addresses_are_what_is_connected_to(self, monkeypatch, kind: str) -> None:
        asked = self.looked_up(monkeypatch, ["10.0.0.7", "10.0.0.8"], ["169.254.169.254"])
        endpoint = self.plan_of(waiting("meter.example", kind)).endpoint
        assert isinstance(endpoint, KINDS[kind])
        assert endpoint.host == "meter.example"
        assert endpoint.addresses == ("10.0.0.7", "10.0.0.8")
        assert asked == ["meter.example"]

    @pytest.mark.parametrize("addresses", [["10.0.0.7", "172.16.0.1"], ["172.16.0.1", "10.0.0.7"], ["172.16.0.1"], []])
    def test_every_address_is_judged(self, monkeypatch, addresses: list[str]) -> None:
        self.looked_up(monkeypatch, addresses)
        with pytest.raises(DlmsError) as refused:
            self.plan_of(waiting("meter.example"))
        assert refused.value.code == "target-not-allowed"
        assert refused.value.message == (
            "meter.example port 4059 is not on your list of allowed targets, or the name is not known."
        )

    def test_a_name_of_a_service_of_ours_is_refused_by_what_it_means(self, monkeypatch, settings) -> None:
        settings.OWN_SERVICES = ["database.internal:5432"]
        answer = [(socket.AF_INET, 1, 6, "", ("10.0.0.9", 0))]
        monkeypatch.setattr("meters.targets.own.socket.getaddrinfo", lambda *args, **kwargs: answer)
        self.looked_up(monkeypatch, ["10.0.0.9"])
        dlms_session = waiting("meter.example", port=5432)
        with pytest.raises(DlmsError):
            self.plan_of(dlms_session)
        assert "service of the workbench" in RefusedTarget.objects.get().reason

    def test_a_session_connects_to_what_was_judged(self, monkeypatch) -> None:
        """The whole way, over a real socket: the name would lead elsewhere the second time."""

        async def test(bench: Bench) -> None:
            endpoint = bench.meter.endpoint
            dlms_session = await bench.open(READ_REGISTER)
            await Line.objects.aupdate(host="meter.example")
            asked = self.looked_up(monkeypatch, ["127.0.0.1"], ["10.255.255.1"])
            await run_session(dlms_session.pk)
            done = await DlmsSession.objects.aget(pk=dlms_session.pk)
            assert (done.state, done.error) == (State.DONE, None)
            assert asked == ["meter.example"]
            assert endpoint.port == (await Line.objects.aget()).port

        on_bench(PUBLIC, test)


class TestWhoseRules:
    def test_those_of_who_opened_the_session(self, no_socket) -> None:
        team = Group.objects.create(name="lab 2")
        dlms_session = waiting("10.0.0.1")
        allow("10.0.0.0/8", team=team)
        assert run(dlms_session).error["code"] == "target-not-allowed"
        make_user().groups.add(team)
        again = make_session(dlms_session.meter)
        with_rule = run(again)
        assert with_rule.error["code"] != "target-not-allowed"
        assert no_socket == ["connect"]

    def test_of_somebody_who_is_gone_those_of_everybody(self, no_socket) -> None:
        team = Group.objects.create(name="lab 2")
        dlms_session = waiting("10.0.0.1")
        allow("10.0.0.0/8", team=team)
        DlmsSession.objects.update(opened_by=None)
        assert run(dlms_session).error["code"] == "target-not-allowed"

    def test_a_rule_that_was_taken_away_meanwhile(self, no_socket) -> None:
        dlms_session = waiting("10.0.0.1")
        allow()
        assert run(dlms_session).error["code"] == "target-not-allowed"
        assert no_socket == []


def test_a_serial_port_is_the_administrators_to_allow(settings) -> None:
    settings.SERIAL_PORTS = {"bridge": "/dev/ttyUSB0"}
    allow()
    line = {"kind": "SERIAL", "serial_port": "bridge", "host": "", "port": None}
    dlms_session = make_session(make_meter(line=line, meter={"framing": "HDLC"}))
    plan = make_plan(dlms_session.pk)
    assert async_to_sync(reach.judged)(plan, dlms_session.pk) == plan
