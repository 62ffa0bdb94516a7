import asyncio
from pathlib import Path

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


async def test_no_text_of_a_user_chooses_a_handler_of_pyserial() -> None:
    """Abuse case A4: `serial_for_url` would run `spy://`, `alt://`, `socket://` … of whatever text it gets."""
    root = Path(__file__).resolve().parents[3]
    sources = [path for package in ("meters", "sessions", "workbench") for path in (root / package).rglob("*.py")]
    assert len(sources) > 100
    assert not [path for path in sources if "serial_for_url" in path.read_text()]
