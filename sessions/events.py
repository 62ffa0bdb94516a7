"""The doorbell to the browsers: "there is more to read", never the thing itself.

Whoever wrote rows rings the session's group with the last sequence number; consumers read the rows after their own cursor. A
bell that nobody hears, or no broker to ring it, loses nothing: consumers also look by themselves.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

RING_TIMEOUT = 2.0
"""Seconds that a doorbell may take: a broker that hangs must not hold up a session."""

_silent = False


def group_name(session_id: int) -> str:
    """The channel layer's group of everybody who watches the session."""
    return f"session.{session_id}"


def session_changed(last_seq: int) -> dict[str, Any]:
    """The doorbell's message."""
    return {"type": "session.changed", "last_seq": last_seq}


async def publish_changed(session_id: int, last_seq: int) -> None:
    """Ring; a broker that is away is logged once, and otherwise nobody's trouble."""
    global _silent
    try:
        async with asyncio.timeout(RING_TIMEOUT):
            await get_channel_layer().group_send(group_name(session_id), session_changed(last_seq))
        _silent = False
    except Exception as error:
        if not _silent:
            logger.warning("no doorbell for session %s: %s", session_id, type(error).__name__)
        _silent = True


def ring_browsers(session_id: int, last_seq: int) -> None:
    """`publish_changed` for synchronous callers."""
    async_to_sync(publish_changed)(session_id, last_seq)
