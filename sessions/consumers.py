"""The live page's websocket: reads rows after the browser's cursor whenever the doorbell rings, and by itself now and then.

Permission comes before `accept`: 4401 for nobody, 4404 for a session that does not exist; 4400 for a browser that talks
nonsense. Nothing depends on one doorbell arriving, and many of them become one message.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth import get_user_model

from sessions.events import group_name
from sessions.live import Cursor, Message, entry_message, frame_messages, state_message
from sessions.models import DlmsSession, Step

logger = logging.getLogger(__name__)

BROKEN = 1011
BAD_MESSAGE, NOT_SIGNED_IN, NO_SUCH_SESSION = 4400, 4401, 4404

MIN_INTERVAL = 0.125
"""Seconds between two looks: at most eight a second, however often the bell rings."""
POLL_LIVE = 2.0
POLL_OVER = 30.0
RECHECK = 2.0
"""Seconds after which the right to look is looked at again."""
SETTLED = 3.0
"""Seconds after which a browser that still names an older cursor has really missed something."""


class SessionConsumer(AsyncWebsocketConsumer):
    """Frames, entries and states of one session, as they are recorded."""

    async def connect(self) -> None:
        self.session_id: int = self.scope["url_route"]["kwargs"]["session_id"]
        self.cursor: Cursor | None = None  # nothing is sent before the browser has said what it has
        self.last_state = ""
        self.last_sent = 0.0
        self.checked = asyncio.get_running_loop().time()
        self.is_live = True
        self.bell = asyncio.Event()
        self.sender: asyncio.Task[None] | None = None
        if not await database_sync_to_async(self._is_allowed)():
            await self.close(code=NOT_SIGNED_IN)
            return
        if not await DlmsSession.objects.filter(pk=self.session_id).aexists():
            await self.close(code=NO_SUCH_SESSION)
            return
        await self.channel_layer.group_add(group_name(self.session_id), self.channel_name)
        await self.accept()
        self.sender = asyncio.create_task(self._keep_sending())

    async def disconnect(self, code: int) -> None:
        if self.sender is not None:
            self.sender.cancel()
            await asyncio.gather(self.sender, return_exceptions=True)
            await self.channel_layer.group_discard(group_name(self.session_id), self.channel_name)

    async def session_changed(self, event: Message) -> None:
        """The doorbell."""
        self.bell.set()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """The browser's cursor: on every connect, and every few seconds."""
        try:
            cursor = Cursor.from_text(text_data or "")
        except ValueError:
            await self.close(code=BAD_MESSAGE)
            return
        self._resume(cursor)
        self.bell.set()

    def _resume(self, said: Cursor) -> None:
        """Take over the browser's cursor, unless what it misses may still be under way to it."""
        if self.cursor is None or asyncio.get_running_loop().time() - self.last_sent > SETTLED:
            self.cursor = said

    # -- sending -----------------------------------------------------------------------------------------------------

    async def _keep_sending(self) -> None:
        try:
            await self._send_for_ever()
        except Exception:
            # The browser connects again and names its cursor: better than a page that stands still without a word.
            logger.exception("the live page of session %s broke", self.session_id)
            await self.close(code=BROKEN)

    async def _send_for_ever(self) -> None:
        while True:
            await self._send_news()
            await asyncio.sleep(MIN_INTERVAL)
            try:
                async with asyncio.timeout(POLL_LIVE if self.is_live else POLL_OVER):
                    await self.bell.wait()
            except TimeoutError:
                pass
            self.bell.clear()
            if not await self._is_still_allowed():
                await self.close(code=NOT_SIGNED_IN)
                return

    async def _is_still_allowed(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now - self.checked < RECHECK:
            return True
        self.checked = now
        return bool(await database_sync_to_async(self._is_allowed)())

    async def _send_news(self) -> None:
        """Everything that is new, in messages of a limited size, until the browser has caught up."""
        cursor = self.cursor
        while cursor is not None:
            message = await database_sync_to_async(frame_messages)(self.session_id, cursor)
            if message is None:
                break
            await self._send(message)
            cursor.seq = message["last_seq"]
        found = await database_sync_to_async(self._look)()
        if found is None:
            await self.close(code=NO_SUCH_SESSION)
            return
        dlms_session, steps = found
        for step in steps:
            if cursor is not None and step.kind == Step.Kind.READ_PROFILE:
                await self._send_entries(step, cursor)
        self.is_live = dlms_session.is_live
        await self._send_state(state_message(dlms_session, steps))

    async def _send_entries(self, step: Step, cursor: Cursor) -> None:
        while (message := await database_sync_to_async(entry_message)(step, cursor)) is not None:
            await self._send(message)
            cursor.entries[step.pk] = message["entries"][-1][0]

    async def _send_state(self, message: Message) -> None:
        text = json.dumps(message)
        if text != self.last_state:
            self.last_state = text
            await self.send(text_data=text)

    async def _send(self, message: Message) -> None:
        await self.send(text_data=json.dumps(message))
        self.last_sent = asyncio.get_running_loop().time()

    # -- looking (in the database's thread) --------------------------------------------------------------------------

    def _look(self) -> tuple[DlmsSession, list[Step]] | None:
        dlms_session = DlmsSession.objects.filter(pk=self.session_id).first()
        return (dlms_session, list(dlms_session.steps.order_by("number"))) if dlms_session else None

    def _is_allowed(self) -> bool:
        """Signed in, active, and not signed out since."""
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            return False
        if not get_user_model()._default_manager.filter(pk=user.pk, is_active=True).exists():
            return False
        http_session: Any = self.scope.get("session")
        key = getattr(http_session, "session_key", None)
        return key is None or http_session.exists(key)
