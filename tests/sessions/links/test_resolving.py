"""A name is asked once; what it was is what is connected to."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address

import pytest

from sessions.links.endpoint import Rfc2217Endpoint, TcpEndpoint, UdpEndpoint
from sessions.links.line import LineError
from sessions.links.opening import open_line
from sessions.links.resolving import addresses_of, first_of, in_url, reached_at

pytestmark = pytest.mark.asyncio


@pytest.fixture
def no_names(monkeypatch) -> list[str]:
    """Names mean nothing; an address in full may pass where asyncio or pyserial ask for it."""
    asked: list[str] = []
    plain = socket.getaddrinfo

    def look_up(host, *args, **kwargs):
        asked.append(host)
        try:
            ip_address(host)
        except ValueError:
            raise AssertionError(f"{host} was looked up") from None
        return plain(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


async def test_the_addresses_of_a_name(monkeypatch) -> None:
    async def answer(host, port, *, type):
        assert (host, port, type) == ("meter.example", 4059, socket.SOCK_DGRAM)
        return [(2, 2, 17, "", ("10.0.0.1", 4059)), (2, 1, 6, "", ("10.0.0.1", 4059)), (10, 2, 17, "", ("fd00::1", 0))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", answer)
    found = await addresses_of(UdpEndpoint("meter.example", 4059))
    assert found == [ip_address("10.0.0.1"), ip_address("fd00::1")]


@pytest.mark.parametrize("error", [socket.gaierror("no such name"), UnicodeError("no name"), TimeoutError()])
async def test_a_name_that_is_not_known(monkeypatch, error) -> None:
    async def answer(*args, **kwargs):
        raise error

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", answer)
    assert await addresses_of(TcpEndpoint("meter.example", 4059)) == []


async def test_a_server_of_names_that_hangs(monkeypatch) -> None:
    async def answer(*args, **kwargs):
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", answer)
    assert await addresses_of(TcpEndpoint("meter.example", 4059), timeout=0.01) == []


async def test_an_address_inside_of_another_one_is_reached_as_itself() -> None:
    endpoint = reached_at(TcpEndpoint("meter.example", 1), [ip_address("::ffff:10.0.0.1"), ip_address("fd00::1")])
    assert endpoint.addresses == ("10.0.0.1", "fd00::1")
    assert str(endpoint) == "tcp://meter.example:1"


@pytest.mark.parametrize("kind", [TcpEndpoint, UdpEndpoint])
async def test_a_line_with_addresses_does_not_ask_for_its_name(no_names, kind) -> None:
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        line = await open_line(kind("meter.example", port, ("127.0.0.1",)))
        await line.close()


async def test_nor_does_a_port_of_another_machine(no_names) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(LineError) as refused:
        await open_line(Rfc2217Endpoint("meter.example", port, addresses=("127.0.0.1",)))
    assert refused.value.code == "connection-refused"
    assert "meter.example" in refused.value.message
    assert set(no_names) == {"127.0.0.1"}


async def test_the_next_address_is_tried_where_one_refuses() -> None:
    tried = []

    async def connect(address: str) -> str:
        tried.append(address)
        if address != "10.0.0.3":
            raise ConnectionRefusedError(address)
        return address

    endpoint = TcpEndpoint("meter.example", 1, ("10.0.0.1", "10.0.0.2", "10.0.0.3"))
    assert await first_of(endpoint, connect) == "10.0.0.3"
    assert tried == list(endpoint.addresses)
    with pytest.raises(ConnectionRefusedError, match=r"10\.0\.0\.2"):
        await first_of(TcpEndpoint("meter.example", 1, ("10.0.0.1", "10.0.0.2")), connect)
    assert await first_of(TcpEndpoint("10.0.0.3", 1), connect) == "10.0.0.3"


async def test_in_a_url() -> None:
    assert (in_url("fd00::1"), in_url("10.0.0.1")) == ("[fd00::1]", "10.0.0.1")
