"""A conversation with one meter: a client that knows the protocol, on a line that knows octets, in asyncio.

    conversation = Conversation(endpoint, client, on_frame=record)
    try:
        negotiated = await conversation.open()
        value = await conversation.get(CosemAttributeDescriptor(8, CLOCK, 2))
        await conversation.release()
    finally:
        await conversation.close()

Every call returns, or raises a `DlmsError`, within the link's timeouts. Cancelling a call, or an error in a callback, closes the
line: what the meter would answer then belongs to nobody. `close` may be called at any time and always frees the line.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from meters.cosem.data import Data
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
    DataAccessResult,
)
from sessions.dlms.association import AssociationParameters, AssociationState, Negotiated
from sessions.dlms.client import DlmsClient
from sessions.dlms.errors import DlmsError, LocalProtocolError
from sessions.dlms.events import (
    ActionFinished,
    ActionOutcome,
    Associated,
    BlockReceived,
    ClientEvent,
    Failed,
    GetFinished,
    ItemResult,
    ManyFinished,
    NotificationReceived,
    Released,
    RequestFailed,
    SetFinished,
)
from sessions.dlms.hdlc.client_link import HdlcClientLink
from sessions.dlms.hdlc.parameters import HdlcParameters
from sessions.dlms.iec62056_21.mode_e import ModeELink
from sessions.dlms.iec62056_21.settings import SignOnSettings
from sessions.dlms.link import FrameReceived, FrameSent, LineChangeNeeded, LineSettings, Link, OctetsDiscarded
from sessions.dlms.selective_access import SelectiveAccess
from sessions.dlms.transfers.items import ActionItem, GetItem, Item, SetItem
from sessions.dlms.wrapper import WrapperLink
from sessions.links.endpoint import Endpoint, Rfc2217Endpoint, SerialEndpoint, UdpEndpoint
from sessions.links.line import Line, LineError, PromptLine
from sessions.links.opening import open_line
from sessions.links.time_limit import TimeLimit

Framing = Literal["wrapper", "hdlc"]
LineFrame = FrameSent | FrameReceived | OctetsDiscarded
Wanted = TypeVar("Wanted", bound=ClientEvent)

DISCONNECT_TIMEOUT: Final = 1.0
"""Seconds that `close` gives an HDLC meter to acknowledge the disconnect."""

DEFAULT_KEEP_ALIVE: Final = 30.0
"""Seconds: meters drop a link that was silent for their inactivity time-out, 120 s as a rule, and some much sooner."""

WRITE_TIMEOUT: Final = 15.0
"""Seconds that the line may take for the octets of one turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HdlcSettings:
    """How to reach a meter by HDLC. Without a physical address, the logical device is addressed alone.

    `address_octets` None: one octet without a physical address, two where both parts fit into them, else four.
    `disconnect_first`: a DISC goes before the SNRM. `keep_alive`: seconds of idleness after which the meter is polled, 0 never.
    `sign_on`: the meter wants the sign-on of IEC 62056-21 mode E before it speaks HDLC.
    """

    physical_address: int | None = None
    address_octets: int | None = None
    max_info: int = 128
    window: int = 1
    disconnect_first: bool = False
    keep_alive: float = DEFAULT_KEEP_ALIVE
    sign_on: SignOnSettings | None = None

    def octets_for(self, logical_device: int) -> int:
        """The size of the server address."""
        if self.address_octets is not None:
            return self.address_octets
        if self.physical_address is None:
            return 1 if logical_device < 0x80 else 4
        return 2 if max(logical_device, self.physical_address) < 0x80 else 4


def make_link(
    framing: Framing,
    parameters: AssociationParameters,
    hdlc: HdlcSettings,
    timeout: float,
    *,
    endpoint: Endpoint | None = None,
) -> Link:
    """The link below an association. `timeout` is how long one answer may take, in seconds; `endpoint` the line's kind."""
    datagrams = isinstance(endpoint, UdpEndpoint)
    if framing == "wrapper":
        return WrapperLink(
            client_sap=parameters.client_sap,
            server_sap=parameters.server_sap,
            response_timeout=timeout,
            datagrams=datagrams,
        )
    if datagrams:
        raise LocalProtocolError(
            "HDLC does not travel over UDP.",
            layer="configuration",
            code="framing-not-possible",
            hint="Choose the framing “wrapper”, or a TCP or serial line.",
        )
    link = _hdlc_link(parameters, hdlc, timeout, endpoint)
    return link if hdlc.sign_on is None else ModeELink(link, hdlc.sign_on, response_timeout=timeout)


def _hdlc_link(
    parameters: AssociationParameters, hdlc: HdlcSettings, timeout: float, endpoint: Endpoint | None
) -> HdlcClientLink:
    return HdlcClientLink(
        client_sap=parameters.client_sap,
        server_sap=parameters.server_sap,
        physical_address=hdlc.physical_address,
        address_octets=hdlc.octets_for(parameters.server_sap),
        parameters=HdlcParameters(hdlc.max_info, hdlc.max_info, hdlc.window, hdlc.window),
        response_timeout=timeout,
        disconnect_first=hdlc.disconnect_first,
        keep_alive=hdlc.keep_alive,
        octet_time=endpoint.settings.octet_time if isinstance(endpoint, SerialEndpoint | Rfc2217Endpoint) else 0.0,
    )


class Conversation:
    """One client on one line, from connecting to closing.

    `on_frame` sees every frame, and every octet that is none, as it passes; `on_notification` what the meter says unasked.
    `before_octets` is awaited each time before the client may use invocation counters: the place to reserve more of them. `ready`
    says that it has nothing to do right now: octets that come then are handled, and answered, without waking a task.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        client: DlmsClient,
        *,
        on_frame: Callable[[LineFrame], None] | None = None,
        on_notification: Callable[[NotificationReceived], None] | None = None,
        before_octets: Callable[[], Awaitable[None]] | None = None,
        ready: Callable[[], bool] | None = None,
        connect_timeout: float = 10.0,
        reverse_deviation: bool = False,
    ) -> None:
        self.endpoint = endpoint
        self.client = client
        self.on_frame = on_frame
        self.on_notification = on_notification
        self.before_octets = before_octets
        self.ready = ready if before_octets is not None else lambda: True
        self.connect_timeout = connect_timeout
        self.reverse_deviation = reverse_deviation
        self._line: Line | None = None
        self._line_settings: LineSettings | None = None
        self._limit: TimeLimit | None = None
        self._on_block: Callable[[BlockReceived], None] | None = None
        self._kept: deque[ClientEvent] = deque()
        """Events that the task has to see, and that came while it slept."""

    @property
    def is_open(self) -> bool:
        """Whether the association stands and the line is ours."""
        return self._line is not None and self.client.state is AssociationState.ASSOCIATED

    # -- what can be asked -------------------------------------------------------------------------------------------

    async def open(self) -> Negotiated:
        """Connect the line and the link, and associate."""
        if self._line is not None:
            raise LocalProtocolError("the conversation is open already", layer="line")
        self._limit = TimeLimit()
        self._line = await open_line(self.endpoint, connect_timeout=self.connect_timeout)
        event = await self._run(lambda now: self.client.open(now), Associated)
        return event.negotiated

    async def get(
        self,
        descriptor: CosemAttributeDescriptor,
        access_selection: SelectiveAccess | None = None,
        *,
        on_block: Callable[[BlockReceived], None] | None = None,
    ) -> Data | DataAccessResult:
        """One attribute. What the meter refuses for this attribute alone is a value."""
        event = await self._run(
            lambda now: self.client.get(descriptor, access_selection, now=now), GetFinished, on_block
        )
        return event.result

    async def set(
        self,
        descriptor: CosemAttributeDescriptor,
        value: Data,
        access_selection: SelectiveAccess | None = None,
    ) -> DataAccessResult:
        """Write one attribute."""
        event = await self._run(lambda now: self.client.set(descriptor, value, access_selection, now=now), SetFinished)
        return event.result

    async def action(
        self,
        descriptor: CosemMethodDescriptor,
        parameters: Data | None = None,
        *,
        on_block: Callable[[BlockReceived], None] | None = None,
    ) -> tuple[ActionResult, Data | DataAccessResult | None]:
        """Invoke one method: its result and what it returns."""
        event = await self._run(
            lambda now: self.client.action(descriptor, parameters, now=now), ActionFinished, on_block
        )
        return event.result, event.return_parameters

    async def many(self, items: Sequence[Item]) -> tuple[ItemResult, ...]:
        """Read, write and invoke many things in as few requests as both sides allow; a result for each, in their order."""
        if not items:
            return ()
        event = await self._run(lambda now: self.client.many(items, now=now), ManyFinished)
        return event.results

    async def get_many(
        self, descriptors: Sequence[CosemAttributeDescriptor]
    ) -> list[Data | DataAccessResult | DlmsError]:
        """Read many attributes."""
        results = await self.many([GetItem(descriptor) for descriptor in descriptors])
        return [result for result in results if not isinstance(result, ActionOutcome)]

    async def set_many(
        self, values: Sequence[tuple[CosemAttributeDescriptor, Data]]
    ) -> list[DataAccessResult | DlmsError]:
        """Write many attributes."""
        results = await self.many([SetItem(descriptor, value) for descriptor, value in values])
        return [result for result in results if isinstance(result, DataAccessResult | DlmsError)]

    async def invoke_many(
        self, methods: Sequence[tuple[CosemMethodDescriptor, Data | None]]
    ) -> list[ActionOutcome | DlmsError]:
        """Invoke many methods."""
        results = await self.many([ActionItem(descriptor, parameters) for descriptor, parameters in methods])
        return [result for result in results if isinstance(result, ActionOutcome | DlmsError)]

    async def release(self) -> str:
        """End the association and the link in good order, and free the line; a remark if the meter did it its own way."""
        event = await self._run(lambda now: self.client.release(now), Released)
        await self._free_line()
        return event.remark

    async def idle(self, seconds: float) -> None:
        """Listen for `seconds`: deliver what the meter says unasked, and notice when it goes away."""
        try:
            until, self._on_block = self._now() + seconds, None
            while (left := until - self._now()) > 0 and self._line is not None:
                await self._wait(left)
                await self._write()
                self._take_events(None)
        except _Refused as refused:
            await self.close()
            raise refused.error from None
        except BaseException:
            await self._free_line()
            raise

    async def close(self) -> None:
        """Free the line, whatever the state. An HDLC meter is told to disconnect, so that it is free for the next client."""
        if self._line is None:
            return
        try:
            if self.client.state not in (AssociationState.IDLE, AssociationState.CLOSED):
                async with asyncio.timeout(DISCONNECT_TIMEOUT):
                    await self._run(lambda now: self.client.abandon(now), Released)
        except (DlmsError, TimeoutError):
            pass  # it was an attempt; the line is freed all the same
        finally:
            await self._free_line()

    # -- the loop ----------------------------------------------------------------------------------------------------

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _run(
        self,
        begin: Callable[[float], object],
        wanted: type[Wanted],
        on_block: Callable[[BlockReceived], None] | None = None,
    ) -> Wanted:
        """Begin something, and keep the line going until it has ended in `wanted`.

        A refused request leaves the conversation open. Whatever else goes wrong, the line is freed: an answer that comes later
        must not meet the next question.
        """
        if self._line is None:
            raise LocalProtocolError("the conversation is closed", layer="line", code="closed")
        try:
            await self._before()
            self._on_block = on_block
            begin(self._now())
            while True:
                await self._write()
                if (event := self._take_events(wanted)) is not None:
                    return event
                if not await self._change_line():
                    await self._wait(None)
        except (_Refused, LocalProtocolError) as error:
            if not self.is_open:
                await self.close()
            raise error.error if isinstance(error, _Refused) else error from None
        except BaseException:
            await self._free_line()
            raise

    def _until(self, when: float | None) -> TimeLimit:
        assert self._limit is not None  # the line is open
        return self._limit.until(when)

    async def _before(self) -> None:
        if self.before_octets is not None:
            await self.before_octets()

    async def _write(self) -> None:
        octets = self.client.octets_to_send()
        if octets and self._line is not None:
            try:
                with self._until(self._now() + WRITE_TIMEOUT):
                    await self._line.write(octets)
            except LineError as error:
                self._line_broke(error)
            except TimeoutError:
                self._line_broke(LineError("The other side takes no more octets.", code="write-timeout"))

    async def _change_line(self) -> bool:
        """Give the line the settings that the link needs, once what was written has left; whether it needed some."""
        settings, self._line_settings = self._line_settings, None
        if settings is None or self._line is None:
            return False
        try:
            async with asyncio.timeout(WRITE_TIMEOUT):
                await self._line.change_settings(settings)
        except TimeoutError:
            raise LineError("The line does not get rid of what was written.", code="write-timeout") from None
        self.client.line_changed(self._now())
        return True

    def _take_events(self, wanted: type[Wanted] | None) -> Wanted | None:
        """Hand out the events that wait; the one that is waited for, or the error that takes its place."""
        found: Wanted | None = None
        refused: DlmsError | None = None
        while (event := self._next_event()) is not None:
            match event:
                case LineChangeNeeded():
                    self._line_settings = event.settings
                case RequestFailed() | Failed():
                    refused = event.error
                case _ if wanted is not None and isinstance(event, wanted):
                    found = event
                case _:
                    self._pass_on(event)
        if refused is not None:
            raise _Refused(refused)
        return found

    def _next_event(self) -> ClientEvent | None:
        return self._kept.popleft() if self._kept else self.client.next_event()

    def _pass_on(self, event: ClientEvent) -> bool:
        """Tell what passes by; whether it was that, and nothing that ends a wait."""
        match event:
            case FrameSent() | FrameReceived() | OctetsDiscarded():
                if self.on_frame is not None:
                    self.on_frame(event)
            case NotificationReceived():
                if self.on_notification is not None:
                    self.on_notification(event)
            case BlockReceived():
                if self._on_block is not None:
                    self._on_block(event)
            case _:
                return False
        return True

    async def _wait(self, at_most: float | None) -> None:
        """Until octets come, the line ends, a timer of the client is due, or `at_most` seconds have passed.

        On a line that is prompt, octets that bring nothing to wait for are answered without waking this task.
        """
        assert self._line is not None  # the callers looked
        line, latest = self._line, None if at_most is None else self._now() + at_most
        limit = self._until(self.due(latest))
        prompt = _Prompt(self, line, limit, latest) if isinstance(line, PromptLine) else None
        try:
            with limit:
                octets = await line.read()
        except TimeoutError:
            octets = None
        except LineError as error:
            self._line_broke(error)
            return
        finally:
            if prompt is not None:
                prompt.end()
        if prompt is not None and prompt.woke:
            prompt.check()
        elif octets is None:
            await self._time_is_up()
        else:
            await self._before()
            self._hear(octets)

    def due(self, latest: float | None) -> float | None:
        """When the client's timer, or the patience of who waits, is at its end."""
        timer = self.client.next_timer()
        return timer if latest is None else latest if timer is None else min(latest, timer)

    async def _time_is_up(self) -> None:
        timer = self.client.next_timer()
        if timer is not None and timer <= self._now():
            await self._before()
            self.client.handle_timer(self._now())

    @property
    def is_ready(self) -> bool:
        """Whether octets may be handled right now."""
        return self.ready is not None and self.ready()

    def hear_at_once(self, octets: bytes) -> bool:
        """Take octets in, and tell what passes by; whether that was all. Other events stay for the task that waits."""
        self.client.receive_octets(octets, self._now())
        while (event := self.client.next_event()) is not None:
            if self._kept or not self._pass_on(event):
                self._kept.append(event)
        return not self._kept

    def _hear(self, octets: bytes) -> None:
        if octets:
            self.client.receive_octets(octets, self._now())
        else:
            self.client.connection_lost(self._now())

    def _line_broke(self, error: LineError) -> None:
        """A line that breaks after the release was asked for has done what was wanted."""
        leaving = self.client.state in (AssociationState.RELEASE_PENDING, AssociationState.DISCONNECT_PENDING)
        self.client.connection_lost(self._now())
        if not leaving:
            raise error

    async def _free_line(self) -> None:
        line, self._line = self._line, None
        if self._limit is not None:
            self._limit.close()
        if line is not None:
            await asyncio.shield(line.close())


class _Prompt:
    """One wait on a line that is prompt: answers what comes, as long as that brings nothing that the waiting task has to see.

    Small HDLC frames come a thousand times for one answer; to wake a task for each takes longer than the frame's own work.
    """

    def __init__(self, conversation: Conversation, line: PromptLine, limit: TimeLimit, latest: float | None) -> None:
        self.woke = False
        self._conversation = conversation
        self._line = line
        self._limit = limit
        self._latest = latest
        self._error: Exception | None = None
        line.take_at_once = self._take

    def end(self) -> None:
        self._line.take_at_once = None

    def check(self) -> None:
        """Raise what a callback raised meanwhile."""
        if self._error is not None:
            raise self._error

    def _take(self, octets: bytes) -> bytes | None:
        if not self._conversation.is_ready or not octets:
            return octets
        try:
            nothing_else = self._conversation.hear_at_once(octets)
        except Exception as error:
            self._error, nothing_else = error, False
        if nothing_else and not self._line.congested:
            self._line.send_at_once(self._conversation.client.octets_to_send())
            self._limit.move(self._conversation.due(self._latest))
            return None
        self.woke = True
        return b""


class _Refused(Exception):
    """Tells an error that the client reported from one that broke its owner."""

    def __init__(self, error: DlmsError) -> None:
        super().__init__(error.message)
        self.error = error
