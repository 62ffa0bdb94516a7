import asyncio

import pytest

from sessions.links.endpoint import SerialEndpoint, TcpEndpoint, UdpEndpoint
from sessions.links.line import LineError
from sessions.links.opening import open_line
from sessions.links.tcp import TcpLine
from sessions.links.udp import UdpLine

pytestmark = pytest.mark.asyncio


async def test_the_endpoint_decides():
    async def close(reader, writer):
        await reader.read()
        writer.close()

    server = await asyncio.start_server(close, "127.0.0.1", 0)
    async with server:
        line = await open_line(TcpEndpoint("127.0.0.1", server.sockets[0].getsockname()[1]))
        assert isinstance(line, TcpLine)
        await line.close()
    line = await open_line(UdpEndpoint("127.0.0.1", 4059))
    assert isinstance(line, UdpLine)
    await line.close()
    with pytest.raises(LineError, match="no serial port"):
        await open_line(SerialEndpoint("/dev/no-such-port"))
