"""A conversation in IEC 62056-21: the client that knows the protocol, on a line that knows octets, in asyncio.

    async with ReadoutConversation(endpoint, client) as conversation:
        readout = await conversation.read_out()

Every call returns, or raises a `DlmsError`, within the client's timeouts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from sessions.dlms.errors import DlmsError, LocalProtocolError, NoReplyError
from sessions.dlms.iec62056_21.client import Iec21Client, Purpose
from sessions.dlms.iec62056_21.data_set import DataBlock
from sessions.dlms.iec62056_21.events import (
    CommandDone,
    CommandRefused,
    Iec21Event,
    ProgrammingEntered,
    ReadoutReceived,
    Remarked,
)
from sessions.dlms.iec62056_21.message import CommandMessage
from sessions.dlms.iec62056_21.smarty import SmartyReader, open_telegram
from sessions.dlms.iec62056_21.telegram import Telegram
from sessions.dlms.link import FrameReceived, FrameSent, LineChangeNeeded, LineSettings, LinkFailed, OctetsDiscarded
from sessions.links.endpoint import Endpoint
from sessions.links.line import Line, LineError
from sessions.links.opening import open_line

LineFrame = FrameSent | FrameReceived | OctetsDiscarded
Wanted = TypeVar("Wanted", bound=Iec21Event)

WRITE_TIMEOUT: Final = 15.0
"""Seconds that the line may take for the octets of one message."""


class ReadoutConversation:
    """One client on one line. `on_frame` sees every frame, and every octet that is none; `remarks` fills as it goes."""

    def __init__(
        self,
        endpoint: Endpoint,
        client: Iec21Client,
        *,
        on_frame: Callable[[LineFrame], None] | None = None,
        connect_timeout: float = 10.0,
    ) -> None:
        self.endpoint = endpoint
        self.client = client
        self.on_frame = on_frame
        self.connect_timeout = connect_timeout
        self.remarks: list[str] = []
        self._line: Line | None = None
        self._settings: LineSettings | None = None

    async def __aenter__(self) -> ReadoutConversation:
        self._line = await open_line(self.endpoint, connect_timeout=self.connect_timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def is_over(self) -> bool:
        """Whether the line was freed: nothing more can be asked."""
        return self._line is None

    # -- what can be asked -------------------------------------------------------------------------------------------

    async def read_out(self) -> ReadoutReceived:
        """Sign on, and take the whole readout (modes A, B and C)."""
        return await self._run(lambda now: self.client.open(Purpose.READOUT, now), ReadoutReceived)

    async def listen(self) -> ReadoutReceived:
        """The next telegram that comes unasked (mode D, P1)."""
        return await self._run(lambda now: self.client.open(Purpose.LISTEN, now), ReadoutReceived)

    async def enter(self) -> str:
        """Sign on for the programming mode: the operand for the secure algorithm."""
        event = await self._run(lambda now: self.client.open(Purpose.PROGRAMMING, now), ProgrammingEntered)
        return event.operand

    async def command(self, command: CommandMessage) -> DataBlock | None:
        """The answer to a command, None for a plain acknowledgement. What the meter refuses leaves the conversation open."""
        event = await self._run(lambda now: self.client.command(command, now), CommandDone)
        return event.block

    async def close(self) -> None:
        """Break off, and free the line."""
        line, self._line = self._line, None
        if line is None:
            return
        try:
            self.client.leave(self._now())
            octets = self.client.octets_to_send()
            if octets:
                async with asyncio.timeout(WRITE_TIMEOUT):
                    await line.write(octets)
            self._hand_out(())
        except (DlmsError, TimeoutError):
            pass  # it was an attempt; the line is freed all the same
        finally:
            await asyncio.shield(line.close())

    # -- the loop ----------------------------------------------------------------------------------------------------

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _run(self, begin: Callable[[float], object], wanted: type[Wanted]) -> Wanted:
        """Begin something, and keep the line going until it has ended in `wanted`."""
        if self._line is None:
            raise LocalProtocolError("the conversation is closed", layer="line", code="closed")
        try:
            begin(self._now())
            while True:
                await self._write(self._line)
                if (event := self._hand_out((wanted,))) is not None:
                    assert isinstance(event, wanted)  # it was looked for
                    return event
                if not await self._change_line(self._line):
                    await self._wait(self._line)
        except BaseException as error:
            if not isinstance(error, _Refused):
                await self.close()
                raise
            raise error.error from None

    async def _write(self, line: Line) -> None:
        octets = self.client.octets_to_send()
        if not octets:
            return
        try:
            async with asyncio.timeout(WRITE_TIMEOUT):
                await line.write(octets)
        except TimeoutError:
            raise LineError("The other side takes no more octets.", code="write-timeout") from None

    async def _change_line(self, line: Line) -> bool:
        settings, self._settings = self._settings, None
        if settings is None:
            return False
        try:
            async with asyncio.timeout(WRITE_TIMEOUT):
                await line.change_settings(settings)
        except TimeoutError:
            raise LineError("The line does not get rid of what was written.", code="write-timeout") from None
        self.client.line_changed(self._now())
        return True

    def _hand_out(self, wanted: tuple[type, ...]) -> Iec21Event | None:
        """Hand out the events that wait; the one that is waited for, or the error that takes its place."""
        found: Iec21Event | None = None
        while (event := self.client.next_event()) is not None:
            match event:
                case FrameSent() | FrameReceived() | OctetsDiscarded():
                    if self.on_frame is not None:
                        self.on_frame(event)
                case Remarked(text):
                    self.remarks.append(text)
                case LineChangeNeeded():
                    self._settings = event.settings
                case CommandRefused() if wanted:
                    raise _Refused(event.error)
                case LinkFailed() if wanted:
                    raise event.error
                case _ if isinstance(event, wanted):
                    found = event
        return found

    async def _wait(self, line: Line) -> None:
        """Until octets come, the line ends, or a timer of the client is due."""
        timer = self.client.next_timer()
        try:
            async with asyncio.timeout(None if timer is None else max(0.0, timer - self._now())):
                octets = await line.read()
        except TimeoutError:
            self.client.handle_timer(self._now())
            return
        if octets:
            self.client.receive_octets(octets, self._now())
        else:
            self.client.connection_lost(self._now())


class _Refused(Exception):
    """Tells what the meter refused, and leaves the conversation open."""

    def __init__(self, error: DlmsError) -> None:
        super().__init__(error.message)
        self.error = error


async def listen_encrypted(
    endpoint: Endpoint,
    key: bytes,
    *,
    timeout: float,
    on_frame: Callable[[LineFrame], None] | None = None,
    connect_timeout: float = 10.0,
) -> Telegram:
    """The next encrypted telegram (Luxembourg's P1 port), opened with the customer's key."""
    line = await open_line(endpoint, connect_timeout=connect_timeout)
    reader = SmartyReader()
    try:
        async with asyncio.timeout(timeout):
            while True:
                octets = await line.read()
                if not octets:
                    raise LineError("The other side closed the connection before a telegram was whole.", code="closed")
                for frame in reader.feed(octets):
                    if on_frame is not None:
                        on_frame(FrameReceived(frame, asyncio.get_running_loop().time()))
                    return open_telegram(frame, key)
    except TimeoutError:
        raise NoReplyError(
            f"No encrypted telegram came within {timeout:g} s.",
            hint="Check the speed (115200 8N1), and that the data request line is high.",
        ) from None
    finally:
        await asyncio.shield(line.close())
