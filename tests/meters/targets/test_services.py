"""What a user may connect to, what is written down, and who may change the list."""

from __future__ import annotations

import logging
from ipaddress import ip_address

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction

from meters.changes import changes_of, new_request
from meters.models import AllowedTarget, Change, Line, Meter, RefusedTarget
from meters.services import save_meter
from meters.targets import services
from meters.targets.policy import Reason
from meters.targets.services import (
    REFUSALS_LIMIT,
    TargetRefused,
    allow_demo_targets,
    check_target,
    connect_refusal,
    delete_target,
    policy_for,
    refused_text,
    rules_for,
    save_target,
    target_refusal,
)
from tests.meters.builders import meter_fields
from tests.meters.targets.payloads import NEVER, NOT_HOSTS, UNLISTED
from tests.sessions.builders import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_allowed(db) -> None:
    AllowedTarget.objects.all().delete()


@pytest.fixture(autouse=True)
def _no_network(monkeypatch) -> None:
    """Nothing here may look up a name or open a socket."""

    def refuse(*args, **kwargs):
        raise AssertionError("no socket is opened before the list was asked")

    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr("socket.socket.__init__", refuse)
    monkeypatch.setattr("socket.create_connection", refuse)


def allow(network: str = "0.0.0.0/0", first: int = 1, last: int = 65535, **fields) -> AllowedTarget:
    kinds = {"tcp": True, "udp": True, "rfc2217": True}
    row = AllowedTarget(network=network, first_port=first, last_port=last, **{**kinds, **fields})
    row.full_clean()
    row.save()
    return row


def asked(host: str, port: int = 4059, kind: str = "TCP", user=None) -> Reason | None:
    return target_refusal(user=user, kind=kind, host=host, port=port)


class TestPayloads:
    @pytest.mark.parametrize("host", [*NOT_HOSTS, *NEVER], ids=ascii)
    def test_whatever_is_allowed_these_are_refused(self, host: str) -> None:
        allow("0.0.0.0/0")
        allow("::/0")
        assert asked(host) in (Reason.NOT_A_HOST, Reason.NEVER)

    @pytest.mark.parametrize("kind", ["TCP", "UDP", "RFC2217"])
    @pytest.mark.parametrize("host", UNLISTED)
    def test_where_nothing_is_allowed_everything_is_refused(self, host: str, kind: str) -> None:
        assert asked(host, kind=kind) is Reason.NO_RULE

    @pytest.mark.parametrize("host", UNLISTED)
    def test_where_it_is_allowed_it_is_not(self, host: str) -> None:
        allow("0.0.0.0/0")
        allow("::/0")
        assert asked(host) is None

    @pytest.mark.parametrize("host", [host for host in (*NOT_HOSTS, *NEVER, *UNLISTED) if host], ids=ascii)
    def test_no_meter_is_saved_there(self, host: str) -> None:
        allow("10.99.0.0/16", 1, 1)
        user = make_user()
        with pytest.raises(ValidationError) as refused:
            save_meter(**meter_fields(user=user, line={"host": host}))
        assert "host" in refused.value.error_dict
        assert not Line.objects.exists()
        assert not Meter.objects.exists()

    @pytest.mark.parametrize("port", [5432, 6379, 8000])
    @pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.9.9.9"])
    def test_own_services(self, settings, monkeypatch, host: str, port: int) -> None:
        database = {"ENGINE": "django.db.backends.postgresql", "HOST": "localhost", "PORT": ""}
        monkeypatch.setitem(settings.DATABASES, "beside", database)
        settings.REDIS_URL = "redis://127.0.0.1/0"
        settings.OWN_SERVICES = ["0.0.0.0:8000"]
        allow("0.0.0.0/0")
        allow("::/0")
        assert asked(host, port) is Reason.OWN_SERVICE
        assert asked(host, 4059) is None

    def test_own_names(self, settings) -> None:
        settings.REDIS_URL = "redis://redis:6379/0"
        allow("0.0.0.0/0")
        assert asked("Redis", 6379) is Reason.OWN_SERVICE
        assert asked("redis", 4059) is None


class TestWhoseRules:
    def test_of_everybody_and_of_ones_teams(self) -> None:
        ours, others = Group.objects.create(name="ours"), Group.objects.create(name="others")
        user = make_user()
        user.groups.add(ours)
        allow("10.0.1.0/24")
        allow("10.0.2.0/24", team=ours)
        allow("10.0.3.0/24", team=others)
        assert [asked(f"10.0.{n}.1", user=user) for n in (1, 2, 3)] == [None, None, Reason.NO_RULE]
        assert [asked(f"10.0.{n}.1") for n in (1, 2, 3)] == [None, Reason.NO_RULE, Reason.NO_RULE]
        assert rules_for(user).count() == 2

    def test_an_administrator_obeys_them_too(self) -> None:
        assert asked("10.0.0.1", user=make_user("root", is_superuser=True, is_staff=True)) is Reason.NO_RULE

    def test_only_rules_that_could_cover_an_address_are_read(self, django_assert_num_queries) -> None:
        for number in range(30):
            allow(f"10.0.{number}.0/24")
        with django_assert_num_queries(1):
            found = policy_for(None, [ip_address("10.0.7.1")])
        assert len(found.rules) == 1

    def test_a_name_is_judged_by_its_port_alone(self) -> None:
        allow("10.0.0.0/8", 4059, 4060, udp=False)
        assert asked("meter.example", 4060) is None
        assert asked("meter.example", 4061) is Reason.NO_RULE
        assert asked("meter.example", 4060, kind="UDP") is Reason.NO_RULE


class TestConnecting:
    def judge(self, *addresses: str, host: str = "meter.example", user=None):
        found = [ip_address(address) for address in addresses]
        return connect_refusal(user=user, kind="TCP", host=host, port=4059, addresses=found)

    def test_every_address_has_to_be_allowed(self) -> None:
        allow("10.0.0.0/8")
        assert self.judge("10.0.0.1", "10.0.0.2") is None
        assert self.judge("10.0.0.1", "192.168.0.1") is not None
        assert self.judge("192.168.0.1", "10.0.0.1") is not None
        assert "192.168.0.1" in RefusedTarget.objects.latest("pk").reason

    def test_a_name_without_an_address_reads_the_same(self) -> None:
        unknown, elsewhere, metadata = self.judge(), self.judge("10.0.0.1"), self.judge("169.254.169.254")
        assert unknown == elsewhere == metadata
        assert unknown["code"] == "target-not-allowed"
        assert unknown["hint"]
        reasons = set(RefusedTarget.objects.values_list("reason", flat=True))
        assert reasons == {
            "the name has no address",
            "no rule covers it (10.0.0.1)",
            "an address that no rule can allow (169.254.169.254)",
        }


class TestWhatIsWrittenDown:
    def test_a_refusal(self, caplog) -> None:
        user = make_user()
        caplog.set_level(logging.WARNING, "workbench.audit")
        with new_request() as request, pytest.raises(TargetRefused) as refused:
            save_meter(**meter_fields(user=user, line={"host": "10.1.2.3"}))
        assert refused.value.messages == [
            "10.1.2.3 port 4059 is not on your list of allowed targets. "
            "An administrator can allow it, on the page Lines, Allowed targets."
        ]
        row = RefusedTarget.objects.get()
        assert (row.user, row.user_name, row.request_id) == (user, "technician", request)
        assert (row.where, row.kind, row.host, row.port) == ("LINE", "TCP", "10.1.2.3", 4059)
        assert row.reason == Reason.NO_RULE.value
        assert "10.1.2.3" in caplog.text
        assert str(row)

    def test_what_cannot_be_stored_is_spelled(self) -> None:
        with pytest.raises(TargetRefused) as refused:
            check_target(user=None, kind="TCP", host="a\x00b\n", port=1)
        refused.value.record()
        refused.value.record()  # once
        assert RefusedTarget.objects.get().host == "a\\x00b\\x0a"

    @pytest.mark.parametrize("change", ["update", "delete"])
    def test_it_stays(self, change: str) -> None:
        services.record_refusal(user=None, kind="TCP", host="h", port=1, reason="r", where="LINE")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            if change == "update":
                RefusedTarget.objects.update(host="other")
            else:
                RefusedTarget.objects.all().delete()

    @pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL has TRUNCATE")
    def test_it_stays_when_the_table_is_emptied(self) -> None:
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE meters_refusedtarget")

    def test_a_deleted_user_leaves_it(self) -> None:
        user = make_user()
        services.record_refusal(user=user, kind="TCP", host="h", port=1, reason="r", where="LINE")
        user.delete()
        assert RefusedTarget.objects.get().user_name == "technician"

    def test_there_is_a_limit(self) -> None:
        user = make_user()
        for port in range(REFUSALS_LIMIT):
            with new_request(), pytest.raises(ValidationError, match="not on your list"):
                save_meter(**meter_fields(user=user, line={"host": "10.1.2.3", "port": port + 1}))
        with new_request(), pytest.raises(ValidationError, match="wait ten minutes"):
            save_meter(**meter_fields(user=user, line={"host": "10.1.2.3", "port": 999}))
        assert RefusedTarget.objects.count() == REFUSALS_LIMIT
        with new_request(), pytest.raises(ValidationError, match="not on your list"):  # of each for himself
            save_meter(**meter_fields(user=make_user("other"), line={"host": "10.1.2.3", "port": 999}))

    def test_one_request_counts_once(self) -> None:
        user = make_user()
        with new_request():
            for port in range(REFUSALS_LIMIT + 5):
                with pytest.raises(ValidationError, match="not on your list"):
                    save_meter(**meter_fields(user=user, line={"host": "10.1.2.3", "port": port + 1}))
        assert services.refusals_of(user) == 1

    def test_the_text_does_not_tell_why(self) -> None:
        assert refused_text("10.0.0.1", 1).split(" ", 1)[1] == refused_text("169.254.169.254", 1).split(" ", 1)[1]
        assert refused_text("a.example", 1).split(" ", 1)[1] == refused_text("localhost", 1).split(" ", 1)[1]


RULE = {"network": "10.20.0.0/16", "first_port": 4059, "last_port": 4062, "tcp": True, "udp": False, "rfc2217": False}


class TestTheList:
    def test_an_administrator_edits_it(self) -> None:
        admin = make_user("admin", is_staff=True)
        row = save_target(user=admin, target={**RULE, "note": "lab 1"})
        assert (str(row), row.created_by, row.created_by_name) == ("10.20.0.0/16 4059–4062 TCP", admin, "admin")
        assert asked("10.20.3.4", 4062) is None
        save_target(user=admin, target={"udp": True, "last_port": 4059}, target_id=row.pk)
        assert asked("10.20.3.4", 4062) is Reason.NO_RULE
        assert asked("10.20.3.4", 4059, kind="UDP") is None
        created, changed = reversed(changes_of(row))
        assert (created.action, created.user_name) == ("CREATE", "admin")
        assert created.fields["network"] == [None, "10.20.0.0/16"]
        assert changed.fields == {"ports": ["4059–4062", "4059"], "kinds": ["TCP", "TCP, UDP"]}
        delete_target(user=admin, target_id=row.pk)
        assert asked("10.20.3.4", 4059) is Reason.NO_RULE
        assert Change.objects.filter(kind="TARGET", action="DELETE").count() == 1

    @pytest.mark.parametrize("user", [{}, {"is_staff": True, "is_active": False}, {"is_superuser": True}])
    def test_nobody_else_does(self, user: dict) -> None:
        row = allow("10.0.0.0/8")
        other = make_user("other", **user)
        with pytest.raises(PermissionDenied):
            save_target(user=other, target=RULE)
        with pytest.raises(PermissionDenied):
            delete_target(user=other, target_id=row.pk)
        with pytest.raises(PermissionDenied):
            save_target(user=None, target=RULE)
        assert AllowedTarget.objects.get() == row

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"network": "10.20.0.1/16"}, "network"),
            ({"network": "meter.example"}, "network"),
            ({"network": "10.0.0.0/33"}, "network"),
            ({"network": ""}, "network"),
            ({"network": "169.254.169.254"}, "network"),
            ({"network": "0.0.0.0"}, "network"),
            ({"network": "fe80::/64"}, "network"),
            ({"first_port": 0}, "first_port"),
            ({"last_port": 65536}, "last_port"),
            ({"first_port": 5000}, "last_port"),
            ({"tcp": False}, "tcp"),
        ],
    )
    def test_what_is_no_rule(self, change: dict, field: str) -> None:
        with pytest.raises(ValidationError) as refused:
            save_target(user=make_user("admin", is_staff=True), target={**RULE, **change})
        assert field in refused.value.error_dict
        assert not AllowedTarget.objects.exists()

    def test_an_address_is_a_network_of_its_own(self) -> None:
        row = save_target(user=make_user("admin", is_staff=True), target={**RULE, "network": "FD00::1"})
        assert row.network == "fd00::1/128"
        assert asked("fd00::1") is None

    def test_those_of_the_demo_lab_follow_its_ports(self) -> None:
        kept = allow("10.0.0.0/8")
        allow_demo_targets(targets=[("TCP", "127.0.0.1", 4059), ("UDP", "127.0.0.1", 4059)], note="demo lab")
        assert asked("127.0.0.1", 4059) is asked("127.0.0.1", 4059, kind="UDP") is None
        allow_demo_targets(targets=[("TCP", "127.0.0.1", 4059), ("TCP", "::1", 4070)], note="demo lab")
        assert asked("127.0.0.1", 4059) is asked("::1", 4070) is None
        assert asked("127.0.0.1", 4059, kind="UDP") is Reason.NO_RULE
        assert asked("127.0.0.1", 6379) is Reason.NO_RULE
        assert AllowedTarget.objects.filter(pk=kept.pk).exists()
        assert AllowedTarget.objects.count() == 3
