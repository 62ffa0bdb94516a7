"""Ports on which meters are heard that send by themselves: TCP connections and UDP datagrams, each into its own receiver."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from sessions.dlms.errors import DlmsError
from sessions.dlms.notification_receiver import Heard, Listener, NotificationReceiver
from sessions.links.endpoint import TcpEndpoint, UdpEndpoint
from sessions.links.line import MAX_READ, LineError

MAX_CONNECTIONS: Final = 1024
"""Meters that are connected at once; further ones are turned away."""
PAUSE: Final = 1.0
"""Seconds of silence after which the rest of a frame is not awaited any more."""
INACTIVITY_TIMEOUT: Final = 60.0
"""Seconds after which a silent connection is closed."""

Tell = Callable[[str, Heard | DlmsError], None]
"""Who sent, and what; or what was wrong with all that came."""
Prepare = Callable[[], Awaitable[None]]
"""Is awaited before anything that came is looked at: invocation counters for confirmations are reserved."""


class ListeningPort:
    """`async with ListeningPort(endpoint, listeners, tell) as port: port.endpoint`; port 0 takes any free one."""

    def __init__(
        self,
        endpoint: TcpEndpoint | UdpEndpoint,
        listeners: Sequence[Listener],
        tell: Tell,
        prepare: Prepare | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._listeners = listeners
        self._tell = tell
        self._prepare = prepare
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> ListeningPort:
        """`LineError` where the port cannot be used."""
        host, port = self.endpoint.host, self.endpoint.port
        try:
            if isinstance(self.endpoint, UdpEndpoint):
                loop = asyncio.get_running_loop()
                self._transport, _ = await loop.create_datagram_endpoint(
                    lambda: _Datagrams(self._datagram), local_addr=(host, port)
                )
                self.endpoint = UdpEndpoint(host, self._transport.get_extra_info("sockname")[1])
            else:
                self._server = await asyncio.start_server(self._accept, host, port)
                self.endpoint = TcpEndpoint(host, self._server.sockets[0].getsockname()[1])
        except OSError as error:
            raise LineError(
                f"{self.endpoint} cannot be listened on: {error.strerror or error}.",
                code="port-unusable",
                hint="Another program may listen there already, or the address is none of this machine's.",
            ) from None
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        if self._transport is not None:
            self._transport.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- connections -------------------------------------------------------------------------------------------------

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) >= MAX_CONNECTIONS:
            writer.transport.abort()
            return
        self._begin(self._serve(reader, writer))

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender = "{}:{}".format(*writer.get_extra_info("peername")[:2])
        receiver = NotificationReceiver(self._listeners)
        try:
            while octets := await self._read(reader, receiver, writer.write, sender):
                await self._hear(partial(receiver.receive_octets, octets), receiver, sender, writer.write)
                await writer.drain()
        except DlmsError as error:
            self._tell(sender, error)
        except OSError:
            pass  # the meter went away
        finally:
            writer.close()

    def _datagram(self, octets: bytes, address: tuple[str, int]) -> None:
        if len(self._tasks) < MAX_CONNECTIONS:
            self._begin(self._hear_datagram(octets, address))

    async def _hear_datagram(self, octets: bytes, address: tuple[str, int]) -> None:
        sender = "{}:{}".format(*address[:2])
        assert self._transport is not None  # it brought the datagram
        transport = self._transport
        try:
            receiver = NotificationReceiver(self._listeners, datagrams=True)
            take = partial(receiver.receive_octets, octets)
            await self._hear(take, receiver, sender, lambda answer: transport.sendto(answer, address))
        except DlmsError as error:
            self._tell(sender, error)

    async def _read(
        self, reader: asyncio.StreamReader, receiver: NotificationReceiver, write: Callable[[bytes], None], sender: str
    ) -> bytes:
        """What comes next; TimeoutError after a time of silence. After a pause the receiver looks at what it holds once more."""
        try:
            async with asyncio.timeout(PAUSE):
                return await reader.read(MAX_READ)
        except TimeoutError:
            await self._hear(receiver.pause, receiver, sender, write)
        async with asyncio.timeout(INACTIVITY_TIMEOUT):
            return await reader.read(MAX_READ)

    async def _hear(
        self, take: Callable[[], None], receiver: NotificationReceiver, sender: str, write: Callable[[bytes], None]
    ) -> None:
        if self._prepare is not None:
            await self._prepare()
        try:
            take()
        finally:
            if answer := receiver.octets_to_send():
                write(answer)
            while (heard := receiver.next_heard()) is not None:
                self._tell(sender, heard)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._take = take

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._take(data, addr)

    def error_received(self, exc: Exception) -> None:
        """The meter does not take its confirmation: it will send again."""
