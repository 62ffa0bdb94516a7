"""The side channel answers two questions on the loopback, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus

import pytest

from sessions.simulator.lab import LabError
from sessions.simulator.truth import LabTruth
from sessions.simulator.truth_port import MAX_HEAD, TruthPort
from tests.sessions.simulator.served import GMAC, GUEK, lab_meter
from tests.sessions.simulator.truth_client import ask


def port(*, keys: bool = False) -> TruthPort:
    return TruthPort(LabTruth([lab_meter(GMAC)]), 0, keys=keys)


def asked(path: str, *, method: str = "GET", host: str = "127.0.0.1:4711", keys: bool = False):
    return port(keys=keys).answer(f"{method} {path} HTTP/1.1\r\nX: y\r\nHost: {host}\r\n\r\n".encode())


def test_the_meters_and_one_of_them():
    status, told = asked("/meters")
    (meter,) = told["meters"]
    assert (status, meter["serial_number"], meter["awake"]) == (HTTPStatus.OK, "10000001", True)
    status, told = asked("/meters/10000001")
    assert (status, told["serial_number"]) == (HTTPStatus.OK, "10000001")
    assert "keys" not in told
    assert asked("/meters/10000001", keys=True)[1]["keys"]["guek"] == GUEK
    assert asked("/meters/")[0] is asked("/meters?x=1", host="localhost")[0] is HTTPStatus.OK


@pytest.mark.parametrize("path", ["/", "", "/meters/1", "/meters/10000001/keys", "/../meters", "meters", "/meters/%00"])
def test_what_is_not_there(path):
    assert asked(path)[0] is HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "::1"])
def test_another_name_for_this_host_reads_nothing(host):
    """A web page whose name was made to lead here must not read keys."""
    assert asked("/meters/10000001", host=host, keys=True)[0] is HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", ""])
def test_only_questions(method):
    assert asked("/meters", method=method)[0] is HTTPStatus.METHOD_NOT_ALLOWED


@pytest.mark.parametrize(
    "head", [b"", b"\r\n\r\n", b"\xff\xfe\r\n\r\n", b"GET\r\n\r\n", b"GET /meters HTTP/1.1\r\n\r\n"]
)
def test_rubbish_is_refused(head):
    status, _ = port().answer(head)
    assert status in (HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED)


@pytest.mark.asyncio
async def test_over_the_line():
    async with port() as listening:
        for path, status, word in (
            ("/meters", 200, "meters"),
            ("/meters/10000001", 200, "awake"),
            ("/no", 404, "error"),
        ):
            found, told = await asyncio.to_thread(ask, listening.address, path)
            assert (found, word in told) == (status, True)


@pytest.mark.asyncio
async def test_a_head_without_end_is_cut_off():
    async with port() as listening:
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.number)
        writer.write(b"x" * (MAX_HEAD + 1))
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()


@pytest.mark.asyncio
async def test_a_taken_port_is_said():
    async with port() as listening:
        with pytest.raises(LabError, match=str(listening.number)):
            async with TruthPort(LabTruth([]), listening.number):
                raise AssertionError("it listens twice")
