"""The side channel of a lab: HTTP with JSON, on the loopback alone, for whoever wants to know what really happened.

GET /meters            the meters, and whether somebody has talked to them
GET /meters/<serial>   one of them: counters, clocks, relays, associations, every write and method that was carried out
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any, Final

from sessions.simulator.lab import LabError
from sessions.simulator.truth import LabTruth

LOOPBACK: Final = "127.0.0.1"
LOCAL_NAMES: Final = frozenset({LOOPBACK, "localhost"})
"""What a request may call this host: a page of another name that was made to lead here reads nothing."""
MAX_HEAD: Final = 8192
REQUEST_TIMEOUT: Final = 5.0
HEAD_END: Final = b"\r\n\r\n"


class TruthPort:
    """`async with TruthPort(truth, port, keys=False) as listening: listening.address`. Port 0: any free one."""

    def __init__(self, truth: LabTruth, port: int, *, keys: bool = False) -> None:
        self.number = port
        self._truth = truth
        self._keys = keys
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.number}"

    async def __aenter__(self) -> TruthPort:
        try:
            self._server = await asyncio.start_server(self._serve, LOOPBACK, self.number, limit=MAX_HEAD)
        except OSError as error:
            raise LabError(f"port {self.number} for the truth cannot be used: {error.strerror}") from None
        self.number = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer, the end."""
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT):
                writer.write(response(*self.answer(await reader.readuntil(HEAD_END))))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.transport.abort()
        finally:
            writer.close()

    def answer(self, head: bytes) -> tuple[HTTPStatus, Any]:
        """The status and the body for the head of a request."""
        lines = head.decode("latin-1").split("\r\n")
        method, _, rest = lines[0].partition(" ")
        path = rest.partition(" ")[0].partition("?")[0].rstrip("/")
        if _host(lines[1:]) not in LOCAL_NAMES:
            return HTTPStatus.FORBIDDEN, {"error": f"ask {LOOPBACK}, by that name"}
        if method != "GET":
            return HTTPStatus.METHOD_NOT_ALLOWED, {"error": "GET only"}
        if path == "/meters":
            return HTTPStatus.OK, {"meters": self._truth.summaries()}
        truth = self._truth.meters.get(path.removeprefix("/meters/")) if path.startswith("/meters/") else None
        if truth is None:
            return HTTPStatus.NOT_FOUND, {"error": "there are /meters and /meters/<serial number>"}
        return HTTPStatus.OK, truth.as_json(keys=self._keys)


def _host(headers: list[str]) -> str:
    """What the request calls this host, without the port."""
    for header in headers:
        name, _, value = header.partition(":")
        if name.strip().lower() == "host":
            return value.strip().lower().partition(":")[0]
    return ""


def response(status: HTTPStatus, body: Any) -> bytes:
    """An HTTP answer with JSON in it."""
    octets = json.dumps(body).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(octets)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + octets
