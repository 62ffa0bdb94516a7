"""What a meter holds for its clients: rights, keys, counters."""

from __future__ import annotations

import pytest

from sessions.dlms.errors import SecurityError
from sessions.simulator.device import PUBLIC, MeterSecurity, Role, ServedClient


def test_secrets_do_not_show():
    assert "12345678" not in repr(ServedClient(client_sap=1, secret=b"12345678"))


def test_the_public_client_proves_nothing_and_may_little():
    assert (PUBLIC.client_sap, PUBLIC.role, PUBLIC.secret) == (16, Role.PUBLIC, b"")


def test_the_counter_object_says_the_last_counter():
    security = MeterSecurity(first_counter=10)
    assert security.last_client_counter == 0
    security.floor.move(7)
    assert security.last_client_counter == 7
    with pytest.raises(SecurityError):
        security.floor.check(7)
    assert [security.counters.take() for _ in range(2)] == [10, 11]
