"""The verdict on one address: nothing is allowed that no rule covers, and some addresses never."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from meters.targets.hosts import judged_address, parse_host
from meters.targets.policy import OwnServices, Policy, Reason, Rule, is_loopback, networks_of, never_allowed
from tests.meters.targets.payloads import NEVER, UNLISTED

ALL_KINDS = frozenset({"TCP", "UDP", "RFC2217"})
EVERYTHING = Policy.of(Rule(ip_network(network), 1, 65535, ALL_KINDS) for network in ("0.0.0.0/0", "::/0"))
NOTHING = Policy.of([])


def addresses(texts: list[str]) -> list[str]:
    return [text for text in texts if not isinstance(parse_host(text), str)]


def parsed(text: str) -> IPv4Address | IPv6Address:
    found = parse_host(text)
    assert not isinstance(found, str)
    return found


@pytest.mark.parametrize("kind", sorted(ALL_KINDS))
@pytest.mark.parametrize("text", NEVER)
def test_no_rule_allows_these(text: str, kind: str) -> None:
    assert EVERYTHING.refusal(kind, parsed(text), 4059) is Reason.NEVER


@pytest.mark.parametrize("kind", sorted(ALL_KINDS))
@pytest.mark.parametrize("text", addresses(UNLISTED))
def test_without_a_rule_nothing_is_allowed(text: str, kind: str) -> None:
    assert NOTHING.refusal(kind, parsed(text), 4059) is Reason.NO_RULE
    assert EVERYTHING.refusal(kind, parsed(text), 4059) is None


RULE = Rule(ip_network("10.20.0.0/16"), 4059, 4062, frozenset({"TCP"}))


@pytest.mark.parametrize(
    ("kind", "host", "port", "allowed"),
    [
        ("TCP", "10.20.0.0", 4059, True),
        ("TCP", "10.20.255.255", 4062, True),
        ("TCP", "::ffff:10.20.1.1", 4060, True),
        ("TCP", "64:ff9b::10.20.1.1", 4060, True),
        ("TCP", "10.21.0.0", 4059, False),
        ("TCP", "10.19.255.255", 4059, False),
        ("TCP", "10.20.1.1", 4058, False),
        ("TCP", "10.20.1.1", 4063, False),
        ("TCP", "10.20.1.1", 0, False),
        ("UDP", "10.20.1.1", 4059, False),
        ("RFC2217", "10.20.1.1", 4059, False),
    ],
)
def test_network_ports_and_kind_have_to_fit(kind: str, host: str, port: int, allowed: bool) -> None:
    assert (Policy.of([RULE]).refusal(kind, parsed(host), port) is None) is allowed


def test_a_rule_for_the_way_of_a_translation_does_not_allow_what_is_behind() -> None:
    policy = Policy.of([Rule(ip_network("64:ff9b::/96"), 1, 65535, ALL_KINDS)])
    assert policy.refusal("TCP", parsed("64:ff9b::10.0.0.1"), 4059) is Reason.NO_RULE


def test_what_can_be_said_of_a_name() -> None:
    policy = Policy.of([RULE])
    assert policy.knows_port("TCP", 4060)
    assert not policy.knows_port("UDP", 4060)
    assert not policy.knows_port("TCP", 1)
    assert not NOTHING.knows_port("TCP", 4060)


def test_own_services_are_no_meters() -> None:
    own = OwnServices(
        at=frozenset({(ip_address("10.0.0.5"), 5432)}),
        ports_here=frozenset({6379}),
        here=frozenset({ip_address("192.168.1.2")}),
    )
    policy = Policy.of([rule for rules in EVERYTHING.rules.values() for rule in rules], own)
    for host, port in (
        ("10.0.0.5", 5432),
        ("::ffff:10.0.0.5", 5432),
        ("64:ff9b::a00:5", 5432),
        ("127.0.0.1", 6379),
        ("127.8.8.8", 6379),
        ("::1", 6379),
        ("192.168.1.2", 6379),
    ):
        assert policy.refusal("TCP", parsed(host), port) is Reason.OWN_SERVICE
    for host, port in (("10.0.0.5", 4059), ("127.0.0.1", 4059), ("192.168.1.3", 6379)):
        assert policy.refusal("TCP", parsed(host), port) is None


@given(st.ip_addresses())
def test_its_networks_are_those_that_contain_it(address) -> None:
    found = networks_of(address)
    assert len(set(found)) == address.max_prefixlen + 1
    assert all(address in network for network in found)
    assert found[0] == ip_network(address)


RULES = st.builds(
    lambda network, first, more, kinds: Rule(network, first, min(65535, first + more), frozenset(kinds)),
    st.builds(
        lambda address, length: (
            ip_network((int(address), min(length, address.max_prefixlen)), strict=False)
            if address.version == 4
            else ip_network(f"{address}/{length}", strict=False)
        ),
        st.ip_addresses(),
        st.integers(0, 128),
    ),
    st.integers(1, 65535),
    st.integers(0, 3000),
    st.sets(st.sampled_from(sorted(ALL_KINDS)), min_size=1),
)


@given(st.ip_addresses(), st.lists(RULES, max_size=4), st.integers(1, 65535), st.sampled_from(sorted(ALL_KINDS)))
def test_allowed_is_what_a_rule_covers_and_nothing_forbids(address, rules, port: int, kind: str) -> None:
    judged = judged_address(address)
    covered = any(
        judged.version == rule.network.version
        and judged in rule.network
        and rule.first_port <= port <= rule.last_port
        and kind in rule.kinds
        for rule in rules
    )
    forbidden = bool(never_allowed(address) or never_allowed(judged))
    assert (Policy.of(rules).refusal(kind, address, port) is None) is (covered and not forbidden)


@given(st.ip_addresses(), st.integers(1, 65535))
def test_an_address_of_a_network_of_its_own_is_allowed_there_and_nowhere_else(address, port: int) -> None:
    judged = judged_address(address)
    assume(not never_allowed(address))
    assume(not never_allowed(judged))
    policy = Policy.of([Rule(ip_network(judged), port, port, frozenset({"TCP"}))])
    assert policy.refusal("TCP", address, port) is None
    assert policy.refusal("TCP", address, port % 65535 + 1) is Reason.NO_RULE
    assert policy.refusal("UDP", address, port) is Reason.NO_RULE


def test_loopback() -> None:
    assert is_loopback(ip_address("127.3.2.1"))
    assert is_loopback(ip_address("::1"))
    assert not is_loopback(ip_address("128.0.0.1"))
