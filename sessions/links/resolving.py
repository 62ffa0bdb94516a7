"""From a name to its addresses, once: what was judged is what is connected to.

Whoever judges targets asks `addresses_of`, judges every address, and gives the endpoint back with them (`reached_at`). A line
with addresses never asks for its name again, so a name that means something else a second later leads nowhere else.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeVar

from sessions.links.endpoint import NetworkEndpoint, UdpEndpoint

Endpoint = TypeVar("Endpoint", bound=NetworkEndpoint)
Connected = TypeVar("Connected")
Address = IPv4Address | IPv6Address


async def addresses_of(endpoint: NetworkEndpoint, *, timeout: float = 5.0) -> list[Address]:
    """The addresses of its host, in the order of the system's preference; empty where the name is not known in time."""
    kind = socket.SOCK_DGRAM if isinstance(endpoint, UdpEndpoint) else socket.SOCK_STREAM
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout):
            found = await loop.getaddrinfo(endpoint.host, endpoint.port, type=kind)
    except (OSError, UnicodeError):  # TimeoutError is an OSError
        return []
    return list(dict.fromkeys(ip_address(sockaddr[0]) for *_, sockaddr in found))


def reached_at(endpoint: Endpoint, addresses: Iterable[Address]) -> Endpoint:
    """The endpoint, to be reached at these addresses alone. An IPv4 address inside of an IPv6 one is that IPv4 address."""
    return replace(endpoint, addresses=tuple(str(_plain(address)) for address in addresses))


def _plain(address: Address) -> Address:
    return getattr(address, "ipv4_mapped", None) or address


async def first_of(endpoint: NetworkEndpoint, connect: Callable[[str], Awaitable[Connected]]) -> Connected:
    """What `connect` makes of the first address that answers, or of the name where there are none; else the last error."""
    *others, last = endpoint.addresses or (endpoint.host,)
    for address in others:
        try:
            return await connect(address)
        except OSError:
            continue
    return await connect(last)


def in_url(host: str) -> str:
    """As it stands in a URL: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host
