"""A line over TCP: a meter, a modem, or a serial bridge in raw mode."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import Final

from sessions.dlms.link import LineSettings
from sessions.links.endpoint import TcpEndpoint
from sessions.links.line import MAX_READ, LineError, TakeAtOnce
from sessions.links.resolving import first_of

CLOSE_PATIENCE = 1.0
MAX_WAITING: Final = 4 * MAX_READ
"""Octets that wait for a reader, before the other side has to keep them."""


class TcpLine(asyncio.BufferedProtocol):
    """A connected TCP stream, `MAX_READ` octets a turn."""

    def __init__(self) -> None:
        self.take_at_once: TakeAtOnce | None = None
        self.congested = False
        self._transport: asyncio.Transport | None = None
        self._incoming = memoryview(bytearray(MAX_READ))
        self._arrived = bytearray()
        self._reader: asyncio.Future[bytes] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._gone = asyncio.get_running_loop().create_future()
        self._end: LineError | bytes | None = None
        """What a reader gets behind all that has arrived: nothing, or the error that broke the connection."""

    # -- what the loop tells -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._incoming

    def buffer_updated(self, nbytes: int) -> None:
        octets: bytes | None = bytes(self._incoming[:nbytes])
        reader = self._reader
        if reader is None or reader.done():
            self._keep(octets or b"")
            return
        if self.take_at_once is not None:
            octets = self.take_at_once(octets or b"")
        if octets is not None:
            reader.set_result(octets)

    def _keep(self, octets: bytes) -> None:
        """Nobody reads: let it wait here, and soon on the other side."""
        self._arrived += octets
        if len(self._arrived) >= MAX_WAITING and self._transport is not None:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        self._ends(b"")
        return True  # what we still have to say may go out

    def connection_lost(self, exc: Exception | None) -> None:
        self._ends(_broken(exc) if isinstance(exc, OSError) else b"")
        self._gone.set_result(None)
        self.resume_writing()

    def _ends(self, end: LineError | bytes) -> None:
        if self._end is None or isinstance(end, LineError):
            self._end = end
        reader = self._reader
        if reader is None or reader.done():
            return
        if isinstance(end, LineError):
            reader.set_exception(end)
        else:
            reader.set_result(end)

    def pause_writing(self) -> None:
        self.congested = True

    def resume_writing(self) -> None:
        self.congested = False
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(None)

    # -- what the owner asks -----------------------------------------------------------------------------------------

    async def read(self) -> bytes:
        if self._arrived:
            return self._take_arrived()
        if isinstance(self._end, LineError):
            raise self._end
        if self._end is not None:
            return self._end
        reader: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._reader = reader
        try:
            return await reader
        except asyncio.CancelledError:
            if reader.done() and not reader.cancelled() and reader.exception() is None:
                self._arrived[:0] = reader.result()
            raise
        finally:
            self._reader = None

    def _take_arrived(self) -> bytes:
        octets = bytes(self._arrived[:MAX_READ])
        del self._arrived[:MAX_READ]
        if len(self._arrived) < MAX_WAITING and self._transport is not None and self._end is None:
            self._transport.resume_reading()
        return octets

    def send_at_once(self, octets: bytes) -> None:
        if self._transport is not None:
            self._transport.write(octets)

    async def write(self, octets: bytes) -> None:
        if self._gone.done() and not isinstance(self._end, LineError):
            raise _broken(BrokenPipeError())
        self.send_at_once(octets)
        if self.congested and not self._gone.done():
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer
        if isinstance(self._end, LineError):
            raise self._end

    async def change_settings(self, settings: LineSettings) -> None:
        """A network has no speed; a serial bridge in raw mode keeps its own."""

    async def close(self) -> None:
        if self._transport is None:
            return
        self._transport.close()
        try:
            async with asyncio.timeout(CLOSE_PATIENCE):
                await asyncio.shield(self._gone)
        except TimeoutError:
            self._transport.abort()  # octets that nobody takes shall not keep the port


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
    """Connect, or a `LineError` that says which of the usual things went wrong. (asyncio sets TCP_NODELAY by itself.)"""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(connect_timeout):
            _, line = await first_of(endpoint, lambda address: loop.create_connection(TcpLine, address, endpoint.port))
    except (OSError, UnicodeError) as error:
        raise not_connected(endpoint.host, endpoint.port, error, connect_timeout) from None
    return line
