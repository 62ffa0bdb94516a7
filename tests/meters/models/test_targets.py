"""Rules in words, and what the upgrade makes of the lines that are there."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction

from meters.models import AllowedTarget, Line

pytestmark = pytest.mark.django_db
MIGRATION = "meters.migrations.0019_refused_targets_append_only"


@pytest.mark.parametrize(
    "fields",
    [{"first_port": 5, "last_port": 4}, {"first_port": 0}, {"last_port": 65536}, {"tcp": False}],
)
def test_the_database_refuses_what_is_no_rule(fields: dict) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        AllowedTarget.objects.create(**{"network": "10.0.0.0/8", "first_port": 1, "last_port": 65535, **fields})


def test_in_words() -> None:
    row = AllowedTarget(network="10.0.0.0/8", first_port=1, last_port=2, udp=True, rfc2217=True)
    assert str(row) == "10.0.0.0/8 1–2 TCP, UDP, RFC 2217"
    assert row.kinds == {"TCP", "UDP", "RFC2217"}


def test_lines_that_are_there_keep_working() -> None:
    AllowedTarget.objects.all().delete()
    lines = [
        ("TCP", "10.0.0.1", 4059),
        ("UDP", "10.0.0.1", 4059),
        ("RFC2217", "FD00::1", 4001),
        ("TCP", "::ffff:10.0.0.2", 4059),
        ("TCP", "meter.example", 4059),
        ("TCP", "127.1", 4059),
        ("TCP", "169.254.169.254", 80),
        ("TCP", "127.0.0.1", 4061),
    ]
    for kind, host, port in lines:
        Line.objects.create(kind=kind, host=host, port=port)
    Line.objects.create(kind="SERIAL", serial_port="a")
    import_module(MIGRATION).allow_what_was_there(apps, None)
    assert sorted(str(row) for row in AllowedTarget.objects.all()) == [
        "10.0.0.1/32 4059 TCP, UDP",
        "10.0.0.2/32 4059 TCP",
        "127.0.0.1/32 4061 TCP",
        "fd00::1/128 4001 RFC 2217",
    ]
