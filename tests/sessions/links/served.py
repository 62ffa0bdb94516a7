"""A scripted meter behind a real TCP socket, for tests of the driver and of reading."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sessions.dlms.association import AssociationParameters
from sessions.dlms.hdlc.server_link import HdlcServerLink
from sessions.dlms.link import ApduReceived
from sessions.dlms.wrapper import WrapperServerLink
from sessions.links.endpoint import TcpEndpoint
from tests.sessions.dlms.scripted import ScriptedMeter


class ServedMeter:
    """One meter on a port of its own; each connection is a new link to it. `meter` may be replaced between two."""

    def __init__(self, agreed: AssociationParameters, *, hdlc: bool = False, **link: Any) -> None:
        self.meter = ScriptedMeter(agreed)
        self.hdlc = hdlc
        self.link = link
        self.connections = 0
        self.closed = 0
        self.mute = False
        self.hang_up_on: type | None = None
        self.endpoint = TcpEndpoint("127.0.0.1", 0)
        self.writer: asyncio.StreamWriter | None = None
        self.quiet = asyncio.Event()
        self.quiet.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writer = writer
        self.quiet.clear()
        make = HdlcServerLink if self.hdlc else WrapperServerLink
        link = make(server_sap=1, **self.link)
        try:
            while octets := await reader.read(65536):
                if self.mute:
                    continue
                if self._answer(link, octets):
                    return
                writer.write(link.octets_to_send())
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            self.closed += 1
            writer.close()
            if self.closed == self.connections:
                self.quiet.set()

    def hang_up(self) -> None:
        """Close the connection that stands."""
        assert self.writer is not None
        self.writer.close()

    def _answer(self, link: Any, octets: bytes) -> bool:
        """Let the meter answer; whether it hangs up instead."""
        link.receive_octets(octets, 0.0)
        while (event := link.next_event()) is not None:
            if isinstance(event, ApduReceived):
                for answer in self.meter(event.apdu):
                    link.send_apdu(answer, 0.0)
                if self.hang_up_on is not None and isinstance(self.meter.requests[-1], self.hang_up_on):
                    return True
        return False


@asynccontextmanager
async def served(agreed: AssociationParameters, **options: Any) -> AsyncIterator[ServedMeter]:
    """A served meter, until the block ends; then every connection must have been closed by the client."""
    meter = ServedMeter(agreed, **options)
    server = await asyncio.start_server(meter.serve, "127.0.0.1", 0)
    meter.endpoint = TcpEndpoint("127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        yield meter
        async with asyncio.timeout(5):
            await meter.quiet.wait()
    finally:
        server.close()
        await server.wait_closed()
