"""A line of datagrams: one APDU in each, nothing that says goodbye, and every failure in a sentence."""

import asyncio
import errno
import socket

import pytest
import pytest_asyncio

from sessions.dlms.wrapper import WrapperFrame
from sessions.links import udp
from sessions.links.endpoint import UdpEndpoint
from sessions.links.line import LineError
from sessions.links.opening import open_line
from sessions.links.udp import UdpLine

pytestmark = pytest.mark.asyncio


class Meter(asyncio.DatagramProtocol):
    """Keeps what comes, and sends what it is told to where that came from."""

    def __init__(self):
        self.came = asyncio.Queue()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.address = addr
        self.came.put_nowait(data)


@pytest_asyncio.fixture
async def meter():
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(Meter, local_addr=("127.0.0.1", 0))
    protocol.endpoint = UdpEndpoint("127.0.0.1", transport.get_extra_info("sockname")[1])
    yield protocol
    transport.close()


async def soon(awaitable):
    return await asyncio.wait_for(awaitable, 5)


async def test_each_frame_is_a_datagram(meter):
    line = await open_line(meter.endpoint)
    assert isinstance(line, UdpLine)
    frames = [WrapperFrame(16, 1, bytes((number,)) * 100).encode() for number in range(3)]
    await line.write(b"".join(frames))
    assert [await soon(meter.came.get()) for _ in frames] == frames
    for answer in (b"first", b"second"):
        meter.transport.sendto(answer, meter.address)
    assert await soon(line.read()) == b"first"
    assert await soon(line.read()) == b"second"
    await line.close()


async def test_what_is_no_wrapper_goes_out_as_it_is(meter):
    line = await open_line(meter.endpoint)
    await line.write(b"\x7e\xa0\x07")
    await line.write(WrapperFrame(16, 1, b"x").encode() + b"\x00\x01\x00")
    came = [await soon(meter.came.get()) for _ in range(3)]
    assert came == [b"\x7e\xa0\x07", WrapperFrame(16, 1, b"x").encode(), b"\x00\x01\x00"]
    await line.close()


async def test_an_empty_datagram_is_no_end(meter):
    line = await open_line(meter.endpoint)
    await line.write(b"x")
    await soon(meter.came.get())
    meter.transport.sendto(b"", meter.address)
    meter.transport.sendto(b"after", meter.address)
    assert await soon(line.read()) == b"after"
    await line.close()


async def test_only_the_meter_is_heard(meter):
    line = await open_line(meter.endpoint)
    await line.write(b"x")
    await soon(meter.came.get())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"stranger", meter.address)
    meter.transport.sendto(b"meter", meter.address)
    assert await soon(line.read()) == b"meter"
    await line.close()


async def test_nobody_listens_on_the_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = await open_line(UdpEndpoint("127.0.0.1", port))
    await line.write(b"x")
    for _ in range(2):  # the end stays the end
        with pytest.raises(LineError) as refused:
            await soon(line.read())
        assert refused.value.code == "connection-refused"
    assert str(port) in refused.value.message
    assert "TCP" in refused.value.hint
    await line.close()


async def test_an_apdu_that_no_datagram_holds(meter):
    line = await open_line(meter.endpoint)
    await line.write(bytes(65_530))
    with pytest.raises(LineError) as refused:
        await soon(line.read())
    assert refused.value.code == "datagram-too-long"
    assert refused.value.hint
    await line.close()


async def test_closing_ends_a_read(meter):
    line = await open_line(meter.endpoint)
    reading = asyncio.ensure_future(line.read())
    await asyncio.sleep(0)
    await line.close()
    assert await soon(reading) == b""
    with pytest.raises(LineError) as refused:
        await line.write(b"x")
    assert refused.value.code == "connection-lost"
    await line.close()


async def test_a_flood_is_not_kept(meter, monkeypatch):
    monkeypatch.setattr(udp, "MAX_WAITING", 3)
    line = UdpLine(meter.endpoint)
    for number in range(10):
        line.datagram_received(bytes((number + 1,)), None)
    assert [await line.read() for _ in range(3)] == [b"\x01", b"\x02", b"\x03"]
    assert line._arrived.empty()


@pytest.mark.parametrize("host", ["meter.invalid", "no..name", "x" * 80])
async def test_an_unknown_host(host):
    with pytest.raises(LineError) as refused:
        await open_line(UdpEndpoint(host, 4059))
    assert refused.value.code == "host-unknown"
    assert refused.value.hint


async def test_a_name_server_that_does_not_answer(monkeypatch):
    async def never(*_, **__):
        await asyncio.sleep(60)

    monkeypatch.setattr(asyncio.get_running_loop(), "create_datagram_endpoint", never)
    with pytest.raises(LineError) as refused:
        await open_line(UdpEndpoint("meter.lab", 4059), connect_timeout=0.05)
    assert "0.05 s" in refused.value.message


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.EHOSTUNREACH, "host-unreachable"),
        (errno.ENETUNREACH, "host-unreachable"),
        (errno.ENOBUFS, "connection-lost"),
    ],
)
async def test_a_network_that_breaks(meter, number, code):
    line = await open_line(meter.endpoint)
    line.error_received(OSError(number, "as the system says it"))
    with pytest.raises(LineError, match="as the system says it") as refused:
        await soon(line.read())
    assert (refused.value.layer, refused.value.code) == ("line", code)
    await line.close()


async def test_a_socket_that_is_taken_away(meter):
    line = UdpLine(meter.endpoint)
    line.connection_lost(OSError(errno.EBADF, "Bad file descriptor"))
    with pytest.raises(LineError):
        await soon(line.read())


async def test_a_network_that_cannot_be_reached_at_all(monkeypatch):
    async def fail(*_, **__):
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(asyncio.get_running_loop(), "create_datagram_endpoint", fail)
    with pytest.raises(LineError) as refused:
        await open_line(UdpEndpoint("192.0.2.1", 4059))
    assert refused.value.code == "host-unreachable"
