"""The test of a line: connect, see how long it took, let go. Nothing is sent, so it says nothing of a meter behind it."""

from __future__ import annotations

import asyncio

from sessions.dlms.errors import LocalProtocolError
from sessions.engine.reach import judged_endpoint
from sessions.links.endpoint import Endpoint, parse_endpoint
from sessions.links.opening import open_line
from sessions.models import DlmsSession
from sessions.recorder import in_database

CONNECT_TIMEOUT = 5.0


def is_line_test(session_id: int) -> bool:
    return DlmsSession.objects.filter(pk=session_id, purpose=DlmsSession.Purpose.LINE).exists()


async def try_line(session_id: int) -> int:
    """How many milliseconds connecting took; the error of the list of targets, or of the line."""
    endpoint = await judged_endpoint(await in_database(_endpoint, session_id), session_id)
    clock = asyncio.get_running_loop().time
    began = clock()
    line = await open_line(endpoint, connect_timeout=CONNECT_TIMEOUT)
    took = clock() - began
    await line.close()
    return round(took * 1000)


def _endpoint(session_id: int) -> Endpoint:
    line = DlmsSession.objects.select_related("line").get(pk=session_id).line
    if line is None:
        raise LocalProtocolError(
            "The line of this test was deleted.", layer="configuration", code="line-deleted", hint="Add it again."
        )
    return parse_endpoint(line.endpoint)
