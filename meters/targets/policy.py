"""Rules and the verdict on one address: pure data, which a worker may carry.

What no rule covers is refused. Some addresses are refused whatever the rules say: they are no meter's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from meters.targets.hosts import Address, judged_address

Network = IPv4Network | IPv6Network

NEVER: Final[tuple[tuple[Network, str], ...]] = tuple(
    (ip_network(network), why)
    for network, why in (
        ("0.0.0.0/8", "unspecified"),
        ("169.254.0.0/16", "link-local, where clouds serve their metadata"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved, or broadcast"),
        ("::/128", "unspecified"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
        ("64:ff9b:1::/48", "a translation whose IPv4 address cannot be told"),
        ("100::/64", "discarded"),
    )
)
IPV4_COMPATIBLE: Final = IPv6Network("::/96")
FEW: Final = 64
"""Rules that are looked at one by one: an import judges very many addresses."""
LOOPBACK: Final = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


class Reason(Enum):
    """Why a target is refused, for the audit. The user reads one text for all of them."""

    NO_RULE = "no rule covers it"
    NEVER = "an address that no rule can allow"
    OWN_SERVICE = "a service of the workbench itself"
    NAME_UNKNOWN = "the name has no address"
    NOT_A_HOST = "neither a name nor an address in full"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the list: `kinds` are words of `Line.Kind`, the ports count both ends."""

    network: Network
    first_port: int
    last_port: int
    kinds: frozenset[str]

    def covers_port(self, kind: str, port: int) -> bool:
        return kind in self.kinds and self.first_port <= port <= self.last_port


@dataclass(frozen=True, slots=True)
class OwnServices:
    """Where the workbench's own services listen: `at` by address and port; ports on `here`, every address of this machine."""

    at: frozenset[tuple[Address, int]] = frozenset()
    ports_here: frozenset[int] = frozenset()
    here: frozenset[Address] = frozenset()

    def include(self, address: Address, port: int) -> bool:
        if (address, port) in self.at:
            return True
        return port in self.ports_here and (is_loopback(address) or address in self.here)


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules that count for somebody, found by their networks."""

    rules: Mapping[Network, tuple[Rule, ...]] = field(default_factory=dict)
    own: OwnServices = OwnServices()

    @classmethod
    def of(cls, rules: Iterable[Rule], own: OwnServices | None = None) -> Policy:
        by_network: dict[Network, list[Rule]] = {}
        for rule in rules:
            by_network.setdefault(rule.network, []).append(rule)
        return cls({network: tuple(found) for network, found in by_network.items()}, own or OwnServices())

    def refusal(self, kind: str, address: Address, port: int) -> Reason | None:
        """Why this may not be connected to; None where it may."""
        judged = judged_address(address)
        if never_allowed(address) or never_allowed(judged):
            return Reason.NEVER
        if self.own.include(judged, port):
            return Reason.OWN_SERVICE
        found = (rule for network in self._networks_around(judged) for rule in self.rules[network])
        return None if any(rule.covers_port(kind, port) for rule in found) else Reason.NO_RULE

    def _networks_around(self, address: Address) -> list[Network]:
        if len(self.rules) <= FEW:
            return [network for network in self.rules if network.version == address.version and address in network]
        return [network for network in networks_of(address) if network in self.rules]

    def knows_port(self, kind: str, port: int) -> bool:
        """Whether some address may be reached so: what can be said of a name before it is looked up."""
        return any(rule.covers_port(kind, port) for rules in self.rules.values() for rule in rules)


def never_allowed(address: Address) -> str:
    """Why no rule can allow this address; empty where one can."""
    for network, why in NEVER:
        if address.version == network.version and address in network:
            return why
    if address.version == 6 and address in IPV4_COMPATIBLE and not is_loopback(address):
        return "an IPv4 address in a form that is not used any more"
    return ""


def is_loopback(address: Address) -> bool:
    """Whether it is this machine, talking to itself."""
    return any(address.version == network.version and address in network for network in LOOPBACK)


def networks_of(address: Address) -> list[Network]:
    """Every network that the address is in, the smallest first: 33 of IPv4, 129 of IPv6."""
    kind = IPv4Network if address.version == 4 else IPv6Network
    number, bits = int(address), address.max_prefixlen
    return [kind((number >> (bits - size) << (bits - size), size)) for size in range(bits, -1, -1)]
