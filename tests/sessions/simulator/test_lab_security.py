"""What a lab's meters and clients hold follows from the association of the lab file."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sessions.association_file import parse_association
from sessions.dlms.certificates import CertificateType
from sessions.dlms.elliptic import load_private
from sessions.simulator.device import Role
from sessions.simulator.lab_security import (
    LabError,
    announced_keys,
    key_pairs,
    meter_security,
    policy_of,
    served_client,
)
from tests.sessions.simulator.served import CLIENT_TITLE, GMAC, LLS, NOON

TITLE = b"MWB\x00\x00\x00\x00\x01"
SUITE_1 = {**GMAC, "security_suite": 1}


def parameters(table):
    return parse_association({"framing": "wrapper", **table}).parameters


def test_the_meter_has_the_keys_of_its_client():
    security = meter_security(parameters(GMAC), None, NOON, None)
    assert (security.guek.hex().upper(), security.gak.hex().upper()) == (GMAC["guek"], GMAC["gak"])
    assert (security.policy, security.policy_version) == (3, 0)
    assert meter_security(parameters(LLS), None, NOON, None).policy == 0


@pytest.mark.parametrize(("version", "policy"), [(0, 3), (1, 0x6C)])
def test_the_policy_demands_what_the_association_does(version, policy):
    assert policy_of(parameters(GMAC), version) == policy
    assert meter_security(parameters(GMAC), None, NOON, version).policy == policy


def test_a_security_setup_has_version_0_or_1():
    with pytest.raises(LabError, match="0 or 1"):
        meter_security(parameters(GMAC), None, NOON, 2)


def test_counters_of_a_later_run_are_above_those_of_an_earlier_one():
    runs = [meter_security(parameters(GMAC), None, NOON + timedelta(hours=n), None).counters.next for n in range(2)]
    assert runs[1] > runs[0] + 3000


def test_the_client_is_served_as_its_association_says():
    client = served_client(parameters(GMAC), Role.READER, [3])
    assert (client.client_sap, client.role, client.user_ids) == (1, Role.READER, {3})
    assert client.client_system_title.hex().upper() == CLIENT_TITLE


def test_key_pairs_are_the_same_for_the_same_seed():
    first, again, other = (
        announced_keys(key_pairs({"key_pairs": {"seed": seed}}, SUITE_1, TITLE)) for seed in ("a", "a", "b")
    )
    assert first == again != other
    assert set(first) == {
        "client_signing_key",
        "client_key_agreement_key",
        "server_signing_key",
        "server_key_agreement_key",
    }
    assert load_private(bytes.fromhex(first["client_signing_key"]))
    assert key_pairs({}, SUITE_1, TITLE) is None
    assert key_pairs({"key_pairs": {}}, SUITE_1, TITLE).store(1).private_key(CertificateType.DIGITAL_SIGNATURE)


def test_key_pairs_need_a_suite_that_has_some():
    with pytest.raises(LabError, match="security_suite 1 or 2"):
        key_pairs({"key_pairs": {}}, GMAC, TITLE)
