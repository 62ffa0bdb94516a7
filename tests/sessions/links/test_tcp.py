import asyncio
import errno
import socket

import pytest

from sessions.links import tcp
from sessions.links.endpoint import TcpEndpoint
from sessions.links.line import LineError
from sessions.links.opening import open_line
from sessions.links.tcp import TcpLine

pytestmark = pytest.mark.asyncio


async def serve(handler):
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    return server, TcpEndpoint("127.0.0.1", server.sockets[0].getsockname()[1])


async def test_octets_go_both_ways_and_the_end_is_seen():
    async def echo(reader, writer):
        writer.write((await reader.readexactly(3))[::-1])
        await writer.drain()
        writer.close()

    server, endpoint = await serve(echo)
    async with server:
        line = await open_line(endpoint)
        await line.write(b"abc")
        assert await line.read() == b"cba"
        assert await line.read() == b""
        await line.close()
        await line.close()


async def test_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = TcpEndpoint("127.0.0.1", free.getsockname()[1])
    with pytest.raises(LineError) as refused:
        await open_line(endpoint)
    assert refused.value.code == "connection-refused"
    assert str(endpoint.port) in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize("host", ["meter.invalid", "no..name", "x" * 80])
async def test_an_unknown_host(host):
    with pytest.raises(LineError) as refused:
        await open_line(TcpEndpoint(host, 4059))
    assert refused.value.code in ("host-unknown", "connect-timeout")


async def test_nobody_answers_the_connection():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        endpoint = TcpEndpoint("127.0.0.1", full.getsockname()[1])
        waiting = []
        try:
            # Fill the queue of a listener that never accepts: further connections hang.
            for _ in range(3):
                probe = socket.socket()
                probe.setblocking(False)
                probe.connect_ex(full.getsockname())
                waiting.append(probe)
            with pytest.raises(LineError) as refused:
                await open_line(endpoint, connect_timeout=0.3)
        finally:
            for probe in waiting:
                probe.close()
    assert refused.value.code == "connect-timeout"


async def test_a_reset_is_told_from_an_end():
    async def reset(reader, writer):
        await reader.readexactly(1)
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, bytes.fromhex("0100000000000000")
        )
        writer.close()

    server, endpoint = await serve(reset)
    async with server:
        line = await open_line(endpoint)
        await line.write(b"x")
        with pytest.raises(LineError) as reset_by_peer:
            await line.read()
        assert reset_by_peer.value.code == "connection-reset"
        assert reset_by_peer.value.hint
        with pytest.raises(LineError) as refused:
            for _ in range(50):
                await line.write(b"x" * 1000)
                await asyncio.sleep(0.01)
        assert refused.value.code in ("connection-lost", "connection-reset")
        await line.close()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), "connection-reset"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), "connection-lost"),
        (TimeoutError(errno.ETIMEDOUT, "Connection timed out"), "connection-timeout"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "host-unreachable"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "host-unreachable"),
        (OSError(errno.EIO, "Input/output error"), "connection-lost"),
    ],
)
async def test_each_way_to_break_has_its_sentence(error, code):
    line = TcpLine()
    line.connection_lost(error)
    with pytest.raises(LineError) as refused:
        await line.read()
    assert (refused.value.layer, refused.value.code) == ("line", code)
    assert refused.value.message.endswith(".")


async def test_closing_does_not_wait_for_a_peer_that_takes_nothing(monkeypatch):
    monkeypatch.setattr(tcp, "CLOSE_PATIENCE", 0.05)
    accepted = []

    async def hoard(reader, writer):
        accepted.append(writer)
        reader._transport.pause_reading()

    server, endpoint = await serve(hoard)
    async with server:
        line = await open_line(endpoint)
        writing = asyncio.ensure_future(line.write(bytes(50_000_000)))
        await asyncio.sleep(0.05)
        assert not writing.done()
        await asyncio.wait_for(line.close(), 2)
        await asyncio.wait_for(writing, 2)
        for writer in accepted:
            writer.transport.abort()
        await asyncio.sleep(0)


class Transport(asyncio.Transport):
    """What the loop gives a line, in the test's hands."""

    def __init__(self):
        super().__init__()
        self.written, self.reading = [], True

    def write(self, octets):
        self.written.append(octets)

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True


def connected():
    line, transport = TcpLine(), Transport()
    line.connection_made(transport)
    return line, transport


def arrive(line, octets):
    line.get_buffer(-1)[: len(octets)] = octets
    line.buffer_updated(len(octets))


async def test_octets_that_nobody_reads_wait_and_soon_on_the_other_side():
    line, transport = connected()
    for number in range(tcp.MAX_WAITING // 1000 + 1):
        assert transport.reading
        arrive(line, bytes((number,)) * 1000)
    assert not transport.reading
    got = b""
    while len(got) < 1000 * (number + 1):
        got += await line.read()
    assert got == b"".join(bytes((each,)) * 1000 for each in range(number + 1))
    assert transport.reading


async def test_a_reader_that_is_cancelled_loses_nothing():
    line, _ = connected()
    reading = asyncio.ensure_future(line.read())
    await asyncio.sleep(0)
    arrive(line, b"first")
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    arrive(line, b", second")
    assert await line.read() == b"first, second"


async def test_the_end_comes_behind_what_has_arrived():
    line, _ = connected()
    arrive(line, b"last words")
    line.connection_lost(ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"))
    assert await line.read() == b"last words"
    for _ in range(2):
        with pytest.raises(LineError):
            await line.read()


async def test_octets_are_taken_at_once_while_somebody_reads():
    line, _ = connected()
    taken = []

    def take(octets):
        taken.append(octets)
        return None if len(taken) < 3 else octets + b"!"

    line.take_at_once = take
    arrive(line, b"before")
    assert taken == []
    assert await line.read() == b"before"
    reading = asyncio.ensure_future(line.read())
    await asyncio.sleep(0)
    for octets in (b"one", b"two"):
        arrive(line, octets)
        await asyncio.sleep(0)
        assert not reading.done()
    arrive(line, b"three")
    arrive(line, b"four")
    assert await reading == b"three!"
    assert taken == [b"one", b"two", b"three"]
    assert await line.read() == b"four"


async def test_writing_waits_for_room():
    line, transport = connected()
    line.pause_writing()
    assert line.congested
    writing = asyncio.ensure_future(line.write(b"x"))
    await asyncio.sleep(0)
    assert not writing.done()
    assert transport.written == [b"x"]
    line.resume_writing()
    await writing
    line.pause_writing()
    writing = asyncio.ensure_future(line.write(b"y"))
    await asyncio.sleep(0)
    line.connection_lost(ConnectionResetError())
    with pytest.raises(LineError):
        await writing
    with pytest.raises(LineError):
        await line.write(b"z")
