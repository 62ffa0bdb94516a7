"""One session, run by one worker.

Two things happen side by side in one event loop. The *work* talks with the meter: learn the invocation counter if need be,
associate, serve the steps that wait, release. The *watch* looks four times a second: it writes what was recorded, reads whether
somebody wants the session cancelled or closed, renews the lease, and pulls the work off the line when it has to end.

Whatever happens, the session ends in one state, or, when it is not ours any more, without a word from us.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from django.db import OperationalError, close_old_connections, connections
from django.db.models import Exists, OuterRef
from django.utils import timezone

from meters.models import PortNotOfferedError
from meters.services import CounterError, mark_meter_seen, mark_proven
from meters.vault import VaultError
from sessions.dlms.association import AssociationParameters, Negotiated
from sessions.dlms.client import DlmsClient
from sessions.dlms.errors import DlmsError
from sessions.dlms.inspector.secrets import KEY_TRANSFER
from sessions.dlms.link import FrameReceived, FrameSent
from sessions.dlms.short_name_map import ShortNameMap
from sessions.endings import Error, end_session, forget_secrets, internal_error, worker_stopped
from sessions.engine.counters import CounterKeeper
from sessions.engine.line_test import is_line_test, try_line
from sessions.engine.plan import Plan, make_plan
from sessions.engine.reach import judged
from sessions.engine.steps import Outcome, run_step, value_to_send
from sessions.leases import LEASE_SECONDS, Claim, LeaseLost, claim_session, renew, waiting_for
from sessions.line_health import tell_line
from sessions.links.driver import Conversation, LineFrame, make_link
from sessions.models import DlmsSession, Frame, Step
from sessions.recorder import Recorder, in_database
from sessions.storable import storable
from sessions.trace import Trace

logger = logging.getLogger(__name__)

LOOK_INTERVAL = 0.25
RENEW_INTERVAL = 3.0
SENDING_LIMIT = LEASE_SECONDS * 2 / 3
"""Seconds without a renewal after which nothing is sent any more: the lease may be somebody else's soon."""
IDLE_TIMEOUT = 120.0
RELEASE_PATIENCE = 2.0

State = DlmsSession.State


class Leaving(Enum):
    """Why the watch ends the work."""

    CANCELLED = auto()
    STOPPED = auto()


@dataclass(slots=True)
class Wishes:
    """What the session's row says that people want."""

    cancel: bool = False
    close: bool = False
    steps_wait: bool = True


class SessionRun:
    """The run of one claimed session."""

    def __init__(self, claim: Claim, must_stop: Callable[[], bool], *, idle_timeout: float = IDLE_TIMEOUT) -> None:
        self.claim = claim
        self.recorder = Recorder(claim)
        self.must_stop = must_stop
        self.idle_timeout = idle_timeout
        self.wishes = Wishes()
        self.leaving: Leaving | None = None
        self.conversation: Conversation | None = None
        self.keeper: CounterKeeper | None = None
        self.busy = True
        self._trace: Trace | None = None
        self._short_names: ShortNameMap | None = None
        self._unproven: tuple[Plan, str] | None = None
        self._renewed = asyncio.get_running_loop().time()

    async def run(self) -> list[int]:
        """To its end. Returns the sessions that wait for the line that is free now."""
        work = asyncio.create_task(self._work())
        try:
            await self._finish(*await self._verdict_of(work))
        except LeaseLost as lost:
            logger.warning("this session is not ours any more: %s", lost)
            self._renewed = -SENDING_LIMIT  # and nothing may be sent, not even a goodbye
            return []
        finally:
            await self._pull_off(work)
        return await in_database(waiting_for, self.claim.line_address)

    async def _verdict_of(self, work: asyncio.Task[None]) -> tuple[DlmsSession.State, Error | None]:
        """Watch the work to its end; what breaks the watch itself ends the session as an error of ours."""
        try:
            await self._watch(work)
        except LeaseLost:
            raise
        except Exception as error:
            logger.exception("the watch over session %s broke", self.claim.session_id)
            await self._pull_off(work)
            return State.ERRORED, internal_error(error)
        return self._verdict(work)

    # -- the watch ---------------------------------------------------------------------------------------------------

    async def _watch(self, work: asyncio.Task[None]) -> None:
        """Until the work is done, or has to end."""
        while not work.done():
            await asyncio.wait({work}, timeout=LOOK_INTERVAL)
            if self.must_stop():
                self.leaving = Leaving.STOPPED
            else:
                await self._look()
            if self.leaving is not None:
                break
        if work.done():
            return
        if not self.busy:  # between two requests there is time for a release
            await asyncio.wait({work}, timeout=RELEASE_PATIENCE)
        await self._pull_off(work)

    async def _look(self) -> None:
        await self.recorder.flush()
        try:
            self.wishes = await in_database(_read_wishes, self.claim)
            if asyncio.get_running_loop().time() - self._renewed >= RENEW_INTERVAL:
                asked = asyncio.get_running_loop().time()
                await in_database(renew, self.claim)
                self._renewed = asked
        except OperationalError as error:
            logger.warning("session %s: the database does not answer: %s", self.claim.session_id, error)
        if self.wishes.cancel:
            self.leaving = Leaving.CANCELLED

    async def _pull_off(self, work: asyncio.Task[None]) -> None:
        """End the work, if it has not ended, and free the line."""
        work.cancel()
        await asyncio.wait({work})
        if self.conversation is not None:
            with contextlib.suppress(DlmsError, LeaseLost):
                await self.conversation.close()

    # -- the end -----------------------------------------------------------------------------------------------------

    def _verdict(self, work: asyncio.Task[None]) -> tuple[DlmsSession.State, Error | None]:
        """The state that the session ends in, and why."""
        error = None if work.cancelled() else work.exception()
        if self.leaving is Leaving.CANCELLED:
            return State.CANCELLED, None
        if self.leaving is Leaving.STOPPED:
            return State.FAILED, worker_stopped()
        if error is None:
            return State.DONE, None
        if isinstance(error, DlmsError | VaultError | CounterError):
            return State.FAILED, error.as_dict()
        if isinstance(error, PortNotOfferedError):
            hint = "Ask the administrator for WORKBENCH_SERIAL_PORTS, or choose another line for this meter."
            return State.FAILED, {"layer": "line", "code": "port-not-offered", "message": str(error), "hint": hint}
        logger.error("session %s ended by an error", self.claim.session_id, exc_info=error)
        return State.ERRORED, internal_error(error)

    async def _finish(self, state: DlmsSession.State, error: Error | None) -> None:
        """Write the end. While the database is away we try; when the lease has run out, the watchdog says it for us."""

        def change() -> None:
            row = DlmsSession.objects.select_for_update().get(pk=self.claim.session_id)
            end_session(row, state, error=error)
            tell_line(row, error)

        deadline = asyncio.get_running_loop().time() + LEASE_SECONDS
        while True:
            try:
                return await self.recorder.commit(change)
            except OperationalError:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.5)

    # -- the work ----------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        if await in_database(is_line_test, self.claim.session_id):
            connect_ms = await try_line(self.claim.session_id)
            return await self.recorder.commit(lambda: self._set(context={"connect_ms": connect_ms}))
        plan = await judged(await in_database(make_plan, self.claim.session_id), self.claim.session_id)
        if plan.quirks:
            quirks = [quirk.as_json() for quirk in plan.quirks]
            await self.recorder.commit(lambda: self._set(quirks=quirks))
        if plan.counter_key:
            keeper = CounterKeeper(plan, lambda parameters: self._converse(plan, parameters))
            await keeper.prepare()
            self.keeper = keeper
        conversation = self._converse(plan, plan.association.prepared(secrets.token_bytes))
        try:
            negotiated = await conversation.open()
        except DlmsError as error:
            if self.keeper is not None:
                await self.keeper.doubt(error)
            raise
        await self.recorder.commit(lambda: self._opened(plan, negotiated))
        await self._serve(conversation)
        await self.recorder.commit(lambda: self._set(state=State.CLOSING))
        await conversation.release()

    def _converse(self, plan: Plan, parameters: AssociationParameters) -> Conversation:
        """A new conversation, whose frames are recorded; it is ours to close."""
        file = plan.association
        trace = self._trace = Trace(plan.keys, plan.secrets)
        if parameters.dedicated_key is not None:
            trace.learn(parameters.dedicated_key)
        client = DlmsClient(
            parameters,
            make_link(file.framing, parameters, file.hdlc, file.timeout, endpoint=plan.endpoint),
            challenge=secrets.token_bytes(parameters.challenge_octets),
            random=secrets.token_bytes,
            counters=self.keeper.counters if self.keeper is not None else None,
            reply_timeout=file.timeout,
        )
        self.conversation = Conversation(
            plan.endpoint,
            client,
            on_frame=lambda frame: self._record(trace, frame),
            before_octets=self._before_octets,
            ready=self._is_ready,
            reverse_deviation=file.reverse_deviation,
        )
        return self.conversation

    def _record(self, trace: Trace, frame: LineFrame) -> None:
        if isinstance(frame, FrameSent):
            self.recorder.record_frame(trace.read(frame.octets, "sent"), Frame.Direction.SENT)
        elif isinstance(frame, FrameReceived):
            self.recorder.record_frame(trace.read(frame.octets, "received"), Frame.Direction.RECEIVED)
        else:
            traced = trace.read_discarded(frame.octets, frame.reason)
            self.recorder.record_frame(traced, Frame.Direction.DISCARDED)

    def _set(self, **fields: Any) -> None:
        DlmsSession.objects.filter(pk=self.claim.session_id).update(**fields)

    def _opened(self, plan: Plan, negotiated: Negotiated) -> None:
        """The meter let us in: its keys are proven, and the inspector gets what it needs to know later.

        A pre-established association stands before anybody has answered: there the first answer proves the keys.
        """
        title = (negotiated.server_system_title or b"").hex()
        context = {
            "client_system_title": plan.client_system_title,
            "server_system_title": title,
            "key_version_ids": list(plan.key_version_ids),
        }
        self._set(state=State.OPEN, negotiated=storable(negotiated.as_json()), context=context)
        self._unproven = plan, title
        if not plan.association.parameters.pre_established:
            self._proven()

    def _proven(self) -> None:
        """The meter answered as only one does that has the keys."""
        if self._unproven is None:
            return
        plan, title = self._unproven
        self._unproven = None
        if plan.meter_id is not None:
            mark_meter_seen(meter_id=plan.meter_id, server_system_title=title)
        mark_proven(key_version_ids=plan.key_version_ids)

    # -- steps -------------------------------------------------------------------------------------------------------

    async def _serve(self, conversation: Conversation) -> None:
        """Do what waits, and wait for more, until the session is to be closed or was idle for too long."""
        loop = asyncio.get_running_loop()
        idle_since = loop.time()
        self.busy = False
        while self.leaving is None:
            step = await in_database(self._next_step) if self.wishes.steps_wait else None
            if step is not None:
                self.busy = True
                await self._do(conversation, step)
                self.busy = False
                idle_since = loop.time()
            elif self.wishes.close or loop.time() - idle_since > self.idle_timeout:
                return
            else:
                self.wishes.steps_wait = False
                await conversation.idle(LOOK_INTERVAL)

    def _next_step(self) -> Step | None:
        return Step.objects.filter(session_id=self.claim.session_id, state=Step.State.WAITING).first()

    async def _do(self, conversation: Conversation, step: Step) -> None:
        """One step, its beginning committed before its first octet goes out."""
        own = Step.objects.filter(pk=step.pk)
        await self.recorder.commit(lambda: _change(own, state=Step.State.RUNNING, started=timezone.now()))
        await self._learn_secret(step)
        outcome = await run_step(conversation, self.recorder, step)
        if self.keeper is not None:
            await self.keeper.doubt_after(outcome, proven=self._unproven is None)
        await self.recorder.commit(lambda: self._end(own, outcome, conversation.client.short_names))
        if not conversation.is_open:
            raise _lost_with(outcome)

    async def _learn_secret(self, step: Step) -> None:
        """What a step sends of a meter's secrets is masked in every frame from now on; keys that travel wrapped are kept."""
        if step.sealed is None or self._trace is None or step.parameters["class_id"] == KEY_TRANSFER[0]:
            return
        with contextlib.suppress(VaultError):  # then the step says so
            value = await in_database(value_to_send, step)
            if value is not None:
                self._trace.learn_value(value)

    def _end(self, own: Any, outcome: Outcome, short_names: ShortNameMap | None) -> None:
        """The step's end, and the meter's short names if it told them on the way: the inspector wants them later."""
        _end_step(own, outcome)
        if outcome.state == Step.State.DONE:
            self._proven()
        if short_names is not None and short_names != self._short_names:
            self._short_names = short_names
            context = DlmsSession.objects.values_list("context", flat=True).get(pk=self.claim.session_id)
            self._set(context={**context, "short_names": short_names.as_json()})

    @property
    def _lease_is_fresh(self) -> bool:
        return asyncio.get_running_loop().time() - self._renewed <= SENDING_LIMIT

    def _is_ready(self) -> bool:
        """Whether `_before_octets` would have nothing to say or do."""
        return self._lease_is_fresh and (self.keeper is None or self.keeper.has_enough)

    async def _before_octets(self) -> None:
        """Called before anything is sent: the lease must be fresh, and counters at hand."""
        if not self._lease_is_fresh:
            raise LeaseLost(f"session {self.claim.session_id} could not renew its lease in time")
        if self.keeper is not None:
            await self.keeper.top_up()


# -- small things ------------------------------------------------------------------------------------------------------


def _lost_with(outcome: Outcome) -> DlmsError:
    """The conversation ended in a step: the session's error is the step's."""
    said = outcome.error or {}
    return DlmsError(
        str(said.get("message") or "The conversation ended."),
        layer=str(said.get("layer") or "line"),
        code=str(said.get("code") or "connection-lost"),
        hint=str(said.get("hint") or ""),
    )


def _read_wishes(claim: Claim) -> Wishes:
    """LeaseLost when the session is not ours any more."""
    waiting = Step.objects.filter(session=OuterRef("pk"), state=Step.State.WAITING)
    ours = DlmsSession.objects.filter(pk=claim.session_id, epoch=claim.epoch, state__in=DlmsSession.RUNNING)
    row = ours.annotate(steps_wait=Exists(waiting)).values("cancel_requested", "close_requested", "steps_wait").first()
    if row is None:
        raise LeaseLost(f"session {claim.session_id}, epoch {claim.epoch}")
    return Wishes(row["cancel_requested"], row["close_requested"], row["steps_wait"])


def _change(steps: Any, **fields: Any) -> None:
    steps.update(**fields)


def _end_step(steps: Any, outcome: Outcome) -> None:
    steps.update(
        state=outcome.state, result=storable(outcome.result), error=storable(outcome.error), ended=timezone.now()
    )
    forget_secrets(steps)


def _close_connections() -> None:
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


async def run_session(session_id: int, must_stop: Callable[[], bool] = lambda: False) -> list[int]:
    """Claim the session and run it; nothing happens when somebody else does. Returns the sessions that wait for its line."""
    await in_database(close_old_connections)
    try:
        claim = await in_database(claim_session, session_id)
        return await SessionRun(claim, must_stop).run() if claim is not None else []
    finally:
        await in_database(_close_connections)


def run_in_worker(session_id: int, must_stop: Callable[[], bool]) -> list[int]:
    """In a Celery child: an event loop of its own, which SIGTERM ends in good order."""
    terminated = threading.Event()

    async def main() -> list[int]:
        with contextlib.suppress(RuntimeError, ValueError):  # only the main thread has signals
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminated.set)
        return await run_session(session_id, lambda: terminated.is_set() or must_stop())

    return asyncio.run(main())
