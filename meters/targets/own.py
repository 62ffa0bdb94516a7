"""The workbench's own services: the database, the broker, the web server. No rule allows a line that leads to them."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from meters.targets.hosts import Address, HostError, judged_address, parse_host
from meters.targets.policy import OwnServices, is_loopback

DEFAULT_PORTS = {"postgresql": 5432, "redis": 6379, "rediss": 6379}
IPV4_TABLE, IPV6_TABLE = Path("/proc/net/fib_trie"), Path("/proc/net/if_inet6")
LOCAL_ENTRY = re.compile(r"\|-- ([0-9.]+)\n\s+/32 host LOCAL")


def own_endpoints() -> list[tuple[str, int]]:
    """Host and port of each, as the settings name them; what listens on a socket in the file system is not on the network."""
    found: list[tuple[str, int]] = []
    for database in settings.DATABASES.values():
        port = DEFAULT_PORTS.get(str(database["ENGINE"]).rpartition(".")[2])
        host = str(database.get("HOST") or "localhost")
        if port and not host.startswith("/"):
            found.append((host, int(database.get("PORT") or port)))
    url = urlsplit(settings.REDIS_URL)
    if url.hostname and url.scheme in DEFAULT_PORTS:
        found.append((url.hostname, url.port or DEFAULT_PORTS[url.scheme]))
    for service in settings.OWN_SERVICES:
        host, _, port_text = service.rpartition(":")
        found.append((host.removeprefix("[").removesuffix("]"), int(port_text)))
    return found


def own_services(*, look_up: bool = False) -> OwnServices:
    """What the settings name. `look_up`: names are resolved too, which only workers do: they may wait."""
    at: set[tuple[Address, int]] = set()
    ports_here: set[int] = set()
    for host, port in own_endpoints():
        for address in _addresses(host, look_up):
            at.add((address, port))
            if is_loopback(address) or address.is_unspecified:
                ports_here.add(port)
    here = frozenset(_addresses_of_this_machine()) if ports_here else frozenset()
    return OwnServices(frozenset(at), frozenset(ports_here), here)


def is_own_name(host: str, port: int) -> bool:
    """Whether a name, with this port, is how the settings call a service of ours."""
    return (host.lower(), port) in {(own.lower(), own_port) for own, own_port in own_endpoints()}


def _addresses(host: str, look_up: bool) -> Iterable[Address]:
    if host == "localhost":
        return [IPv4Address("127.0.0.1"), IPv6Address("::1")]
    try:
        found = parse_host(host)
    except HostError:
        return []
    if not isinstance(found, str):
        return [judged_address(found)]
    return _looked_up(found) if look_up else []


def _looked_up(name: str) -> Iterable[Address]:
    try:
        answers: list[Any] = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return {judged_address(ip_address(sockaddr[0].partition("%")[0])) for *_, sockaddr in answers}


def _addresses_of_this_machine() -> Iterable[Address]:
    """As Linux tells them; nothing where it does not, and then loopback is what counts as here."""
    try:
        yield from (IPv4Address(text) for text in LOCAL_ENTRY.findall(IPV4_TABLE.read_text()))
        for line in IPV6_TABLE.read_text().splitlines():
            yield IPv6Address(bytes.fromhex(line.split()[0]))
    except (OSError, ValueError):
        return
