"""A line over UDP: a meter that takes the wrapper in datagrams, one APDU in each (IEC 62056-47, 5.2).

UDP knows no connection: nothing says that anybody is there, a datagram may be lost, and the end of a line does not exist.
What the other host says by ICMP (nobody listens on this port) is an error of the line all the same.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import Final, cast

from sessions.dlms.errors import FrameError
from sessions.dlms.link import LineSettings
from sessions.dlms.wrapper import WrapperReader
from sessions.links.endpoint import UdpEndpoint
from sessions.links.line import LineError
from sessions.links.resolving import first_of

MAX_WAITING: Final = 256
"""Datagrams that wait to be read; further ones are lost, as anywhere else on their way."""


class UdpLine(asyncio.DatagramProtocol):
    """Datagrams to and from one address."""

    def __init__(self, endpoint: UdpEndpoint) -> None:
        self._endpoint = endpoint
        self._arrived: asyncio.Queue[bytes | LineError] = asyncio.Queue()
        self._transport: asyncio.DatagramTransport | None = None
        self._closed = False

    # -- what asyncio tells ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # the selector loop's is none by its class

    def datagram_received(self, data: bytes, addr: object) -> None:
        if data and self._arrived.qsize() < MAX_WAITING:
            self._arrived.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        self._arrived.put_nowait(_broken(self._endpoint, exc))

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed = True
        self._arrived.put_nowait(_broken(self._endpoint, exc) if exc is not None else b"")

    # -- the line ----------------------------------------------------------------------------------------------------

    async def read(self) -> bytes:
        """One datagram."""
        item = await self._arrived.get()
        if not item or isinstance(item, LineError):
            self._arrived.put_nowait(item)  # the end stays the end
        if isinstance(item, LineError):
            raise item
        return item

    async def change_settings(self, settings: LineSettings) -> None:
        """A network has no speed."""

    async def write(self, octets: bytes) -> None:
        """Each wrapper frame in a datagram of its own."""
        if self._transport is None or self._closed:
            raise LineError("The UDP line is closed.", code="connection-lost")
        for datagram in datagrams_of(octets):
            self._transport.sendto(datagram)

    async def close(self) -> None:
        self._closed = True
        if self._transport is not None:
            self._transport.close()


def datagrams_of(octets: bytes) -> list[bytes]:
    """Wrapper frames, each for itself, and what is left over."""
    reader = WrapperReader()
    try:
        frames = [raw for _, raw in reader.feed(octets)]
    except FrameError:
        frames = []
    rest = reader.take_rest()
    return [*frames, rest] if rest else frames


def _broken(endpoint: UdpEndpoint, error: Exception) -> LineError:
    number = getattr(error, "errno", None)
    if isinstance(error, ConnectionRefusedError):
        return LineError(
            f"{endpoint.host} refused the datagram: nobody listens on UDP port {endpoint.port}.",
            code="connection-refused",
            hint="Check the port (the DLMS wrapper's is 4059), and whether the meter speaks TCP instead of UDP.",
        )
    if number == errno.EMSGSIZE:
        return LineError(
            "The APDU is too long for a datagram.",
            code="datagram-too-long",
            hint="Choose a smaller maximum APDU size for this association.",
        )
    return LineError(
        f"The UDP line to {endpoint.host} port {endpoint.port} broke: {getattr(error, 'strerror', None) or error}.",
        code="host-unreachable" if number in (errno.EHOSTUNREACH, errno.ENETUNREACH) else "connection-lost",
        hint="Check the cable, the network and the address.",
    )


async def open_udp(endpoint: UdpEndpoint, *, connect_timeout: float = 5.0) -> UdpLine:
    """A socket towards the address, or a `LineError`. Nothing is sent: whether anybody is there shows with the first request."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(connect_timeout):
            _, line = await first_of(
                endpoint,
                lambda address: loop.create_datagram_endpoint(
                    lambda: UdpLine(endpoint), remote_addr=(address, endpoint.port)
                ),
            )
    except TimeoutError:
        raise LineError(
            f"The host name “{endpoint.host}” could not be looked up within {connect_timeout:g} s.",
            code="host-unknown",
            hint="Use the IP address.",
        ) from None
    except (socket.gaierror, UnicodeError):
        raise LineError(
            f"The host name “{endpoint.host}” is not known.",
            code="host-unknown",
            hint="Check the spelling, or use the IP address.",
        ) from None
    except OSError as error:
        raise _broken(endpoint, error) from None
    return line
