"""What a session that ends says of its line. Only layers that are the line's are its failures: a wrong key is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meters.lines.health import line_failed, line_worked
from sessions.models import DlmsSession, Frame

OF_THE_LINE = ("line", "link")


def tell_line(dlms_session: DlmsSession, error: Mapping[str, Any] | None) -> None:
    """Write down that the line worked, or how it failed; nothing where the session says neither."""
    line_id = dlms_session.line_id
    if line_id is None:
        return
    received = Frame.objects.filter(session=dlms_session, direction=Frame.Direction.RECEIVED)
    octets = received.order_by("-seq").values_list("time", flat=True).first() if dlms_session.last_seq else None
    connect_ms = dlms_session.context.get("connect_ms")
    if error is not None and error.get("layer") in OF_THE_LINE:
        line_failed(line_id=line_id, error=error, octets=octets)
    elif octets is not None or connect_ms is not None:
        line_worked(line_id=line_id, octets=octets, connect_ms=connect_ms)
