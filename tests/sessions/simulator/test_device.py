"""What a meter holds for its clients: rights, keys, counters."""

from __future__ import annotations

import pytest

from sessions.dlms.certificates import CertificateType
from sessions.dlms.elliptic import public_of
from sessions.dlms.errors import SecurityError
from sessions.dlms.security_setup import KeyId
from sessions.simulator.device import PUBLIC, MeterSecurity, Role, ServedClient
from sessions.simulator.key_store import lab_keys


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


def test_new_keys_wait_for_the_answer():
    security = MeterSecurity(guek=bytes(16), lowest_client_counter=7)
    security.after_answer(lambda: security.install(KeyId.GUEK, b"\x01" * 16))
    security.after_answer(lambda: security.install(KeyId.KEK, b"\x02" * 16))
    assert (security.guek, security.kek) == (bytes(16), b"")
    security.settle()
    assert (security.guek, security.kek) == (b"\x01" * 16, b"\x02" * 16)
    assert (security.floor.lowest, security.counters.take()) == (0, 0)
    security.install(KeyId.GBEK, b"\x03" * 16)
    security.settle()  # nothing waits any more
    assert security.guek == b"\x01" * 16


@pytest.mark.parametrize(
    ("version", "policy", "bits"), [(0, 0, 0), (0, 1, 0x24), (0, 2, 0x48), (0, 3, 0x6C), (1, 0x9C, 0x9C)]
)
def test_a_policy_in_bits(version, policy, bits):
    assert MeterSecurity(policy=policy, policy_version=version).policy_bits == bits


def test_the_version_of_the_policy_follows_the_suite():
    assert [MeterSecurity(suite=suite).policy_version for suite in (0, 1, 2)] == [0, 1, 1]


def test_keys_towards_a_client():
    keys = lab_keys("seed", 1, client_title=b"MWBMWB-1", server_title=b"MWB\0\0\0\0\1")
    security = MeterSecurity(guek=b"\x01" * 16, gak=b"\x02" * 16, suite=1, key_store=keys.store(1))
    found = security.party_keys(b"MWBMWB-1")
    assert (found.guek, found.gak, found.suite) == (security.guek, security.gak, 1)
    assert found.signing_key == keys.server[CertificateType.DIGITAL_SIGNATURE]
    assert found.peer_key_agreement_key == public_of(keys.client[CertificateType.KEY_AGREEMENT])
    assert security.party_keys(b"ANOTHER.").peer_signing_key is None
    assert MeterSecurity().party_keys(b"").signing_key is None
