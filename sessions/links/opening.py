"""The line to an endpoint, whatever its kind."""

from __future__ import annotations

from sessions.links.endpoint import Endpoint, Rfc2217Endpoint, TcpEndpoint, UdpEndpoint
from sessions.links.line import Line
from sessions.links.serial_port import open_rfc2217, open_serial
from sessions.links.tcp import open_tcp
from sessions.links.udp import open_udp


async def open_line(endpoint: Endpoint, *, connect_timeout: float = 5.0) -> Line:
    """Open it, or raise a `LineError`."""
    if isinstance(endpoint, TcpEndpoint):
        return await open_tcp(endpoint, connect_timeout=connect_timeout)
    if isinstance(endpoint, UdpEndpoint):
        return await open_udp(endpoint, connect_timeout=connect_timeout)
    if isinstance(endpoint, Rfc2217Endpoint):
        return await open_rfc2217(endpoint, open_timeout=connect_timeout)
    return await open_serial(endpoint, open_timeout=connect_timeout)
