"""A line over TCP: a meter, a modem, or a serial bridge in raw mode."""

from __future__ import annotations

import asyncio
import errno
import socket

from sessions.dlms.link import LineSettings
from sessions.links.endpoint import TcpEndpoint
from sessions.links.line import MAX_READ, LineError
from sessions.links.resolving import first_of

CLOSE_PATIENCE = 1.0


class TcpLine:
    """A connected TCP stream."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        try:
            return await self._reader.read(MAX_READ)
        except OSError as error:
            raise _broken(error) from None

    async def write(self, octets: bytes) -> None:
        try:
            self._writer.write(octets)
            await self._writer.drain()
        except OSError as error:
            raise _broken(error) from None

    async def change_settings(self, settings: LineSettings) -> None:
        """A network has no speed; a serial bridge in raw mode keeps its own."""

    async def close(self) -> None:
        self._writer.close()
        try:
            await asyncio.wait_for(self._writer.wait_closed(), CLOSE_PATIENCE)
        except TimeoutError:
            self._writer.transport.abort()  # octets that nobody takes shall not keep the port
        except OSError:
            pass  # it was broken already


def _broken(error: OSError) -> LineError:
    """A connection that broke while it was used."""
    if isinstance(error, BrokenPipeError):
        return LineError("The other side closed the connection.", code="connection-lost")
    if isinstance(error, ConnectionResetError):
        return LineError(
            "The other side reset the connection.",
            code="connection-reset",
            hint="The meter or the bridge dropped it: was it restarted, or has it taken another client? Open the session again.",
        )
    if isinstance(error, TimeoutError):
        return LineError(
            "The other side does not take part in the connection any more.",
            code="connection-timeout",
            hint="The network is interrupted, or the meter is switched off: check both, then open the session again.",
        )
    unreachable = error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH)
    return LineError(
        f"The connection broke: {error.strerror or error}.",
        code="host-unreachable" if unreachable else "connection-lost",
        hint="Check the cable, the network and the address." if unreachable else "",
    )


def not_connected(host: str, port: int, error: Exception, timeout: float) -> LineError:
    """A connection that did not come about within `timeout` seconds; `error` is what the system said."""
    if isinstance(error, TimeoutError):
        return LineError(
            f"{host} port {port} did not answer within {timeout:g} s.",
            code="connect-timeout",
            hint="Is the meter or bridge switched on and on this network? A firewall swallows packets the same way.",
        )
    if isinstance(error, socket.gaierror | UnicodeError):  # unknown, or nothing that could be a name
        return LineError(
            f"The host name “{host}” is not known.",
            code="host-unknown",
            hint="Check the spelling, or use the IP address.",
        )
    if isinstance(error, ConnectionRefusedError):
        return LineError(
            f"{host} refused the connection on port {port}.",
            code="connection-refused",
            hint="The host is there, but nobody listens on this port: check the port (the DLMS wrapper's is 4059), and "
            "whether the bridge has another client.",
        )
    unreachable = getattr(error, "errno", None) in (errno.EHOSTUNREACH, errno.ENETUNREACH)
    return LineError(
        f"{host} port {port} cannot be reached: {getattr(error, 'strerror', None) or error}.",
        code="host-unreachable" if unreachable else "connection-failed",
        hint="Check the cable, the network and the address.",
    )


async def open_tcp(endpoint: TcpEndpoint, *, connect_timeout: float = 5.0) -> TcpLine:
    """Connect, or a `LineError` that says which of the usual things went wrong."""
    try:
        async with asyncio.timeout(connect_timeout):
            reader, writer = await first_of(endpoint, lambda address: asyncio.open_connection(address, endpoint.port))
    except (OSError, UnicodeError) as error:
        raise not_connected(endpoint.host, endpoint.port, error, connect_timeout) from None
    raw = writer.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return TcpLine(reader, writer)
