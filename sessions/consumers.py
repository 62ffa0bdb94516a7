"""The live page's websocket."""

from __future__ import annotations

from channels.generic.websocket import AsyncJsonWebsocketConsumer


class SessionConsumer(AsyncJsonWebsocketConsumer):
    """Frames, entries and states of one session, as they are recorded."""
