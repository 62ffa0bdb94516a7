"""The list of allowed targets denies by default. Tests connect to this machine and save meters of documentation networks:
the test database has rules for these from its beginning, and again after each flush.
"""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.models.signals import post_migrate

NETWORKS = (
    "127.0.0.0/8",
    "::1/128",
    "10.0.0.0/8",
    "192.168.0.0/16",
    "192.0.2.0/24",
    "198.51.100.0/24",
    "2001:db8::/32",
)


def allow_targets_of_tests() -> None:
    post_migrate.connect(_allow, dispatch_uid="targets of tests")


def _allow(sender: Any, using: str = "default", **kwargs: Any) -> None:
    if sender.label == "meters":
        allow(using)


def allow(using: str = "default") -> None:
    """The rules of the tests, for a database that is not the test database, too."""
    from meters.models import AllowedTarget

    if AllowedTarget._meta.db_table not in connections[using].introspection.table_names():
        return  # a test that migrates back
    every = {"first_port": 1, "last_port": 65535, "tcp": True, "udp": True, "rfc2217": True, "note": "tests"}
    rules = AllowedTarget.objects.using(using)
    if not rules.filter(note="tests").exists():
        rules.bulk_create(AllowedTarget(network=network, **every) for network in NETWORKS)
