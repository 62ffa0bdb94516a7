"""Protections, how they add up, and what the numbers of a security policy demand."""

from __future__ import annotations

import pytest

from sessions.dlms.protection import Policy, Protection, SecurityPolicy

P = Protection


@pytest.mark.parametrize(
    ("protection", "authenticated", "encrypted"),
    [
        (P.NONE, False, False),
        (P.AUTHENTICATED, True, False),
        (P.ENCRYPTED, False, True),
        (P.AUTHENTICATED_ENCRYPTED, True, True),
    ],
)
def test_what_a_protection_means(protection, authenticated, encrypted):
    assert (protection.authenticated, protection.encrypted) == (authenticated, encrypted)
    assert P.of(authenticated, encrypted) is protection


@pytest.mark.parametrize("one", P)
@pytest.mark.parametrize("other", P)
def test_two_protections_add_up_and_compare(one, other):
    union = one | other
    assert union.authenticated == (one.authenticated or other.authenticated)
    assert union.encrypted == (one.encrypted or other.encrypted)
    assert union.covers(one)
    assert one.covers(other) == (
        (one.authenticated or not other.authenticated) and (one.encrypted or not other.encrypted)
    )


@pytest.mark.parametrize(
    ("value", "both"), [(0, P.NONE), (1, P.AUTHENTICATED), (2, P.ENCRYPTED), (3, P.AUTHENTICATED_ENCRYPTED)]
)
def test_version_0_is_one_number_for_both_directions(value, both):
    policy = Policy(value)
    assert (policy.request, policy.response) == (both, both)
    assert (policy.signed_request, policy.signed_response) == (False, False)
    assert Policy.of(both, P.NONE, version=0) == policy


@pytest.mark.parametrize("value", range(0, 256, 4))
def test_version_1_has_a_bit_for_each_direction(value):
    policy = Policy(value, 1)
    assert policy.request.authenticated == bool(value & 0x04)
    assert policy.request.encrypted == bool(value & 0x08)
    assert policy.signed_request == bool(value & 0x10)
    assert policy.response.authenticated == bool(value & 0x20)
    assert policy.response.encrypted == bool(value & 0x40)
    assert policy.signed_response == bool(value & 0x80)
    unsigned = value & ~(SecurityPolicy.SIGNED_REQUEST | SecurityPolicy.SIGNED_RESPONSE)
    assert Policy.of(policy.request, policy.response) == Policy(unsigned, 1)


@pytest.mark.parametrize(("value", "version"), [(4, 0), (-1, 0), (1, 1), (2, 1), (0x100, 1), (-4, 1), (0, 2)])
def test_numbers_that_are_not_assigned(value, version):
    with pytest.raises(ValueError, match="security polic"):
        Policy(value, version)


def test_a_policy_speaks():
    assert Policy(3).words == "requests authenticated-encrypted, responses authenticated-encrypted"
    assert Policy(0x94, 1).words == "requests authenticated, responses none, requests and responses signed"
